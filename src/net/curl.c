/* The macros of libcurl's header that check the options' types call functions that are not linked here. */
#define CURL_DISABLE_TYPECHECK
#include "net/curl.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>

#undef curl_easy_setopt
#undef curl_easy_getinfo
#undef curl_multi_setopt

static aard__curl curl;
static char failure[300];
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* By its own name, which Debian 12 and 13 share though their packages differ. */
static void load(void)
{
    void *library = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        snprintf(failure, sizeof failure, "libcurl can't be loaded (%s); install libcurl4", dlerror());
        return;
    }
    const struct {
        const char *name;
        void *at;
    } functions[] = {
#define FUNCTION(name) {"curl_" #name, &curl.name},
        AARD__CURL_FUNCTIONS(FUNCTION)
#undef FUNCTION
    };
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        void *found = dlsym(library, functions[i].name);
        if (!found) {
            snprintf(failure, sizeof failure, "libcurl has no %s; install libcurl4 7.85 or later", functions[i].name);
            return;
        }
        *(void **)functions[i].at = found;
    }
    CURLcode code = curl.global_init(CURL_GLOBAL_DEFAULT);
    if (code) snprintf(failure, sizeof failure, "libcurl does not start: %s", curl.easy_strerror(code));
}

const aard__curl *aard__curl_load(const char **why)
{
    pthread_once(&once, load);
    *why = failure;
    return failure[0] ? NULL : &curl;
}
