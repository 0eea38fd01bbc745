/* A host's pointer that is shared, and finalized by whoever has it last. */
#ifndef AARD_BASE_USER_H
#define AARD_BASE_USER_H

#include <aardvark/callback.h>
#include <stdatomic.h>

typedef struct aard__user {
    atomic_size_t owners;
    void *pointer;
    aard_finalizer finalizer; /* may be NULL */
} aard__user;

/* With one owner. */
void aard__user_init(aard__user *user, void *pointer, aard_finalizer finalizer);
void aard__user_retain(aard__user *user);
/* Whether that was the last owner: then it has been finalized, and what it is in can be freed. */
bool aard__user_release(aard__user *user);

#endif
