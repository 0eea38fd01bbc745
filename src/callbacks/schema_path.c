/* Where in a value something is. */
#include <string.h>

#include "callbacks/schema_impl.h"

static bool is_plain(const char *key)
{
    return *key && strspn(key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == strlen(key);
}

void aard__schema_put_path(const aard__schema_step *at, aard__buf *out)
{
    if (!at) {
        aard__buf_putc(out, '$');
        return;
    }
    aard__schema_put_path(at->up, out);
    if (!at->key) {
        aard__buf_printf(out, "[%zu]", at->index);
    } else if (is_plain(at->key)) {
        aard__buf_printf(out, ".%s", at->key);
    } else {
        aard__buf_putc(out, '[');
        aard__buf_json_string(out, at->key, strlen(at->key));
        aard__buf_putc(out, ']');
    }
}
