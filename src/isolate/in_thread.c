/* The executor that runs the guest in the thread that asks. */
#include "isolate/in_thread.h"

#include "base/alloc.h"
#include "base/error.h"
#include "isolate/executor.h"
#include "process/harden/harden.h"

typedef struct in_thread {
    aard__executor base;
    aard__worker *worker;
} in_thread;

static aard_error *make_request(aard__executor *executor, const aard__request *request, aard__response *response)
{
    return aard__worker_request(((in_thread *)executor)->worker, request, response);
}

static void close_executor(aard__executor *executor)
{
    aard__worker_free(((in_thread *)executor)->worker);
    aard__free(executor);
}

static void harden(aard__executor *executor, aard__hardening_report *out)
{
    aard__harden_program(aard__worker_needs_outside(((in_thread *)executor)->worker), out);
}

static const aard__executor_ops ops = {make_request, NULL, harden, close_executor};

aard_error *aard__executor_in_thread(aard_isolate_config *config, uint64_t id, aard__executor **out)
{
    in_thread *made = aard__calloc(1, sizeof *made);
    if (!made) return aard__error_no_memory();
    made->base.ops = &ops;
    aard_error *error = aard__worker_new(config, id, &made->worker);
    if (error)
        aard__free(made);
    else
        *out = &made->base;
    return error;
}

aard__worker *aard__in_thread_worker(const aard__executor *executor)
{
    return executor->ops == &ops ? ((const in_thread *)executor)->worker : NULL;
}
