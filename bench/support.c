#include "support.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* In the middle of everything: nothing is taken down. */
static _Noreturn void leave(int status)
{
    fflush(NULL);
    _exit(status);
}

void bench_die(aard_error *error)
{
    if (!error) return;
    fprintf(stderr, "%s: %s: %s\n", bench_name, aard_error_code_name(aard_error_get_code(error)),
            aard_error_message(error));
    leave((int)aard_error_get_class(error));
}

_Noreturn void bench_fail(const char *what)
{
    fprintf(stderr, "%s: %s\n", bench_name, what);
    leave(AARD_CLASS_HOST);
}

double bench_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void bench_sort(double *list, size_t count) { qsort(list, count, sizeof *list, by_value); }

double bench_percentile(const double *sorted, size_t count, size_t percent)
{
    size_t rank = (count * percent + 99) / 100;
    return sorted[rank ? rank - 1 : 0];
}

long bench_rss_kib(void)
{
    long pages = 0;
    FILE *statm = fopen("/proc/self/statm", "r");
    if (!statm || fscanf(statm, "%*d %ld", &pages) != 1) bench_fail("can't read /proc/self/statm");
    fclose(statm);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

long bench_available_kib(void)
{
    char line[200];
    long kib = 0;
    FILE *file = fopen("/proc/meminfo", "r");
    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "MemAvailable: %ld", &kib) == 1) break;
    if (file) fclose(file);
    return kib;
}

long bench_private_kib(void)
{
    FILE *rollup = fopen("/proc/self/smaps_rollup", "r");
    if (!rollup) bench_fail("can't read /proc/self/smaps_rollup");
    char line[256];
    long sum = 0, kib;
    int found = 0;
    while (fgets(line, sizeof line, rollup))
        if (sscanf(line, "Private_Clean: %ld", &kib) == 1 || sscanf(line, "Private_Dirty: %ld", &kib) == 1) {
            sum += kib;
            found++;
        }
    fclose(rollup);
    if (found != 2) bench_fail("/proc/self/smaps_rollup does not tell what is private");
    return sum;
}

bool bench_parse_count(const char *text, size_t least, size_t *out)
{
    char *end;
    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || errno || number < least || number > 1u << 30) return false;
    *out = (size_t)number;
    return true;
}

char *bench_read_file(const char *path, size_t *len)
{
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END) != 0) {
        fprintf(stderr, "%s: can't read %s: %s\n", bench_name, path, strerror(errno));
        leave(AARD_CLASS_USAGE);
    }
    long size = ftell(file);
    rewind(file);
    char *text = malloc((size_t)size + 1);
    if (!text || fread(text, 1, (size_t)size, file) != (size_t)size) bench_fail("can't read a file whole");
    fclose(file);
    text[size] = 0;
    *len = (size_t)size;
    return text;
}

/* ---- bundle and payload ----------------------------------------------------------------------------------------- */

static void write_file(const char *dir, const char *name, const char *text)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *file = fopen(path, "w");
    if (!file || fputs(text, file) < 0 || fclose(file) != 0) bench_fail("can't write the handler");
}

static aard_bundle *make_bundle(const char *name, const char *code, const char *manifest)
{
    static const char manifest_name[] = "aardvark.manifest.json";
    const char *tmp = getenv("TMPDIR");
    char dir[4000], zip[4100], path[4100];
    snprintf(dir, sizeof dir, "%s/%s.XXXXXX", tmp ? tmp : "/tmp", bench_name);
    if (!mkdtemp(dir)) bench_fail("can't make a temporary directory");
    snprintf(zip, sizeof zip, "%s.zip", dir);
    write_file(dir, name, code);
    write_file(dir, manifest_name, manifest);
    aard_error *error = aard_bundle_pack(dir, zip);
    aard_bundle *bundle = NULL;
    if (!error) error = aard_bundle_open(zip, NULL, &bundle);
    unlink(zip);
    snprintf(path, sizeof path, "%s/%s", dir, name);
    unlink(path);
    snprintf(path, sizeof path, "%s/%s", dir, manifest_name);
    unlink(path);
    rmdir(dir);
    bench_die(error);
    return bundle;
}

