/* Realms of a guest that wait besides the standby one, each with what was prepared in it. */
#ifndef AARD_GUEST_PARKED_H
#define AARD_GUEST_PARKED_H

#include "guest/guest.h"

/* Puts the standby realm aside; NULL, with nothing done, where there is no memory.  It goes with the guest. */
aard__parked *aard__guest_park(aard__guest *guest);
/* The vm entered: such a realm becomes the guest's, and the guest's own the standby one; or it is freed. */
void aard__guest_unpark(aard__guest *guest, aard__parked *parked);
void aard__guest_drop_parked(aard__guest *guest, aard__parked *parked);

#endif
