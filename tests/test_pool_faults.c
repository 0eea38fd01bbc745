/* The nth allocation, file operation, mapping or thread of a pool's whole life fails, once or from then on, for all n: each step gives
 * an error or an outcome in good form, every submitted call has exactly one completion, nothing stays open, and the next pool
 * is as if nothing had been.  test-timeout: 600 */
#include "fault_support.h"
#include "pool_support.h"

#include <aardvark/registry.h>
#include <stdatomic.h>

#include "zip_builder.h"

static aard_bundle *bundle;
static zb_bytes zip;
static atomic_int completed, succeeded;

/* One of the two; whether it is a success with the right value. */
static bool took(aard_outcome *outcome, aard_error *error)
{
    int paused = fault_pause();
    assert_true(!outcome != !error);
    bool right = fault_is_clean(error);
    if (right) {
        const char *value = aard_outcome_value_json(check_form(outcome), NULL);
        right = value && !strcmp(value, "7");
        aard_outcome_free(outcome);
    }
    fault_resume(paused);
    return right;
}

static void on_completion(const aard_completion *completion)
{
    if (took(completion->outcome, completion->error)) atomic_fetch_add(&succeeded, 1);
    atomic_fetch_add(&completed, 1);
}

static aard_pool_config *configured(bool lazy)
{
    aard_pool_config *config = NULL;
    aard_isolate_config *isolate = NULL;
    if (!fault_is_clean(aard_pool_config_new(&config))) return NULL;
    bool ready = fault_is_clean(aard_isolate_config_new(&isolate));
    aard_isolate_config_set_language(isolate, AARD_LANGUAGE_JAVASCRIPT);
    aard_isolate_config_set_cleanup(isolate, AARD_CLEANUP_FULL);
    ready = ready && fault_is_clean(aard_pool_config_set_isolate(config, isolate)) &&
            fault_is_clean(aard_pool_config_set_name(config, "faulty")) &&
            fault_is_clean(aard_pool_config_add_handler(config, "main:f"));
    aard_pool_config_set_size(config, 1, 0, 2);
    aard_pool_config_set_threads(config, 1);
    aard_pool_config_set_bundle(config, bundle);
    aard_pool_config_set_max_calls(config, 3);
    if (lazy) aard_pool_config_set_start(config, AARD_POOL_START_LAZY);
    aard_isolate_config_free(isolate);
    if (ready) return config;
    aard_pool_config_free(config);
    return NULL;
}

/* Calls and leases: how many steps went well. */
static int use(aard_pool *pool)
{
    const aard_pool_request request = {.struct_size = sizeof request, .tenant = "someone"};
    aard_outcome *outcome = NULL;
    aard_lease *lease = NULL;
    char *text = NULL;
    aard_error *error = aard_pool_invoke(pool, &request, NULL, &outcome);
    int done = took(outcome, error);
    outcome = NULL;
    error = aard_pool_exec(pool, NULL, "7", 1, NULL, NULL, &outcome);
    done += took(outcome, error);
    if (fault_is_clean(aard_pool_acquire(pool, NULL, &lease))) {
        outcome = NULL;
        error = aard_lease_exec(lease, "3 + 4", 5, NULL, NULL, &outcome);
        done += took(outcome, error);
        aard_lease_release(lease);
    }
    done += fault_is_clean(aard_pool_stats_json(pool, &text, NULL));
    aard_string_free(text);
    text = NULL;
    done += fault_is_clean(aard_pools_prometheus(&pool, 1, &text, NULL));
    aard_string_free(text);
    return done;
}

/* Submitted calls: how many were taken, which is how many have to be completed. */
static int submit(aard_pool *pool, aard_completion_queue *queue)
{
    const aard_pool_request request = {.struct_size = sizeof request, .tenant = "someone"};
    const aard_completion_target back = {.callback = on_completion}, queued = {.queue = queue};
    aard_call *call = NULL;
    if (!fault_is_clean(aard_call_new(&call))) return 0;
    aard_call_set_input_json(call, "[1]", 3);
    aard_call_set_stdin(call, "text", 4);
    int taken = fault_is_clean(aard_pool_submit(pool, &request, call, &back));
    taken += fault_is_clean(aard_pool_submit_exec(pool, NULL, "7", 1, "name", call, &back));
    if (queue) taken += fault_is_clean(aard_pool_submit(pool, NULL, NULL, &queued));
    aard_call_free(call);
    return taken;
}

