/* A growable byte buffer whose errors stick: append as much as you like, look at `failed` once at the end. */
#ifndef AARD_BASE_BUF_H
#define AARD_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct aard__buf {
    char *data; /* NULL while empty */
    size_t len, cap;
    bool failed; /* an allocation failed; the contents are a prefix of what was appended */
} aard__buf;

#define AARD__BUF_INIT ((aard__buf){NULL, 0, 0, false})

void aard__buf_free(aard__buf *buf);                  /* and empty it for reuse */
void aard__buf_clear(aard__buf *buf);                 /* keeps the memory */
bool aard__buf_reserve(aard__buf *buf, size_t extra); /* room for `extra` more bytes */
void aard__buf_append(aard__buf *buf, const void *data, size_t len);
void aard__buf_puts(aard__buf *buf, const char *text);
void aard__buf_putc(aard__buf *buf, char c);
void aard__buf_printf(aard__buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* NUL-terminates (the NUL is not counted) and gives the memory to the caller (aard__free); NULL if anything failed. */
char *aard__buf_take(aard__buf *buf, size_t *len);

/* Appends `text` as a JSON string, quotes included; bytes that are not UTF-8 become U+FFFD. */
void aard__buf_json_string(aard__buf *buf, const char *text, size_t len);

#ifdef __cplusplus
}
#endif

#endif
