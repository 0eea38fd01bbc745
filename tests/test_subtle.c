/* Cryptography that takes as long as a guest says: a call's limit ends it. */
#include "isolate_support.h"

#define COUNT(list) (sizeof(list) / sizeof *(list))

static void test_a_limit_ends_long_cryptography(void **state)
{
    (void)state;
    static const char *const codes[] = {
        "const key = await crypto.subtle.importKey('raw', new Uint8Array(8), 'PBKDF2', false, ['deriveBits']);"
        "await crypto.subtle.deriveBits({ name: 'PBKDF2', hash: 'SHA-512', salt: new Uint8Array(8), iterations: 4e9 }, key, 512)",
        "for (;;) await crypto.subtle.generateKey({ name: 'RSA-PSS', hash: 'SHA-256', modulusLength: 8192, publicExponent: "
        "new Uint8Array([1, 0, 1]) }, true, ['sign'])",
        "const big = new Uint8Array(1 << 28), key = await crypto.subtle.generateKey({ name: 'AES-CBC', length: 256 }, true, "
        "['encrypt']); for (;;) await crypto.subtle.encrypt({ name: 'AES-CBC', iv: new Uint8Array(16) }, key, big)",
    };
    aard_isolate *isolate = boot(config_of(AARD_LANGUAGE_JAVASCRIPT), NULL);
    aard_call *brief = limited_to(200);
    for (size_t i = 0; i < COUNT(codes); i++) {
        double start = now_ms();
        failure_is(exec_with(isolate, codes[i], brief), AARD_FAILURE_TIMEOUT_EXCEEDED, NULL);
        assert_true(now_ms() - start < 200 + 10 * late_ms());
        value_is(exec(isolate, "1 + 1"), "2");
    }
    aard_call_free(brief);
    aard_isolate_free(isolate);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_a_limit_ends_long_cryptography)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
