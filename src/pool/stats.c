/* A pool's statistics: as a struct, as JSON, and in Prometheus' text form. */
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/error.h"
#include "pool/pool.h"

static const char *const recycle_names[] = {
#define RECYCLE_NAME(constant, name) name,
    AARD_RECYCLE_MAP(RECYCLE_NAME)
#undef RECYCLE_NAME
};

static const char *const quarantine_names[] = {
#define QUARANTINE_NAME(constant, number, name) name,
    AARD_QUARANTINE_MAP(QUARANTINE_NAME)
#undef QUARANTINE_NAME
};

/* ---- reading ----------------------------------------------------------------------------------------------------------- */

static void read_counts(const aard__pool_counts *counts, aard_pool_stats *out)
{
    out->calls = counts->calls;
    out->succeeded = counts->succeeded;
    out->failed = counts->calls - counts->succeeded;
    out->refused = counts->refused;
    out->timed_out = counts->timed_out;
    out->cancelled = counts->cancelled;
    out->leases = counts->leases;
    out->created = counts->created;
    out->creations_failed = counts->creations_failed;
    out->freed = counts->freed;
    out->resets = counts->resets;
    out->scale_downs = counts->scale_downs;
    out->heap_kib = counts->heap_kib;
    memcpy(out->recycled, counts->recycled, sizeof out->recycled);
    memcpy(out->quarantined, counts->quarantined, sizeof out->quarantined);
    aard__histogram_read(&counts->queue_wait, &out->queue_wait);
    aard__histogram_read(&counts->run, &out->run);
    aard__histogram_read(&counts->total, &out->total);
}

