#include "guest/python/python_shared.h"
#include "guest/python/python_guest.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/process.h"
#include "distribution/distribution.h"
#include "guest/bridge/host.h"
#include "guest/python/python_opening.h"
#include "guest/snapshot.h"

typedef struct entry {
    struct entry *next;
    char *dir, fingerprint[AARD__HASH_HEX];
    aard__signing_key key;         /* all zero without one */
    aard__python_opening *opening; /* NULL once it is finished */
    aard__python_layout layout;
    aard__derived wasm_code;     /* until it is compiled */
    aard__derived snapshot_data; /* under shared.snapshot */
    bool snapshot_looked_for;
    aard_distribution *distribution; /* whose files are run as they are; retained; NULL where they are prelinked */
    aard__python_shared shared;
} entry;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static entry *entries;

static aard__signing_key key_of(const aard_distribution *distribution)
{
    const aard__signing_key *key = aard__distribution_key(distribution);
    return key ? *key : (aard__signing_key){{0}};
}

/* What was opened without the key was not checked by it. */
static bool is_of(const entry *one, const aard_distribution *distribution)
{
    const aard__signing_key key = key_of(distribution);
    return !memcmp(one->key.bytes, key.bytes, sizeof key.bytes) &&
           !strcmp(one->fingerprint, aard_distribution_fingerprint(distribution)) &&
           !strcmp(one->dir, aard_distribution_dir(distribution));
}

static entry *find(const aard_distribution *distribution)
{
    entry *known = entries;
    while (known && !is_of(known, distribution)) known = known->next;
    return known;
}

/* What guests still need stays where it is. */
static void close_snapshot(entry *one)
{
    if (aard__python_snapshot_close(one->shared.snapshot)) aard__derived_close(&one->snapshot_data);
    one->shared.snapshot = NULL;
    one->snapshot_data = (aard__derived){0};
}

/* Takes what the opening has found. */
static void finish(entry *one)
{
    aard__python_opened opened;
    if (!one->opening) return;
    aard__python_opening_finish(one->opening, &opened);
    one->opening = NULL;
    one->layout = opened.layout; /* its name stays where it is: shared.layout */
    one->wasm_code = opened.wasm_code;
    one->shared.glue_code = opened.glue_code;
    one->shared.image = opened.image;
    if (!opened.whole) close_snapshot(one);
}

static void free_entry(entry *one)
{
    finish(one);
    aard__wasm_free(one->shared.wasm);
    aard__derived_close(&one->wasm_code);
    aard__derived_close(&one->shared.glue_code);
    aard__image_free(one->shared.image);
    close_snapshot(one);
    aard__python_layout_close(&one->layout);
    aard_distribution_free(one->distribution);
    aard__free(one->dir);
    aard__free(one);
}

/* A guest that is captured starts from nothing; `prelinked` if it is given such code. */
static aard_error *add_entry(aard_distribution *distribution, bool capturing, bool prelinked, entry **out)
{
    entry *made = aard__calloc(1, sizeof *made);
    if (!made) return aard__error_no_memory();
    snprintf(made->fingerprint, sizeof made->fingerprint, "%s", aard_distribution_fingerprint(distribution));
    made->key = key_of(distribution);
    made->dir = aard__strdup(aard_distribution_dir(distribution));
    if (capturing && prelinked)
        aard__python_layout_open(distribution, &made->layout);
    else if (capturing)
        aard__python_layout_plain(&made->layout);
    else
        made->opening = aard__python_opening_start(distribution);
    if (!made->dir || (!capturing && !made->opening)) {
        free_entry(made);
        return aard__error_no_memory();
    }
    made->shared.layout = made->layout.name;
    made->next = entries;
    entries = made;
    *out = made;
    return NULL;
}

static aard_error *find_or_add(aard_distribution *distribution, bool capturing, bool prelinked, entry **out)
{
    entry *known = find(distribution);
    if (!known) return add_entry(distribution, capturing, prelinked, out);
    *out = known;
    return NULL;
}

/* The files that the guest runs: prelinked as the guest was told or as the cache has them, else the distribution's. */
static aard_error *find_files(aard__guest *guest, entry *made, aard__content *wasm)
{
    const aard__prelinked *given = aard__python_of(guest)->options.prelinked;
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
    AARD__TRY(aard__distribution_file(guest->start.distribution, AARD__FILE_WASM, &data, &wasm->len));
    wasm->data = data;
    AARD__TRY(aard__distribution_file(
        guest->start.distribution, aard__distribution_line(guest->start.distribution)->glue, &data, &shared->glue.len));
    shared->glue.data = data;
    if (!made->distribution) made->distribution = aard_distribution_retain(guest->start.distribution);
    return NULL;
}

