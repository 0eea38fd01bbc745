/* Requests of Python guests: the standard library, pyodide.http, the event loop, stops and resets. */
#include "isolate_support.h"
#include "net_support.h"

#include <malloc.h>

/* Without JavaScript, and with it. */
static aard_isolate *closed, *granted;

static void gives(const char *text, const char *json) { value_is(exec(closed, net_text(text)), json); }

static void both_give(const char *text, const char *json)
{
    gives(text, json);
    value_is(exec(granted, net_text(text)), json);
}

/* ---- the standard library ------------------------------------------------------------------------------------------- */

static void test_urllib(void **state)
{
    (void)state;
    both_give("from urllib.request import urlopen, Request\nr = urlopen('$H/hello')\n"
              "[r.status, r.reason, r.headers['X-One'], r.read().decode(), r.geturl().endswith('/hello')]",
              "[200,\"Status\",\"1\",\"hello\",true]");
    both_give("urlopen('$S/hello').read().decode()", "\"hello\"");
    both_give(
        "import json\ne = json.load(urlopen(Request('$H/echo?q', b'data', {'X-Test': '1', 'Authorization': 's'})))\n"
        "[e['method'], e['target'], e['body'], e['headers']['x-test'], e['headers']['content-length'], e['headers']['authorization']]",
        "[\"POST\",\"/echo?q\",\"data\",\"1\",\"4\",\"s\"]");
    both_give(
        "[len(urlopen('$H/chunks?n=100000').read()), urlopen('$H/gzip').read().decode(), urlopen(Request('$H/hello', method='HEAD')).headers['X-Head']]",
        "[100000,\"hello\",\"yes\"]");
    both_give("r = urlopen('$H/to?code=302&url=/hello')\n[r.read().decode(), r.url.endswith('/hello')]",
              "[\"hello\",true]");
    both_give(
        "from urllib.error import HTTPError, URLError\ntry:\n    urlopen('$H/status/404')\nexcept HTTPError as e:\n    x = [e.code, e.read().decode()]\nx",
        "[404,\"status\"]");
    both_give(
        "try:\n    urlopen('https://evil.example/')\nexcept URLError as e:\n    x = [type(e.reason).__name__, 'host_not_allowed' in str(e)]\nx",
        "[\"PermissionError\",true]");
    both_give(
        "try:\n    urlopen('$H/wait?ms=3000', timeout=0.05)\nexcept OSError as e:\n    x = [type(e.reason).__name__]\nx",
        "[\"TimeoutError\"]");
    both_give("try:\n    urlopen('http://a.test:1/')\nexcept URLError as e:\n    x = 'port_not_allowed' in str(e)\nx",
              "true");
    both_give("json.load(urlopen(Request('$H/echo', iter([b'ab', b'cd']), {'Content-Type': 'x/y'})))['body']",
              "\"abcd\"");
}

static void test_http_client(void **state)
{
    (void)state;
    both_give(
        "from http.client import HTTPConnection, HTTPSConnection\nc = HTTPConnection('public.test', $P)\nseen = []\n"
        "for i in range(3):\n    c.request('PUT', f'/echo?{i}', body=b'x' * i, headers={'A': 'b'})\n"
        "    seen.append(json.loads(c.getresponse().read())['target'])\nc.close()\nseen",
        "[\"/echo?0\",\"/echo?1\",\"/echo?2\"]");
    both_give(
        "c = HTTPConnection('public.test', $P)\nc.putrequest('GET', '/hello')\nc.endheaders()\nc.getresponse().read().decode()",
        "\"hello\"");
    both_give("HTTPSConnection('public.test').default_port", "443");
    gives(
        "import xmlrpc.client\ntry:\n    xmlrpc.client.ServerProxy('$H/rpc').f()\nexcept xmlrpc.client.ProtocolError as e:\n    x = e.errcode\nx",
        "404");
}

