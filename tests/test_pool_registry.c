/* Registries: one pool for each bundle and profile, limits, removal, bundles that are parsed once.  test-quick */
#include "pool_support.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

#include "zip_builder.h"

enum { THREADS = 8 };

static zb_bytes zip_of(int number)
{
    zb_zip zip = {0};
    char text[100];
    snprintf(text, sizeof text, "export const f = () => %d;", number);
    zb_text(&zip, "aardvark.manifest.json",
            "{\"schemaVersion\": \"1.0\", \"entrypoint\": \"main:f\", \"packages\": [], "
            "\"runtime\": {\"language\": \"javascript\"}}");
    zb_text(&zip, "main.js", text);
    return zb_finish(&zip);
}

static aard_bundle *bundle_number(int number)
{
    zb_bytes bytes = zip_of(number);
    aard_bundle *bundle = NULL;
    assert_ok(aard_bundle_from_bytes(bytes.data, bytes.len, NULL, &bundle));
    free(bytes.data);
    return bundle;
}

static aard_pool_config *profile(size_t size)
{
    aard_pool_config *config;
    aard_isolate_config *isolate = config_of(AARD_LANGUAGE_JAVASCRIPT);
    assert_ok(aard_pool_config_new(&config));
    assert_ok(aard_pool_config_set_isolate(config, isolate));
    aard_pool_config_set_size(config, size, 0, 0);
    aard_isolate_config_free(isolate);
    return config;
}

static aard_registry *registry_of(size_t max_pools, uint64_t max_heap_kib)
{
    aard_registry *registry = NULL;
    const aard_registry_limits limits = {
        .struct_size = sizeof limits, .max_pools = max_pools, .max_heap_kib = max_heap_kib, .max_bundles = 2};
    assert_ok(aard_registry_new(&limits, &registry));
    aard_pool_config *config = profile(1);
    assert_ok(aard_registry_add_profile(registry, "small", config));
    assert_refused(aard_registry_add_profile(registry, "small", config), AARD_ERR_INVALID_ARGUMENT, "small", NULL);
    aard_pool_config_set_size(config, 2, 0, 0);
    assert_ok(aard_registry_add_profile(registry, "large", config));
    assert_ok(aard_pool_config_add_handler(config, "no colon"));
    assert_ok(aard_registry_add_profile(registry, "broken", config));
    aard_pool_config_free(config);
    return registry;
}

static aard_registry_stats stats_of_registry(aard_registry *registry)
{
    aard_registry_stats stats = {.struct_size = sizeof stats};
    assert_ok(aard_registry_get_stats(registry, &stats));
    return stats;
}

static void gives(aard_registry *registry, aard_bundle *bundle, const char *profile_name, const char *value)
{
    aard_outcome *outcome = NULL;
    assert_ok(aard_registry_invoke(registry, bundle, profile_name, NULL, NULL, &outcome));
    value_is(check_form(outcome), value);
}

static void test_one_pool_for_each_bundle_and_profile(void **state)
{
    (void)state;
    aard_registry *registry = registry_of(0, 0);
    aard_bundle *bundles[2] = {bundle_number(1), bundle_number(2)};
    aard_pool *first, *again, *other;
    for (int i = 0; i < 3; i++) {
        gives(registry, bundles[0], "small", "1");
        gives(registry, bundles[1], "small", "2");
        gives(registry, bundles[0], "large", "1");
    }
    aard_registry_stats stats = stats_of_registry(registry);
    assert_true(stats.pools == 3 && stats.misses == 3 && stats.hits == 6 && stats.pinned == 0 && stats.heap_kib > 0);
    assert_ok(aard_registry_pin(registry, bundles[0], "small", &first));
    assert_ok(aard_registry_pin(registry, bundles[0], "small", &again));
    assert_ok(aard_registry_pin(registry, NULL, "small", &other)); /* without a bundle */
    assert_true(first == again && first != other && stats_of_registry(registry).pinned == 2);
    value_is(pool_exec(other, "7"), "7");
    char *text;
    assert_ok(aard_registry_prometheus(registry, &text, NULL));
    assert_contains(text, "pool=\"small/");
    assert_contains(text, "pool=\"large/");
    aard_string_free(text);
    aard_registry_unpin(registry, first);
    aard_registry_unpin(registry, again);
    aard_registry_unpin(registry, other);
    assert_refused(aard_registry_pin(registry, NULL, "none", &other), AARD_ERR_NOT_FOUND, "none", NULL);
    for (int i = 0; i < 2; i++) aard_bundle_free(bundles[i]);
    aard_registry_free(registry);
}

