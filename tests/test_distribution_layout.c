/* What a distribution's layout number stands for.  test-quick */
#include "base/alloc.h"
#include "dist_support.h"

/* Whoever changes what is staged fails here: raise AARD__DIST_LAYOUT (src/distribution/manifest.h) and add a row. */
static void what_is_staged_goes_with_the_layout(void **state)
{
    (void)state;
    static const struct {
        int layout;
        const char *blake2b;
    } rows[] = {{2, "209b97a0bbba3f25d59b76409c52181c1a3c555a10d99eb818a51ba3b4b63040"}},
      *last = &rows[sizeof rows / sizeof *rows - 1];
    aard__dist_manifest *m = NULL;
    aard__buf text = AARD__BUF_INIT;
    uint8_t hash[32];
    char hex[65], *name = aard__distribution_dir_name(&aard__lines[0], AARD_VARIANT_CORE, NULL);
    assert_ok(aard__dist_manifest_new(aard__pins_0_29.version, &m));
    for (size_t i = 0; i < AARD__PINNED_FILES; i++)
        assert_ok(aard__dist_manifest_add(m, aard__pins_0_29.files[i].name, i, aard__pins_0_29.files[0].blake2b));
    aard__dist_manifest_seal(m);
    aard__dist_manifest_write(m, &text);
    aard__buf_puts(&text, name);
    crypto_generichash(hash, 32, (unsigned char *)text.data, text.len, NULL, 0);
    sodium_bin2hex(hex, sizeof hex, hash, sizeof hash);
    assert_int_equal(last->layout, AARD__DIST_LAYOUT);
    assert_string_equal(hex, last->blake2b);
    aard__free(name);
    aard__buf_free(&text);
    aard__dist_manifest_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_staged_goes_with_the_layout),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
