/* Manifests: what they may say, and what is refused.  test-quick */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bad_bundles.h"
#include "base/alloc.h"
#include "bundle/manifest.h"

static char *quoted(const char *text)
{
    char *copy = strdup(text);
    assert_non_null(copy);
    for (char *at = copy; *at; at++)
        if (*at == '\'') *at = '"';
    return copy;
}

/* Parses a text with ' for ". */
static aard_manifest *parse(const char *text)
{
    char *json = quoted(text);
    aard_manifest *manifest = NULL;
    aard_error *error = aard__manifest_parse(json, strlen(json), &manifest);
    if (error) fail_msg("%s", aard_error_message(error));
    free(json);
    return manifest;
}

static void each_bad_manifest_has_its_own_error(void **state)
{
    (void)state;
    size_t wrong = 0;
    for (size_t i = 0; i < bad_manifest_count; i++) {
        const bad_manifest *bad = &bad_manifests[i];
        char *text = bad_manifest_text(i);
        aard_manifest *manifest = NULL;
        aard_error *error = aard__manifest_parse(text, strlen(text), &manifest);
        free(text);
        if (!error) fail_msg("%s: it was accepted", bad->name);
        if (aard_error_get_code(error) != bad->code || !strstr(aard_error_message(error), bad->says)) {
            wrong++;
            print_error("%s: %s: %s\n", bad->name, aard_error_code_name(aard_error_get_code(error)),
                        aard_error_message(error));
        }
        assert_int_equal(strncmp(aard_error_message(error), "aardvark.manifest.json: ", 24), 0);
        assert_int_equal(aard_error_get_class(error), AARD_CLASS_INPUT);
        assert_null(manifest);
        aard_error_free(error);
    }
    assert_int_equal(wrong, 0);
}

static void the_smallest_manifest_gives_the_defaults(void **state)
{
    (void)state;
    aard_manifest *manifest = parse("{'schemaVersion': '1.0', 'entrypoint': 'main:hello'}");
    assert_string_equal(aard_manifest_entrypoint(manifest), "main:hello");
    assert_int_equal(aard_manifest_language(manifest), AARD_LANGUAGE_PYTHON);
    assert_int_equal(aard_manifest_package_count(manifest), 0);
    assert_null(aard_manifest_pyodide_version(manifest));
    assert_null(aard_manifest_pyodide_profile(manifest));
    assert_int_equal(aard_manifest_preload_import_count(manifest), 0);
    assert_int_equal(aard_manifest_cpu_limit_ms(manifest), 0);
    assert_false(aard_manifest_has_network(manifest));
    assert_int_equal(aard_manifest_allow_host_count(manifest), 0);
    assert_true(aard_manifest_https_only(manifest));
    assert_int_equal(aard_manifest_max_request_bytes(manifest), 0);
    assert_int_equal(aard_manifest_max_response_bytes(manifest), 0);
    assert_int_equal(aard_manifest_network_timeout_ms(manifest), 0);
    assert_int_equal(aard_manifest_filesystem_mode(manifest), AARD_FILESYSTEM_READ);
    assert_int_equal(aard_manifest_filesystem_quota_bytes(manifest), 0);
    assert_int_equal(aard_manifest_capability_count(manifest), 0);
    aard__manifest_free(manifest);
}

static const char full[] =
    "{'schemaVersion': ' 1.0 ', 'entrypoint': ' pkg.main : hello ',"
    " 'packages': ['NumPy', ' zope.interface ', 'Zope__Interface', 'typing_extensions'],"
    " 'runtime': {'language': 'python', 'pyodide': {'version': ' 0.29.4', 'profile': ' Blas-2_x ',"
    "   'preloadImports': ['json', ' xml.dom ', 'json', 'Json', 'caf\xc3\xa9._x1']}},"
    " 'resources': {'cpu': {'defaultLimitMs': 9223372036854775807},"
    "   'network': {'allow': [' API.Example.com ', 'api.example.com', '*.Example.org:8443', '10.0.0.1:080',"
    "     '[2001:DB8:0::1]', '[::1]:443', '_srv._tcp.x', 'localhost', 'a-b.c1'], 'httpsOnly': false,"
    "     'maxRequestBytes': 1024, 'maxResponseBytes': 2048, 'timeoutMs': 3000},"
    "   'filesystem': {'mode': 'readWrite', 'quotaBytes': 1048576},"
    "   'hostCapabilities': [' RawCtx_Buffers', 'js', 'JS']}}";

