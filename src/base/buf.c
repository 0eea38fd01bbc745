#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/utf8.h"

void aard__buf_free(aard__buf *buf)
{
    aard__free(buf->data);
    *buf = AARD__BUF_INIT;
}

void aard__buf_clear(aard__buf *buf)
{
    buf->len = 0;
    buf->failed = false;
}

bool aard__buf_reserve(aard__buf *buf, size_t extra)
{
    if (buf->failed) return false;
    if (extra <= buf->cap - buf->len) return true;
    size_t need = buf->len + extra;
    size_t cap = buf->cap ? buf->cap : 64;
    if (need < extra || need > SIZE_MAX / 2) {
        buf->failed = true;
        return false;
    }
    while (cap < need) cap *= 2;
    char *data = aard__realloc(buf->data, cap);
    if (!data) {
        buf->failed = true;
        return false;
    }
    buf->data = data;
    buf->cap = cap;
    return true;
}

void aard__buf_append(aard__buf *buf, const void *data, size_t len)
{
    if (!len || !aard__buf_reserve(buf, len)) return;
    memcpy(buf->data + buf->len, data, len);
    buf->len += len;
}

void aard__buf_puts(aard__buf *buf, const char *text) { aard__buf_append(buf, text, strlen(text)); }

void aard__buf_putc(aard__buf *buf, char c) { aard__buf_append(buf, &c, 1); }

void aard__buf_printf(aard__buf *buf, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (len < 0 || !aard__buf_reserve(buf, (size_t)len + 1)) {
        buf->failed = true;
        return;
    }
    va_start(args, format);
    vsnprintf(buf->data + buf->len, (size_t)len + 1, format, args);
    va_end(args);
    buf->len += (size_t)len;
}

char *aard__buf_take(aard__buf *buf, size_t *len)
{
    if (!aard__buf_reserve(buf, 1)) {
        aard__buf_free(buf);
        return NULL;
    }
    buf->data[buf->len] = '\0';
    char *data = buf->data;
    if (len) *len = buf->len;
    *buf = AARD__BUF_INIT;
    return data;
}

void aard__buf_json_string(aard__buf *buf, const char *text, size_t len)
{
    aard__buf_putc(buf, '"');
    size_t plain = 0; /* start of the run that needs no escape */
    for (size_t i = 0; i < len;) {
        unsigned char c = (unsigned char)text[i];
        if (c >= 0x20 && c != '"' && c != '\\' && c < 0x80) {
            i++;
            continue;
        }
        size_t step = c < 0x80 ? 0 : aard__utf8_sequence(text + i, len - i);
        if (step) {
            i += step;
            continue;
        }
        aard__buf_append(buf, text + plain, i - plain);
        switch (c) {
        case '"': aard__buf_puts(buf, "\\\""); break;
        case '\\': aard__buf_puts(buf, "\\\\"); break;
        case '\n': aard__buf_puts(buf, "\\n"); break;
        case '\r': aard__buf_puts(buf, "\\r"); break;
        case '\t': aard__buf_puts(buf, "\\t"); break;
        default:
            if (c < 0x80)
                aard__buf_printf(buf, "\\u%04x", c);
            else
                aard__buf_puts(buf, "\xef\xbf\xbd");
        }
        plain = ++i;
    }
    aard__buf_append(buf, text + plain, len - plain);
    aard__buf_putc(buf, '"');
}
