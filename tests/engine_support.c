#include "engine_support.h"

void open_fixture(fixture *f)
{
    memset(f, 0, sizeof *f);
    aard__vm_options options = {.user = f};
    assert_null(aard__vm_new(&options, &f->vm));
    aard__vm_enter(f->vm);
    assert_null(aard__realm_new(f->vm, &f->realm));
}

void close_fixture(fixture *f)
{
    aard__vm_leave(f->vm);
    aard__vm_free(f->vm);
    aard__result_free(&f->result);
}

aard__result *run(fixture *f, const char *code)
{
    aard__source source = {.name = "test", .data = code, .len = strlen(code)};
    aard__realm_run(f->realm, &source, false, &f->result);
    return &f->result;
}

aard__ref *object(fixture *f, const char *expression)
{
    char code[4096];
    snprintf(code, sizeof code, "(%s)", expression);
    aard__source source = {.name = "test", .data = code, .len = strlen(code)};
    aard__realm_run(f->realm, &source, true, &f->result);
    if (f->result.status != AARD__OK) fail_msg("%s: %s", expression, text_of(&f->result.thrown_text));
    assert_int_equal(f->result.value.kind, AARD__REF);
    return f->result.value.ref;
}

aard__ref *function(fixture *f, const char *expression) { return object(f, expression); }

const char *text_of(const aard__buf *buf)
{
    static char text[4096];
    snprintf(text, sizeof text, "%.*s", (int)buf->len, buf->data ? buf->data : "");
    return text;
}

void string_is(const aard__result *result, const char *text, size_t len)
{
    if (result->status != AARD__OK) fail_msg("status %d: %s", result->status, text_of(&result->thrown_text));
    assert_int_equal(result->value.kind, AARD__STRING);
    if (result->value.len != len || (len && memcmp(result->value.data, text, len)))
        fail_msg("'%.*s' is not '%.*s'", (int)result->value.len, result->value.data, (int)len, text);
}

void threw(const aard__result *result, const char *type, const char *text, const char *stack)
{
    assert_int_equal(result->status, AARD__THREW);
    assert_string_equal(text_of(&result->thrown_type), type);
    if (text) assert_string_equal(text_of(&result->thrown_text), text);
    if (!strstr(text_of(&result->thrown_stack), stack))
        fail_msg("'%s' is not in the stack: %s", stack, text_of(&result->thrown_stack));
}