static void every_key_is_read_and_brought_to_one_form(void **state)
{
    static const char *const packages[] = {"numpy", "zope-interface", "typing-extensions"};
    static const char *const imports[] = {"json", "xml.dom", "Json", "caf\xc3\xa9._x1"};
    static const char *const hosts[] = {"api.example.com", "*.example.org:8443", "10.0.0.1:80", "[2001:db8::1]",
                                        "[::1]:443",       "_srv._tcp.x",        "localhost",   "a-b.c1"};
    static const char *const capabilities[] = {"rawctx_buffers", "js"};
    (void)state;
    aard_manifest *manifest = parse(full);
    assert_string_equal(aard_manifest_entrypoint(manifest), "pkg.main:hello");
    assert_int_equal(aard_manifest_package_count(manifest), 3);
    for (size_t i = 0; i < 3; i++) assert_string_equal(aard_manifest_package(manifest, i), packages[i]);
    assert_string_equal(aard_manifest_pyodide_version(manifest), "0.29.4");
    assert_string_equal(aard_manifest_pyodide_profile(manifest), "blas-2_x");
    assert_int_equal(aard_manifest_preload_import_count(manifest), 4);
    for (size_t i = 0; i < 4; i++) assert_string_equal(aard_manifest_preload_import(manifest, i), imports[i]);
    assert_int_equal(aard_manifest_cpu_limit_ms(manifest), INT64_MAX);
    assert_true(aard_manifest_has_network(manifest));
    assert_int_equal(aard_manifest_allow_host_count(manifest), 8);
    for (size_t i = 0; i < 8; i++) assert_string_equal(aard_manifest_allow_host(manifest, i), hosts[i]);
    assert_false(aard_manifest_https_only(manifest));
    assert_int_equal(aard_manifest_max_request_bytes(manifest), 1024);
    assert_int_equal(aard_manifest_max_response_bytes(manifest), 2048);
    assert_int_equal(aard_manifest_network_timeout_ms(manifest), 3000);
    assert_int_equal(aard_manifest_filesystem_mode(manifest), AARD_FILESYSTEM_READ_WRITE);
    assert_int_equal(aard_manifest_filesystem_quota_bytes(manifest), 1048576);
    assert_int_equal(aard_manifest_capability_count(manifest), 2);
    for (size_t i = 0; i < 2; i++) assert_string_equal(aard_manifest_capability(manifest, i), capabilities[i]);
    aard__manifest_free(manifest);
}

static void javascript_needs_only_its_language(void **state)
{
    (void)state;
    aard_manifest *manifest = parse("{'schemaVersion': '1.0', 'entrypoint': 'main:default', 'packages': [],"
                                    " 'runtime': {'language': 'javascript'}}");
    assert_int_equal(aard_manifest_language(manifest), AARD_LANGUAGE_JAVASCRIPT);
    assert_string_equal(aard_manifest_entrypoint(manifest), "main:default");
    aard__manifest_free(manifest);
}

/* Programs that write manifests spell an absent section so. */
static void null_is_the_same_as_an_absent_key(void **state)
{
    static const char *const texts[] = {
        "'packages': null, 'runtime': null, 'resources': null",
        "'runtime': {'language': null, 'pyodide': null}",
        "'runtime': {'language': 'javascript', 'pyodide': null}",
        "'runtime': {'pyodide': {'version': null, 'profile': null, 'preloadImports': null}}",
        "'resources': {'cpu': null, 'network': null, 'filesystem': null, 'hostCapabilities': null}",
        "'resources': {'cpu': {'defaultLimitMs': null}, 'filesystem': {'mode': null, 'quotaBytes': null}}",
        "'resources': {'network': {'allow': null, 'httpsOnly': null, 'maxRequestBytes': null, 'timeoutMs': null}}",
    };
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char text[256];
        snprintf(text, sizeof text, "{'schemaVersion': '1.0', 'entrypoint': 'main:hello', %s}", texts[i]);
        aard_manifest *manifest = parse(text);
        assert_false(aard_manifest_has_network(manifest));
        assert_true(aard_manifest_https_only(manifest));
        aard__manifest_free(manifest);
    }
}

