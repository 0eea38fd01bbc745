/* Modules whose default export answers requests: what they are given, and what becomes of their responses. */
#include "isolate_support.h"

#define COUNT(list) (sizeof(list) / sizeof *(list))

static const char source[] =
    "let waited = 0;\n"
    "export default {\n"
    "  prefix: 'p',\n"
    "  async fetch(request, env, context) {\n"
    "    const { pathname } = new URL(request.url);\n"
    "    switch (pathname) {\n"
    "      case '/echo': return new Response(`${this.prefix} ${request.method} ${await request.text()}`);\n"
    "      case '/headers': return Response.json(request.headers.get('x-a'), { status: 201, statusText: 'Made', headers: [['Set-Cookie', 'a'], ['set-cookie', 'b']] });\n"
    "      case '/bytes': return new Response(new Uint8Array([255, 0, 1]), { headers: { 'content-type': 'x/y' } });\n"
    "      case '/length': return new Response(String((await request.bytes())[0]));\n"
    "      case '/empty': return new Response(null, { status: 204 });\n"
    "      case '/again': { const r = new Response('body', { headers: { a: 'b' } }); return new Response(r.body, r); }\n"
    "      case '/wait': context.waitUntil(new Promise((done) => setTimeout(() => { waited++; done() }, 5))); return new Response('now');\n"
    "      case '/waited': return new Response(String(waited));\n"
    "      case '/env': return new Response(typeof env);\n"
    "      case '/none': return { not: 'a response' };\n"
    "      case '/broken': return new Response(new ReadableStream({ pull() { throw new RangeError('source') } }));\n"
    "      default: throw new TypeError('no ' + pathname);\n"
    "    }\n"
    "  },\n"
    "};\n";
static const char plain_source[] = "export default { fetch: 5 };\nexport const handler = { fetch: (given) => given };\n";

static aard_isolate *guest;

static int start(void **state)
{
    (void)state;
    const char *const files[][2] = {{"main.js", source}, {"plain.js", plain_source}, {NULL, NULL}};
    guest = boot(config_of(AARD_LANGUAGE_JAVASCRIPT), bundle_of(files));
    return 0;
}

static int end(void **state)
{
    (void)state;
    aard_isolate_free(guest);
    return 0;
}

#define TEXT(body) \
    "{\"status\":200,\"statusText\":\"\",\"headers\":[[\"content-type\",\"text/plain;charset=UTF-8\"]],\"body\":\"" body "\"}"

static void test_responses_become_values(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"\"/echo\"", TEXT("p GET ")},
        {"\"https://example.org/echo\"", TEXT("p GET ")},
        {"{\"url\":\"/echo\",\"method\":\"put\",\"body\":\"x\"}", TEXT("p PUT x")},
        {"{\"url\":\"/headers\",\"headers\":{\"X-A\":\"1\"}}",
         "{\"status\":201,\"statusText\":\"Made\",\"headers\":[[\"content-type\",\"application/json\"],[\"set-cookie\","
         "\"a\"],[\"set-cookie\",\"b\"]],\"body\":\"\\\"1\\\"\"}"},
        {"{\"url\":\"/headers\",\"headers\":[[\"x-a\",\"2\"]]}",
         "{\"status\":201,\"statusText\":\"Made\",\"headers\":[[\"content-type\",\"application/json\"],[\"set-cookie\","
         "\"a\"],[\"set-cookie\",\"b\"]],\"body\":\"\\\"2\\\"\"}"},
        {"{\"url\":\"/length\",\"method\":\"POST\",\"body\":{\"base64\":\"/w==\"}}", TEXT("255")},
        {"\"/empty\"", "{\"status\":204,\"statusText\":\"\",\"headers\":[],\"body\":null}"},
        {"\"/again\"",
         "{\"status\":200,\"statusText\":\"\",\"headers\":[[\"a\",\"b\"],[\"content-type\",\"text/plain;charset=UTF-8\"]],"
         "\"body\":\"body\"}"},
        {"\"/wait\"", TEXT("now")},
        {"\"/waited\"", TEXT("1")},
        {"\"/env\"", TEXT("object")},
    };
    for (size_t i = 0; i < COUNT(rows); i++) value_is(call(guest, "main:default", rows[i][0]), rows[i][1]);
    value_is(call(guest, "main:default.fetch", "\"/env\""), TEXT("object"));
}

static void test_bodies_that_are_no_text_are_buffers(void **state)
{
    (void)state;
    const uint8_t *data;
    const char *id, *metadata;
    size_t len;
    aard_outcome *outcome = call(guest, "main:default", "\"/bytes\"");
    assert_true(aard_outcome_is_success(outcome));
    assert_int_equal(aard_outcome_buffer_count(outcome), 1);
    aard_outcome_buffer(outcome, 0, &id, &data, &len, &metadata);
    assert_string_equal(id, "body");
    assert_int_equal(len, 3);
    assert_memory_equal(data, "\xff\0\1", 3);
    value_is(outcome, "{\"status\":200,\"statusText\":\"\",\"headers\":[[\"content-type\",\"x/y\"]],\"body\":null}");
}

static void test_what_is_wrong_with_requests_and_responses_is_said(void **state)
{
    (void)state;
    failure_is(call(guest, "main:default", "\"/none\""), AARD_FAILURE_ADAPTER_ERROR, "gave Object, not a Response", NULL);
    exception_is(call(guest, "main:default", "\"/broken\""), "RangeError", "source", NULL);
    exception_is(call(guest, "main:default", "\"/\""), "TypeError", "no /", NULL);
    exception_is(call(guest, "main:default", NULL), "TypeError", "no /", NULL);
    exception_is(call(guest, "main:default", "5"), "TypeError", NULL, NULL);
    exception_is(call(guest, "main:default", "\"https://\""), "TypeError", "the request's URL is invalid: https://", NULL);
    exception_is(call(guest, "main:default", "{\"body\":\"x\"}"), "TypeError", "Request: a GET has no body", NULL);
    exception_is(call(guest, "main:default", "{\"method\":\"PUT\",\"body\":5}"), "TypeError", NULL, NULL);
}

static void test_other_exports_named_fetch_are_functions_like_any(void **state)
{
    (void)state;
    value_is(call(guest, "plain:handler.fetch", "[1]"), "[1]");
    failure_is(call(guest, "plain:default", "1"), AARD_FAILURE_ADAPTER_ERROR, "is not callable", NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_responses_become_values),
        cmocka_unit_test(test_bodies_that_are_no_text_are_buffers),
        cmocka_unit_test(test_what_is_wrong_with_requests_and_responses_is_said),
        cmocka_unit_test(test_other_exports_named_fetch_are_functions_like_any),
    };
    return cmocka_run_group_tests(tests, start, end);
}
