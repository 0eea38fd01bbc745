/* Texts that a configuration or a call owns. */
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "settings/texts.h"

void aard__texts_free(aard__texts *texts)
{
    for (size_t i = 0; i < texts->count; i++) aard__free(texts->items[i]);
    aard__free(texts->items);
    *texts = (aard__texts){NULL, 0};
}

aard_error *aard__texts_add(aard__texts *texts, const char *text)
{
    char **list = aard__realloc(texts->items, (texts->count + 1) * sizeof *list);
    if (!list) return aard__error_no_memory();
    texts->items = list;
    char *copy = aard__memdup0(text, strlen(text));
    if (!copy) return aard__error_no_memory();
    list[texts->count++] = copy;
    return NULL;
}

void aard__texts_json(const aard__texts *texts, aard__buf *out)
{
    aard__buf_putc(out, '[');
    for (size_t i = 0; i < texts->count; i++) {
        if (i) aard__buf_putc(out, ',');
        aard__buf_json_string(out, texts->items[i], strlen(texts->items[i]));
    }
    aard__buf_putc(out, ']');
}

aard_error *aard__texts_copy(const aard__texts *texts, aard__texts *out)
{
    for (size_t i = 0; i < texts->count; i++) AARD__TRY(aard__texts_add(out, texts->items[i]));
    return NULL;
}

bool aard__texts_have(const aard__texts *texts, const char *text)
{
    for (size_t i = 0; i < texts->count; i++)
        if (!strcmp(texts->items[i], text)) return true;
    return false;
}