aard_bundle *bench_echo_bundle(aard_language language)
{
    if (language == AARD_LANGUAGE_PYTHON)
        return make_bundle("main.py", "def echo(x):\n    return x\n",
                           "{\"schemaVersion\": \"1.0\", \"entrypoint\": \"main:echo\"}");
    return make_bundle("main.js", "export function echo(x) {\n    return x;\n}\n",
                       "{\"schemaVersion\": \"1.0\", \"entrypoint\": \"main:echo\", "
                       "\"runtime\": {\"language\": \"javascript\"}}");
}

aard_bundle *bench_large_bundle(void)
{
    enum { CLASSES = 1000, LINES = 9, LINE = 100 };
    size_t room = (size_t)CLASSES * LINES * LINE, at = 0;
    char *code = malloc(room);
    if (!code) bench_fail("out of memory");
    at += (size_t)snprintf(code, room,
                           "class Base { constructor(a) { this.a = a; } }\nexport const echo = (x) => x;\n");
    for (int i = 0; i < CLASSES; i++) {
        at += (size_t)snprintf(code + at, room - at,
                               "export class C%d extends Base {\n    constructor(a) { super(a); this.x%d = %d; }\n", i,
                               i % 97, i);
        for (int k = 0; k < LINES - 3; k++)
            at += (size_t)snprintf(
                code + at, room - at,
                "    method%d(b) { return b > %d ? [b * this.x%d, 'text number %d', { k: %d }] : this.a; }\n", k, i * k,
                i % 97, i, k);
        at += (size_t)snprintf(code + at, room - at, "}\n");
    }
    aard_bundle *bundle = make_bundle("main.js", code,
                                      "{\"schemaVersion\": \"1.0\", \"entrypoint\": \"main:echo\", "
                                      "\"runtime\": {\"language\": \"javascript\"}}");
    free(code);
    return bundle;
}

char *bench_payload(size_t len)
{
    char *text = malloc(len + 1);
    if (!text) bench_fail("out of memory");
    memset(text, 'a', len);
    memcpy(text, "{\"x\":\"", 6);
    memcpy(text + len - 2, "\"}", 3);
    return text;
}

void bench_check_value(const aard_outcome *outcome, const char *json, size_t len)
{
    size_t got;
    const char *value = aard_outcome_value_json(outcome, &got);
    if (!value) {
        fprintf(stderr, "%s: the call failed: %s\n", bench_name, aard_outcome_failure_message(outcome));
        leave(1);
    }
    if (got != len || memcmp(value, json, len) != 0) bench_fail("the value is not what it has to be");
}

/* ---- callbacks -------------------------------------------------------------------------------------------------- */

static void answer(const aard_call_context *context, void *user, aard_invocation *invocation)
{
    (void)context, (void)user;
    if (!aard_invocation_reply(invocation, "{\"a\":1}", 7)) bench_fail("nobody waits for the answer");
    aard_invocation_free(invocation);
}

/* One that answers what is put there. */
typedef struct clerk {
    pthread_mutex_t lock;
    pthread_cond_t filled;
    aard_invocation *waiting;
} clerk;

static void *serve(void *user)
{
    clerk *c = user;
    for (;;) {
        pthread_mutex_lock(&c->lock);
        while (!c->waiting) pthread_cond_wait(&c->filled, &c->lock);
        answer(NULL, NULL, c->waiting);
        c->waiting = NULL;
        pthread_mutex_unlock(&c->lock);
    }
    return NULL;
}

static void put(const aard_call_context *context, void *user, aard_invocation *invocation)
{
    clerk *c = user;
    (void)context;
    pthread_mutex_lock(&c->lock);
    c->waiting = invocation;
    pthread_cond_signal(&c->filled);
    pthread_mutex_unlock(&c->lock);
}

void bench_add_callbacks(aard_isolate_config *config)
{
    static clerk c = {.lock = PTHREAD_MUTEX_INITIALIZER, .filled = PTHREAD_COND_INITIALIZER};
    static const char schema[] = "{\"type\":\"object\",\"properties\":{\"x\":{\"type\":\"integer\"}}}";
    pthread_t thread;
    if (pthread_create(&thread, NULL, serve, &c)) bench_fail("no thread can be started");
    pthread_detach(thread);
    bench_die(aard_isolate_config_add_callback(config, "now", NULL, schema, answer, NULL, NULL));
    bench_die(aard_isolate_config_add_callback(config, "later", NULL, schema, put, &c, NULL));
}
