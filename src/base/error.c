#include "base/error.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/process.h"
#include "base/unprintable.h"
#include "base/utf8.h"

struct aard_error {
    aard_error_code code;
    char *message; /* allocated with the error; the static one has its own */
};

static aard_error no_memory = {AARD_ERR_NO_MEMORY, (char *)"out of memory"};

static const struct {
    aard_error_code code;
    const char *name;
    aard_error_class error_class;
} codes[] = {
#define AARD_ERROR_ROW(constant, number, name, error_class) {constant, name, error_class},
    AARD_ERROR_MAP(AARD_ERROR_ROW)
#undef AARD_ERROR_ROW
};

aard_error *aard__error_no_memory(void) { return &no_memory; }

/* A message is one line of UTF-8: what came from an archive or a guest must not start a new one, nor drive a terminal. */
static void make_one_line(char *text)
{
    size_t left = strlen(text);
    while (left) {
        size_t step = aard__utf8_sequence(text, left);
        if (!step || aard__unprintable(aard__utf8_character(text, step))) memset(text, '?', step = step ? step : 1);
        text += step;
        left -= step;
    }
}

static aard_error *new_error(aard_error_code code, const char *prefix, const char *suffix, const char *format,
                             va_list args)
{
    va_list again;
    va_copy(again, args);
    int body = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (body < 0) return &no_memory;
    size_t size = strlen(prefix) + (size_t)body + strlen(suffix) + 1;
    aard_error *error = aard__malloc(sizeof *error + size);
    if (!error) return &no_memory;
    error->code = code;
    error->message = (char *)(error + 1);
    char *at = stpcpy(error->message, prefix);
    at += vsnprintf(at, (size_t)body + 1, format, args);
    strcpy(at, suffix);
    make_one_line(error->message);
    return error;
}

aard_error *aard__error(aard_error_code code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    aard_error *error = new_error(code, "", "", format, args);
    va_end(args);
    return error;
}

aard_error *aard__error_argument(const char *function, const char *what)
{
    return aard__error(AARD_ERR_INVALID_ARGUMENT, "%s: %s", function, what);
}

aard_error *aard__error_errno(aard_error_code code, int errnum, const char *format, ...)
{
    char suffix[160] = ": ";
    char text[128];
    strncat(suffix, strerror_r(errnum, text, sizeof text), sizeof suffix - 3);
    va_list args;
    va_start(args, format);
    aard_error *error = new_error(code, "", suffix, format, args);
    va_end(args);
    return error;
}

aard_error *aard__error_prefix(aard_error *error, const char *format, ...)
{
    if (error == &no_memory) return error;
    char *suffix = aard__malloc(strlen(error->message) + 3);
    if (!suffix) return error;
    stpcpy(stpcpy(suffix, ": "), error->message);
    va_list args;
    va_start(args, format);
    aard_error *longer = new_error(error->code, "", suffix, format, args);
    va_end(args);
    aard__free(suffix);
    if (longer == &no_memory) return error;
    aard_error_free(error);
    return longer;
}

aard_error_code aard_error_get_code(const aard_error *error) { return error ? error->code : (aard_error_code)0; }

aard_error_class aard_error_get_class(const aard_error *error)
{
    for (size_t i = 0; error && i < sizeof codes / sizeof codes[0]; i++)
        if (codes[i].code == error->code) return codes[i].error_class;
    return AARD_CLASS_HOST;
}

const char *aard_error_message(const aard_error *error) { return error ? error->message : NULL; }

const char *aard_error_code_name(aard_error_code code)
{
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
        if (codes[i].code == code) return codes[i].name;
    return "unknown";
}

void aard_error_free(aard_error *error)
{
    if (error != &no_memory) aard__free(error);
}

AARD__PROCESS_KEEPS(no_memory, "the error of having no memory", "no_memory");
