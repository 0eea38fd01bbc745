#include "budget/budget.h"

#include "base/clock.h"

#define MS UINT64_C(1000000)

#define SOFT_LEAST                                                                                                     \
    (10 * MS) /* between two soft stops: one may be swallowed, and one too many spoils what the first began */
#define FORCE_AFTER (100 * MS) /* of processor time: what can be ended in a better way has ended by then */
#define FORCE_OFTEN (100 * MS) /* for so long after that; a run is in the engine's own C++ for moments only */
#define FORCE_SOON (MS / 2)
#define FORCE_EVERY (10 * MS)
#define CPU_EVERY (MS / 2) /* at most: a guest that sleeps just before its limit wakes nobody all the time */

static uint64_t earlier(uint64_t a, uint64_t b) { return a < b ? a : b; }

/* ---- what is due --------------------------------------------------------------------------------------------- */

static uint64_t cpu_now(const aard__budget *budget)
{
    struct timespec t;
    if (clock_gettime(budget->cpu_clock, &t)) return 0; /* the thread is no more */
    return (uint64_t)t.tv_sec * 1000 * MS + (uint64_t)t.tv_nsec;
}

/* One thread's processor time never runs faster than the clock: until there could be too much of it nobody has to look. */
static uint64_t cpu_next(const aard__budget *budget, uint64_t now)
{
    uint64_t used = cpu_now(budget) - budget->cpu_start, limit = budget->limits.cpu_ms * MS;
    if (used >= limit) return now;
    return now + (limit - used > CPU_EVERY ? limit - used : CPU_EVERY);
}

/* Whether the call is to end; if not, *next is when to look again. */
static aard__cause find_cause(aard__budget *budget, uint64_t now, uint64_t *next)
{
    if (atomic_load(&budget->cancelled)) return AARD__CAUSE_CANCELLED;
    if (budget->wall_deadline <= now) return AARD__CAUSE_WALL;
    *next = budget->wall_deadline;
    if (!budget->limits.cpu_ms) return AARD__CAUSE_NONE;
    uint64_t cpu = cpu_next(budget, now);
    if (cpu <= now) return AARD__CAUSE_CPU;
    *next = earlier(*next, cpu);
    return AARD__CAUSE_NONE;
}

static uint64_t look(void *user, uint64_t now)
{
    aard__budget *budget = user;
    uint64_t next = AARD__NEVER;
    if (!budget->cause) {
        budget->cause = find_cause(budget, now, &next);
        if (!budget->cause) return next;
        budget->hard_deadline = aard__clock_later(now, budget->limits.grace_ms);
        budget->soft_next = now;
    }
    if (now < budget->hard_deadline) {
        if (now >= budget->soft_next) {
            uint64_t pause = budget->limits.grace_ms * MS / 4;
            budget->stop(budget->user, AARD__STOP_SOFT);
            budget->soft_next = now + (pause > SOFT_LEAST ? pause : SOFT_LEAST);
        }
        return earlier(budget->soft_next, budget->hard_deadline);
    }
    if (!budget->told) {
        budget->told = true;
        budget->cpu_told = cpu_now(budget);
        budget->stop(budget->user, AARD__STOP_HARD);
    }
    uint64_t ran_on = cpu_now(budget) - budget->cpu_told;
    if (ran_on <= FORCE_AFTER) return now + FORCE_EVERY;
    budget->stop(budget->user, AARD__STOP_FORCE);
    return now + (ran_on <= FORCE_AFTER + FORCE_OFTEN ? FORCE_SOON : FORCE_EVERY);
}

/* ---- arming -------------------------------------------------------------------------------------------------- */

/* A budget that is listed and not armed yet is told by its flag, one that is armed by its watch. */
static void cancelled(void *user)
{
    aard__budget *budget = user;
    atomic_store(&budget->cancelled, true);
    aard__watch_hasten(&budget->watch);
}

aard_error *aard__budget_arm(aard__budget *budget, const aard__limits *limits, uint64_t now, uint64_t cpu_start,
                             aard_cancel_handle *cancel)
{
    budget->cause = AARD__CAUSE_NONE;
    budget->wall_deadline = limits->wall_ms ? aard__clock_later(now, limits->wall_ms) : AARD__NEVER;
    if (!limits->wall_ms && !limits->cpu_ms && !cancel) return NULL;
    budget->limits = *limits;
    budget->told = false;
    budget->cpu_start = cpu_start;
    uint64_t first = budget->wall_deadline;
    int failed = pthread_getcpuclockid(pthread_self(), &budget->cpu_clock);
    if (failed) return aard__error_errno(AARD_ERR_THREAD, failed, "the thread has no clock for its processor time");
    if (limits->cpu_ms) first = earlier(first, aard__clock_later(now, limits->cpu_ms));
    atomic_store(&budget->cancelled, false);
    budget->watch.fire = look;
    budget->watch.user = budget;
    budget->cancel.stop = cancelled;
    budget->cancel.user = budget;
    if (!aard__cancel_list(cancel, &budget->cancel)) atomic_store(&budget->cancelled, true);
    aard_error *error = aard__watch_arm(&budget->watch, first);
    if (error)
        aard__cancel_unlist(&budget->cancel);
    else if (atomic_load(&budget->cancelled)) /* before it was armed */
        aard__watch_hasten(&budget->watch);
    return error;
}

aard__cause aard__budget_disarm(aard__budget *budget)
{
    aard__cancel_unlist(&budget->cancel);
    if (budget->watch.armed) aard__watch_disarm(&budget->watch);
    return budget->cause;
}
