#include "guest/snapshot.h"

#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/process.h"
#include "embedded/files.h"

/* ---- making and opening ---------------------------------------------------------------------------------------- */

enum { MOST_SOURCES = 128 };

typedef struct world {
    aard__source sources[MOST_SOURCES];
    aard__snapshot_world world;
} world;

/* `folder`: the one of Python's line, NULL without Python. */
static bool is_file_of(const char *name, const char *folder)
{
    for (const char *const *room = aard__platform_rooms; *room; room++)
        if (!strncmp(name, *room, strlen(*room))) return true;
    return !strncmp(name, "javascript/", 11) ||
           (folder && !strncmp(name, folder, strlen(folder)) && name[strlen(folder)] == '/');
}

/* Without `folder` it is JavaScript's. */
static const aard__snapshot_world *describe(world *out, const aard__host_entry *const *tables, const char *folder,
                                            aard__content glue)
{
    *out = (world){.world = {.tables = tables, .sources = out->sources}};
    size_t count = 0;
    for (const aard__guest_file *file = aard__guest_files; file->name && count < MOST_SOURCES - 1; file++)
        if (is_file_of(file->name, folder))
            out->sources[count++] = (aard__source){.name = file->name, .data = file->data, .len = file->len};
    if (glue.data) out->sources[count++] = (aard__source){.data = (const char *)glue.data, .len = glue.len};
    out->world.source_count = count;
    return &out->world;
}

static aard_error *fill(aard__realm *realm, void *user, aard__ref **parts, size_t *count)
{
    aard__guest *guest = user;
    guest->realm = realm;
    AARD__TRY(aard__guest_install(guest));
    *count = aard__guest_part_count(guest);
    for (size_t i = 0; i < *count; i++) parts[i] = *aard__guest_part(guest, i);
    return NULL;
}

static aard_error *make(const aard__snapshot_world *of, const aard__language_ops *javascript, aard__guest *python,
                        aard__buf *out)
{
    aard__guest *guest = aard__guest_new_bare(javascript);
    if (!guest) return aard__error_no_memory();
    const aard__snapshot_realm realms[] = {
        [AARD__SNAPSHOT_JAVASCRIPT] = {fill, guest}, [AARD__SNAPSHOT_PYTHON] = {fill, python}};
    aard_error *error = aard__snapshot_make(of, realms, python ? 2 : 1, out);
    aard__guest_free_bare(guest);
    return error;
}

aard_error *aard__javascript_snapshot_make(const aard__language_ops *javascript, aard__buf *out)
{
    world of;
    return make(describe(&of, javascript->tables, NULL, (aard__content){0}), javascript, NULL, out);
}

aard_error *aard__python_snapshot_open(const aard__host_entry *const *tables, const char *folder, aard__content glue,
                                       const void *data, size_t len, aard__snapshot **out)
{
    world of;
    return aard__snapshot_open(describe(&of, tables, folder, glue), data, len, out);
}

/* ---- which one is used ------------------------------------------------------------------------------------------- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t made_one = PTHREAD_COND_INITIALIZER;
static bool making; /* a Python guest is booted for a snapshot, without the lock: it takes others */
static bool distrusted, looked, wanted_before, hopeless;
static aard__snapshot *own;          /* JavaScript's */
static aard__buf made;               /* under it where it was made in this process */
static const aard__snapshot *in_use; /* by the engine */

static void look_at_embedded(const aard__host_entry *const *tables)
{
    world of;
    size_t len = (size_t)(aard__snapshot_embedded_end - aard__snapshot_embedded);
    looked = true;
    if (!distrusted)
        aard__log_error(
            AARD_LOG_INFO,
            aard__snapshot_open(describe(&of, tables, NULL, (aard__content){0}), aard__snapshot_embedded, len, &own),
            "the start-up snapshot of the build does not fit the engine; another is made");
}

/* Nothing depends on it: without a snapshot, guests start slower. */
static void make_here(const aard__language_ops *javascript)
{
    world of;
    aard_error *error = aard__javascript_snapshot_make(javascript, &made);
    if (!error)
        error = aard__snapshot_open(describe(&of, javascript->tables, NULL, (aard__content){0}), made.data, made.len,
                                    &own);
    if (error) aard__buf_free(&made);
    hopeless = error != NULL;
    aard__log_error(AARD_LOG_WARNING, error, "JavaScript guests start without a start-up snapshot");
}

static bool use(const aard__snapshot *snapshot)
{
    if (in_use != snapshot && aard__engine_use_snapshot(snapshot)) in_use = snapshot;
    return in_use == snapshot;
}

/* Under the lock. */
static void use_own(const aard__language_ops *ops)
{
    bool javascript = ops->language == AARD_LANGUAGE_JAVASCRIPT;
    if (!looked) look_at_embedded(ops->tables);
    /* One that is made while there are guests could not be used. */
    if (!own && javascript && wanted_before && !hopeless && aard__engine_idle()) make_here(ops);
    if (own) use(own);
    wanted_before = wanted_before || javascript;
}

/* Nobody chooses while one is made, which no guest of the process could live beside. */
static void lock_when_made(void)
{
    pthread_mutex_lock(&lock);
    while (making) pthread_cond_wait(&made_one, &lock);
}

const aard__snapshot *aard__snapshot_choose(const aard__language_ops *ops, const aard__snapshot *pythons)
{
    const aard__snapshot *chosen;
    lock_when_made();
    if (pythons && use(pythons)) {
        chosen = pythons;
    } else {
        if (!in_use) use_own(ops);
        chosen = ops->language == AARD_LANGUAGE_JAVASCRIPT ? in_use : NULL;
    }
    pthread_mutex_unlock(&lock);
    return chosen;
}

aard_error *aard__python_snapshot_make(const aard__language_ops *javascript, aard__guest *guest, const char *folder,
                                       aard__content glue, aard__buf *out)
{
    world of;
    lock_when_made();
    making = use(NULL);
    bool begun = making;
    pthread_mutex_unlock(&lock);
    if (!begun) return aard__error(AARD_ERR_BUSY, "a start-up snapshot can't be made while the process has isolates");
    aard_error *error = make(describe(&of, guest->ops->tables, folder, glue), javascript, guest, out);
    pthread_mutex_lock(&lock);
    making = false;
    pthread_cond_broadcast(&made_one);
    pthread_mutex_unlock(&lock);
    return error;
}

bool aard__python_snapshot_close(aard__snapshot *snapshot)
{
    pthread_mutex_lock(&lock);
    bool done = !snapshot || in_use != snapshot || use(NULL);
    if (done) aard__snapshot_free(snapshot);
    pthread_mutex_unlock(&lock);
    return done;
}

bool aard__snapshot_distrust(void)
{
    lock_when_made();
    bool done = use(NULL);
    if (done) {
        aard__snapshot_free(own);
        own = NULL;
        aard__buf_free(&made);
        distrusted = true;
        looked = wanted_before = hopeless = false;
    }
    pthread_mutex_unlock(&lock);
    return done;
}

AARD__PROCESS_KEEPS(snapshot, "start-up snapshots",
                    "distrusted hopeless in_use lock looked made made_one making own wanted_before");
