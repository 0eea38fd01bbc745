/* `aardvark`: finds the subcommand. */
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

static const cli_command assets[] = {
    {"stage", "assets stage", cli_help_stage, cli_assets_stage, NULL},
    {"verify", "assets verify", cli_help_verify, cli_assets_verify, NULL},
    {"list", "assets list", cli_help_list, cli_assets_list, NULL},
    {0},
};

static const cli_command bundle[] = {
    {"pack", "bundle pack", cli_help_pack, cli_bundle_pack, NULL},
    {"inspect", "bundle inspect", cli_help_inspect, cli_bundle_inspect, NULL},
    {0},
};

static const cli_command warm[] = {
    {"build", "warm build", cli_help_warm_build, cli_warm_build, NULL},
    {"inspect", "warm inspect", cli_help_warm_inspect, cli_warm_inspect, NULL},
    {0},
};

static const cli_command commands[] = {
    {"run", "run", cli_help_run, cli_run, NULL},
    {"exec", "exec", cli_help_exec, cli_exec, NULL},
    {"session", "session", cli_help_session, cli_session, NULL},
    {"repl", "repl", cli_help_repl, cli_repl, NULL},
    {"assets", "assets", cli_help_assets, NULL, assets},
    {"bundle", "bundle", cli_help_bundle, NULL, bundle},
    {"warm", "warm", cli_help_warm, NULL, warm},
    {"doctor", "doctor", cli_help_doctor, cli_doctor, NULL},
    {0},
};

static const cli_command top = {"aardvark", "", cli_help_top, NULL, commands};

static int dispatch(const cli_command *command, int argc, char **argv);

static int call(const cli_command *command, int argc, char **argv)
{
    return command->subcommands ? dispatch(command, argc, argv) : command->run(command, argc, argv);
}

/* Serves options that stand before the name of a subcommand: there are only --help and --version. */
static void leading_options(const cli_command *command, int argc, char **argv)
{
    static const struct option list[] = {CLI_HELP_OPTION, CLI_VERSION_OPTION, CLI_NO_MORE_OPTIONS};
    cli_options_start();
    while (cli_next_option(command, argc, argv, "hV", list) != -1) continue;
}

static int dispatch(const cli_command *command, int argc, char **argv)
{
    if (argc < 2) cli_usage(command, "a command is missing");
    const char *name = argv[1];
    if (!strcmp(name, "--list-commands")) {
        for (const cli_command *sub = command->subcommands; sub->name; sub++) puts(sub->name);
        return CLI_OK;
    }
    if (name[0] == '-') {
        char *alone[] = {argv[0], argv[1], NULL};
        leading_options(command, 2, alone);
        cli_usage(command, "unknown command '%s'", name);
    }
    if (command == &top && !strcmp(name, "help")) {
        char help[] = "--help", *ask[] = {argv[0], argc > 2 ? argv[2] : help, argc > 3 ? argv[3] : help, help, NULL};
        if (argc > 4) cli_usage(command, "help takes the name of one command");
        return dispatch(command, argc, ask);
    }
    for (const cli_command *sub = command->subcommands; sub->name; sub++)
        if (!strcmp(sub->name, name)) return call(sub, argc - 1, argv + 1);
    cli_usage(command, "unknown command '%s'", name);
}

int main(int argc, char **argv)
{
    cli_guard_streams();
    int status = dispatch(&top, argc, argv);
    cli_flush();
    return status;
}
