/* Requests of JavaScript guests: what fetch and XMLHttpRequest give, limits, stops and resets, what is written down.  test-quick */
#include <pthread.h>

#include "isolate_support.h"
#include "net_support.h"

static aard_isolate *isolate;

/* Runs the body of an asynchronous function. */
static aard_outcome *run(aard_isolate *one, const char *body, const aard_call *what)
{
    char text[4096];
    snprintf(text, sizeof text, "(async () => { %s })()", body);
    return exec_with(one, net_text(text), what);
}

static void gives(const char *body, const char *json) { value_is(run(isolate, body, NULL), json); }

static const aard_network_attempt *attempt(const aard_outcome *outcome, size_t index)
{
    const aard_network_attempt *found = aard_outcome_network_attempt(outcome, index);
    assert_non_null(found);
    return found;
}

static void attempt_is(const aard_outcome *outcome, size_t index, bool allowed, const char *url_end, const char *reason,
                       unsigned status)
{
    const aard_network_attempt *a = attempt(outcome, index);
    size_t len = strlen(a->url), end = strlen(url_end);
    if (a->allowed != allowed || strcmp(a->reason, reason) || a->status != status || len < end ||
        strcmp(a->url + len - end, url_end))
        fail_msg("attempt %zu is %s %s '%s' %u", index, a->allowed ? "allowed" : "blocked", a->url, a->reason,
                 a->status);
}

/* ---- fetch ---------------------------------------------------------------------------------------------------------- */

static void test_fetch_gives_a_response(void **state)
{
    (void)state;
    gives("const r = await fetch('$H/hello'); return [r.status, r.statusText, r.ok, r.redirected, r.type, "
          "r.headers.get('x-one'), await r.text(), r.bodyUsed]",
          "[200,\"Status\",true,false,\"basic\",\"1\",\"hello\",true]");
    gives("return (await fetch('$S/hello')).text()", "\"hello\"");
    gives("return (await fetch(new URL('$S/x/../hello#f'))).url.endsWith('/hello')", "true");
    gives("const r = await fetch('$H/status/404'); return [r.ok, r.status, await r.text()]", "[false,404,\"status\"]");
    gives("const r = await fetch('$H/status/204'); return [r.status, await r.text(), r.bodyUsed]", "[204,\"\",false]");
    gives("const r = await fetch('$H/hello', {method: 'HEAD'}); return [r.headers.get('X-Head'), (await "
          "r.arrayBuffer()).byteLength]",
          "[\"yes\",0]");
    gives("return (await (await fetch('$H/gzip')).text())", "\"hello\"");
    gives("return (await (await fetch('$H/chunks?n=100000')).arrayBuffer()).byteLength", "100000");
    gives("const r = await fetch('$H/cookies'); return [r.headers.getSetCookie(), await r.text()]",
          "[[\"a=b\",\"c=d\"],\"none\"]");
    gives("const r = await fetch('$H/cookies'); return await r.text()", "\"none\"");
}

static void test_fetch_sends_what_it_is_given(void **state)
{
    (void)state;
    gives("const e = await (await fetch('$H/echo?a=b', {method: 'post', body: '\\u00e4', headers: {'X-Test': "
          "'y\\u00e4'}})).json(); return [e.method, e.target, e.body, e.headers['content-type'], "
          "e.headers['content-length'], e.headers['x-test'].length]",
          "[\"POST\",\"/echo?a=b\",\"\xc3\xa4\",\"text/plain;charset=UTF-8\",\"2\",2]");
    gives("const e = await (await fetch('$S/echo', {method: 'PUT', body: new URLSearchParams({a: '1 "
          "2'})})).json(); return [e.method, e.body, e.headers['content-type']]",
          "[\"PUT\",\"a=1+2\",\"application/x-www-form-urlencoded;charset=UTF-8\"]");
    gives("const e = await (await fetch('$H/echo', {method: 'POST'})).json(); return [e.body, "
          "e.headers['content-length'], 'content-type' in e.headers]",
          "[\"\",\"0\",false]");
    gives("const e = await (await fetch('$H/echo', {method: 'DELETE', body: new Blob(['a', new "
          "Uint8Array([98])], {type: 'x/y'})})).json(); return [e.method, e.body, e.headers['content-type']]",
          "[\"DELETE\",\"ab\",\"x/y\"]");
    gives("const f = new FormData(); f.append('k', 'v'); const e = await (await fetch('$H/echo', {method: "
          "'POST', body: f})).json(); return [e.headers['content-type'].split(';')[0], "
          "e.body.includes('name=\"k\"')]",
          "[\"multipart/form-data\",true]");
    /* What is not the guest's to set is left out, as the standard has it. */
    gives("const e = await (await fetch('$H/echo', {headers: {Host: 'evil.example', 'Transfer-Encoding': "
          "'chunked', Connection: 'x', 'Proxy-Authorization': 'x', A: '1'}})).json(); return "
          "[e.headers.host.startsWith('public.test:'), e.headers.a, e.headers.connection, "
          "e.headers['transfer-encoding'], e.headers['proxy-authorization']]",
          "[true,\"1\",null,null,null]");
    gives("const e = await (await fetch('$H/echo')).json(); return [e.headers['user-agent'].split('/')[0], "
          "e.headers['accept-encoding']]",
          "[\"aardvark\",\"gzip, deflate\"]");
}

