#include "isolate/python_shared.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "distribution/distribution.h"

typedef struct entry {
    struct entry *next;
    char *dir, fingerprint[AARD__HASH_HEX];
    aard__python_layout layout; /* all zero for a guest that starts from nothing */
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

static void free_entry(entry *one)
{
    aard__wasm_free(one->shared.wasm);
    aard__derived_close(&one->shared.glue_code);
    aard__image_free(one->shared.image);
    aard__python_layout_close(&one->layout);
    aard__free(one->dir);
    aard__free(one);
}

/* An image fits one layout only, and without an image only the distribution's own files can start. */
static void open_warm(entry *made, const aard_distribution *distribution)
{
    aard__python_layout_open(distribution, &made->layout);
    made->shared.image = aard__python_open_image(distribution, &made->layout);
    if (made->shared.image || !aard__python_layout_prelinked(&made->layout)) return;
    aard__python_layout_close(&made->layout);
    aard__python_layout_plain(&made->layout);
    made->shared.image = aard__python_open_image(distribution, &made->layout);
}

/* The files that the guest runs: prelinked as the guest was told or as the cache has them, else the distribution's. */
static aard_error *find_files(aard__guest *guest, entry *made, aard__content *wasm)
{
    const aard__prelinked *given = guest->prelinked;
    const aard__python_layout *layout = &made->layout;
    aard__python_shared *shared = &made->shared;
    if (given) {
        *wasm = (aard__content){(const uint8_t *)given->wasm.data, given->wasm.len};
        shared->glue = (aard__content){(const uint8_t *)given->glue.data, given->glue.len};
        shared->symbols = (aard__content){(const uint8_t *)given->symbols.data, given->symbols.len};
        return NULL;
    }
    if (aard__python_layout_prelinked(layout)) {
        *wasm = (aard__content){layout->wasm.data, layout->wasm.len};
        shared->glue = (aard__content){layout->glue.data, layout->glue.len};
        shared->symbols = (aard__content){layout->symbols.data, layout->symbols.len};
        return NULL;
    }
    const void *data;
    AARD__TRY(aard__distribution_file(guest->distribution, AARD__FILE_WASM, &data, &wasm->len));
    wasm->data = data;
    AARD__TRY(aard__distribution_file(guest->distribution, AARD__FILE_GLUE, &data, &shared->glue.len));
    shared->glue.data = data;
    return NULL;
}

static aard_error *compile(aard__guest *guest, entry *made)
{
    aard__content wasm;
    aard__derived code = {0};
    AARD__TRY(find_files(guest, made, &wasm));
    if (!guest->recording) {
        char *key = aard__python_code_key(&made->layout);
        if (!key) return aard__error_no_memory();
        aard__derived_open(guest->distribution, AARD__DERIVED_WASM, key, &code);
        aard__derived_open(guest->distribution, AARD__DERIVED_GLUE, key, &made->shared.glue_code);
        aard__free(key);
    }
    aard_error *error = aard__wasm_compile(guest->realm, wasm.data, wasm.len, code.data, code.len, &made->shared.wasm, NULL);
    aard__derived_close(&code);
    return error;
}

/* The entry without its code.  `capturing`: for a guest that starts from the distribution's own files. */
static aard_error *open_entry(const aard_distribution *distribution, bool capturing, entry **out)
{
    entry *made = find(distribution);
    if (!made) {
        made = aard__calloc(1, sizeof *made);
        if (made) made->dir = aard__strdup(aard_distribution_dir(distribution));
        if (!made || !made->dir) {
            aard__free(made);
            return aard__error_no_memory();
        }
        snprintf(made->fingerprint, sizeof made->fingerprint, "%s", aard_distribution_fingerprint(distribution));
        if (capturing)
            aard__python_layout_plain(&made->layout);
        else
            open_warm(made, distribution);
        made->shared.layout = made->layout.name;
        made->next = entries;
        entries = made;
    }
    *out = made;
    return NULL;
}

/* The lock is held while compiling: a second guest that starts meanwhile is better off waiting than compiling too. */
aard_error *aard__python_share(aard__guest *guest, const aard__python_shared **out)
{
    entry *known = NULL;
    pthread_mutex_lock(&lock);
    aard_error *error = open_entry(guest->distribution, guest->capturing, &known);
    if (!error && !known->shared.wasm) error = compile(guest, known);
    pthread_mutex_unlock(&lock);
    if (!error) *out = &known->shared;
    return error;
}

aard_error *aard__python_layout_of(const aard_distribution *distribution, const char **out)
{
    entry *known = NULL;
    pthread_mutex_lock(&lock);
    aard_error *error = open_entry(distribution, false, &known);
    pthread_mutex_unlock(&lock);
    if (!error) *out = known->shared.layout;
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
