/* The executor that has the guest run in a process of its own. */
#include "base/alloc.h"
#include "base/error.h"
#include "isolate/executor.h"
#include "process/client.h"

typedef struct in_process {
    aard__executor base;
    aard__client *client;
} in_process;

static aard_error *make_request(aard__executor *executor, const aard__request *request, aard__response *response)
{
    return aard__client_request(((in_process *)executor)->client, request, response);
}

static void close_executor(aard__executor *executor)
{
    aard__client_free(((in_process *)executor)->client);
    aard__free(executor);
}

static const aard__hardening_report *hardening(const aard__executor *executor)
{
    return aard__client_hardening(((const in_process *)executor)->client);
}

static const aard__executor_ops ops = {make_request, hardening, NULL, close_executor};

aard_error *aard__executor_in_process(aard_isolate_config *config, uint64_t id, aard__executor **out)
{
    in_process *made = aard__calloc(1, sizeof *made);
    if (!made) return aard__error_no_memory();
    made->base.ops = &ops;
    aard_error *error = aard__client_new(config, id, &made->client);
    if (error)
        aard__free(made);
    else
        *out = &made->base;
    return error;
}
