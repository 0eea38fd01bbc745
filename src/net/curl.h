/* libcurl, loaded when the first request needs it: it brings some twenty libraries along, which a process that makes no
 * request is not to pay for. */
#ifndef AARD_NET_CURL_H
#define AARD_NET_CURL_H

#include <curl/curl.h>
#include <stdbool.h>

#define AARD__CURL_FUNCTIONS(X)                                                                                        \
    X(easy_init)                                                                                                       \
    X(easy_setopt)                                                                                                     \
    X(easy_getinfo)                                                                                                    \
    X(easy_cleanup)                                                                                                    \
    X(easy_pause)                                                                                                      \
    X(easy_strerror)                                                                                                   \
    X(global_init)                                                                                                     \
    X(multi_init)                                                                                                      \
    X(multi_setopt)                                                                                                    \
    X(multi_add_handle)                                                                                                \
    X(multi_remove_handle)                                                                                             \
    X(multi_perform)                                                                                                   \
    X(multi_poll)                                                                                                      \
    X(multi_info_read)                                                                                                 \
    X(multi_cleanup)                                                                                                   \
    X(slist_append)                                                                                                    \
    X(slist_free_all)                                                                                                  \
    X(version_info)

typedef struct aard__curl {
#define AARD__CURL_MEMBER(name) __typeof__(&curl_##name) name;
    AARD__CURL_FUNCTIONS(AARD__CURL_MEMBER)
#undef AARD__CURL_MEMBER
} aard__curl;

/* Whether it uses OpenSSL, which can be told to compare names; then, of the SSL_CTX of a connection that is to be made, lets it
 * compare the certificate's names with a host's name or address.  False when memory is out. */
bool aard__curl_has_openssl(void);
bool aard__curl_check_names(void *ssl_ctx, const char *host, bool address);

/* Static storage; NULL where the library is not there or too old, and `*why` (static storage too) says what to do. */
const aard__curl *aard__curl_load(const char **why);

#endif
