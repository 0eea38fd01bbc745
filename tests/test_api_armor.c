/* The armor of the public interface: whatever a function is given for its arguments, in any build, it gives an error, or NULL,
 * 0 or false, and does nothing.  Every exported function is tried here, but those of pools.  test-quick */
#include "armor.h"

static aard_isolate_config *config;
static aard_isolate *isolate;
static aard_bundle *bundle;
static aard_outcome *outcome;
static aard_handler *handler;
static aard_call *call_options;
static aard_stage_options *stage;
static size_t len = 7, index_out = 7;
static const char *text;

static void host(const aard_call_context *context, void *user, const char *input, size_t input_len, aard_reply *reply)
{
    assert_non_null(context);
    assert_false(aard_call_context_deadline_ms(context, NULL));
    (void)user;
    (void)input;
    (void)input_len;
    RETURNS(aard_reply_set_json, reply, NULL, 5);
    RETURNS(aard_reply_fail, reply, NULL);
    RETURNS(aard_reply_set_json, NULL, "1", 1);
    RETURNS(aard_reply_fail, NULL, "x");
    aard_reply_set_json(reply, "1", 1);
}

static unsigned finalized;
static void finalize(void *user)
{
    (void)user;
    finalized++;
}

static void on_output(const aard_call_context *context, void *user, aard_stream stream, const char *data,
                      size_t data_len)
{
    (void)context;
    (void)user;
    (void)stream;
    (void)data;
    (void)data_len;
}

static bool visit(void *user, const char *dir, const aard_distribution *distribution, const aard_error *error)
{
    (void)user;
    (void)dir;
    (void)distribution;
    (void)error;
    return false;
}

static int set_up(void **state)
{
    (void)state;
    static const char *const files[][2] = {
        {"aardvark.manifest.json",
         "{\"schemaVersion\": \"1.0\", \"entrypoint\": \"main:f\", \"runtime\": {\"language\": "
         "\"javascript\"}, \"packages\": []}"},
        {"main.js", "export const f = () => 1"},
        {NULL, NULL},
    };
    config = config_of(AARD_LANGUAGE_JAVASCRIPT);
    bundle = bundle_of(files);
    aard_isolate_config *own = config_of(AARD_LANGUAGE_JAVASCRIPT);
    assert_ok(aard_isolate_config_add_capability(own, "host"));
    assert_ok(aard_isolate_config_add_function(own, "host", host, NULL, NULL));
    isolate = boot(own, aard_bundle_retain(bundle));
    assert_ok(aard_handler_new(isolate, NULL, &handler));
    outcome = exec(isolate, "await aardvark.host.host(1)");
    assert_ok(aard_call_new(&call_options));
    assert_ok(aard_stage_options_new(&stage));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    aard_stage_options_free(stage);
    aard_call_free(call_options);
    aard_handler_free(handler);
    aard_outcome_free(outcome);
    aard_isolate_free(isolate);
    aard_bundle_free(bundle);
    aard_isolate_config_free(config);
    return 0;
}

static void test_errors(void **state)
{
    (void)state;
    NOTHING(aard_error_get_code, NULL);
    SOMETHING(aard_error_get_class, NULL);
    NOTHING(aard_error_message, NULL);
    SOMETHING(aard_error_code_name, (aard_error_code)12345);
    RETURNS(aard_error_free, NULL);
    NOTHING(aard_trace_event_json, NULL, NULL, 0);
    RETURNS(aard_string_free, NULL);
    SOMETHING(aard_version, );
    SOMETHING(aard_version_number, );
    assert_int_equal(aard_version_number(), AARD_VERSION_NUMBER);
    SOMETHING(aard_v8_version, );
}

static void test_bundles(void **state)
{
    (void)state;
    aard_bundle *out = NULL;
    REFUSED(aard_bundle_from_bytes, "x", 1, NULL, NULL);
    REFUSED(aard_bundle_from_bytes, NULL, 1, NULL, &out);
    assert_refused(aard_bundle_from_bytes(NULL, 0, NULL, &out), AARD_ERR_BUNDLE_NOT_ZIP, NULL);
    REFUSED(aard_bundle_open, NULL, NULL, &out);
    REFUSED(aard_bundle_open, "x", NULL, NULL);
    REFUSED(aard_bundle_pack, NULL, "x");
    REFUSED(aard_bundle_pack, "x", NULL);
    assert_null(out);
    NOTHING(aard_bundle_retain, NULL);
    RETURNS(aard_bundle_free, NULL);
    NOTHING(aard_bundle_manifest, NULL);
    NOTHING(aard_bundle_digest, NULL);
    NOTHING(aard_bundle_entry_count, NULL);
    NOTHING(aard_bundle_find, NULL, "x", 1, &index_out);
    NOTHING(aard_bundle_find, bundle, NULL, 1, &index_out);
    assert_int_equal(index_out, 7);
    const uint8_t *data = (const uint8_t *)"x";
    text = "x";
    RETURNS(aard_bundle_entry, bundle, 2, &text, &len, &data, &len);
    assert_true(!text && !data && !len);
    RETURNS(aard_bundle_entry, NULL, 0, &text, &len, &data, &len);
    RETURNS(aard_bundle_entry, bundle, SIZE_MAX, NULL, NULL, NULL, NULL);
}