static void test_sockets_are_closed(void **state)
{
    (void)state;
    static const char *const codes[] = {
        "socket.create_connection(('public.test', $P), 1)",
        "socket.socket().connect(('127.0.0.1', $P))",
        "socket.socket().bind(('0.0.0.0', 4000))",
        "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', $P))",
    };
    for (size_t i = 0; i < COUNT(codes); i++) {
        char text[500];
        snprintf(text, sizeof text,
                 "import socket\ntry:\n    %s\n    x = 'through'\nexcept OSError:\n    x = 'closed'\nx", codes[i]);
        aard_outcome *outcome = exec(closed, net_text(text));
        if (!aard_outcome_violation_count(outcome)) fail_msg("%s is not written down", codes[i]);
        assert_string_equal(aard_outcome_violation(outcome, 0)->reason, "raw_socket");
        value_is(outcome, "\"closed\"");
    }
    assert_int_equal(net_http.connections, 0);
}

/* ---- pyodide.http --------------------------------------------------------------------------------------------------- */

static void test_pyodide_http(void **state)
{
    (void)state;
    both_give(
        "from pyodide.http import open_url, pyfetch, pyxhr, HttpStatusError, AbortError, BodyUsedError\nopen_url('$H/hello').read()",
        "\"hello\"");
    both_give("r = pyxhr.post('$H/echo', json={'a': 1}, params={'q': 2}, headers={'X': 'y'})\n"
              "[r.status_code, r.ok, r.json()['body'], r.json()['target'], r.json()['headers']['x']]",
              "[200,true,\"{\\\"a\\\": 1}\",\"/echo?q=2\",\"y\"]");
    both_give(
        "r = await pyfetch('$S/hello')\n[r.status, r.ok, r.headers['x-one'], await r.text(), r.url.endswith('/hello')]",
        "[200,true,\"1\",\"hello\",true]");
    both_give(
        "r = await pyfetch('$H/echo', method='POST', body='b', headers={'X-A': '1'})\ne = await r.json()\n[e['method'], e['body'], e['headers']['x-a']]",
        "[\"POST\",\"b\",\"1\"]");
    both_give(
        "r = await pyfetch('$H/hello')\nc = r.clone()\n[(await r.bytes()).decode(), bytes(await c.memoryview()).decode(), r.body_used]",
        "[\"hello\",\"hello\",true]");
    both_give(
        "r = await pyfetch('$H/status/500')\ntry:\n    r.raise_for_status()\nexcept HttpStatusError as e:\n    x = e.status\nx",
        "500");
    both_give(
        "try:\n    await pyfetch('https://evil.example/')\nexcept OSError as e:\n    x = 'host_not_allowed' in str(e)\nx",
        "true");
    gives(
        "r = await pyfetch('$H/hello')\nawait r.text()\ntry:\n    await r.text()\nexcept BodyUsedError:\n    x = 1\nx",
        "1");
    gives("r = await pyfetch('$H/to?code=302&url=/hello', redirect='manual')\n[r.status, r.headers['location']]",
          "[302,\"/hello\"]");
}

static void test_others_run_meanwhile(void **state)
{
    (void)state;
    gives("import asyncio\nasync def meet():\n    return await (await pyfetch('$H/meet?n=5')).text()\n"
          "async def tick():\n    for _ in range(10):\n        await asyncio.sleep(0.005)\n    return await meet()\n"
          "await asyncio.gather(tick(), *(meet() for _ in range(4)))",
          "[\"met\",\"met\",\"met\",\"met\",\"met\"]");
    gives("async def spin():\n    while True:\n        await asyncio.sleep(0)\nt = asyncio.ensure_future(spin())\n"
          "r = await (await pyfetch('$H/wait?ms=30')).text()\nt.cancel()\nr",
          "\"waited\"");
    gives("try:\n    await asyncio.wait_for(pyfetch('$H/drip'), 0.05)\nexcept TimeoutError:\n    x = 'timed out'\nx",
          "\"timed out\"");
    gives(
        "t = asyncio.ensure_future(pyfetch('$H/drip'))\nawait asyncio.sleep(0.02)\nt.cancel()\ntry:\n    await t\nexcept asyncio.CancelledError:\n    x = 'cancelled'\nx",
        "\"cancelled\"");
    gives("len(await asyncio.gather(*(pyfetch('$H/hello') for _ in range(60))))", "60");
    /* A synchronous request within a loop that has others under way. */
    gives(
        "ts = [asyncio.ensure_future(pyfetch('$H/wait?ms=50')) for _ in range(12)]\nawait asyncio.sleep(0)\nx = open_url('$H/hello').read()\n"
        "[x, len(await asyncio.gather(*ts))]",
        "[\"hello\",12]");
}

