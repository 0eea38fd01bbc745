#include "pack_support.h"

#include "base/alloc.h"

bool read_exactly(form_reader reader, const char *data, size_t len)
{
    char *exact = malloc(len ? len : 1);
    assert_non_null(exact);
    if (len) memcpy(exact, data, len);
    bool taken = reader(exact, len);
    free(exact);
    return taken;
}

void refuses_all_cuts_at(test_place here, form_reader reader, const aard__buf *bytes)
{
    assert_false(bytes->failed);
    for (size_t len = 0; len < bytes->len; len++)
        if (read_exactly(reader, bytes->data, len)) fail_at(here, "%zu of %zu bytes are taken", len, bytes->len);
    if (!read_exactly(reader, bytes->data, bytes->len)) fail_at(here, "all of it is refused");
}

size_t alter_all(form_reader reader, const aard__buf *bytes)
{
    static const unsigned char masks[] = {0x01, 0x02, 0x10, 0x80, 0xff};
    size_t refused = 0;
    for (size_t i = 0; i < bytes->len * COUNT(masks); i++) {
        char *at = bytes->data + i / COUNT(masks), before = *at;
        *at = (char)(before ^ masks[i % COUNT(masks)]);
        refused += !read_exactly(reader, bytes->data, bytes->len);
        *at = before;
    }
    return refused;
}

static size_t allowed_allocations;

static int allow(size_t size)
{
    (void)size;
    if (allowed_allocations) return (int)allowed_allocations--;
    return 0;
}

size_t fail_allocations(aard_error *(*unpack)(aard__unpacker *in), const aard__buf *bytes)
{
    for (size_t allowed = 0;; allowed++) {
        aard__unpacker in = aard__unpacker_of(bytes->data, bytes->len);
        allowed_allocations = allowed;
        aard__alloc_set_hook(allow);
        aard_error *error = unpack(&in);
        aard__alloc_set_hook(NULL);
        if (!error) return allowed;
        aard_error_code code = aard_error_get_code(error);
        aard_error_free(error);
        assert_int_equal(code, AARD_ERR_NO_MEMORY);
    }
}