static void test_manifests(void **state)
{
    (void)state;
    const aard_manifest *manifest = aard_bundle_manifest(bundle);
    assert_non_null(manifest);
    NOTHING(aard_manifest_allow_host, NULL, 0);
    NOTHING(aard_manifest_allow_host, manifest, 0);
    NOTHING(aard_manifest_allow_host, manifest, SIZE_MAX);
    NOTHING(aard_manifest_allow_host_count, NULL);
    NOTHING(aard_manifest_capability, NULL, 0);
    NOTHING(aard_manifest_capability, manifest, 0);
    NOTHING(aard_manifest_capability, manifest, SIZE_MAX);
    NOTHING(aard_manifest_capability_count, NULL);
    NOTHING(aard_manifest_cpu_limit_ms, NULL);
    NOTHING(aard_manifest_entrypoint, NULL);
    NOTHING(aard_manifest_filesystem_mode, NULL);
    NOTHING(aard_manifest_filesystem_quota_bytes, NULL);
    NOTHING(aard_manifest_has_network, NULL);
    NOTHING(aard_manifest_https_only, NULL);
    NOTHING(aard_manifest_language, NULL);
    NOTHING(aard_manifest_max_request_bytes, NULL);
    NOTHING(aard_manifest_max_response_bytes, NULL);
    NOTHING(aard_manifest_network_timeout_ms, NULL);
    NOTHING(aard_manifest_package, NULL, 0);
    NOTHING(aard_manifest_package, manifest, 0);
    NOTHING(aard_manifest_package, manifest, SIZE_MAX);
    NOTHING(aard_manifest_package_count, NULL);
    NOTHING(aard_manifest_preload_import, NULL, 0);
    NOTHING(aard_manifest_preload_import, manifest, 0);
    NOTHING(aard_manifest_preload_import, manifest, SIZE_MAX);
    NOTHING(aard_manifest_preload_import_count, NULL);
    NOTHING(aard_manifest_pyodide_profile, NULL);
    NOTHING(aard_manifest_pyodide_version, NULL);
}

static void test_distributions_and_staging(void **state)
{
    (void)state;
    aard_distribution *out = NULL;
    REFUSED(aard_distribution_open, NULL, NULL);
    REFUSED(aard_distribution_verify, NULL);
    REFUSED(aard_distribution_set_key, NULL, "a key of some bytes", 16);
    REFUSED(aard_distribution_prepare, NULL, false);
    REFUSED(aard_distribution_home, NULL);
    REFUSED(aard_distribution_list, NULL, NULL, NULL);
    assert_ok(aard_distribution_list("/nonexistent/distributions", visit, NULL));
    REFUSED(aard_distribution_stage, NULL, &out, NULL);
    REFUSED(aard_distribution_stage, stage, NULL, NULL);
    NOTHING(aard_distribution_retain, NULL);
    RETURNS(aard_distribution_free, NULL);
    NOTHING(aard_distribution_dir, NULL);
    NOTHING(aard_distribution_pyodide_version, NULL);
    NOTHING(aard_distribution_variant, NULL);
    NOTHING(aard_distribution_fingerprint, NULL);
    NOTHING(aard_distribution_package_count, NULL);
    NOTHING(aard_distribution_package, NULL, 0, NULL);
    REFUSED(aard_distribution_find, NULL, 0, NULL);
    NOTHING(aard_distribution_is_prepared, NULL);
    NOTHING(aard_distribution_is_prelinked, NULL);
    REFUSED(aard_stage_options_new, NULL);
    RETURNS(aard_stage_options_free, NULL);
    REFUSED(aard_stage_options_set_version, NULL, "x");
    REFUSED(aard_stage_options_set_archive, NULL, "x");
    REFUSED(aard_stage_options_set_home, NULL, "x");
    REFUSED(aard_stage_options_add_wheel, NULL, "x");
    REFUSED(aard_stage_options_add_wheel, stage, NULL);
    RETURNS(aard_stage_options_set_variant, NULL, AARD_VARIANT_CORE);
    RETURNS(aard_stage_options_set_force, NULL, true);
    RETURNS(aard_stage_options_set_lock_timeout_ms, NULL, 1);
    RETURNS(aard_stage_options_set_progress, NULL, NULL, NULL);
    aard_stage_options_set_variant(stage, (aard_variant)77);
    assert_refused(aard_distribution_stage(stage, &out, NULL), AARD_ERR_INVALID_ARGUMENT, "77", NULL);
    assert_null(out);
}

