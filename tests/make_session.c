/* A Python guest with JavaScript for tests/pyodide: reads a line of JSON, a string of JavaScript, runs it in the guest's
 * realm, and writes "\1reply " and its value, which is JSON already.  What the guest prints goes out as it comes. */
#include <aardvark.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char before[] = "import pyodide.code, pyodide_js\n"
                             "pyodide.code.run_js('(p) => { globalThis.__pyodide = p; }')(pyodide_js)\n"
                             "None\n";
static const char each[] = "await pyodide.code.run_js(__import__('builtins').__aardvark_input)";

static void fail(aard_error *error)
{
    fprintf(stderr, "make_session: %s\n", aard_error_message(error));
    exit(4);
}

static void show(const aard_call_context *context, void *user, aard_stream stream, const char *data, size_t len)
{
    (void)context;
    (void)user, (void)stream;
    fwrite(data, 1, len, stdout);
}

static aard_outcome *run(aard_isolate *isolate, const char *code, const char *input, size_t len)
{
    aard_call *call;
    aard_outcome *outcome;
    aard_error *error = aard_call_new(&call);
    if (error) fail(error);
    if (input) aard_call_set_input_json(call, input, len);
    error = aard_isolate_exec(isolate, code, strlen(code), NULL, call, &outcome);
    if (error) fail(error);
    aard_call_free(call);
    return outcome;
}

static void answer(const aard_outcome *outcome)
{
    size_t len;
    const char *value = aard_outcome_is_success(outcome) ? aard_outcome_value_json(outcome, &len) : NULL;
    json_t *text = value ? json_loadb(value, len, JSON_DECODE_ANY, NULL) : NULL;
    if (json_is_string(text)) {
        printf("\1reply %s\n", json_string_value(text));
    } else {
        const char *message = value ? "no string" : aard_outcome_failure_message(outcome);
        json_t *list = json_pack("[i, s, s]", 1, message ? message : "", "");
        char *line = json_dumps(list, JSON_ENSURE_ASCII);
        printf("\1reply %s\n", line);
        free(line);
        json_decref(list);
    }
    json_decref(text);
    fflush(stdout);
}

/* make_session [HOST:GUEST]: shows a directory of the host to the guest. */
int main(int argc, char **argv)
{
    aard_isolate_config *config;
    aard_isolate *isolate;
    aard_error *error = aard_isolate_config_new(&config);
    if (!error) error = aard_isolate_config_add_capability(config, "js");
    if (!error) error = aard_isolate_config_add_capability(config, "codegen");
    char *colon = argc > 1 ? strchr(argv[1], ':') : NULL;
    if (colon) *colon = 0;
    if (!error && colon) error = aard_isolate_config_add_mount(config, argv[1], colon + 1, AARD_FILESYSTEM_READ);
    if (!error) error = aard_isolate_config_allow_host(config, "127.0.0.1");
    if (!error) error = aard_isolate_config_allow_host(config, "localhost");
    if (!error) error = aard_isolate_config_allow_host(config, "*.org"); /* some tests fetch from the Internet */
    if (error) fail(error);
    aard_isolate_config_set_https_only(config, false);
    aard_isolate_config_set_private_addresses(config, true);
    aard_isolate_config_set_stream_callback(config, show, NULL, NULL);
    if ((error = aard_isolate_new(config, &isolate))) fail(error);
    aard_outcome *outcome = run(isolate, before, NULL, 0);
    if (!aard_outcome_is_success(outcome)) {
        fprintf(stderr, "make_session: %s\n", aard_outcome_failure_message(outcome));
        return 1;
    }
    aard_outcome_free(outcome);
    char *line = NULL;
    size_t size = 0;
    ssize_t len;
    while ((len = getline(&line, &size, stdin)) > 0) {
        outcome = run(isolate, each, line, (size_t)len);
        answer(outcome);
        aard_outcome_free(outcome);
    }
    free(line);
    aard_isolate_free(isolate);
    aard_isolate_config_free(config);
    return 0;
}
