#include "pool/histogram.h"

/* Below 16 ns a step is one nanosecond; above, a number's highest five bits tell its step. */
static size_t step_of(uint64_t ns)
{
    if (ns < AARD__HISTOGRAM_STEPS) return (size_t)ns;
    unsigned power = 63u - (unsigned)__builtin_clzll(ns) - 4; /* 0 for 16 to 31 */
    if (power >= AARD__HISTOGRAM_POWERS) return AARD__HISTOGRAM_SIZE - 1;
    return AARD__HISTOGRAM_STEPS * (power + 1) + (size_t)((ns >> power) - AARD__HISTOGRAM_STEPS);
}

/* The largest number that is in the step. */
static uint64_t end_of(size_t step)
{
    if (step < AARD__HISTOGRAM_STEPS) return step;
    size_t power = step / AARD__HISTOGRAM_STEPS - 1, rest = step % AARD__HISTOGRAM_STEPS;
    return ((uint64_t)(AARD__HISTOGRAM_STEPS + rest + 1) << power) - 1;
}

void aard__histogram_add(aard__histogram *histogram, uint64_t ns)
{
    histogram->counts[step_of(ns)]++;
    histogram->count++;
    histogram->sum += ns;
    if (ns > histogram->max) histogram->max = ns;
}

static double percentile_ms(const aard__histogram *histogram, unsigned percent)
{
    uint64_t rank = histogram->count / 100 * percent + (histogram->count % 100 * percent + 99) / 100, seen = 0;
    for (size_t i = 0; i < AARD__HISTOGRAM_SIZE && rank; i++) {
        seen += histogram->counts[i];
        if (seen < rank) continue;
        uint64_t end = i == AARD__HISTOGRAM_SIZE - 1 ? histogram->max : end_of(i);
        return (double)(end < histogram->max ? end : histogram->max) / 1e6;
    }
    return 0;
}

void aard__histogram_read(const aard__histogram *histogram, aard_percentiles *out)
{
    *out = (aard_percentiles){.count = histogram->count,
                              .p50_ms = percentile_ms(histogram, 50),
                              .p95_ms = percentile_ms(histogram, 95),
                              .p99_ms = percentile_ms(histogram, 99),
                              .max_ms = (double)histogram->max / 1e6,
                              .sum_ms = (double)histogram->sum / 1e6};
}