static void test_redirects(void **state)
{
    (void)state;
    gives("const r = await fetch('$H/to?code=302&url=/hello'); return [r.redirected, r.url.endsWith('/hello'), "
          "await r.text()]",
          "[true,true,\"hello\"]");
    gives("const r = await fetch('$H/to?code=302&url=$S/hello'); return [r.redirected, "
          "r.url.startsWith('https:'), await r.text()]",
          "[true,true,\"hello\"]");
    gives("const r = await fetch('$H/to?code=302&url=/hello', {redirect: 'manual'}); return [r.status, "
          "r.headers.get('location')]",
          "[302,\"/hello\"]");
    gives("try { await fetch('$H/to?code=302&url=/hello', {redirect: 'error'}) } catch (e) { return [e.name, "
          "e.message.includes('redirect')] }",
          "[\"TypeError\",true]");
    gives("try { await fetch('$H/loop') } catch (e) { return [e.name, "
          "e.message.includes('too_many_redirects')] }",
          "[\"TypeError\",true]");
    const char *const posts[][2] = {{"301", "GET"}, {"302", "GET"}, {"303", "GET"}, {"307", "POST"}, {"308", "POST"}};
    for (size_t i = 0; i < COUNT(posts); i++) {
        char text[400], want[100];
        snprintf(text, sizeof text,
                 "const e = await (await fetch('$H/to?code=%s&url=/echo', {method: 'POST', body: 'b'})).json(); "
                 "return [e.method, e.body]",
                 posts[i][0]);
        snprintf(want, sizeof want, "[\"%s\",\"%s\"]", posts[i][1], posts[i][1][0] == 'G' ? "" : "b");
        gives(text, want);
    }
    /* Another origin does not get what was for the first one. */
    gives("const h = {Authorization: 's', Cookie: 's', X: '1'}; const e = await (await "
          "fetch('$H/to?code=307&url=$S/echo', {headers: h})).json(); const f = await (await "
          "fetch('$H/to?code=307&url=/echo', {headers: h})).json(); return [e.headers.authorization, "
          "e.headers.cookie, e.headers.x, f.headers.authorization]",
          "[null,null,\"1\",\"s\"]");
}

static void test_attempts_are_written_down(void **state)
{
    (void)state;
    aard_outcome *outcome = run(
        isolate,
        "await (await fetch('$H/to?code=302&url=/bytes?n=1000')).text(); await (await fetch('$H/echo', {method: 'POST', "
        "body: '12345'})).text(); return await fetch('https://evil.example/x#y').catch(() => 0)",
        NULL);
    assert_success(outcome);
    assert_int_equal(aard_outcome_network_attempt_count(outcome), 4);
    attempt_is(outcome, 0, true, "/to?code=302&url=/bytes?n=1000", "", 302);
    attempt_is(outcome, 1, true, "/bytes?n=1000", "", 200);
    assert_int_equal(attempt(outcome, 1)->received_bytes, 1000);
    attempt_is(outcome, 2, true, "/echo", "", 200);
    assert_int_equal(attempt(outcome, 2)->sent_bytes, 5);
    assert_string_equal(attempt(outcome, 2)->method, "POST");
    attempt_is(outcome, 3, false, "https://evil.example/x", "host_not_allowed", 0);
    assert_int_equal(aard_outcome_violation_count(outcome), 1);
    assert_string_equal(aard_outcome_violation(outcome, 0)->reason, "host_not_allowed");
    aard_outcome_free(outcome);
}

static void test_many_at_once(void **state)
{
    (void)state;
    gives("const all = await Promise.all(Array.from({length: 50}, (_, i) => fetch('$H/echo?' + i).then((r) => "
          "r.json()))); return all.every((e, i) => e.target === '/echo?' + i)",
          "true");
    assert_true(net_http.connections < 20); /* those of the test before may be counted late */
    gives("const meet = async () => (await fetch('$H/meet?n=2')).text(); let ticks = 0, second; "
          "const t = setInterval(() => { if (++ticks === 10) second = meet() }, 5); "
          "const first = await meet(); clearInterval(t); return [first, await second]",
          "[\"met\",\"met\"]");
}

static void test_aborting(void **state)
{
    (void)state;
    gives("const c = new AbortController(); setTimeout(() => c.abort(), 20); try { await (await fetch('$H/drip', "
          "{signal: c.signal})).text() } catch (e) { return e.name }",
          "\"AbortError\"");
    gives("try { await (await fetch('$H/drip', {signal: AbortSignal.timeout(30)})).text() } catch (e) { return e.name }",
          "\"TimeoutError\"");
    gives("const c = new AbortController(); c.abort('why'); try { await fetch('$H/hello', {signal: c.signal}) "
          "} catch (e) { return e }",
          "\"why\"");
    aard_outcome *outcome = run(isolate, "try { await (await fetch('$H/drip', {signal: AbortSignal.timeout(30)})).text() } catch {}", NULL);
    attempt_is(outcome, 0, true, "/drip", "aborted", 200);
    aard_outcome_free(outcome);
}

