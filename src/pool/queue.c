#include "pool/queue.h"

#include <string.h>

/* ---- tenants: the first entry of each stands for it in its level's circle and in the hash table ------------------- */

static uint64_t hash_of(const aard__entry *entry)
{
    uint64_t hash = UINT64_C(14695981039346656037) ^ (uint64_t)entry->level;
    for (const char *at = entry->tenant; at && *at; at++) hash = (hash ^ (unsigned char)*at) * UINT64_C(1099511628211);
    return hash ^ (hash >> 32);
}

static bool same_tenant(const aard__entry *a, const aard__entry *b)
{
    if (a->hash != b->hash || a->level != b->level || !a->tenant != !b->tenant) return false;
    return !a->tenant || !strcmp(a->tenant, b->tenant);
}

static aard__entry **bucket_of(aard__queue *queue, const aard__entry *entry)
{
    return &queue->buckets[entry->hash % AARD__QUEUE_BUCKETS];
}

static aard__entry *first_of(aard__queue *queue, const aard__entry *entry)
{
    aard__entry *at = *bucket_of(queue, entry);
    while (at && !same_tenant(at, entry)) at = at->chain;
    return at;
}

static void replace_in_chain(aard__queue *queue, aard__entry *entry, aard__entry *by)
{
    aard__entry **at = bucket_of(queue, entry);
    while (*at != entry) at = &(*at)->chain;
    if (by) by->chain = entry->chain;
    *at = by ? by : entry->chain;
}

/* Its turn comes when all others of the level have had theirs. */
static void begin_tenant(aard__queue *queue, aard__entry *entry)
{
    aard__entry **turn = &queue->turn[entry->level], **bucket = bucket_of(queue, entry);
    entry->first = true;
    entry->last = entry;
    entry->chain = *bucket;
    *bucket = entry;
    if (!*turn) {
        *turn = entry->ring_next = entry->ring_previous = entry;
        return;
    }
    entry->ring_next = *turn;
    entry->ring_previous = (*turn)->ring_previous;
    entry->ring_previous->ring_next = (*turn)->ring_previous = entry;
}

static void end_tenant(aard__queue *queue, aard__entry *entry)
{
    aard__entry **turn = &queue->turn[entry->level];
    replace_in_chain(queue, entry, NULL);
    entry->ring_previous->ring_next = entry->ring_next;
    entry->ring_next->ring_previous = entry->ring_previous;
    if (*turn == entry) *turn = entry->ring_next == entry ? NULL : entry->ring_next;
}

/* The tenant keeps its turn. */
static void promote(aard__queue *queue, aard__entry *entry, aard__entry *heir)
{
    aard__entry **turn = &queue->turn[entry->level];
    heir->first = true;
    heir->last = entry->last;
    heir->previous = NULL;
    replace_in_chain(queue, entry, heir);
    bool alone = entry->ring_next == entry;
    heir->ring_next = alone ? heir : entry->ring_next;
    heir->ring_previous = alone ? heir : entry->ring_previous;
    heir->ring_next->ring_previous = heir->ring_previous->ring_next = heir;
    if (*turn == entry) *turn = heir;
}

/* ---- the queue ----------------------------------------------------------------------------------------------------- */

void aard__queue_add(aard__queue *queue, aard__entry *entry)
{
    entry->hash = hash_of(entry);
    entry->first = false;
    entry->next = entry->previous = entry->later = NULL;
    aard__entry *first = first_of(queue, entry);
    if (first) {
        entry->previous = first->last;
        first->last->next = entry;
        first->last = entry;
    } else {
        begin_tenant(queue, entry);
    }
    entry->earlier = queue->newest;
    *(queue->newest ? &queue->newest->later : &queue->oldest) = entry;
    queue->newest = entry;
    queue->count++;
    queue->jobs += entry->job;
}

void aard__queue_remove(aard__queue *queue, aard__entry *entry)
{
    if (entry->first && entry->next)
        promote(queue, entry, entry->next);
    else if (entry->first)
        end_tenant(queue, entry);
    else {
        entry->previous->next = entry->next;
        if (entry->next)
            entry->next->previous = entry->previous;
        else
            first_of(queue, entry)->last = entry->previous;
    }
    *(entry->earlier ? &entry->earlier->later : &queue->oldest) = entry->later;
    *(entry->later ? &entry->later->earlier : &queue->newest) = entry->earlier;
    queue->count--;
    queue->jobs -= entry->job;
}

/* The tenant's first that can be served. */
static aard__entry *servable(aard__entry *entry, bool jobs)
{
    while (entry && entry->job && !jobs) entry = entry->next;
    return entry;
}

aard__entry *aard__queue_pop(aard__queue *queue, bool jobs)
{
    if (queue->count == (jobs ? 0 : queue->jobs)) return NULL;
    for (int level = AARD__QUEUE_LEVELS - 1; level >= 0; level--) {
        aard__entry *tenant = queue->turn[level], *found = NULL, *at = tenant;
        if (!tenant) continue;
        do {
            found = servable(at, jobs);
            if (!found) at = at->ring_next;
        } while (!found && at != tenant);
        if (!found) continue;
        queue->turn[level] = at;
        aard__queue_remove(queue, found);
        /* Where the tenant has nothing more to wait for the turn has gone on by itself. */
        if (found != at || found->next) queue->turn[level] = queue->turn[level]->ring_next;
        return found;
    }
    return NULL;
}