/* ---- stops and resets ----------------------------------------------------------------------------------------------- */

static void test_a_stop_ends_a_transfer_at_once(void **state)
{
    (void)state;
    static const char *const codes[] = {
        "from urllib.request import urlopen\nurlopen('$H/drip').read()",
        "from urllib.request import urlopen\nurlopen('$H/wait?ms=5000').read()",
        "from pyodide.http import pyfetch\nawait (await pyfetch('$S/drip')).string()",
        "from urllib.request import urlopen\nwhile True:\n    try:\n        urlopen('$H/drip').read()\n    except BaseException:\n        pass",
        "from pyodide.http import pyfetch\nimport asyncio\nwhile True:\n    try:\n        await (await pyfetch('$H/drip')).string()\n    except BaseException:\n        pass",
    };
    aard_isolate *isolates[] = {closed, granted};
    aard_call *brief = limited_to(200);
    for (size_t i = 0; i < COUNT(codes) * 2; i++) {
        aard_isolate *one = isolates[i & 1];
        value_is(exec(one, "import urllib.request, asyncio, pyodide.http\n1"), "1");
        double start = now_ms();
        aard_outcome *outcome = exec_with(one, net_text(codes[i / 2]), brief);
        double took = now_ms() - start;
        if (took > 300 + 2 * late_ms()) fail_msg("%s took %.0f ms", codes[i / 2], took);
        assert_non_null(aard_outcome_network_attempt(outcome, 0));
        failure_is(outcome, AARD_FAILURE_TIMEOUT_EXCEEDED, NULL);
        value_is(exec(one, net_text("from urllib.request import urlopen\nurlopen('$H/hello').read().decode()")),
                 "\"hello\"");
    }
    aard_call_free(brief);
}

static void test_nothing_is_left_for_the_next_call(void **state)
{
    (void)state;
    gives(
        "from pyodide.http import pyfetch\nimport asyncio, os\nt = asyncio.ensure_future(pyfetch('$H/drip'))\nawait asyncio.sleep(0.02)\n1",
        "1");
    gives("try:\n    await t\nexcept asyncio.CancelledError:\n    x = 'ended'\nx", "\"ended\"");
    assert_ok(aard_isolate_reset(closed));
    gives("from urllib.request import urlopen\nurlopen('$H/hello').read().decode()", "\"hello\"");
    for (int i = 0; i < 20; i++) {
        gives(
            "from pyodide.http import pyfetch\nimport asyncio\nasyncio.ensure_future(pyfetch('$H/drip'))\nawait asyncio.sleep(0)\nlen(await (await pyfetch('$H/bytes?n=100')).bytes())",
            "100");
        assert_ok(aard_isolate_reset(closed));
    }
    aard_outcome *outcome = exec(closed, "1");
    assert_int_equal(aard_outcome_diagnostics(outcome)->reset_mode, expected_reset(AARD_RESET_IN_PLACE));
    value_is(outcome, "1");
}

/* ---- the device ------------------------------------------------------------------------------------------------------ */

static void test_the_device_takes_no_nonsense(void **state)
{
    (void)state;
    gives(
        "import os, json\n"
        "def send(*messages, read=None):\n"
        "    d = os.open('/dev/network', os.O_RDWR | 2048)\n"
        "    try:\n"
        "        for m in messages:\n"
        "            os.write(d, m)\n"
        "        return os.read(d, read) if read else None\n"
        "    except OSError as e:\n"
        "        return e.errno\n"
        "    finally:\n"
        "        os.close(d)\n"
        "def frame(value):\n"
        "    text = value if isinstance(value, bytes) else json.dumps(value).encode()\n"
        "    return len(text).to_bytes(4, 'little') + text\n"
        "good = {'method': 'GET', 'url': 'https://evil.example/', 'headers': '', 'redirects': 0, 'timeout': 0}\n"
        "[send(b''), send(b'x'), send(b'\\xff\\xff\\xff\\xff{}'), send(frame(b'{')), send(frame(b'1')), send(frame(b'null')), send(frame([])), "
        "send(frame({})), send(frame({**good, 'url': 1})), send(frame({**good, 'headers': None})), send(frame({**good, 'redirects': '0'})), "
        "send(frame({'wait': 'x'})), send(frame(good), frame(good)), send(read=4), send(frame(b'\\xff\\xff'))]",
        "[28,28,28,28,28,28,28,28,28,28,28,28,28,28,28]");
    gives("[send(frame(good), read=4) is not None, send(frame({**good, 'headers': 'x'}), read=1 << 20) is not None]",
          "[true,true]");
    gives(
        "n = 0\nds = []\ntry:\n    for i in range(5000):\n        d = os.open('/dev/network', os.O_RDWR)\n        ds.append(d)\n        os.write(d, frame(good))\n        n += 1\n"
        "except OSError as e:\n    x = e.errno\nfor d in ds:\n    os.close(d)\n[n <= 4096, x in (48, 33)]",
        "[true,true]");
}

