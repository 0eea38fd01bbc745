/* The report of `aardvark doctor`: lines for people, or an object of objects. */
#include <string.h>

#include "cli/cli.h"

void cli_report_section(cli_report *report, const char *name)
{
    if (report->json)
        printf("%s\"%s\":{", report->in_section ? "}," : "", name);
    else
        printf("%s%s\n", report->in_section ? "\n" : "", name);
    report->in_section = true;
    report->in_list = false;
}

static void put_key(cli_report *report, const char *key)
{
    if (report->json)
        printf("%s\"%s\":", report->in_list ? "," : "", key);
    else
        printf("  %-41s ", key);
    report->in_list = true;
}

void cli_report_text(cli_report *report, const char *key, const char *text)
{
    put_key(report, key);
    if (report->json && text) {
        cli_json_string(stdout, text, strlen(text));
    } else if (report->json) {
        fputs("null", stdout);
    } else {
        cli_plain_text(text ? text : "none");
        putchar('\n');
    }
}

void cli_report_number(cli_report *report, const char *key, uint64_t number)
{
    put_key(report, key);
    printf("%llu%s", (unsigned long long)number, report->json ? "" : "\n");
}

static void put_json_measure(cli_report *report, uint32_t measure, bool in_force, const char *reason)
{
    put_key(report, aard_hardening_name(measure));
    printf("{\"in_force\":%s,", in_force ? "true" : "false");
    cli_json_text("does", aard_hardening_text(measure));
    putchar(',');
    cli_json_text("reason", reason);
    putchar(',');
    cli_json_text("needs", aard_hardening_needs(measure));
    putchar('}');
}

void cli_report_measure(cli_report *report, uint32_t measure, bool in_force, const char *reason)
{
    if (report->json) {
        put_json_measure(report, measure, in_force, reason);
        return;
    }
    put_key(report, aard_hardening_name(measure));
    if (in_force)
        printf("in force: %s\n", aard_hardening_text(measure));
    else
        printf("NOT in force: %s; needs %s\n", reason, aard_hardening_needs(measure));
}
