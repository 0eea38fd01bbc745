/* What decides about requests, without any: URLs, lists of hosts, addresses, methods and headers.  test-quick */
#include "support.h"

#include <aardvark.h>
#include <arpa/inet.h>
#include <string.h>

#include "base/alloc.h"
#include "policy/host_pattern.h"
#include "policy/network.h"

/* ---- URLs ----------------------------------------------------------------------------------------------------------- */

static void url_is(const char *text, const char *base_text, const char *want)
{
    aard__url base = AARD__URL_INIT, url = AARD__URL_INIT;
    aard__buf out = AARD__BUF_INIT;
    if (base_text) assert_null(aard__url_parse(base_text, strlen(base_text), NULL, &base));
    const char *wrong = aard__url_parse(text, strlen(text), base_text ? &base : NULL, &url);
    if (!wrong) aard__url_put(&url, &out);
    aard__buf_putc(&out, '\0');
    const char *have = wrong ? wrong : out.data;
    if (strcmp(have, want)) fail_msg("'%s' is %s, not %s", text, have, want);
    aard__buf_free(&out);
    aard__url_free(&url);
    aard__url_free(&base);
}

static void test_urls_have_one_form(void **state)
{
    (void)state;
    static const char *const urls[][2] = {
        {"https://example.com", "https://example.com/"},
        {"HTTPS://EXAMPLE.com:443/A?b#c", "https://example.com/A?b"},
        {"http://example.com:80", "http://example.com/"},
        {"http://example.com:443/", "http://example.com:443/"},
        {"https://example.com:/x", "https://example.com/x"},
        {"https://example.com./", "https://example.com/"},
        {"https://b\xc3\xbc"
         "cher.example/",
         "https://xn--bcher-kva.example/"},
        {"https://ex\xef\xbd\x81mple.com/", "https://example.com/"}, /* a full-width letter */
        {"https://example\xe3\x80\x82"
         "com/",
         "https://example.com/"}, /* an ideographic full stop */
        {"https://\xef\xbc\x91"
         "27.0.0.1/",
         "https://127.0.0.1/"}, /* a full-width digit */
        {"http://0x7f.1/", "http://127.0.0.1/"},
        {"http://2130706433/", "http://127.0.0.1/"},
        {"http://017700000001/", "http://127.0.0.1/"},
        {"http://127.1/", "http://127.0.0.1/"},
        {"http://0x7f000001/", "http://127.0.0.1/"},
        {"http://0/", "http://0.0.0.0/"},
        {"http://1.2.3.0x/", "http://1.2.3.0/"},
        {"http://[0:0:0:0:0:0:0:1]:8080/", "http://[::1]:8080/"},
        {"http://[::FFFF:127.0.0.1]/", "http://[::ffff:127.0.0.1]/"},
        {"https://example.com/a/./b/../c", "https://example.com/a/c"},
        {"https://example.com/a/%2e%2E/b/.", "https://example.com/b/"},
        {"https://example.com/../../x/..", "https://example.com/"},
        {"https://example.com/a b?c d\"<>", "https://example.com/a%20b?c%20d%22%3C%3E"},
        {"https://example.com/\xc3\xa4?\xc3\xb6", "https://example.com/%C3%A4?%C3%B6"},
        {"  https://example.com/  ", "https://example.com/"},
        {"https://example.com?q", "https://example.com/?q"},
        {"https://a_b.example-c.com/", "https://a_b.example-c.com/"},
        {"https://example.com/x?y=\\z", "https://example.com/x?y=%5Cz"},
    };
    for (size_t i = 0; i < COUNT(urls); i++) url_is(urls[i][0], NULL, urls[i][1]);
}

