/* test-timeout: 300
 * Attempts to get at what is not allowed, from both languages: none comes through, none is forgotten. */
#include "isolate_support.h"
#include "net_support.h"

typedef struct escape {
    const char *reason; /* under which it is written down */
    const char *names;  /* "name=answers;…" for the resolver; may be NULL */
    const char *code;   /* may swallow what it likes; $P and $T are the ports of the servers with and without TLS */
} escape;

/* What is allowed: public.test and names below it, at any port, and the names and addresses that the tests want to get past
 * the list with; port.test at one port only.  Plain http is, except to secure_javascript. */
static const char *const allowed[] = {
    "public.test",
    "*.public.test",
    "rebind.test",
    "mixed.test",
    "port.test:80",
    "localhost",
    "metadata.internal",
    "127.0.0.1",
    "127.1.2.3",
    "0.0.0.0",
    "10.0.0.1",
    "169.254.169.254",
    "192.168.0.1",
    "100.100.100.200",
    "224.0.0.1",
    "255.255.255.255",
    "[::1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]",
    "[fe80::1]",
    "[fd00:ec2::254]",
    "[2001::1]",
};

static aard_isolate *javascript, *python, *secure_javascript, *listless;

/* ---- JavaScript ----------------------------------------------------------------------------------------------------- */

#define FETCH(url) "r = await (await fetch(" url ")).text()"
#define GET(url) FETCH("'" url "'")

