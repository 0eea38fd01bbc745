/* Host directories that are served to another process: they are as they are where they are, and of what a child asks nothing is
 * believed.  test-quick */
#include "pack_support.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "process/files.h"
#include "process/message.h"

/* A host, on a thread of its own, and the child's side of it. */
typedef struct served {
    char dir[256];
    aard__mounts mounts; /* the host's: writable, and not */
    aard__ledger ledger;
    aard__file_server server;
    aard__channel *host;
    aard__host_link link; /* the child's */
    aard__mount *remote[2];
    pthread_t thread;
} served;

static void *serve(void *user)
{
    served *s = user;
    aard__frame frame;
    while (aard__channel_receive(s->host, NULL, &frame) == AARD__FRAME_OK) {
        aard__buf reply = AARD__BUF_INIT;
        if (frame.type != AARD__FILE_CALL || !aard__file_serve(&s->server, &frame, &reply)) {
            aard__channel_refuse(s->host, "malformed");
            break;
        }
        const aard__frame_to_send answer = {
            .type = AARD__FILE_REPLY, .id = frame.id, .body = reply.data, .len = reply.len};
        aard__frame_end(&frame);
        aard__channel_send(s->host, &answer, NULL);
        aard__buf_free(&reply);
    }
    return NULL;
}

static void make_directory(served *s)
{
    const char *base = getenv("TMPDIR");
    snprintf(s->dir, sizeof s->dir, "%s/served-XXXXXX", base ? base : "/tmp");
    assert_non_null(mkdtemp(s->dir));
}

static int set_up(void **state)
{
    served *s = calloc(1, sizeof *s);
    int sockets[2];
    assert_non_null(s);
    make_directory(s);
    for (int i = 0; i < 2; i++) {
        aard__mount *mount;
        aard_filesystem_mode mode = i ? AARD_FILESYSTEM_READ : AARD_FILESYSTEM_READ_WRITE;
        assert_null(aard__mount_new(s->dir, i ? "/fixed" : "/data", mode, &mount));
        assert_null(aard__mounts_add(&s->mounts, mount));
        assert_null(aard__remote_mount_new(i ? "/fixed" : "/data", mode, (uint32_t)i, &s->link, &s->remote[i]));
    }
    s->server = (aard__file_server){.mounts = &s->mounts,
                                    .rules = aard__file_rules_of(AARD_FILESYSTEM_READ_WRITE, 1 << 20, 10, 4),
                                    .ledger = &s->ledger};
    assert_null(aard__channel_sockets(sockets));
    assert_null(aard__channel_new(sockets[0], aard__host_rules, &s->host));
    assert_null(aard__channel_new(sockets[1], aard__child_rules, &s->link.channel));
    assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
    *state = s;
    return 0;
}

static void empty(const char *dir)
{
    char command[300];
    snprintf(command, sizeof command, "rm -rf '%s'", dir);
    assert_int_equal(system(command), 0);
}

static int tear_down(void **state)
{
    served *s = *state;
    aard__channel_shut(s->host);
    pthread_join(s->thread, NULL);
    for (int i = 0; i < 2; i++) aard__mount_free(s->remote[i]);
    aard__file_server_end(&s->server);
    aard__channel_free(s->host);
    aard__channel_free(s->link.channel);
    aard__mounts_free(&s->mounts);
    aard__ledger_free(&s->ledger);
    empty(s->dir);
    free(s);
    return 0;
}

/* As the bridge of guests has it: this side has a ledger, too, which stays empty. */
static aard__ledger own_ledger;

static aard__directory directory_of(served *s, int number)
{
    return (aard__directory){s->remote[number], {.mode = AARD_FILESYSTEM_READ}, &own_ledger};
}

static void write_file(const char *dir, const char *name, const char *text)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void test_files_are_looked_at_and_read(void **state)
{
    served *s = *state;
    struct stat here, there;
    aard__buf list = AARD__BUF_INIT;
    aard__open_file file;
    uint64_t size;
    size_t got;
    char text[32] = "";
    write_file(s->dir, "a", "0123456789");
    aard__directory directory = directory_of(s, 1);
    assert_int_equal(aard__mount_stat(s->mounts.list[1], "a", 1, &here), 0);
    assert_int_equal(aard__mount_stat(directory.mount, "a", 1, &there), 0);
    assert_true(here.st_mode == there.st_mode && here.st_size == there.st_size && here.st_nlink == there.st_nlink);
    assert_memory_equal(&here.st_mtim, &there.st_mtim, sizeof here.st_mtim);
    assert_memory_equal(&here.st_ctim, &there.st_ctim, sizeof here.st_ctim);
    assert_int_equal(aard__mount_list(directory.mount, "", 0, &list), 0);
    assert_int_equal(list.len, 13);
    assert_memory_equal(list.data, "[[\"a\",false]]", 13);
    assert_int_equal(aard__directory_open(&directory, "a", 1, false, &file), 0);
    assert_int_equal(aard__mount_size(file.mount, file.fd, &size), 0);
    assert_int_equal(size, 10);
    assert_int_equal(aard__mount_read(file.mount, file.fd, text, 5, 3, &got), 0);
    assert_int_equal(got, 5);
    assert_string_equal(text, "34567");
    assert_int_equal(aard__mount_read(file.mount, file.fd, text, 5, 10, &got), 0);
    assert_int_equal(got, 0);
    assert_int_equal(aard__mount_read(file.mount, file.fd, text, 5, UINT64_MAX, &got), EINVAL);
    aard__open_file_close(&file);
    aard__buf_free(&list);
}

