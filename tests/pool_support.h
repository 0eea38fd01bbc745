/* What the tests of pools share. */
#ifndef AARD_TESTS_POOL_SUPPORT_H
#define AARD_TESTS_POOL_SUPPORT_H

#include "isolate_support.h"

/* Of JavaScript, with cleanup FULL and a bundle whose `main:echo` gives its input and whose `main:count` gives how often it was
 * called since the guest was clean, of `desired` isolates at most. */
aard_pool_config *pool_config(size_t desired);
aard_pool *pool_of(aard_pool_config *config); /* frees the configuration */

aard_pool_stats stats_of(aard_pool *pool);
/* Waits until nothing is being made, reset or freed. */
aard_pool_stats stats_at_rest(aard_pool *pool);
/* Waits until `holds` of the statistics. */
#define wait_for_stats(pool, condition)                                                                                \
    do {                                                                                                               \
        aard_pool_stats s = {0};                                                                                       \
        double give_up = now_ms() + 30000;                                                                             \
        do {                                                                                                           \
            if (now_ms() > give_up) fail_at(HERE, "it never came to: %s", #condition);                                 \
            pause_ms(1);                                                                                               \
            s = stats_of(pool);                                                                                        \
        } while (!(condition));                                                                                        \
    } while (0)

void pause_ms(unsigned ms);

/* One call; its outcome is checked for form. */
aard_outcome *pool_call(aard_pool *pool, const char *entrypoint, const char *input);
aard_outcome *pool_exec(aard_pool *pool, const char *code);

aard_lease *lease_of(aard_pool *pool);

#endif
