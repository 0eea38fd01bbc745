/* Texts that a configuration or a call owns. */
#ifndef AARD_SETTINGS_TEXTS_H
#define AARD_SETTINGS_TEXTS_H

#include "base/buf.h"
#include "base/error.h"
#include "base/pack.h"

typedef struct aard__texts {
    char **items;
    size_t count;
} aard__texts;

void aard__texts_free(aard__texts *texts);
/* Adds a copy; `*texts` is as before on an error. */
aard_error *aard__texts_add(aard__texts *texts, const char *text);
/* `out` is empty before, and has to be freed on an error, too. */
aard_error *aard__texts_copy(const aard__texts *texts, aard__texts *out);
bool aard__texts_have(const aard__texts *texts, const char *text);
/* A JSON array of them. */
void aard__texts_json(const aard__texts *texts, aard__buf *out);

/* The binary form; settings/pack.c.  What is read has to be freed also where `in` is not ok. */
void aard__texts_pack(const aard__texts *texts, aard__buf *out);
void aard__texts_unpack(aard__unpacker *in, aard__texts *out);

#endif