static void test_files_are_changed(void **state)
{
    served *s = *state;
    const aard__directory directory = directory_of(s, 0);
    aard__open_file file;
    size_t count;
    struct stat seen;
    static char large[100000], back[100000]; /* through a memfd */
    for (size_t i = 0; i < sizeof large; i++) large[i] = (char)(i * 3);
    assert_int_equal(aard__directory_may_write(&directory, "x", 1), 0);
    assert_int_equal(aard__directory_make(&directory, "sub", 3, true), 0);
    assert_int_equal(aard__directory_make(&directory, "sub/x", 5, false), 0);
    assert_int_equal(aard__directory_make(&directory, "sub/x", 5, false), EEXIST);
    assert_int_equal(aard__directory_open(&directory, "sub/x", 5, true, &file), 0);
    assert_int_equal(aard__directory_write(&directory, &file, large, sizeof large, 1, &count), 0);
    assert_int_equal(count, sizeof large);
    assert_int_equal(aard__mount_read(file.mount, file.fd, back, sizeof back, 1, &count), 0);
    assert_memory_equal(back, large, sizeof large);
    assert_int_equal(aard__directory_truncate(&directory, &file, 3), 0);
    assert_int_equal(aard__mount_stat(directory.mount, "sub/x", 5, &seen), 0);
    assert_int_equal(seen.st_size, 3);
    aard__open_file_close(&file);
    assert_int_equal(aard__directory_rename(&directory, "sub/x", 5, "y", 1), 0);
    assert_int_equal(aard__directory_remove(&directory, "sub", 3, true), 0);
    assert_int_equal(aard__directory_remove(&directory, "y", 1, false), 0);
    assert_int_equal(aard__mount_stat(directory.mount, "y", 1, &seen), ENOENT);
    assert_int_equal(own_ledger.violation_count + s->ledger.violation_count, 0);
}

static void violated(served *s, aard_violation_kind kind, const char *reason, const char *subject)
{
    for (size_t i = 0; i < s->ledger.violation_count; i++) {
        const aard_violation *line = &s->ledger.violations[i];
        if (line->kind == kind && !strcmp(line->reason, reason) && !strcmp(line->subject, subject)) return;
    }
    fail_msg("'%s' of '%s' is not in the ledger", reason, subject);
}

static void test_the_host_checks_and_writes_down(void **state)
{
    served *s = *state;
    const aard__directory fixed = directory_of(s, 1), data = directory_of(s, 0);
    aard__open_file file, more[4];
    size_t count;
    static const char large[2 << 20];
    write_file(s->dir, "a", "");
    assert_int_equal(aard__directory_may_write(&fixed, "a", 1), EROFS);
    assert_int_equal(aard__directory_open(&fixed, "a", 1, true, &file), EROFS);
    assert_int_equal(aard__directory_make(&fixed, "b", 1, false), EROFS);
    assert_int_equal(aard__directory_remove(&fixed, "c", 1, false), EROFS);
    assert_int_equal(aard__directory_rename(&fixed, "d", 1, "e", 1), EROFS);
    violated(s, AARD_VIOLATION_FILESYSTEM_READ_ONLY, "mount_read_only", "/fixed/a");
    violated(s, AARD_VIOLATION_FILESYSTEM_READ_ONLY, "mount_read_only", "/fixed/d");
    assert_int_equal(aard__directory_open(&data, "a", 1, true, &file), 0);
    assert_int_equal(aard__directory_write(&data, &file, large, sizeof large, 0, &count), 0);
    assert_int_equal(count, 1 << 20);
    assert_int_equal(aard__directory_write(&data, &file, large, 1, 1 << 20, &count), EDQUOT);
    violated(s, AARD_VIOLATION_FILESYSTEM_QUOTA, "bytes", "/data/a");
    for (int i = 0; i < 3; i++) assert_int_equal(aard__directory_open(&data, "a", 1, false, &more[i]), 0);
    assert_int_equal(aard__directory_open(&data, "a", 1, false, &more[3]), EMFILE); /* the host counts them */
    for (int i = 0; i < 3; i++) aard__open_file_close(&more[i]);
    aard__open_file_close(&file);
    assert_int_equal(own_ledger.violation_count, 0);
}

/* ---- a hostile child -------------------------------------------------------------------------------------------- */

static int ask(served *s, const aard__file_call *call, uint64_t *number)
{
    aard__buf body = AARD__BUF_INIT;
    aard__frame frame;
    aard__file_reply reply;
    aard__file_call_pack(call, &body);
    assert_true(aard__host_ask(&s->link, AARD__FILE_CALL, AARD__FILE_REPLY, &body, &frame));
    aard__unpacker in = aard__unpacker_of(frame.body, frame.len);
    aard__file_reply_unpack(&in, &reply);
    assert_true(aard__unpacker_done(&in));
    if (number) *number = reply.number;
    aard__frame_end(&frame);
    return (int)reply.error;
}

