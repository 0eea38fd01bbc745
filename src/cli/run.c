/* aardvark run: a handler of a bundle, called once. */
#include "cli/cli.h"

typedef struct run_options {
    cli_guest guest;
    const char *path, *entrypoint;
} run_options;

static void parse(const cli_command *command, int argc, char **argv, run_options *run)
{
    static const struct option list[] = {
        CLI_GUEST_OPTIONS, {"entrypoint", required_argument, NULL, CLI_OPT_ENTRYPOINT}, CLI_NO_MORE_OPTIONS};
    int option;
    cli_options_start();
    while ((option = cli_next_option(command, argc, argv, CLI_GUEST_LETTERS, list)) != -1)
        if (!cli_guest_option(command, &run->guest, option)) run->entrypoint = optarg;
    if (argc - optind != 1) cli_usage(command, "name one bundle, not %d", argc - optind);
    run->path = argv[optind];
}

static int invoke(run_options *run)
{
    aard_handler *handler;
    int status = cli_fail(aard_handler_new(run->guest.isolate, run->entrypoint, &handler));
    if (status) return status;
    aard_outcome *outcome;
    cli_guest_harden(&run->guest);
    cli_call_begins();
    status = cli_fail(aard_handler_invoke(handler, run->guest.call, &outcome));
    if (!status) {
        status = cli_guest_show(&run->guest, outcome, false);
        aard_outcome_free(outcome);
    }
    aard_handler_free(handler);
    return status;
}

static int run_bundle(run_options *run, aard_bundle *bundle)
{
    const aard_manifest *manifest = aard_bundle_manifest(bundle);
    if (!manifest && !run->entrypoint)
        return cli_fail_code(AARD_ERR_ENTRYPOINT_MISSING,
                             "'%s' has no manifest that names an entrypoint; name one with --entrypoint module:export",
                             run->path);
    if (manifest && !run->guest.has_language) run->guest.language = aard_manifest_language(manifest);
    for (size_t i = 0; manifest && i < aard_manifest_package_count(manifest); i++)
        cli_guest_wants(&run->guest, aard_manifest_package(manifest, i));
    int status = cli_guest_boot(&run->guest);
    if (!status) status = cli_fail(aard_isolate_load_bundle(run->guest.isolate, bundle));
    return status ? status : invoke(run);
}

int cli_run(const cli_command *command, int argc, char **argv)
{
    run_options run = {0};
    aard_bundle *bundle = NULL;
    int status = cli_guest_start(&run.guest);
    if (status) goto out;
    parse(command, argc, argv, &run);
    if ((status = cli_fail(aard_bundle_open(run.path, NULL, &bundle)))) goto out;
    if ((status = cli_guest_input(command, &run.guest))) goto out;
    status = run_bundle(&run, bundle);
out:
    cli_leave(status);
    cli_guest_end(&run.guest);
    aard_bundle_free(bundle);
    return status;
}