static void test_configurations(void **state)
{
    (void)state;
    aard_isolate *out = NULL;
    REFUSED(aard_isolate_config_new, NULL);
    RETURNS(aard_isolate_config_free, NULL);
    REFUSED(aard_isolate_config_add_capability, NULL, "js");
    REFUSED(aard_isolate_config_add_capability, config, NULL);
    REFUSED(aard_isolate_config_add_package, NULL, "x");
    REFUSED(aard_isolate_config_add_package, config, NULL);
    REFUSED(aard_isolate_config_set_env, NULL, "x", "y");
    REFUSED(aard_isolate_config_set_env, config, NULL, "y");
    REFUSED(aard_isolate_config_set_env, config, "x", NULL);
    REFUSED(aard_isolate_config_add_function, NULL, "f", host, NULL, finalize);
    REFUSED(aard_isolate_config_add_function, config, NULL, host, NULL, finalize);
    assert_refused(aard_isolate_config_add_function(config, "f", NULL, NULL, finalize), AARD_ERR_INVALID_ARGUMENT,
                   NULL);
    assert_int_equal(finalized, 3);
    REFUSED(aard_isolate_config_allow_host, NULL, "a.example");
    REFUSED(aard_isolate_config_allow_host, config, NULL);
    REFUSED(aard_isolate_config_add_mount, NULL, "/", "/a", AARD_FILESYSTEM_READ);
    REFUSED(aard_isolate_config_add_mount, config, NULL, "/a", AARD_FILESYSTEM_READ);
    REFUSED(aard_isolate_config_add_mount, config, "/", NULL, AARD_FILESYSTEM_READ);
    REFUSED(aard_isolate_config_add_mount, config, "/", "/a", (aard_filesystem_mode)5);
    REFUSED(aard_isolate_config_set_ca_file, NULL, "x");
    RETURNS(aard_isolate_config_set_stream_callback, NULL, on_output, NULL, finalize);
    assert_int_equal(finalized, 4);
    REFUSED(aard_isolate_config_set_user, NULL, NULL, finalize);
    assert_int_equal(finalized, 5);
    RETURNS(aard_isolate_config_set_private_addresses, NULL, true);
    RETURNS(aard_isolate_config_set_https_only, NULL, true);
    RETURNS(aard_isolate_config_set_network, NULL, true);
    RETURNS(aard_isolate_config_set_network_limit, NULL, AARD_NETWORK_REQUESTS, 1);
    RETURNS(aard_isolate_config_set_distribution, NULL, NULL);
    RETURNS(aard_isolate_config_set_warm_state, NULL, NULL);
    RETURNS(aard_isolate_config_set_cleanup, NULL, AARD_CLEANUP_FULL);
    RETURNS(aard_isolate_config_set_resets_expected, NULL, true);
    RETURNS(aard_isolate_config_set_language, NULL, AARD_LANGUAGE_PYTHON);
    RETURNS(aard_isolate_config_set_isolation, NULL, AARD_ISOLATION_THREAD);
    RETURNS(aard_isolate_config_set_required_hardening, NULL, AARD_HARDEN_ALL);
    RETURNS(aard_isolate_config_set_filesystem, NULL, AARD_FILESYSTEM_READ, 1, 1, 1);
    RETURNS(aard_isolate_config_set_wall_limit_ms, NULL, 1);
    RETURNS(aard_isolate_config_set_cpu_limit_ms, NULL, 1);
    RETURNS(aard_isolate_config_set_grace_ms, NULL, 1);
    RETURNS(aard_isolate_config_set_startup_limit_ms, NULL, 1);
    RETURNS(aard_isolate_config_set_heap_limit, NULL, 1);
    RETURNS(aard_isolate_config_set_engine_heap_limit, NULL, 1);
    RETURNS(aard_isolate_config_set_buffer_limit, NULL, 1);
    RETURNS(aard_isolate_config_set_output_limit, NULL, 1);
    RETURNS(aard_isolate_config_set_result_limit, NULL, 1);
    RETURNS(aard_isolate_config_set_result_depth_limit, NULL, 1);
    REFUSED(aard_isolate_new, config, NULL);
    assert_null(out);
}

