/* aardvark assets: staging distributions, checking them, listing them. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"

static const char *variant_name(const aard_distribution *distribution)
{
    return aard_distribution_variant(distribution) == AARD_VARIANT_FULL ? "full" : "core";
}

static void put_json_distribution(const char *dir, const aard_distribution *distribution)
{
    cli_json_text("dir", dir);
    putchar(',');
    cli_json_text("variant", variant_name(distribution));
    putchar(',');
    cli_json_text("pyodide_version", aard_distribution_pyodide_version(distribution));
    putchar(',');
    cli_json_text("fingerprint", aard_distribution_fingerprint(distribution));
}

/* ---- stage ---------------------------------------------------------------------------------------------------- */

typedef struct stage {
    aard_stage_options *options;
    bool json, quiet, force, no_prepare;
} stage;

/* A setter failed: out of memory, or a value that it refuses. */
static void set(const cli_command *command, aard_error *error)
{
    if (!error) return;
    if (aard_error_get_class(error) == AARD_CLASS_USAGE) cli_usage(command, "%s", aard_error_message(error));
    exit(cli_fail(error));
}

static aard_variant parse_variant(const cli_command *command, const char *text)
{
    if (!strcmp(text, "core")) return AARD_VARIANT_CORE;
    if (!strcmp(text, "full")) return AARD_VARIANT_FULL;
    cli_usage(command, "--variant expects core or full, not '%s'", text);
}

static uint64_t lock_timeout_ms(const cli_command *command, const char *text)
{
    uint64_t seconds = cli_number(command, "--lock-timeout", text);
    if (seconds > UINT64_MAX / 1000) cli_usage(command, "--lock-timeout %s is too large", text);
    return seconds ? seconds * 1000 : 1; /* 0 is the default for the library */
}

static void take_stage_option(const cli_command *command, stage *s, int option)
{
    switch (option) {
    case CLI_OPT_STAGE_VERSION: set(command, aard_stage_options_set_version(s->options, optarg)); break;
    case CLI_OPT_VARIANT: aard_stage_options_set_variant(s->options, parse_variant(command, optarg)); break;
    case CLI_OPT_ARCHIVE: set(command, aard_stage_options_set_archive(s->options, optarg)); break;
    case CLI_OPT_WHEEL: set(command, aard_stage_options_add_wheel(s->options, optarg)); break;
    case CLI_OPT_FORCE:
        s->force = true;
        aard_stage_options_set_force(s->options, true);
        break;
    case CLI_OPT_NO_PREPARE: s->no_prepare = true; break;
    case CLI_OPT_LOCK_TIMEOUT:
        aard_stage_options_set_lock_timeout_ms(s->options, lock_timeout_ms(command, optarg));
        break;
    case CLI_OPT_JSON: s->json = true; break;
    default: s->quiet = true; break;
    }
}

static void parse_stage(const cli_command *command, int argc, char **argv, stage *s)
{
    static const struct option list[] = {
        CLI_HELP_OPTION,
        /* --version has a value here: the version of Pyodide. */
        {"version", required_argument, NULL, CLI_OPT_STAGE_VERSION},
        {"variant", required_argument, NULL, CLI_OPT_VARIANT},
        {"archive", required_argument, NULL, CLI_OPT_ARCHIVE},
        {"wheel", required_argument, NULL, CLI_OPT_WHEEL},
        {"force", no_argument, NULL, CLI_OPT_FORCE},
        {"no-prepare", no_argument, NULL, CLI_OPT_NO_PREPARE},
        {"lock-timeout", required_argument, NULL, CLI_OPT_LOCK_TIMEOUT},
        {"json", no_argument, NULL, CLI_OPT_JSON},
        {"quiet", no_argument, NULL, CLI_OPT_QUIET},
        CLI_NO_MORE_OPTIONS,
    };
    int option;
    cli_options_start();
    while ((option = cli_next_option(command, argc, argv, "hVq", list)) != -1) take_stage_option(command, s, option);
    if (optind < argc) cli_usage(command, "'%s' is an unexpected argument", argv[optind]);
}

