/* The methods that take a session's state and go on from one. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/alloc.h"
#include "base/file.h"
#include "session/session_impl.h"
#include "settings/config.h"

/* ---- a file on the way ------------------------------------------------------------------------------------------ */

/* A directory of this process's own, for one file. */
typedef struct passing {
    char directory[256], file[272];
} passing;

static aard_error *passing_begin(passing *p)
{
    const char *base = getenv("TMPDIR");
    if (!base || !*base || strlen(base) > 200) base = "/tmp";
    snprintf(p->directory, sizeof p->directory, "%s/aardvark-XXXXXX", base);
    if (!mkdtemp(p->directory))
        return aard__error_errno(AARD_ERR_IO, errno, "cannot make a directory for a state in '%s'", base);
    snprintf(p->file, sizeof p->file, "%s/state", p->directory);
    return NULL;
}

static aard_error *passing_end(const passing *p, aard_error *error)
{
    aard_error *removed = aard__dir_remove(p->directory);
    if (!error) return removed;
    aard_error_free(removed);
    return error;
}

/* ---- capture ---------------------------------------------------------------------------------------------------- */

static aard_error *put_file(const char *path, aard__buf *result)
{
    const void *data;
    size_t len;
    AARD__TRY(aard__file_map(path, &data, &len));
    aard__buf_printf(result, "{\"size\":%zu,\"skipped\":[],\"bytes\":", len);
    aard__session_put_base64(result, data, len);
    aard__buf_putc(result, '}');
    munmap((void *)(uintptr_t)data, len);
    return NULL;
}

static aard_error *send_state(const aard_warm_state *state, aard__buf *result)
{
    passing p;
    AARD__TRY(passing_begin(&p));
    aard_error *error = aard_warm_state_write(state, p.file);
    if (!error) error = put_file(p.file, result);
    return passing_end(&p, error);
}

static aard_error *write_state(const aard_warm_state *state, const char *path, aard__buf *result)
{
    const void *data;
    size_t len;
    AARD__TRY(aard_warm_state_write(state, path));
    AARD__TRY(aard__file_map(path, &data, &len));
    munmap((void *)(uintptr_t)data, len);
    aard__buf_printf(result, "{\"size\":%zu,\"skipped\":[],\"path\":", len);
    aard__buf_json_string(result, path, strlen(path));
    aard__buf_putc(result, '}');
    return NULL;
}

static aard_error *capture(aard__session_request *request, const aard__json *values, aard__buf *result)
{
    aard_warm_state *state;
    if (values[0].len && !aard__json_is(values[0], "image"))
        return aard__session_invalid(request, "the param 'form' has to be \"image\"");
    char *path = values[1].len ? aard__session_text(request, "to", values[1]) : NULL;
    if (request->invalid.len) return NULL;
    aard_error *error = aard__session_need_isolate(request->session);
    if (!error) error = aard_warm_state_capture(request->session->isolate, &state);
    if (!error) {
        error = path ? write_state(state, path, result) : send_state(state, result);
        aard_warm_state_free(state);
    }
    aard__free(path);
    return error;
}

/* ---- restore ---------------------------------------------------------------------------------------------------- */

/* A session on the state; the one before goes on where it can't be had. */
static aard_error *go_on_from(aard_session *session, const char *path)
{
    aard_warm_state *state;
    aard_isolate_config *config, *before = session->restored;
    aard_isolate *isolate = session->isolate;
    AARD__TRY(aard_warm_state_open(path, aard_isolate_config_distribution(session->config), &state));
    aard_error *error = aard__config_copy(session->config, &config);
    if (!error) aard_isolate_config_set_warm_state(config, state);
    aard_warm_state_free(state);
    if (error) return error;
    session->restored = config;
    session->isolate = NULL;
    error = aard__session_need_isolate(session);
    if (error) {
        session->restored = before;
        session->isolate = isolate;
        aard_isolate_config_free(config);
        return error;
    }
    aard_isolate *made = session->isolate;
    session->isolate = isolate;
    aard__session_drop_isolate(session);
    session->isolate = made;
    aard_isolate_config_free(before);
    return NULL;
}

static aard_error *restore_bytes(aard__session_request *request, aard__json bytes)
{
    passing p;
    aard__buf data = AARD__BUF_INIT;
    if (!aard__session_bytes(request, "bytes", bytes, &data)) {
        aard__buf_free(&data);
        return NULL;
    }
    aard_error *error = passing_begin(&p);
    if (!error) {
        error = aard__file_write_atomic(p.file, 0600, data.data, data.len);
        if (!error) error = go_on_from(request->session, p.file);
        error = passing_end(&p, error);
    }
    aard__buf_free(&data);
    return error;
}

static aard_error *restore(aard__session_request *request, const aard__json *values, aard__buf *result)
{
    aard_session *session = request->session;
    aard_error *error;
    if (!values[0].len == !values[1].len) return aard__session_invalid(request, "give one of 'path' and 'bytes'");
    if (aard_isolate_config_language(session->config) != AARD_LANGUAGE_PYTHON)
        return aard__error(AARD_ERR_UNSUPPORTED, "only a Python session has a state that can be restored");
    AARD__TRY(aard__session_need_distribution(session->config));
    if (values[1].len) {
        error = restore_bytes(request, values[1]);
    } else {
        char *path = aard__session_text(request, "path", values[0]);
        error = path ? go_on_from(session, path) : NULL;
        aard__free(path);
    }
    return error || request->invalid.len ? error : aard__session_done(request, NULL, result);
}

const aard__session_method aard__session_capture = {
    "state.capture", capture, {{"form", AARD__JSON_STRING, false}, {"to", AARD__JSON_STRING, false}}};
const aard__session_method aard__session_restore = {
    "state.restore", restore, {{"path", AARD__JSON_STRING, false}, {"bytes", AARD__JSON_STRING, false}}};