static void test_bodies_come_as_streams(void **state)
{
    (void)state;
    gives("const reader = (await fetch('$H/drip')).body.getReader(); const { value, done } = await reader.read(); "
          "await reader.cancel(); return [value.length > 0, done]",
          "[true,false]");
    gives("let sum = 0; for await (const piece of (await fetch('$H/chunks?n=3000000')).body) sum += piece.length; return sum",
          "3000000");
    gives("const [a, b] = (await fetch('$S/bytes?n=700000')).body.tee(); const sizes = await Promise.all([a, b].map(async "
          "(one) => (await new Response(one).bytes()).length)); return sizes",
          "[700000,700000]");
    gives("const c = new AbortController(); const reader = (await fetch('$H/drip', { signal: c.signal })).body.getReader(); "
          "await reader.read(); setTimeout(() => c.abort('enough'), 5); try { for (;;) await reader.read() } catch (e) { "
          "return e }",
          "\"enough\"");
    gives("const r = await fetch('$H/hello'); const again = new Response(r.body, r); return [await again.text(), "
          "again.headers.get('x-two'), r.bodyUsed]",
          "[\"hello\",\"2\",true]");
    gives("const text = await (await fetch('$H/echo', { method: 'POST', duplex: 'half', body: ReadableStream.from(['a', "
          "'b']).pipeThrough(new TextEncoderStream()) })).json(); return text.body",
          "\"ab\"");
}

/* Whoever does not read keeps the server from sending. */
static void test_a_body_that_is_not_read_does_not_come(void **state)
{
    (void)state;
    aard_outcome *outcome = run(isolate,
                                "const reader = (await fetch('$H/chunks?n=8000000')).body.getReader(); await reader.read(); "
                                "await new Promise((r) => setTimeout(r, 50)); await reader.cancel(); return 1",
                                NULL);
    assert_true(attempt(outcome, 0)->received_bytes < 2000000);
    value_is(outcome, "1");
    outcome = run(isolate, "return (await fetch('$H/drip')).status", NULL);
    attempt_is(outcome, 0, true, "/drip", "call_ended", 200);
    value_is(outcome, "200");
}

static void test_what_goes_wrong_out_there(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"$H/close", "connection_failed"},
        {"$H/garbage", "bad_response"},
        {"https://a.test:$/hello", "tls_failed"}, /* plain http behind it */
        {"http://a.test:1/", "port_not_allowed"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[300], url[100];
        char *dollar = strstr(rows[i][0], ":$/");
        if (dollar)
            snprintf(url, sizeof url, "%.*s:%d/hello", (int)(dollar - rows[i][0]), rows[i][0], net_http.port);
        else
            snprintf(url, sizeof url, "%s", rows[i][0]);
        snprintf(text, sizeof text, "try { await fetch('%s') } catch (e) { return [e.name, e.message] }", url);
        aard_outcome *outcome = run(isolate, text, NULL);
        assert_success(outcome);
        assert_contains(aard_outcome_value_json(outcome, NULL), "TypeError");
        assert_contains(aard_outcome_value_json(outcome, NULL), rows[i][1]);
        aard_outcome_free(outcome);
    }
    net_name("a.test", "");
    gives("try { await fetch('https://a.test/') } catch (e) { return e.message.includes('name_not_found') }", "true");
    /* Nobody but the file of certificates says whom to believe. */
    aard_isolate_config *config = net_config(AARD_LANGUAGE_JAVASCRIPT);
    assert_ok(aard_isolate_config_set_ca_file(config, NULL));
    aard_isolate *other = boot(config, NULL);
    value_is(run(other, "try { await fetch('$S/hello') } catch (e) { return e.message.includes('tls_failed') }", NULL),
             "true");
    aard_isolate_free(other);
    /* The certificate is not for that name, or does not say so where it would have to. */
    static const char *const names[] = {"other.test", "nameless.test", "mail.test"};
    for (size_t i = 0; i < COUNT(names); i++) {
        net_name(names[i], PUBLIC);
        config = net_config(AARD_LANGUAGE_JAVASCRIPT);
        assert_ok(aard_isolate_config_allow_host(config, names[i]));
        other = boot(config, NULL);
        char text[200];
        snprintf(text, sizeof text,
                 "try { await fetch('https://%s:%d/') } catch (e) { return e.message.includes('tls_failed') }",
                 names[i], net_https.port);
        value_is(run(other, text, NULL), "true");
        aard_isolate_free(other);
    }
}