#define PATH(text) .path = text, .path_len = sizeof text - 1

static void test_what_a_child_may_not_ask(void **state)
{
    served *s = *state;
    uint64_t number;
    write_file(s->dir, "a", "secret");
    static const struct {
        aard__file_call call;
        int error;
    } rows[] = {
        {{.op = AARD__FILE_STAT, .target = 2, PATH("a")}, EINVAL},
        {{.op = AARD__FILE_STAT, .target = UINT32_MAX, PATH("a")}, EINVAL},
        {{.op = AARD__FILE_STAT, PATH("../a")}, EINVAL},
        {{.op = AARD__FILE_STAT, PATH("/etc/passwd")}, EINVAL},
        {{.op = AARD__FILE_STAT, PATH("a\0b")}, EINVAL},
        {{.op = AARD__FILE_OPEN, .target = 1, .flag = true, PATH("a")}, EROFS},
        {{.op = AARD__FILE_RENAME, PATH("a"), .data = "../b", .data_len = 4}, EINVAL},
        {{.op = AARD__FILE_READ, .target = 0, .size = 1}, EBADF},
        {{.op = AARD__FILE_READ, .target = UINT32_MAX, .size = 1}, EBADF},
        {{.op = AARD__FILE_CLOSE, .target = 3}, EBADF},
        {{.op = AARD__FILE_WRITE, .target = 0, .data = "x", .data_len = 1}, EBADF},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        int error = ask(s, &rows[i].call, NULL);
        if (error != rows[i].error) fail_at(HERE, "row %zu: %s", i, strerror(error));
    }
    assert_int_equal(ask(s, &(aard__file_call){.op = AARD__FILE_OPEN, .target = 1, PATH("a")}, &number), 0);
    /* It was opened to be read, in a directory that is not to be written. */
    const aard__file_call put = {.op = AARD__FILE_WRITE, .target = (uint32_t)number, .data = "x", .data_len = 1};
    assert_int_equal(ask(s, &put, NULL), EROFS);
    assert_int_equal(ask(s, &(aard__file_call){.op = AARD__FILE_TRUNCATE, .target = (uint32_t)number}, NULL), EROFS);
    assert_int_equal(ask(s, &(aard__file_call){.op = AARD__FILE_OPEN, PATH("a")}, &number), 0);
    assert_int_equal(ask(s, &(aard__file_call){.op = AARD__FILE_TRUNCATE, .target = (uint32_t)number}, NULL), EINVAL);
    const aard__file_call far = {.op = AARD__FILE_READ, .target = (uint32_t)number, .position = UINT64_MAX, .size = 9};
    assert_int_equal(ask(s, &far, NULL), EINVAL);
    const aard__file_call much = {.op = AARD__FILE_READ, .target = (uint32_t)number, .size = UINT64_MAX};
    assert_int_equal(ask(s, &much, NULL), 0);
}

static aard__file_server *the_server;

static bool is_taken(const char *data, size_t len)
{
    aard__buf reply = AARD__BUF_INIT;
    const aard__frame frame = {.type = AARD__FILE_CALL, .body = data, .len = len};
    bool taken = aard__file_serve(the_server, &frame, &reply);
    if (taken) assert_true(reply.len >= 4 + 8 + 8);
    aard__buf_free(&reply);
    return taken;
}

static void test_malformed_calls_are_refused(void **state)
{
    served *s = *state;
    aard__buf call = AARD__BUF_INIT;
    the_server = &s->server;
    write_file(s->dir, "a", "text");
    aard__file_call_pack(&(aard__file_call){.op = AARD__FILE_RENAME, PATH("a"), .data = "b", .data_len = 1}, &call);
    refuses_all_cuts(is_taken, &call);
    assert_true(alter_all(is_taken, &call) > 20);
    aard__buf_free(&call);
}

/* ---- a hostile host has no more than the guest, but must not end it otherwise than by errors ---------------------- */

static void test_without_a_host_there_are_errors(void **state)
{
    served *s = *state;
    const aard__directory directory = directory_of(s, 0);
    struct stat seen;
    aard__buf list = AARD__BUF_INIT;
    aard__channel_shut(s->host);
    assert_int_equal(aard__mount_stat(directory.mount, "a", 1, &seen), EIO);
    assert_int_equal(aard__mount_list(directory.mount, "", 0, &list), EIO);
    assert_int_equal(aard__directory_may_write(&directory, "", 0), EIO);
    aard__channel *channel = s->link.channel;
    s->link.channel = NULL; /* as in a template */
    assert_int_equal(aard__mount_stat(directory.mount, "a", 1, &seen), EIO);
    s->link.channel = channel;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_files_are_looked_at_and_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_files_are_changed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_host_checks_and_writes_down, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_a_child_may_not_ask, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_malformed_calls_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_without_a_host_there_are_errors, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
