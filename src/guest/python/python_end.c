#include "guest/python/python_end.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_text(const aard__buf *buf, const char *text)
{
    return buf->len == strlen(text) && !memcmp(buf->data, text, buf->len);
}

static bool threw(const aard__guest *guest, const char *type, const char *text)
{
    return is_text(&guest->entry.thrown_type, type) && is_text(&guest->entry.thrown_text, text);
}

/* os._exit, or a signal whose default is to end a program: Emscripten throws an ExitStatus then. */
static bool find_exit(const aard__guest *guest, int *code)
{
    static const char start[] = "Program terminated with exit(";
    const aard__buf *type = &guest->entry.thrown_type, *text = &guest->entry.thrown_text;
    char digits[16];
    size_t skip = sizeof start - 1, len = text->len > skip ? text->len - skip : 0;
    if (!is_text(type, "ExitStatus") || !len || len >= sizeof digits || memcmp(text->data, start, skip)) return false;
    memcpy(digits, text->data + skip, len);
    digits[len] = '\0';
    long value = strtol(digits, NULL, 10);
    *code = value >= INT_MIN && value <= INT_MAX ? (int)value : -1;
    return true;
}

static void end_with(int code, bool inlined, aard_outcome *outcome)
{
    char text[16];
    int len = snprintf(text, sizeof text, "%d", code);
    if (code != 0 || !inlined)
        aard__outcome_fail_exception(outcome, AARD_FAILURE_PYTHON_EXCEPTION, "SystemExit", strlen("SystemExit"), text,
                                     (size_t)len, "", 0);
    outcome->has_exit_code = true;
    outcome->exit_code = code;
}

/* The C code was left in the middle of what it did: none of this guest goes on. */
aard__state aard__python_state(aard__guest *guest, bool inlined, aard_outcome *outcome)
{
    int code;
    if (guest->entry.status != AARD__THREW) return aard__guest_state(guest, outcome);
    if (find_exit(guest, &code))
        end_with(code, inlined, outcome);
    else if (threw(guest, "RangeError", "Maximum call stack size exceeded"))
        aard__outcome_fail(
            outcome, AARD_FAILURE_HEAP_LIMIT_EXCEEDED,
            "the guest's stack was used up by a recursion in C code, Python's own or an extension's, which "
            "has no limit; nest less deeply");
    else if (threw(guest, "RuntimeError", "unreachable"))
        aard__outcome_fail(
            outcome, AARD_FAILURE_ENGINE_CRASHED,
            "C code of the guest aborted: os.abort, a signal such as SIGABRT or SIGSEGV, or a fatal error of "
            "Python's, which stands in its stderr");
    else
        return aard__guest_state(guest, outcome);
    return AARD__BROKEN;
}