static void test_getters_of_configurations(void **state)
{
    (void)state;
    NOTHING(aard_isolate_config_language, NULL);
    NOTHING(aard_isolate_config_distribution, NULL);
    NOTHING(aard_isolate_config_isolation, NULL);
    NOTHING(aard_isolate_config_required_hardening, NULL);
    REFUSED(aard_isolate_harden_process, NULL);
    NOTHING(aard_isolate_hardening, NULL);
    NOTHING(aard_isolate_hardening_errno, NULL, AARD_HARDEN_SECCOMP);
    NOTHING(aard_hardening_name, 0);
    NOTHING(aard_hardening_text, 3);
    NOTHING(aard_hardening_needs, UINT32_MAX);
    NOTHING(aard_hardening_by_name, NULL);
    NOTHING(aard_isolate_config_cleanup, NULL);
    NOTHING(aard_isolate_config_resets_expected, NULL);
    NOTHING(aard_isolate_config_warm_state, NULL);
    NOTHING(aard_isolate_config_catalog, NULL);
    RETURNS(aard_isolate_config_set_catalog, NULL, NULL);
    NOTHING(aard_isolate_config_wall_limit_ms, NULL);
    NOTHING(aard_isolate_config_cpu_limit_ms, NULL);
    NOTHING(aard_isolate_config_grace_ms, NULL);
    NOTHING(aard_isolate_config_startup_limit_ms, NULL);
    NOTHING(aard_isolate_config_heap_limit, NULL);
    NOTHING(aard_isolate_config_engine_heap_limit, NULL);
    NOTHING(aard_isolate_config_buffer_limit, NULL);
    NOTHING(aard_isolate_config_output_limit, NULL);
    NOTHING(aard_isolate_config_result_limit, NULL);
    NOTHING(aard_isolate_config_result_depth_limit, NULL);
    NOTHING(aard_isolate_config_user, NULL);
    NOTHING(aard_isolate_config_user, config);
    NOTHING(aard_isolate_config_network, NULL);
    NOTHING(aard_isolate_config_https_only, NULL, NULL);
    NOTHING(aard_isolate_config_private_addresses, NULL);
    NOTHING(aard_isolate_config_ca_file, NULL);
    NOTHING(aard_isolate_config_network_limit, NULL, AARD_NETWORK_REQUESTS);
    NOTHING(aard_isolate_config_network_limit, config, (aard_network_limit)99);
    void *user = &len;
    NOTHING(aard_isolate_config_stream_callback, NULL, &user);
    assert_null(user);
    NOTHING(aard_isolate_config_stream_callback, config, NULL);
    RETURNS(aard_isolate_config_filesystem, config, NULL, NULL, NULL, NULL);
    uint64_t numbers[3] = {1, 2, 3};
    RETURNS(aard_isolate_config_filesystem, NULL, NULL, &numbers[0], &numbers[1], &numbers[2]);
    assert_true(!numbers[0] && !numbers[1] && !numbers[2]);
    NOTHING(aard_isolate_config_mount_count, NULL);
    NOTHING(aard_isolate_config_capability_count, NULL);
    NOTHING(aard_isolate_config_package_count, NULL);
    NOTHING(aard_isolate_config_env_count, NULL);
    NOTHING(aard_isolate_config_host_count, NULL);
    NOTHING(aard_isolate_config_function_count, NULL);
    const aard_isolate_config *const of[] = {NULL, config};
    for (size_t i = 0; i < 2; i++) {
        aard_filesystem_mode mode = AARD_FILESYSTEM_READ_WRITE;
        NOTHING(aard_isolate_config_mount, of[i], 0, &mode);
        assert_int_equal(mode, AARD_FILESYSTEM_READ);
        NOTHING(aard_isolate_config_capability, of[i], 0);
        NOTHING(aard_isolate_config_package, of[i], SIZE_MAX);
        NOTHING(aard_isolate_config_env, of[i], 0);
        NOTHING(aard_isolate_config_host, of[i], 0);
        NOTHING(aard_isolate_config_function, of[i], 0);
    }
}