static aard_error *compile(aard__guest *guest, entry *made, aard__content wasm)
{
    if (aard__python_of(guest)->options.recording) {
        aard__derived_close(&made->wasm_code);
        aard__derived_close(&made->shared.glue_code);
    }
    aard_error *error = aard__wasm_compile(guest->realm, wasm.data, wasm.len, made->wasm_code.data, made->wasm_code.len,
                                           &made->shared.wasm, NULL);
    aard__derived_close(&made->wasm_code);
    aard__derived_rest(&made->layout.wasm); /* the engine has a copy */
    return error;
}

/* Of the layout that is being opened; that the rest of it is whole turns out later. */
static void open_snapshot(entry *one, aard_distribution *distribution)
{
    const aard__python_layout *layout = one->opening ? aard__python_opening_layout(one->opening) : &one->layout;
    aard__derived data = {0};
    one->snapshot_looked_for = true;
    if (!aard__python_layout_prelinked(layout)) return;
    char *key = aard__python_snapshot_key(layout);
    if (key && aard__derived_open(distribution, AARD__DERIVED_SNAPSHOT, key, &data)) {
        const aard__content glue = {layout->glue.data, layout->glue.len};
        aard_error *error = aard__python_snapshot_open(aard__guest_tables,
                                                       aard__distribution_line(distribution)->embedded, glue, data.data,
                                                       data.len, &one->shared.snapshot);
        if (error) aard__derived_close(&data);
        aard__log_error(AARD_LOG_WARNING, error, "guests start without the distribution's start-up snapshot");
    }
    aard__free(key);
    one->snapshot_data = data;
}

const aard__snapshot *aard__python_expect(const aard__guest *guest)
{
    if (aard__python_of(guest)->options.capturing) return NULL;
    bool wanted = !guest->grants.engine_objects && !aard__python_of(guest)->options.recording &&
                  !aard__python_of(guest)->options.keep_glue;
    entry *known;
    pthread_mutex_lock(&lock);
    aard_error *error = find_or_add(guest->start.distribution, false, false, &known);
    if (!error && wanted && !known->snapshot_looked_for) open_snapshot(known, guest->start.distribution);
    const aard__snapshot *snapshot = error || !wanted ? NULL : known->shared.snapshot;
    pthread_mutex_unlock(&lock);
    aard_error_free(error); /* whoever needs it will see */
    return snapshot;
}

/* The lock is held while compiling: a second guest that starts meanwhile is better off waiting than compiling too. */
static aard_error *share(aard__guest *guest, bool code, const aard__python_shared **out)
{
    entry *known;
    aard__content wasm;
    pthread_mutex_lock(&lock);
    aard_error *error = find_or_add(guest->start.distribution, aard__python_of(guest)->options.capturing,
                                    aard__python_of(guest)->options.prelinked != NULL, &known);
    if (!error) finish(known);
    if (!error && !known->shared.wasm) error = find_files(guest, known, &wasm);
    if (!error && code && !known->shared.wasm) error = compile(guest, known, wasm);
    pthread_mutex_unlock(&lock);
    if (!error) *out = &known->shared;
    return error;
}

aard_error *aard__python_share(aard__guest *guest, const aard__python_shared **out) { return share(guest, true, out); }

aard_error *aard__python_share_files(aard__guest *guest, const aard__python_shared **out)
{
    return share(guest, false, out);
}

aard_error *aard__python_layout_name(aard_distribution *distribution, const char **out)
{
    entry *known;
    pthread_mutex_lock(&lock);
    aard_error *error = find_or_add(distribution, false, false, &known);
    if (!error) finish(known);
    pthread_mutex_unlock(&lock);
    if (!error) *out = known->layout.name;
    return error;
}

aard_error *aard__python_serialize(const aard_distribution *distribution, aard__buf *out)
{
    pthread_mutex_lock(&lock);
    entry *known = find(distribution);
    aard_error *error = known && known->shared.wasm
                            ? aard__wasm_serialize(known->shared.wasm, out)
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

AARD__PROCESS_KEEPS(python_shared, "what Python guests share of a distribution", "entries lock");
