/* The staging directory: where one staging builds, beside its target, with every other staging of the same home kept out.
 *
 * All of it is below one directory `HOME/.tmp-<pid>-<random>`.  Whoever holds the home's lock knows that any such
 * directory but its own was left by a process that died, and removes it. */
#ifndef AARD_DISTRIBUTION_STAGING_DIR_H
#define AARD_DISTRIBUTION_STAGING_DIR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

typedef struct aard__staging_dir {
    char *home;
    char *root;    /* the temporary directory */
    char *product; /* ROOT/product: what will be published */
    char *scratch; /* ROOT/scratch: what won't */
    int lock;      /* descriptor of HOME/.lock, locked */
    int dir;       /* descriptor of the product */
} aard__staging_dir;

/* How long to wait for another staging, and who hears of it (base/file_lock.h). */
typedef struct aard__staging_dir_wait {
    uint64_t timeout_ms;
    void (*waiting)(void *user, const char *holder);
    void *user;
} aard__staging_dir_wait;

/* Makes `home` and the directories above.  Waits while another staging works there.
 * Errors: untrusted (others can write there), io, no_memory. */
aard_error *aard__staging_dir_open(const char *home, const aard__staging_dir_wait *wait, aard__staging_dir *out);

/* Puts the product at HOME/`name` in one step, in place of what is there, which is then removed: what stagings have made,
 * and, with `force`, anything. */
aard_error *aard__staging_dir_publish(aard__staging_dir *staging, const char *name, bool force);

/* Removes what is left and lets others in. */
void aard__staging_dir_close(aard__staging_dir *staging);

#endif
