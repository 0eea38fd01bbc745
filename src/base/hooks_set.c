/* Setting the hooks of the process, before anything else. */
#include "base/alloc.h"
#include "base/error.h"
#include "base/hooks.h"
#include "base/structure.h"
#include "base/trace.h"

/* NULL, or what is wrong. */
static const char *read(const aard_hooks *given, aard_hooks *out)
{
    const char *wrong = aard__structure_read(given, out, sizeof *out);
    if (wrong) return wrong;
    if (!out->allocate != !out->release || !out->allocate != !out->reallocate)
        return "allocate, reallocate and release go together; set all of them or none";
    if (out->log_level < AARD_LOG_NONE || out->log_level > AARD_LOG_DEBUG)
        return "log_level is not one of aard_log_level";
    if (!out->log_level) out->log_level = AARD_LOG_WARNING;
    return NULL;
}

aard_error *aard_hooks_set(const aard_hooks *hooks)
{
    if (aard__alloc_used())
        return aard__error(AARD_ERR_BUSY, "the hooks can't be set any more: the library has allocated memory; set them "
                                          "before any other call");
    aard_hooks known = {0};
    const char *wrong = hooks ? read(hooks, &known) : NULL;
    if (wrong) return aard__error_argument(__func__, wrong);
    aard__hooks = known;
    aard__trace_callback = known.trace;
    return NULL;
}
