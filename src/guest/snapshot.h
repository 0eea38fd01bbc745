/* The start-up snapshots that guests are copied from.
 *
 * The build embeds one of a JavaScript guest: a realm with the guest platform and the adapter.  Each prepared distribution
 * has another in its cache, which holds that realm too and one of a Python guest, started as far as it goes without
 * WebAssembly.  All guests that are alive together share one of them (aard__engine_use_snapshot): that of the first. */
#ifndef AARD_GUEST_SNAPSHOT_H
#define AARD_GUEST_SNAPSHOT_H

#include "guest/guest.h"

/* The realms of a snapshot. */
enum { AARD__SNAPSHOT_JAVASCRIPT, AARD__SNAPSHOT_PYTHON };

/* Before a guest of the language is made: makes the engine use a snapshot where it can, and gives that which the
 * guest may be copied from, or NULL.  A Python guest can be a copy of `own` only, which may be NULL.  Where the library was
 * built with another V8 than the one that runs, one is made once a second JavaScript guest is wanted and no other guest is
 * alive; without one, guests are booted file by file.  Any thread. */
const aard__snapshot *aard__snapshot_choose(const aard__language_ops *ops, const aard__snapshot *own);

/* Makes the one of the build. */
aard_error *aard__javascript_snapshot_make(const aard__language_ops *javascript, aard__buf *out);

/* The snapshot of a distribution; `folder` has the embedded files of its line; `glue` is the JavaScript that its guests run, whose text does not go into the snapshot.
 * `guest` is a Python guest without a vm, that has all it takes to be booted; no other guest is alive. */
aard_error *aard__python_snapshot_make(const aard__language_ops *javascript, aard__guest *guest, const char *folder,
                                       aard__content glue, aard__buf *out);
/* `data` lasts as long as the snapshot, `glue` as long as any guest that is copied from it. */
aard_error *aard__python_snapshot_open(const aard__host_entry *const *tables, const char *folder, aard__content glue,
                                       const void *data, size_t len, aard__snapshot **out);
/* Frees it, unless guests are alive that need it: then it stays. */
bool aard__python_snapshot_close(aard__snapshot *snapshot);

/* For tests: as if the library had been built with another V8.  False while a guest is alive. */
bool aard__snapshot_distrust(void);

/* What the build embeds; empty in the program that makes it. */
extern const unsigned char aard__snapshot_embedded[], aard__snapshot_embedded_end[];

#endif
