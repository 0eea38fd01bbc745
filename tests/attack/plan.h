/* What a guest of the attack is, made by two numbers: the run's seed and the guest's. */
#ifndef AARD_TESTS_ATTACK_PLAN_H
#define AARD_TESTS_ATTACK_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <aardvark.h>

typedef struct plan {
    uint64_t run, number;
    aard_language language;
    bool grants_js, grants_code; /* capabilities "js", "codegen" */
    bool fresh;                  /* in an isolate of its own, even where the thread has one */
    bool keeps;                  /* the isolate is used again afterwards */
    uint64_t wall_ms, cpu_ms, grace_ms;
    size_t heap, buffers, output; /* bytes */
    aard_cleanup cleanup;
    uint32_t seed; /* of the guest's own random numbers */
} plan;

/* `kinds` as in guest.js; "" = all. */
plan plan_of(uint64_t run, uint64_t number, const char *kinds);

/* The guest's source text; free() it. */
char *plan_source(const plan *p, const char *kinds);

/* What an isolate of this plan may use of memory, in KiB, by the limits that it has and those that every isolate has. */
long plan_kib(const plan *p);

/* One line of text. */
void plan_describe(const plan *p, char *out, size_t size);

aard_error *plan_boot(const plan *p, aard_isolate **out);

#endif