/* Makes later starts fast.  A distribution that can't be written to is as good as any other, only slower. */
static aard_error *prepare(const stage *s, aard_distribution *distribution, cli_progress *progress)
{
    if (s->no_prepare || (!s->force && aard_distribution_is_prepared(distribution))) return NULL;
    cli_progress_show(progress, "preparing for fast starts", 0, 0);
    aard_error *error = aard_distribution_prepare(distribution, s->force);
    cli_progress_end(progress);
    if (!error || aard_error_get_code(error) != AARD_ERR_IO) return error;
    cli_message("Python will start slowly: %s", aard_error_message(error));
    aard_error_free(error);
    return NULL;
}

static void show_staged(const stage *s, const aard_distribution *distribution, bool already_there)
{
    const char *dir = aard_distribution_dir(distribution);
    if (!s->quiet)
        cli_message("%s Pyodide %s (%s)", already_there ? "already there:" : "staged",
                    aard_distribution_pyodide_version(distribution), variant_name(distribution));
    if (!s->json) {
        puts(dir);
        return;
    }
    putchar('{');
    put_json_distribution(dir, distribution);
    printf(",\"already_there\":%s}\n", already_there ? "true" : "false");
}

int cli_assets_stage(const cli_command *command, int argc, char **argv)
{
    stage s = {0};
    cli_progress progress;
    aard_distribution *distribution = NULL;
    bool already_there = false;
    int status = cli_fail(aard_stage_options_new(&s.options));
    if (status) return status;
    parse_stage(command, argc, argv, &s);
    cli_progress_start(&progress, s.quiet);
    aard_stage_options_set_progress(s.options, cli_progress_show, &progress);
    aard_error *error = aard_distribution_stage(s.options, &distribution, &already_there);
    if (!error) status = cli_set_key(distribution);
    if (!error && !status) error = prepare(&s, distribution, &progress);
    cli_progress_end(&progress);
    aard_stage_options_free(s.options);
    if (error) status = cli_fail(error);
    if (!status) show_staged(&s, distribution, already_there);
    aard_distribution_free(distribution);
    return status;
}

/* ---- verify --------------------------------------------------------------------------------------------------- */

static const char *preparation(aard_distribution *distribution)
{
    if (!aard_distribution_is_prepared(distribution))
        return "; not prepared for fast starts by this build: aardvark assets stage";
    return aard_distribution_is_prelinked(distribution) ? "" : "; not prelinked, which makes starts slower";
}

/* Compiled code can't be told from other code but by compiling again: a cache is made anew.  One that others than its owner
 * can't write, and this user can't either, is its owner's word. */
static int renew_cache(aard_distribution *distribution, const char **renewed)
{
    char path[4096];
    int len = snprintf(path, sizeof path, "%s/cache", aard_distribution_dir(distribution));
    *renewed = "";
    if (len >= (int)sizeof path || access(path, F_OK) < 0) return CLI_OK;
    *renewed = "; its cache was rebuilt";
    aard_error *error = aard_distribution_prepare(distribution, true);
    if (!error || aard_error_get_code(error) != AARD_ERR_IO) return cli_fail(error);
    cli_message("the cache is as its owner left it: it can't be checked, only rebuilt, and %s",
                aard_error_message(error));
    aard_error_free(error);
    *renewed = "";
    return CLI_OK;
}

int cli_assets_verify(const cli_command *command, int argc, char **argv)
{
    static const struct option list[] = {CLI_HELP_OPTION,
                                         CLI_VERSION_OPTION,
                                         {"keep-cache", no_argument, NULL, CLI_OPT_KEEP_CACHE},
                                         CLI_NO_MORE_OPTIONS};
    bool keep = false;
    cli_options_start();
    while (cli_next_option(command, argc, argv, "hV", list) != -1) keep = true;
    if (argc - optind > 1) cli_usage(command, "name one directory, or none for the one that is used by default");
    aard_distribution *distribution;
    int status = cli_fail(aard_distribution_open(argv[optind], &distribution)); /* NULL behind the last argument */
    if (status) return status;
    const char *renewed = "";
    status = cli_set_key(distribution);
    if (!status) status = cli_fail(aard_distribution_verify(distribution));
    if (!status && !keep) status = renew_cache(distribution, &renewed);
    if (!status)
        printf("%s: every file is as it was staged (Pyodide %s, %s, fingerprint %s%s%s)\n",
               aard_distribution_dir(distribution), aard_distribution_pyodide_version(distribution),
               variant_name(distribution), aard_distribution_fingerprint(distribution), renewed,
               preparation(distribution));
    aard_distribution_free(distribution);
    return status;
}

