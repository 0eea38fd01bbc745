#include "isolate/python_shared.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "distribution/distribution.h"
#include "guest/guest.h"

typedef struct entry {
    struct entry *next;
    char *dir, fingerprint[AARD__HASH_HEX];
    aard__python_shared shared;
} entry;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static entry *entries;

static bool is_of(const entry *one, const aard_distribution *distribution)
{
    return !strcmp(one->fingerprint, aard_distribution_fingerprint(distribution)) &&
           !strcmp(one->dir, aard_distribution_dir(distribution));
}

static entry *find(const aard_distribution *distribution)
{
    entry *known = entries;
    while (known && !is_of(known, distribution)) known = known->next;
    return known;
}

char *aard__python_image_key(const aard_distribution *distribution)
{
    aard__hasher hasher;
    uint8_t hash[AARD__HASH_BYTES];
    char adapter[AARD__HASH_HEX];
    aard__buf key = AARD__BUF_INIT;
    aard__hash_start(&hasher);
    for (const aard__guest_file *file = aard__guest_files; file->name; file++) {
        if (strncmp(file->name, "python/", 7) != 0) continue;
        aard__hash_add_sized(&hasher, file->name, strlen(file->name));
        aard__hash_add_sized(&hasher, file->data, file->len);
    }
    aard__hash_end(&hasher, hash);
    aard__hash_hex(hash, adapter);
    aard__buf_printf(&key, "pyodide=%s\ndistribution=%s\nadapter=%s\n",
                     aard_distribution_pyodide_version(distribution), aard_distribution_fingerprint(distribution),
                     adapter);
    return aard__buf_take(&key, NULL);
}

aard__image *aard__python_open_image(const aard_distribution *distribution)
{
    char *path = NULL, *key = aard__python_image_key(distribution);
    aard__image *image = NULL;
    aard_error *error = key ? aard__derived_path(distribution, AARD__BASE_IMAGE, false, &path) : NULL;
    if (key && !error) error = aard__image_open(path, key, &image);
    aard_error_free(error);
    aard__free(path);
    aard__free(key);
    return image;
}

static aard_error *compile(aard__guest *guest, aard__wasm **out)
{
    const void *bytes;
    size_t len;
    aard__derived code = {0};
    AARD__TRY(aard__distribution_file(guest->distribution, AARD__FILE_WASM, &bytes, &len));
    if (!guest->capturing)
        aard__derived_open(guest->distribution, AARD__DERIVED_WASM, aard__engine_code_key(), &code);
    aard_error *error = aard__wasm_compile(guest->realm, bytes, len, code.data, code.len, out, NULL);
    aard__derived_close(&code);
    return error;
}

static void free_entry(entry *one)
{
    aard__wasm_free(one->shared.wasm);
    aard__derived_close(&one->shared.glue_code);
    aard__image_free(one->shared.image);
    aard__free(one->dir);
    aard__free(one);
}

static aard_error *make_entry(aard__guest *guest, entry **out)
{
    const aard_distribution *distribution = guest->distribution;
    entry *made = aard__calloc(1, sizeof *made);
    if (!made) return aard__error_no_memory();
    snprintf(made->fingerprint, sizeof made->fingerprint, "%s", aard_distribution_fingerprint(distribution));
    made->dir = aard__strdup(aard_distribution_dir(distribution));
    aard_error *error = made->dir ? compile(guest, &made->shared.wasm) : aard__error_no_memory();
    if (error) {
        free_entry(made);
        return error;
    }
    if (!guest->capturing) {
        aard__derived_open(distribution, AARD__DERIVED_GLUE, aard__engine_code_key(), &made->shared.glue_code);
        made->shared.image = aard__python_open_image(distribution);
    }
    *out = made;
    return NULL;
}

/* The lock is held while compiling: a second guest that starts meanwhile is better off waiting than compiling too. */
aard_error *aard__python_share(aard__guest *guest, const aard__python_shared **out)
{
    aard_error *error = NULL;
    pthread_mutex_lock(&lock);
    entry *known = find(guest->distribution);
    if (!known && !(error = make_entry(guest, &known))) {
        known->next = entries;
        entries = known;
    }
    pthread_mutex_unlock(&lock);
    if (!error) *out = &known->shared;
    return error;
}

aard_error *aard__python_serialize(const aard_distribution *distribution, aard__buf *out)
{
    pthread_mutex_lock(&lock);
    entry *known = find(distribution);
    aard_error *error = known ? aard__wasm_serialize(known->shared.wasm, out)
                              : aard__error(AARD_ERR_ENGINE, "nothing is compiled that could be kept");
    pthread_mutex_unlock(&lock);
    return error;
}

aard_error *aard__python_adopt_image(const aard_distribution *distribution)
{
    aard__image *image = aard__python_open_image(distribution);
    pthread_mutex_lock(&lock);
    entry *known = find(distribution);
    if (known && image) {
        known->shared.image = image;
        image = NULL;
    }
    bool adopted = known && known->shared.image;
    pthread_mutex_unlock(&lock);
    aard__image_free(image);
    return adopted ? NULL : aard__error(AARD_ERR_IO, "the base image could not be read back");
}

void aard__python_forget(const aard_distribution *distribution)
{
    pthread_mutex_lock(&lock);
    for (entry **at = &entries; *at; at = &(*at)->next) {
        if (!is_of(*at, distribution)) continue;
        entry *gone = *at;
        *at = gone->next;
        free_entry(gone);
        break;
    }
    pthread_mutex_unlock(&lock);
}
