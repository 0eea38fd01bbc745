/* What of hardening a guest has. */
#include <aardvark/hardening.h>

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
    const aard__executor *executor = isolate ? isolate->executor : NULL;
    return executor && executor->ops->hardening ? executor->ops->hardening(executor) : NULL;
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
