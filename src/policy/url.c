#include "policy/url.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/utf8.h"
#include "policy/domain.h"

static const char malformed[] = "malformed_url";

typedef struct text {
    const char *at, *end;
} text;

static size_t length(text t) { return (size_t)(t.end - t.at); }

static bool alpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
static bool digit(char c) { return c >= '0' && c <= '9'; }
static int hex(char c)
{
    if (digit(c)) return c - '0';
    return (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') ? (c | 0x20) - 'a' + 10 : -1;
}

/* ---- hosts ---------------------------------------------------------------------------------------------------- */

/* A number as inet_aton and the URL Standard take it: decimal, octal behind "0", hexadecimal behind "0x". */
static bool read_number(const char *at, size_t len, uint64_t *out)
{
    unsigned base = 10;
    *out = 0;
    if (len >= 2 && at[0] == '0' && (at[1] | 0x20) == 'x') {
        base = 16;
        at += 2;
        len -= 2;
    } else if (len >= 2 && at[0] == '0') {
        base = 8;
        at++;
        len--;
    }
    for (size_t i = 0; i < len; i++) {
        int value = hex(at[i]);
        if (value < 0 || value >= (int)base) return false;
        *out = *out * base + (unsigned)value;
        if (*out > UINT32_MAX) return false;
    }
    return true;
}

/* Whether everybody but DNS takes the name for an IPv4 address: its last label is a number. */
static bool ends_in_number(const char *name)
{
    const char *dot = strrchr(name, '.'), *last = dot ? dot + 1 : name;
    if (*last && strspn(last, "0123456789") == strlen(last)) return true;
    return last[0] == '0' && last[1] == 'x' && strspn(last + 2, "0123456789abcdef") == strlen(last + 2);
}

static bool read_ipv4(aard__url *url)
{
    uint64_t parts[4], address = 0;
    unsigned count = 0;
    for (const char *at = url->host;; at++) {
        size_t len = strcspn(at, ".");
        if (count == 4 || !len || !read_number(at, len, &parts[count])) return false;
        count++;
        at += len;
        if (!*at) break;
    }
    for (unsigned i = 0; i + 1 < count; i++) {
        if (parts[i] > 255) return false;
        address |= parts[i] << (24 - 8 * i);
    }
    if (parts[count - 1] >= UINT64_C(1) << (8 * (5 - count))) return false;
    address |= parts[count - 1];
    url->kind = AARD__HOST_IPV4;
    snprintf(url->host, sizeof url->host, "%u.%u.%u.%u", (unsigned)(address >> 24), (unsigned)(address >> 16 & 255),
             (unsigned)(address >> 8 & 255), (unsigned)(address & 255));
    return true;
}

static bool read_ipv6(text host, aard__url *url)
{
    struct in6_addr address;
    char plain[INET6_ADDRSTRLEN];
    size_t len = length(host);
    if (len >= sizeof plain || memchr(host.at, '\0', len)) return false;
    memcpy(plain, host.at, len);
    plain[len] = '\0';
    url->kind = AARD__HOST_IPV6;
    return inet_pton(AF_INET6, plain, &address) == 1 && inet_ntop(AF_INET6, &address, url->host, sizeof url->host);
}

static bool check_labels(const char *name)
{
    for (const char *label = name;; label++) {
        size_t len = strspn(label, "abcdefghijklmnopqrstuvwxyz0123456789-_");
        if (!len || len > 63) return false;
        label += len;
        if (!*label) return true;
        if (*label != '.') return false;
    }
}

static bool read_name(text host, aard__url *url)
{
    aard__buf ascii = AARD__BUF_INIT;
    if (aard__ascii(host.at, length(host)))
        for (const char *c = host.at; c < host.end; c++)
            aard__buf_putc(&ascii, *c >= 'A' && *c <= 'Z' ? (char)(*c | 0x20) : *c);
    else if (!aard__utf8_valid(host.at, length(host)) || !aard__domain_to_ascii(host.at, length(host), &ascii))
        ascii.len = 0;
    if (ascii.len && ascii.data[ascii.len - 1] == '.') ascii.len--;
    bool fits = !ascii.failed && ascii.len && ascii.len <= AARD__URL_HOST_MAX && !memchr(ascii.data, '\0', ascii.len);
    if (fits) {
        memcpy(url->host, ascii.data, ascii.len);
        url->host[ascii.len] = '\0';
    }
    aard__buf_free(&ascii);
    if (!fits) return false;
    url->kind = AARD__HOST_NAME;
    return ends_in_number(url->host) ? read_ipv4(url) : check_labels(url->host);
}

static uint16_t default_port(const aard__url *url) { return url->https ? 443 : 80; }

static bool read_port(text port, aard__url *url)
{
    unsigned long number = 0;
    url->port = default_port(url);
    if (!length(port)) return true;
    if (length(port) > 5) return false;
    for (const char *c = port.at; c < port.end; c++) {
        if (!digit(*c)) return false;
        number = number * 10 + (unsigned)(*c - '0');
    }
    url->port = (uint16_t)number;
    return number && number <= UINT16_MAX;
}

static const char *read_authority(text authority, aard__url *url)
{
    if (memchr(authority.at, '@', length(authority))) return "credentials_in_url";
    text host = authority, port = {authority.end, authority.end};
    if (length(authority) && *authority.at == '[') {
        const char *close = memchr(authority.at, ']', length(authority));
        if (!close || (close + 1 < authority.end && close[1] != ':')) return malformed;
        host = (text){authority.at + 1, close};
        if (close + 1 < authority.end) port.at = close + 2;
        return read_ipv6(host, url) && read_port(port, url) ? NULL : malformed;
    }
    const char *colon = memchr(authority.at, ':', length(authority));
    if (colon) {
        host.end = colon;
        port.at = colon + 1;
    }
    return read_name(host, url) && read_port(port, url) ? NULL : malformed;
}

/* ---- paths ---------------------------------------------------------------------------------------------------- */

/* How many dots `segment` is, written out or as "%2e"; 0 for what is none or more than two. */
static int dots(text segment)
{
    int count = 0;
    for (const char *c = segment.at; c < segment.end; count++) {
        if (*c == '.')
            c++;
        else if (segment.end - c >= 3 && c[0] == '%' && c[1] == '2' && (c[2] | 0x20) == 'e')
            c += 3;
        else
            return 0;
    }
    return count <= 2 ? count : 0;
}

static void put_encoded(text part, aard__buf *out)
{
    for (const char *c = part.at; c < part.end; c++) {
        unsigned char byte = (unsigned char)*c;
        if (byte <= ' ' || byte >= 0x7f || strchr("\"<>\\`{}", byte))
            aard__buf_printf(out, "%%%02X", byte);
        else
            aard__buf_putc(out, *c);
    }
}

/* `out` holds a path that begins at its start; takes the last segment and its slash away. */
static void drop_segment(aard__buf *out)
{
    while (out->len && out->data[out->len - 1] != '/') out->len--;
    if (out->len) out->len--;
}

/* Adds the segments of `path` to what is in `out` ("" or "/a/b"), without "." and "..". */
static void put_path(text path, aard__buf *out)
{
    for (text segment = path;; segment.at = segment.end + 1) {
        const char *slash = memchr(segment.at, '/', (size_t)(path.end - segment.at));
        segment.end = slash ? slash : path.end;
        int up = dots(segment);
        if (up == 2) drop_segment(out);
        if (!up) {
            aard__buf_putc(out, '/');
            put_encoded(segment, out);
        } else if (!slash) {
            aard__buf_putc(out, '/');
        }
        if (!slash) return;
    }
}

/* `rest` is what stands behind the authority, or a reference without one. */
static const char *read_target(text rest, const aard__url *base, aard__url *url)
{
    aard__buf out = AARD__BUF_INIT;
    const char *question = memchr(rest.at, '?', length(rest));
    text path = {rest.at, question ? question : rest.end};
    if (memchr(path.at, '\\', length(path))) return malformed;
    if (base && (path.at == path.end || *path.at != '/')) {
        size_t len = strcspn(base->target, "?");
        aard__buf_append(&out, base->target, path.at == path.end && !question ? strlen(base->target) : len);
        if (path.at < path.end) {
            drop_segment(&out);
            put_path(path, &out);
        }
    } else {
        if (path.at < path.end) path.at++;
        put_path(path, &out);
    }
    if (question) put_encoded((text){question, rest.end}, &out);
    url->target = aard__buf_take(&out, NULL);
    return url->target ? NULL : "";
}

/* ---- the whole ------------------------------------------------------------------------------------------------ */

/* Takes "scheme:" off `rest`; false where there is none. */
static bool take_scheme(text *rest, text *scheme)
{
    if (!length(*rest) || !alpha(*rest->at)) return false;
    const char *c = rest->at;
    while (c < rest->end && (alpha(*c) || digit(*c) || *c == '+' || *c == '-' || *c == '.')) c++;
    if (c == rest->end || *c != ':') return false;
    *scheme = (text){rest->at, c};
    rest->at = c + 1;
    return true;
}

static bool is(text t, const char *word) { return length(t) == strlen(word) && !strncasecmp(t.at, word, strlen(word)); }

static const char *parse(text rest, const aard__url *base, aard__url *url)
{
    text scheme;
    bool absolute = take_scheme(&rest, &scheme);
    if (!absolute && !base) return malformed;
    url->https = absolute ? is(scheme, "https") : base->https;
    if (absolute && !url->https && !is(scheme, "http")) return "scheme_not_allowed";
    bool authority = length(rest) >= 2 && rest.at[0] == '/' && rest.at[1] == '/';
    if (absolute && !authority) return malformed;
    if (!authority) {
        url->kind = base->kind;
        url->port = base->port;
        memcpy(url->host, base->host, sizeof url->host);
        return read_target(rest, base, url);
    }
    text name = {rest.at + 2, rest.at + 2};
    while (name.end < rest.end && !strchr("/?", *name.end)) name.end++;
    const char *wrong = read_authority(name, url);
    return wrong ? wrong : read_target((text){name.end, rest.end}, NULL, url);
}

const char *aard__url_parse(const char *data, size_t len, const aard__url *base, aard__url *out)
{
    aard__url url = AARD__URL_INIT;
    text all = {data, data + len};
    while (all.at < all.end && *all.at == ' ') all.at++;
    while (all.at < all.end && all.end[-1] == ' ') all.end--;
    if (!length(all) || length(all) > AARD__URL_MAX) return malformed;
    for (const char *c = all.at; c < all.end; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f) return malformed;
    const char *fragment = memchr(all.at, '#', length(all));
    if (fragment) all.end = fragment;
    const char *wrong = parse(all, base, &url);
    if (wrong)
        aard__url_free(&url);
    else
        *out = url;
    return wrong;
}

void aard__url_free(aard__url *url)
{
    aard__free(url->target);
    *url = AARD__URL_INIT;
}

bool aard__url_same_origin(const aard__url *a, const aard__url *b)
{
    return a->https == b->https && a->port == b->port && !strcmp(a->host, b->host);
}

void aard__url_put_origin(const aard__url *url, aard__buf *out)
{
    bool brackets = url->kind == AARD__HOST_IPV6;
    aard__buf_printf(out, "%s://%s%s%s", url->https ? "https" : "http", brackets ? "[" : "", url->host,
                     brackets ? "]" : "");
    if (url->port != default_port(url)) aard__buf_printf(out, ":%u", url->port);
}

void aard__url_put(const aard__url *url, aard__buf *out)
{
    aard__url_put_origin(url, out);
    aard__buf_puts(out, url->target);
}

void aard__url_put_redacted(const char *data, size_t len, aard__buf *out)
{
    const char *end = data + len, *fragment = len ? memchr(data, '#', len) : NULL;
    if (fragment) end = fragment;
    const char *authority = len ? memchr(data, ':', (size_t)(end - data)) : NULL;
    authority = authority ? authority + 1 : data;
    while (authority < end && (*authority == '/' || *authority == '\\')) authority++;
    const char *name = authority, *c = authority;
    for (; c < end && !strchr("/?\\", *c); c++)
        if (*c == '@') name = c + 1;
    aard__buf_append(out, data, (size_t)(authority - data));
    aard__buf_append(out, name, (size_t)(end - name));
}
