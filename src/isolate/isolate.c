/* The public isolate: owns a guest, replaces it when it is broken, and gives every call an outcome. */
#include "worker/isolate.h"

#include <sodium.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/thread.h"
#include "distribution/distribution.h"
#include "guest/python/packages.h"
#include "guest/python/warm_state.h"

static atomic_uint_fast64_t last_id;

/* ---- life ----------------------------------------------------------------------------------------------------- */

typedef struct furnishing {
    aard__guest *guest;
    aard_bundle *bundle;
    aard_error *error;
} furnishing;

static void furnish(void *user)
{
    furnishing *f = user;
    f->error = aard__packages_load(f->guest, f->bundle);
    if (!f->error && f->bundle) f->error = aard__guest_mount(f->guest, f->bundle);
}

/* Gives a new guest its bundle. */
static aard_error *furnish_guest(aard__guest *guest, aard_bundle *bundle, uint64_t deadline)
{
    furnishing f = {.guest = guest, .bundle = bundle};
    aard__budget budget = {.stop = aard__guest_stop, .user = guest};
    uint64_t now = aard__clock_monotonic();
    aard__limits limits = {.wall_ms = !deadline ? 0 : deadline > now ? (deadline - now) / 1000000 + 1 : 1};
    AARD__TRY(aard__budget_arm(&budget, &limits, now, 0, NULL));
    aard_error *error = aard__guest_run(guest, furnish, &f);
    bool late = aard__budget_disarm(&budget) != AARD__CAUSE_NONE;
    if (error || (!late && !guest->lost)) return error ? error : f.error;
    aard_error_free(f.error);
    return aard__error(AARD_ERR_GUEST_BOOT, late ? "the guest did not start within its start-up limit; raise it"
                                                 : "the guest did not start: its heap limit is too low");
}

static aard_error *make_guest(const aard_isolate *isolate, aard_bundle *bundle, aard__guest **out)
{
    const aard_isolate_config *config = isolate->config;
    uint64_t limit = config->startup_limit_ms, now = aard__clock_monotonic();
    aard__guest_options options = {
        .language = config->language,
        .distribution = config->distribution,
        .warm = isolate->kept ? isolate->kept : config->warm,
        .config = config,
        .grants_javascript = aard__config_grants(config, "js"),
        .grants_code = aard__config_grants(config, "codegen"),
        .streams = {.limit = config->output_limit,
                    .callback = config->listener ? config->listener->callback : NULL,
                    .user = config->listener ? config->listener->user : NULL},
        .heap_limit = config->heap_limit,
        .engine_heap_limit = config->engine_heap_limit,
        .buffer_limit = config->buffer_limit,
        .deadline = !limit                         ? 0
                    : limit > UINT64_MAX / 4000000 ? UINT64_MAX / 2
                                                   : now + limit * 1000000,
    };
    aard__guest *guest;
    AARD__TRY(aard__guest_new(&options, &guest));
    aard_error *error = bundle || aard__packages_wanted(config) ? furnish_guest(guest, bundle, options.deadline) : NULL;
    if (error)
        aard__guest_free(guest);
    else
        *out = guest;
    return error;
}

aard_error *aard__isolate_boot(aard_isolate *isolate, aard_bundle *bundle)
{
    aard__guest *guest;
    AARD__TRY(make_guest(isolate, bundle, &guest));
    aard__guest_free(isolate->guest);
    isolate->guest = guest;
    isolate->soiled = isolate->used = isolate->remembered = isolate->ahead.spare = isolate->ahead.taken = false;
    isolate->generation++;
    isolate->budget = (aard__budget){.stop = aard__guest_stop, .user = guest};
    aard__handlers_forget(isolate);
    return NULL;
}

void aard__isolate_drop_guest(aard_isolate *isolate)
{
    aard__guest *guest = isolate->guest;
    isolate->guest = NULL;
    isolate->ahead.spare = isolate->ahead.taken = false;
    aard__guest_free(guest);
}