static aard_error *read_stats(aard_pool *pool, aard_pool_stats *out)
{
    *out = (aard_pool_stats){.struct_size = sizeof *out};
    AARD__TRY(aard__pool_enter(pool));
    out->desired = pool->size.desired;
    out->minimum_idle = pool->size.minimum_idle;
    out->maximum = pool->size.maximum;
    out->idle = pool->slots[AARD__SLOT_IDLE].count;
    out->leased = pool->slots[AARD__SLOT_LEASED].count;
    out->resetting = pool->slots[AARD__SLOT_DIRTY].count + pool->slots[AARD__SLOT_CLEANING].count;
    out->creating = pool->making;
    out->freeing = pool->freeing + pool->slots[AARD__SLOT_DOOMED].count;
    out->waiting = pool->queue.count;
    read_counts(&pool->counts, out);
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

uint64_t aard__pool_heap_kib(aard_pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    uint64_t kib = pool->counts.heap_kib;
    pthread_mutex_unlock(&pool->lock);
    return kib;
}

aard_error *aard_pool_get_stats(aard_pool *pool, aard_pool_stats *out)
{
    AARD__NEED(pool);
    AARD__NEED(out);
    AARD__NEED_THAT(out->struct_size >= sizeof out->struct_size,
                    "the statistics' struct_size is too small; set it to sizeof(aard_pool_stats)");
    aard_pool_stats stats;
    AARD__TRY(read_stats(pool, &stats));
    size_t size = out->struct_size;
    memcpy(out, &stats, size < sizeof stats ? size : sizeof stats);
    out->struct_size = size;
    return NULL;
}

/* ---- what there is ------------------------------------------------------------------------------------------------------- */

/* X(field, Prometheus' name and type, help) */
#define NUMBERS(X)                                                                                                     \
    X(desired, "desired_isolates", "gauge", "Isolates the pool is to have.")                                           \
    X(minimum_idle, "minimum_idle_isolates", "gauge", "Isolates that are idle at least.")                              \
    X(maximum, "maximum_isolates", "gauge", "Isolates the pool may have.")                                             \
    X(idle, "idle_isolates", "gauge", "Isolates that are clean and wait for a call.")                                  \
    X(leased, "leased_isolates", "gauge", "Isolates in use.")                                                          \
    X(resetting, "resetting_isolates", "gauge", "Isolates that are made clean.")                                       \
    X(creating, "creating_isolates", "gauge", "Isolates that are made.")                                               \
    X(freeing, "freeing_isolates", "gauge", "Isolates that are freed.")                                                \
    X(waiting, "waiting_calls", "gauge", "Calls that wait for an isolate.")                                            \
    X(calls, "calls_total", "counter", "Calls that ran.")                                                              \
    X(succeeded, "succeeded_calls_total", "counter", "Calls whose outcome was a success.")                             \
    X(failed, "failed_calls_total", "counter", "Calls whose outcome was a failure.")                                   \
    X(refused, "refused_calls_total", "counter", "Calls refused because the queue was full.")                          \
    X(timed_out, "timed_out_calls_total", "counter", "Calls that got no isolate in time.")                             \
    X(cancelled, "cancelled_calls_total", "counter", "Calls cancelled while they waited.")                             \
    X(leases, "leases_total", "counter", "Isolates handed out.")                                                       \
    X(created, "created_isolates_total", "counter", "Isolates made.")                                                  \
    X(creations_failed, "failed_creations_total", "counter", "Isolates that could not be made.")                       \
    X(freed, "freed_isolates_total", "counter", "Isolates freed.")                                                     \
    X(resets, "resets_total", "counter", "Resets.")                                                                    \
    X(scale_downs, "scale_downs_total", "counter", "Isolates freed because they were idle or too many.")               \
    X(heap_kib, "heap_kib", "gauge", "Heaps of all isolates as of their last calls, in KiB.")

/* ---- JSON -------------------------------------------------------------------------------------------------------------- */

static void put_counts(aard__buf *out, const char *key, const char *const *names, const uint64_t *counts, size_t count)
{
    aard__buf_printf(out, ",\"%s\":{", key);
    for (size_t i = 0; i < count; i++)
        aard__buf_printf(out, "%s\"%s\":%llu", i ? "," : "", names[i], (unsigned long long)counts[i]);
    aard__buf_putc(out, '}');
}

/* Not by "%f", which writes what the host's locale has for a decimal point. */
static void put_decimal(aard__buf *out, double number, unsigned long long fraction, int digits)
{
    unsigned long long scaled = (unsigned long long)(number * (double)fraction + 0.5);
    aard__buf_printf(out, "%llu.%0*llu", scaled / fraction, digits, scaled % fraction);
}

static void put_ms(aard__buf *out, const char *key, double ms)
{
    aard__buf_printf(out, ",\"%s\":", key);
    put_decimal(out, ms, 1000000, 6);
}

static void put_percentiles(aard__buf *out, const char *key, const aard_percentiles *p)
{
    aard__buf_printf(out, ",\"%s\":{\"count\":%llu", key, (unsigned long long)p->count);
    put_ms(out, "p50_ms", p->p50_ms);
    put_ms(out, "p95_ms", p->p95_ms);
    put_ms(out, "p99_ms", p->p99_ms);
    put_ms(out, "max_ms", p->max_ms);
    put_ms(out, "sum_ms", p->sum_ms);
    aard__buf_putc(out, '}');
}

aard_error *aard_pool_stats_json(aard_pool *pool, char **out, size_t *len)
{
    AARD__NEED(pool);
    AARD__NEED(out);
    aard_pool_stats stats;
    aard__buf json = AARD__BUF_INIT;
    AARD__TRY(read_stats(pool, &stats));
    aard__buf_puts(&json, "{\"name\":");
    aard__buf_json_string(&json, pool->config->name, strlen(pool->config->name));
#define PUT_NUMBER(field, name, type, help)                                                                            \
    aard__buf_printf(&json, ",\"" #field "\":%llu", (unsigned long long)stats.field);
    NUMBERS(PUT_NUMBER)
#undef PUT_NUMBER
    put_counts(&json, "recycled", recycle_names, stats.recycled, AARD_RECYCLE_CAUSES);
    put_counts(&json, "quarantined", quarantine_names, stats.quarantined, AARD_QUARANTINE_CAUSES);
    put_percentiles(&json, "queue_wait", &stats.queue_wait);
    put_percentiles(&json, "run", &stats.run);
    put_percentiles(&json, "total", &stats.total);
    aard__buf_putc(&json, '}');
    char *text = aard__buf_take(&json, len);
    if (!text) return aard__error_no_memory();
    *out = text;
    return NULL;
}

/* ---- Prometheus -------------------------------------------------------------------------------------------------------- */

/* What is written of several pools at once: their statistics, and their names as label values. */
typedef struct report {
    aard_pool_stats *stats;
    aard_pool *const *pools;
    size_t count;
    aard__buf text;
} report;

static void put_label(aard__buf *out, const char *name)
{
    aard__buf_puts(out, "{pool=\"");
    for (const char *at = name; *at; at++) {
        if (*at == '\\' || *at == '"' || *at == '\n') aard__buf_putc(out, '\\');
        aard__buf_putc(out, (char)(*at == '\n' ? 'n' : *at));
    }
    aard__buf_putc(out, '"');
}

static void put_head(report *r, const char *name, const char *type, const char *help)
{
    aard__buf_printf(&r->text, "# HELP aardvark_pool_%s %s\n# TYPE aardvark_pool_%s %s\n", name, help, name, type);
}

static void put_sample(report *r, size_t pool, const char *name, const char *label, const char *value, uint64_t number)
{
    aard__buf_printf(&r->text, "aardvark_pool_%s", name);
    put_label(&r->text, r->pools[pool]->config->name);
    if (label) aard__buf_printf(&r->text, ",%s=\"%s\"", label, value);
    aard__buf_printf(&r->text, "} %llu\n", (unsigned long long)number);
}

static void put_quantile(report *r, size_t pool, const char *name, const char *suffix, const char *quantile, double ms)
{
    aard__buf_printf(&r->text, "aardvark_pool_%s%s", name, suffix);
    put_label(&r->text, r->pools[pool]->config->name);
    if (quantile) aard__buf_printf(&r->text, ",quantile=\"%s\"", quantile);
    aard__buf_puts(&r->text, "} ");
    put_decimal(&r->text, ms / 1000, 1000000000, 9);
    aard__buf_putc(&r->text, '\n');
}

static const aard_percentiles *percentiles_of(const aard_pool_stats *stats, size_t offset)
{
    return (const aard_percentiles *)(const void *)((const char *)stats + offset);
}

static void put_summary(report *r, const char *name, const char *count_name, const char *help, size_t offset)
{
    put_head(r, name, "summary", help);
    for (size_t i = 0; i < r->count; i++) {
        const aard_percentiles *p = percentiles_of(&r->stats[i], offset);
        put_quantile(r, i, name, "", "0.5", p->p50_ms);
        put_quantile(r, i, name, "", "0.95", p->p95_ms);
        put_quantile(r, i, name, "", "0.99", p->p99_ms);
        put_quantile(r, i, name, "_sum", NULL, p->sum_ms);
        put_sample(r, i, count_name, NULL, NULL, p->count);
    }
}

static void put_all(report *r)
{
#define PUT_NUMBER(field, name, type, help)                                                                            \
    put_head(r, name, type, help);                                                                                     \
    for (size_t i = 0; i < r->count; i++) put_sample(r, i, name, NULL, NULL, r->stats[i].field);
    NUMBERS(PUT_NUMBER)
#undef PUT_NUMBER
    put_head(r, "recycled_isolates_total", "counter", "Isolates replaced in good order, by cause.");
    for (size_t i = 0; i < r->count; i++)
        for (size_t k = 0; k < AARD_RECYCLE_CAUSES; k++)
            put_sample(r, i, "recycled_isolates_total", "cause", recycle_names[k], r->stats[i].recycled[k]);
    put_head(r, "quarantined_isolates_total", "counter", "Isolates thrown away at once, by cause.");
    for (size_t i = 0; i < r->count; i++)
        for (size_t k = 0; k < AARD_QUARANTINE_CAUSES; k++)
            put_sample(r, i, "quarantined_isolates_total", "cause", quarantine_names[k], r->stats[i].quarantined[k]);
    put_summary(r, "queue_wait_seconds", "queue_wait_seconds_count", "How long calls and leases waited for an isolate.",
                offsetof(aard_pool_stats, queue_wait));
    put_summary(r, "run_seconds", "run_seconds_count", "How long calls ran.", offsetof(aard_pool_stats, run));
    put_summary(r, "total_seconds", "total_seconds_count", "How long calls waited and ran.",
                offsetof(aard_pool_stats, total));
}

aard_error *aard_pools_prometheus(aard_pool *const *pools, size_t count, char **out, size_t *len)
{
    AARD__NEED_THAT(pools || !count, "NULL has no pools; give them, or a count of 0");
    AARD__NEED(out);
    for (size_t i = 0; i < count; i++) AARD__NEED_THAT(pools[i], "one of the pools is NULL; it must not be");
    report r = {.pools = pools, .count = count, .stats = aard__calloc(count + 1, sizeof(aard_pool_stats))};
    if (!r.stats) return aard__error_no_memory();
    aard_error *error = NULL;
    for (size_t i = 0; i < count && !error; i++) error = read_stats(pools[i], &r.stats[i]);
    if (!error) put_all(&r);
    aard__free(r.stats);
    if (error) return error;
    char *text = aard__buf_take(&r.text, len);
    if (!text) return aard__error_no_memory();
    *out = text;
    return NULL;
}
