/* aardvark bundle: packing and looking inside. */
#include <string.h>
#include <sys/stat.h>

#include "cli/cli.h"

static uint64_t unpacked_bytes(const aard_bundle *bundle)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < aard_bundle_entry_count(bundle); i++) {
        size_t len;
        aard_bundle_entry(bundle, i, NULL, NULL, NULL, &len);
        sum += len;
    }
    return sum;
}

/* ---- pack ----------------------------------------------------------------------------------------------------- */

int cli_bundle_pack(const cli_command *command, int argc, char **argv)
{
    static const struct option list[] = {
        CLI_HELP_OPTION, CLI_VERSION_OPTION, {"output", required_argument, NULL, CLI_OPT_OUTPUT}, CLI_NO_MORE_OPTIONS};
    const char *output = NULL;
    cli_options_start();
    while (cli_next_option(command, argc, argv, "hVo:", list) != -1) {
        if (output) cli_usage(command, "-o may be given once");
        output = optarg;
    }
    if (argc - optind != 1) cli_usage(command, "name one directory, not %d", argc - optind);
    if (!output || !*output) cli_usage(command, "name the bundle to write with -o FILE.zip");
    int status = cli_fail(aard_bundle_pack(argv[optind], output));
    aard_bundle *bundle;
    struct stat st;
    if (!status && stat(output, &st) == 0 && !S_ISREG(st.st_mode)) { /* a FIFO, say: it can't be read back */
        cli_message("'%s' is written", output);
        return CLI_OK;
    }
    if (!status) status = cli_fail(aard_bundle_open(output, NULL, &bundle));
    if (status) return status;
    char size[32];
    printf("%s: %zu files, %s, digest %s\n", output, aard_bundle_entry_count(bundle),
           cli_size(unpacked_bytes(bundle), size), aard_bundle_digest(bundle));
    aard_bundle_free(bundle);
    return CLI_OK;
}

/* ---- inspect, as text ----------------------------------------------------------------------------------------- */

/* One line a list: "packages    a, b"; nothing for an empty one. */
static void put_list(const char *title, const aard_manifest *manifest, size_t (*count)(const aard_manifest *),
                     const char *(*item)(const aard_manifest *, size_t))
{
    size_t n = count(manifest);
    if (n) printf("%-12s", title);
    for (size_t i = 0; i < n; i++) {
        cli_plain_text(item(manifest, i));
        fputs(i + 1 < n ? ", " : "\n", stdout);
    }
}

static const char *language_name(const aard_manifest *manifest)
{
    return aard_manifest_language(manifest) == AARD_LANGUAGE_JAVASCRIPT ? "javascript" : "python";
}

static void put_manifest(const aard_manifest *manifest)
{
    char size[32];
    const char *version = aard_manifest_pyodide_version(manifest), *profile = aard_manifest_pyodide_profile(manifest);
    printf("%-12s", "entrypoint");
    cli_plain_text(aard_manifest_entrypoint(manifest));
    printf("\n%-12s%s\n", "language", language_name(manifest));
    if (version) printf("%-12s%s\n", "Pyodide", version);
    if (profile) printf("%-12s%s\n", "profile", profile);
    put_list("packages", manifest, aard_manifest_package_count, aard_manifest_package);
    put_list("preload", manifest, aard_manifest_preload_import_count, aard_manifest_preload_import);
    uint64_t cpu_ms = aard_manifest_cpu_limit_ms(manifest);
    if (cpu_ms) printf("%-12s%llu ms\n", "CPU limit", (unsigned long long)cpu_ms);
    if (aard_manifest_has_network(manifest)) {
        printf("%-12s%s\n", "network", aard_manifest_https_only(manifest) ? "HTTPS only, to" : "HTTPS and HTTP, to");
        put_list("", manifest, aard_manifest_allow_host_count, aard_manifest_allow_host);
    } else {
        printf("%-12snone\n", "network");
    }
    uint64_t quota = aard_manifest_filesystem_quota_bytes(manifest);
    bool writable = aard_manifest_filesystem_mode(manifest) == AARD_FILESYSTEM_READ_WRITE;
    printf("%-12s%s%s%s\n", "files", writable ? "read and write" : "read", quota ? ", at most " : "",
           quota ? cli_size(quota, size) : "");
    put_list("capability", manifest, aard_manifest_capability_count, aard_manifest_capability);
}