aard_error *aard_isolate_new(const aard_isolate_config *config, aard_isolate **out)
{
    AARD__NEED(out);
    if (aard__forked()) return aard__error_forked();
    if (config && config->isolation == AARD_ISOLATION_PROCESS)
        return aard__error(AARD_ERR_UNSUPPORTED,
                           "isolation 'process' is not part of this version; use isolation 'thread'");
    /* Without this libsodium takes its slowest ways, for the random numbers of each reset, too. */
    if (sodium_init() < 0) return aard__error(AARD_ERR_IO, "cannot start libsodium");
    aard_isolate *isolate = aard__calloc(1, sizeof *isolate);
    if (!isolate) return aard__error_no_memory();
    atomic_flag_clear(&isolate->busy);
    isolate->id = atomic_fetch_add(&last_id, 1) + 1;
    aard_error *error = aard__config_copy(config, &isolate->config);
    if (!error) error = aard__config_check(isolate->config);
    if (!error) error = aard__config_check_limits(isolate->config);
    if (!error) error = aard__warm_state_fits(isolate->config);
    if (!error && isolate->config->language == AARD_LANGUAGE_PYTHON && !isolate->config->distribution)
        error = aard_distribution_open(NULL, &isolate->config->distribution);
    isolate->resettable = !error && isolate->config->cleanup == AARD_CLEANUP_FULL;
    if (!error) aard__isolate_set_network(isolate, NULL, &(aard__host_list){0});
    if (!error) error = aard__isolate_boot(isolate, NULL);
    if (error) {
        aard_isolate_free(isolate);
        return error;
    }
    *out = isolate;
    return NULL;
}

void aard_isolate_free(aard_isolate *isolate)
{
    if (!isolate || aard__forked()) return; /* a copy of the parent's can't be freed */
    aard__guest_free(isolate->guest);
    isolate->guest = NULL;
    aard__handlers_sweep(isolate, false);
    aard_bundle_free(isolate->bundle);
    aard_warm_state_free(isolate->kept);
    aard__host_list_free(&isolate->bundle_hosts);
    aard_isolate_config_free(isolate->config);
    aard__free(isolate);
}

aard_error *aard__isolate_claim(aard_isolate *isolate)
{
    if (aard__forked()) return aard__error_forked();
    if (!atomic_flag_test_and_set_explicit(&isolate->busy, memory_order_acquire)) {
        if (atomic_load_explicit(&isolate->has_gone, memory_order_relaxed)) aard__handlers_sweep(isolate, true);
        return NULL;
    }
    return aard__error(AARD_ERR_BUSY, "isolate %llu is in use by another call; make calls one at a time",
                       (unsigned long long)isolate->id);
}

void aard__isolate_release(aard_isolate *isolate) { atomic_flag_clear_explicit(&isolate->busy, memory_order_release); }

void aard_isolate_losses(uint64_t *left, uint64_t *abandoned)
{
    aard__losses losses = aard__engine_losses();
    if (left) *left = losses.lost;
    if (abandoned) *abandoned = losses.abandoned;
}

/* ---- the guest outside of calls -------------------------------------------------------------------------------- */

