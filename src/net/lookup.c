#include "net/lookup.h"

#include <fcntl.h>
#include <netdb.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/process.h"
#include "base/thread.h"

struct aard__lookup_share {
    atomic_int owners; /* the guest, and each lookup */
    atomic_int under_way;
};

struct aard__lookup {
    aard__lookup_share *share;
    atomic_int owners; /* who asks, and the thread */
    atomic_bool done;
    int event_fd;
    size_t count;
    aard__socket_address addresses[AARD__LOOKUP_ADDRESSES];
    char name[];
};

static atomic_int under_way;
static _Atomic(aard__lookup_hook) hook;

void aard__lookup_set_hook(aard__lookup_hook answer) { atomic_store(&hook, answer); }

/* ---- how many ------------------------------------------------------------------------------------------------------- */

aard__lookup_share *aard__lookup_share_new(void)
{
    aard__lookup_share *share = aard__calloc(1, sizeof *share);
    if (share) atomic_init(&share->owners, 1);
    return share;
}

void aard__lookup_share_drop(aard__lookup_share *share)
{
    if (share && atomic_fetch_sub(&share->owners, 1) == 1) aard__free(share);
}

static bool take_place(aard__lookup_share *share)
{
    if (atomic_fetch_add(&share->under_way, 1) < AARD__LOOKUPS_EACH) {
        if (atomic_fetch_add(&under_way, 1) < AARD__LOOKUPS) {
            atomic_fetch_add(&share->owners, 1);
            return true;
        }
        atomic_fetch_sub(&under_way, 1);
    }
    atomic_fetch_sub(&share->under_way, 1);
    return false;
}

static void give_place(aard__lookup_share *share)
{
    atomic_fetch_sub(&under_way, 1);
    atomic_fetch_sub(&share->under_way, 1);
    aard__lookup_share_drop(share);
}

/* ---- one ------------------------------------------------------------------------------------------------------------ */

void aard__lookup_drop(aard__lookup *lookup)
{
    if (!lookup || atomic_fetch_sub(&lookup->owners, 1) != 1) return;
    close(lookup->event_fd);
    aard__free(lookup);
}

static void resolve(aard__lookup *lookup)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
    struct addrinfo *list = NULL;
    if (getaddrinfo(lookup->name, NULL, &hints, &list)) return;
    for (const struct addrinfo *item = list; item && lookup->count < AARD__LOOKUP_ADDRESSES; item = item->ai_next)
        if (item->ai_addrlen <= sizeof lookup->addresses[0])
            memcpy(&lookup->addresses[lookup->count++], item->ai_addr, item->ai_addrlen);
    freeaddrinfo(list);
}

static void *run(void *argument)
{
    aard__lookup *lookup = argument;
    aard__lookup_hook answer = atomic_load(&hook);
    int count = answer ? answer(lookup->name, lookup->addresses) : -1;
    if (count >= 0)
        lookup->count = (size_t)count;
    else
        resolve(lookup);
    atomic_store(&lookup->done, true);
    give_place(lookup->share); /* before anybody who waits for one is woken */
    ssize_t written = write(lookup->event_fd, &(uint64_t){1}, sizeof(uint64_t));
    (void)written; /* it fails where the count is full: then it is awake */
    aard__lookup_drop(lookup);
    return NULL;
}

static int start_thread(aard__lookup *lookup)
{
    pthread_t thread;
    int failed = aard__thread_start(&thread, run, lookup);
    if (!failed) pthread_detach(thread);
    return failed;
}

static aard_error *start(aard__lookup_share *share, const char *name, int event_fd, aard__lookup **out)
{
    size_t len = strlen(name) + 1;
    aard__lookup *lookup = aard__calloc(1, sizeof *lookup + len);
    if (!lookup) return aard__error_no_memory();
    atomic_init(&lookup->owners, 2);
    memcpy(lookup->name, name, len);
    lookup->share = share;
    lookup->event_fd = fcntl(event_fd, F_DUPFD_CLOEXEC, 0);
    aard_error *error = NULL;
    int failed;
    if (lookup->event_fd < 0)
        error = aard__error(AARD_ERR_BUSY, "the process has no file descriptors left");
    else if ((failed = start_thread(lookup)))
        error = aard__error_errno(AARD_ERR_THREAD, failed, "cannot start a thread that looks a name up");
    if (error) {
        if (lookup->event_fd >= 0) close(lookup->event_fd);
        aard__free(lookup);
        return error;
    }
    *out = lookup;
    return NULL;
}

aard_error *aard__lookup_start(aard__lookup_share *share, const char *name, int event_fd, aard__lookup **out)
{
    *out = NULL;
    if (!take_place(share)) return NULL;
    aard_error *error = start(share, name, event_fd, out);
    if (error) give_place(share);
    return error;
}

bool aard__lookup_done(aard__lookup *lookup, const aard__socket_address **addresses, size_t *count)
{
    if (!atomic_load(&lookup->done)) return false;
    *addresses = lookup->addresses;
    *count = lookup->count;
    return true;
}

/* ---- forks ---------------------------------------------------------------------------------------------------------- */

static aard_error *expect_none(void)
{
    if (!atomic_load(&under_way)) return NULL;
    return aard__error(AARD_ERR_BUSY, "a name is being looked up; fork the template when that is over");
}

AARD__PROCESS_STATE(lookups, "threads that look up names; the tests' answers", "hook under_way", AARD__FORK_FORBID,
                    expect_none, NULL, NULL);