static size_t in_use; /* bytes, when it was measured */

static size_t measure(void)
{
    struct mallinfo2 now = mallinfo2();
    return now.uordblks + now.hblkhd;
}

static void on_measure(const aard_call_context *context, void *user, const char *input, size_t len, aard_reply *reply)
{
    (void)context;
    (void)user, (void)input, (void)len, (void)reply;
    in_use = measure();
}

/* What the host keeps of a request is none of the guest's memory, and not kept until the guest lets go of the answer. */
static void test_requests_take_no_memory_of_the_host(void **state)
{
    (void)state;
    static const char *const codes[] = {
        "{'url': 'https://evil.example/', 'body': True}, bytes(1 << 20)", /* refused by the list */
        "{'url': 'http://public.test:$P/hello', 'method': 'TRACE', 'body': True}, bytes(1 << 20)",
        "{'url': 'x', 'method': 'A' * (1 << 20)}, b''", /* shown as it was written */
        "{'url': 'x' * (1 << 20)}, b''",
        "{'url': 'http://public.test:$P/hello', 'body': True}, bytes(200000)", /* answered, and not taken */
    };
    aard_isolate_config *config = net_config(AARD_LANGUAGE_PYTHON);
    assert_ok(aard_isolate_config_add_function(config, "measure", on_measure, NULL, NULL));
    assert_ok(aard_isolate_config_add_capability(config, "measure"));
    aard_isolate *one = boot(config, NULL);
    value_is(exec(one, "import os, json\nfrom aardvark import host\n1"), "1");
    for (size_t i = 0; i < COUNT(codes); i++) {
        char text[1000];
        snprintf(
            text, sizeof text,
            "ds = []\n"
            "def send(what, body):\n"
            "    text = json.dumps({'method': 'POST', 'headers': '', 'redirects': 0, 'timeout': 0, **what}).encode()\n"
            "    ds.append(os.open('/dev/network', os.O_RDWR))\n"
            "    os.write(ds[-1], len(text).to_bytes(4, 'little') + text + body)\n"
            "    return os.read(ds[-1], 1)\n"
            "def all():\n"
            "    for i in range(150):\n"
            "        send(%s)\n"
            "    host.measure()\n"
            "    return len(ds)\n"
            "all()",
            codes[i]);
        size_t before = measure();
        value_is(exec(one, net_text(text)), "150");
        if (in_use > before + (16 << 20)) fail_msg("%s takes %zu bytes", codes[i], in_use - before);
        value_is(exec(one, "for d in ds:\n    os.close(d)\nlen(ds)"), "150");
    }
    aard_isolate_free(one);
}

static void test_bodies_that_wait_are_limited_together(void **state)
{
    (void)state;
    aard_isolate_config *config = net_config(AARD_LANGUAGE_PYTHON);
    aard_isolate_config_set_network_limit(config, AARD_NETWORK_REQUEST_BYTES, 200000);
    aard_isolate_config_set_network_limit(config, AARD_NETWORK_CONNECTIONS, 1);
    aard_isolate *one = boot(config, NULL);
    aard_outcome *outcome = exec(
        one, net_text("from pyodide.http import pyfetch\nimport asyncio\nasync def ask(path):\n    try:\n"
                      "        return (await pyfetch('$H' + path, method='POST', body=bytes(200000))).status\n"
                      "    except OSError as e:\n        return 'requests_too_large' in str(e)\n"
                      "[await asyncio.gather(*[ask('/wait?ms=200') for i in range(5)]), await ask('/hello')]"));
    const aard_violation *last = aard_outcome_violation(outcome, aard_outcome_violation_count(outcome) - 1);
    assert_string_equal(last->reason, "requests_too_large");
    assert_int_equal(last->count, 2);
    value_is(outcome, "[[200,200,200,true,true],200]");
    aard_isolate_free(one);
}

