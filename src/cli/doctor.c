/* aardvark doctor: what of isolation, limits and hardening is in force on this machine. */
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

/* ---- what there is ---------------------------------------------------------------------------------------------------- */

/* Node's library, which V8 is in. */
static void put_engine_library(cli_report *report)
{
    char line[4096], *found = NULL;
    FILE *maps = fopen("/proc/self/maps", "re");
    while (maps && !found && fgets(line, sizeof line, maps)) {
        line[strcspn(line, "\n")] = '\0';
        if (strstr(line, "/libnode.so")) found = strchr(line, '/');
    }
    if (maps) fclose(maps);
    cli_report_text(report, "engine_library", found);
}

static void put_versions(cli_report *report)
{
    cli_report_section(report, "versions");
    cli_report_text(report, "aardvark", aard_version());
    cli_report_text(report, "v8", aard_v8_version());
    put_engine_library(report);
}

/* False where there is none. */
static bool put_distribution(cli_report *report)
{
    aard_distribution *distribution;
    aard_error *error = aard_distribution_open(NULL, &distribution);
    cli_report_section(report, "distribution");
    cli_report_text(report, "directory", error ? NULL : aard_distribution_dir(distribution));
    cli_report_text(report, "error", error ? aard_error_message(error) : NULL);
    bool there = !error;
    aard_error_free(error);
    if (!there) return false;
    bool prepared = aard_distribution_is_prepared(distribution);
    cli_report_text(report, "pyodide", aard_distribution_pyodide_version(distribution));
    cli_report_text(report, "prepared", prepared ? "yes" : "no: aardvark assets stage");
    cli_report_text(report, "prelinked", prepared && aard_distribution_is_prelinked(distribution) ? "yes" : "no");
    aard_distribution_free(distribution);
    return true;
}

/* ---- guests ----------------------------------------------------------------------------------------------------------- */

static aard_error *ask(aard_isolate *isolate, bool *right)
{
    aard_outcome *outcome;
    size_t len;
    aard_error *error = aard_isolate_exec(isolate, "6 * 7", 5, NULL, NULL, &outcome);
    if (error) return error;
    const char *value = aard_outcome_value_json(outcome, &len);
    *right = aard_outcome_is_success(outcome) && len == 2 && !memcmp(value, "42", 2);
    aard_outcome_free(outcome);
    return NULL;
}

/* An isolate with a guest that has answered; `*out` may be one where it has not, too. */
static aard_error *start(aard_language language, aard_isolation isolation, aard_isolate **out, bool *right)
{
    aard_isolate_config *config;
    aard_error *error = aard_isolate_config_new(&config);
    if (error) return error;
    aard_isolate_config_set_language(config, language);
    aard_isolate_config_set_isolation(config, isolation);
    aard_isolate_config_set_resets_expected(config, false);
    error = aard_isolate_new(config, out);
    if (!error) error = ask(*out, right);
    aard_isolate_config_free(config);
    return error;
}

/* Whether a guest answers. */
static bool put_guest(cli_report *report, const char *key, aard_language language, aard_isolation isolation,
                      aard_isolate **out)
{
    bool right = false;
    aard_error *error = start(language, isolation, out, &right);
    cli_report_text(report, key, error ? aard_error_message(error) : right ? "answers" : "gives a wrong answer");
    aard_error_free(error);
    return right;
}

static bool put_guests(cli_report *report, bool python, aard_isolate **process)
{
    aard_isolate *others[3] = {NULL, NULL, NULL};
    cli_report_section(report, "isolation");
    bool all = put_guest(report, "javascript_thread", AARD_LANGUAGE_JAVASCRIPT, AARD_ISOLATION_THREAD, &others[0]);
    all &= put_guest(report, "javascript_process", AARD_LANGUAGE_JAVASCRIPT, AARD_ISOLATION_PROCESS, process);
    if (python) {
        all &= put_guest(report, "python_thread", AARD_LANGUAGE_PYTHON, AARD_ISOLATION_THREAD, &others[1]);
        all &= put_guest(report, "python_process", AARD_LANGUAGE_PYTHON, AARD_ISOLATION_PROCESS, &others[2]);
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) aard_isolate_free(others[i]);
    return all;
}

/* ---- hardening ---------------------------------------------------------------------------------------------------------- */

/* Of the child that is there, or of none. */
static bool put_hardening(cli_report *report, const aard_isolate *process)
{
    uint32_t have = aard_isolate_hardening(process);
    cli_report_section(report, "hardening");
    for (uint32_t measure = 1; measure & AARD_HARDEN_ALL; measure <<= 1) {
        int number = aard_isolate_hardening_errno(process, measure);
        bool in_force = have & measure;
        cli_report_measure(report, measure, in_force,
                           in_force  ? NULL
                           : number  ? strerror(number)
                           : process ? "not taken"
                                     : "there is no process");
    }
    return have == AARD_HARDEN_ALL;
}

/* ---- all of it ---------------------------------------------------------------------------------------------------------- */

static void list_measures(void)
{
    for (uint32_t measure = 1; measure & AARD_HARDEN_ALL; measure <<= 1) puts(aard_hardening_name(measure));
}

int cli_doctor(const cli_command *command, int argc, char **argv)
{
    static const struct option list[] = {
        CLI_HELP_OPTION, CLI_VERSION_OPTION, {"json", no_argument, NULL, CLI_OPT_JSON}, CLI_NO_MORE_OPTIONS};
    cli_report report = {.json = false};
    aard_isolate *process = NULL;
    if (argc == 2 && !strcmp(argv[1], "--list-measures")) { /* for shells that complete them */
        list_measures();
        return CLI_OK;
    }
    cli_options_start();
    while (cli_next_option(command, argc, argv, "hV", list) != -1) report.json = true;
    if (optind < argc) cli_usage(command, "'%s' is an unexpected argument", argv[optind]);
    if (report.json) putchar('{');
    put_versions(&report);
    bool python = put_distribution(&report);
    bool all = put_guests(&report, python, &process);
    all &= put_hardening(&report, process);
    cli_machine(&report);
    if (report.json)
        printf("},\"all_in_force\":%s}\n", all ? "true" : "false");
    else
        puts(all ? "\nall is in force" : "\nsomething is missing: see above");
    aard_isolate_free(process);
    return all ? CLI_OK : CLI_HOST;
}
