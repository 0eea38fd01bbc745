/* The armor of the interface of pools and registries, as test_api_armor.c has it for the rest.  test-quick */
#include "armor.h"

#include "pool_support.h"

static void on_completion(const aard_completion *completion) { (void)completion; }

static unsigned finalized;
static void finalize(void *user)
{
    (void)user;
    finalized++;
}

static aard_error *hook(void *user, const aard_pool_event *event)
{
    (void)user;
    (void)event;
    return NULL;
}

static void test_configurations(void **state)
{
    (void)state;
    aard_pool_config *config = pool_config(1);
    REFUSED(aard_pool_config_new, NULL);
    RETURNS(aard_pool_config_free, NULL);
    REFUSED(aard_pool_config_set_isolate, NULL, NULL);
    assert_ok(aard_pool_config_set_isolate(config, NULL));
    RETURNS(aard_pool_config_set_bundle, NULL, NULL);
    aard_pool_config_set_bundle(config, NULL);
    REFUSED(aard_pool_config_add_handler, NULL, "main:f");
    REFUSED(aard_pool_config_set_name, NULL, "x");
    REFUSED(aard_pool_config_set_name, config, NULL);
    REFUSED(aard_pool_config_set_name, config, "\xff");
    RETURNS(aard_pool_config_set_size, NULL, 1, 1, 1);
    RETURNS(aard_pool_config_set_start, NULL, AARD_POOL_START_LAZY);
    RETURNS(aard_pool_config_set_queue_limit, NULL, 1);
    RETURNS(aard_pool_config_set_acquire_timeout_ms, NULL, 1);
    RETURNS(aard_pool_config_set_idle_timeout_ms, NULL, 1);
    RETURNS(aard_pool_config_set_threads, NULL, 1);
    RETURNS(aard_pool_config_set_max_calls, NULL, 1);
    RETURNS(aard_pool_config_set_max_age_ms, NULL, 1);
    RETURNS(aard_pool_config_set_max_heap, NULL, 1);
    RETURNS(aard_pool_config_set_max_rss, NULL, 1);
    RETURNS(aard_pool_config_set_quarantine, NULL, 1);
    REFUSED(aard_pool_config_set_hook, NULL, hook, NULL, finalize);
    REFUSED(aard_pool_config_set_hook, config, NULL, NULL, finalize);
    assert_int_equal(finalized, 2);
    SOMETHING(aard_quarantine_name, (aard_quarantine)3);
    aard_pool_config_free(config);
}

static void test_getters(void **state)
{
    (void)state;
    void *user = &state;
    NOTHING(aard_pool_config_isolate, NULL);
    NOTHING(aard_pool_config_bundle, NULL);
    NOTHING(aard_pool_config_name, NULL);
    NOTHING(aard_pool_config_start, NULL);
    NOTHING(aard_pool_config_queue_limit, NULL);
    NOTHING(aard_pool_config_acquire_timeout_ms, NULL);
    NOTHING(aard_pool_config_idle_timeout_ms, NULL);
    NOTHING(aard_pool_config_threads, NULL);
    NOTHING(aard_pool_config_max_calls, NULL);
    NOTHING(aard_pool_config_max_age_ms, NULL);
    NOTHING(aard_pool_config_max_heap, NULL);
    NOTHING(aard_pool_config_max_rss, NULL);
    NOTHING(aard_pool_config_quarantine, NULL);
    NOTHING(aard_pool_config_handler_count, NULL);
    NOTHING(aard_pool_config_handler, NULL, 0);
    NOTHING(aard_pool_config_hook, NULL, &user);
    assert_null(user);
    size_t size = 7;
    RETURNS(aard_pool_config_size, NULL, &size, NULL, NULL);
    assert_int_equal(size, 0);
}

static void test_pools(void **state)
{
    (void)state;
    aard_pool_config *config = pool_config(1);
    aard_pool *pool = NULL;
    aard_pool_stats stats = {.struct_size = sizeof stats};
    char *text = NULL;
    size_t len = 7;
    REFUSED(aard_pool_new, NULL, &pool);
    REFUSED(aard_pool_new, config, NULL);
    assert_null(pool);
    pool = pool_of(config);
    aard_pool *const some[] = {pool, NULL};
    REFUSED(aard_pool_drain, NULL, 1);
    RETURNS(aard_pool_free, NULL);
    REFUSED(aard_pool_set_desired_size, NULL, 1);
    REFUSED(aard_pool_resize, NULL, 1, 1, 1);
    REFUSED(aard_pool_wait_ready, NULL, 1);
    REFUSED(aard_pool_get_stats, NULL, &stats);
    REFUSED(aard_pool_get_stats, pool, NULL);
    REFUSED(aard_pool_stats_json, NULL, &text, &len);
    REFUSED(aard_pool_stats_json, pool, NULL, &len);
    REFUSED(aard_pools_prometheus, some, 2, &text, &len);
    REFUSED(aard_pools_prometheus, NULL, 1, &text, &len);
    REFUSED(aard_pools_prometheus, some, 1, NULL, &len);
    assert_true(!text && len == 7);
    aard_pool_free(pool);
}