/* Where a message ends is said once, in one way: two readers of it would go on at different places. */
static void test_an_answer_has_one_reading(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"200 OK|Content-Length: 5||hello", "hello"},
        {"200 OK|content-length:%20%205%20||hello", "hello"},
        {"200 OK|Transfer-Encoding: chunked||5|hello|0||", "hello"},
        {"100 Continue||HTTP/1.1 200 OK|Content-Length: 5||hello", "hello"},
        {"103 Hints|Content-Length: 7||HTTP/1.1 200 OK|Content-Length: 5||hello", "hello"},
        {"200 OK|||hello", "hello"},
        {"200 OK|Content-Length: 5|Content-Length: 5||hello", "bad_response"},
        {"200 OK|Content-Length: 5|Content-Length: 6||hello", "bad_response"},
        {"200 OK|Content-Length: 5, 5||hello", "bad_response"},
        {"200 OK|Content-Length: %2b5||hello", "bad_response"},
        {"200 OK|Content-Length: -5||hello", "bad_response"},
        {"200 OK|Content-Length: 0x5||hello", "bad_response"},
        {"200 OK|Content-Length: 5 5||hello", "bad_response"},
        {"200 OK|Content-Length:||hello", "bad_response"},
        {"200 OK|Content-Length: 18446744073709551621||hello", "bad_response"},
        {"200 OK|Content-Length: 9223372036854775808||hello", "bad_response"},
        {"200 OK|Content-Length: 99999999999999999999999999||hello", "bad_response"},
        {"200 OK|Transfer-Encoding: chunked|Content-Length: 5||5|hello|0||", "bad_response"},
        {"200 OK|Content-Length: 5|Transfer-Encoding: chunked||5|hello|0||", "bad_response"},
        {"200 OK|Transfer-Encoding: chunked|Transfer-Encoding: chunked||5|hello|0||", "bad_response"},
        {"200 OK|Content-Length : 5||hello", "bad_response"},
        {"200 OK|Content-Length:%0d%0a 5||hello", "bad_response"},
        {"200 OK|X: a%0d%0a b|Content-Length: 5||hello", "bad_response"},
        {"200 OK|X: a%0db|Content-Length: 5||hello", "bad_response"},
        {"200 OK|no colon|Content-Length: 5||hello", "bad_response"},
        {"101 Switching Protocols|Upgrade: x|Connection: Upgrade||hello", "bad_response"},
        {"101 Switching Protocols||HTTP/1.1 200 OK|Content-Length: 5||hello", "bad_response"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[700], lines[400] = "";
        for (const char *c = rows[i][0]; *c; c++) {
            size_t len = strlen(lines);
            if (*c == '|')
                strcpy(lines + len, "%0d%0a");
            else if (*c == ' ')
                strcpy(lines + len, "%20");
            else
                lines[len] = *c;
        }
        snprintf(text, sizeof text,
                 "let s; try { s = await (await fetch('$H/raw?r=HTTP/1.1%%20%s')).text() } catch (e) { s = e.message } "
                 "return s.trim() === '%s' || s.includes('(%s)') || s.includes('%s') || s",
                 lines, rows[i][1], rows[i][1], rows[i][1]);
        aard_outcome *outcome = run(isolate, text, NULL);
        assert_success(outcome);
        if (strcmp(aard_outcome_value_json(outcome, NULL), "true"))
            fail_msg("%s: %s", rows[i][0], aard_outcome_value_json(outcome, NULL));
        aard_outcome_free(outcome);
    }
}

/* Layers of encodings multiply: a few bytes could keep the host busy for hours, in code that nothing ends. */
static void test_an_answer_is_encoded_once_at_most(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"Content-Encoding: gzip", "hello"},
        {"Content-Encoding:%20%20GZip%20", "hello"},
        {"Content-Encoding: x-gzip", "hello"},
        {"Content-Encoding: identity, gzip", "hello"},
        {"content-encoding: gzip, gzip", "bad_response"},
        {"Content-Encoding: deflate,gzip", "bad_response"},
        {"Content-Encoding: ,,gzip ,%09,gzip", "bad_response"},
        {"Content-Encoding: gzip%0D%0AContent-Encoding: gzip", "bad_response"},
        {"Content-Encoding: br", "bad_response"}, /* nobody asked for these */
        {"Content-Encoding: zstd", "bad_response"},
        {"Content-Encoding: unknown", "bad_response"},
        {"Transfer-Encoding: gzip", "bad_response"},
        {"Transfer-Encoding: gzip, chunked", "bad_response"},
        {"Transfer-Encoding: chunked, deflate", "bad_response"},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        for (int range = 0; range < 2; range++) { /* who asks for a part gets it as it is */
            char text[400];
            int layers = strcmp(rows[i][1], "hello") ? 2 : 1;
            bool raw = range && !strncasecmp(rows[i][0], "Content-", 8);
            snprintf(
                text, sizeof text,
                "let s; try { s = await (await fetch('$H/with?n=%d&h=%s', {headers: {'%s': 'bytes=0-'}})).text() } "
                "catch (e) { s = e.message } return s.includes('%s') || s",
                layers, rows[i][0], range ? "Range" : "X", raw ? "\\x1f" : rows[i][1]);
            aard_outcome *outcome = run(isolate, text, NULL);
            assert_success(outcome);
            if (strcmp(aard_outcome_value_json(outcome, NULL), "true"))
                fail_msg("%s, %d: %s", rows[i][0], range, aard_outcome_value_json(outcome, NULL));
            aard_outcome_free(outcome);
        }
}

