/* The binary form of settings: a guest in another process has all that its host has set.  test-quick */
#include "isolate_support.h"

#include <aardvark/function.h>
#include <aardvark/network.h>
#include <unistd.h>

#include "pack_support.h"
#include "settings/pack.h"

static void host(const aard_call_context *context, void *user, const char *input, size_t len, aard_reply *reply)
{
    (void)context, (void)user, (void)input, (void)len, (void)reply;
}

static void callback(const aard_call_context *context, void *user, aard_invocation *invocation)
{
    (void)context, (void)user;
    aard_invocation_free(invocation);
}

static void set_limits(aard_isolate_config *config)
{
    aard_isolate_config_set_wall_limit_ms(config, 1);
    aard_isolate_config_set_cpu_limit_ms(config, 2);
    aard_isolate_config_set_grace_ms(config, 3);
    aard_isolate_config_set_startup_limit_ms(config, 4);
    aard_isolate_config_set_output_limit(config, 5);
    aard_isolate_config_set_result_limit(config, 6);
    aard_isolate_config_set_result_depth_limit(config, 7);
    aard_isolate_config_set_heap_limit(config, 8);
    aard_isolate_config_set_engine_heap_limit(config, 9);
    aard_isolate_config_set_buffer_limit(config, SIZE_MAX);
    aard_isolate_config_set_filesystem(config, AARD_FILESYSTEM_READ, 10, 11, 12);
}

static void set_network(aard_isolate_config *config)
{
    aard_isolate_config_set_network(config, false);
    assert_ok(aard_isolate_config_allow_host(config, "*.example.org:8080"));
    assert_ok(aard_isolate_config_allow_host(config, "10.0.0.1"));
    aard_isolate_config_set_https_only(config, true);
    aard_isolate_config_set_private_addresses(config, true);
    assert_ok(aard_isolate_config_set_ca_file(config, "/etc/ca \xc3\xa4.pem"));
    for (int which = AARD_NETWORK_REQUEST_BYTES; which <= AARD_NETWORK_REQUESTS; which++)
        aard_isolate_config_set_network_limit(config, (aard_network_limit)which, (uint64_t)(100 + which));
}

/* Nothing is as it is where the host says nothing. */
static aard_isolate_config *make(void)
{
    aard_isolate_config *config = NULL;
    assert_ok(aard_isolate_config_new(&config));
    aard_isolate_config_set_language(config, AARD_LANGUAGE_JAVASCRIPT);
    aard_isolate_config_set_isolation(config, AARD_ISOLATION_PROCESS);
    aard_isolate_config_set_required_hardening(config, AARD_HARDEN_SECCOMP);
    aard_isolate_config_set_cleanup(config, AARD_CLEANUP_FULL);
    aard_isolate_config_set_resets_expected(config, false);
    set_limits(config);
    set_network(config);
    assert_ok(aard_isolate_config_add_capability(config, "JS"));
    assert_ok(aard_isolate_config_add_capability(config, "echo"));
    assert_ok(aard_isolate_config_add_package(config, "numpy"));
    assert_ok(aard_isolate_config_set_env(config, "A", "b=c"));
    assert_ok(aard_isolate_config_set_env(config, "EMPTY", ""));
    assert_ok(aard_isolate_config_add_function(config, "Second", host, NULL, NULL));
    assert_ok(aard_isolate_config_add_function(config, "first", host, NULL, NULL));
    assert_ok(aard_isolate_config_add_callback(config, "look_up", "Finds \xc3\xa4.", "{\"type\":\"object\"}", callback,
                                               NULL, NULL));
    assert_ok(aard_isolate_config_add_callback(config, "other", NULL, NULL, callback, NULL, NULL));
    for (int which = AARD_CALLBACK_COUNT; which <= AARD_CALLBACK_RESULT_BYTES; which++)
        aard_isolate_config_set_callback_limit(config, (aard_callback_limit)which, (uint64_t)(200 + which));
    assert_ok(aard_isolate_config_add_mount(config, "tests", "/data", AARD_FILESYSTEM_READ_WRITE));
    assert_ok(aard_isolate_config_add_mount(config, "docs", "/docs", AARD_FILESYSTEM_READ));
    return config;
}

static aard__buf pack(const aard_isolate_config *config)
{
    aard__buf packed = AARD__BUF_INIT;
    aard__settings_pack(config, &packed);
    assert_false(packed.failed);
    return packed;
}

static aard_error *unpack(aard__unpacker *in)
{
    aard__settings settings = {.resets_expected = false};
    aard__served served = {.mounts = NULL};
    aard_error *error = aard__settings_unpack(in, &settings, &served);
    aard__settings_free(&settings);
    aard__served_free(&served);
    return error;
}

static bool is_taken(const char *data, size_t len)
{
    aard__unpacker in = aard__unpacker_of(data, len);
    aard_error *error = unpack(&in);
    if (error) assert_int_equal(aard_error_get_code(error), AARD_ERR_ENGINE);
    aard_error_free(error);
    return !error && aard__unpacker_done(&in);
}

