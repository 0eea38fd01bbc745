#include "policy/network.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"

const aard__network_limits aard__network_defaults = {
    .request_bytes = 16 << 20,
    .response_bytes = 16 << 20,
    .header_bytes = 64 << 10,
    .timeout_ms = 30000,
    .redirects = 10,
    .connections = 8,
    .requests = 200,
};

uint64_t aard__network_most(const aard__network_limits *limits, uint64_t bytes)
{
    uint64_t most;
    bool fits = !__builtin_mul_overflow(limits->connections + 2, bytes, &most);
    return fits && limits->connections + 2 > 2 ? most : UINT64_MAX;
}

/* ---- lists ------------------------------------------------------------------------------------------------------ */

aard_error *aard__host_list_add(aard__host_list *list, const char *pattern)
{
    char *copy = aard__strdup(pattern);
    char **grown = copy ? aard__realloc(list->patterns, (list->count + 1) * sizeof *grown) : NULL;
    if (!grown) {
        aard__free(copy);
        return aard__error_no_memory();
    }
    list->patterns = grown;
    list->patterns[list->count++] = copy;
    return NULL;
}

void aard__host_list_free(aard__host_list *list)
{
    for (size_t i = 0; i < list->count; i++) aard__free(list->patterns[i]);
    aard__free(list->patterns);
    *list = (aard__host_list){0};
}

/* The length of a pattern's host; its port, 0 where it has none. */
static size_t split(const char *pattern, unsigned *port)
{
    const char *close = *pattern == '[' ? strchr(pattern, ']') : NULL;
    const char *colon = strchr(close ? close : pattern, ':');
    *port = colon ? (unsigned)atoi(colon + 1) : 0;
    return colon ? (size_t)(colon - pattern) : strlen(pattern);
}

static bool host_matches(const char *pattern, size_t len, const aard__url *url)
{
    size_t host_len = strlen(url->host);
    if (url->kind == AARD__HOST_IPV6) return len == host_len + 2 && !strncmp(pattern + 1, url->host, host_len);
    if (len > 2 && pattern[0] == '*' && pattern[1] == '.') {
        if (url->kind != AARD__HOST_NAME || host_len < len) return false; /* one label at least, and its dot */
        return !strncmp(url->host + host_len - (len - 1), pattern + 1, len - 1);
    }
    return len == host_len && !strncmp(pattern, url->host, len);
}

/* Ports of other protocols, which a request could be made to speak ("bad port" of the Fetch Standard). */
static bool is_bad_port(unsigned port)
{
    static const uint16_t bad[] = {
        1,    7,    9,    11,   13,   15,   17,   19,   20,   21,   22,   23,   25,   37,   42,    43,   53,
        69,   77,   79,   87,   95,   101,  102,  103,  104,  109,  110,  111,  113,  115,  117,   119,  123,
        135,  137,  139,  143,  161,  179,  389,  427,  465,  512,  513,  514,  515,  526,  530,   531,  532,
        540,  548,  554,  556,  563,  587,  601,  636,  989,  990,  993,  995,  1719, 1720, 1723,  2049, 3659,
        4045, 4190, 5060, 5061, 6000, 6379, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080, 11211};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (bad[i] == port) return true;
    return false;
}

static bool matches(const char *pattern, const aard__url *url, bool any_port)
{
    unsigned port;
    size_t len = split(pattern, &port);
    return host_matches(pattern, len, url) && (any_port || (port ? port == url->port : !is_bad_port(url->port)));
}

static bool has_host(const aard__host_list *list, const aard__url *url, bool any_port)
{
    for (size_t i = 0; i < list->count; i++)
        if (matches(list->patterns[i], url, any_port)) return true;
    return false;
}

/* ---- URLs and addresses ----------------------------------------------------------------------------------------- */

static bool literal(const aard__url *url, aard__address *out)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    if (url->kind == AARD__HOST_IPV4 && inet_pton(AF_INET, url->host, &v4.sin_addr) == 1)
        return aard__address_of((const struct sockaddr *)&v4, out);
    if (url->kind == AARD__HOST_IPV6 && inet_pton(AF_INET6, url->host, &v6.sin6_addr) == 1)
        return aard__address_of((const struct sockaddr *)&v6, out);
    return false;
}

