/* The options that run and exec share, and the call's input. */
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

int cli_guest_start(cli_guest *guest)
{
    *guest = (cli_guest){.files = AARD_FILESYSTEM_READ_WRITE};
    int status = cli_trace_start();
    if (!status) status = cli_fail(aard_isolate_config_new(&guest->config));
    return status ? status : cli_fail(aard_call_new(&guest->call));
}

void cli_guest_end(cli_guest *guest)
{
    cli_trace_end();
    aard_isolate_free(guest->isolate);
    aard_call_free(guest->call);
    aard_isolate_config_free(guest->config);
    free(guest->input_text.data);
    free(guest->stdin_text.data);
    free(guest->packages);
}

static aard_language parse_language(const cli_command *command, const char *text)
{
    if (!strcmp(text, "python")) return AARD_LANGUAGE_PYTHON;
    if (!strcmp(text, "javascript")) return AARD_LANGUAGE_JAVASCRIPT;
    cli_usage(command, "--language expects python or javascript, not '%s'", text);
}

static aard_isolation parse_isolation(const cli_command *command, const char *text)
{
    if (!strcmp(text, "thread")) return AARD_ISOLATION_THREAD;
    if (!strcmp(text, "process")) return AARD_ISOLATION_PROCESS;
    cli_usage(command, "--isolation expects thread or process, not '%s'", text);
}

/* Names of measures with commas between them, or all. */
static void require_hardening(const cli_command *command, cli_guest *guest, const char *text)
{
    uint32_t measures = aard_isolate_config_required_hardening(guest->config);
    for (const char *at = text;; at++) {
        size_t len = strcspn(at, ",");
        char name[64] = "";
        if (len < sizeof name) memcpy(name, at, len);
        uint32_t measure = strcmp(name, "all") ? aard_hardening_by_name(name) : AARD_HARDEN_ALL;
        if (!measure)
            cli_usage(command, "--require-hardening expects all, or measures that 'aardvark doctor' lists, not '%.*s'",
                      (int)len, at);
        measures |= measure;
        at += len;
        if (!*at) break;
    }
    aard_isolate_config_set_required_hardening(guest->config, measures);
}

static aard_filesystem_mode parse_mode(const cli_command *command, const char *text)
{
    if (!strcmp(text, "read")) return AARD_FILESYSTEM_READ;
    if (!strcmp(text, "readWrite")) return AARD_FILESYSTEM_READ_WRITE;
    cli_usage(command, "--filesystem expects read or readWrite, not '%s'", text);
}

/* HOST:GUEST or HOST:GUEST:rw; HOST may have colons. */
static void add_mount(const cli_command *command, cli_guest *guest, char *text)
{
    size_t len = strlen(text);
    bool writable = len > 3 && !strcmp(text + len - 3, ":rw");
    if (writable) text[len - 3] = '\0';
    char *colon = strrchr(text, ':');
    if (!colon || colon == text || colon[1] != '/')
        cli_usage(command, "--mount expects HOST:GUEST or HOST:GUEST:rw, with an absolute GUEST, not '%s'", text);
    *colon = '\0';
    aard_error *error = aard_isolate_config_add_mount(guest->config, text, colon + 1,
                                                      writable ? AARD_FILESYSTEM_READ_WRITE : AARD_FILESYSTEM_READ);
    if (!error) return;
    if (aard_error_get_class(error) == AARD_CLASS_USAGE) cli_usage(command, "--mount: %s", aard_error_message(error));
    exit(cli_fail(error));
}

/* Ends the process where the library did not take the option's value. */
static void taken(const cli_command *command, const char *option, aard_error *error)
{
    if (!error) return;
    if (aard_error_get_class(error) == AARD_CLASS_USAGE)
        cli_usage(command, "%s: %s", option, aard_error_message(error));
    exit(cli_fail(error));
}

static void set_heap(const cli_command *command, cli_guest *guest, const char *text)
{
    uint64_t mib = cli_number(command, "--heap-mib", text);
    if (mib > SIZE_MAX >> 20) cli_usage(command, "--heap-mib %s is too large", text);
    aard_isolate_config_set_heap_limit(guest->config, (size_t)mib << 20);
}

static void set_env(const cli_command *command, cli_guest *guest, char *text)
{
    char *equals = strchr(text, '=');
    if (!equals) cli_usage(command, "--env expects NAME=VALUE, not '%s'", text);
    *equals = '\0';
    taken(command, "--env", aard_isolate_config_set_env(guest->config, text, equals + 1));
}

void cli_guest_wants(cli_guest *guest, const char *name)
{
    guest->packages = cli_realloc(guest->packages, (guest->package_count + 1) * sizeof *guest->packages);
    guest->packages[guest->package_count++] = name;
}

static bool is_stdin(const char *path) { return path && !strcmp(path, "-"); }

