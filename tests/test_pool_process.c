/* Pools whose isolates are processes of their own. */
#include "pool_support.h"

#include <unistd.h>

static aard_pool *pool_of_processes(aard_language language, aard_bundle *bundle)
{
    aard_pool_config *config;
    aard_isolate_config *isolate = config_of(language);
    aard_isolate_config_set_isolation(isolate, AARD_ISOLATION_PROCESS);
    aard_isolate_config_set_cleanup(isolate, AARD_CLEANUP_FULL);
    aard_isolate_config_set_wall_limit_ms(isolate, 20000);
    assert_ok(aard_pool_config_new(&config));
    assert_ok(aard_pool_config_set_isolate(config, isolate));
    aard_pool_config_set_bundle(config, bundle);
    aard_pool_config_set_size(config, 2, 0, 2);
    aard_isolate_config_free(isolate);
    aard_bundle_free(bundle);
    return pool_of(config);
}

static void test_a_pool_of_processes(void **state)
{
    (void)state;
    static const char *const python[][2] = {
        {"aardvark.manifest.json", "{\"schemaVersion\": \"1.0\", \"entrypoint\": \"main:count\"}"},
        {"main.py", "n = []\ndef count():\n    n.append(1)\n    return len(n)\n"},
        {NULL, NULL},
    };
    static const char *const javascript[][2] = {
        {"aardvark.manifest.json", "{\"schemaVersion\": \"1.0\", \"entrypoint\": \"main:count\", \"packages\": [], "
                                   "\"runtime\": {\"language\": \"javascript\"}}"},
        {"main.js", "let n = 0; export const count = () => ++n;"},
        {NULL, NULL},
    };
    for (int i = 0; i < 2; i++) {
        aard_pool *pool = pool_of_processes(i ? AARD_LANGUAGE_JAVASCRIPT : AARD_LANGUAGE_PYTHON,
                                            bundle_of(i ? javascript : python));
        for (int k = 0; k < 5; k++) {
            aard_outcome *outcome = pool_call(pool, NULL, NULL);
            assert_int_equal(aard_outcome_isolation(outcome), AARD_ISOLATION_PROCESS);
            value_is(outcome, "1");
        }
        assert_int_equal(stats_at_rest(pool).created, 2);
        if (!i) {
            failure_is(pool_exec(pool, "import os\nos.abort()"), AARD_FAILURE_ENGINE_CRASHED, NULL);
            assert_int_equal(stats_at_rest(pool).quarantined[0], 1);
            value_is(pool_call(pool, NULL, NULL), "1");
        }
        aard_pool_free(pool);
    }
}

/* Children of this process, zombies among them. */
static size_t children(void)
{
    char path[64], *text = NULL;
    size_t count = 0;
    snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t room = 0;
    if (getline(&text, &room, file) > 0)
        for (const char *at = text; *at; at++) count += *at == ' ';
    free(text);
    fclose(file);
    return count;
}

static void live(void)
{
    aard_pool *pool = pool_of_processes(AARD_LANGUAGE_JAVASCRIPT, NULL);
    value_is(pool_exec(pool, "6 * 7"), "42");
    aard_lease *lease = lease_of(pool);
    aard_pool_free(pool);
    aard_lease_release(lease);
}

/* What stays for the pools to come, such as a template and its standby child, is the same after each.  It may not be there
 * yet when it is first counted. */
static void test_nothing_is_left_of_a_freed_pool(void **state)
{
    (void)state;
    enum { POOLS = 8 };
    live();
    pause_ms(500);
    size_t most = children() + 2; /* a template, a standby child */
    for (int i = 0; i < POOLS; i++) live();
    double give_up = now_ms() + 20000;
    while (children() > most && now_ms() < give_up) pause_ms(10);
    assert_true(children() <= most);
}

static int set_up(void **state)
{
    (void)state;
    const char *build = getenv("AARDVARK_BUILD");
    char path[4096];
    snprintf(path, sizeof path, "%s/aardvark-guest", build ? build : "build");
    return setenv("AARDVARK_GUEST_HELPER", path, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_pool_of_processes),
        cmocka_unit_test(test_nothing_is_left_of_a_freed_pool),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
