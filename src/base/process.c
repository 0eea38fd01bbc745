#include "base/process.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

extern const aard__process_state *const __start_aard_process[] __attribute__((weak, visibility("hidden")));
extern const aard__process_state *const __stop_aard_process[] __attribute__((weak, visibility("hidden")));

static atomic_bool forked, is_template;
static bool deliberate; /* the fork under way is aard__process_fork's */
static unsigned generation;

AARD__PROCESS_KEEPS(process, "what this process is", "forked is_template deliberate generation once");

const aard__process_state *aard__process_state_at(size_t index)
{
    size_t count = (size_t)(__stop_aard_process - __start_aard_process);
    return index < count ? __start_aard_process[index] : NULL;
}

/* ---- forks of hosts ------------------------------------------------------------------------------------------ */

static void in_child(void)
{
    if (!deliberate) atomic_store(&forked, true);
}

static void watch(void) { pthread_atfork(NULL, NULL, in_child); }

void aard__forks_watch(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, watch);
}

bool aard__forked(void) { return atomic_load_explicit(&forked, memory_order_relaxed); }

aard_error *aard__error_forked(void)
{
    return aard__error(AARD_ERR_FORKED,
                       "this process was forked from one with isolates, whose threads it does not have; "
                       "make isolates after the fork, or start another program");
}

/* ---- forks of templates -------------------------------------------------------------------------------------- */

void aard__process_become_template(void) { atomic_store(&is_template, true); }

bool aard__process_is_template(void) { return atomic_load_explicit(&is_template, memory_order_relaxed); }

unsigned aard__process_generation(void) { return generation; }

/* Threads end when all else is done, which may begin work for them. */
static aard_error *prepare(bool threads)
{
    const aard__process_state *state;
    for (size_t i = 0; (state = aard__process_state_at(i)); i++)
        if (state->prepare && (state->rule == AARD__FORK_QUIESCE) == threads) AARD__TRY(state->prepare());
    return NULL;
}

aard_error *aard__process_quiesce(void)
{
    AARD__TRY(prepare(false));
    return prepare(true);
}

static void renew(void)
{
    const aard__process_state *state;
    generation++;
    for (size_t i = 0; (state = aard__process_state_at(i)); i++)
        if (state->renew) state->renew();
}

aard_error *aard__process_fork(pid_t *child)
{
    if (aard__forked()) return aard__error_forked();
    if (!aard__process_is_template())
        return aard__error(AARD_ERR_UNSUPPORTED, "only a template process can be forked with its guests");
    AARD__TRY(aard__process_quiesce());
    deliberate = true;
    pid_t made = fork();
    int failed = errno;
    deliberate = false;
    if (made < 0) return aard__error_errno(AARD_ERR_THREAD, failed, "the template process can't be forked");
    if (!made) renew();
    *child = made;
    return NULL;
}