static void test_getters_of_stagings(void **state)
{
    (void)state;
    void *user = &len;
    NOTHING(aard_stage_options_version, NULL);
    NOTHING(aard_stage_options_archive, NULL);
    NOTHING(aard_stage_options_home, NULL);
    NOTHING(aard_stage_options_variant, NULL);
    NOTHING(aard_stage_options_force, NULL);
    NOTHING(aard_stage_options_lock_timeout_ms, NULL);
    NOTHING(aard_stage_options_wheel_count, NULL);
    NOTHING(aard_stage_options_wheel, NULL, 0);
    NOTHING(aard_stage_options_progress, NULL, &user);
    assert_null(user);
}

static void test_getters_of_calls(void **state)
{
    (void)state;
    NOTHING(aard_call_wall_limit_ms, NULL);
    NOTHING(aard_call_cpu_limit_ms, NULL);
    NOTHING(aard_call_result_limit, NULL);
    NOTHING(aard_call_cancel_handle, NULL);
    NOTHING(aard_call_user, NULL);
    NOTHING(aard_call_traceparent, NULL);
    REFUSED(aard_call_set_traceparent, NULL, NULL);
    REFUSED(aard_call_set_traceparent, call_options, "00-0-0-00");
    NOTHING(aard_call_context_traceparent, NULL, (char[56]){0}, 56);
    NOTHING(aard_call_capture, NULL);
    NOTHING(aard_call_rollback, NULL);
    NOTHING(aard_isolate_step_count, NULL);
    NOTHING(aard_call_source_kind, NULL);
    NOTHING(aard_call_argument_count, NULL);
    NOTHING(aard_call_argument, NULL, 0);
    NOTHING(aard_call_argument, call_options, 0);
    len = 7;
    NOTHING(aard_call_input_json, NULL, &len);
    assert_int_equal(len, 0);
    len = 7;
    NOTHING(aard_call_stdin, call_options, &len);
    assert_int_equal(len, 0);
}

/* What a setter without a result is given is said where the isolate is made. */
static void test_choices_that_there_are_not(void **state)
{
    (void)state;
    for (int i = 0; i < 6; i++) {
        aard_isolate_config *wrong = config_of(AARD_LANGUAGE_JAVASCRIPT);
        aard_isolate *out = NULL;
        if (i == 0) aard_isolate_config_set_language(wrong, (aard_language)9);
        if (i == 1) aard_isolate_config_set_isolation(wrong, (aard_isolation)-1);
        if (i == 2) aard_isolate_config_set_cleanup(wrong, (aard_cleanup)3);
        if (i == 3) aard_isolate_config_set_filesystem(wrong, (aard_filesystem_mode)2, 0, 0, 0);
        if (i == 4) aard_isolate_config_set_network_limit(wrong, (aard_network_limit)99, 1);
        if (i == 5) aard_isolate_config_set_callback_limit(wrong, (aard_callback_limit)99, 1);
        static const char *const names[] = {"language",        "isolation",     "cleanup",
                                            "filesystem mode", "network limit", "callback limit"};
        assert_refused(aard_isolate_new(wrong, &out), AARD_ERR_INVALID_ARGUMENT, names[i], NULL);
        assert_null(out);
        aard_isolate_config_free(wrong);
    }
}

