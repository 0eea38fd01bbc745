/* The macros of libcurl's header that check the options' types call functions that are not linked here. */
#define CURL_DISABLE_TYPECHECK
#include "net/curl.h"

#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/library.h"
#include "base/process.h"

#undef curl_easy_setopt
#undef curl_easy_getinfo
#undef curl_multi_setopt

static aard__curl curl;
static char failure[300];
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* ---- OpenSSL, which libcurl has loaded ----------------------------------------------------------------------- */

#define NEVER_CHECK_SUBJECT 0x20 /* X509_CHECK_FLAG_..., whose values are for good */
#define NO_PARTIAL_WILDCARDS 0x4

static struct {
    void *(*param)(void *ssl_ctx);
    void (*set_flags)(void *param, unsigned flags);
    int (*set_host)(void *param, const char *name, size_t len);
    int (*set_address)(void *param, const char *text);
} openssl;
static bool has_openssl;

static void load_openssl(void)
{
    static const aard__library_function functions[] = {{"SSL_CTX_get0_param", &openssl.param},
                                                       {"X509_VERIFY_PARAM_set_hostflags", &openssl.set_flags},
                                                       {"X509_VERIFY_PARAM_set1_host", &openssl.set_host},
                                                       {"X509_VERIFY_PARAM_set1_ip_asc", &openssl.set_address}};
    static const aard__library library = {"OpenSSL", "libssl.so.3", "libssl3",
                                          "3.0",     functions,     sizeof functions / sizeof *functions};
    char why[300];
    const curl_version_info_data *version = curl.version_info(CURLVERSION_NOW);
    if (version->ssl_version && !strncmp(version->ssl_version, "OpenSSL/3", 9))
        has_openssl = aard__library_load(&library, why, sizeof why);
}

bool aard__curl_has_openssl(void) { return has_openssl; }

bool aard__curl_check_names(void *ssl_ctx, const char *host, bool address)
{
    void *param = openssl.param(ssl_ctx);
    size_t len = strlen(host);
    if (len && host[len - 1] == '.') len--; /* of the root, which no certificate names */
    if (!param) return false;
    openssl.set_flags(param, NEVER_CHECK_SUBJECT | NO_PARTIAL_WILDCARDS);
    return address ? openssl.set_address(param, host) == 1 : openssl.set_host(param, host, len) == 1;
}

/* ---- libcurl -------------------------------------------------------------------------------------------------- */

static void load(void)
{
    static const aard__library_function functions[] = {
#define FUNCTION(name) {"curl_" #name, &curl.name},
        AARD__CURL_FUNCTIONS(FUNCTION)
#undef FUNCTION
    };
    static const aard__library library = {"libcurl", "libcurl.so.4", "libcurl4",
                                          "7.85",    functions,      sizeof functions / sizeof *functions};
    if (!aard__library_load(&library, failure, sizeof failure)) return;
    CURLcode code = curl.global_init(CURL_GLOBAL_DEFAULT);
    load_openssl();
    if (code) snprintf(failure, sizeof failure, "libcurl does not start: %s", curl.easy_strerror(code));
}

const aard__curl *aard__curl_load(const char **why)
{
    pthread_once(&once, load);
    *why = failure;
    return failure[0] ? NULL : &curl;
}

AARD__PROCESS_KEEPS(curl, "libcurl and OpenSSL, once they are loaded; OpenSSL reseeds itself after a fork",
                    "curl failure has_openssl once openssl");
