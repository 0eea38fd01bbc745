/* Work in the guest of an isolate, within a limit. */
#include "base/clock.h"
#include "worker/isolate.h"

aard_error *aard__isolate_arm_at(aard_isolate *isolate, const aard__limits *limits, aard_cancel_handle *cancel,
                                 uint64_t now, uint64_t cpu_start)
{
    aard__limits here = *limits;
    if (!isolate->guest->ops->interrupt) here.grace_ms = 0; /* it can't be asked */
    aard_error *error = aard__budget_arm(&isolate->budget, &here, now, cpu_start, cancel);
    isolate->guest->context.deadline = isolate->budget.wall_deadline;
    return error;
}

aard_error *aard__isolate_arm(aard_isolate *isolate, const aard__limits *limits, aard_cancel_handle *cancel)
{
    uint64_t cpu_start = limits->cpu_ms ? aard__clock_thread_cpu() : 0;
    return aard__isolate_arm_at(isolate, limits, cancel, aard__clock_monotonic(), cpu_start);
}

typedef struct errand {
    aard_isolate *isolate;
    bool (*work)(aard_isolate *isolate, void *user);
    void *user;
    bool whole;
} errand;

static void run_errand(void *user)
{
    errand *e = user;
    e->whole = e->work(e->isolate, e->user);
}

aard_error *aard__isolate_do(aard_isolate *isolate, bool (*work)(aard_isolate *isolate, void *user), void *user)
{
    aard__limits limits = aard__config_limits(isolate->config, NULL, 0);
    if (!limits.wall_ms) limits.wall_ms = isolate->config->settings.startup_limit_ms;
    return aard__isolate_do_within(isolate, &limits, work, user);
}

aard_error *aard__isolate_do_within(aard_isolate *isolate, const aard__limits *limits,
                                    bool (*work)(aard_isolate *isolate, void *user), void *user)
{
    errand e = {.isolate = isolate, .work = work, .user = user};
    AARD__TRY(aard__isolate_arm(isolate, limits, NULL));
    aard_error *error = aard__guest_run(isolate->guest, run_errand, &e);
    bool stopped = aard__budget_disarm(&isolate->budget) != AARD__CAUSE_NONE;
    if (!error && (stopped || !e.whole || isolate->guest->lost)) aard__isolate_drop_guest(isolate);
    return error;
}
