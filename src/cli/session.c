/* aardvark session: JSON-RPC 2.0 on stdin and stdout, one message a line. */
#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "cli/cli.h"

enum { READ_BYTES = 1 << 16, LOOK_MS = 100 };

typedef struct session_options {
    cli_guest guest;
    const char *path;
} session_options;

static void parse(const cli_command *command, int argc, char **argv, session_options *options)
{
    static const struct option list[] = {CLI_SESSION_OPTIONS, CLI_NO_MORE_OPTIONS};
    cli_options_start();
    aard_isolate_config_set_grace_ms(options->guest.config, CLI_GRACE_MS);
    for (int option; (option = cli_next_option(command, argc, argv, CLI_GUEST_LETTERS, list)) != -1;)
        cli_guest_option(command, &options->guest, option);
    if (argc - optind > 1) cli_usage(command, "name one bundle or none, not %d", argc - optind);
    options->path = argv[optind];
}

/* All of it at once, past stdio: a line is to be there when it is complete. */
static bool send_line(void *user, const char *line, size_t len)
{
    (void)user;
    while (len) {
        ssize_t wrote = write(STDOUT_FILENO, line, len);
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote < 0) return false;
        line += wrote;
        len -= (size_t)wrote;
    }
    return true;
}

static bool nobody_reads(void)
{
    struct pollfd out = {STDOUT_FILENO, 0, 0};
    return poll(&out, 1, 0) > 0 && (out.revents & (POLLERR | POLLHUP));
}

static int serve(aard_session *session)
{
    static char data[READ_BYTES];
    for (;;) {
        ssize_t got = read(STDIN_FILENO, data, sizeof data);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return cli_fail_code(AARD_ERR_IO, "stdin can't be read");
        if (!got) {
            aard_session_end_input(session);
            break;
        }
        aard_session_feed(session, data, (size_t)got);
    }
    while (!aard_session_wait(session, LOOK_MS) && !nobody_reads()) continue;
    return CLI_OK;
}

static int run(session_options *options, aard_bundle *bundle)
{
    aard_session *session;
    const aard_manifest *manifest = bundle ? aard_bundle_manifest(bundle) : NULL;
    if (manifest && !options->guest.has_language) options->guest.language = aard_manifest_language(manifest);
    for (size_t i = 0; manifest && i < aard_manifest_package_count(manifest); i++)
        cli_guest_wants(&options->guest, aard_manifest_package(manifest, i));
    int status = cli_guest_configure(&options->guest);
    if (!status) status = cli_fail(aard_session_new(options->guest.config, bundle, send_line, NULL, NULL, &session));
    if (status) return status;
    status = serve(session);
    aard_session_free(session);
    return status;
}

int cli_session(const cli_command *command, int argc, char **argv)
{
    session_options options = {0};
    aard_bundle *bundle = NULL;
    int status = cli_guest_start(&options.guest);
    if (!status) {
        parse(command, argc, argv, &options);
        if (options.path) status = cli_fail(aard_bundle_open(options.path, NULL, &bundle));
    }
    if (!status) status = cli_guest_input(command, &options.guest);
    if (!status) status = run(&options, bundle);
    cli_leave(status);
    cli_guest_end(&options.guest);
    aard_bundle_free(bundle);
    return status;
}
