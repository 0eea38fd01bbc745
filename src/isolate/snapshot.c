#include "isolate/snapshot.h"

#include <stddef.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "guest/guest.h"
#include "isolate/host.h"

/* ---- what is in it --------------------------------------------------------------------------------------------- */

enum { MOST_SOURCES = 64 };
static aard__source sources[MOST_SOURCES];

/* The parts that C keeps refs to: their places in the guest, in the order in which they are in the snapshot. */
static const size_t parts_of_guest[] = {
#define PART(member) offsetof(aard__guest, member)
    PART(host),
    PART(shared),
    PART(run_timers),
    PART(adapter.prepare),
    PART(adapter.forget),
    PART(adapter.invoke),
    PART(adapter.execute),
    PART(adapter.buffer),
    PART(adapter.set_input),
    PART(adapter.bind_script),
    PART(adapter.before_script),
    PART(adapter.drop_buffers),
#undef PART
};
#define PART_COUNT (sizeof parts_of_guest / sizeof parts_of_guest[0])

static aard__ref **part(aard__guest *guest, size_t index)
{
    return (aard__ref **)(void *)((char *)guest + parts_of_guest[index]);
}

static aard_error *fill(aard__realm *realm, void *user, aard__ref **parts, size_t *count)
{
    aard__guest *guest = user;
    guest->realm = realm;
    AARD__TRY(aard__guest_furnish(guest));
    for (size_t i = 0; i < PART_COUNT; i++) parts[i] = *part(guest, i);
    *count = PART_COUNT;
    return NULL;
}

static aard__snapshot_world world = {.tables = aard__guest_tables, .sources = sources, .fill = fill};
static pthread_once_t world_once = PTHREAD_ONCE_INIT;

static void list_sources(void)
{
    for (const aard__guest_file *file = aard__guest_files; file->name && world.source_count < MOST_SOURCES; file++)
        if (!strncmp(file->name, "platform/", 9) || !strncmp(file->name, "javascript/", 11))
            sources[world.source_count++] = (aard__source){.name = file->name, .data = file->data, .len = file->len};
}

aard_error *aard__javascript_snapshot_make(aard__buf *out)
{
    pthread_once(&world_once, list_sources);
    aard__guest *guest = aard__calloc(1, sizeof *guest);
    if (!guest) return aard__error_no_memory();
    guest->ops = &aard__javascript;
    guest->eager = true;
    guest->time_origin = aard__clock_monotonic();
    aard_error *error = aard__snapshot_make(&world, guest, out);
    aard__result_free(&guest->entry);
    aard__free(guest);
    return error;
}

void aard__javascript_let_go(aard__guest *guest)
{
    for (size_t i = 0; i < PART_COUNT; i++) {
        aard__ref_free(*part(guest, i));
        *part(guest, i) = NULL;
    }
}

aard_error *aard__javascript_adopt(aard__guest *guest)
{
    for (size_t i = 0; i < PART_COUNT; i++) {
        *part(guest, i) = aard__realm_part(guest->realm, i);
        if (!*part(guest, i)) return aard__error_no_memory();
    }
    aard__guest_allow_code(guest, false);
    return NULL;
}

/* ---- which one is used ------------------------------------------------------------------------------------------- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool distrusted, looked, wanted_before, hopeless, in_use;
static aard__snapshot *snapshot;
static aard__buf made; /* under a snapshot that was made in this process */

static void look_at_embedded(void)
{
    size_t len = (size_t)(aard__snapshot_embedded_end - aard__snapshot_embedded);
    looked = true;
    if (!distrusted) aard_error_free(aard__snapshot_open(&world, aard__snapshot_embedded, len, &snapshot));
}

/* Nothing depends on it: without a snapshot, guests start slower. */
static void make_here(void)
{
    aard_error *error = aard__javascript_snapshot_make(&made);
    if (!error) error = aard__snapshot_open(&world, made.data, made.len, &snapshot);
    if (error) aard__buf_free(&made);
    hopeless = error != NULL;
    aard_error_free(error);
}

void aard__snapshot_use(bool wanted)
{
    pthread_once(&world_once, list_sources);
    pthread_mutex_lock(&lock);
    if (!looked) look_at_embedded();
    /* One that is made while there are guests could not be used. */
    if (!snapshot && wanted && wanted_before && !hopeless && aard__engine_idle()) make_here();
    if (snapshot && !in_use) in_use = aard__engine_use_snapshot(snapshot);
    wanted_before = wanted_before || wanted;
    pthread_mutex_unlock(&lock);
}

bool aard__snapshot_distrust(void)
{
    pthread_mutex_lock(&lock);
    bool done = aard__engine_use_snapshot(NULL);
    if (done) {
        aard__snapshot_free(snapshot);
        snapshot = NULL;
        aard__buf_free(&made);
        distrusted = true;
        looked = wanted_before = hopeless = in_use = false;
    }
    pthread_mutex_unlock(&lock);
    return done;
}
