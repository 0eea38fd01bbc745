#include "process_support.h"

#include <dirent.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

aard_isolate_config *process_config(aard_language language, aard_cleanup cleanup)
{
    aard_isolate_config *config = config_of(language);
    aard_isolate_config_set_isolation(config, AARD_ISOLATION_PROCESS);
    aard_isolate_config_set_cleanup(config, cleanup);
    aard_isolate_config_set_resets_expected(config,
                                            cleanup == AARD_CLEANUP_FULL); /* a child more is forked where they are */
    aard_isolate_config_set_wall_limit_ms(config, 60000);
    return config;
}

/* ---- which there are -------------------------------------------------------------------------------------------- */

static bool stat_of(const char *pid, char *state, pid_t *parent)
{
    char path[300], text[512];
    snprintf(path, sizeof path, "/proc/%s/stat", pid);
    FILE *file = fopen(path, "r");
    if (!file) return false;
    size_t len = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[len] = 0;
    const char *end = strrchr(text, ')');
    return end && sscanf(end + 1, " %c %d", state, parent) == 2;
}

static size_t list_children(pid_t parent, bool zombies, pid_t *list, size_t most)
{
    DIR *dir = opendir("/proc");
    size_t count = 0;
    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir));) {
        char state;
        pid_t of;
        if (entry->d_name[0] < '1' || entry->d_name[0] > '9' || !stat_of(entry->d_name, &state, &of)) continue;
        if (of != parent || (state == 'Z' || state == 'X') != zombies || count == most) continue;
        if (list) list[count] = atoi(entry->d_name);
        count++;
    }
    closedir(dir);
    return count;
}

size_t children_of(pid_t parent, pid_t *list, size_t most) { return list_children(parent, false, list, most); }

size_t zombies_of(pid_t parent) { return list_children(parent, true, NULL, SIZE_MAX); }

static size_t list_guests(pid_t *list, size_t most, pid_t *template)
{
    pid_t templates[16];
    size_t of_us = children_of(getpid(), templates, COUNT(templates)), count = 0;
    for (size_t i = 0; i < of_us; i++) {
        size_t more = children_of(templates[i], list + count, most - count);
        if (more) *template = templates[i];
        count += more;
    }
    return count;
}

static pid_t wait_for_guests(test_place here, pid_t *list, size_t count)
{
    pid_t found[64], template = 0;
    double start = now_ms();
    size_t have;
    while ((have = list_guests(found, COUNT(found), &template)) != count) {
        if (now_ms() - start > 5000) fail_at(here, "there are %zu processes of guests, not %zu", have, count);
        usleep(1000);
    }
    if (list) memcpy(list, found, count * sizeof *list);
    return template;
}

void guests_are_at(test_place here, pid_t *list, size_t count) { wait_for_guests(here, list, count); }

pid_t the_guest(void)
{
    pid_t pid;
    wait_for_guests(HERE, &pid, 1);
    return pid;
}

pid_t the_busy_one(void)
{
    double start = now_ms();
    for (;;) {
        pid_t list[16], parent, template, busy_one = 0;
        size_t count = list_guests(list, COUNT(list), &template), busy = 0;
        for (size_t i = 0; i < count; i++) {
            char text[16], state;
            snprintf(text, sizeof text, "%d", (int)list[i]);
            if (!stat_of(text, &state, &parent) || state != 'R') continue;
            busy_one = list[i];
            busy++;
        }
        if (busy == 1) return busy_one;
        if (now_ms() - start > 5000) fail_msg("%zu guests are busy", busy);
        usleep(1000);
    }
}

/* The next child may be forked ahead at any time. */
pid_t the_template(void)
{
    pid_t list[16], template = 0;
    double start = now_ms();
    while (!list_guests(list, COUNT(list), &template)) {
        if (now_ms() - start > 5000) fail_msg("there is no template with a child");
        usleep(1000);
    }
    return template;
}

/* A process's descriptors go with the last of its threads, which may be after its first is a zombie. */
static bool has_threads(pid_t pid)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    DIR *dir = opendir(path);
    size_t count = 0;
    while (dir && readdir(dir)) count++;
    if (dir) closedir(dir);
    return count > 3; /* ".", ".." and the first */
}

bool ends_within(pid_t pid, double ms)
{
    double start = now_ms();
    char text[16], state;
    pid_t parent;
    snprintf(text, sizeof text, "%d", (int)pid);
    while (stat_of(text, &state, &parent) && ((state != 'Z' && state != 'X') || has_threads(pid))) {
        if (now_ms() - start > ms) return false;
        usleep(2000);
    }
    return true;
}

void kill_and_wait(pid_t pid)
{
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_true(ends_within(pid, 5000));
}

size_t descriptors(void)
{
    DIR *dir = opendir("/proc/self/fd");
    size_t count = 0;
    assert_non_null(dir);
    while (readdir(dir)) count++;
    closedir(dir);
    return count;
}

/* ---- calls in threads ------------------------------------------------------------------------------------------- */

static atomic_size_t written;

static void on_output(const aard_call_context *context, void *user, aard_stream stream, const char *data, size_t len)
{
    (void)context;
    (void)user;
    (void)stream;
    (void)data;
    written += len;
}

void count_output(aard_isolate_config *config)
{
    aard_isolate_config_set_stream_callback(config, on_output, NULL, NULL);
}

static void *run_it(void *user)
{
    running *run = user;
    aard_error_free(aard_isolate_exec(run->isolate, run->code, strlen(run->code), NULL, run->call, &run->outcome));
    return NULL;
}

void begin_call(running *run, aard_isolate *isolate, const char *code, const aard_call *call)
{
    *run = (running){.isolate = isolate, .code = code, .call = call};
    double start = now_ms();
    written = 0;
    assert_int_equal(pthread_create(&run->thread, NULL, run_it, run), 0);
    while (!written) {
        if (now_ms() - start > 20000) fail_msg("the guest has written nothing");
        usleep(500);
    }
}

aard_outcome *end_call(running *run)
{
    assert_int_equal(pthread_join(run->thread, NULL), 0);
    assert_non_null(run->outcome);
    return check_form(run->outcome);
}

/* ---- the program itself ----------------------------------------------------------------------------------------- */

int run_as(const char *role, pid_t *pid)
{
    char *arguments[] = {(char[]){"test"}, (char *)(uintptr_t)role, NULL};
    pid_t child;
    int status;
    assert_int_equal(posix_spawn(&child, "/proc/self/exe", NULL, NULL, arguments, environ), 0);
    if (pid) {
        *pid = child;
        return 0;
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}