static void test_a_failed_creation_leaves_no_trace(void **state)
{
    (void)state;
    aard_registry *registry = registry_of(0, 0);
    aard_bundle *bundle = bundle_number(1);
    aard_pool *pool = NULL;
    for (int i = 0; i < 2; i++)
        assert_refused(aard_registry_pin(registry, bundle, "broken", &pool), AARD_ERR_ENTRYPOINT_INVALID, "no colon",
                       NULL);
    aard_registry_stats stats = stats_of_registry(registry);
    assert_true(!pool && stats.pools == 0 && stats.creations_failed == 2 && stats.pinned == 0);
    aard_bundle_free(bundle);
    aard_registry_free(registry);
}

static void test_pools_unused_for_longest_are_freed(void **state)
{
    (void)state;
    aard_registry *registry = registry_of(2, 0);
    aard_bundle *bundles[3] = {bundle_number(0), bundle_number(1), bundle_number(2)};
    aard_pool *pinned;
    gives(registry, bundles[0], "small", "0");
    gives(registry, bundles[1], "small", "1");
    gives(registry, bundles[0], "small", "0");
    gives(registry, bundles[2], "small", "2"); /* in place of 1 */
    aard_registry_stats stats = stats_of_registry(registry);
    assert_true(stats.pools == 2 && stats.evictions == 1 && stats.misses == 3);
    gives(registry, bundles[0], "small", "0");
    assert_int_equal(stats_of_registry(registry).misses, 3); /* it was still there */
    assert_ok(aard_registry_pin(registry, bundles[0], "small", &pinned));
    gives(registry, bundles[1], "small", "1");
    gives(registry, bundles[2], "small", "2");
    value_is(pool_call(pinned, NULL, NULL), "0"); /* nobody frees what is pinned */
    stats = stats_of_registry(registry);
    assert_true(stats.pools == 2 && stats.evictions == 3);
    aard_registry_unpin(registry, pinned);
    aard_registry_free(registry);

    registry = registry_of(0, 1); /* any heap is too much: none stays that is not pinned */
    gives(registry, bundles[0], "small", "0");
    stats = stats_of_registry(registry);
    assert_true(stats.pools == 0 && stats.evictions == 1 && stats.heap_kib == 0);
    for (int i = 0; i < 3; i++) aard_bundle_free(bundles[i]);
    aard_registry_free(registry);
}

typedef struct shared {
    aard_registry *registry;
    aard_bundle *bundle;
    const char *profile;
    aard_pool *pool;
    aard_error *error;
    atomic_bool done;
} shared;

static void *pin(void *user)
{
    shared *s = user;
    s->error = aard_registry_pin(s->registry, s->bundle, s->profile, &s->pool);
    return NULL;
}

static void test_threads_that_want_the_same_get_the_same(void **state)
{
    (void)state;
    aard_bundle *bundle = bundle_number(1);
    for (int broken = 0; broken < 2; broken++)
        for (int round = 0; round < 10; round++) {
            aard_registry *registry = registry_of(0, 0);
            shared all[THREADS];
            pthread_t threads[THREADS];
            for (int i = 0; i < THREADS; i++) {
                all[i] = (shared){.registry = registry, .bundle = bundle, .profile = broken ? "broken" : "small"};
                assert_int_equal(pthread_create(&threads[i], NULL, pin, &all[i]), 0);
            }
            for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
            for (int i = 0; i < THREADS; i++) {
                if (broken) assert_refused(all[i].error, AARD_ERR_ENTRYPOINT_INVALID, NULL);
                if (!broken) assert_ok(all[i].error);
                assert_ptr_equal(all[i].pool, all[0].pool);
                aard_registry_unpin(registry, all[i].pool);
            }
            if (!broken) assert_int_equal(stats_of_registry(registry).misses, 1);
            assert_int_equal(stats_of_registry(registry).pools, !broken);
            aard_registry_free(registry);
        }
    aard_bundle_free(bundle);
}

static void *take_out(void *user)
{
    shared *s = user;
    s->error = s->profile ? aard_registry_remove(s->registry, s->bundle, s->profile) : NULL;
    if (!s->profile) aard_registry_clear(s->registry);
    atomic_store(&s->done, true);
    return NULL;
}

static void test_removal_waits_for_calls_in_flight(void **state)
{
    (void)state;
    for (int clear = 0; clear < 2; clear++) {
        aard_registry *registry = registry_of(0, 0);
        aard_bundle *bundle = bundle_number(1);
        aard_pool *pool, *next;
        assert_ok(aard_registry_pin(registry, bundle, "small", &pool));
        shared remover = {.registry = registry, .bundle = bundle, .profile = clear ? NULL : "small"};
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, take_out, &remover), 0);
        for (double give_up = now_ms() + 30000; stats_of_registry(registry).pools;) {
            assert_true(now_ms() < give_up);
            pause_ms(1);
        }
        pause_ms(20);
        assert_false(atomic_load(&remover.done));
        value_is(pool_call(pool, NULL, NULL), "1");
        aard_registry_unpin(registry, pool);
        pthread_join(thread, NULL);
        assert_ok(remover.error);
        assert_ok(aard_registry_pin(registry, bundle, "small", &next)); /* a new one */
        assert_int_equal(stats_of_registry(registry).misses, 2);
        aard_registry_unpin(registry, next);
        assert_ok(aard_registry_remove(registry, bundle, "small"));
        assert_ok(aard_registry_remove(registry, bundle, "small"));
        assert_refused(aard_registry_remove(registry, bundle, "none"), AARD_ERR_NOT_FOUND, NULL);
        aard_bundle_free(bundle);
        aard_registry_free(registry);
    }
}

