#include "fork_support.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/process.h"
#include "engine/engine.h"

aard_isolate *python, *javascript;
aard_handler *echo, *js_echo;

/* ---- children ---------------------------------------------------------------------------------------------------- */

void need_at(const char *file, int line)
{
    fprintf(stderr, "process %d: %s:%d\n", getpid(), file, line);
    _exit(1);
}

pid_t start_child(void (*work)(int number), int number)
{
    pid_t child;
    assert_ok(aard__process_fork(&child));
    if (child) return child;
    alarm(100);
    work(number);
    _exit(0);
}

int end_of(pid_t child)
{
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

void expect_end(pid_t child)
{
    int status = end_of(child);
    if (WIFSIGNALED(status)) fail_msg("child %d: signal %d", child, WTERMSIG(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

void with_children(void (*work)(int number), int count)
{
    pid_t children[FORK_MOST];
    assert_true(count <= FORK_MOST);
    for (int i = 0; i < count; i++) children[i] = start_child(work, i);
    for (int i = 0; i < count; i++) expect_end(children[i]);
}

aard_outcome *run_for(aard_isolate *isolate, const char *code, uint64_t wall_ms, uint64_t cpu_ms)
{
    aard_outcome *outcome = NULL;
    aard_call *what;
    need(!aard_call_new(&what));
    if (wall_ms) aard_call_set_wall_limit_ms(what, wall_ms);
    if (cpu_ms) aard_call_set_cpu_limit_ms(what, cpu_ms);
    aard_error *error = aard_isolate_exec(isolate, code, strlen(code), NULL, what, &outcome);
    if (error) fprintf(stderr, "%s\n", aard_error_message(error));
    need(!error);
    aard_call_free(what);
    return outcome;
}

bool gives(aard_isolate *isolate, const char *code, const char *value)
{
    aard_outcome *outcome = run_for(isolate, code, 0, 0);
    const char *text = aard_outcome_value_json(outcome, NULL);
    bool same = text && !strcmp(text, value);
    if (!same) fprintf(stderr, "%s: %s\n", code, text ? text : aard_outcome_failure_message(outcome));
    aard_outcome_free(outcome);
    return same;
}

bool ends(aard_isolate *isolate, const char *code, uint64_t wall_ms, uint64_t cpu_ms, aard_failure_kind kind)
{
    aard_outcome *outcome = run_for(isolate, code, wall_ms, cpu_ms);
    bool same = aard_outcome_failure_kind(outcome) == kind;
    if (!same) fprintf(stderr, "%s: %s\n", code, aard_failure_kind_name(aard_outcome_failure_kind(outcome)));
    aard_outcome_free(outcome);
    return same;
}

bool echoes(aard_handler *handler)
{
    char input[KIB + 32];
    snprintf(input, sizeof input, "{\"text\":\"%0*d\"}", KIB, 7);
    aard_call *what;
    aard_outcome *outcome = NULL;
    need(!aard_call_new(&what));
    aard_call_set_input_json(what, input, strlen(input));
    need(!aard_handler_invoke(handler, what, &outcome));
    const char *text = aard_outcome_value_json(outcome, NULL);
    bool same = text && strstr(text, "0000007\"") && strlen(text) > KIB;
    aard_outcome_free(outcome);
    aard_call_free(what);
    return same;
}

/* sum(n): the sum of 1 to n, in a loop. */
const char make_sum[] =
    "globalThis.sum = (await WebAssembly.instantiate(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 1, 6, 1, 96, 1, "
    "127, 1, 127, 3, 2, 1, 0, 5, 3, 1, 0, 1, 7, 11, 2, 3, 115, 117, 109, 0, 0, 1, 109, 2, 0, 10, 27, 1, 25, 1, 1, "
    "127, 3, 64, 32, 1, 32, 0, 106, 33, 1, 32, 0, 65, 1, 107, 34, 0, 13, 0, 11, 32, 1, 11]))).instance.exports.sum; "
    "sum(4)";

void use_everything(int number)
{
    (void)number;
    need(aard__process_generation() > 0);
    need(echoes(echo));
    need(echoes(js_echo));
    need(gives(python, "kept = 1 + 1; kept", "2"));
    need(gives(javascript, "await new Promise((done) => setTimeout(() => done(5), 20))", "5"));
    need(gives(python, "import asyncio; await asyncio.sleep(0.01, 6)", "6"));
    need(ends(python, "while True: pass", 100, 0, AARD_FAILURE_TIMEOUT_EXCEEDED));
    need(gives(python, "'kept' in globals()", "false"));
    need(ends(javascript, "for (;;);", 0, 20, AARD_FAILURE_CPU_LIMIT_EXCEEDED));
    need(gives(python, "x = 3; x", "3"));
    need(!aard_isolate_reset(python));
    need(gives(python, "'x' in globals()", "false"));
    need(gives(javascript, make_sum, "10"));
    need(gives(javascript, "let t = 0; for (let i = 0; i < 3000; i++) t += sum(1000); t", "1501500000")); /* tiers up */
    need(!aard_isolate_reset(javascript));
    need(echoes(echo));
    need(echoes(js_echo));
}

void fill_heaps(int number)
{
    (void)number;
    need(ends(python, "b = []\nwhile True: b.append(bytearray(1 << 20))", 0, 0, AARD_FAILURE_HEAP_LIMIT_EXCEEDED));
    need(ends(javascript, "globalThis.b = []; for (;;) b.push(new Array(1e5).fill(1.5));", 0, 0,
              AARD_FAILURE_HEAP_LIMIT_EXCEEDED));
    need(echoes(echo) && echoes(js_echo));
}

/* ---- the template -------------------------------------------------------------------------------------------------- */

int make_template(void **state)
{
    (void)state;
    assert_ok(aard__engine_start_template());
    static const char *const py[][2] = {{"main.py", "import random, tempfile, uuid\n" /* with some state of theirs */
                                                    "uuid.getnode(), next(tempfile._get_candidate_names())\n"
                                                    "def echo(x):\n    return x\n"},
                                        {NULL, NULL}};
    static const char *const js[][2] = {{"main.js", "export const echo = (x) => x;\n"}, {NULL, NULL}};
    aard_isolate_config *config = config_of(AARD_LANGUAGE_PYTHON);
    aard_isolate_config_set_heap_limit(config, (size_t)256 << 20);
    aard_isolate_config_set_wall_limit_ms(config, 30000);
    python = boot(config, bundle_of(py));
    config = config_of(AARD_LANGUAGE_JAVASCRIPT);
    aard_isolate_config_set_heap_limit(config, (size_t)64 << 20);
    assert_ok(aard_isolate_config_add_capability(config, "codegen"));
    javascript = boot(config, bundle_of(js));
    assert_ok(aard_handler_new(python, "main:echo", &echo));
    assert_ok(aard_handler_new(javascript, "main:echo", &js_echo));
    return echoes(echo) && echoes(js_echo) ? 0 : -1; /* the watchdog is at work, and descriptors are open */
}

int end_template(void **state)
{
    (void)state;
    aard_handler_free(echo);
    aard_handler_free(js_echo);
    aard_isolate_free(python);
    aard_isolate_free(javascript);
    return 0;
}
