/* A histogram of times: of fixed size, each power of two in 16 steps. */
#ifndef AARD_POOL_HISTOGRAM_H
#define AARD_POOL_HISTOGRAM_H

#include <aardvark/pool.h>

enum {
    AARD__HISTOGRAM_STEPS = 16,
    AARD__HISTOGRAM_POWERS = 40, /* 16 ns << 40 are five hours; more counts as that */
    AARD__HISTOGRAM_SIZE = AARD__HISTOGRAM_STEPS * (AARD__HISTOGRAM_POWERS + 1)
};

typedef struct aard__histogram {
    uint64_t counts[AARD__HISTOGRAM_SIZE];
    uint64_t count, sum, max; /* ns */
} aard__histogram;

void aard__histogram_add(aard__histogram *histogram, uint64_t ns);
/* A percentile is the upper end of its step, but never above the maximum. */
void aard__histogram_read(const aard__histogram *histogram, aard_percentiles *out);

#endif
