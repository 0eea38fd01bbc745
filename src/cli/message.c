/* Messages on stderr: one line each, whatever the text they quote may hold. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/unprintable.h"
#include "cli/cli.h"

void *cli_realloc(void *memory, size_t size)
{
    void *larger = realloc(memory, size ? size : 1);
    if (larger) return larger;
    fputs("aardvark: no_memory: out of memory\n", stderr);
    exit(CLI_HOST);
}

static void make_plain(char *text)
{
    uint32_t c;
    size_t len = strlen(text);
    for (size_t i = 0, size; i < len; i += size) {
        size = cli_character(text + i, len - i, &c);
        bool bad = !size || aard__unprintable(c);
        if (!size) size = 1;
        if (bad) memset(text + i, ' ', size);
    }
}

static void say(const char *prefix, const char *format, va_list args, const char *suffix)
    __attribute__((format(printf, 2, 0), nonnull(2)));
static void say(const char *prefix, const char *format, va_list args, const char *suffix)
{
    char small[512] = "", *text = small;
    va_list again;
    va_copy(again, args);
    int len = vsnprintf(small, sizeof small, format, args);
    if (len >= (int)sizeof small) {
        text = cli_realloc(NULL, (size_t)len + 1);
        vsnprintf(text, (size_t)len + 1, format, again);
    }
    va_end(again);
    make_plain(text);
    fprintf(stderr, "aardvark: %s%s%s\n", prefix, text, suffix);
    if (text != small) free(text);
}

void cli_message(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say("", format, args, "");
    va_end(args);
}

void cli_usage(const cli_command *command, const char *format, ...)
{
    char prefix[64] = "", suffix[96];
    bool top = !command->path[0];
    if (!top) snprintf(prefix, sizeof prefix, "%s: ", command->path);
    snprintf(suffix, sizeof suffix, "; see 'aardvark%s%s --help'", top ? "" : " ", command->path);
    va_list args;
    va_start(args, format);
    say(prefix, format, args, suffix);
    va_end(args);
    exit(CLI_USAGE);
}

int cli_fail(aard_error *error)
{
    if (!error) return CLI_OK;
    int status = (int)aard_error_get_class(error);
    cli_message("%s: %s", aard_error_code_name(aard_error_get_code(error)), aard_error_message(error));
    aard_error_free(error);
    return status;
}

int cli_fail_code(aard_error_code code, const char *format, ...)
{
    char prefix[64];
    snprintf(prefix, sizeof prefix, "%s: ", aard_error_code_name(code));
    va_list args;
    va_start(args, format);
    say(prefix, format, args, "");
    va_end(args);
    switch (code) {
#define CLASS_OF(constant, number, name, error_class)                                                                  \
    case constant: return error_class;
        AARD_ERROR_MAP(CLASS_OF)
#undef CLASS_OF
    }
    return CLI_HOST;
}
