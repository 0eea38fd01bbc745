/* Names to addresses, each on a thread of its own: the resolver of the C library can't be stopped, so one that is waited
 * for no longer goes on alone and is forgotten. */
#ifndef AARD_NET_LOOKUP_H
#define AARD_NET_LOOKUP_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

enum {
    AARD__LOOKUP_ADDRESSES = 16, /* of one name that are looked at */
    AARD__LOOKUPS = 64,          /* under way in the process, forgotten ones included */
    AARD__LOOKUPS_EACH = 16      /* of one guest */
};

typedef union aard__socket_address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
} aard__socket_address;

typedef struct aard__lookup aard__lookup;
typedef struct aard__lookup_share aard__lookup_share; /* one guest's */

aard__lookup_share *aard__lookup_share_new(void);        /* NULL when memory is out */
void aard__lookup_share_drop(aard__lookup_share *share); /* lookups that are under way keep it; NULL is fine */

/* Starts to look `name` up; writes to `event_fd`, an eventfd of which it keeps a copy, once it is done.  `*out` is NULL
 * where too many are under way: try again later.
 * Errors: busy (no file descriptor is left), thread, no_memory. */
aard_error *aard__lookup_start(aard__lookup_share *share, const char *name, int event_fd, aard__lookup **out);

/* Whether it is done; then `*addresses` has `*count` of them, none where the name has no address, and lives as long as the
 * lookup. */
bool aard__lookup_done(aard__lookup *lookup, const aard__socket_address **addresses, size_t *count);
void aard__lookup_drop(aard__lookup *lookup); /* done or not; NULL is fine */

/* For tests: answers in the resolver's place.  Called on threads of lookups; gives how many addresses it wrote, or -1 to
 * leave the name to the resolver.  NULL ends that. */
typedef int (*aard__lookup_hook)(const char *name, aard__socket_address addresses[AARD__LOOKUP_ADDRESSES]);
void aard__lookup_set_hook(aard__lookup_hook hook);

#endif