static void never(const aard_completion *completion)
{
    (void)completion;
    abort();
}

static bool forked(aard_error *error)
{
    bool is = aard_error_get_code(error) == AARD_ERR_FORKED;
    aard_error_free(error);
    return is;
}

/* What a child of fork is told, whatever the parent's threads hold: nothing there waits. */
static void test_a_forked_child_has_no_pools(void **state)
{
    (void)state;
    aard_registry *registry = registry_of(0, 0);
    aard_bundle *bundle = bundle_number(1);
    aard_pool *pool = NULL;
    assert_ok(aard_registry_pin(registry, bundle, "small", &pool));
    aard_lease *lease = lease_of(pool);
    pid_t child = fork();
    if (!child) {
        alarm(60);
        aard_outcome *outcome = NULL;
        aard_lease *none = NULL;
        aard_pool *other = NULL;
        char *text = NULL;
        const aard_completion_target target = {.callback = never};
        bool all = forked(aard_pool_invoke(pool, NULL, NULL, &outcome)) &&
                   forked(aard_pool_acquire(pool, NULL, &none)) && forked(aard_pool_try_acquire(pool, &none)) &&
                   forked(aard_pool_submit(pool, NULL, NULL, &target)) &&
                   forked(aard_lease_invoke(lease, NULL, NULL, &outcome)) && forked(aard_pool_drain(pool, 1)) &&
                   forked(aard_pool_resize(pool, 1, 0, 1)) && forked(aard_pool_wait_ready(pool, 1)) &&
                   forked(aard_pool_stats_json(pool, &text, NULL)) &&
                   forked(aard_pools_prometheus(&pool, 1, &text, NULL)) &&
                   forked(aard_registry_pin(registry, bundle, "small", &other)) &&
                   forked(aard_registry_remove(registry, bundle, "small"));
        aard_lease_release(lease);
        aard_registry_unpin(registry, pool);
        aard_registry_clear(registry);
        aard_pool_free(pool);
        aard_registry_free(registry);
        _exit(all ? 0 : 1);
    }
    int status = 1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    aard_lease_release(lease);
    value_is(pool_call(pool, NULL, NULL), "1");
    aard_registry_unpin(registry, pool);
    aard_bundle_free(bundle);
    aard_registry_free(registry);
}

static void test_bundles_are_parsed_once(void **state)
{
    (void)state;
    aard_registry *registry = registry_of(0, 0);
    aard_bundle *seen[3] = {NULL}, *again = NULL;
    for (int i = 0; i < 3; i++) {
        zb_bytes bytes = zip_of(i);
        assert_ok(aard_registry_bundle(registry, bytes.data, bytes.len, &seen[i]));
        assert_ok(aard_registry_bundle(registry, bytes.data, bytes.len, &again));
        assert_ptr_equal(again, seen[i]);
        aard_bundle_free(again);
        free(bytes.data);
    }
    aard_registry_stats stats = stats_of_registry(registry);
    assert_true(stats.bundles == 2 && stats.bundle_hits == 3 && stats.bundle_misses == 3);
    zb_bytes first = zip_of(0); /* the one that went */
    assert_ok(aard_registry_bundle(registry, first.data, first.len, &again));
    assert_int_equal(stats_of_registry(registry).bundle_misses, 4);
    aard_bundle_free(again);
    free(first.data);
    assert_refused(aard_registry_bundle(registry, "no zip", 6, &again), AARD_ERR_BUNDLE_NOT_ZIP, NULL);
    for (int i = 0; i < 3; i++) aard_bundle_free(seen[i]);
    aard_registry_clear(registry);
    assert_int_equal(stats_of_registry(registry).bundles, 0);
    aard_registry_free(registry);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_pool_for_each_bundle_and_profile),
        cmocka_unit_test(test_a_failed_creation_leaves_no_trace),
        cmocka_unit_test(test_pools_unused_for_longest_are_freed),
        cmocka_unit_test(test_threads_that_want_the_same_get_the_same),
        cmocka_unit_test(test_removal_waits_for_calls_in_flight),
        cmocka_unit_test(test_bundles_are_parsed_once),
        cmocka_unit_test(test_a_forked_child_has_no_pools),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
