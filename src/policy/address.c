/* By IANA's registries of special-purpose addresses, and what operators of clouds put at addresses of their own. */
#include "policy/address.h"

#include <netinet/in.h>
#include <stddef.h>
#include <string.h>

typedef struct range {
    uint8_t prefix[16];
    unsigned bits;
    const char *what;
} range;

#define V4(a, b, c, d)                                                                                                 \
    {                                                                                                                  \
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d                                                           \
    }

static const uint8_t v4_mapped[16] = V4(0, 0, 0, 0);

static const range v4_ranges[] = {
    {V4(0, 0, 0, 0), 96 + 8, "unspecified"},
    {V4(10, 0, 0, 0), 96 + 8, "private"},
    {V4(100, 64, 0, 0), 96 + 10, "shared (carrier-grade NAT)"},
    {V4(127, 0, 0, 0), 96 + 8, "loopback"},
    {V4(168, 63, 129, 16), 96 + 32, "a cloud's metadata service"},
    {V4(169, 254, 0, 0), 96 + 16, "link-local"},
    {V4(172, 16, 0, 0), 96 + 12, "private"},
    {V4(192, 0, 0, 0), 96 + 24, "reserved"},
    {V4(192, 0, 2, 0), 96 + 24, "reserved for documentation"},
    {V4(192, 31, 196, 0), 96 + 24, "reserved"},
    {V4(192, 52, 193, 0), 96 + 24, "reserved"},
    {V4(192, 88, 99, 0), 96 + 24, "reserved"},
    {V4(192, 168, 0, 0), 96 + 16, "private"},
    {V4(192, 175, 48, 0), 96 + 24, "reserved"},
    {V4(198, 18, 0, 0), 96 + 15, "reserved for benchmarks"},
    {V4(198, 51, 100, 0), 96 + 24, "reserved for documentation"},
    {V4(203, 0, 113, 0), 96 + 24, "reserved for documentation"},
    {V4(224, 0, 0, 0), 96 + 4, "multicast"},
    {V4(240, 0, 0, 0), 96 + 4, "reserved"},
};

static const range v6_ranges[] = {
    {{0}, 128, "unspecified"},
    {{[15] = 1}, 128, "loopback"},
    {{0xfc}, 7, "private"},
    {{0xfe, 0x80}, 10, "link-local"},
    {{0xfe, 0xc0}, 10, "site-local"},
    {{0xff}, 8, "multicast"},
    {{0x20, 0x01}, 23, "reserved"}, /* Teredo, benchmarks, ORCHID */
    {{0x20, 0x01, 0x0d, 0xb8}, 32, "reserved for documentation"},
    {{0x20, 0x02}, 16, "6to4"},
    {{0x26, 0x20, 0x00, 0x4f, 0x80}, 48, "reserved"},
    {{0x3f, 0xfe}, 16, "reserved"},
    {{0x3f, 0xff}, 20, "reserved for documentation"},
};

static const range nat64 = {{0x00, 0x64, 0xff, 0x9b}, 96, "NAT64"};
static const range global_unicast = {{0x20}, 3, ""};

static bool in(const range *which, const uint8_t *bytes)
{
    unsigned whole = which->bits / 8, rest = which->bits % 8;
    if (memcmp(which->prefix, bytes, whole)) return false;
    return !rest || !((which->prefix[whole] ^ bytes[whole]) >> (8 - rest));
}

static const char *find(const range *ranges, size_t count, const uint8_t *bytes)
{
    for (size_t i = 0; i < count; i++)
        if (in(&ranges[i], bytes)) return ranges[i].what;
    return NULL;
}

bool aard__address_of(const struct sockaddr *socket_address, aard__address *out)
{
    if (socket_address->sa_family == AF_INET) {
        memcpy(out->bytes, v4_mapped, 12);
        memcpy(out->bytes + 12, &((const struct sockaddr_in *)(const void *)socket_address)->sin_addr, 4);
        return true;
    }
    if (socket_address->sa_family != AF_INET6) return false;
    memcpy(out->bytes, &((const struct sockaddr_in6 *)(const void *)socket_address)->sin6_addr, 16);
    return true;
}

const char *aard__address_special(const aard__address *address)
{
    aard__address plain = *address;
    if (in(&nat64, plain.bytes)) memcpy(plain.bytes, v4_mapped, 12);
    if (!memcmp(plain.bytes, v4_mapped, 12)) return find(v4_ranges, sizeof v4_ranges / sizeof *v4_ranges, plain.bytes);
    const char *what = find(v6_ranges, sizeof v6_ranges / sizeof *v6_ranges, plain.bytes);
    return what || in(&global_unicast, plain.bytes) ? what : "reserved";
}
