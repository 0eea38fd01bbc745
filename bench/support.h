/* What the benchmark programs share.  Everything here ends the program where something is wrong: a benchmark that goes
 * on after a failure measures nothing. */
#ifndef BENCH_SUPPORT_H
#define BENCH_SUPPORT_H

#include <stdbool.h>
#include <stddef.h>

#include <aardvark.h>

/* The name of the program, for its messages; each program defines it. */
extern const char bench_name[];

void bench_die(aard_error *error); /* NULL is fine */
_Noreturn void bench_fail(const char *what);

double bench_now_ms(void);

void bench_sort(double *list, size_t count);
/* The smallest of the sorted values that `percent` of them do not exceed. */
double bench_percentile(const double *sorted, size_t count, size_t percent);
long bench_rss_kib(void);
long bench_available_kib(void); /* of the machine: MemAvailable of /proc/meminfo */

/* Memory that no other process and no other mapping of this one shares: Private_Clean and Private_Dirty of smaps_rollup. */
long bench_private_kib(void);

/* A whole number of `least` or more; false for anything else. */
bool bench_parse_count(const char *text, size_t least, size_t *out);

/* The text of a file, with a NUL after it; free() it. */
char *bench_read_file(const char *path, size_t *len);

/* A bundle with one file and `echo` in it as its entrypoint, which gives back what it gets. */
aard_bundle *bench_echo_bundle(aard_language language);

/* One of JavaScript whose module is of 700 KiB and makes a thousand classes, with an `echo` too. */
aard_bundle *bench_large_bundle(void);

/* {"x":"aaa…"} of `len` bytes in all; free() it. */
char *bench_payload(size_t len);

/* The outcome's value must be this JSON text. */
void bench_check_value(const aard_outcome *outcome, const char *json, size_t len);

/* The callbacks `now`, which answers at once, and `later`, which another thread answers. */
void bench_add_callbacks(aard_isolate_config *config);

#endif
