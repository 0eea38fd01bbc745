/* Who is told when a cancel handle is cancelled. */
#ifndef AARD_BUDGET_CANCEL_H
#define AARD_BUDGET_CANCEL_H

#include <aardvark/cancel.h>

/* Something that ends by a cancel handle.  It belongs to its owner, is listed in one handle at a time, and is off the list
 * before its memory goes. */
typedef struct aard__cancel_entry {
    void (*stop)(
        void *user); /* on the thread that cancels, with the handle's lock held: quick, must not list or unlist */
    void *user;
    aard_cancel_handle *handle; /* borrowed; NULL while it is not listed */
    struct aard__cancel_entry *next, *previous;
} aard__cancel_entry;

/* Lists the entry; `handle` may be NULL, and then nothing is done.  False where the handle has been cancelled already: `stop`
 * is not called for that. */
bool aard__cancel_list(aard_cancel_handle *handle, aard__cancel_entry *entry);

/* Afterwards `stop` is not running and will not run.  Fine on an entry that is not listed. */
void aard__cancel_unlist(aard__cancel_entry *entry);

#endif
