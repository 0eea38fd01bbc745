/* The start-up snapshot that JavaScript guests are copied from: a realm with the guest platform and the adapter. */
#ifndef AARD_ISOLATE_SNAPSHOT_H
#define AARD_ISOLATE_SNAPSHOT_H

#include "isolate/guest.h"

/* The snapshot of this process; NULL while there is none: the guest is then booted file by file.  That is so where the
 * library was built with another V8 than the one that runs, for the first guest; the second makes a snapshot for the rest.
 * Any thread. */
const aard__snapshot *aard__javascript_snapshot(void);

/* Makes one, as the build does. */
aard_error *aard__javascript_snapshot_make(aard__buf *out);

/* Gives a guest that has a new realm, copied from the snapshot, its refs into it. */
aard_error *aard__javascript_adopt(aard__guest *guest);

/* Frees those refs. */
void aard__javascript_let_go(aard__guest *guest);

/* For tests: as if the library had been built with another V8.  No guest may be alive. */
void aard__javascript_snapshot_distrust(void);

/* What the build embeds; empty in the program that makes it. */
extern const unsigned char aard__snapshot_embedded[], aard__snapshot_embedded_end[];

#endif