/* Where a setting is added, and this test leaves it as it is by itself, it would not see that it is forgotten. */
static void test_the_test_sets_everything(void **state)
{
    (void)state;
    aard_isolate_config *config = make();
    aard__settings defaults;
    aard__settings_init(&defaults);
#define DIFFERS(kind, member)                                                                                          \
    if (!memcmp(&config->settings.member, &defaults.member, sizeof defaults.member)) fail_msg("%s", #member);
    AARD__SETTINGS_MAP(DIFFERS)
    aard__settings_free(&defaults);
    aard_isolate_config_free(config);
}

static void test_settings_come_back_as_they_were(void **state)
{
    (void)state;
    aard_isolate_config *config = make(), *back = NULL;
    aard__buf packed = pack(config), again;
    aard__served served = {.mounts = NULL};
    assert_ok(aard__config_copy(config, &back)); /* for its hooks */
    aard__settings_free(&back->settings);
    memset(&back->settings, 0, sizeof back->settings);
    aard__unpacker in = aard__unpacker_of(packed.data, packed.len);
    assert_ok(aard__settings_unpack(&in, &back->settings, &served));
    assert_true(aard__unpacker_done(&in));
    again = pack(back);
    assert_int_equal(again.len, packed.len);
    assert_memory_equal(again.data, packed.data, packed.len);
    assert_int_equal(back->settings.buffer_limit, SIZE_MAX);
    assert_int_equal(back->settings.file_rules.handles, 12);
    assert_int_equal(back->settings.network.limits.requests, 106);
    assert_string_equal(back->settings.network.hosts.patterns[1], "10.0.0.1");
    assert_string_equal(back->settings.network.ca_file, "/etc/ca \xc3\xa4.pem");
    assert_string_equal(back->settings.environment.items[0], "A=b=c");
    assert_true(aard__config_grants(back, "js"));
    assert_int_equal(back->settings.callback_limits.timeout_ms, 202);
    assert_int_equal(served.callbacks.count, 2);
    assert_string_equal(served.callbacks.list[0]->name, "look_up");
    assert_string_equal(served.callbacks.list[0]->description, "Finds \xc3\xa4.");
    assert_string_equal(served.callbacks.list[0]->schema_text, "{\"type\":\"object\"}");
    assert_null(served.callbacks.list[1]->schema_text);
    aard__served_free(&served);
    aard__buf_free(&packed);
    aard__buf_free(&again);
    aard_isolate_config_free(config);
    aard_isolate_config_free(back);
}

static void test_of_hooks_the_names_go_along_in_order(void **state)
{
    (void)state;
    aard_isolate_config *config = make();
    aard__buf packed = pack(config);
    aard__settings settings = {.resets_expected = false};
    aard__served served = {.mounts = NULL};
    aard__unpacker in = aard__unpacker_of(packed.data, packed.len);
    assert_ok(aard__settings_unpack(&in, &settings, &served));
    assert_int_equal(served.functions.count, 2);
    assert_string_equal(served.functions.items[0], "second");
    assert_string_equal(served.functions.items[1], "first");
    assert_int_equal(served.mount_count, 2);
    assert_string_equal(served.mounts[0].place, "/data");
    assert_int_equal(served.mounts[0].mode, AARD_FILESYSTEM_READ_WRITE);
    assert_string_equal(served.mounts[1].place, "/docs");
    assert_int_equal(served.mounts[1].mode, AARD_FILESYSTEM_READ);
    aard__settings_free(&settings);
    aard__served_free(&served);
    aard__buf_free(&packed);
    aard_isolate_config_free(config);
}

static void test_of_the_host_s_own_nothing_goes_along(void **state)
{
    (void)state;
    aard_isolate_config *config = make();
    aard__buf packed = pack(config);
    char *here = realpath("tests", NULL);
    assert_non_null(here);
    assert_null(memmem(packed.data, packed.len, here, strlen(here)));
    free(here);
    aard__buf_free(&packed);
    aard_isolate_config_free(config);
}

static void test_hostile_forms_are_refused(void **state)
{
    (void)state;
    aard_isolate_config *config = make();
    aard__buf packed = pack(config);
    refuses_all_cuts(is_taken, &packed);
    assert_true(alter_all(is_taken, &packed) > 200);
    assert_true(fail_allocations(unpack, &packed) > 10);
    aard__buf_free(&packed);
    aard_isolate_config_free(config);
}

static void test_the_defaults(void **state)
{
    (void)state;
    aard_isolate_config *config = NULL;
    assert_ok(aard_isolate_config_new(&config));
    aard__buf packed = pack(config);
    refuses_all_cuts(is_taken, &packed);
    aard__buf_free(&packed);
    aard_isolate_config_free(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_test_sets_everything),
        cmocka_unit_test(test_settings_come_back_as_they_were),
        cmocka_unit_test(test_of_hooks_the_names_go_along_in_order),
        cmocka_unit_test(test_of_the_host_s_own_nothing_goes_along),
        cmocka_unit_test(test_hostile_forms_are_refused),
        cmocka_unit_test(test_the_defaults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