static const escape fetches[] = {
    /* Addresses, and other ways to write them. */
    {"private_address", NULL, GET("http://127.0.0.1:$P/secret")},
    {"private_address", NULL, GET("http://127.1:$P/secret")},
    {"private_address", NULL, GET("http://0x7f.1:$P/secret")},
    {"private_address", NULL, GET("http://2130706433:$P/secret")},
    {"private_address", NULL, GET("http://017700000001:$P/secret")},
    {"private_address", NULL, GET("http://0x7f000001:$P/secret")},
    {"private_address", NULL, GET("http://0177.0.0.01:$P/secret")},
    {"private_address", NULL, GET("http://127.0.0.1.:$P/secret")},
    {"private_address", NULL, GET("http://127.1.2.3:$P/secret")},
    {"private_address", NULL, GET("http://0:$P/secret")},
    {"private_address", NULL, GET("http://\\uff11\\uff12\\uff17.0.0.1:$P/secret")},
    {"private_address", NULL, GET("http://127\\u30020\\u30020\\u30021:$P/secret")},
    {"private_address", NULL, GET("http://%31%32%37.0.0.1:$P/secret")},
    {"private_address", NULL, GET("http://[::1]:$P/secret")},
    {"private_address", NULL, GET("http://[0:0:0:0:0:0:0:1]:$P/secret")},
    {"private_address", NULL, GET("http://[::]:$P/secret")},
    {"private_address", NULL, GET("http://[::ffff:127.0.0.1]:$P/secret")},
    {"private_address", NULL, GET("http://[::FFFF:7F00:1]:$P/secret")},
    {"private_address", NULL, GET("http://[64:ff9b::127.0.0.1]:$P/secret")},
    {"private_address", NULL, GET("http://[2002:7f00:1::]:$P/secret")},
    {"private_address", NULL, GET("http://[2001::1]:$P/secret")},
    {"private_address", NULL, GET("http://[fe80::1]:$P/secret")},
    {"private_address", NULL, GET("http://10.0.0.1:$P/secret")},
    {"private_address", NULL, GET("http://192.168.0.1:$P/secret")},
    {"private_address", NULL, GET("http://169.254.169.254/latest/meta-data/secret")},
    {"private_address", NULL, GET("http://0xa9fea9fe/latest/meta-data/secret")},
    {"private_address", NULL, GET("http://[fd00:ec2::254]/secret")},
    {"private_address", NULL, GET("http://100.100.100.200/secret")},
    {"private_address", NULL, GET("http://224.0.0.1:$P/secret")},
    {"private_address", NULL, GET("http://255.255.255.255:$P/secret")},
    /* Names that stand for them. */
    {"private_address", "localhost=127.0.0.1", GET("http://localhost:$P/secret")},
    {"private_address", "localhost=127.0.0.1", GET("http://LOCALHOST.:$P/secret")},
    {"private_address", "rebind.test=127.0.0.1", GET("http://rebind.test:$P/secret")},
    {"private_address", "rebind.test=::1", GET("http://rebind.test:$P/secret")},
    {"private_address", "rebind.test=::ffff:127.0.0.1", GET("http://rebind.test:$P/secret")},
    {"private_address", "rebind.test=64:ff9b::7f00:1", GET("http://rebind.test:$P/secret")},
    {"private_address", "rebind.test=0.0.0.0", GET("http://rebind.test:$P/secret")},
    {"private_address", "metadata.internal=169.254.169.254", GET("http://metadata.internal/secret")},
    {"private_address", "mixed.test=" PUBLIC ",127.0.0.1", GET("http://mixed.test:$P/secret")},
    {"private_address", "mixed.test=127.0.0.1," PUBLIC, GET("http://mixed.test:$P/secret")},
    {"private_address", "mixed.test=" PUBLIC ",::1", GET("http://mixed.test:$P/secret")},
    {"private_address", "a.public.test=10.1.2.3", GET("http://a.public.test:$P/secret")},
    /* A name that changes its mind between two requests, and between a request and its redirect. */
    {"private_address", "rebind.test=" PUBLIC "|127.0.0.1",
     "await (await fetch('http://rebind.test:$P/hello')).text(); " GET("http://rebind.test:$P/secret")},
    {"private_address", "rebind.test=" PUBLIC "|127.0.0.1", GET("http://rebind.test:$P/to?code=307&url=/secret")},
    {"private_address", "rebind.test=" PUBLIC "|127.0.0.1|" PUBLIC,
     "const all = [1, 2].map(() => fetch('http://rebind.test:$P/hello')); await Promise.allSettled(all); r = 'no'"},
    /* Redirects. */
    {"redirect_not_allowed", NULL, GET("http://public.test:$P/to?code=302&url=http://evil.test:$P/secret")},
    {"redirect_not_allowed", NULL, GET("http://public.test:$P/to?code=307&url=//evil.test:$P/secret")},
    {"redirect_not_allowed", NULL, GET("http://public.test:$P/to?code=302&url=http://public.test.evil.test:$P/secret")},
    {"redirect_not_allowed", NULL,
     GET("http://public.test:$P/to?code=302&url=http://public.test%40evil.test:$P/secret")},
    {"redirect_not_allowed", NULL, GET("http://public.test:$P/to?code=302&url=/%5Cevil.test:$P/secret")},
    {"redirect_not_allowed", NULL, GET("http://public.test:$P/to?code=302&url=%5C%5Cevil.test:$P/secret")},
    {"redirect_not_allowed", NULL, GET("http://public.test:$P/to?code=302&url=file:///etc/passwd/secret")},
    {"redirect_not_allowed", NULL, GET("http://public.test:$P/to?code=302&url=ftp://public.test/secret")},
    {"redirect_not_allowed", NULL, GET("http://public.test:$P/to?code=302&url=gopher://127.0.0.1:$P/_GET /secret")},
    {"redirect_not_allowed", NULL, GET("http://public.test:$P/to?code=308&url=http://port.test:$P/secret")},
    {"redirect_not_allowed", NULL, GET("http://public.test:$P/to?code=302&url=http://public.test:25/secret")},
    {"redirect_not_allowed", NULL, GET("http://public.test:$P/to?code=302&url=///evil.test:$P/secret")},
    {"redirect_not_allowed", NULL, GET("http://public.test:$P/to?code=302&url=http:evil.test/secret")},
    {"private_address", NULL, GET("http://public.test:$P/to?code=302&url=http://127.0.0.1:$P/secret")},
    {"private_address", NULL, GET("http://public.test:$P/to?code=302&url=http://[::1]:$P/secret")},
    {"private_address", NULL, GET("http://public.test:$P/to?code=302&url=http://2130706433:$P/secret")},
    {"private_address", NULL, GET("http://public.test:$P/to?code=302&url=http://169.254.169.254/secret")},
    {"private_address", "rebind.test=127.0.0.1",
     GET("http://public.test:$P/to?code=302&url=http://rebind.test:$P/secret")},
    {"redirect_not_allowed", NULL,
     GET("http://public.test:$P/to?code=302&url=http://public.test:$P/to?code=302%26url=http://evil.test:$P/secret")},
    {"redirect_not_allowed", NULL,
     "const x = new XMLHttpRequest(); x.open('GET', 'http://public.test:$P/to?code=302&url=http://evil.test:$P/secret', false); x.send(); r = x.responseText"},
    {"redirect_not_allowed", NULL,
     FETCH("'http://public.test:$P/to?code=307&url=http://evil.test:$P/secret', {method: 'POST', body: 'x'}")},
    /* Around the list. */
    {"host_not_allowed", "evilpublic.test=" PUBLIC, GET("http://evilpublic.test:$P/secret")},
    {"host_not_allowed", "public.test.evil.test=" PUBLIC, GET("http://public.test.evil.test:$P/secret")},
    {"host_not_allowed", "test=" PUBLIC, GET("http://test:$P/secret")},
    {"host_not_allowed", "a.port.test=" PUBLIC, GET("http://a.port.test:$P/secret")},
    {"host_not_allowed", "b.test=" PUBLIC, GET("http://b.test:$P\\\\@public.test/secret")},
    {"host_not_allowed", "b.test=" PUBLIC, GET("http://b.test:$P#@public.test/secret")},
    {"host_not_allowed", "b.test=" PUBLIC, GET("http:\\\\\\\\b.test:$P/secret")},
    {"host_not_allowed", NULL, GET("http://" PUBLIC ":$P/secret")},
    {"credentials_in_url", "b.test=" PUBLIC, GET("http://public.test@b.test:$P/secret")},
    {"credentials_in_url", "b.test=" PUBLIC, GET("http://public.test:80@b.test:$P/secret")},
    {"credentials_in_url", NULL, GET("http://user:password@public.test:$P/secret")},
    {"port_not_allowed", "port.test=" PUBLIC, GET("http://port.test:$P/secret")},
    {"port_not_allowed", NULL, GET("http://public.test:22/secret")},
    {"port_not_allowed", NULL, GET("http://public.test:6379/secret")},
    {"malformed_url", NULL, GET("http://public.test%00.evil.test:$P/secret")},
    {"malformed_url", NULL, GET("http://pub lic.test:$P/secret")},
    {"malformed_url", NULL, GET("http://public.test:99999/secret")},
    {"malformed_url", NULL, GET("/secret")},
    {"malformed_url", NULL, GET("//public.test:$P/secret")},
    {"scheme_not_allowed", NULL, GET("file:///etc/passwd")},
    {"scheme_not_allowed", NULL, GET("ftp://public.test/secret")},
    {"scheme_not_allowed", NULL, GET("gopher://public.test:$P/_GET%20/secret")},
    {"scheme_not_allowed", NULL, GET("dict://public.test:$P/secret")},
    {"scheme_not_allowed", NULL, GET("ws://public.test:$P/secret")},
    {"scheme_not_allowed", NULL, GET("javascript:1")},
    {"method_not_allowed", NULL, FETCH("'http://public.test:$P/secret', {method: 'CONNECT'}")},
    {"method_not_allowed", NULL, FETCH("'http://public.test:$P/secret', {method: 'trace'}")},
    {"import_not_allowed", NULL, "r = (await import('http://public.test:$P/secret')).default"},
    {"import_not_allowed", NULL, "r = (await import('https://user:password@public.test/secret')).default"},
    /* By other ways to ask. */
    {"host_not_allowed", NULL, FETCH("new Request('http://evil.test:$P/secret')")},
    {"host_not_allowed", NULL,
     FETCH(
         "{toString() { return this.n ? 'http://public.test:$P/hello' : (this.n = 1, 'http://evil.test:$P/secret') }}")},
    {"host_not_allowed", NULL,
     "const q = new Request('http://public.test:$P/hello'); Object.defineProperty(q, 'url', {value: 'x'}); "
     "URL.prototype.toString = () => 'http://public.test/'; " GET("http://evil.test:$P/secret")},
    {"host_not_allowed", NULL,
     "const x = new XMLHttpRequest(); x.open('GET', 'http://evil.test:$P/secret', false); x.send(); r = x.responseText"},
    {"host_not_allowed", NULL,
     "const x = new XMLHttpRequest(); await new Promise((done) => { x.onloadend = done; x.open('GET', "
     "'http://evil.test:$P/secret'); x.send() }); r = x.responseText"},
    {"credentials_in_url", NULL,
     "const x = new XMLHttpRequest(); x.open('GET', 'http://public.test:$P/secret', false, 'u', 'p'); x.send(); r = x.responseText"},
};

