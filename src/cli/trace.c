/* --trace: what the library does and when, in a file that Perfetto opens. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static FILE *file; /* NULL = nothing is traced */
static const char *path;
static bool first = true;

static void write_event(const aard_trace_event *event)
{
    char room[1024], *text = room;
    size_t len = aard_trace_event_json(event, room, sizeof room);
    if (len >= sizeof room) {
        text = cli_realloc(NULL, len + 1);
        aard_trace_event_json(event, text, len + 1);
    }
    fputs(first ? "[\n" : ",\n", file);
    fwrite(text, 1, len, file);
    first = false;
    if (text != room) free(text);
}

static void on_event(void *user, const aard_trace_event *event)
{
    (void)user;
    pthread_mutex_lock(&lock);
    if (file) write_event(event);
    pthread_mutex_unlock(&lock);
}

int cli_trace_start(void)
{
    const aard_hooks hooks = {.struct_size = sizeof hooks, .trace = on_event};
    return cli_fail(aard_hooks_set(&hooks));
}

int cli_trace_open(const char *name)
{
    FILE *opened = fopen(name, "we");
    if (!opened) return cli_fail_code(AARD_ERR_IO, "can't write the trace to '%s': %s", name, strerror(errno));
    pthread_mutex_lock(&lock);
    if (file) fclose(file);
    file = opened;
    path = name;
    first = true;
    pthread_mutex_unlock(&lock);
    return CLI_OK;
}

int cli_trace_end(void)
{
    pthread_mutex_lock(&lock);
    FILE *done = file;
    file = NULL;
    pthread_mutex_unlock(&lock);
    if (!done) return CLI_OK;
    fputs(first ? "[]\n" : "\n]\n", done);
    bool failed = ferror(done);
    if (!fclose(done) && !failed) return CLI_OK;
    return cli_fail_code(AARD_ERR_IO, "can't write the trace to '%s'", path);
}