static void test_what_readers_disagree_on_is_no_url(void **state)
{
    (void)state;
    static const char *const urls[] = {
        "",
        " ",
        "example.com",
        "//example.com/",
        "https:example.com",
        "https:/example.com",
        "https:///example.com",
        "https:\\\\example.com",
        "https://example.com\\.evil.example/",
        "https://evil.example\\/x",
        "https://example.com/a\\b",
        "https://exa mple.com/",
        "https://exam\tple.com/",
        "https://example.com\r\nHost: evil.example/",
        "https://example.com/\nX: y",
        "https://example.com/\x7f",
        "https://exam%70le.com/",
        "https://example.com%2eevil.example/",
        "https://example..com/",
        "https://.example.com/",
        "https://example.com../",
        "https://example.com:0/",
        "https://example.com:65536/",
        "https://example.com:80:80/",
        "https://example.com:+80/",
        "https://example.com:8o/",
        "https://[::1/",
        "https://[::1]x/",
        "https://[::1%25lo]/",
        "https://[1.2.3.4]/",
        "https://::1/",
        "https://[]/",
        "http://1.2.3.4.5/",
        "http://256.1.1.1/",
        "http://08.1.1.1/",
        "http://4294967296/",
        "http://0x100000000/",
        "http://a.1/",
        "https://ex\xff.com/",
        "https://xn--\xc3\xa4.com/",
        "https://ex!ample.com/",
        "https://*.example.com/",
        "https://a,b.com/",
    };
    for (size_t i = 0; i < COUNT(urls); i++) url_is(urls[i], NULL, "malformed_url");
    char longest[300] = "https://", label[] = "0123456789012345678901234567890123456789012345678901234567890123";
    strcat(strcat(longest, label), ".com/");
    url_is(longest, NULL, "malformed_url");
    url_is("ftp://example.com/", NULL, "scheme_not_allowed");
    url_is("file:///etc/passwd", NULL, "scheme_not_allowed");
    url_is("data:text/plain,x", NULL, "scheme_not_allowed");
    url_is("gopher://example.com/", NULL, "scheme_not_allowed");
    url_is("javascript:1", NULL, "scheme_not_allowed");
    url_is("https://user@example.com/", NULL, "credentials_in_url");
    url_is("https://example.com:443@evil.example/", NULL, "credentials_in_url");
    url_is("https://@example.com/", NULL, "credentials_in_url");
    url_is("https://example.com\\@evil.example/", NULL, "credentials_in_url");
    const char hidden[] = "https://example.com\0.evil.example/";
    aard__url url = AARD__URL_INIT;
    assert_string_equal(aard__url_parse(hidden, sizeof hidden - 1, NULL, &url), "malformed_url");
}

static void test_references_against_a_base(void **state)
{
    (void)state;
    static const char base[] = "https://example.com:8443/a/b?c";
    static const char *const references[][2] = {
        {"/x", "https://example.com:8443/x"},
        {"x", "https://example.com:8443/a/x"},
        {"../x/./y", "https://example.com:8443/x/y"},
        {"../../../x", "https://example.com:8443/x"},
        {"?z", "https://example.com:8443/a/b?z"},
        {"#f", "https://example.com:8443/a/b?c"},
        {"//other.example/x", "https://other.example/x"},
        {"http://other.example", "http://other.example/"},
        {"//user@other.example/", "credentials_in_url"},
        {"/\\evil.example", "malformed_url"},
        {"\\\\evil.example/", "malformed_url"},
        {"/%5cevil.example", "https://example.com:8443/%5cevil.example"},
        {"http:x", "malformed_url"},
        {"ftp://example.com/", "scheme_not_allowed"},
        {"x:y", "scheme_not_allowed"},
        {"//", "malformed_url"},
        {"///evil.example", "malformed_url"},
        {"", "malformed_url"},
        {".", "https://example.com:8443/a/"},
        {"x//y", "https://example.com:8443/a/x//y"},
    };
    for (size_t i = 0; i < COUNT(references); i++) url_is(references[i][0], base, references[i][1]);
    url_is("x", "https://example.com", "https://example.com/x");
}

static void test_what_is_shown_holds_no_secret(void **state)
{
    (void)state;
    static const char *const texts[][2] = {
        {"https://user:secret@example.com/x#secret", "https://example.com/x"},
        {"https://a@b@c/x@y", "https://c/x@y"},
        {"https:\\\\user@example.com", "https:\\\\example.com"},
        {"no url at all", "no url at all"},
        {"", ""},
        {"user@host", "host"},
    };
    for (size_t i = 0; i < COUNT(texts); i++) {
        aard__buf out = AARD__BUF_INIT;
        aard__url_put_redacted(texts[i][0], strlen(texts[i][0]), &out);
        aard__buf_putc(&out, '\0');
        assert_string_equal(out.data, texts[i][1]);
        aard__buf_free(&out);
    }
}