/* ---- Python --------------------------------------------------------------------------------------------------------- */

#define URLOPEN(url) "r = urlopen('" url "').read().decode()"
#define RAW(method, url, headers) "r = raw('" method "', '" url "', '" headers "')"

static const char python_prelude[] =
    "import os, json, socket\n"
    "from urllib.request import urlopen, Request, build_opener, ProxyHandler\n"
    "from http.client import HTTPConnection, HTTPSConnection\n"
    "from pyodide.http import open_url, pyfetch, pyxhr\n"
    "def raw(method, url, headers='', redirects=0):\n"
    "    text = json.dumps({'method': method, 'url': url, 'headers': headers, 'redirects': redirects, 'timeout': 0}).encode()\n"
    "    d = os.open('/dev/network', os.O_RDWR)\n"
    "    os.write(d, len(text).to_bytes(4, 'little') + text)\n"
    "    return os.read(d, 1 << 20).decode('latin-1')\n"
    "1";

static const escape python_escapes[] = {
    {"private_address", NULL, URLOPEN("http://127.0.0.1:$P/secret")},
    {"private_address", NULL, URLOPEN("http://0x7f.1:$P/secret")},
    {"private_address", NULL, URLOPEN("http://2130706433:$P/secret")},
    {"private_address", NULL, URLOPEN("http://[::1]:$P/secret")},
    {"private_address", NULL, URLOPEN("http://[::ffff:127.0.0.1]:$P/secret")},
    {"private_address", "localhost=127.0.0.1", URLOPEN("http://localhost:$P/secret")},
    {"private_address", "mixed.test=" PUBLIC ",127.0.0.1", URLOPEN("http://mixed.test:$P/secret")},
    {"private_address", "rebind.test=" PUBLIC "|127.0.0.1",
     "urlopen('http://rebind.test:$P/hello').read()\n" URLOPEN("http://rebind.test:$P/secret")},
    {"private_address", "rebind.test=" PUBLIC "|127.0.0.1", URLOPEN("http://rebind.test:$P/to?code=302&url=/secret")},
    {"private_address", NULL, URLOPEN("http://public.test:$P/to?code=302&url=http://127.0.0.1:$P/secret")},
    {"host_not_allowed", NULL, URLOPEN("http://public.test:$P/to?code=302&url=http://evil.test:$P/secret")},
    {"redirect_not_allowed", NULL,
     "r = open_url('http://public.test:$P/to?code=302&url=http://evil.test:$P/secret').read()"},
    {"redirect_not_allowed", NULL,
     "r = await (await pyfetch('http://public.test:$P/to?code=302&url=http://evil.test:$P/secret')).text()"},
    {"redirect_not_allowed", NULL,
     "r = pyxhr.get('http://public.test:$P/to?code=302&url=ftp://public.test/secret').text"},
    {"host_not_allowed", NULL, URLOPEN("http://evil.test:$P/secret")},
    {"host_not_allowed", NULL, "r = await (await pyfetch('http://evil.test:$P/secret')).text()"},
    {"host_not_allowed", NULL, "r = open_url('http://evil.test:$P/secret').read()"},
    {"host_not_allowed", NULL, "r = pyxhr.post('http://evil.test:$P/secret', json={}).text"},
    {"host_not_allowed", NULL,
     "c = HTTPConnection('evil.test', $P)\nc.request('GET', '/secret')\nr = c.getresponse().read().decode()"},
    {"host_not_allowed", NULL,
     "c = HTTPSConnection('evil.test', $T)\nc.request('GET', '/secret')\nr = c.getresponse().read().decode()"},
    {"credentials_in_url", NULL,
     "c = HTTPConnection('public.test', $P)\nc.request('GET', '@evil.test/secret')\nr = c.getresponse().read().decode()"},
    {"malformed_url", NULL,
     "c = HTTPConnection('public.test', $P)\nc.request('GET', 'http://evil.test:$P/secret')\nr = c.getresponse().read().decode()"},
    {"malformed_url", NULL,
     "c = HTTPConnection('evil.test\\\\.public.test', $P)\nc.request('GET', '/secret')\nr = c.getresponse().read().decode()"},
    {"header_not_allowed", NULL,
     "r = urlopen(Request('http://public.test:$P/secret', headers={'Host': 'evil.test'})).read().decode()"},
    {"header_not_allowed", NULL,
     "r = urlopen(Request('http://public.test:$P/secret', headers={'Proxy-Authorization': 'x'})).read().decode()"},
    {"header_not_allowed", NULL, "r = pyxhr.get('http://public.test:$P/secret', headers={'Host': '127.0.0.1'}).text"},
    {"header_not_allowed", NULL,
     "r = await (await pyfetch('http://public.test:$P/secret', headers={'Transfer-Encoding': 'chunked'})).text()"},
    {"malformed_url", NULL,
     "r = build_opener(ProxyHandler({'http': 'http://public.test:$P'})).open('http://evil.test/secret').read().decode()"},
    {"host_not_allowed", NULL,
     "os.environ['http_proxy'] = 'http://public.test:$P'\ntry:\n    " URLOPEN(
         "http://evil.test/secret") "\nfinally:\n    del os.environ['http_proxy']"},
    {"malformed_url", NULL,
     "c = HTTPConnection('public.test', $P)\nc.set_tunnel('evil.test', 80)\nc.request('GET', '/secret')\nr = c.getresponse().read().decode()"},
    {"raw_socket", NULL,
     "s = socket.create_connection(('127.0.0.1', $P), 1)\ns.send(b'GET /secret HTTP/1.0\\r\\n\\r\\n')\nr = s.recv(100).decode()"},
    {"raw_socket", NULL,
     "s = socket.create_connection(('public.test', $P), 1)\ns.send(b'GET /secret HTTP/1.0\\r\\n\\r\\n')\nr = s.recv(100).decode()"},
    {"raw_socket", NULL,
     "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\ns.sendto(b'/secret', ('127.0.0.1', 53))"},
    {"raw_socket", NULL, "s = socket.socket()\ns.bind(('0.0.0.0', 8000))\ns.listen()\nr = 'THROUGH'"},
    {"malformed_request", NULL, RAW("GET", "http://public.test:$P/secret", "X: a\\rHost: evil.test")},
    {"malformed_request", NULL, RAW("GET", "http://public.test:$P/secret", "no colon")},
    {"malformed_request", NULL, RAW("GET /secret HTTP/1.1\\r\\nX:", "http://public.test:$P/x", "")},
    {"header_not_allowed", NULL, RAW("GET", "http://public.test:$P/secret", "hOsT:evil.test")},
    {"header_not_allowed", NULL, RAW("POST", "http://public.test:$P/secret", "Content-Length: 100")},
    {"header_not_allowed", NULL,
     RAW("GET", "http://public.test:$P/secret", "Connection: Upgrade\\nUpgrade: websocket")},
    {"method_not_allowed", NULL, RAW("CONNECT", "http://public.test:$P/secret", "")},
    {"malformed_url", NULL, RAW("GET", "http://public.test:$P/\\r\\nGET /secret", "")},
    {"credentials_in_url", NULL, RAW("GET", "http://public.test\\\\@evil.test:$P/secret", "")},
    {"malformed_url", NULL, RAW("GET", "http://evil.test%2f.public.test:$P/secret", "")},
    {"malformed_url", NULL, RAW("GET", "http:public.test/secret", "")},
    {"malformed_url", NULL, RAW("GET", "http://[::1%25lo]:$P/secret", "")},
    {"malformed_url", NULL, RAW("GET", "", "")},
    {"credentials_in_url", NULL, RAW("GET", "http://public.test@evil.test:$P/secret", "")},
    {"scheme_not_allowed", NULL, RAW("GET", "file:///etc/passwd", "")},
    {"scheme_not_allowed", NULL, RAW("GET", "unix:/run/docker.sock/secret", "")},
    {"host_not_allowed", NULL, RAW("GET", "http://public.test.evil.test:$P/secret", "")},
    {"private_address", "rebind.test=127.0.0.1", RAW("GET", "http://REBIND.test.:$P/secret", "")},
};

