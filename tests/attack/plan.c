#include "plan.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MIB ((size_t)1 << 20)

/* Sebastiano Vigna's splitmix64. */
static uint64_t mix(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static bool one_in(uint64_t *state, unsigned n) { return mix(state) % n == 0; }

static uint64_t between(uint64_t *state, uint64_t least, uint64_t most)
{
    return least + mix(state) % (most - least + 1);
}

/* Whether Python has a template of one of the kinds. */
static bool for_python(const char *kinds)
{
    return !*kinds || strstr(kinds, "A5") || strstr(kinds, "A7");
}

plan plan_of(uint64_t run, uint64_t number, const char *kinds)
{
    uint64_t state = run * UINT64_C(0x9e3779b97f4a7c15) + number;
    plan p = {.run = run, .number = number};
    p.language = one_in(&state, 4) && for_python(kinds) ? AARD_LANGUAGE_PYTHON : AARD_LANGUAGE_JAVASCRIPT;
    bool python = p.language == AARD_LANGUAGE_PYTHON;
    p.grants_js = python && one_in(&state, 3);
    p.grants_code = one_in(&state, 10);
    p.fresh = one_in(&state, 2);
    p.keeps = !one_in(&state, 3);
    p.wall_ms = between(&state, 20, 300);
    if (one_in(&state, 4)) {
        p.cpu_ms = between(&state, 10, 200);
        p.wall_ms = 1000;
    }
    if (python && one_in(&state, 4)) p.grace_ms = between(&state, 1, 50);
    p.heap = between(&state, python ? 40 : 16, one_in(&state, 2) ? 64 : 256) * MIB;
    if (one_in(&state, 2)) { /* time enough to fill it, however busy the machine is */
        p.cpu_ms = between(&state, 100, 1500);
        p.wall_ms = 10000;
        p.heap = between(&state, python ? 40 : 16, 64) * MIB;
    }
    if (one_in(&state, 3)) p.buffers = between(&state, python ? 64 : 1, 256) * MIB;
    p.output = between(&state, 0, 1) * 4096;
    p.cleanup = (aard_cleanup)between(&state, AARD_CLEANUP_NONE, AARD_CLEANUP_FULL);
    p.seed = (uint32_t)mix(&state);
    return p;
}

static char *read_file(const char *path)
{
    FILE *file = fopen(path, "r");
    char *text = NULL;
    size_t len = 0;
    FILE *into = open_memstream(&text, &len);
    char chunk[4096];
    if (!file || !into) {
        perror(path);
        exit(2);
    }
    for (size_t n; (n = fread(chunk, 1, sizeof chunk, file));) fwrite(chunk, 1, n, into);
    fclose(file);
    fclose(into);
    return text;
}

char *plan_source(const plan *p, const char *kinds)
{
    bool python = p->language == AARD_LANGUAGE_PYTHON;
    char *body = read_file(python ? "tests/attack/guest.py" : "tests/attack/guest.js"), *source = NULL;
    int len = asprintf(&source, python ? "%s\nattack(%" PRIu32 ", '%s')\n" : "(%s)(%" PRIu32 ", '%s')\n", body, p->seed,
                       kinds);
    free(body);
    if (len < 0) abort();
    return source;
}

/* docs/budgets.md: the heap, buffers, ICU's as much again, and 512 MiB for parsing and compiling. */
long plan_kib(const plan *p)
{
    size_t buffers = p->buffers ? p->buffers : p->heap;
    size_t engine = p->language == AARD_LANGUAGE_PYTHON ? (p->heap > 128 * MIB ? p->heap : 128 * MIB) : p->heap;
    return (long)((p->heap + buffers + 2 * engine + 512 * MIB) / 1024);
}

void plan_describe(const plan *p, char *out, size_t size)
{
    snprintf(out, size,
             "guest %" PRIu64 "-%" PRIu64 ": %s%s%s, wall %" PRIu64 " ms, CPU %" PRIu64 " ms, grace %" PRIu64
             " ms, heap %zu MiB, buffers %zu MiB, cleanup %d",
             p->run, p->number, p->language == AARD_LANGUAGE_PYTHON ? "Python" : "JavaScript", p->grants_js ? " with js" : "",
             p->grants_code ? " with codegen" : "", p->wall_ms, p->cpu_ms, p->grace_ms, p->heap / MIB, p->buffers / MIB,
             (int)p->cleanup);
}

aard_error *plan_boot(const plan *p, aard_isolate **out)
{
    aard_isolate_config *config = NULL;
    aard_error *error = aard_isolate_config_new(&config);
    if (error) return error;
    aard_isolate_config_set_language(config, p->language);
    aard_isolate_config_set_heap_limit(config, p->heap);
    aard_isolate_config_set_buffer_limit(config, p->buffers);
    aard_isolate_config_set_output_limit(config, p->output);
    aard_isolate_config_set_grace_ms(config, p->grace_ms);
    aard_isolate_config_set_cleanup(config, p->cleanup);
    aard_isolate_config_set_wall_limit_ms(config, 20000); /* of what comes after the guest */
    if (p->grants_js) error = aard_isolate_config_add_capability(config, "js");
    if (!error && p->grants_code) error = aard_isolate_config_add_capability(config, "codegen");
    if (!error) error = aard_isolate_new(config, out);
    aard_isolate_config_free(config);
    return error;
}
