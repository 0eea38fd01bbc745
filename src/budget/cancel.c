/* Cancel handles. */
#include "budget/cancel.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/process.h"

struct aard_cancel_handle {
    atomic_size_t owners;
    atomic_bool done;
    pthread_mutex_t lock; /* taken before the watchdog's */
    aard__cancel_entry *entries;
};

aard_error *aard_cancel_handle_new(aard_cancel_handle **out)
{
    AARD__NEED(out);
    aard_cancel_handle *handle = aard__calloc(1, sizeof *handle);
    if (!handle) return aard__error_no_memory();
    atomic_init(&handle->owners, 1);
    pthread_mutex_init(&handle->lock, NULL);
    *out = handle;
    return NULL;
}

aard_cancel_handle *aard_cancel_handle_retain(aard_cancel_handle *handle)
{
    if (handle) atomic_fetch_add(&handle->owners, 1);
    return handle;
}

void aard_cancel_handle_free(aard_cancel_handle *handle)
{
    if (!handle || atomic_fetch_sub(&handle->owners, 1) != 1) return;
    pthread_mutex_destroy(&handle->lock);
    aard__free(handle);
}

void aard_cancel(aard_cancel_handle *handle)
{
    if (!handle || aard__forked()) return; /* whose calls are the parent's */
    pthread_mutex_lock(&handle->lock);
    atomic_store(&handle->done, true);
    for (aard__cancel_entry *entry = handle->entries; entry; entry = entry->next) entry->stop(entry->user);
    pthread_mutex_unlock(&handle->lock);
}

bool aard_cancel_handle_is_cancelled(const aard_cancel_handle *handle) { return handle && atomic_load(&handle->done); }

bool aard__cancel_list(aard_cancel_handle *handle, aard__cancel_entry *entry)
{
    if (!handle) return true;
    pthread_mutex_lock(&handle->lock);
    bool cancelled = atomic_load(&handle->done);
    entry->handle = handle;
    entry->previous = NULL;
    entry->next = handle->entries;
    if (entry->next) entry->next->previous = entry;
    handle->entries = entry;
    pthread_mutex_unlock(&handle->lock);
    return !cancelled;
}

void aard__cancel_unlist(aard__cancel_entry *entry)
{
    aard_cancel_handle *handle = entry->handle;
    if (!handle) return;
    pthread_mutex_lock(&handle->lock);
    if (entry->previous)
        entry->previous->next = entry->next;
    else
        handle->entries = entry->next;
    if (entry->next) entry->next->previous = entry->previous;
    entry->handle = NULL;
    pthread_mutex_unlock(&handle->lock);
}