static double time_with_headers(int count)
{
    char code_text[1024];
    snprintf(code_text, sizeof code_text,
             "import os, json\n"
             "ns = set()\n"
             "for i in range(10):\n"
             "    text = json.dumps({'method': 'GET', 'url': '$H/hello', 'headers': 'a:b\\n' * %d, 'redirects': 0, "
             "'timeout': 0}).encode()\n"
             "    d = os.open('/dev/network', os.O_RDWR)\n"
             "    os.write(d, len(text).to_bytes(4, 'little') + text)\n"
             "    ns.add(b'hello' in os.read(d, 1000))\n"
             "    os.close(d)\n"
             "list(ns)",
             count);
    aard_outcome *outcome = exec(closed, net_text(code_text));
    double ms = aard_outcome_diagnostics(outcome)->cpu_ms_used;
    value_is(outcome, "[true]");
    return ms;
}

/* No list is walked anew for each of them: four times as many would take sixteen times as long. */
static void test_many_headers(void **state)
{
    (void)state;
    time_with_headers(1);
    double few = time_with_headers(4000), many = time_with_headers(16000);
    if (many > 9 * few + 50) fail_msg("4000 headers took %.0f ms, 16000 took %.0f ms", few, many);
}

static void test_preloaded_modules_are_adapted(void **state)
{
    (void)state;
    static const char *const files[][2] = {
        {"aardvark.manifest.json",
         "{\"schemaVersion\": \"1.0\", \"entrypoint\": \"main:f\", \"resources\": {\"network\": {\"allow\": [\"public.test\"], \"httpsOnly\": false}}}"},
        {"main.py",
         "import urllib.request\nfrom pyodide.http import pyfetch\nasync def f(url):\n    return [urllib.request.urlopen(url).read().decode(), await (await pyfetch(url)).text()]\n"},
        {NULL, NULL},
    };
    aard_isolate_config *config = config_of(AARD_LANGUAGE_PYTHON);
    aard_isolate_config_set_cleanup(config, AARD_CLEANUP_FULL);
    aard_isolate *one = boot(config, bundle_of(files));
    char input[200];
    snprintf(input, sizeof input, "\"%s\"", net_text("$H/hello"));
    for (int i = 0; i < 3; i++) value_is(call(one, NULL, input), "[\"hello\",\"hello\"]");
    aard_isolate_free(one);
}

static int forget(void **state)
{
    (void)state;
    net_forget_names();
    return 0;
}

static int set_up(void **state)
{
    (void)state;
    net_start();
    closed = boot(net_config(AARD_LANGUAGE_PYTHON), NULL);
    aard_isolate_config *config = net_config(AARD_LANGUAGE_PYTHON);
    assert_ok(aard_isolate_config_add_capability(config, "js"));
    granted = boot(config, NULL);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    aard_isolate_free(closed);
    aard_isolate_free(granted);
    net_stop();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_urllib, forget),
        cmocka_unit_test_setup(test_http_client, forget),
        cmocka_unit_test_setup(test_sockets_are_closed, forget),
        cmocka_unit_test_setup(test_pyodide_http, forget),
        cmocka_unit_test_setup(test_others_run_meanwhile, forget),
        cmocka_unit_test_setup(test_a_stop_ends_a_transfer_at_once, forget),
        cmocka_unit_test_setup(test_nothing_is_left_for_the_next_call, forget),
        cmocka_unit_test_setup(test_the_device_takes_no_nonsense, forget),
        cmocka_unit_test_setup(test_requests_take_no_memory_of_the_host, forget),
        cmocka_unit_test_setup(test_bodies_that_wait_are_limited_together, forget),
        cmocka_unit_test_setup(test_many_headers, forget),
        cmocka_unit_test_setup(test_preloaded_modules_are_adapted, forget),
    };
    return cmocka_run_group_tests_name("network_python", tests, set_up, tear_down);
}
