/* What is set in a configuration or a call can be read back.  test-quick */
#include "isolate_support.h"

#include <pthread.h>

static void host(const aard_call_context *context, void *user, const char *input, size_t len, aard_reply *reply)
{
    (void)context;
    (void)user;
    (void)input;
    (void)len;
    (void)reply;
}

static void on_output(const aard_call_context *context, void *user, aard_stream stream, const char *data, size_t len)
{
    (void)context;
    (void)user;
    (void)stream;
    (void)data;
    (void)len;
}

/* Sets, and reads what was set. */
#define KEEPS(type, object, name, value)                                                                               \
    do {                                                                                                               \
        aard_##type##_set_##name(object, value);                                                                       \
        assert_true(aard_##type##_##name(object) == (value));                                                          \
    } while (0)

static void test_a_configuration_tells_what_was_set(void **state)
{
    (void)state;
    aard_isolate_config *config = config_of(AARD_LANGUAGE_JAVASCRIPT);
    int mark;
    assert_true(aard_isolate_config_resets_expected(config));
    KEEPS(isolate_config, config, resets_expected, false);
    KEEPS(isolate_config, config, language, AARD_LANGUAGE_JAVASCRIPT);
    KEEPS(isolate_config, config, isolation, AARD_ISOLATION_PROCESS);
    assert_int_equal(aard_isolate_config_required_hardening(config), 0);
    KEEPS(isolate_config, config, required_hardening, AARD_HARDEN_SECCOMP | AARD_HARDEN_LANDLOCK);
    KEEPS(isolate_config, config, cleanup, AARD_CLEANUP_FULL);
    KEEPS(isolate_config, config, wall_limit_ms, 11);
    KEEPS(isolate_config, config, cpu_limit_ms, 12);
    KEEPS(isolate_config, config, grace_ms, 13);
    KEEPS(isolate_config, config, startup_limit_ms, 14);
    KEEPS(isolate_config, config, heap_limit, 15);
    KEEPS(isolate_config, config, engine_heap_limit, 16);
    KEEPS(isolate_config, config, buffer_limit, 17);
    KEEPS(isolate_config, config, output_limit, 18);
    KEEPS(isolate_config, config, result_limit, 19);
    KEEPS(isolate_config, config, result_depth_limit, 20);
    aard_isolate_config_set_output_limit(config, 0);
    aard_isolate_config_set_result_limit(config, 0);
    assert_true(aard_isolate_config_output_limit(config) == (uint64_t)1 << 20);
    assert_true(aard_isolate_config_result_limit(config) == (uint64_t)256 << 20);
    aard_isolate_config_set_stream_callback(config, on_output, &mark, NULL);
    void *user = NULL;
    assert_true(aard_isolate_config_stream_callback(config, &user) == on_output && user == &mark);
    assert_null(aard_isolate_config_user(config));
    assert_ok(aard_isolate_config_set_user(config, &mark, NULL));
    assert_true(aard_isolate_config_user(config) == &mark);
    aard_isolate_config_free(config);
}

static void test_a_configuration_tells_of_its_network_and_files(void **state)
{
    (void)state;
    aard_isolate_config *config = config_of(AARD_LANGUAGE_PYTHON);
    bool https_only = true;
    assert_true(aard_isolate_config_network(config));
    aard_isolate_config_set_network(config, false);
    assert_false(aard_isolate_config_network(config));
    assert_false(aard_isolate_config_https_only(config, &https_only));
    assert_true(https_only);
    aard_isolate_config_set_https_only(config, false);
    assert_true(aard_isolate_config_https_only(config, &https_only));
    assert_false(https_only);
    assert_false(aard_isolate_config_private_addresses(config));
    aard_isolate_config_set_private_addresses(config, true);
    assert_true(aard_isolate_config_private_addresses(config));
    assert_null(aard_isolate_config_ca_file(config));
    assert_ok(aard_isolate_config_set_ca_file(config, "/ca.pem"));
    assert_string_equal(aard_isolate_config_ca_file(config), "/ca.pem");
    assert_int_equal(aard_isolate_config_network_limit(config, AARD_NETWORK_REQUESTS), 200);
    aard_isolate_config_set_network_limit(config, AARD_NETWORK_REQUESTS, 3);
    assert_int_equal(aard_isolate_config_network_limit(config, AARD_NETWORK_REQUESTS), 3);
    aard_isolate_config_set_filesystem(config, AARD_FILESYSTEM_READ, 0, 5, 6);
    aard_filesystem_mode mode = AARD_FILESYSTEM_READ_WRITE;
    uint64_t bytes, files, handles;
    aard_isolate_config_filesystem(config, &mode, &bytes, &files, &handles);
    assert_int_equal(mode, AARD_FILESYSTEM_READ);
    assert_true(bytes == (uint64_t)64 << 20 && files == 5 && handles == 6);
    aard_isolate_config_free(config);
}

static void test_a_configuration_tells_its_lists(void **state)
{
    (void)state;
    aard_isolate_config *config = config_of(AARD_LANGUAGE_PYTHON);
    aard_filesystem_mode mode = AARD_FILESYSTEM_READ;
    assert_ok(aard_isolate_config_add_mount(config, "/", "/data/", AARD_FILESYSTEM_READ_WRITE));
    assert_ok(aard_isolate_config_add_capability(config, " JS "));
    assert_ok(aard_isolate_config_add_package(config, "Ruamel_Yaml"));
    assert_ok(aard_isolate_config_set_env(config, "A", "1=2"));
    assert_ok(aard_isolate_config_set_env(config, "A", "3"));
    assert_ok(aard_isolate_config_allow_host(config, "API.example.com"));
    assert_ok(aard_isolate_config_add_function(config, "Look", host, NULL, NULL));
    assert_int_equal(aard_isolate_config_mount_count(config), 1);
    assert_string_equal(aard_isolate_config_mount(config, 0, &mode), "/data");
    assert_int_equal(mode, AARD_FILESYSTEM_READ_WRITE);
    assert_int_equal(aard_isolate_config_capability_count(config), 1);
    assert_string_equal(aard_isolate_config_capability(config, 0), "js");
    assert_int_equal(aard_isolate_config_package_count(config), 1);
    assert_string_equal(aard_isolate_config_package(config, 0), "ruamel-yaml");
    assert_int_equal(aard_isolate_config_env_count(config), 1);
    assert_string_equal(aard_isolate_config_env(config, 0), "A=3");
    assert_int_equal(aard_isolate_config_host_count(config), 1);
    assert_string_equal(aard_isolate_config_host(config, 0), "api.example.com");
    assert_int_equal(aard_isolate_config_function_count(config), 1);
    assert_string_equal(aard_isolate_config_function(config, 0), "look");
    assert_null(aard_isolate_config_function(config, 1));
    aard_isolate_config_free(config);
}

static void test_a_call_tells_what_was_set(void **state)
{
    (void)state;
    aard_call *call;
    aard_cancel_handle *handle;
    const char *const arguments[] = {"a", "b"};
    size_t len;
    assert_ok(aard_call_new(&call));
    assert_ok(aard_cancel_handle_new(&handle));
    assert_true(aard_call_capture(call));
    KEEPS(call, call, capture, false);
    assert_false(aard_call_rollback(call));
    KEEPS(call, call, rollback, true);
    KEEPS(call, call, wall_limit_ms, 11);
    KEEPS(call, call, cpu_limit_ms, 12);
    KEEPS(call, call, result_limit, 13);
    KEEPS(call, call, source_kind, AARD_SOURCE_STDIN);
    KEEPS(call, call, user, (void *)&len);
    KEEPS(call, call, cancel_handle, handle);
    aard_cancel_handle_free(handle);
    assert_ok(aard_call_set_arguments(call, arguments, 2));
    assert_int_equal(aard_call_argument_count(call), 2);
    assert_string_equal(aard_call_argument(call, 1), "b");
    assert_null(aard_call_argument(call, 2));
    aard_call_set_stdin(call, "in", 2);
    const char *text = aard_call_stdin(call, &len);
    assert_text(text, len, "in");
    assert_ok(aard_call_copy_input_json(call, "12", 2));
    text = aard_call_input_json(call, &len);
    assert_text(text, len, "12");
    aard_call_free(call);
}

static aard_error *on_pool(void *user, const aard_pool_event *event)
{
    (void)user;
    (void)event;
    return NULL;
}

static void test_a_pool_tells_what_was_set(void **state)
{
    (void)state;
    aard_pool_config *config;
    aard_isolate_config *isolate = config_of(AARD_LANGUAGE_JAVASCRIPT);
    void *user = NULL;
    assert_ok(aard_pool_config_new(&config));
    assert_ok(aard_pool_config_set_isolate(config, isolate));
    aard_isolate_config_free(isolate);
    assert_int_equal(aard_isolate_config_language(aard_pool_config_isolate(config)), AARD_LANGUAGE_JAVASCRIPT);
    assert_ok(aard_pool_config_set_name(config, "p"));
    assert_string_equal(aard_pool_config_name(config), "p");
    assert_ok(aard_pool_config_add_handler(config, "main:f"));
    assert_int_equal(aard_pool_config_handler_count(config), 1);
    assert_string_equal(aard_pool_config_handler(config, 0), "main:f");
    size_t sizes[3];
    aard_pool_config_set_size(config, 2, 1, 3);
    aard_pool_config_size(config, &sizes[0], &sizes[1], &sizes[2]);
    assert_true(sizes[0] == 2 && sizes[1] == 1 && sizes[2] == 3);
    KEEPS(pool_config, config, start, AARD_POOL_START_LAZY);
    KEEPS(pool_config, config, queue_limit, 4);
    KEEPS(pool_config, config, acquire_timeout_ms, 5);
    KEEPS(pool_config, config, idle_timeout_ms, 6);
    KEEPS(pool_config, config, threads, 7);
    KEEPS(pool_config, config, max_calls, 8);
    KEEPS(pool_config, config, max_age_ms, 9);
    KEEPS(pool_config, config, max_heap, 10);
    KEEPS(pool_config, config, max_rss, 11);
    KEEPS(pool_config, config, quarantine, AARD_QUARANTINE_TIMEOUT);
    assert_ok(aard_pool_config_set_hook(config, on_pool, sizes, NULL));
    assert_true(aard_pool_config_hook(config, &user) == on_pool && user == sizes);
    aard_pool_config_free(config);
}

static void on_progress(void *user, const char *step, uint64_t done, uint64_t total)
{
    (void)user;
    (void)step;
    (void)done;
    (void)total;
}

static void test_a_staging_tells_what_was_set(void **state)
{
    (void)state;
    aard_stage_options *options;
    void *user = NULL;
    assert_ok(aard_stage_options_new(&options));
    assert_ok(aard_stage_options_set_version(options, "1.2.3"));
    assert_ok(aard_stage_options_set_archive(options, "/a"));
    assert_ok(aard_stage_options_set_home(options, "/h"));
    assert_ok(aard_stage_options_add_wheel(options, "/w"));
    assert_string_equal(aard_stage_options_version(options), "1.2.3");
    assert_string_equal(aard_stage_options_archive(options), "/a");
    assert_string_equal(aard_stage_options_home(options), "/h");
    assert_int_equal(aard_stage_options_wheel_count(options), 1);
    assert_string_equal(aard_stage_options_wheel(options, 0), "/w");
    assert_null(aard_stage_options_wheel(options, 1));
    KEEPS(stage_options, options, variant, AARD_VARIANT_FULL);
    KEEPS(stage_options, options, force, true);
    KEEPS(stage_options, options, lock_timeout_ms, 3);
    aard_stage_options_set_lock_timeout_ms(options, 0);
    assert_int_equal(aard_stage_options_lock_timeout_ms(options), 600000);
    aard_stage_options_set_progress(options, on_progress, options);
    assert_true(aard_stage_options_progress(options, &user) == on_progress && user == options);
    aard_stage_options_free(options);
}

/* ---- what 0 and the largest number stand for ------------------------------------------------------------------------ */

static void set_all(aard_isolate_config *config, uint64_t limit)
{
    aard_isolate_config_set_wall_limit_ms(config, limit);
    aard_isolate_config_set_cpu_limit_ms(config, limit);
    aard_isolate_config_set_grace_ms(config, limit);
    aard_isolate_config_set_startup_limit_ms(config, limit);
    aard_isolate_config_set_heap_limit(config, limit);
    aard_isolate_config_set_engine_heap_limit(config, limit);
    aard_isolate_config_set_buffer_limit(config, limit);
    aard_isolate_config_set_output_limit(config, limit);
    aard_isolate_config_set_result_limit(config, limit);
    aard_isolate_config_set_result_depth_limit(config, limit);
    aard_isolate_config_set_filesystem(config, AARD_FILESYSTEM_READ_WRITE, limit, limit, limit);
#define SET(constant, member) aard_isolate_config_set_network_limit(config, constant, limit);
    AARD_NETWORK_LIMIT_MAP(SET)
#undef SET
}

static void test_limits_of_0_and_of_the_most_run(void **state)
{
    (void)state;
    static const uint64_t limits[] = {0, UINT64_MAX};
    for (size_t i = 0; i < COUNT(limits); i++) {
        for (int language = AARD_LANGUAGE_PYTHON; language <= AARD_LANGUAGE_JAVASCRIPT; language++) {
            bool python = language == AARD_LANGUAGE_PYTHON;
            aard_isolate_config *config = config_of((aard_language)language);
            set_all(config, limits[i]);
            aard_isolate *isolate = boot(config, NULL);
            aard_call *call = limited_to(limits[i]);
            aard_call_set_cpu_limit_ms(call, limits[i]);
            aard_call_set_result_limit(call, limits[i]);
            value_is(exec_with(isolate,
                               python ? "print('out')\nopen('/tmp/a', 'w').write('abc')"
                                      : "console.log('out'); await fetch('http://a.example').catch(() => 3)",
                               call),
                     "3");
            streams_are(exec(isolate, python ? "print('out')" : "console.log('out')"), "out\n", "");
            aard_call_free(call);
            aard_isolate_free(isolate);
        }
    }
}

/* ---- many threads read what nobody sets ------------------------------------------------------------------------------ */

typedef struct reader {
    pthread_t thread;
    const aard_isolate_config *config;
    const aard_call *call;
    unsigned wrong;
} reader;

static void *use_both(void *user)
{
    reader *r = user;
    for (unsigned i = 0; i < 5; i++) {
        aard_isolate *isolate = NULL;
        aard_outcome *outcome = NULL;
        aard_error *error = aard_isolate_new(r->config, &isolate);
        if (!error) error = aard_isolate_exec(isolate, "aardvark.argv[0]", 16, NULL, r->call, &outcome);
        const char *value = aard_outcome_value_json(outcome, NULL);
        r->wrong += error || !value || strcmp(value, "\"x\"") != 0;
        aard_error_free(error);
        aard_outcome_free(outcome);
        aard_isolate_free(isolate);
    }
    return NULL;
}

static void test_threads_share_what_nobody_sets(void **state)
{
    (void)state;
    static const char *const arguments[] = {"x"};
    aard_isolate_config *config = config_of(AARD_LANGUAGE_JAVASCRIPT);
    aard_call *call = limited_to(60000);
    reader readers[4];
    assert_ok(aard_isolate_config_set_env(config, "A", "1"));
    assert_ok(aard_call_set_arguments(call, arguments, 1));
    for (size_t i = 0; i < COUNT(readers); i++) {
        readers[i] = (reader){.config = config, .call = call};
        assert_int_equal(pthread_create(&readers[i].thread, NULL, use_both, &readers[i]), 0);
    }
    for (size_t i = 0; i < COUNT(readers); i++) {
        pthread_join(readers[i].thread, NULL);
        assert_int_equal(readers[i].wrong, 0);
    }
    aard_call_free(call);
    aard_isolate_config_free(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_configuration_tells_what_was_set),
        cmocka_unit_test(test_a_configuration_tells_of_its_network_and_files),
        cmocka_unit_test(test_a_configuration_tells_its_lists),
        cmocka_unit_test(test_a_pool_tells_what_was_set),
        cmocka_unit_test(test_a_staging_tells_what_was_set),
        cmocka_unit_test(test_threads_share_what_nobody_sets),
        cmocka_unit_test(test_limits_of_0_and_of_the_most_run),
        cmocka_unit_test(test_a_call_tells_what_was_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