static void an_empty_allowlist_is_a_network_without_hosts(void **state)
{
    (void)state;
    aard_manifest *manifest = parse("{'schemaVersion': '1.0', 'entrypoint': 'main:hello',"
                                    " 'resources': {'network': {'allow': []}}}");
    assert_true(aard_manifest_has_network(manifest));
    assert_int_equal(aard_manifest_allow_host_count(manifest), 0);
    aard__manifest_free(manifest);
}

static void a_list_has_a_greatest_length(void **state)
{
    (void)state;
    char *text = malloc(64 * 1024);
    assert_non_null(text);
    for (int count = 1000; count <= 1001; count++) {
        char *at = stpcpy(text, "{\"schemaVersion\": \"1.0\", \"entrypoint\": \"main:hello\", \"packages\": [");
        for (int i = 0; i < count; i++) at += sprintf(at, "%s\"p%d\"", i ? "," : "", i);
        strcpy(at, "]}");
        aard_manifest *manifest = NULL;
        aard_error *error = aard__manifest_parse(text, strlen(text), &manifest);
        if (count == 1000) {
            assert_null(error);
            assert_int_equal(aard_manifest_package_count(manifest), 1000);
        } else {
            assert_int_equal(aard_error_get_code(error), AARD_ERR_MANIFEST_PACKAGES);
            assert_non_null(strstr(aard_error_message(error), "'packages' has 1001 entries"));
        }
        aard__manifest_free(manifest);
        aard_error_free(error);
    }
    free(text);
}

static void every_cut_of_a_manifest_is_refused(void **state)
{
    (void)state;
    char *text = quoted(full);
    for (size_t len = 0; len + 1 < strlen(text); len++) {
        char *cut = malloc(len ? len : 1); /* of its own, so that a read behind it is seen */
        assert_non_null(cut);
        memcpy(cut, text, len);
        aard_manifest *manifest = NULL;
        aard_error *error = aard__manifest_parse(cut, len, &manifest);
        assert_non_null(error);
        assert_int_equal(aard_error_get_class(error), AARD_CLASS_INPUT);
        aard_error_free(error);
        free(cut);
    }
    free(text);
}

static size_t allocations_left;

static int fail_after(size_t size)
{
    (void)size;
    return allocations_left && allocations_left--;
}

static void running_out_of_memory_anywhere_is_reported(void **state)
{
    (void)state;
    char *text = quoted(full);
    for (size_t n = 0;; n++) {
        aard_manifest *manifest = NULL;
        allocations_left = n;
        aard__alloc_set_hook(fail_after);
        aard_error *error = aard__manifest_parse(text, strlen(text), &manifest);
        aard__alloc_set_hook(NULL);
        if (!error) {
            assert_true(n > 20);
            aard__manifest_free(manifest);
            break;
        }
        assert_int_equal(aard_error_get_code(error), AARD_ERR_NO_MEMORY);
        assert_null(manifest);
        aard_error_free(error);
    }
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_bad_manifest_has_its_own_error),
        cmocka_unit_test(the_smallest_manifest_gives_the_defaults),
        cmocka_unit_test(every_key_is_read_and_brought_to_one_form),
        cmocka_unit_test(javascript_needs_only_its_language),
        cmocka_unit_test(null_is_the_same_as_an_absent_key),
        cmocka_unit_test(an_empty_allowlist_is_a_network_without_hosts),
        cmocka_unit_test(a_list_has_a_greatest_length),
        cmocka_unit_test(every_cut_of_a_manifest_is_refused),
        cmocka_unit_test(running_out_of_memory_anywhere_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