/* ---- lists ---------------------------------------------------------------------------------------------------------- */

static const char *refusal(const char *pattern, const char *text, bool https_only)
{
    aard__host_list list = {0};
    aard__url url = AARD__URL_INIT;
    char *host = NULL;
    const char *wrong = aard__host_pattern_read(pattern, strlen(pattern), &host);
    if (wrong) fail_msg("'%s' %s", pattern, wrong);
    assert_null(aard__host_list_add(&list, host));
    assert_null(aard__url_parse(text, strlen(text), NULL, &url));
    const aard__network_policy policy = {.host = &list, .https_only = https_only};
    const char *reason = aard__network_refusal(&policy, &url);
    aard__url_free(&url);
    aard__host_list_free(&list);
    aard__free(host);
    return reason;
}

static void test_patterns(void **state)
{
    (void)state;
    static const char *const rows[][3] = {
        {"example.com", "https://example.com/", NULL},
        {"EXAMPLE.com", "https://Example.COM./", NULL},
        {"example.com", "https://www.example.com/", "host_not_allowed"},
        {"example.com", "https://example.com.evil.example/", "host_not_allowed"},
        {"example.com", "https://evilexample.com/", "host_not_allowed"},
        {"example.com", "https://example.co/", "host_not_allowed"},
        {"*.example.com", "https://example.com/", "host_not_allowed"},
        {"*.example.com", "https://a.example.com/", NULL},
        {"*.example.com", "https://a.b.c.example.com/", NULL},
        {"*.example.com", "https://evilexample.com/", "host_not_allowed"},
        {"*.example.com", "https://a.evilexample.com/", "host_not_allowed"},
        {"*.example.com", "https://a.example.com.evil.example/", "host_not_allowed"},
        {"example.com", "https://example.com:8443/", NULL},
        {"example.com", "https://example.com:22/", "port_not_allowed"},
        {"example.com", "https://example.com:6379/", "port_not_allowed"},
        {"example.com:22", "https://example.com:22/", NULL},
        {"example.com:8443", "https://example.com:8443/", NULL},
        {"example.com:8443", "https://example.com/", "port_not_allowed"},
        {"example.com:443", "https://example.com/", NULL},
        {"*.example.com:8443", "https://a.example.com:8443/", NULL},
        {"*.example.com:8443", "https://a.example.com:8444/", "port_not_allowed"},
        {"example.com", "http://example.com/", "scheme_not_allowed"},
        {"xn--bcher-kva.example",
         "https://b\xc3\xbc"
         "cher.example/",
         NULL},
        {"93.184.215.14", "https://93.184.215.14/", NULL},
        {"93.184.215.14", "https://0x5db8d70e/", NULL},
        {"93.184.215.14", "https://93.184.215.15/", "host_not_allowed"},
        {"*.215.example", "https://93.184.215.14/", "host_not_allowed"},
        {"127.0.0.1", "https://127.0.0.1/", "private_address"},
        {"127.0.0.1", "https://2130706433/", "private_address"},
        {"[::1]", "https://[::1]/", "private_address"},
        {"[2606:2800::1]", "https://[2606:2800:0::1]/", NULL},
        {"[2606:2800::1]:444", "https://[2606:2800::1]:444/", NULL},
        {"[2606:2800::1]:444", "https://[2606:2800::1]/", "port_not_allowed"},
        {"[2606:2800::1]", "https://[2606:2800::2]/", "host_not_allowed"},
        {"[::ffff:5db8:d70e]", "https://93.184.215.14/", "host_not_allowed"},
        {"[::ffff:7f00:1]", "https://[::ffff:127.0.0.1]/", "private_address"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *have = refusal(rows[i][0], rows[i][1], true), *want = rows[i][2];
        if (strcmp(have ? have : "", want ? want : ""))
            fail_msg("%s, %s: %s, not %s", rows[i][0], rows[i][1], have, want);
    }
    assert_null(refusal("example.com", "http://example.com/", false));
}

static void test_both_lists_have_to_agree(void **state)
{
    (void)state;
    aard__host_list host = {0}, bundle = {0}, none = {0};
    aard__url url = AARD__URL_INIT;
    assert_null(aard__host_list_add(&host, "*.example.com"));
    assert_null(aard__host_list_add(&bundle, "a.example.com:8443"));
    assert_null(aard__url_parse("https://a.example.com:8443/", 27, NULL, &url));
    aard__network_policy policy = {.https_only = true};
    assert_string_equal(aard__network_refusal(&policy, &url), "no_allowlist");
    policy.host = &host;
    assert_null(aard__network_refusal(&policy, &url));
    policy.bundle = &none; /* a manifest that lists nothing */
    assert_string_equal(aard__network_refusal(&policy, &url), "no_allowlist");
    policy.bundle = &bundle;
    assert_null(aard__network_refusal(&policy, &url));
    policy.host = NULL;
    assert_null(aard__network_refusal(&policy, &url));
    policy.closed = true;
    assert_string_equal(aard__network_refusal(&policy, &url), "no_allowlist");
    policy.closed = false;
    policy.host = &host;
    url.port = 443;
    assert_string_equal(aard__network_refusal(&policy, &url), "port_not_allowed");
    strcpy(url.host, "b.example.com");
    assert_string_equal(aard__network_refusal(&policy, &url), "host_not_allowed");
    aard__url_free(&url);
    aard__host_list_free(&host);
    aard__host_list_free(&bundle);
}

/* ---- addresses ------------------------------------------------------------------------------------------------------ */

static bool is_public(const char *text)
{
    aard__address address;
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    bool fits = inet_pton(AF_INET, text, &v4.sin_addr) == 1 ? aard__address_of((struct sockaddr *)&v4, &address)
                                                            : inet_pton(AF_INET6, text, &v6.sin6_addr) == 1 &&
                                                                  aard__address_of((struct sockaddr *)&v6, &address);
    assert_true(fits);
    return !aard__address_special(&address);
}

static void test_addresses(void **state)
{
    (void)state;
    static const char *const closed[] = {
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "10.255.255.255",
        "100.64.0.1",
        "100.100.100.200",
        "100.127.255.255",
        "127.0.0.1",
        "127.255.255.254",
        "168.63.129.16",
        "169.254.0.1",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.1",
        "192.0.0.192",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.0.1",
        "192.168.255.255",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::2",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:169.254.169.254",
        "::ffff:0:7f00:1",
        "64:ff9b::7f00:1",
        "64:ff9b::10.1.2.3",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
        "2001:2::1",
        "2001:db8::1",
        "2002:7f00:1::",
        "2002:a00::1",
        "2002:5db8:d70e::1",
        "3ffe::1",
        "3fff::1",
        "4000::1",
        "5f00::1",
        "fc00::1",
        "fd00::1",
        "fd00:ec2::254",
        "fe80::1",
        "febf::1",
        "fec0::1",
        "ff02::1",
        "ff0e::1",
        "8000::1",
    };
    static const char *const open[] = {
        "1.1.1.1",          "8.8.8.8",        "93.184.215.14",        "9.255.255.255",   "11.0.0.0",
        "100.63.255.255",   "100.128.0.0",    "126.255.255.255",      "128.0.0.1",       "169.253.255.255",
        "169.255.0.0",      "172.15.255.255", "172.32.0.0",           "192.167.1.1",     "192.169.0.0",
        "198.17.255.255",   "198.20.0.0",     "223.255.255.255",      "168.63.129.17",   "::ffff:8.8.8.8",
        "64:ff9b::8.8.8.8", "2001:200::1",    "2001:4860:4860::8888", "2606:4700::1111", "2a00::1",
        "2620:0:862::1",
    };
    for (size_t i = 0; i < COUNT(closed); i++)
        if (is_public(closed[i])) fail_msg("%s is taken for public", closed[i]);
    for (size_t i = 0; i < COUNT(open); i++)
        if (!is_public(open[i])) fail_msg("%s is not taken for public", open[i]);
}

/* ---- methods and headers -------------------------------------------------------------------------------------------- */

static void test_methods_and_headers(void **state)
{
    (void)state;
    static const char *const methods[][2] = {
        {"GET", NULL},
        {"PATCH", NULL},
        {"PROPFIND", NULL},
        {"CONNECT", "method_not_allowed"},
        {"trace", "method_not_allowed"},
        {"TRACK", "method_not_allowed"},
        {"", "malformed_request"},
        {"GET /", "malformed_request"},
        {"GET\r\nX:", "malformed_request"},
        {"G\xc3\xa4T", "malformed_request"},
    };
    for (size_t i = 0; i < COUNT(methods); i++) {
        const char *have = aard__network_method_refusal(methods[i][0], strlen(methods[i][0]));
        assert_string_equal(have ? have : "", methods[i][1] ? methods[i][1] : "");
    }
    aard__url url = AARD__URL_INIT;
    assert_null(aard__url_parse("https://example.com:8443/", 25, NULL, &url));
    static const char *const headers[][3] = {
        {"Accept", "x", NULL},
        {"Authorization", "x", NULL},
        {"X-A", "", NULL},
        {"Host", "example.com:8443", NULL},
        {"host", "EXAMPLE.com:8443", NULL},
        {"Host", "example.com", "header_not_allowed"},
        {"Host", "evil.example", "header_not_allowed"},
        {"Content-Length", "5", "header_not_allowed"},
        {"transfer-encoding", "chunked", "header_not_allowed"},
        {"Connection", "Upgrade", "header_not_allowed"},
        {"Upgrade", "websocket", "header_not_allowed"},
        {"Proxy-Authorization", "x", "header_not_allowed"},
        {"TE", "trailers", "header_not_allowed"},
        {"Proxy", "http://evil.example", "header_not_allowed"}, /* httpoxy */
        {"pRoXy", "x", "header_not_allowed"},
        {"Proxy-Anything", "x", "header_not_allowed"},
        {"Proxy_Authorization", "x", "header_not_allowed"},
        {"transfer_encoding", "chunked", "header_not_allowed"},
        {"Content_Length", "5", "header_not_allowed"},
        {"Trailer", "X", "header_not_allowed"},
        {"Keep-Alive", "1", "header_not_allowed"},
        {"Expect", "100-continue", "header_not_allowed"},
        {"Via", "x", "header_not_allowed"},
        {"Early-Data", "1", "header_not_allowed"},
        {"X-HTTP-Method-Override", "DELETE", NULL},
        {"X-HTTP-Method-Override", "connect", "method_not_allowed"},
        {"x_http_method", "PUT , TRACE", "method_not_allowed"},
        {"X-Method-Override", "TRACK", "method_not_allowed"},
        {"Proximity", "x", NULL},
        {"X-Proxy", "x", NULL},
        {"Origin", "https://example.com", NULL},
        {"Cookie", "a=b", NULL},
        {"X-A", "b\r\nHost: evil.example", "malformed_request"},
        {"X-A", "b\nc", "malformed_request"},
        {"X A", "b", "malformed_request"},
        {"Host ", "evil.example", "malformed_request"},
        {"X-A\r\nHost", "evil.example", "malformed_request"},
        {"", "b", "malformed_request"},
    };
    for (size_t i = 0; i < COUNT(headers); i++) {
        const char *have = aard__network_header_refusal(&url, headers[i][0], strlen(headers[i][0]), headers[i][1],
                                                        strlen(headers[i][1]));
        if (strcmp(have ? have : "", headers[i][2] ? headers[i][2] : ""))
            fail_msg("%s: %s is %s", headers[i][0], headers[i][1], have);
    }
    assert_string_equal(aard__network_header_refusal(&url, "X", 1, "a\0b", 3), "malformed_request");
    aard__url_free(&url);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_urls_have_one_form),
        cmocka_unit_test(test_what_readers_disagree_on_is_no_url),
        cmocka_unit_test(test_references_against_a_base),
        cmocka_unit_test(test_what_is_shown_holds_no_secret),
        cmocka_unit_test(test_patterns),
        cmocka_unit_test(test_both_lists_have_to_agree),
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_methods_and_headers),
    };
    return cmocka_run_group_tests_name("network_policy", tests, NULL, NULL);
}