/* ---- trying --------------------------------------------------------------------------------------------------------- */

static void set_names(const char *names)
{
    char copy[512], *rest = copy;
    net_forget_names();
    snprintf(copy, sizeof copy, "%s", names ? names : "");
    for (char *item; (item = strtok_r(rest, ";", &rest));) {
        char *equals = strchr(item, '=');
        *equals = '\0';
        net_name(item, equals + 1);
    }
}

static bool is_recorded(const aard_outcome *outcome, const char *reason)
{
    for (size_t i = 0; i < aard_outcome_violation_count(outcome); i++) {
        const aard_violation *violation = aard_outcome_violation(outcome, i);
        assert_lacks(violation->subject, "password");
        if (violation->kind == AARD_VIOLATION_NETWORK_DENIED && !strcmp(violation->reason, reason)) return true;
    }
    return false;
}

/* Every attempt that was blocked is a violation too. */
static void attempts_agree(const aard_outcome *outcome)
{
    const aard_network_attempt *attempt;
    for (size_t i = 0; (attempt = aard_outcome_network_attempt(outcome, i)); i++) {
        assert_lacks(attempt->url, "password");
        if (!attempt->allowed) assert_true(is_recorded(outcome, attempt->reason));
    }
}

static int wrong; /* attempts that came to something else */