static void test_calls(void **state)
{
    (void)state;
    aard_pool *pool = pool_of(pool_config(1));
    aard_outcome *outcome = NULL;
    aard_lease *none = NULL, *lease = lease_of(pool);
    const aard_completion_target target = {.callback = on_completion};
    REFUSED(aard_pool_invoke, NULL, NULL, NULL, &outcome);
    REFUSED(aard_pool_invoke, pool, NULL, NULL, NULL);
    REFUSED(aard_pool_exec, NULL, NULL, "1", 1, NULL, NULL, &outcome);
    REFUSED(aard_pool_exec, pool, NULL, NULL, 1, NULL, NULL, &outcome);
    REFUSED(aard_pool_exec, pool, NULL, "1", 1, NULL, NULL, NULL);
    REFUSED(aard_pool_acquire, NULL, NULL, &none);
    REFUSED(aard_pool_acquire, pool, NULL, NULL);
    REFUSED(aard_pool_try_acquire, NULL, &none);
    REFUSED(aard_pool_try_acquire, pool, NULL);
    REFUSED(aard_lease_invoke, NULL, NULL, NULL, &outcome);
    REFUSED(aard_lease_invoke, lease, NULL, NULL, NULL);
    REFUSED(aard_lease_exec, NULL, "1", 1, NULL, NULL, &outcome);
    REFUSED(aard_lease_exec, lease, NULL, 1, NULL, NULL, &outcome);
    REFUSED(aard_lease_exec, lease, "1", 1, NULL, NULL, NULL);
    NOTHING(aard_lease_isolate, NULL);
    RETURNS(aard_lease_release, NULL);
    RETURNS(aard_lease_discard, NULL);
    REFUSED(aard_pool_submit, NULL, NULL, NULL, &target);
    REFUSED(aard_pool_submit, pool, NULL, NULL, NULL);
    REFUSED(aard_pool_submit_exec, NULL, NULL, "1", 1, NULL, NULL, &target);
    REFUSED(aard_pool_submit_exec, pool, NULL, NULL, 1, NULL, NULL, &target);
    REFUSED(aard_pool_submit_exec, pool, NULL, "1", 1, NULL, NULL, NULL);
    assert_true(!outcome && !none);
    aard_lease_release(lease);
    aard_pool_free(pool);
}

static void test_completion_queues(void **state)
{
    (void)state;
    aard_completion_queue *queue = NULL;
    aard_completion completion = {.user = &queue};
    REFUSED(aard_completion_queue_new, NULL);
    RETURNS(aard_completion_queue_free, NULL);
    try("aard_completion_queue_fd");
    assert_int_equal(aard_completion_queue_fd(NULL), -1);
    NOTHING(aard_completion_queue_next, NULL, &completion);
    assert_ptr_equal(completion.user, &queue);
    assert_ok(aard_completion_queue_new(&queue));
    NOTHING(aard_completion_queue_next, queue, NULL);
    aard_completion_queue_free(queue);
}

static void test_registries(void **state)
{
    (void)state;
    const aard_registry_limits no_size = {0};
    aard_pool_config *config = pool_config(1);
    aard_registry *registry = NULL;
    aard_registry_stats stats = {.struct_size = sizeof stats};
    aard_pool *pool = NULL;
    aard_bundle *bundle = NULL;
    aard_outcome *outcome = NULL;
    char *text = NULL;
    REFUSED(aard_registry_new, NULL, NULL);
    REFUSED(aard_registry_new, &no_size, &registry);
    RETURNS(aard_registry_free, NULL);
    assert_ok(aard_registry_new(NULL, &registry));
    REFUSED(aard_registry_add_profile, NULL, "x", config);
    REFUSED(aard_registry_add_profile, registry, NULL, config);
    REFUSED(aard_registry_add_profile, registry, "x", NULL);
    REFUSED(aard_registry_bundle, NULL, "x", 1, &bundle);
    REFUSED(aard_registry_bundle, registry, NULL, 1, &bundle);
    REFUSED(aard_registry_bundle, registry, "x", 1, NULL);
    REFUSED(aard_registry_pin, NULL, NULL, "x", &pool);
    REFUSED(aard_registry_pin, registry, NULL, NULL, &pool);
    REFUSED(aard_registry_pin, registry, NULL, "x", NULL);
    RETURNS(aard_registry_unpin, NULL, NULL);
    RETURNS(aard_registry_unpin, registry, NULL);
    REFUSED(aard_registry_invoke, NULL, NULL, "x", NULL, NULL, &outcome);
    REFUSED(aard_registry_invoke, registry, NULL, NULL, NULL, NULL, &outcome);
    REFUSED(aard_registry_invoke, registry, NULL, "x", NULL, NULL, NULL);
    REFUSED(aard_registry_remove, NULL, NULL, "x");
    REFUSED(aard_registry_remove, registry, NULL, NULL);
    RETURNS(aard_registry_clear, NULL);
    REFUSED(aard_registry_get_stats, NULL, &stats);
    REFUSED(aard_registry_get_stats, registry, NULL);
    REFUSED(aard_registry_prometheus, NULL, &text, NULL);
    REFUSED(aard_registry_prometheus, registry, NULL, NULL);
    assert_true(!pool && !bundle && !outcome && !text);
    aard_registry_free(registry);
    aard_pool_config_free(config);
}

static void test_none_is_forgotten(void **state)
{
    (void)state;
    none_is_forgotten(true, 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_configurations),
        cmocka_unit_test(test_getters),
        cmocka_unit_test(test_pools),
        cmocka_unit_test(test_calls),
        cmocka_unit_test(test_completion_queues),
        cmocka_unit_test(test_registries),
        cmocka_unit_test(test_none_is_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