/* ---- list ----------------------------------------------------------------------------------------------------- */

typedef struct listing {
    bool json;
    size_t count;
} listing;

static bool put_json_row(void *user, const char *dir, const aard_distribution *distribution, const aard_error *error)
{
    listing *list = user;
    printf("%s\n{", list->count++ ? "," : "");
    if (distribution) {
        put_json_distribution(dir, distribution);
        fputs(",\"packages\":[", stdout);
        for (size_t i = 0, n = aard_distribution_package_count(distribution); i < n; i++) {
            const char *version, *name = aard_distribution_package(distribution, i, &version);
            fputs(i ? ",{" : "{", stdout);
            cli_json_text("name", name);
            putchar(',');
            cli_json_text("version", version);
            putchar('}');
        }
        fputs("],\"status\":\"ok\"}", stdout);
        return true;
    }
    cli_json_text("dir", dir);
    fputs(",\"variant\":null,\"pyodide_version\":null,\"fingerprint\":null,", stdout);
    cli_json_text("status", aard_error_code_name(aard_error_get_code(error)));
    putchar(',');
    cli_json_text("message", aard_error_message(error));
    putchar('}');
    return true;
}

/* Those that were added, by name; of all that a release has, how many. */
static void put_packages(const aard_distribution *distribution)
{
    enum { MOST = 20 };
    size_t count = distribution ? aard_distribution_package_count(distribution) : 0;
    if (!count) return;
    printf("%-8s %zu package%s", "", count, count == 1 ? "" : "s");
    for (size_t i = 0; i < count && i < MOST; i++) {
        const char *version, *name = aard_distribution_package(distribution, i, &version);
        printf("%s%s %s", i ? ", " : ": ", name, version);
    }
    puts(count > MOST ? ", ..." : "");
}

static bool put_row(void *user, const char *dir, const aard_distribution *distribution, const aard_error *error)
{
    listing *list = user;
    if (!list->count++)
        printf("%-8s %-8s %-13s %-22s %s\n", "VARIANT", "VERSION", "FINGERPRINT", "STATUS", "DIRECTORY");
    if (distribution)
        printf("%-8s %-8s %-13.12s %-22s ", variant_name(distribution), aard_distribution_pyodide_version(distribution),
               aard_distribution_fingerprint(distribution), "ok");
    else
        printf("%-8s %-8s %-13s %-22s ", "-", "-", "-", aard_error_code_name(aard_error_get_code(error)));
    cli_plain(stdout, dir, strlen(dir));
    putchar('\n');
    put_packages(distribution);
    return true;
}

static int say_none(void)
{
    char *home;
    int status = cli_fail(aard_distribution_home(&home));
    if (status) return status;
    cli_message("no distribution is staged below '%s'; 'aardvark assets stage' makes one", home);
    aard_string_free(home);
    return CLI_OK;
}

int cli_assets_list(const cli_command *command, int argc, char **argv)
{
    static const struct option options[] = {
        CLI_HELP_OPTION, CLI_VERSION_OPTION, {"json", no_argument, NULL, CLI_OPT_JSON}, CLI_NO_MORE_OPTIONS};
    listing list = {0};
    cli_options_start();
    while (cli_next_option(command, argc, argv, "hV", options) != -1) list.json = true;
    if (optind < argc) cli_usage(command, "'%s' is an unexpected argument", argv[optind]);
    if (list.json) putchar('[');
    int status = cli_fail(aard_distribution_list(NULL, list.json ? put_json_row : put_row, &list));
    if (list.json) puts(list.count ? "\n]" : "]");
    return status || list.json || list.count ? status : say_none();
}