/* `around` is what stands before the code, and behind it. */
static void try_to(aard_isolate *isolate, const escape *attempt, const char *const around[2])
{
    char text[6000];
    set_names(attempt->names);
    snprintf(text, sizeof text, "%s%s%s", around[0], attempt->code, around[1]);
    aard_outcome *outcome = exec(isolate, net_text(text));
    const char *value = aard_outcome_is_success(outcome) ? aard_outcome_value_json(outcome, NULL)
                                                         : aard_outcome_failure_message(outcome);
    if (strstr(value, "THROUGH") || net_http.secrets || net_https.secrets || net_private_connections())
        fail_msg("%s came through: %s", attempt->code, value);
    if (!aard_outcome_is_success(outcome) || !is_recorded(outcome, attempt->reason)) {
        const aard_violation *first = aard_outcome_violation(outcome, 0);
        print_error("%s is not written down as %s but as %s; it gave %s\n", attempt->code, attempt->reason,
                    first ? first->reason : "nothing", value);
        wrong++;
    }
    attempts_agree(outcome);
    aard_outcome_free(outcome);
}

static const char *const in_javascript[] = {"(async () => { let r = 'no'; try { ",
                                            " } catch (e) { r = 'no: ' + e } return r })()"};
static const char *const alone[] = {"", ""};

