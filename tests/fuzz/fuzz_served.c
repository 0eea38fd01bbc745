/* What a hostile child asks of its host, one call: the first byte says whether of files, of the network, which is closed, or of a callback.  The
 * directory is an empty one that is made anew for each input. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "process/callbacks.h"
#include "process/files.h"
#include "process/network.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must_be_an_answer(const aard__buf *reply, bool of_files)
{
    aard__unpacker in = aard__unpacker_of(reply->data, reply->len);
    static aard__net_result result;
    aard__file_reply answer;
    if (of_files)
        aard__file_reply_unpack(&in, &answer);
    else
        aard__net_result_unpack(&in, &result);
    if (reply->failed || !aard__unpacker_done(&in)) abort();
}

static void serve_files(const aard__frame *call)
{
    char dir[] = "/tmp/aardvark-fuzz-XXXXXX", command[64];
    aard__mounts mounts = {0};
    aard__mount *mount;
    aard__ledger ledger = AARD__LEDGER_INIT;
    aard__buf reply = AARD__BUF_INIT;
    if (!mkdtemp(dir) || aard__mount_new(dir, "/data", AARD_FILESYSTEM_READ_WRITE, &mount) ||
        aard__mounts_add(&mounts, mount))
        abort();
    aard__file_server server = {
        .mounts = &mounts, .rules = aard__file_rules_of(AARD_FILESYSTEM_READ_WRITE, 1000, 10, 10), .ledger = &ledger};
    if (aard__file_serve(&server, call, &reply)) must_be_an_answer(&reply, true);
    aard__file_server_end(&server);
    aard__mounts_free(&mounts);
    aard__ledger_free(&ledger);
    aard__buf_free(&reply);
    if (rmdir(dir)) {
        snprintf(command, sizeof command, "rm -rf %s", dir);
        if (system(command)) abort();
    }
}

static void serve_network(const aard__frame *call)
{
    const aard__network_policy policy = {.closed = true, .limits = aard__network_defaults};
    aard__ledger ledger = AARD__LEDGER_INIT;
    aard__net_server server = {.policy = &policy, .ledger = &ledger};
    aard__buf reply = AARD__BUF_INIT;
    if (aard__net_serve(&server, call, &reply)) must_be_an_answer(&reply, false);
    for (size_t i = 0; i < ledger.attempt_count; i++)
        if (ledger.attempts[i].allowed) abort();
    aard__net_server_end(&server);
    aard__ledger_free(&ledger);
    aard__buf_free(&reply);
}

static void answer(const aard_call_context *context, void *user, aard_invocation *invocation)
{
    size_t len;
    const char *arguments = aard_invocation_arguments(invocation, &len);
    (void)context, (void)user;
    if (!aard_invocation_reply(invocation, arguments, len)) abort();
    aard_invocation_free(invocation);
}

static void serve_callbacks(const aard__frame *call)
{
    aard_isolate_config *config;
    aard__ledger ledger = AARD__LEDGER_INIT;
    aard__buf reply = AARD__BUF_INIT;
    if (aard_isolate_config_new(&config) ||
        aard_isolate_config_add_callback(config, "f", NULL, "{\"required\":[\"a\"]}", answer, NULL, NULL))
        abort();
    aard__callback_server server = {.config = config, .ledger = &ledger, .wake = -1};
    if (aard__callback_serve(&server, call, &reply)) aard__callback_wait_over(&server, true, &reply);
    aard__callback_server_end(&server, NULL);
    aard__ledger_free(&ledger);
    aard__buf_free(&reply);
    aard_isolate_config_free(config);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (!len) return 0;
    const aard__frame call = {.body = (const char *)data + 1, .len = len - 1};
    if (*data & 2)
        serve_callbacks(&call);
    else if (*data & 1)
        serve_files(&call);
    else
        serve_network(&call);
    return 0;
}
