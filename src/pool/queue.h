/* Who waits for an isolate, in a fair order: the highest priority first, within one a turn for each tenant, within a tenant by
 * arrival.  It allocates nothing: those who wait bring their own memory. */
#ifndef AARD_POOL_QUEUE_H
#define AARD_POOL_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { AARD__QUEUE_LEVELS = 8, AARD__QUEUE_BUCKETS = 256 };

typedef struct aard__entry {
    const char *tenant; /* borrowed while it waits; may be NULL */
    int level;          /* of priority: 0 to AARD__QUEUE_LEVELS - 1 */
    bool job;           /* can only be served by a thread of the pool */
    /* The queue's: */
    uint64_t hash;
    struct aard__entry *later, *earlier;           /* of all that wait, by arrival */
    struct aard__entry *next, *previous;           /* of the tenant's, in its level */
    bool first;                                    /* of the tenant's; then: */
    struct aard__entry *last;                      /* of the tenant's */
    struct aard__entry *ring_next, *ring_previous; /* the level's tenants, in a circle */
    struct aard__entry *chain;                     /* in the hash table */
} aard__entry;

typedef struct aard__queue {
    aard__entry *oldest, *newest;
    aard__entry *turn[AARD__QUEUE_LEVELS]; /* whose turn is next */
    aard__entry *buckets[AARD__QUEUE_BUCKETS];
    size_t count, jobs;
} aard__queue;

void aard__queue_add(aard__queue *queue, aard__entry *entry);
void aard__queue_remove(aard__queue *queue, aard__entry *entry);
/* Takes out whose turn it is; NULL where nobody waits, or only jobs and `jobs` is false. */
aard__entry *aard__queue_pop(aard__queue *queue, bool jobs);

#endif
