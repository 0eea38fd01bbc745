#include "neighbour.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <aardvark.h>

#include "zip_builder.h"

enum { PERIOD_MS = 10, WORK_EVERY = 4, RENEW_EVERY = 150 };

typedef struct life {
    neighbour *of;
    aard_bundle *bundle;
    aard_isolate *isolate;
    aard_handler *echo, *work;
    aard_call *call;
} life;

double neighbour_clock_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

__attribute__((format(printf, 2, 3))) static _Noreturn void hurt(life *n, const char *format, ...)
{
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    n->of->hurt(text);
    abort();
}

static void must(life *n, aard_error *error, const char *what)
{
    if (error) hurt(n, "%s: %s", what, aard_error_message(error));
}

static aard_bundle *bundle_of_file(life *n)
{
    static char text[1 << 16];
    FILE *file = fopen("tests/attack/neighbour.js", "r");
    size_t len = file ? fread(text, 1, sizeof text - 1, file) : 0;
    if (!len) hurt(n, "tests/attack/neighbour.js can't be read");
    fclose(file);
    zb_zip zip = {0};
    zb_text(&zip, "main.js", text);
    zb_bytes bytes = zb_finish(&zip);
    aard_bundle *bundle = NULL;
    must(n, aard_bundle_from_bytes(bytes.data, bytes.len, NULL, &bundle), "its bundle");
    free(bytes.data);
    return bundle;
}

static void drop_isolate(life *n)
{
    n->of->doing("free");
    aard_handler_free(n->echo);
    aard_handler_free(n->work);
    aard_isolate_free(n->isolate);
    n->echo = n->work = NULL;
    n->isolate = NULL;
}

static void renew_isolate(life *n)
{
    drop_isolate(n);
    aard_isolate_config *config = NULL;
    n->of->doing("boot");
    must(n, aard_isolate_config_new(&config), "configuration");
    aard_isolate_config_set_language(config, AARD_LANGUAGE_JAVASCRIPT);
    aard_isolate_config_set_heap_limit(config, (size_t)64 << 20);
    must(n, aard_isolate_new(config, &n->isolate), "boot");
    aard_isolate_config_free(config);
    must(n, aard_isolate_load_bundle(n->isolate, n->bundle), "bundle");
    must(n, aard_handler_new(n->isolate, "main:echo", &n->echo), "handler");
    must(n, aard_handler_new(n->isolate, "main:work", &n->work), "handler");
}

static void one_call(life *n, uint64_t number)
{
    aard_outcome *outcome = NULL;
    char input[32];
    bool works = number % WORK_EVERY == 0 && n->of->works();
    snprintf(input, sizeof input, "%llu", (unsigned long long)(works ? number / WORK_EVERY : number));
    aard_call_set_input_json(n->call, input, strlen(input));
    n->of->doing(works ? "work" : "echo");
    must(n, aard_handler_invoke(works ? n->work : n->echo, n->call, &outcome), "call");
    const char *want = works ? "true" : input;
    if (!aard_outcome_is_success(outcome))
        hurt(n, "%s %s: %s", works ? "work" : "echo", input, aard_outcome_failure_message(outcome));
    if (strcmp(aard_outcome_value_json(outcome, NULL), want) != 0)
        hurt(n, "%s %s gives %.100s", works ? "work" : "echo", input, aard_outcome_value_json(outcome, NULL));
    aard_outcome_free(outcome);
}

void *neighbour_live(void *user)
{
    life n = {.of = user};
    n.bundle = bundle_of_file(&n);
    must(&n, aard_call_new(&n.call), "call");
    renew_isolate(&n);
    double due = neighbour_clock_ms();
    for (uint64_t number = 0; !atomic_load(&n.of->over); number++) {
        if (number && number % RENEW_EVERY == 0) renew_isolate(&n);
        one_call(&n, number);
        double now = neighbour_clock_ms();
        n.of->doing(NULL);
        n.of->did(now - due);
        due += PERIOD_MS;
        if (due < now) due = now; /* one that was late does not make those after it late */
        while (neighbour_clock_ms() < due) usleep(500);
    }
    drop_isolate(&n);
    aard_call_free(n.call);
    aard_bundle_free(n.bundle);
    n.of->doing(NULL);
    return NULL;
}
