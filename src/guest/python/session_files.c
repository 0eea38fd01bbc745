/* The host's way to a Python guest's files: what src/embedded/python/session_files.js does, and says of it. */
#include "guest/session_files.h"

#include <string.h>

#include "guest/guest.h"
#include "guest/python/python.h"

enum { LIST_MOST = 64 << 20 }; /* bytes of a list: 10 000 entries have fewer */

static aard_error *refuse(int result, const aard__file_request *request)
{
    static const struct {
        aard_error_code code;
        const char *why;
    } results[] = {
        {AARD_ERR_NOT_FOUND, "there is no such file"},
        {AARD_ERR_INVALID_ARGUMENT, "it leads through a link, which the host does not follow"},
        {AARD_ERR_INVALID_ARGUMENT, "it is a directory"},
        {AARD_ERR_INVALID_ARGUMENT, "it, or what should be a directory on the way to it, is a file"},
        {AARD_ERR_QUOTA, "the guest's quota of bytes has no room for it; remove something, or raise the quota"},
        {AARD_ERR_QUOTA, "the guest's files and directories are as many as may be; remove some, or raise the limit"},
        {AARD_ERR_INVALID_ARGUMENT, "it is larger than the most that may be read"},
    };
    if (result < 1 || (size_t)result > sizeof results / sizeof *results)
        return aard__error(AARD_ERR_ENGINE, "the guest's files do not answer: the guest has tampered with them");
    return aard__error(results[result - 1].code, "the guest's file '%.200s': %s", request->path,
                       results[result - 1].why);
}

static aard_error *take_result(aard__guest *guest, const aard__file_request *request, aard__buf *out)
{
    const aard__result *entry = &guest->entry;
    if (entry->status != AARD__OK)
        return aard__error(AARD_ERR_ENGINE, "the guest's file '%.200s': %.*s", request->path,
                           (int)entry->thrown_text.len, entry->thrown_text.data ? entry->thrown_text.data : "");
    double result = entry->value.kind == AARD__NUMBER ? entry->value.number : -1;
    if (result != 0) return refuse(result > 0 && result < 100 ? (int)result : -1, request);
    if (guest->call.result.failed) return aard__error_no_memory();
    if (guest->call.result_limit && guest->call.result_bytes > guest->call.result_limit) return refuse(-1, request);
    *out = guest->call.result;
    guest->call.result = AARD__BUF_INIT;
    return NULL;
}

aard_error *aard__python_files(aard__guest *guest, const aard__file_request *request, aard__buf *out)
{
    aard__ref *function;
    aard__value args[] = {AARD__VALUE_NUMBER(request->verb), AARD__VALUE_STRING(request->path, strlen(request->path)),
                          AARD__VALUE_NUMBER((double)request->most)};
    if (request->verb == AARD__FILE_VERB_WRITE) args[2] = AARD__VALUE_BYTES(request->data, request->len);
    aard__buf_clear(&guest->call.result);
    guest->call.result_bytes = 0;
    guest->call.result_limit = request->verb == AARD__FILE_VERB_READ ? (size_t)request->most : (size_t)LIST_MOST;
    AARD__TRY(aard__guest_get(guest, guest->shared, "serveFiles", &function));
    aard__ref_call(guest->realm, function, args, 3, false, &guest->entry);
    aard__ref_free(function);
    return take_result(guest, request, out);
}
