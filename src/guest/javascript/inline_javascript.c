#include "guest/javascript/inline_javascript.h"

#include <string.h>

#include "base/utf8.h"

/* Whether a word stands in the source that means more to consoles than to scripts.  Where none does, even in a string, both
 * are the same, and a script is quicker: short code pays nothing for what it does not use. */
static bool has_words(const char *source, size_t len)
{
    for (size_t i = 0; i + 3 <= len; i++) {
        const char *word = NULL;
        switch (source[i]) {
        case 'l': word = "let"; break;
        case 'a': word = "await"; break;
        case 'c': word = source[i + 1] == 'o' ? "const" : "class"; break;
        case 'e': word = "export"; break;
        case 'i': word = "import"; break;
        default: continue;
        }
        size_t word_len = strlen(word);
        if (word_len <= len - i && !memcmp(source + i, word, word_len)) return true;
    }
    return false;
}

/* What is wrong with a source that is not UTF-8. */
static void refuse_bytes(const char *source, size_t len, const char *name, aard_outcome *outcome)
{
    size_t at = 0, line = 1, step;
    for (; at < len && (step = aard__utf8_sequence(source + at, len - at)); at += step) line += source[at] == '\n';
    aard__outcome_fail(outcome, AARD_FAILURE_ADAPTER_ERROR,
                       "%s is not UTF-8: byte 0x%02x at offset %zu, in line %zu; save it as UTF-8", name,
                       (unsigned)(unsigned char)source[at], at, line);
}

bool aard__inline_run(aard__guest *guest, const char *source, size_t len, const char *name, aard__ref **awaited,
                      aard_outcome *outcome)
{
    static const char mark[] = "\xef\xbb\xbf";
    *awaited = NULL;
    if (!aard__utf8_valid(source, len)) {
        refuse_bytes(source, len, name, outcome);
        return false;
    }
    bool marked = len >= sizeof mark - 1 && !memcmp(source, mark, sizeof mark - 1);
    if (marked) source += sizeof mark - 1, len -= sizeof mark - 1;
    aard__source script = {.name = name, .data = source, .len = len};
    if (has_words(source, len))
        aard__realm_run_inline(guest->realm, &script, awaited, &guest->entry);
    else
        aard__realm_run(guest->realm, &script, true, &guest->entry);
    return true;
}
