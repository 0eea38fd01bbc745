/* The macros of libcurl's header that check the options' types call functions that are not linked here. */
#define CURL_DISABLE_TYPECHECK
#include "net/curl.h"

#include <pthread.h>
#include <stddef.h>
#include <stdio.h>

#include "base/library.h"

#undef curl_easy_setopt
#undef curl_easy_getinfo
#undef curl_multi_setopt

static aard__curl curl;
static char failure[300];
static pthread_once_t once = PTHREAD_ONCE_INIT;

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
    if (code) snprintf(failure, sizeof failure, "libcurl does not start: %s", curl.easy_strerror(code));
}

const aard__curl *aard__curl_load(const char **why)
{
    pthread_once(&once, load);
    *why = failure;
    return failure[0] ? NULL : &curl;
}
