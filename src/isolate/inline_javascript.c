#include "isolate/inline_javascript.h"

#include <ctype.h>
#include <string.h>

/* How many places from the end are tried as the start of the last expression. */
#define MAX_SPLITS 64

static void run(aard__guest *guest, const char *source, size_t len, const char *name)
{
    aard__source script = {.name = name, .data = source, .len = len};
    aard__realm_run(guest->realm, &script, true, &guest->entry);
}

/* V8 says so when `await` stands where a script has none. */
static bool wants_await(const aard__result *entry)
{
    static const char type[] = "SyntaxError", word[] = "await";
    return entry->status == AARD__THREW && !entry->compiled && entry->thrown_type.len == sizeof type - 1 &&
           !memcmp(entry->thrown_type.data, type, sizeof type - 1) && entry->thrown_text.len &&
           memmem(entry->thrown_text.data, entry->thrown_text.len, word, sizeof word - 1);
}

/* An async function of the source, with what follows `split` as its value; false where that is no program. */
static bool wrap(aard__guest *guest, const char *source, size_t len, size_t split, const char *name)
{
    aard__buf text = AARD__BUF_INIT;
    while (split < len && isspace((unsigned char)source[split]))
        split++; /* `return` belongs on the line of its value */
    aard__buf_puts(&text, "(async () => {");
    aard__buf_append(&text, source, split);
    if (split < len) {
        aard__buf_puts(&text, "return (");
        aard__buf_append(&text, source + split, len - split);
        aard__buf_puts(&text, "\n)");
    }
    aard__buf_puts(&text, "\n})");
    if (!text.failed) run(guest, text.data, text.len, name);
    bool program = !text.failed && guest->entry.status == AARD__OK && guest->entry.value.kind == AARD__REF;
    aard__buf_free(&text);
    return program;
}

/* A script can't await, and a function has no value: so the last expression is looked for, the longest first, by asking
 * the engine what is a program.  Names that such a source declares stay its own. */
static bool wrap_for_await(aard__guest *guest, const char *source, size_t len, const char *name)
{
    size_t whole = len; /* a last statement may need its semicolon; an expression must not have it */
    while (len && (isspace((unsigned char)source[len - 1]) || source[len - 1] == ';')) len--;
    size_t splits[MAX_SPLITS], count = 0;
    for (size_t at = len; at > 0 && count < MAX_SPLITS; at--)
        if (source[at - 1] == '\n' || source[at - 1] == ';') splits[count++] = at;
    if (count < MAX_SPLITS && wrap(guest, source, len, 0, name)) return true;
    while (count--)
        if (wrap(guest, source, len, splits[count], name)) return true;
    return wrap(guest, source, whole, whole, name);
}

void aard__inline_run(aard__guest *guest, const char *source, size_t len, const char *name)
{
    run(guest, source, len, name);
    if (!wants_await(&guest->entry)) return;
    if (!wrap_for_await(guest, source, len, name)) {
        run(guest, source, len, name); /* for its own message */
        return;
    }
    aard__ref *function = guest->entry.value.ref;
    aard__ref_call(guest->realm, function, NULL, 0, true, &guest->entry);
    aard__ref_free(function);
}