static void test_isolates_and_calls(void **state)
{
    (void)state;
    aard_outcome *out = NULL;
    aard_handler *made = NULL;
    RETURNS(aard_isolate_free, NULL);
    REFUSED(aard_isolate_load_bundle, NULL, bundle);
    REFUSED(aard_isolate_load_bundle, isolate, NULL);
    REFUSED(aard_isolate_reset, NULL);
    REFUSED(aard_isolate_checkpoint, NULL);
    REFUSED(aard_isolate_prepare_reset, NULL);
    RETURNS(aard_isolates_abandoned, NULL, NULL);
    REFUSED(aard_isolate_exec, NULL, "1", 1, NULL, NULL, &out);
    REFUSED(aard_isolate_exec, isolate, NULL, 1, NULL, NULL, &out);
    REFUSED(aard_isolate_exec, isolate, "1", 1, NULL, NULL, NULL);
    REFUSED(aard_handler_new, NULL, NULL, &made);
    REFUSED(aard_handler_new, isolate, NULL, NULL);
    RETURNS(aard_handler_free, NULL);
    REFUSED(aard_handler_invoke, NULL, NULL, &out);
    REFUSED(aard_handler_invoke, handler, NULL, NULL);
    REFUSED(aard_call_new, NULL);
    RETURNS(aard_call_free, NULL);
    RETURNS(aard_call_set_input_json, NULL, "1", 1);
    REFUSED(aard_call_copy_input_json, NULL, "1", 1);
    REFUSED(aard_call_copy_input_json, call_options, NULL, 1);
    unsigned before = finalized;
    REFUSED(aard_call_take_input_json, NULL, "1", 1, finalize, NULL);
    REFUSED(aard_call_take_input_json, call_options, NULL, 1, finalize, NULL);
    assert_int_equal(finalized, before + 2);
    static const char *const texts[] = {"x"};
    RETURNS(aard_call_set_stdin, NULL, "x", 1);
    RETURNS(aard_call_set_source_kind, NULL, AARD_SOURCE_FILE);
    RETURNS(aard_call_set_source_kind, call_options, (aard_source_kind)9);
    assert_refused(aard_isolate_exec(isolate, "1", 1, NULL, call_options, &out), AARD_ERR_INVALID_ARGUMENT,
                   "aard_call_set_source_kind", NULL);
    aard_call_set_source_kind(call_options, AARD_SOURCE_CELL);
    REFUSED(aard_call_set_arguments, NULL, texts, 1);
    REFUSED(aard_call_set_arguments, call_options, NULL, 1);
    REFUSED(aard_json_check, NULL, 1);
    RETURNS(aard_call_set_wall_limit_ms, NULL, 1);
    RETURNS(aard_call_set_cpu_limit_ms, NULL, 1);
    RETURNS(aard_call_set_result_limit, NULL, 1);
    RETURNS(aard_call_set_cancel_handle, NULL, NULL);
    RETURNS(aard_call_set_capture, NULL, true);
    RETURNS(aard_call_set_rollback, NULL, true);
    RETURNS(aard_call_set_user, NULL, &out);
    NOTHING(aard_call_context_user, NULL);
    NOTHING(aard_call_context_isolate_user, NULL);
    NOTHING(aard_call_context_isolate_id, NULL);
    NOTHING(aard_call_context_deadline_ms, NULL, NULL);
    NOTHING(aard_call_context_cancel_handle, NULL);
    aard_call_set_input_json(call_options, NULL, 3);
    assert_refused(aard_handler_invoke(handler, call_options, &out), AARD_ERR_INVALID_ARGUMENT, "input", NULL);
    aard_call_set_input_json(call_options, NULL, 0);
    REFUSED(aard_cancel_handle_new, NULL);
    NOTHING(aard_cancel_handle_retain, NULL);
    RETURNS(aard_cancel_handle_free, NULL);
    RETURNS(aard_cancel, NULL);
    NOTHING(aard_cancel_handle_is_cancelled, NULL);
    SOMETHING(aard_log_level_name, (aard_log_level)99);
    try("aard_hooks_set");
    assert_refused(aard_hooks_set(NULL), AARD_ERR_BUSY, NULL);
    try("aard_engine_start");
    assert_ok(aard_engine_start(NULL)); /* as it has started */
    aard_engine_options sizeless = {.threads = AARD_ENGINE_SINGLE_THREADED};
    assert_refused(aard_engine_start(&sizeless), AARD_ERR_INVALID_ARGUMENT, "struct_size", NULL);
    try("aard_engine_set_fault_handler");
    assert_refused(aard_engine_set_fault_handler(true), AARD_ERR_BUSY, NULL);
    assert_true(!out && !made);
    value_is(invoke(handler, "1"), "1");
}