static void inspect_text(const aard_bundle *bundle)
{
    const aard_manifest *manifest = aard_bundle_manifest(bundle);
    char size[32];
    size_t count = aard_bundle_entry_count(bundle);
    printf("%-12s%s\n%-12s%zu, %s unpacked\n", "digest", aard_bundle_digest(bundle), "entries", count,
           cli_size(unpacked_bytes(bundle), size));
    if (manifest)
        put_manifest(manifest);
    else
        printf("%-12snone: --entrypoint has to name the handler\n", "manifest");
    putchar('\n');
    for (size_t i = 0; i < count; i++) {
        const char *name;
        size_t name_len, len;
        aard_bundle_entry(bundle, i, &name, &name_len, NULL, &len);
        printf("%12zu  ", len);
        cli_plain(stdout, name, name_len);
        putchar('\n');
    }
}

/* ---- inspect, as JSON ----------------------------------------------------------------------------------------- */

static void put_json_list(const char *key, const aard_manifest *manifest, size_t (*count)(const aard_manifest *),
                          const char *(*item)(const aard_manifest *, size_t))
{
    printf(",\"%s\":[", key);
    for (size_t i = 0, n = count(manifest); i < n; i++) {
        if (i) putchar(',');
        cli_json_string(stdout, item(manifest, i), strlen(item(manifest, i)));
    }
    putchar(']');
}

static void put_json_manifest(const aard_manifest *manifest)
{
    bool writable = aard_manifest_filesystem_mode(manifest) == AARD_FILESYSTEM_READ_WRITE;
    putchar('{');
    cli_json_text("entrypoint", aard_manifest_entrypoint(manifest));
    putchar(',');
    cli_json_text("language", language_name(manifest));
    putchar(',');
    cli_json_text("pyodide_version", aard_manifest_pyodide_version(manifest));
    putchar(',');
    cli_json_text("profile", aard_manifest_pyodide_profile(manifest));
    put_json_list("packages", manifest, aard_manifest_package_count, aard_manifest_package);
    put_json_list("preload_imports", manifest, aard_manifest_preload_import_count, aard_manifest_preload_import);
    printf(",\"cpu_limit_ms\":%llu,\"network\":", (unsigned long long)aard_manifest_cpu_limit_ms(manifest));
    if (aard_manifest_has_network(manifest)) {
        printf("{\"https_only\":%s", aard_manifest_https_only(manifest) ? "true" : "false");
        put_json_list("allow", manifest, aard_manifest_allow_host_count, aard_manifest_allow_host);
        putchar('}');
    } else {
        fputs("null", stdout);
    }
    printf(",\"filesystem\":{\"mode\":\"%s\",\"quota_bytes\":%llu}", writable ? "readWrite" : "read",
           (unsigned long long)aard_manifest_filesystem_quota_bytes(manifest));
    put_json_list("host_capabilities", manifest, aard_manifest_capability_count, aard_manifest_capability);
    putchar('}');
}

static void inspect_json(const aard_bundle *bundle)
{
    const aard_manifest *manifest = aard_bundle_manifest(bundle);
    putchar('{');
    cli_json_text("digest", aard_bundle_digest(bundle));
    printf(",\"unpacked_bytes\":%llu,\"manifest\":", (unsigned long long)unpacked_bytes(bundle));
    if (manifest)
        put_json_manifest(manifest);
    else
        fputs("null", stdout);
    fputs(",\"entries\":[", stdout);
    for (size_t i = 0; i < aard_bundle_entry_count(bundle); i++) {
        const char *name;
        size_t name_len, len;
        aard_bundle_entry(bundle, i, &name, &name_len, NULL, &len);
        fputs(i ? ",{\"name\":" : "{\"name\":", stdout);
        cli_json_string(stdout, name, name_len);
        printf(",\"size\":%zu}", len);
    }
    puts("]}");
}

int cli_bundle_inspect(const cli_command *command, int argc, char **argv)
{
    bool json;
    const char *path = cli_inspect_options(command, argc, argv, "bundle", &json);
    aard_bundle *bundle;
    int status = cli_fail(aard_bundle_open(path, NULL, &bundle));
    if (status) return status;
    if (json)
        inspect_json(bundle);
    else
        inspect_text(bundle);
    aard_bundle_free(bundle);
    return CLI_OK;
}