aard_error *aard__isolate_arm_at(aard_isolate *isolate, const aard__limits *limits, aard_cancel_handle *cancel,
                                 uint64_t now, uint64_t cpu_start)
{
    aard__limits here = *limits;
    if (!isolate->guest->ops->interrupt) here.grace_ms = 0; /* it can't be asked */
    return aard__budget_arm(&isolate->budget, &here, now, cpu_start, cancel);
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
    if (!limits.wall_ms) limits.wall_ms = isolate->config->startup_limit_ms;
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

/* ---- bundles -------------------------------------------------------------------------------------------------- */

static aard_error *fits(const aard_isolate *isolate, const aard_bundle *bundle)
{
    AARD__TRY(aard__warm_state_takes(isolate->config->warm, bundle));
    const aard_manifest *manifest = aard_bundle_manifest(bundle);
    if (!manifest) return NULL;
    bool python = isolate->config->language == AARD_LANGUAGE_PYTHON;
    if ((aard_manifest_language(manifest) == AARD_LANGUAGE_PYTHON) != python)
        return aard__error(AARD_ERR_MANIFEST_LANGUAGE, "the bundle is %s and the isolate runs %s",
                           python ? "JavaScript" : "Python", python ? "Python" : "JavaScript");
    const char *wanted = aard_manifest_pyodide_version(manifest);
    const char *have = python ? aard_distribution_pyodide_version(isolate->config->distribution) : NULL;
    if (wanted && have && strcmp(wanted, have))
        return aard__error(AARD_ERR_MANIFEST_PYODIDE_VERSION,
                           "the bundle wants Pyodide %s and the distribution in '%s' is %s; stage the other version",
                           wanted, aard_distribution_dir(isolate->config->distribution), have);
    return NULL;
}

typedef struct exchange {
    aard_bundle *bundle;
    aard_error *error;
} exchange;

static bool take_bundle(aard_isolate *isolate, void *user)
{
    exchange *e = user;
    e->error = aard__packages_load(isolate->guest, e->bundle);
    if (e->error) return true;
    e->error = aard__guest_mount(isolate->guest, e->bundle);
    isolate->remembered = isolate->guest->can_reset = false; /* its checkpoint has another bundle */
    return !e->error;
}

/* Gives the guest that is there another bundle.  One that can't take it is gone afterwards, without an error. */
static aard_error *exchange_bundle(aard_isolate *isolate, aard_bundle *bundle)
{
    exchange e = {.bundle = bundle};
    AARD__TRY(aard__isolate_do(isolate, take_bundle, &e));
    if (isolate->guest) return e.error;
    aard_error_free(e.error);
    return NULL;
}

/* Puts the bundle into the guest, which may be another afterwards. */
static aard_error *place_bundle(aard_isolate *isolate, aard_bundle *bundle)
{
    /* Neither modules nor what scripts declare can be taken out of a realm of JavaScript; a new one costs little. */
    bool fresh = isolate->bundle && isolate->config->language == AARD_LANGUAGE_JAVASCRIPT;
    aard__isolate_drop_ahead(isolate); /* it is of the bundle before */
    if (isolate->kept) {               /* nothing of the checkpoint stays */
        aard_warm_state_free(isolate->kept);
        isolate->kept = NULL;
        aard__isolate_drop_guest(isolate);
    }
    if (isolate->guest && (fresh || isolate->soiled)) AARD__TRY(aard__isolate_full_reset(isolate));
    if (isolate->guest) AARD__TRY(exchange_bundle(isolate, bundle));
    return isolate->guest ? NULL : aard__isolate_boot(isolate, bundle);
}

static aard_error *load_bundle(aard_isolate *isolate, aard_bundle *bundle)
{
    aard__host_list hosts = {0};
    AARD__TRY(fits(isolate, bundle));
    AARD__TRY(aard__isolate_hosts_of(bundle, &hosts)); /* before the guest has anything of it */
    aard_error *error = place_bundle(isolate, bundle);
    if (error) {
        aard__host_list_free(&hosts);
        return error;
    }
    aard__isolate_set_network(isolate, bundle, &hosts);
    aard_bundle_free(isolate->bundle);
    isolate->bundle = aard_bundle_retain(bundle);
    isolate->generation++;
    aard__handlers_forget(isolate); /* those of the bundle before must be looked up anew */
    return NULL;
}

aard_error *aard_isolate_load_bundle(aard_isolate *isolate, aard_bundle *bundle)
{
    AARD__NEED(isolate);
    AARD__NEED(bundle);
    AARD__TRY(aard__isolate_claim(isolate));
    aard_error *error = load_bundle(isolate, bundle);
    aard__isolate_release(isolate);
    return error;
}

typedef struct job {
    aard__guest_work work;
    void *user;
    aard_error *error;
} job;

static bool do_job(aard_isolate *isolate, void *user)
{
    job *j = user;
    bool torn = false;
    j->error = j->work(isolate->guest, j->user, &torn);
    return !torn;
}

aard_error *aard__isolate_work(aard_isolate *isolate, aard__guest_work work, void *user)
{
    job j = {.work = work, .user = user};
    AARD__TRY(aard__isolate_ensure_guest(isolate));
    AARD__TRY(aard__isolate_do(isolate, do_job, &j));
    if (!j.error && !isolate->guest)
        return aard__error(AARD_ERR_WARM_CAPTURE, "the guest was stopped: it took longer than its limit");
    return j.error;
}
