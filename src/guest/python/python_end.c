#include "guest/python/python_end.h"

#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "distribution/distribution.h"

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

/* What to do about a module that is missing, behind the exception's text: "No module named 'a.b'". */
void aard__python_remedy(const aard__guest *guest, const char *type, const char *value, size_t len, aard__buf *out)
{
    static const char start[] = "No module named '";
    if (strcmp(type, "ModuleNotFoundError") || !guest->start.distribution || len < sizeof start ||
        memcmp(value, start, sizeof start - 1))
        return;
    const char *name = value + sizeof start - 1;
    size_t name_len = strcspn(name, ".'");
    const char *end = memchr(name, '\'', len - (sizeof start - 1));
    if (!name_len || !end || end + 1 != value + len) return;
    for (size_t i = 0; i < name_len; i++)
        if (!isalnum((unsigned char)name[i]) && name[i] != '_') return;
    bool there = false;
    const aard__package *package = aard__distribution_provider(guest->start.distribution, name, name_len, &there);
    if (package && there)
        aard__buf_printf(out, "; it is in the package '%s' (exec --package %s, or packages in the bundle's manifest)",
                         package->name, package->key);
    else if (package)
        aard__buf_printf(out,
                         "; it is in Pyodide's package '%s', which is not staged (aardvark assets stage --variant full "
                         "--archive FILE, or --wheel FILE)",
                         package->name);
    else
        aard__buf_printf(out,
                         "; no package of the distribution has it: a pure one can be put into the bundle (pip install "
                         "--target BUNDLE NAME), a wheel can be staged (aardvark assets stage --wheel FILE)");
}
