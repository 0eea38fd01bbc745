/* The `aardvark` command: what its subcommands share.  It uses the public API only.
 *
 * Usage errors end the process at once, with exit status 2; everything else is returned as the exit status. */
#ifndef AARD_CLI_CLI_H
#define AARD_CLI_CLI_H

#include <getopt.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <aardvark.h>

enum { CLI_OK = 0, CLI_GUEST_FAILED = 1, CLI_USAGE = AARD_CLASS_USAGE, CLI_HOST = AARD_CLASS_HOST };

typedef struct cli_command {
    const char *name;        /* one word */
    const char *path;        /* all words: "assets stage" */
    const char *const *help; /* the text of --help in parts, up to a NULL */
    int (*run)(const struct cli_command *command, int argc, char **argv); /* argv[0] is the name */
    const struct cli_command *subcommands; /* up to one without a name; NULL where there are none */
} cli_command;

/* ---- messages (message.c) ---- */

/* "aardvark: <message>" on stderr; control and invisible characters become spaces. */
void cli_message(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same with a pointer to the help, then exits with status 2. */
_Noreturn void cli_usage(const cli_command *command, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Tells an error of the library, frees it and gives the exit status of its class; status 0 for NULL. */
int cli_fail(aard_error *error);
/* The same for an error that the command found itself. */
int cli_fail_code(aard_error_code code, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* realloc; ends the process with status 4 when memory is out. */
void *cli_realloc(void *memory, size_t size);

/* ---- files (file.c) ---- */

typedef struct cli_text {
    char *data; /* free(); NUL-terminated, which is not counted */
    size_t len;
} cli_text;

/* Reads all of a file, or of stdin where `path` is "-"; `what` names it in messages.  Gives an exit status. */
int cli_read(const char *path, const char *what, cli_text *out);
/* Opens standard streams that are closed so that using them fails, and no other file takes their place. */
void cli_guard_streams(void);
/* Writes out what stdout still holds; ends the process with status 4 and a message where that fails. */
void cli_flush(void);

/* Ends the process once everything is written, without taking a guest to pieces that nobody needs any more.  Comes back
 * where a sanitizer wants to see it all freed. */
void cli_leave(int status);

/* ---- options (options.c) ---- */

enum {
    CLI_OPT_HELP = 256, /* above all letters: what getopt complains about is then a letter or a word */
    CLI_OPT_VERSION,
    CLI_OPT_VERBOSE,
    CLI_OPT_OUTPUT,
    CLI_OPT_QUIET,
    CLI_OPT_JSON,
    CLI_OPT_LANGUAGE,
    CLI_OPT_ENTRYPOINT,
    CLI_OPT_INPUT,
    CLI_OPT_INPUT_FILE,
    CLI_OPT_DISTRIBUTION,
    CLI_OPT_ISOLATION,
    CLI_OPT_REQUIRE_HARDENING,
    CLI_OPT_WALL_MS,
    CLI_OPT_CAPABILITY,
    CLI_OPT_FILESYSTEM,
    CLI_OPT_FILESYSTEM_QUOTA,
    CLI_OPT_MOUNT,
    CLI_OPT_WARM,
    CLI_OPT_ALLOW_HOST,
    CLI_OPT_ALLOW_HTTP,
    CLI_OPT_ALLOW_PRIVATE,
    CLI_OPT_NO_NETWORK,
    CLI_OPT_STAGE_VERSION,
    CLI_OPT_VARIANT,
    CLI_OPT_ARCHIVE,
    CLI_OPT_WHEEL,
    CLI_OPT_FORCE,
    CLI_OPT_NO_PREPARE,
    CLI_OPT_LOCK_TIMEOUT,
    CLI_OPT_KEEP_CACHE,
    CLI_OPT_CPU_MS,
    CLI_OPT_HEAP_MIB,
    CLI_OPT_ENV,
    CLI_OPT_PACKAGE,
    CLI_OPT_STDIN,
    CLI_OPT_TRACE,
    CLI_OPT_GRACE_MS
};

enum { CLI_POSITIONAL = 1 };

#define CLI_HELP_OPTION                                                                                                \
    {                                                                                                                  \
        "help", no_argument, NULL, CLI_OPT_HELP                                                                        \
    }
#define CLI_VERSION_OPTION                                                                                             \
    {                                                                                                                  \
        "version", no_argument, NULL, CLI_OPT_VERSION                                                                  \
    }
#define CLI_NO_MORE_OPTIONS                                                                                            \
    {                                                                                                                  \
        NULL, 0, NULL, 0                                                                                               \
    }

/* Forgets the parsing before; call first. */
void cli_options_start(void);
/* The next option, -1 behind the last; --help and --version are served here, bad options are usage errors.  Options may
 * stand before and after positional arguments, which are argv[optind] onwards at the end.  Where `letters` begins with '-',
 * each of them is the option CLI_POSITIONAL, and what is left at the end stands behind "--". */
int cli_next_option(const cli_command *command, int argc, char **argv, const char *letters, const struct option *list);
/* The options and the one argument of an `inspect` command, the path of the `what` that it shows. */
const char *cli_inspect_options(const cli_command *command, int argc, char **argv, const char *what, bool *json);
/* A whole number of 1 or more, in decimal digits and nothing else. */
uint64_t cli_number(const cli_command *command, const char *option, const char *text);

/* ---- guests: what run and exec share (guest.c, guest_options.c) ---- */

typedef struct cli_guest {
    aard_isolate_config *config;
    aard_call *call;
    aard_isolate *isolate;
    aard_cancel_handle *cancel; /* the process's thread for signals has it, for good; may be NULL */
    const char *distribution, *warm, *trace;
    const char *input, *input_file;
    cli_text input_text;   /* of input_file */
    const char **packages; /* of --package and the manifest; borrowed */
    size_t package_count;
    const char *stdin_file;
    cli_text stdin_text;
    aard_language language;
    aard_filesystem_mode files;
    uint64_t files_quota;
    bool has_language, json, verbose;
    double boot_ms;
    bool mid_line; /* the guest's stdout does not end with a newline */
} cli_guest;

#define CLI_GUEST_LETTERS "hVv"
/* clang-format off */
#define CLI_ISOLATE_OPTIONS                                                                                            \
    CLI_HELP_OPTION, CLI_VERSION_OPTION,                                                                               \
    {"verbose", no_argument, NULL, CLI_OPT_VERBOSE},                                                                   \
    {"json", no_argument, NULL, CLI_OPT_JSON},                                                                         \
    {"language", required_argument, NULL, CLI_OPT_LANGUAGE},                                                           \
    {"env", required_argument, NULL, CLI_OPT_ENV},                                                                     \
    {"package", required_argument, NULL, CLI_OPT_PACKAGE},                                                             \
    {"distribution", required_argument, NULL, CLI_OPT_DISTRIBUTION},                                                   \
    {"isolation", required_argument, NULL, CLI_OPT_ISOLATION},                                                         \
    {"require-hardening", required_argument, NULL, CLI_OPT_REQUIRE_HARDENING},                                         \
    {"wall-ms", required_argument, NULL, CLI_OPT_WALL_MS},                                                             \
    {"capability", required_argument, NULL, CLI_OPT_CAPABILITY},                                                       \
    {"filesystem", required_argument, NULL, CLI_OPT_FILESYSTEM},                                                       \
    {"filesystem-quota", required_argument, NULL, CLI_OPT_FILESYSTEM_QUOTA},                                           \
    {"mount", required_argument, NULL, CLI_OPT_MOUNT},                                                                 \
    {"cpu-ms", required_argument, NULL, CLI_OPT_CPU_MS},                                                               \
    {"heap-mib", required_argument, NULL, CLI_OPT_HEAP_MIB},                                                           \
    {"allow-host", required_argument, NULL, CLI_OPT_ALLOW_HOST},                                                       \
    {"allow-http", no_argument, NULL, CLI_OPT_ALLOW_HTTP},                                                             \
    {"allow-private-addresses", no_argument, NULL, CLI_OPT_ALLOW_PRIVATE},                                             \
    {"no-network", no_argument, NULL, CLI_OPT_NO_NETWORK},                                                            \
    {"warm", required_argument, NULL, CLI_OPT_WARM},                                                                   \
    {"trace", required_argument, NULL, CLI_OPT_TRACE}
/* And those for one call. */
#define CLI_GUEST_OPTIONS                                                                                              \
    CLI_ISOLATE_OPTIONS,                                                                                               \
    {"input", required_argument, NULL, CLI_OPT_INPUT},                                                                 \
    {"input-file", required_argument, NULL, CLI_OPT_INPUT_FILE},                                                       \
    {"stdin", required_argument, NULL, CLI_OPT_STDIN}
/* Those for sessions. */
#define CLI_SESSION_OPTIONS CLI_ISOLATE_OPTIONS, {"grace-ms", required_argument, NULL, CLI_OPT_GRACE_MS}
/* clang-format on */

enum { CLI_GRACE_MS = 1000 }; /* that steps of sessions have, unless told otherwise */

int cli_guest_start(cli_guest *guest); /* defaults; an exit status */
void cli_guest_end(cli_guest *guest);
/* Takes one of the options above; false where it is none of them. */
bool cli_guest_option(const cli_command *command, cli_guest *guest, int option);
/* Reads --input-file and --stdin, opens --trace; an exit status. */
int cli_guest_input(const cli_command *command, cli_guest *guest);
/* One more package that the distribution has to have; `name` is borrowed. */
void cli_guest_wants(cli_guest *guest, const char *name);
/* Completes the configuration: distribution and warm state; an exit status. */
int cli_guest_configure(cli_guest *guest);
/* The same, and makes the isolate, whose output is passed on; and the same for one call, which SIGINT cancels. */
int cli_guest_make(cli_guest *guest);
int cli_guest_boot(cli_guest *guest);
/* Behind that and all that opens files, before the guest's code runs: hardens this process, which the guest is in. */
void cli_guest_harden(cli_guest *guest);
/* From now on SIGINT has a call to cancel (interrupt.c). */
void cli_call_begins(void);
/* Has the first SIGINT cancel the call, or end the command before that has begun; an exit status. */
int cli_cancel_on_interrupt(cli_guest *guest);
/* Shows an outcome as the options want it; an exit status.  `quiet_null`: a null is not worth a line. */
int cli_guest_show(cli_guest *guest, const aard_outcome *outcome, bool quiet_null);

/* ---- traces (trace.c) ---- */

/* Before any other use of the library; an exit status. */
int cli_trace_start(void);
/* From now on events go into the file; an exit status. */
int cli_trace_open(const char *name);
/* The end of the file, if there is one; an exit status. */
int cli_trace_end(void);

/* ---- the host's key (key.c) ---- */

bool cli_has_key(void);
/* Has the distribution signed and checked by the key that AARDVARK_KEY_FILE names, if any; an exit status. */
int cli_set_key(aard_distribution *distribution);

/* ---- showing (show.c) ---- */

/* Writes JSON text with line breaks and indentation, keeping what fits on a line together. */
void cli_pretty(FILE *file, const char *json, size_t len);
/* The diagnostics of an outcome for people. */
void cli_summary(FILE *file, const aard_outcome *outcome, double boot_ms);
/* Writes text as a JSON string; bytes that are not UTF-8 become U+FFFD. */
void cli_json_string(FILE *file, const char *text, size_t len);
/* A member of an object to stdout, with a text that ends with NUL; NULL is null. */
void cli_json_text(const char *key, const char *text);
/* Writes text for a terminal or a table: control and invisible characters become '?'. */
void cli_plain(FILE *file, const char *text, size_t len);
void cli_plain_text(const char *text); /* to stdout */
/* Writes text of several lines: such characters but line ends and tabs become their numbers. */
void cli_lines(FILE *file, const char *text, size_t len);
/* Writes JSON text for a terminal: such characters are escaped, as JSON does. */
void cli_json(FILE *file, const char *json, size_t len);
/* The character at `text` and its size; U+FFFD and 0 where that is not UTF-8. */
size_t cli_character(const char *text, size_t len, uint32_t *out);
/* "1.5 MiB" into `out`, which is returned. */
const char *cli_size(uint64_t bytes, char out[32]);

/* ---- what `doctor` tells (doctor.c, report.c, machine.c) ---- */

typedef struct cli_report {
    bool json, in_section, in_list;
} cli_report;

void cli_report_section(cli_report *report, const char *name);
void cli_report_text(cli_report *report, const char *key, const char *text); /* NULL = there is none */
void cli_report_number(cli_report *report, const char *key, uint64_t number);
void cli_report_measure(cli_report *report, uint32_t measure, bool in_force, const char *reason);
/* The sections of the machine and of the limits on this process. */
void cli_machine(cli_report *report);

/* ---- progress of staging (progress.c) ---- */

typedef struct cli_progress {
    bool quiet, terminal;
    char step[64];
    int drawn; /* columns of the bar that stands on the line */
    uint64_t last_ms;
} cli_progress;

void cli_progress_start(cli_progress *progress, bool quiet);
void cli_progress_show(void *progress, const char *step, uint64_t done, uint64_t total); /* an aard_stage_progress */
void cli_progress_end(cli_progress *progress);

/* ---- the commands ---- */

int cli_run(const cli_command *command, int argc, char **argv);
int cli_exec(const cli_command *command, int argc, char **argv);
int cli_repl(const cli_command *command, int argc, char **argv);
int cli_session(const cli_command *command, int argc, char **argv);
int cli_assets_stage(const cli_command *command, int argc, char **argv);
int cli_assets_verify(const cli_command *command, int argc, char **argv);
int cli_assets_list(const cli_command *command, int argc, char **argv);
int cli_bundle_pack(const cli_command *command, int argc, char **argv);
int cli_bundle_inspect(const cli_command *command, int argc, char **argv);
int cli_warm_build(const cli_command *command, int argc, char **argv);
int cli_warm_inspect(const cli_command *command, int argc, char **argv);
int cli_doctor(const cli_command *command, int argc, char **argv);

extern const char *const cli_help_top[], *const cli_help_run[], *const cli_help_exec[], *const cli_help_session[], *const cli_help_repl[];
extern const char *const cli_help_assets[], *const cli_help_stage[], *const cli_help_verify[], *const cli_help_list[];
extern const char *const cli_help_bundle[], *const cli_help_pack[], *const cli_help_inspect[];
extern const char *const cli_help_warm[], *const cli_help_warm_build[], *const cli_help_warm_inspect[];
extern const char *const cli_help_doctor[];

#endif
