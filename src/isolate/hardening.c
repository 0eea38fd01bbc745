/* What of hardening a guest has. */
#include <aardvark/hardening.h>

#include "base/error.h"
#include "isolate/isolate_impl.h"

aard_error *aard__hardening_possible(const aard_isolate_config *config)
{
    if (!config->settings.required_hardening || config->settings.isolation == AARD_ISOLATION_PROCESS) return NULL;
    return aard__error(
        AARD_ERR_HARDENING,
        "the configuration requires hardening, which a guest in a thread of the host does not have: choose "
        "isolation 'process', or require none");
}

static const aard__hardening_report *report_of(const aard_isolate *isolate)
{
    if (!isolate) return NULL;
    const aard__executor *executor = isolate->executor;
    return executor->ops->hardening ? executor->ops->hardening(executor) : &isolate->hardening;
}

uint32_t aard_isolate_hardening(const aard_isolate *isolate)
{
    const aard__hardening_report *report = report_of(isolate);
    return report ? report->measures : 0;
}

int aard_isolate_hardening_errno(const aard_isolate *isolate, uint32_t measure)
{
    const aard__hardening_report *report = report_of(isolate);
    return report ? aard__hardening_reason(report, measure) : 0;
}

aard_error *aard_isolate_harden_process(aard_isolate *isolate)
{
    AARD__NEED(isolate);
    const aard__executor_ops *ops = isolate->executor->ops;
    if (!ops->harden)
        return aard__error(AARD_ERR_UNSUPPORTED,
                           "the isolate's guest is not in this process, but in one of its own, which is hardened");
    AARD__TRY(aard__isolate_claim(isolate));
    ops->harden(isolate->executor, &isolate->hardening);
    aard__isolate_unclaim(isolate);
    return NULL;
}
