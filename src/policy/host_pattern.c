#include "policy/host_pattern.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"

#define HOST_MAX 253
#define LABEL_MAX 63

typedef struct host {
    char text[HOST_MAX + 1 > INET6_ADDRSTRLEN + 2 ? HOST_MAX + 1 : INET6_ADDRSTRLEN + 2];
    unsigned port; /* 0 = any */
} host;

static const char *read_port(const char *text, size_t len, unsigned *out)
{
    static const char form[] = "has a port that is not a number from 1 to 65535";
    unsigned port = 0;
    if (!len || len > 5) return form;
    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9') return form;
        port = port * 10 + (unsigned)(text[i] - '0');
    }
    if (!port || port > 65535) return form;
    *out = port;
    return NULL;
}

/* "[address]", and behind it nothing or ":port". */
static const char *read_ipv6(const char *text, size_t len, host *out)
{
    static const char form[] = "is not an IPv6 address in brackets, as in \"[2001:db8::1]:443\"";
    struct in6_addr address;
    char plain[INET6_ADDRSTRLEN];
    const char *close = memchr(text, ']', len);
    size_t plain_len = close ? (size_t)(close - text) - 1 : 0;
    if (!plain_len || plain_len >= sizeof plain) return form;
    memcpy(plain, text + 1, plain_len);
    plain[plain_len] = '\0';
    if (strlen(plain) != plain_len || inet_pton(AF_INET6, plain, &address) != 1) return form;
    if (!inet_ntop(AF_INET6, &address, plain, sizeof plain)) return form;
    snprintf(out->text, sizeof out->text, "[%s]", plain);
    size_t rest = len - plain_len - 2;
    if (!rest) return NULL;
    return close[1] == ':' ? read_port(close + 2, rest - 1, &out->port) : form;
}

static const char *check_label(const char *label, size_t len)
{
    if (!len) return "has an empty label; write the name without dots at its ends or in a row";
    if (len > LABEL_MAX) return "has a label longer than 63 characters";
    if (label[0] == '-' || label[len - 1] == '-') return "has a label that begins or ends with '-'";
    for (size_t i = 0; i < len; i++) {
        char c = label[i];
        bool fine = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
        if (fine) continue;
        if (c == '*') return "may have '*' only as its whole first label, as in \"*.example.org\"";
        if ((unsigned char)c >= 0x80) return "has a letter outside ASCII; write the name in its \"xn--\" form";
        return "has a character that host names do not have; give a host alone, as in \"example.org:443\"";
    }
    return NULL;
}

/* Labels of a name in lower case; one that ends in a number has to be an IPv4 address, as in URLs. */
static const char *check_name(const char *name, bool wildcard)
{
    struct in_addr address;
    const char *label = name;
    for (;;) {
        size_t len = strcspn(label, ".");
        const char *wrong = check_label(label, len);
        if (wrong) return wrong;
        if (!label[len]) break;
        label += len + 1;
    }
    if (strspn(label, "0123456789") != strlen(label)) return NULL;
    if (wildcard) return "can't put '*' before a number";
    return inet_pton(AF_INET, name, &address) == 1 ? NULL : "ends in a number and is not an IPv4 address";
}

static const char *read_name(const char *text, size_t len, host *out)
{
    const char *colon = memchr(text, ':', len);
    if (colon) {
        size_t name_len = (size_t)(colon - text);
        const char *wrong = read_port(colon + 1, len - name_len - 1, &out->port);
        if (wrong) return wrong;
        len = name_len;
    }
    if (len > HOST_MAX) return "is longer than 253 characters";
    for (size_t i = 0; i < len; i++) out->text[i] = text[i] >= 'A' && text[i] <= 'Z' ? (char)(text[i] | 0x20) : text[i];
    out->text[len] = '\0';
    bool wildcard = strncmp(out->text, "*.", 2) == 0;
    return check_name(out->text + (wildcard ? 2 : 0), wildcard);
}

const char *aard__host_pattern_read(const char *text, size_t len, char **out)
{
    aard__text_trim(&text, &len);
    if (!len) return "is empty; name a host or leave the entry out";
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)text[i] <= ' ') return "has white space or a control character in it";
    if (memmem(text, len, "://", 3)) return "has a scheme; give the host alone, as in \"example.org:443\"";
    if (memchr(text, '@', len)) return "has a user name; give the host alone, as in \"example.org:443\"";
    if (memchr(text, '/', len)) return "has a path; give the host alone, as in \"example.org:443\"";
    host found = {.port = 0};
    const char *wrong = text[0] == '[' ? read_ipv6(text, len, &found) : read_name(text, len, &found);
    if (wrong) return wrong;
    char *joined = aard__malloc(strlen(found.text) + sizeof ":65535");
    if (!joined) return NULL;
    if (found.port)
        sprintf(joined, "%s:%u", found.text, found.port);
    else
        strcpy(joined, found.text);
    *out = joined;
    return NULL;
}