/* libcurl reads such a name in its list of addresses as one that is to be forgotten, and would look it up by itself. */
static void test_a_name_that_begins_with_a_hyphen_is_pinned(void **state)
{
    (void)state;
    aard_isolate_config *config = net_config(AARD_LANGUAGE_JAVASCRIPT);
    assert_ok(aard_isolate_config_allow_host(config, "*.public.test"));
    aard_isolate *one = boot(config, NULL);
    value_is(run(one, "return (await fetch('http://-a.public.test:$P/hello')).text()", NULL), "\"hello\"");
    value_is(run(one,
                 "await fetch('http://b.public.test:$P/hello'); await fetch('http://-b.public.test:$P/hello'); "
                 "return (await fetch('http://b.public.test:$P/hello')).text()",
                 NULL),
             "\"hello\"");
    aard_isolate_free(one);
}

/* ---- XMLHttpRequest ------------------------------------------------------------------------------------------------- */

static void test_xhr_waits(void **state)
{
    (void)state;
    gives("const x = new XMLHttpRequest(); x.open('GET', '$S/hello', false); x.send(); return [x.readyState, "
          "x.status, x.responseText, x.response, x.getResponseHeader('X-Two'), "
          "x.getAllResponseHeaders().includes('x-one: 1\\r\\n'), x.responseURL.endsWith('/hello')]",
          "[4,200,\"hello\",\"hello\",\"2\",true,true]");
    gives("const x = new XMLHttpRequest(); x.open('POST', '$H/echo', false); x.setRequestHeader('X-A', 'b'); "
          "x.responseType = 'json'; x.send('body'); return [x.response.method, x.response.body, "
          "x.response.headers['x-a']]",
          "[\"POST\",\"body\",\"b\"]");
    gives("const x = new XMLHttpRequest(); x.open('GET', '$H/hello', false); x.responseType = 'arraybuffer'; "
          "x.send(); return x.response.byteLength",
          "5");
    gives("const x = new XMLHttpRequest(); x.open('GET', 'https://evil.example/', false); try { x.send() } "
          "catch (e) { return [e.name, x.status, e.message.includes('host_not_allowed')] }",
          "[\"NetworkError\",0,true]");
    gives("const x = new XMLHttpRequest(); x.open('GET', '$H/drip', false); x.timeout = 30; try { x.send() } "
          "catch (e) { return e.name }",
          "\"TimeoutError\"");
}

static void test_xhr_tells_by_events(void **state)
{
    (void)state;
    gives("const seen = []; await new Promise((done) => { const x = new XMLHttpRequest(); for (const name of "
          "['loadstart', 'progress', 'load', 'loadend', 'error']) x.addEventListener(name, (e) => "
          "seen.push(e.type + (e.loaded || ''))); x.onreadystatechange = () => seen.push(x.readyState); "
          "x.onloadend = done; x.open('GET', '$H/hello'); x.send(); }); return seen",
          "[1,\"loadstart\",2,3,\"progress5\",4,\"load5\",\"loadend5\"]");
    gives("const seen = []; await new Promise((done) => { const x = new XMLHttpRequest(); x.onerror = (e) => "
          "seen.push(e.type, x.status); x.onloadend = done; x.open('GET', 'https://evil.example/'); x.send(); "
          "}); return seen",
          "[\"error\",0]");
    gives("const seen = []; await new Promise((done) => { const x = new XMLHttpRequest(); x.ontimeout = (e) => "
          "seen.push(e.type); x.onloadend = done; x.open('GET', '$H/drip'); x.timeout = 30; x.send(); }); "
          "return seen",
          "[\"timeout\"]");
    gives("const seen = []; const x = new XMLHttpRequest(); x.onabort = (e) => seen.push(e.type); "
          "x.open('GET', '$H/drip'); x.send(); await new Promise((r) => setTimeout(r, 20)); x.abort(); return "
          "[seen, x.readyState]",
          "[[\"abort\"],0]");
}

/* ---- limits --------------------------------------------------------------------------------------------------------- */

static void fails_with(aard_isolate *one, const char *text, const char *reason)
{
    char swallowing[2048];
    snprintf(swallowing, sizeof swallowing, "try { %s; return 'through' } catch (e) { return e.message }", text);
    aard_outcome *outcome = run(one, swallowing, NULL);
    assert_success(outcome);
    assert_contains(aard_outcome_value_json(outcome, NULL), reason);
    bool recorded = false;
    for (size_t i = 0; i < aard_outcome_network_attempt_count(outcome); i++)
        recorded = recorded || !strcmp(attempt(outcome, i)->reason, reason);
    assert_true(recorded);
    if (strcmp(reason, "timed_out")) {
        assert_true(aard_outcome_violation_count(outcome) > 0);
        assert_string_equal(aard_outcome_violation(outcome, 0)->reason, reason);
    }
    aard_outcome_free(outcome);
}

