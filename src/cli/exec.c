/* aardvark exec: code from the command line, a file or stdin. */
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

typedef struct exec_options {
    cli_guest guest;
    const char *code; /* of -c */
    const char *path; /* "-" for stdin */
} exec_options;

static bool ends_with(const char *text, const char *end)
{
    size_t len = strlen(text), end_len = strlen(end);
    return len > end_len && !strcmp(text + len - end_len, end);
}

static void parse(const cli_command *command, int argc, char **argv, exec_options *exec)
{
    static const struct option list[] = {CLI_GUEST_OPTIONS, CLI_NO_MORE_OPTIONS};
    int option;
    cli_options_start();
    int given = 0;
    while ((option = cli_next_option(command, argc, argv, "-" CLI_GUEST_LETTERS "c:", list)) != -1) {
        if (cli_guest_option(command, &exec->guest, option)) continue;
        if (option != CLI_POSITIONAL && exec->code) cli_usage(command, "-c may be given once");
        *(option == CLI_POSITIONAL ? &exec->path : &exec->code) = optarg;
        given++;
    }
    if (given == 0 && optind < argc) { /* `exec -- FILE`, for a file whose name looks like an option */
        exec->path = argv[optind++];
        given++;
    }
    if (given != 1)
        cli_usage(command,
                  "give one of -c CODE, a file, or - for stdin, not %d; the program's own arguments go behind --",
                  given);
    int status = cli_fail(
        aard_call_set_arguments(exec->guest.call, (const char *const *)argv + optind, (size_t)(argc - optind)));
    if (status) exit(status);
    aard_call_set_source_kind(exec->guest.call, exec->code                ? AARD_SOURCE_COMMAND
                                                : strcmp(exec->path, "-") ? AARD_SOURCE_FILE
                                                                          : AARD_SOURCE_STDIN);
    if (exec->code) return;
    if (!strcmp(exec->path, "-") && exec->guest.input_file && !strcmp(exec->guest.input_file, "-"))
        cli_usage(command, "the code and the input can't both come from stdin");
    if (!strcmp(exec->path, "-") && exec->guest.stdin_file && !strcmp(exec->guest.stdin_file, "-"))
        cli_usage(command, "the code and the guest's stdin can't both come from stdin");
    if (!exec->guest.has_language && (ends_with(exec->path, ".js") || ends_with(exec->path, ".mjs")))
        exec->guest.language = AARD_LANGUAGE_JAVASCRIPT;
}

static int run_code(exec_options *exec, const char *code, size_t len)
{
    const char *name = exec->code ? NULL : strcmp(exec->path, "-") ? exec->path : "<stdin>";
    aard_outcome *outcome;
    cli_guest_harden(&exec->guest);
    cli_call_begins();
    int status = cli_fail(aard_isolate_exec(exec->guest.isolate, code, len, name, exec->guest.call, &outcome));
    if (status) return status;
    status = cli_guest_show(&exec->guest, outcome, true);
    aard_outcome_free(outcome);
    return status;
}

int cli_exec(const cli_command *command, int argc, char **argv)
{
    exec_options exec = {0};
    cli_text file = {NULL, 0};
    int status = cli_guest_start(&exec.guest);
    if (status) goto out;
    parse(command, argc, argv, &exec);
    if (exec.path && (status = cli_read(exec.path, "the code", &file))) goto out;
    if ((status = cli_guest_input(command, &exec.guest))) goto out;
    if ((status = cli_guest_boot(&exec.guest))) goto out;
    status = exec.code ? run_code(&exec, exec.code, strlen(exec.code)) : run_code(&exec, file.data, file.len);
out:
    cli_leave(status);
    cli_guest_end(&exec.guest);
    free(file.data);
    return status;
}