static const char *in_python(const char *text)
{
    static char indented[6000];
    size_t len = (size_t)sprintf(indented, "r = 'no'\ntry:\n    ");
    for (const char *c = text; *c && len < sizeof indented - 100; c++) {
        indented[len++] = *c;
        if (*c == '\n') len += (size_t)sprintf(indented + len, "    ");
    }
    sprintf(indented + len, "\nexcept BaseException as e:\n    r = f'no: {e!r}'\nr");
    return indented;
}

static void test_javascript(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(fetches); i++) try_to(javascript, &fetches[i], in_javascript);
    assert_int_equal(wrong, 0);
}

static void test_python(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(python_escapes); i++) {
        escape one = python_escapes[i];
        one.code = in_python(one.code);
        value_is(exec(python, python_prelude), "1");
        try_to(python, &one, alone);
    }
    assert_int_equal(wrong, 0);
}

static void test_https_only(void **state)
{
    (void)state;
    static const escape rows[] = {
        {"scheme_not_allowed", NULL, GET("http://public.test:$P/secret")},
        {"redirect_not_allowed", NULL, GET("https://public.test:$T/to?code=302&url=http://public.test:$P/secret")},
        {"redirect_not_allowed", NULL, GET("https://public.test:$T/to?code=302&url=http://public.test/secret")},
        {"private_address", NULL, GET("https://public.test:$T/to?code=302&url=https://127.0.0.1:$T/secret")},
        {"private_address", "rebind.test=127.0.0.1", GET("https://rebind.test:$T/secret")},
    };
    for (size_t i = 0; i < COUNT(rows); i++) try_to(secure_javascript, &rows[i], in_javascript);
    assert_int_equal(wrong, 0);
}

