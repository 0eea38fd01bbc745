/* Realms that wait besides the standby one. */
#include "guest/parked.h"

#include "base/alloc.h"

static void swap_standby(aard__guest *guest, aard__parked *parked)
{
    aard__realm *realm = guest->standby;
    guest->standby = parked->realm;
    parked->realm = realm;
    for (size_t i = 0; i < aard__guest_part_count(guest); i++) {
        aard__ref *one = guest->standby_parts[i];
        guest->standby_parts[i] = parked->parts[i];
        parked->parts[i] = one;
    }
}

aard__parked *aard__guest_park(aard__guest *guest)
{
    aard__parked *parked = aard__calloc(1, sizeof *parked);
    if (!parked) return NULL;
    swap_standby(guest, parked);
    parked->next = guest->parked;
    guest->parked = parked;
    return parked;
}

static void take_out(aard__guest *guest, aard__parked *parked)
{
    aard__parked **at = &guest->parked;
    while (*at != parked) at = &(*at)->next;
    *at = parked->next;
    aard__free(parked);
}

void aard__guest_unpark(aard__guest *guest, aard__parked *parked)
{
    aard__guest_drop_standby(guest);
    swap_standby(guest, parked);
    take_out(guest, parked);
    aard__guest_exchange(guest);
}

void aard__guest_drop_parked(aard__guest *guest, aard__parked *parked)
{
    swap_standby(guest, parked);
    aard__guest_drop_standby(guest);
    swap_standby(guest, parked); /* the one that was there */
    take_out(guest, parked);
}