static void test_limits(void **state)
{
    (void)state;
    aard_isolate_config *config = net_config(AARD_LANGUAGE_JAVASCRIPT);
    aard_isolate_config_set_network_limit(config, AARD_NETWORK_REQUEST_BYTES, 1000);
    aard_isolate_config_set_network_limit(config, AARD_NETWORK_RESPONSE_BYTES, 100000);
    aard_isolate_config_set_network_limit(config, AARD_NETWORK_HEADER_BYTES, 8000);
    aard_isolate_config_set_network_limit(config, AARD_NETWORK_REDIRECTS, 2);
    aard_isolate_config_set_network_limit(config, AARD_NETWORK_CONNECTIONS, 2);
    aard_isolate_config_set_network_limit(config, AARD_NETWORK_REQUESTS, 20);
    aard_isolate *one = boot(config, NULL);
    fails_with(one, "await fetch('$H/echo', {method: 'POST', body: 'x'.repeat(1001)})", "request_too_large");
    fails_with(one, "await (await fetch('$H/bytes?n=100001')).text()", "response_too_large");
    fails_with(one, "await (await fetch('$H/chunks?n=10000000')).text()", "response_too_large");
    fails_with(one, "await (await fetch('$H/bomb')).text()", "response_too_large");
    fails_with(one, "await fetch('$H/header?n=20000')", "headers_too_large");
    fails_with(one, "await fetch('$H/hints')", "headers_too_large");
    fails_with(one, "await (await fetch('$H/trailers')).text()", "headers_too_large");
    fails_with(one, "await fetch('$H/line?n=20000')", "headers_too_large");
    fails_with(one, "await fetch('$H/line?n=2000000')", "headers_too_large");
    fails_with(one, "await fetch('$H/echo', {headers: {a: 'x'.repeat(9000)}})", "headers_too_large");
    fails_with(one, "await fetch('$H/loop')", "too_many_redirects");
    fails_with(one, "for (let i = 0; i < 21; i++) await fetch('$H/hello')", "too_many_requests");
    fails_with(
        one,
        "for (let i = 0; i < 6; i++) await fetch('$H/to?code=302&url=/to?code=302%2526url=/hello').catch((e) => { if (!e.message.includes('too_many_redirects')) throw e }); "
        "for (let i = 0; i < 21; i++) await fetch('$H/hello')",
        "too_many_requests");
    value_is(run(one, "return (await (await fetch('$H/bytes?n=100000')).text()).length", NULL), "100000");
    value_is(
        run(one, "return (await Promise.all(Array.from({length: 9}, () => fetch('$H/bytes?n=99999')))).length", NULL),
        "9");
    net_forget_names();
    double start = now_ms();
    value_is(run(one, "await Promise.all([1, 2, 3, 4].map(() => fetch('$H/wait?ms=100'))); return 1", NULL), "1");
    assert_true(now_ms() - start >= 195);
    assert_true(net_http.connections <= 2);
    aard_isolate_free(one);
    config = net_config(AARD_LANGUAGE_JAVASCRIPT);
    aard_isolate_config_set_network_limit(config, AARD_NETWORK_TIMEOUT_MS, 300);
    one = boot(config, NULL);
    fails_with(one, "await (await fetch('$H/drip')).text()", "timed_out");
    fails_with(one, "await fetch('$H/wait?ms=20000')", "timed_out");
    aard_isolate_free(one);
}

static void test_a_slow_name_is_given_up(void **state)
{
    (void)state;
    aard_isolate_config *config = net_config(AARD_LANGUAGE_JAVASCRIPT);
    aard_isolate_config_set_network_limit(config, AARD_NETWORK_TIMEOUT_MS, 100);
    aard_isolate *one = boot(config, NULL);
    net_hold_lookups(true);
    double start = now_ms();
    fails_with(one, "await fetch('$H/hello')", "timed_out");
    assert_true(now_ms() - start < 100 + 2 * late_ms());
    aard_call *brief = limited_to(50);
    start = now_ms();
    failure_is(run(one, "await fetch('$H/hello')", brief), AARD_FAILURE_TIMEOUT_EXCEEDED, NULL);
    assert_true(now_ms() - start < 50 + 2 * late_ms());
    aard_call_free(brief);
    aard_isolate_free(one);
    net_release_lookups();
}

/* Who asks for names that nobody answers, and gives them up, does not keep others from asking. */
static void test_slow_names_are_a_guests_own_trouble(void **state)
{
    (void)state;
    aard_isolate_config *config = net_config(AARD_LANGUAGE_JAVASCRIPT);
    aard_isolate *one = boot(config, NULL), *other = boot(net_config(AARD_LANGUAGE_JAVASCRIPT), NULL);
    aard_call *brief = limited_to(300);
    net_hold_lookups(true);
    aard_outcome_free(run(one,
                          "for (let i = 0; i < 150; i++) { const stop = new AbortController(); "
                          "fetch('$H/hello', {signal: stop.signal}).catch(() => 0); "
                          "await new Promise((r) => setTimeout(r, 1)); stop.abort() } return 1",
                          NULL));
    int asked = net_lookups();
    if (asked <= 4 || asked > 16) fail_msg("%d lookups", asked);
    net_hold_lookups(false);
    value_is(run(other, "return (await fetch('$H/hello')).text()", NULL), "\"hello\"");
    failure_is(run(one, "return (await fetch('$H/hello')).text()", brief), AARD_FAILURE_TIMEOUT_EXCEEDED, NULL);
    net_release_lookups(); /* its own wait, until there is room again */
    value_is(run(one, "return (await fetch('$H/hello')).text()", NULL), "\"hello\"");
    aard_call_free(brief);
    aard_isolate_free(one);
    aard_isolate_free(other);
}

/* ---- stops, resets, several at once --------------------------------------------------------------------------------- */

