/* Booting a guest, passing on what it writes, and showing what came of the call. */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/cli.h"

static void pass_on(const aard_call_context *context, void *user, aard_stream stream, const char *data, size_t len)
{
    (void)context;
    cli_guest *guest = user;
    if (!len) return;
    if (stream == AARD_STREAM_STDERR) {
        fwrite(data, 1, len, stderr);
        return;
    }
    fwrite(data, 1, len, stdout);
    guest->mid_line = data[len - 1] != '\n';
    cli_flush();
}

static double now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* The distribution and the warm state that the options name. */
static int set_python(cli_guest *guest)
{
    aard_distribution *distribution = NULL;
    aard_warm_state *warm = NULL;
    bool by_packages = !guest->distribution && !guest->warm && guest->package_count;
    if (!guest->distribution && !guest->warm && !by_packages && !cli_has_key()) return CLI_OK;
    int status = cli_fail(by_packages ? aard_distribution_find(guest->packages, guest->package_count, &distribution)
                                      : aard_distribution_open(guest->distribution, &distribution));
    if (!status) status = cli_set_key(distribution);
    if (!status && guest->warm) status = cli_fail(aard_warm_state_open(guest->warm, distribution, &warm));
    if (!status) {
        aard_isolate_config_set_distribution(guest->config, distribution);
        aard_isolate_config_set_warm_state(guest->config, warm);
    }
    aard_warm_state_free(warm);
    aard_distribution_free(distribution);
    return status;
}

int cli_guest_boot(cli_guest *guest)
{
    aard_isolate_config_set_resets_expected(guest->config, false); /* it serves one call */
    int status = cli_cancel_on_interrupt(guest);
    return status ? status : cli_guest_make(guest);
}

int cli_guest_make(cli_guest *guest)
{
    double start = now_ms();
    if (!guest->json) aard_isolate_config_set_stream_callback(guest->config, pass_on, guest, NULL);
    int status = cli_guest_configure(guest);
    if (!status) status = cli_fail(aard_isolate_new(guest->config, &guest->isolate));
    guest->boot_ms = now_ms() - start;
    return status;
}

int cli_guest_configure(cli_guest *guest)
{
    aard_isolate_config_set_language(guest->config, guest->language);
    if (guest->warm && guest->language != AARD_LANGUAGE_PYTHON)
        return cli_fail_code(AARD_ERR_WARM_MISMATCH,
                             "the warm state '%s' does not fit: it is Python's, and the code is "
                             "JavaScript; leave --warm out",
                             guest->warm);
    return guest->language == AARD_LANGUAGE_PYTHON ? set_python(guest) : CLI_OK;
}

/* With mounts or hosts that the guest may reach the command opens files and sockets for it. */
static void show_hardening(const cli_guest *guest, double ms)
{
    char names[256] = "";
    uint32_t have = aard_isolate_hardening(guest->isolate);
    for (uint32_t measure = 1; measure & AARD_HARDEN_ALL; measure <<= 1) {
        size_t len = strlen(names);
        if (have & measure)
            snprintf(names + len, sizeof names - len, "%s%s", len ? ", " : "", aard_hardening_name(measure));
    }
    cli_message("this process is hardened (%.2f ms): %s", ms, *names ? names : "no measure can be had");
}

/* A sanitizer looks at the process's memory at its end. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { CAN_HARDEN = 0 };
#else
enum { CAN_HARDEN = 1 };
#endif

void cli_guest_harden(cli_guest *guest)
{
    if (!CAN_HARDEN || aard_isolate_config_isolation(guest->config) == AARD_ISOLATION_PROCESS) return;
    double start = now_ms();
    aard_error *error = aard_isolate_harden_process(guest->isolate);
    double ms = now_ms() - start;
    if (error)
        cli_fail(error);
    else if (guest->verbose)
        show_hardening(guest, ms);
}

static int show_json(const aard_outcome *outcome)
{
    char *json;
    size_t len;
    int status = cli_fail(aard_outcome_json(outcome, &json, &len));
    if (status) return status;
    if (isatty(STDOUT_FILENO))
        cli_json(stdout, json, len);
    else
        fwrite(json, 1, len, stdout);
    putchar('\n');
    aard_string_free(json);
    return CLI_OK;
}

static void show_buffers(const aard_outcome *outcome)
{
    for (size_t i = 0; i < aard_outcome_buffer_count(outcome); i++) {
        const char *id;
        size_t len;
        aard_outcome_buffer(outcome, i, &id, NULL, &len, NULL);
        cli_message("buffer '%s' of %zu bytes came back beside the value; --json shows its content", id, len);
    }
}

static void show_value(const aard_outcome *outcome, bool quiet_null)
{
    size_t len, repr_len;
    const char *value = aard_outcome_value_json(outcome, &len);
    const char *repr = aard_outcome_value_repr(outcome, &repr_len);
    if (repr)
        cli_lines(stdout, repr, repr_len);
    else if (quiet_null && len == 4 && !memcmp(value, "null", 4))
        return;
    else if (isatty(STDOUT_FILENO))
        cli_pretty(stdout, value, len);
    else
        fwrite(value, 1, len, stdout);
    putchar('\n');
}

static void show_failure(const aard_outcome *outcome)
{
    size_t len;
    const char *traceback = aard_outcome_exception_traceback(outcome, &len);
    bool ended_itself = aard_outcome_exit_code(outcome, NULL);
    if (traceback && len && !ended_itself) {
        cli_lines(stderr, traceback, len);
        if (traceback[len - 1] != '\n') fputc('\n', stderr);
    }
    cli_message("%s: %s", aard_failure_kind_name(aard_outcome_failure_kind(outcome)),
                aard_outcome_failure_message(outcome));
}

int cli_guest_show(cli_guest *guest, const aard_outcome *outcome, bool quiet_null)
{
    bool success = aard_outcome_is_success(outcome);
    int status = success ? CLI_OK : CLI_GUEST_FAILED;
    if (guest->json) {
        int failed = show_json(outcome);
        if (failed) status = failed;
    } else {
        if (guest->mid_line) putchar('\n'); /* the value has a line of its own */
        if (success) show_value(outcome, quiet_null);
    }
    cli_flush();
    if (!guest->json && success) show_buffers(outcome);
    if (!guest->json && !success) show_failure(outcome);
    if (guest->verbose) cli_summary(stderr, outcome, guest->boot_ms);
    return status;
}
