#include "prelink/symbols.h"

#include <stdlib.h>
#include <string.h>

/* The table: a header, an entry for each symbol, the names.  Host byte order, since it never leaves the machine. */
typedef struct header {
    char magic[8];
    uint32_t count, names_len;
} header;

typedef struct entry {
    uint32_t name_at, name_len, value, function;
} entry;

static const char magic[8] = "AARDSYM1";

static int compare(const char *a, size_t a_len, const char *b, size_t b_len)
{
    int order = memcmp(a, b, a_len < b_len ? a_len : b_len);
    return order ? order : (a_len > b_len) - (a_len < b_len);
}

static int compare_symbols(const void *a, const void *b)
{
    const aard__symbol *x = a, *y = b;
    return compare(x->name, x->name_len, y->name, y->name_len);
}

void aard__symbols_write(aard__symbol *symbols, size_t count, aard__buf *out)
{
    header head = {.count = (uint32_t)count};
    memcpy(head.magic, magic, sizeof magic);
    if (count) qsort(symbols, count, sizeof *symbols, compare_symbols);
    for (size_t i = 0; i < count; i++) head.names_len += (uint32_t)symbols[i].name_len;
    aard__buf_append(out, &head, sizeof head);
    uint32_t at = 0;
    for (size_t i = 0; i < count; i++) {
        entry one = {at, (uint32_t)symbols[i].name_len, symbols[i].value, symbols[i].function};
        aard__buf_append(out, &one, sizeof one);
        at += one.name_len;
    }
    for (size_t i = 0; i < count; i++) aard__buf_append(out, symbols[i].name, symbols[i].name_len);
}

bool aard__symbols_find(const void *table, size_t len, const char *name, size_t name_len, aard__symbol *out)
{
    header head;
    if (len < sizeof head) return false;
    memcpy(&head, table, sizeof head);
    const char *entries = (const char *)table + sizeof head;
    if (memcmp(head.magic, magic, sizeof magic) != 0 || head.count > (len - sizeof head) / sizeof(entry) ||
        head.names_len > len - sizeof head - head.count * sizeof(entry))
        return false;
    const char *names = entries + head.count * sizeof(entry);
    for (uint32_t low = 0, high = head.count; low < high;) {
        uint32_t middle = low + (high - low) / 2;
        entry one;
        memcpy(&one, entries + middle * sizeof one, sizeof one);
        if (one.name_at > head.names_len || one.name_len > head.names_len - one.name_at) return false;
        int order = compare(name, name_len, names + one.name_at, one.name_len);
        if (order < 0)
            high = middle;
        else if (order > 0)
            low = middle + 1;
        else {
            *out = (aard__symbol){names + one.name_at, one.name_len, one.value, one.function != 0};
            return true;
        }
    }
    return false;
}
