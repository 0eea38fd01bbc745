/* An executor: where the guest of an isolate runs.  The isolate knows no more of it than this. */
#ifndef AARD_ISOLATE_EXECUTOR_H
#define AARD_ISOLATE_EXECUTOR_H

#include "process/harden/report.h"
#include "worker/request.h"

typedef struct aard__executor aard__executor;

typedef struct aard__executor_ops {
    /* Answers one request, on this thread; there is one at a time.  What ends it early is the cancel handle of its call, by
     * any thread. */
    aard_error *(*request)(aard__executor *executor, const aard__request *request, aard__response *response);
    /* Of the guest's process; NULL = it is the host's. */
    const aard__hardening_report *(*hardening)(const aard__executor *executor);
    /* Hardens the host's process, which the guest is in; NULL = it is not. */
    void (*harden)(aard__executor *executor, aard__hardening_report *out);
    void (*close)(aard__executor *executor); /* frees it */
} aard__executor_ops;

struct aard__executor {
    const aard__executor_ops *ops;
};

/* In the calling thread.  `config` is borrowed for as long as the executor lives.  Errors: as aard_isolate_new. */
aard_error *aard__executor_in_thread(aard_isolate_config *config, uint64_t id, aard__executor **out);

/* In a process of its own, the same. */
aard_error *aard__executor_in_process(aard_isolate_config *config, uint64_t id, aard__executor **out);

#endif