static void test_outcomes(void **state)
{
    (void)state;
    char *json = NULL;
    const uint8_t *data = (const uint8_t *)"x";
    RETURNS(aard_outcome_free, NULL);
    NOTHING(aard_outcome_is_success, NULL);
    NOTHING(aard_outcome_failure_kind, NULL);
    NOTHING(aard_outcome_isolation, NULL);
    assert_int_equal(aard_outcome_isolation(outcome), AARD_ISOLATION_THREAD);
    SOMETHING(aard_isolation_name, (aard_isolation)99);
    assert_string_equal(aard_isolation_name(AARD_ISOLATION_PROCESS), "process");
    SOMETHING(aard_failure_kind_name, (aard_failure_kind)99);
    SOMETHING(aard_reset_mode_name, (aard_reset_mode)99);
    SOMETHING(aard_warm_source_name, (aard_warm_source)99);
    SOMETHING(aard_violation_kind_name, (aard_violation_kind)99);
    NOTHING(aard_outcome_value_json, NULL, &len);
    NOTHING(aard_outcome_value_repr, NULL, &len);
    NOTHING(aard_outcome_exit_code, NULL, NULL);
    NOTHING(aard_outcome_buffer_count, NULL);
    text = "x";
    RETURNS(aard_outcome_buffer, NULL, 0, &text, &data, &len, &text);
    RETURNS(aard_outcome_buffer, outcome, 0, &text, &data, &len, &text);
    assert_true(!text && !data && !len);
    RETURNS(aard_outcome_buffer, outcome, SIZE_MAX, NULL, NULL, NULL, NULL);
    NOTHING(aard_outcome_failure_message, NULL);
    NOTHING(aard_outcome_exception_type, NULL);
    len = 7;
    NOTHING(aard_outcome_exception_value, NULL, &len);
    assert_int_equal(len, 0);
    NOTHING(aard_outcome_exception_value, outcome, NULL);
    NOTHING(aard_outcome_exception_traceback, NULL, &len);
    NOTHING(aard_outcome_stdout, NULL, &len);
    NOTHING(aard_outcome_stderr, NULL, NULL);
    NOTHING(aard_outcome_diagnostics, NULL);
    NOTHING(aard_outcome_violation_count, NULL);
    NOTHING(aard_outcome_violation, NULL, 0);
    NOTHING(aard_outcome_violation, outcome, 0);
    NOTHING(aard_outcome_network_attempt_count, NULL);
    NOTHING(aard_outcome_network_attempt, NULL, 0);
    NOTHING(aard_outcome_network_attempt, outcome, SIZE_MAX);
    REFUSED(aard_outcome_json, NULL, &json, &len);
    REFUSED(aard_outcome_json, outcome, NULL, &len);
    assert_ok(aard_outcome_json(outcome, &json, NULL));
    aard_string_free(json);
}

static bool send_nothing(void *user, const char *line, size_t size)
{
    (void)user, (void)line, (void)size;
    return true;
}

static void test_sessions(void **state)
{
    (void)state;
    aard_session *session = NULL;
    aard_file_list *files = NULL;
    char *bytes = NULL;
    REFUSED(aard_isolate_clear, NULL);
    REFUSED(aard_isolate_write_file, NULL, "/tmp/a", "", 0);
    REFUSED(aard_isolate_write_file, isolate, NULL, "", 0);
    REFUSED(aard_isolate_write_file, isolate, "/tmp/a", NULL, 1);
    REFUSED(aard_isolate_remove_file, NULL, "/tmp/a");
    REFUSED(aard_isolate_remove_file, isolate, NULL);
    REFUSED(aard_isolate_read_file, NULL, "/tmp/a", 0, &bytes, &len);
    REFUSED(aard_isolate_read_file, isolate, NULL, 0, &bytes, &len);
    REFUSED(aard_isolate_read_file, isolate, "/tmp/a", 0, NULL, &len);
    REFUSED(aard_isolate_read_file, isolate, "/tmp/a", 0, &bytes, NULL);
    REFUSED(aard_isolate_list_files, NULL, "/tmp", &files);
    REFUSED(aard_isolate_list_files, isolate, NULL, &files);
    REFUSED(aard_isolate_list_files, isolate, "/tmp", NULL);
    REFUSED(aard_session_new, NULL, NULL, NULL, NULL, NULL, &session);
    REFUSED(aard_session_new, NULL, NULL, send_nothing, NULL, NULL, NULL);
    RETURNS(aard_session_feed, NULL, "x", 1);
    SOMETHING(aard_session_wait, NULL, 0);
    RETURNS(aard_session_end_input, NULL);
    RETURNS(aard_session_free, NULL);
    RETURNS(aard_file_list_free, NULL);
    NOTHING(aard_file_list_count, NULL);
    NOTHING(aard_file_list_path, NULL, 0);
    NOTHING(aard_file_list_kind, NULL, 0);
    NOTHING(aard_file_list_size, NULL, 0);
    NOTHING(aard_file_list_changed_ns, NULL, 0);
}

