/* A host's pointer that is shared, and finalized by whoever has it last. */
#include "base/user.h"

void aard__user_init(aard__user *user, void *pointer, aard_finalizer finalizer)
{
    atomic_init(&user->owners, 1);
    user->pointer = pointer;
    user->finalizer = finalizer;
}

void aard__user_retain(aard__user *user) { atomic_fetch_add(&user->owners, 1); }

bool aard__user_release(aard__user *user)
{
    if (atomic_fetch_sub(&user->owners, 1) != 1) return false;
    if (user->finalizer) user->finalizer(user->pointer);
    return true;
}
