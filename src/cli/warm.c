/* aardvark warm: making warm states of bundles, and looking at them. */
#include <string.h>

#include "cli/cli.h"

/* ---- build ---------------------------------------------------------------------------------------------------- */

typedef struct build {
    cli_guest guest;
    const char *path, *output;
} build;

static void parse_build(const cli_command *command, int argc, char **argv, build *b)
{
    static const struct option list[] = {CLI_HELP_OPTION,
                                         CLI_VERSION_OPTION,
                                         {"output", required_argument, NULL, CLI_OPT_OUTPUT},
                                         {"distribution", required_argument, NULL, CLI_OPT_DISTRIBUTION},
                                         {"wall-ms", required_argument, NULL, CLI_OPT_WALL_MS},
                                         {"capability", required_argument, NULL, CLI_OPT_CAPABILITY},
                                         CLI_NO_MORE_OPTIONS};
    int option;
    cli_options_start();
    while ((option = cli_next_option(command, argc, argv, "hVo:", list)) != -1) {
        if (cli_guest_option(command, &b->guest, option)) continue;
        if (b->output) cli_usage(command, "-o may be given once");
        b->output = optarg;
    }
    if (argc - optind != 1) cli_usage(command, "name one bundle, not %d", argc - optind);
    if (!b->output || !*b->output) cli_usage(command, "name the file to write with -o FILE");
    b->path = argv[optind];
}

static int build_state(build *b, aard_bundle *bundle)
{
    aard_warm_state *state = NULL;
    char size[32];
    const aard_manifest *manifest = aard_bundle_manifest(bundle);
    for (size_t i = 0; manifest && i < aard_manifest_package_count(manifest); i++)
        cli_guest_wants(&b->guest, aard_manifest_package(manifest, i));
    int status = cli_guest_boot(&b->guest);
    if (!status) status = cli_fail(aard_isolate_load_bundle(b->guest.isolate, bundle));
    if (!status) status = cli_fail(aard_warm_state_capture(b->guest.isolate, &state));
    if (!status) status = cli_fail(aard_warm_state_write(state, b->output));
    if (!status)
        printf("%s: %s of memory, %zu packages, bundle %.12s, fingerprint %s\n", b->output,
               cli_size(aard_warm_state_memory_bytes(state), size), aard_warm_state_package_count(state),
               aard_warm_state_bundle_digest(state), aard_warm_state_fingerprint(state));
    aard_warm_state_free(state);
    return status;
}

int cli_warm_build(const cli_command *command, int argc, char **argv)
{
    build b = {0};
    aard_bundle *bundle = NULL;
    int status = cli_guest_start(&b.guest);
    if (status) goto out;
    parse_build(command, argc, argv, &b);
    if ((status = cli_fail(aard_bundle_open(b.path, NULL, &bundle)))) goto out;
    const aard_manifest *manifest = aard_bundle_manifest(bundle);
    if (manifest && aard_manifest_language(manifest) != AARD_LANGUAGE_PYTHON)
        status = cli_fail_code(AARD_ERR_MANIFEST_LANGUAGE,
                               "'%s' is JavaScript, which needs no warm state; only Python has them", b.path);
    else
        status = build_state(&b, bundle);
out:
    cli_guest_end(&b.guest);
    aard_bundle_free(bundle);
    return status;
}

/* ---- inspect -------------------------------------------------------------------------------------------------- */

static void put_text_list(const char *title, const aard_warm_state *state, size_t (*count)(const aard_warm_state *),
                          const char *(*item)(const aard_warm_state *, size_t))
{
    size_t n = count(state);
    if (n) printf("%-14s", title);
    for (size_t i = 0; i < n; i++) {
        cli_plain(stdout, item(state, i), strlen(item(state, i)));
        fputs(i + 1 < n ? ", " : "\n", stdout);
    }
}

static void inspect_text(const aard_warm_state *state)
{
    char memory[32], file[32];
    const char *bundle = aard_warm_state_bundle_digest(state);
    printf("%-14s%s\n", "fingerprint", aard_warm_state_fingerprint(state));
    printf("%-14s%s (Pyodide %s)\n", "distribution", aard_warm_state_distribution_fingerprint(state),
           aard_warm_state_pyodide_version(state));
    printf("%-14s%s\n", "bundle", bundle ? bundle : "none");
    put_text_list("packages", state, aard_warm_state_package_count, aard_warm_state_package);
    put_text_list("preload", state, aard_warm_state_preload_import_count, aard_warm_state_preload_import);
    printf("%-14s%s\n", "overlay", aard_warm_state_overlay_preloaded(state) ? "preloaded" : "none");
    printf("%-14s%s\n", "signed", aard_warm_state_is_signed(state) ? "yes (by whom, only its key tells)" : "no");
    printf("%-14s%s\n%-14s%s\n", "memory", cli_size(aard_warm_state_memory_bytes(state), memory), "file",
           cli_size(aard_warm_state_file_bytes(state), file));
}

static void put_json_list(const char *key, const aard_warm_state *state, size_t (*count)(const aard_warm_state *),
                          const char *(*item)(const aard_warm_state *, size_t))
{
    printf("\"%s\":[", key);
    for (size_t i = 0, n = count(state); i < n; i++) {
        if (i) putchar(',');
        cli_json_string(stdout, item(state, i), strlen(item(state, i)));
    }
    fputs("],", stdout);
}

static void inspect_json(const aard_warm_state *state)
{
    putchar('{');
    cli_json_text("fingerprint", aard_warm_state_fingerprint(state));
    putchar(',');
    cli_json_text("distribution_fingerprint", aard_warm_state_distribution_fingerprint(state));
    putchar(',');
    cli_json_text("pyodide_version", aard_warm_state_pyodide_version(state));
    putchar(',');
    cli_json_text("bundle_digest", aard_warm_state_bundle_digest(state));
    putchar(',');
    put_json_list("packages", state, aard_warm_state_package_count, aard_warm_state_package);
    put_json_list("preload_imports", state, aard_warm_state_preload_import_count, aard_warm_state_preload_import);
    printf("\"overlay_preloaded\":%s,\"signed\":%s,\"memory_bytes\":%llu,\"file_bytes\":%llu}\n",
           aard_warm_state_overlay_preloaded(state) ? "true" : "false",
           aard_warm_state_is_signed(state) ? "true" : "false", (unsigned long long)aard_warm_state_memory_bytes(state),
           (unsigned long long)aard_warm_state_file_bytes(state));
}

int cli_warm_inspect(const cli_command *command, int argc, char **argv)
{
    bool json;
    const char *path = cli_inspect_options(command, argc, argv, "warm state", &json);
    aard_warm_state *state;
    int status = cli_fail(aard_warm_state_open(path, NULL, &state));
    if (status) return status;
    if (json)
        inspect_json(state);
    else
        inspect_text(state);
    aard_warm_state_free(state);
    return CLI_OK;
}
