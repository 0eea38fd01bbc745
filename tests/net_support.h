/* Servers for the tests of the network: HTTP and HTTPS on loopback, names that resolve to whatever a test wants, and
 * addresses of the public Internet that lead here. */
#ifndef AARD_TESTS_NET_SUPPORT_H
#define AARD_TESTS_NET_SUPPORT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <aardvark.h>

/* What is asked for by path:
 *   /hello                 "hello"
 *   /echo                  the request as JSON: {"method", "target", "headers": {lower case: value}, "body"}
 *   /status/N              status N with the body "status"
 *   /to?code=N&url=U       a redirect; U is percent-decoded
 *   /bytes?n=N             N times "x"
 *   /chunks?n=N            the same, without a length
 *   /header?n=N, /line?n=N headers of N bytes, in many lines and in one
 *   /hints, /trailers      interim answers, trailers of a chunked body, without end
 *   /gzip, /bomb           "hello", 64 MiB of zeros, gzipped
 *   /with?n=N&h=L          the gzipped "hello" with the header lines L, percent-decoded; with n=2, gzipped twice
 *   /wait?ms=N             "waited" after so long
 *   /meet?n=N              "met" when N such requests have come since the last forgetting, "alone" after 30 s
 *   /drip                  a byte every 10 ms, without end
 *   /close, /garbage       no answer at all, an answer that is no HTTP
 *   /cookies               "Set-Cookie: a=b", and the request's Cookie as the body
 *   /raw?r=R               R, percent-decoded, is all that is sent
 *   /loop                  a redirect to itself
 *   /secret                "THROUGH": what no escape may come to see */
typedef struct server {
    int port;
    atomic_int connections, requests, secrets, meeting;
} server;

/* Both servers, the names and the addresses; once a process.  `ca_file` is a file's name. */
void net_start(void);
void net_stop(void);
extern server net_http, net_https;
const char *net_ca_file(void);

/* `text` with the servers in it: $H and $S are their origins under the name public.test, plain and with TLS, $P and $T their
 * ports.  It stays until the next call. */
const char *net_text(const char *text);

/* For guests that may reach public.test and a.test, by HTTP too. */
aard_isolate_config *net_config(aard_language language);

/* The certificate of the names nameless.test and mail.test has them as its common name alone; of the second it has an address
 * of mail besides. */

/* Names, until net_forget_names: `answers` are addresses separated by commas, "" for none; answers of more than one lookup
 * are separated by '|', the last one stays.  The names public.test, a.test, b.test and *.public.test are the address
 * PUBLIC; what is unknown has no address. */
#define PUBLIC "93.184.215.14"
void net_name(const char *name, const char *answers);
void net_forget_names(void);
int net_lookups(void); /* since the last forgetting */

/* Whether lookups from now on wait for net_release_lookups(), which answers all that wait, and holds no more. */
void net_hold_lookups(bool hold);
void net_release_lookups(void);

/* Whether the calling thread is one of the servers'. */
bool net_is_server(void);

/* Waits until no connection is open. */
void net_wait_for_quiet(void);

/* Connections to private addresses that were about to be made; they are not made. */
int net_private_connections(void);

#endif