static void set_input(const cli_command *command, cli_guest *guest, int option)
{
    if (option == CLI_OPT_INPUT) {
        taken(command, "--input is not JSON", aard_json_check(optarg, strlen(optarg)));
        guest->input = optarg;
    } else if (option == CLI_OPT_INPUT_FILE) {
        guest->input_file = optarg;
    } else {
        guest->stdin_file = optarg;
    }
    if (guest->input && guest->input_file) cli_usage(command, "--input and --input-file exclude each other");
    if (is_stdin(guest->input_file) && is_stdin(guest->stdin_file))
        cli_usage(command, "--input-file and --stdin can't both be stdin");
}

static void set_files(const cli_command *command, cli_guest *guest, int option)
{
    if (option == CLI_OPT_FILESYSTEM)
        guest->files = parse_mode(command, optarg);
    else
        guest->files_quota = cli_number(command, "--filesystem-quota", optarg);
    aard_isolate_config_set_filesystem(guest->config, guest->files, guest->files_quota, 0, 0);
}

bool cli_guest_option(const cli_command *command, cli_guest *guest, int option)
{
    switch (option) {
    case 'v':
    case CLI_OPT_VERBOSE: guest->verbose = true; return true;
    case CLI_OPT_JSON: guest->json = true; return true;
    case CLI_OPT_LANGUAGE:
        guest->language = parse_language(command, optarg);
        guest->has_language = true;
        return true;
    case CLI_OPT_INPUT:
    case CLI_OPT_INPUT_FILE:
    case CLI_OPT_STDIN: set_input(command, guest, option); return true;
    case CLI_OPT_PACKAGE:
        taken(command, "--package", aard_isolate_config_add_package(guest->config, optarg));
        cli_guest_wants(guest, optarg);
        return true;
    case CLI_OPT_ENV: set_env(command, guest, optarg); return true;
    case CLI_OPT_WARM: guest->warm = optarg; return true;
    case CLI_OPT_TRACE: guest->trace = optarg; return true;
    case CLI_OPT_DISTRIBUTION: guest->distribution = optarg; return true;
    case CLI_OPT_ISOLATION:
        aard_isolate_config_set_isolation(guest->config, parse_isolation(command, optarg));
        return true;
    case CLI_OPT_REQUIRE_HARDENING: require_hardening(command, guest, optarg); return true;
    case CLI_OPT_WALL_MS:
        aard_isolate_config_set_wall_limit_ms(guest->config, cli_number(command, "--wall-ms", optarg));
        return true;
    case CLI_OPT_GRACE_MS:
        aard_isolate_config_set_grace_ms(guest->config, cli_number(command, "--grace-ms", optarg));
        return true;
    case CLI_OPT_CPU_MS:
        aard_isolate_config_set_cpu_limit_ms(guest->config, cli_number(command, "--cpu-ms", optarg));
        return true;
    case CLI_OPT_HEAP_MIB: set_heap(command, guest, optarg); return true;
    case CLI_OPT_CAPABILITY:
        taken(command, "--capability", aard_isolate_config_add_capability(guest->config, optarg));
        return true;
    case CLI_OPT_MOUNT: add_mount(command, guest, optarg); return true;
    case CLI_OPT_FILESYSTEM:
    case CLI_OPT_FILESYSTEM_QUOTA: set_files(command, guest, option); return true;
    case CLI_OPT_ALLOW_HOST:
        taken(command, "--allow-host", aard_isolate_config_allow_host(guest->config, optarg));
        return true;
    case CLI_OPT_ALLOW_HTTP: aard_isolate_config_set_https_only(guest->config, false); return true;
    case CLI_OPT_ALLOW_PRIVATE: aard_isolate_config_set_private_addresses(guest->config, true); return true;
    case CLI_OPT_NO_NETWORK: aard_isolate_config_set_network(guest->config, false); return true;
    default: return false;
    }
}

static void check_input_file(const cli_command *command, const cli_guest *guest)
{
    char option[4200];
    snprintf(option, sizeof option, "--input-file '%s' is not JSON",
             is_stdin(guest->input_file) ? "stdin" : guest->input_file);
    taken(command, option, aard_json_check(guest->input_text.data, guest->input_text.len));
}

int cli_guest_input(const cli_command *command, cli_guest *guest)
{
    int status = guest->trace ? cli_trace_open(guest->trace) : CLI_OK;
    if (status) return status;
    if (guest->input) aard_call_set_input_json(guest->call, guest->input, strlen(guest->input));
    if (guest->input_file) {
        if ((status = cli_read(guest->input_file, "the input", &guest->input_text))) return status;
        check_input_file(command, guest);
        aard_call_set_input_json(guest->call, guest->input_text.data, guest->input_text.len);
    }
    if (!guest->stdin_file || (status = cli_read(guest->stdin_file, "the guest's stdin", &guest->stdin_text)))
        return status;
    aard_call_set_stdin(guest->call, guest->stdin_text.data, guest->stdin_text.len);
    return CLI_OK;
}