static int fetch(aard_completion_queue *queue)
{
    aard_completion completion;
    int count = 0;
    for (; aard_completion_queue_next(queue, &completion); count++) on_completion(&completion);
    return count;
}

/* A pool's life; how many steps went well. */
static int live(bool lazy)
{
    aard_pool_config *config = configured(lazy);
    aard_pool *pool = NULL;
    aard_completion_queue *queue = NULL;
    if (!config) return 0;
    bool made = fault_is_clean(aard_pool_new(config, &pool));
    aard_pool_config_free(config);
    if (!made) {
        assert_null(pool);
        return 0;
    }
    int done = use(pool);
    atomic_store(&completed, 0);
    atomic_store(&succeeded, 0);
    bool queues = fault_is_clean(aard_completion_queue_new(&queue));
    int taken = submit(pool, queue);
    fault_is_clean(aard_pool_set_desired_size(pool, 2));
    fault_is_clean(aard_pool_drain(pool, 0));
    aard_pool_free(pool);
    fetch(queue);
    assert_int_equal(atomic_load(&completed), taken);
    aard_completion_queue_free(queue);
    return done + queues + atomic_load(&succeeded);
}

static int live_in_a_registry(bool unused)
{
    (void)unused;
    aard_registry *registry = NULL;
    aard_bundle *parsed = NULL;
    aard_outcome *outcome = NULL;
    aard_pool_config *config = configured(false);
    int done = 0;
    if (!config) return 0;
    if (fault_is_clean(aard_registry_new(NULL, &registry)) &&
        fault_is_clean(aard_registry_add_profile(registry, "p", config)) &&
        fault_is_clean(aard_registry_bundle(registry, zip.data, zip.len, &parsed))) {
        for (int i = 0; i < 2; i++) {
            outcome = NULL;
            aard_error *error = aard_registry_invoke(registry, parsed, "p", NULL, NULL, &outcome);
            done += took(outcome, error);
        }
        done += fault_is_clean(aard_registry_remove(registry, parsed, "p"));
    }
    aard_bundle_free(parsed);
    aard_registry_free(registry);
    aard_pool_config_free(config);
    return done;
}

static const struct life {
    const char *name;
    int (*live)(bool lazy);
    bool lazy;
    int steps; /* that go well */
} lives[] = {{"warm", live, false, 9}, {"lazy", live, true, 9}, {"registry", live_in_a_registry, false, 3}};

static void must_live(const struct life *life, int files)
{
    assert_int_equal(life->live(life->lazy), life->steps);
    assert_int_equal(fault_open_files(), files);
}

static void every(const struct life *life, fault kind, bool ever, long step)
{
    life->live(life->lazy); /* what is made once for all is there */
    int files = fault_open_files();
    must_live(life, files);
    long n = 0;
    for (bool more = true; more; n += step) {
        fault_arm(kind, n, ever);
        life->live(life->lazy);
        more = fault_disarm();
        if (fault_open_files() != files) fail_msg("%s: %s %ld left a file open", life->name, fault_names[kind], n);
        if (n % (16 * step) == 0) must_live(life, files);
    }
    must_live(life, files);
    print_message("%s: %s %s of %ld\n", life->name, ever ? "from one on, each" : "each", fault_names[kind], n);
}

static void test_failing_allocations(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(lives); i++)
        for (int ever = 0; ever < 2; ever++) every(&lives[i], ALLOCATION, ever, 1);
}

static void test_failing_files_and_mappings(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(lives); i++)
        for (int ever = 0; ever < 2; ever++) {
            every(&lives[i], FILE_OPERATION, ever, 1);
            every(&lives[i], MAPPING, ever, 1);
        }
}

static void test_failing_threads(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(lives); i++)
        for (int ever = 0; ever < 2; ever++) every(&lives[i], THREAD, ever, 1);
}

static int set_up(void **state)
{
    (void)state;
    zb_zip made = {0};
    zb_text(&made, "main.js", "export const f = () => 7;\n");
    zip = zb_finish(&made);
    assert_ok(aard_bundle_from_bytes(zip.data, zip.len, NULL, &bundle));
    fault_start();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fault_stop();
    aard_bundle_free(bundle);
    free(zip.data);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_failing_threads),
        cmocka_unit_test(test_failing_files_and_mappings),
        cmocka_unit_test(test_failing_allocations),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
