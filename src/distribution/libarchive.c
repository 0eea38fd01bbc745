#include "distribution/libarchive.h"

#include <pthread.h>

#include "base/error.h"
#include "base/library.h"
#include "base/process.h"

static aard__libarchive loaded;
static char failure[300];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void load(void)
{
    static const aard__library_function functions[] = {
#define FUNCTION(name) {"archive_" #name, &loaded.name},
        AARD__ARCHIVE_FUNCTIONS(FUNCTION)
#undef FUNCTION
    };
    static const aard__library library = {"libarchive", "libarchive.so.13", "libarchive13",
                                          "3.6",        functions,          sizeof functions / sizeof *functions};
    aard__library_load(&library, failure, sizeof failure);
}

aard_error *aard__libarchive_load(const aard__libarchive **out)
{
    pthread_once(&once, load);
    if (failure[0]) return aard__error(AARD_ERR_UNSUPPORTED, "%s", failure);
    *out = &loaded;
    return NULL;
}

AARD__PROCESS_KEEPS(libarchive, "libarchive, once it is loaded", "loaded failure once");