const char *aard__network_refusal(const aard__network_policy *policy, const aard__url *url)
{
    const aard__host_list *lists[] = {policy->host, policy->bundle};
    size_t said = 0;
    for (size_t i = 0; i < 2; i++) said += lists[i] && lists[i]->count;
    if (policy->closed || said != (size_t)((policy->host != NULL) + (policy->bundle != NULL)) || !said)
        return "no_allowlist";
    for (size_t i = 0; i < 2; i++)
        if (lists[i] && !has_host(lists[i], url, true)) return "host_not_allowed";
    if (policy->https_only && !url->https) return "scheme_not_allowed";
    for (size_t i = 0; i < 2; i++)
        if (lists[i] && !has_host(lists[i], url, false)) return "port_not_allowed";
    aard__address address;
    return url->kind == AARD__HOST_NAME ? NULL
           : literal(url, &address)     ? aard__network_address_refusal(policy, &address)
                                        : "private_address";
}

const char *aard__network_address_refusal(const aard__network_policy *policy, const aard__address *address)
{
    return policy->private_addresses || !aard__address_special(address) ? NULL : "private_address";
}

/* ---- methods and headers ---------------------------------------------------------------------------------------- */

static bool is_token(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c <= ' ' || c >= 0x7f || strchr("\"(),/:;<=>?@[\\]{}", c)) return false;
    }
    return len > 0 && len < 256;
}

static bool is_word(const char *text, size_t len, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strlen(words[i]) == len && !strncasecmp(text, words[i], len)) return true;
    return false;
}
#define IS_ONE_OF(text, len, words) is_word(text, len, words, sizeof(words) / sizeof *(words))

const char *aard__network_method_refusal(const char *method, size_t len)
{
    static const char *const closed[] = {"CONNECT", "TRACE", "TRACK"};
    if (!is_token(method, len)) return "malformed_request";
    return IS_ONE_OF(method, len, closed) ? "method_not_allowed" : NULL;
}

/* As those read a name who put it into a variable, as CGI does: there `Proxy` sets HTTP_PROXY, and `-` and `_` are one. */
static size_t plain_name(const char *name, size_t len, char out[256])
{
    for (size_t i = 0; i < len; i++) out[i] = name[i] == '_' ? '-' : name[i];
    return len;
}

static bool begins(const char *text, size_t len, const char *with)
{
    return len >= strlen(with) && !strncasecmp(text, with, strlen(with));
}

/* What makes another method of the one that was checked. */
static bool is_override(const char *name, size_t len)
{
    static const char *const names[] = {"X-HTTP-Method", "X-HTTP-Method-Override", "X-Method-Override"};
    return IS_ONE_OF(name, len, names);
}

/* Each word of a list. */
static const char *override_refusal(const char *value, size_t len)
{
    for (const char *at = value, *end = value + len; at <= end;) {
        const char *comma = memchr(at, ',', (size_t)(end - at)), *stop = comma ? comma : end;
        while (at < stop && (*at == ' ' || *at == '\t')) at++;
        size_t size = (size_t)(stop - at);
        while (size && (at[size - 1] == ' ' || at[size - 1] == '\t')) size--;
        const char *refusal = size ? aard__network_method_refusal(at, size) : NULL;
        if (refusal) return refusal;
        at = stop + 1;
    }
    return NULL;
}

const char *aard__network_header_refusal(const aard__url *url, const char *name, size_t name_len, const char *value,
                                         size_t value_len)
{
    static const char *const closed[] = {
        "Alt-Used", "Connection", "Content-Length",    "Early-Data", "Expect", "HTTP2-Settings", "Keep-Alive", "Proxy",
        "TE",       "Trailer",    "Transfer-Encoding", "Upgrade",    "Via"};
    char plain[256] = {0};
    if (!is_token(name, name_len)) return "malformed_request";
    for (size_t i = 0; i < value_len; i++)
        if (value[i] == '\r' || value[i] == '\n' || value[i] == '\0') return "malformed_request";
    size_t plain_len = plain_name(name, name_len, plain);
    if (IS_ONE_OF(plain, plain_len, closed) || begins(plain, plain_len, "Proxy-")) return "header_not_allowed";
    if (is_override(plain, plain_len)) return override_refusal(value, value_len);
    if (name_len != 4 || strncasecmp(name, "Host", 4)) return NULL;
    /* A name of another host behind this one's address would get around the list. */
    aard__buf origin = AARD__BUF_INIT;
    aard__url_put_origin(url, &origin);
    size_t scheme = url->https ? 8 : 7;
    bool own = !origin.failed && origin.len - scheme == value_len &&
               !strncasecmp(origin.data + scheme, value, value_len);
    aard__buf_free(&origin);
    return own ? NULL : "header_not_allowed";
}

bool aard__network_header_is_secret(const char *name, size_t len)
{
    static const char *const secret[] = {"Authorization", "Cookie", "Cookie2", "Host"};
    return IS_ONE_OF(name, len, secret);
}
