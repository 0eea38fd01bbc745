/* Setting the hooks of the process, before anything else. */
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/hooks.h"
#include "base/trace.h"

/* NULL, or what is wrong. */
static const char *check(const aard_hooks *hooks)
{
    if (hooks->struct_size < sizeof(size_t) || hooks->struct_size > sizeof *hooks)
        return "struct_size is not that of this version's aard_hooks; set it to sizeof(aard_hooks)";
    aard_hooks known = {0};
    memcpy(&known, hooks, hooks->struct_size);
    if (!known.allocate != !known.release || !known.allocate != !known.reallocate)
        return "allocate, reallocate and release go together; set all of them or none";
    if (known.log_level < AARD_LOG_NONE || known.log_level > AARD_LOG_DEBUG)
        return "log_level is not one of aard_log_level";
    return NULL;
}

aard_error *aard_hooks_set(const aard_hooks *hooks)
{
    if (aard__alloc_used())
        return aard__error(AARD_ERR_BUSY, "the hooks can't be set any more: the library has allocated memory; set them "
                                          "before any other call");
    const char *wrong = hooks ? check(hooks) : NULL;
    if (wrong) return aard__error_argument(__func__, wrong);
    memset(&aard__hooks, 0, sizeof aard__hooks);
    if (hooks) memcpy(&aard__hooks, hooks, hooks->struct_size);
    if (!aard__hooks.log_level) aard__hooks.log_level = AARD_LOG_WARNING;
    aard__trace_callback = aard__hooks.trace;
    return NULL;
}