static void test_warm_states_and_catalogs(void **state)
{
    (void)state;
    aard_warm_state *out = NULL;
    aard_catalog *catalog = NULL;
    REFUSED(aard_warm_state_capture, NULL, &out);
    REFUSED(aard_warm_state_capture, isolate, NULL);
    REFUSED(aard_warm_state_write, NULL, "x");
    REFUSED(aard_warm_state_open, NULL, NULL, &out);
    REFUSED(aard_warm_state_open, "x", NULL, NULL);
    NOTHING(aard_warm_state_retain, NULL);
    RETURNS(aard_warm_state_free, NULL);
    NOTHING(aard_warm_state_fingerprint, NULL);
    NOTHING(aard_warm_state_distribution_fingerprint, NULL);
    NOTHING(aard_warm_state_pyodide_version, NULL);
    NOTHING(aard_warm_state_bundle_digest, NULL);
    NOTHING(aard_warm_state_overlay_preloaded, NULL);
    NOTHING(aard_warm_state_package_count, NULL);
    NOTHING(aard_warm_state_preload_import_count, NULL);
    NOTHING(aard_warm_state_is_signed, NULL);
    NOTHING(aard_warm_state_memory_bytes, NULL);
    NOTHING(aard_warm_state_file_bytes, NULL);
    NOTHING(aard_warm_state_package, NULL, 0);
    NOTHING(aard_warm_state_preload_import, NULL, 0);
    REFUSED(aard_catalog_open, "x", 0, NULL);
    RETURNS(aard_catalog_free, NULL);
    NOTHING(aard_catalog_dir, NULL);
    NOTHING(aard_catalog_max_bytes, NULL);
    NOTHING(aard_catalog_retain, NULL);
    NOTHING(aard_overlays_release, );
    REFUSED(aard_catalog_find, NULL, NULL, NULL, &out);
    REFUSED(aard_catalog_store, NULL, NULL);
    REFUSED(aard_catalog_prune, NULL, NULL);
    REFUSED(aard_catalog_usage, NULL, NULL, NULL);
    assert_true(!out && !catalog);
}

static void call_back(const aard_call_context *context, void *user, aard_invocation *invocation)
{
    (void)context, (void)user;
    aard_invocation_free(invocation);
}

static void test_host_callbacks(void **state)
{
    (void)state;
    char *stubs = NULL;
    size_t bytes = 1;
    unsigned before = finalized;
    REFUSED(aard_isolate_config_add_callback, NULL, "f", NULL, NULL, call_back, NULL, finalize);
    REFUSED(aard_isolate_config_add_callback, config, NULL, NULL, NULL, call_back, NULL, finalize);
    REFUSED(aard_isolate_config_add_callback, config, "f", NULL, NULL, NULL, NULL, finalize);
    assert_int_equal(finalized, before + 3);
    NOTHING(aard_isolate_config_callback_count, NULL);
    NOTHING(aard_isolate_config_callback, NULL, 0);
    NOTHING(aard_isolate_config_callback, config, 7);
    REFUSED(aard_isolate_config_callback_stubs, NULL, AARD_LANGUAGE_PYTHON, &stubs, NULL);
    REFUSED(aard_isolate_config_callback_stubs, config, AARD_LANGUAGE_PYTHON, NULL, NULL);
    REFUSED(aard_isolate_config_callback_stubs, config, (aard_language)9, &stubs, NULL);
    assert_null(stubs);
    RETURNS(aard_isolate_config_set_callback_limit, NULL, AARD_CALLBACK_COUNT, 1);
    NOTHING(aard_isolate_config_callback_limit, NULL, AARD_CALLBACK_COUNT);
    NOTHING(aard_isolate_config_callback_limit, config, (aard_callback_limit)99);
    NOTHING(aard_invocation_name, NULL);
    NOTHING(aard_invocation_id, NULL);
    NOTHING(aard_invocation_arguments, NULL, &bytes);
    assert_int_equal(bytes, 0);
    NOTHING(aard_invocation_reply, NULL, "1", 1);
    NOTHING(aard_invocation_fail, NULL, "E", "e");
    SOMETHING(aard_invocation_is_over, NULL);
    RETURNS(aard_invocation_free, NULL);
}

static void test_none_is_forgotten(void **state)
{
    (void)state;
    none_is_forgotten(false, 200); /* pools are in test_api_armor_pools.c */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_bundles),
        cmocka_unit_test(test_manifests),
        cmocka_unit_test(test_distributions_and_staging),
        cmocka_unit_test(test_configurations),
        cmocka_unit_test(test_getters_of_configurations),
        cmocka_unit_test(test_getters_of_stagings),
        cmocka_unit_test(test_getters_of_calls),
        cmocka_unit_test(test_choices_that_there_are_not),
        cmocka_unit_test(test_isolates_and_calls),
        cmocka_unit_test(test_outcomes),
        cmocka_unit_test(test_sessions),
        cmocka_unit_test(test_warm_states_and_catalogs),
        cmocka_unit_test(test_host_callbacks),
        cmocka_unit_test(test_none_is_forgotten),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