static void test_a_stop_ends_a_transfer_at_once(void **state)
{
    (void)state;
    static const char *const codes[] = {
        "await (await fetch('$H/drip')).text()",
        "await (await fetch('$S/drip')).text()",
        "const x = new XMLHttpRequest(); x.open('GET', '$H/drip', false); x.send()",
        "for (;;) { const x = new XMLHttpRequest(); x.open('GET', '$H/wait?ms=5000', false); try { x.send() } catch {} }",
        "for (;;) try { await (await fetch('$H/drip')).text() } catch {}",
    };
    aard_call *brief = limited_to(150);
    for (size_t i = 0; i < COUNT(codes); i++) {
        double start = now_ms();
        aard_outcome *outcome = run(isolate, codes[i], brief);
        double took = now_ms() - start;
        if (took > 150 + 2 * late_ms()) fail_msg("%s took %.0f ms", codes[i], took);
        attempt_is(outcome, 0, true, "", "call_ended", attempt(outcome, 0)->status);
        failure_is(outcome, AARD_FAILURE_TIMEOUT_EXCEEDED, NULL);
        gives("return (await fetch('$H/hello')).text()", "\"hello\"");
    }
    aard_call_free(brief);
}

static void test_what_is_under_way_ends_with_the_call(void **state)
{
    (void)state;
    aard_outcome *outcome = run(isolate, "globalThis.late = fetch('$H/drip').then(() => console.log('late')); return 1",
                                NULL);
    attempt_is(outcome, 0, true, "/drip", "call_ended", attempt(outcome, 0)->status);
    value_is(outcome, "1");
    outcome = run(isolate, "await fetch('$H/hello'); await new Promise((r) => setTimeout(r, 50)); return 2", NULL);
    assert_int_equal(aard_outcome_network_attempt_count(outcome), 1);
    size_t len;
    assert_string_equal(aard_outcome_stdout(outcome, &len), "");
    value_is(outcome, "2");
    aard_outcome_free(run(isolate, "fetch('$H/drip'); return 1", NULL));
    assert_ok(aard_isolate_reset(isolate));
    gives("return (await fetch('$H/hello')).text()", "\"hello\"");
}

static void *work(void *argument)
{
    aard_isolate *one = boot(net_config(AARD_LANGUAGE_JAVASCRIPT), NULL);
    char text[400];
    snprintf(
        text, sizeof text,
        "(async () => { let n = 0; for (let i = 0; i < 20; i++) n += (await (await fetch('https://public.test:%d/bytes?n=1000')).text()).length; return n })()",
        net_https.port);
    aard_outcome *outcome = NULL;
    assert_ok(aard_isolate_exec(one, text, strlen(text), NULL, NULL, &outcome));
    *(bool *)argument = aard_outcome_is_success(outcome) && !strcmp(aard_outcome_value_json(outcome, NULL), "20000");
    aard_outcome_free(outcome);
    aard_isolate_free(one);
    return NULL;
}

static void test_isolates_side_by_side(void **state)
{
    (void)state;
    pthread_t threads[4];
    bool fine[4] = {false};
    for (int i = 0; i < 4; i++) assert_int_equal(pthread_create(&threads[i], NULL, work, &fine[i]), 0);
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        assert_true(fine[i]);
    }
}

/* ---- whose word counts ---------------------------------------------------------------------------------------------- */

#define HANDLER                                                                                                        \
    "export const main = async (url) => { try { return await (await fetch(url)).text() } catch (e) { return "          \
    "e.message.match(/\\((\\w+)\\)$/)[1] } }"

static void bundle_gives(const char *network, const char *host, bool says_http, const char *url, const char *want)
{
    char manifest[600], input[300], json[300];
    snprintf(
        manifest, sizeof manifest,
        "{\"schemaVersion\": \"1.0\", \"entrypoint\": \"main:main\", \"runtime\": {\"language\": \"javascript\"}%s%s%s}",
        network ? ", \"resources\": {\"network\": " : "", network ? network : "", network ? "}" : "");
    aard_isolate_config *config = config_of(AARD_LANGUAGE_JAVASCRIPT);
    if (host) assert_ok(aard_isolate_config_allow_host(config, host));
    if (says_http) aard_isolate_config_set_https_only(config, false);
    assert_ok(aard_isolate_config_set_ca_file(config, net_ca_file()));
    const char *const files[][2] = {{"aardvark.manifest.json", manifest}, {"main.mjs", HANDLER}, {NULL, NULL}};
    aard_isolate *one = boot(config, bundle_of(files));
    snprintf(input, sizeof input, "\"%s\"", net_text(url));
    snprintf(json, sizeof json, "\"%s\"", want);
    value_is(call(one, NULL, input), json);
    aard_isolate_free(one);
}

