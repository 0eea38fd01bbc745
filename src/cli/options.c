/* Parsing options with getopt_long, and saying what was wrong with them. */
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

void cli_options_start(void)
{
    optind = 0; /* glibc: start anew */
    opterr = 0;
}

static const char *name_of(const struct option *list, int value)
{
    while (list->name && list->val != value) list++;
    return list->name;
}

static _Noreturn void show_help(const cli_command *command)
{
    for (const char *const *part = command->help; *part; part++) fputs(*part, stdout);
    cli_flush();
    exit(CLI_OK);
}

static _Noreturn void show_version(void)
{
    printf("aardvark %s (V8 %s)\n", aard_version(), aard_v8_version());
    cli_flush();
    exit(CLI_OK);
}

/* getopt gave '?' (unknown, or a value too many) or ':' (a value missing). */
static _Noreturn void refuse(const cli_command *command, int found, char **argv, const struct option *list)
{
    if (optopt && optopt < CLI_OPT_HELP)
        cli_usage(command, found == ':' ? "-%c needs a value" : "unknown option -%c", optopt);
    if (optopt) cli_usage(command, "--%s %s", name_of(list, optopt), found == ':' ? "needs a value" : "takes no value");
    const char *text = argv[optind - 1];
    cli_usage(command, "unknown or ambiguous option %.*s", (int)strcspn(text, "="), text);
}

/* For shells that complete them: each option on a line, with '=' behind those that have a value. */
static _Noreturn void list_options(const char *letters, const struct option *list)
{
    for (const struct option *option = list; option->name; option++)
        printf("--%s%s\n", option->name, option->has_arg == required_argument ? "=" : "");
    for (const char *letter = letters; *letter; letter++)
        if (*letter != ':' && *letter != '-') printf("-%c%s\n", *letter, letter[1] == ':' ? "=" : "");
    cli_flush();
    exit(CLI_OK);
}

int cli_next_option(const cli_command *command, int argc, char **argv, const char *letters, const struct option *list)
{
    if (argc == 2 && !strcmp(argv[1], "--list-options")) list_options(letters, list);
    char wanted[32];
    bool in_order = *letters == '-';
    snprintf(wanted, sizeof wanted, "%s:%s", in_order ? "-" : "", letters + in_order);
    int found = getopt_long(argc, argv, wanted, list, NULL);
    switch (found) {
    case 'h':
    case CLI_OPT_HELP: show_help(command);
    case 'V':
    case CLI_OPT_VERSION: show_version();
    case '?':
    case ':': refuse(command, found, argv, list);
    default: return found;
    }
}

const char *cli_inspect_options(const cli_command *command, int argc, char **argv, const char *what, bool *json)
{
    static const struct option list[] = {
        CLI_HELP_OPTION, CLI_VERSION_OPTION, {"json", no_argument, NULL, CLI_OPT_JSON}, CLI_NO_MORE_OPTIONS};
    *json = false;
    cli_options_start();
    while (cli_next_option(command, argc, argv, "hV", list) != -1) *json = true;
    if (argc - optind != 1) cli_usage(command, "name one %s, not %d", what, argc - optind);
    return argv[optind];
}

uint64_t cli_number(const cli_command *command, const char *option, const char *text)
{
    uint64_t number = 0;
    bool fits = *text;
    for (const char *c = text; *c && fits; c++) {
        unsigned digit = (unsigned)(*c - '0');
        fits = *c >= '0' && *c <= '9' && !__builtin_mul_overflow(number, (uint64_t)10, &number) &&
               !__builtin_add_overflow(number, (uint64_t)digit, &number);
    }
    if (!fits || !number) cli_usage(command, "%s expects a whole number of 1 or more, not '%s'", option, text);
    return number;
}
