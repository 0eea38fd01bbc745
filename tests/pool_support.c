#include "pool_support.h"

#include <time.h>

aard_pool_config *pool_config(size_t desired)
{
    static const char *const files[][2] = {
        {"main.js",
         "let n = 0; export const echo = (x) => x; export const count = () => ++n; export const spin = () => { for (;;) {} };"
         "export const bad = () => { try { eval('1') } catch {} return 'done' };"},
        {NULL, NULL},
    };
    aard_pool_config *config = NULL;
    aard_isolate_config *isolate = config_of(AARD_LANGUAGE_JAVASCRIPT);
    aard_bundle *bundle = bundle_of(files);
    aard_isolate_config_set_cleanup(isolate, AARD_CLEANUP_FULL);
    assert_ok(aard_pool_config_new(&config));
    assert_ok(aard_pool_config_set_isolate(config, isolate));
    aard_pool_config_set_bundle(config, bundle);
    assert_ok(aard_pool_config_add_handler(config, "main:echo"));
    assert_ok(aard_pool_config_add_handler(config, "main:count"));
    assert_ok(aard_pool_config_add_handler(config, "main:spin"));
    assert_ok(aard_pool_config_add_handler(config, "main:bad"));
    aard_pool_config_set_size(config, desired, 0, 0);
    aard_isolate_config_free(isolate);
    aard_bundle_free(bundle);
    return config;
}

aard_pool *pool_of(aard_pool_config *config)
{
    aard_pool *pool = NULL;
    assert_ok(aard_pool_new(config, &pool));
    aard_pool_config_free(config);
    return pool;
}

aard_pool_stats stats_of(aard_pool *pool)
{
    aard_pool_stats stats = {.struct_size = sizeof stats};
    assert_ok(aard_pool_get_stats(pool, &stats));
    return stats;
}

aard_pool_stats stats_at_rest(aard_pool *pool)
{
    assert_ok(aard_pool_wait_ready(pool, 30000));
    return stats_of(pool);
}

void pause_ms(unsigned ms)
{
    struct timespec pause = {ms / 1000, (long)(ms % 1000) * 1000000};
    nanosleep(&pause, NULL);
}

aard_outcome *pool_call(aard_pool *pool, const char *entrypoint, const char *input)
{
    aard_call *what = NULL;
    aard_outcome *outcome = NULL;
    const aard_pool_request request = {.struct_size = sizeof request, .entrypoint = entrypoint};
    assert_ok(aard_call_new(&what));
    if (input) aard_call_set_input_json(what, input, strlen(input));
    assert_ok(aard_pool_invoke(pool, &request, what, &outcome));
    aard_call_free(what);
    return check_form(outcome);
}

aard_outcome *pool_exec(aard_pool *pool, const char *code)
{
    aard_outcome *outcome = NULL;
    assert_ok(aard_pool_exec(pool, NULL, code, strlen(code), NULL, NULL, &outcome));
    return check_form(outcome);
}

aard_lease *lease_of(aard_pool *pool)
{
    aard_lease *lease = NULL;
    assert_ok(aard_pool_acquire(pool, NULL, &lease));
    assert_non_null(lease);
    return lease;
}