static void test_the_tighter_of_host_and_manifest(void **state)
{
    (void)state;
    bundle_gives(NULL, NULL, false, "$S/hello", "no_allowlist");
    bundle_gives(NULL, "public.test", false, "$S/hello", "no_allowlist");
    bundle_gives("{}", "public.test", false, "$S/hello", "no_allowlist");
    bundle_gives("{\"allow\": []}", "public.test", false, "$S/hello", "no_allowlist");
    bundle_gives("{\"allow\": [\"public.test\"]}", NULL, false, "$S/hello", "hello");
    bundle_gives("{\"allow\": [\"public.test\"]}", "public.test", false, "$S/hello", "hello");
    bundle_gives("{\"allow\": [\"public.test\"]}", "*.test", false, "$S/hello", "hello");
    bundle_gives("{\"allow\": [\"public.test\", \"a.test\"]}", "a.test", false, "$S/hello", "host_not_allowed");
    bundle_gives("{\"allow\": [\"a.test\"]}", "*.test", false, "$S/hello", "host_not_allowed");
    bundle_gives("{\"allow\": [\"public.test:1\"]}", NULL, false, "$S/hello", "port_not_allowed");
    bundle_gives("{\"allow\": [\"public.test\"]}", NULL, false, "$H/hello", "scheme_not_allowed");
    bundle_gives("{\"allow\": [\"public.test\"]}", NULL, true, "$H/hello", "scheme_not_allowed");
    bundle_gives("{\"allow\": [\"public.test\"], \"httpsOnly\": false}", NULL, false, "$H/hello", "hello");
    bundle_gives("{\"allow\": [\"public.test\"], \"httpsOnly\": false}", "public.test", true, "$H/hello", "hello");
    bundle_gives("{\"allow\": [\"public.test\"], \"maxResponseBytes\": 4}", NULL, false, "$S/hello",
                 "response_too_large");
    bundle_gives("{\"allow\": [\"public.test\"], \"timeoutMs\": 50}", NULL, false, "$S/drip", "timed_out");
}

static void test_the_host_has_the_last_word(void **state)
{
    (void)state;
    aard_isolate_config *config = net_config(AARD_LANGUAGE_JAVASCRIPT);
    aard_isolate_config_set_network(config, false);
    aard_isolate *one = boot(config, NULL);
    fails_with(one, "await fetch('$H/hello')", "no_allowlist");
    aard_isolate_free(one);
    config = config_of(AARD_LANGUAGE_JAVASCRIPT);
    assert_refused(aard_isolate_config_allow_host(config, "https://x"), AARD_ERR_INVALID_ARGUMENT, "https://x",
                   "scheme", NULL);
    assert_refused(aard_isolate_config_allow_host(config, "*"), AARD_ERR_INVALID_ARGUMENT, "'*'", NULL);
    assert_ok(aard_isolate_config_allow_host(config, "a.test"));
    one = boot(config, NULL);
    fails_with(one, "await fetch('http://a.test/')", "scheme_not_allowed");
    aard_isolate_free(one);
    /* Loopback only where the host says so. */
    config = config_of(AARD_LANGUAGE_JAVASCRIPT);
    assert_ok(aard_isolate_config_allow_host(config, "127.0.0.1"));
    aard_isolate_config_set_https_only(config, false);
    aard_isolate_config_set_private_addresses(config, true);
    one = boot(config, NULL);
    char text[100];
    snprintf(text, sizeof text, "return (await fetch('http://127.0.0.1:%d/hello')).text()", net_http.port);
    value_is(run(one, text, NULL), "\"hello\"");
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
    isolate = boot(net_config(AARD_LANGUAGE_JAVASCRIPT), NULL);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    aard_isolate_free(isolate);
    net_stop();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_fetch_gives_a_response, forget),
        cmocka_unit_test_setup(test_fetch_sends_what_it_is_given, forget),
        cmocka_unit_test_setup(test_redirects, forget),
        cmocka_unit_test_setup(test_attempts_are_written_down, forget),
        cmocka_unit_test_setup(test_many_at_once, forget),
        cmocka_unit_test_setup(test_aborting, forget),
        cmocka_unit_test_setup(test_bodies_come_as_streams, forget),
        cmocka_unit_test_setup(test_a_body_that_is_not_read_does_not_come, forget),
        cmocka_unit_test_setup(test_what_goes_wrong_out_there, forget),
        cmocka_unit_test_setup(test_an_answer_has_one_reading, forget),
        cmocka_unit_test_setup(test_an_answer_is_encoded_once_at_most, forget),
        cmocka_unit_test_setup(test_a_name_that_begins_with_a_hyphen_is_pinned, forget),
        cmocka_unit_test_setup(test_xhr_waits, forget),
        cmocka_unit_test_setup(test_xhr_tells_by_events, forget),
        cmocka_unit_test_setup(test_limits, forget),
        cmocka_unit_test_setup(test_a_slow_name_is_given_up, forget),
        cmocka_unit_test_setup(test_slow_names_are_a_guests_own_trouble, forget),
        cmocka_unit_test_setup(test_a_stop_ends_a_transfer_at_once, forget),
        cmocka_unit_test_setup(test_what_is_under_way_ends_with_the_call, forget),
        cmocka_unit_test_setup(test_isolates_side_by_side, forget),
        cmocka_unit_test_setup(test_the_tighter_of_host_and_manifest, forget),
        cmocka_unit_test_setup(test_the_host_has_the_last_word, forget),
    };
    return cmocka_run_group_tests_name("network_javascript", tests, set_up, tear_down);
}
