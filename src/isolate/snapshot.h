/* The start-up snapshot that JavaScript guests are copied from: a realm with the guest platform and the adapter. */
#ifndef AARD_ISOLATE_SNAPSHOT_H
#define AARD_ISOLATE_SNAPSHOT_H

#include "isolate/guest.h"

/* Before a guest is made, of whichever language: makes the engine use a snapshot where it can.  That is the one of the
 * build, unless the library was built with another V8 than the one that runs: then one is made, once a second JavaScript
 * guest is `wanted` and no other guest is alive.  Without one, guests are booted file by file.  Any thread. */
void aard__snapshot_use(bool wanted);

/* Makes one, as the build does. */
aard_error *aard__javascript_snapshot_make(aard__buf *out);

/* Gives a guest that has a new realm, copied from the snapshot, its refs into it. */
aard_error *aard__javascript_adopt(aard__guest *guest);

/* Frees those refs. */
void aard__javascript_let_go(aard__guest *guest);

/* For tests: as if the library had been built with another V8.  False while a guest is alive. */
bool aard__snapshot_distrust(void);

/* What the build embeds; empty in the program that makes it. */
extern const unsigned char aard__snapshot_embedded[], aard__snapshot_embedded_end[];

#endif