static void test_without_a_list(void **state)
{
    (void)state;
    static const escape rows[] = {
        {"no_allowlist", NULL, GET("http://public.test:$P/secret")},
        {"no_allowlist", NULL, GET("https://public.test:$T/secret")},
        {"no_allowlist", NULL, GET("http://127.0.0.1:$P/secret")},
        {"scheme_not_allowed", NULL, GET("file:///etc/passwd")},
    };
    for (size_t i = 0; i < COUNT(rows); i++) try_to(listless, &rows[i], in_javascript);
    assert_int_equal(wrong, 0);
}

static void test_a_name_is_looked_up_once(void **state)
{
    (void)state;
    set_names("rebind.test=" PUBLIC "|127.0.0.1");
    aard_outcome *outcome = exec(javascript,
                                 net_text("(async () => (await fetch('http://rebind.test:$P/hello')).text())()"));
    value_is(outcome, "\"hello\"");
    assert_int_equal(net_lookups(), 1);
    assert_int_equal(net_private_connections(), 0);
}

static void test_there_is_no_other_door(void **state)
{
    (void)state;
    value_is(
        exec(
            javascript,
            "['WebSocket', 'EventSource', 'WebTransport', 'RTCPeerConnection', 'Worker', 'SharedWorker', 'importScripts', "
            "'require', 'process', 'caches', 'Deno', 'Bun'].filter((name) => name in globalThis)"),
        "[]");
    value_is(exec(javascript, "'sendBeacon' in navigator"), "false");
    value_is(
        exec(
            python,
            "import importlib\nx = []\nfor name in ('js', 'pyodide_js'):\n    try:\n        importlib.import_module(name)\n        x.append(name)\n"
            "    except ImportError:\n        pass\nx"),
        "[]");
}

/* What a module does while it is imported is part of a call. */
static void test_while_a_module_is_imported(void **state)
{
    (void)state;
    static const char *const files[][2] = {
        {"aardvark.manifest.json",
         "{\"schemaVersion\": \"1.0\", \"entrypoint\": \"main:f\", \"runtime\": {\"language\": \"javascript\"}}"},
        {"main.mjs",
         "let r = 'no'; try { r = await (await fetch('https://public.test/secret')).text() } catch {} export const f = () => r"},
        {NULL, NULL},
    };
    aard_isolate *one = boot(config_of(AARD_LANGUAGE_JAVASCRIPT), bundle_of(files));
    aard_outcome *outcome = call(one, NULL, NULL);
    assert_true(is_recorded(outcome, "no_allowlist"));
    value_is(outcome, "\"no\"");
    aard_isolate_free(one);
}

static aard_isolate *make(aard_language language, bool listed, bool https_only)
{
    aard_isolate_config *config = config_of(language);
    for (size_t i = 0; listed && i < COUNT(allowed); i++) assert_ok(aard_isolate_config_allow_host(config, allowed[i]));
    aard_isolate_config_set_https_only(config, https_only);
    assert_ok(aard_isolate_config_set_ca_file(config, net_ca_file()));
    aard_isolate_config_set_network_limit(config, AARD_NETWORK_TIMEOUT_MS, 5000);
    return boot(config, NULL);
}

static int set_up(void **state)
{
    (void)state;
    net_start();
    javascript = make(AARD_LANGUAGE_JAVASCRIPT, true, false);
    secure_javascript = make(AARD_LANGUAGE_JAVASCRIPT, true, true);
    listless = make(AARD_LANGUAGE_JAVASCRIPT, false, false);
    python = make(AARD_LANGUAGE_PYTHON, true, false);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    aard_isolate_free(javascript);
    aard_isolate_free(secure_javascript);
    aard_isolate_free(listless);
    aard_isolate_free(python);
    net_stop();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_javascript),
        cmocka_unit_test(test_python),
        cmocka_unit_test(test_https_only),
        cmocka_unit_test(test_without_a_list),
        cmocka_unit_test(test_a_name_is_looked_up_once),
        cmocka_unit_test(test_there_is_no_other_door),
        cmocka_unit_test(test_while_a_module_is_imported),
    };
    return cmocka_run_group_tests_name("network_escapes", tests, set_up, tear_down);
}
