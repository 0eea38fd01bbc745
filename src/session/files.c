/* The methods for the guest's files. */
#include <aardvark/files.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "session/session_impl.h"

/* The path, and an isolate to ask for it; NULL where the request is invalid or `*error` says why. */
static char *begin(aard__session_request *request, aard__json value, aard_error **error)
{
    char *path = aard__session_text(request, "path", value);
    *error = path ? aard__session_need_isolate(request->session) : NULL;
    if (!*error) return path;
    aard__free(path);
    return NULL;
}

static aard_error *write_file(aard__session_request *request, const aard__json *values, aard__buf *result)
{
    aard__buf data = AARD__BUF_INIT;
    aard_error *error;
    char *path = begin(request, values[0], &error);
    if (!path) return error;
    if (aard__session_bytes(request, "data", values[1], &data))
        error = aard_isolate_write_file(request->session->isolate, path, data.data, data.len);
    aard__buf_free(&data);
    aard__free(path);
    return error || request->invalid.len ? error : aard__session_done(request, NULL, result);
}

static aard_error *read_file(aard__session_request *request, const aard__json *values, aard__buf *result)
{
    aard__buf value = AARD__BUF_INIT;
    aard_error *error;
    uint64_t most = 0;
    char *data, *path = begin(request, values[0], &error);
    size_t len;
    if (!path) return error;
    if (values[1].len && (!aard__json_count(values[1], &most) || !most))
        aard__session_invalid(request, "the param 'max_bytes' is not a whole number above 0");
    else if (!(error = aard_isolate_read_file(request->session->isolate, path, most, &data, &len))) {
        aard__buf_puts(&value, "{\"path\":");
        aard__buf_json_string(&value, path, strlen(path));
        aard__buf_printf(&value, ",\"size\":%zu,\"data\":", len);
        aard__session_put_base64(&value, data, len);
        aard__buf_putc(&value, '}');
        aard_string_free(data);
        error = aard__session_done(request, &value, result);
    }
    aard__free(path);
    return error;
}

static void put_list(const aard_file_list *list, aard__buf *out)
{
    static const char *const kinds[] = {"file", "directory", "link"};
    aard__buf_putc(out, '[');
    for (size_t i = 0; i < aard_file_list_count(list); i++) {
        char changed[32];
        const char *path = aard_file_list_path(list, i);
        aard__clock_rfc3339(aard_file_list_changed_ns(list, i), changed);
        aard__buf_puts(out, i ? ",{\"path\":" : "{\"path\":");
        aard__buf_json_string(out, path, strlen(path));
        aard__buf_printf(out, ",\"kind\":\"%s\",\"size\":%llu,\"changed\":\"%s\"}", kinds[aard_file_list_kind(list, i)],
                         (unsigned long long)aard_file_list_size(list, i), changed);
    }
    aard__buf_putc(out, ']');
}

static aard_error *list_files(aard__session_request *request, const aard__json *values, aard__buf *result)
{
    static const aard__json session = {"\"/session\"", sizeof "\"/session\"" - 1};
    aard__buf value = AARD__BUF_INIT;
    aard_file_list *list = NULL;
    aard_error *error;
    char *path = begin(request, values[0].len ? values[0] : session, &error);
    if (!path) return error;
    error = aard_isolate_list_files(request->session->isolate, path, &list);
    aard__free(path);
    if (error) return error;
    put_list(list, &value);
    aard_file_list_free(list);
    return aard__session_done(request, &value, result);
}

static aard_error *remove_file(aard__session_request *request, const aard__json *values, aard__buf *result)
{
    aard_error *error;
    char *path = begin(request, values[0], &error);
    if (!path) return error;
    error = aard_isolate_remove_file(request->session->isolate, path);
    aard__free(path);
    return error ? error : aard__session_done(request, NULL, result);
}

const aard__session_method aard__session_files[4] = {
    {"files.write", write_file, {{"path", AARD__JSON_STRING, true}, {"data", AARD__JSON_STRING, true}}},
    {"files.read", read_file, {{"path", AARD__JSON_STRING, true}, {"max_bytes", AARD__JSON_NUMBER, false}}},
    {"files.list", list_files, {{"path", AARD__JSON_STRING, false}}},
    {"files.remove", remove_file, {{"path", AARD__JSON_STRING, true}}},
};
