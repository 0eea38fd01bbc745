/* What callbacks can ask of their context. */
#include "settings/context.h"

#include "base/clock.h"

void *aard_call_context_user(const aard_call_context *context)
{
    return context && context->call ? context->call->user : NULL;
}

void *aard_call_context_isolate_user(const aard_call_context *context)
{
    return context && context->config && context->config->hooks.user ? context->config->hooks.user->pointer : NULL;
}

uint64_t aard_call_context_isolate_id(const aard_call_context *context) { return context ? context->isolate_id : 0; }

bool aard_call_context_deadline_ms(const aard_call_context *context, uint64_t *ms_left)
{
    if (!context || !context->deadline || context->deadline == AARD__NEVER) return false;
    uint64_t now = aard__clock_monotonic();
    if (ms_left) *ms_left = now < context->deadline ? (context->deadline - now) / 1000000 : 0;
    return true;
}

aard_cancel_handle *aard_call_context_cancel_handle(const aard_call_context *context)
{
    return context && context->call ? context->call->cancel : NULL;
}
