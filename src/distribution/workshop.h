/* The workshop: where one staging builds, beside its target, with every other staging of the same home kept out.
 *
 * All of it is below one directory `HOME/.tmp-<pid>-<random>`.  Whoever holds the home's lock knows that any such
 * directory but its own was left by a process that died, and removes it. */
#ifndef AARD_DISTRIBUTION_WORKSHOP_H
#define AARD_DISTRIBUTION_WORKSHOP_H

#include "base/error.h"

typedef struct aard__workshop {
    char *home;
    char *root;    /* the temporary directory */
    char *product; /* ROOT/product: what will be published */
    char *scratch; /* ROOT/scratch: what won't */
    int lock;      /* descriptor of HOME/.lock, locked */
    int dir;       /* descriptor of the product */
} aard__workshop;

/* Makes `home` and the directories above.  Waits while another staging works there, after calling `waiting`.
 * Errors: io, no_memory. */
aard_error *aard__workshop_open(const char *home, void (*waiting)(void *user), void *user, aard__workshop *out);

/* Puts the product at HOME/`name` in one step, in place of what is there, which is then removed. */
aard_error *aard__workshop_publish(aard__workshop *workshop, const char *name);

/* Removes what is left and lets others in. */
void aard__workshop_close(aard__workshop *workshop);

#endif
