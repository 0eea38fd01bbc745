/* What the tests of templates share: the program is one, and its children check by themselves. */
#ifndef AARD_TESTS_FORK_SUPPORT_H
#define AARD_TESTS_FORK_SUPPORT_H

#include <sys/types.h>

#include "isolate_support.h"

enum { FORK_MOST = 50, KIB = 1024 };

/* The template's guests: Python with a bundle that has state of `random`, `tempfile` and `uuid`, JavaScript with "codegen". */
extern aard_isolate *python, *javascript;
extern aard_handler *echo, *js_echo;
int make_template(void **state); /* cmocka's, of a group */
int end_template(void **state);

/* In a child an assertion of cmocka's would go on in the parent's tests. */
#define need(what)                                                                                                     \
    do {                                                                                                               \
        if (!(what)) need_at(__FILE__, __LINE__);                                                                      \
    } while (0)
void need_at(const char *file, int line);

pid_t start_child(void (*work)(int number), int number);
int end_of(pid_t child); /* as waitpid's status */
void expect_end(pid_t child);
/* All of them alive at once. */
void with_children(void (*work)(int number), int count);

/* Calls, in a child or the template; what fails ends that.  The outcome is the caller's. */
aard_outcome *run_for(aard_isolate *isolate, const char *code, uint64_t wall_ms, uint64_t cpu_ms);
bool gives(aard_isolate *isolate, const char *code, const char *value);
bool ends(aard_isolate *isolate, const char *code, uint64_t wall_ms, uint64_t cpu_ms, aard_failure_kind kind);
bool echoes(aard_handler *handler); /* 1 KiB */

/* What a child can do with the guests: calls, timers, limits, resets, heaps that are full, compiled WebAssembly. */
void use_everything(int number);
void fill_heaps(int number);

/* JavaScript that makes a function `sum` of WebAssembly, and gives 10. */
extern const char make_sum[];

#endif
