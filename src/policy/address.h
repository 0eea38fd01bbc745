/* Which addresses of the Internet Protocol are on the public Internet. */
#ifndef AARD_POLICY_ADDRESS_H
#define AARD_POLICY_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

/* An address of either kind; IPv4 is written as IPv6 maps it (::ffff:a.b.c.d). */
typedef struct aard__address {
    uint8_t bytes[16];
} aard__address;

/* False for a family that is neither IPv4 nor IPv6. */
bool aard__address_of(const struct sockaddr *socket_address, aard__address *out);

/* NULL for an address of the public Internet; else a word for what it is: "loopback", "private", "link-local", …
 * What is not known to be public is not.  Addresses that stand for an IPv4 address are taken as that one. */
const char *aard__address_special(const aard__address *address);

#endif
