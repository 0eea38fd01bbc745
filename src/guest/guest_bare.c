/* A guest without a vm: what every guest is first, and all that a snapshot needs of one. */
#include "base/alloc.h"
#include "base/clock.h"
#include "guest/guest.h"

aard__guest *aard__guest_new_bare(const aard__language_ops *ops)
{
    aard__guest *guest = aard__calloc(1, sizeof *guest + ops->size);
    if (!guest) return NULL;
    guest->ops = ops;
    guest->own = guest + 1;
    guest->eager = true;
    guest->clock.origin = aard__clock_monotonic();
    return guest;
}

void aard__guest_free_bare(aard__guest *guest)
{
    if (guest) aard__result_free(&guest->entry);
    aard__free(guest);
}
