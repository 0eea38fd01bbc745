/* What is run must come from where only its user can write; outputs and locks among other users' files.
 *
 * Run as root the table is whole: files are given to another user, and a child goes on as one. */
#include <grp.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/sysmacros.h>

#include "base/alloc.h"
#include "base/file_lock.h"
#include "base/new_file.h"
#include "base/trust.h"
#include "dist_support.h"

#define STRANGER 61234 /* who is none of this machine's users */

static char *dir; /* of this test, which is its user's alone */

static int set_up(void **state)
{
    (void)state;
    dir = make_temp();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    assert_ok(aard__dir_remove(dir));
    free(dir);
    return 0;
}

static bool is_root(void) { return geteuid() == 0; }

/* ---- where files are run from ------------------------------------------------------------------------------- */

/* DIR/a/b/file, DIR/link -> a, DIR/a/up -> ../a/b/file, DIR/t (sticky, of all) with `file` and `link` in it. */
static void make_tree(void)
{
    assert_ok(aard__dir_make(at(dir, "a/b")));
    write_file(at(dir, "a/b/file"), "content", 7);
    assert_int_equal(symlink("a", at(dir, "link")), 0);
    assert_int_equal(symlink("../a/b/file", at(dir, "a/up")), 0);
    assert_ok(aard__dir_make(at(dir, "t/own")));
    write_file(at(dir, "t/own/file"), "content", 7);
    assert_int_equal(symlink("own/file", at(dir, "t/link")), 0);
    assert_int_equal(symlink(at(dir, "a"), at(dir, "t/abs")), 0);
    assert_int_equal(chmod(at(dir, "t"), 01777), 0);
}

typedef struct trust_row {
    const char *path;
    const char *changed; /* what is altered before, and how; NULL = nothing */
    int mode;            /* -1 = the owner */
    const char *blamed;  /* NULL = it opens */
} trust_row;

static const trust_row rows[] = {
    {"a/b/file", NULL, 0, NULL},
    {"link/b/file", NULL, 0, NULL},
    {"a/up", NULL, 0, NULL},
    {"a/./b/../../link//b/file", NULL, 0, NULL},
    {"t/own/file", NULL, 0, NULL},
    {"t/link", NULL, 0, NULL},
    {"t/abs/b/file", NULL, 0, NULL},
    {"a/b/file", "a/b/file", 0664, "a/b/file"},
    {"a/b/file", "a/b/file", 0646, "a/b/file"},
    {"a/b/file", "a/b/file", 0400, NULL},
    {"a/b/file", "a/b", 0777, "a/b"},
    {"a/b/file", "a/b", 0775, "a/b"},
    {"a/b/file", "a/b", 01775, NULL}, /* sticky: what is in it is still its owner's */
    {"a/b/file", "a", 0757, "a"},
    {"link/b/file", "a", 0757, "a"},
    {"a/up", "a/b", 0757, "a/b"},
    {"t/own/file", "t", 0777, "t"},
    {"t/own/file", "t/own", 0777, "t/own"},
    {"a/b/file", "a/b/file", -1, "a/b/file"},
    {"a/b/file", "a/b", -1, "a/b"},
    {"a/b/file", "a", -1, "a"},
    {"link/b/file", "a", -1, "a"},
    {"link/b/file", "link", -1, NULL}, /* nobody but this user could put it there */
    {"t/link", "t/link", -1, "t/link"},
    {"t/abs/b/file", "t/abs", -1, "t/abs"},
    {"t/own/file", "t/own", -1, "t/own"},
    {"t/own/file", "t", -1, "t"},
};

static void files_are_run_from_where_only_their_user_writes(void **state)
{
    (void)state;
    char here[4096];
    assert_non_null(getcwd(here, sizeof here));
    make_tree();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const trust_row *row = &rows[i];
        struct stat before = {0};
        int fd = -1;
        if (row->mode < 0 && !is_root()) continue;
        if (row->changed) {
            assert_int_equal(lstat(at(dir, row->changed), &before), 0);
            assert_int_equal(row->mode < 0 ? lchown(at(dir, row->changed), STRANGER, STRANGER)
                                           : chmod(at(dir, row->changed), (mode_t)row->mode),
                             0);
        }
        for (int relative = 0; relative < 2; relative++) {
            assert_int_equal(chdir(relative ? dir : "/"), 0);
            aard_error *error = aard__trusted_open(relative ? row->path : at(dir, row->path), &fd);
            if (!row->blamed) {
                char content[8] = "";
                assert_ok(error);
                assert_int_equal(read(fd, content, 7), 7);
                assert_string_equal(content, "content");
                close(fd);
                continue;
            }
            char named[1100];
            snprintf(named, sizeof named, "'%s'", at(dir, row->blamed));
            assert_refused(error, AARD_ERR_UNTRUSTED, named, row->mode < 0 ? "chown" : "chmod", NULL);
        }
        if (row->changed && row->mode < 0) assert_int_equal(lchown(at(dir, row->changed), geteuid(), getegid()), 0);
        if (row->changed && row->mode >= 0) assert_int_equal(chmod(at(dir, row->changed), before.st_mode & 07777), 0);
    }
    assert_int_equal(chdir(here), 0);
}

static void directories_are_looked_at_themselves(void **state)
{
    (void)state;
    int fd = -1;
    make_tree();
    assert_ok(aard__trusted_open_dir(at(dir, "link/b/"), &fd));
    close(fd);
    assert_ok(aard__trusted_open_dir("/", &fd));
    close(fd);
    assert_refused(aard__trusted_open_dir(at(dir, "t"), &fd), AARD_ERR_UNTRUSTED, "chmod", NULL); /* sticky or not */
    assert_refused(aard__trusted_open_dir(at(dir, "a/b/file"), &fd), AARD_ERR_NOT_FOUND, "a/b/file", NULL);
    assert_refused(aard__trusted_open(at(dir, "a/b"), &fd), AARD_ERR_IO, "not a regular file", NULL);
    assert_refused(aard__trusted_open(at(dir, "a/b/file/"), &fd), AARD_ERR_NOT_FOUND, "file/", NULL);
    assert_refused(aard__trusted_open(at(dir, "a/none"), &fd), AARD_ERR_NOT_FOUND, "a/none", NULL);
    assert_refused(aard__trusted_open("", &fd), AARD_ERR_NOT_FOUND, "''", NULL);
    assert_int_equal(symlink("round", at(dir, "round")), 0);
    assert_refused(aard__trusted_open(at(dir, "round"), &fd), AARD_ERR_IO, "round", NULL);
    assert_int_equal(mkfifo(at(dir, "fifo"), 0600), 0);
    assert_refused(aard__trusted_open(at(dir, "fifo"), &fd), AARD_ERR_IO, "not a regular file", NULL);
}

static void a_user_can_be_named_as_trusted(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        bool good;
    } values[] = {{"61234", true},   {"1,61234,2", true}, {"", false},       {"6123", false},
                  {"612345", false}, {"61234x", false},   {" 61234", false}, {"-1,x,,", false}};
    int fd = -1;
    make_tree();
    if (is_root()) assert_int_equal(lchown(at(dir, "a/b"), STRANGER, STRANGER), 0);
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        assert_int_equal(setenv("AARDVARK_TRUSTED_UIDS", values[i].value, 1), 0);
        aard_error *error = aard__trusted_open(at(dir, "a/b/file"), &fd);
        if (values[i].good || !is_root()) {
            assert_ok(error);
            close(fd);
        } else {
            assert_refused(error, AARD_ERR_UNTRUSTED, "AARDVARK_TRUSTED_UIDS", NULL);
        }
    }
    unsetenv("AARDVARK_TRUSTED_UIDS");
}

/* ---- as another user ---------------------------------------------------------------------------------------- */

/* Runs `work` in a child, as a stranger where this is root; its result. */
static int as_stranger(int (*work)(void))
{
    pid_t pid = fork();
    if (pid == 0) {
        bool ok = !is_root() || (setgroups(0, NULL) == 0 && setgid(STRANGER) == 0 && setuid(STRANGER) == 0);
        _exit(ok ? work() : 99);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 98;
}

static int opens(void)
{
    int fd = -1;
    aard_error *error = aard__trusted_open(at(dir, "a/b/file"), &fd);
    int code = error ? (int)aard_error_get_code(error) : 0;
    aard_error_free(error);
    return code;
}

static void roots_files_are_good_for_all(void **state)
{
    (void)state;
    make_tree();
    assert_int_equal(as_stranger(opens), 0);
    if (!is_root()) return;
    assert_int_equal(lchown(at(dir, "a"), STRANGER + 1, STRANGER), 0);
    assert_int_equal(as_stranger(opens), AARD_ERR_UNTRUSTED);
    assert_int_equal(lchown(at(dir, "a"), STRANGER, STRANGER), 0);
    assert_int_equal(as_stranger(opens), 0);
}

/* ---- outputs ------------------------------------------------------------------------------------------------- */

static mode_t mode_of(const char *path)
{
    struct stat st;
    assert_int_equal(lstat(path, &st), 0);
    return st.st_mode;
}

static void modes_are_those_of_the_umask(void **state)
{
    (void)state;
    static const struct {
        mode_t mode, mask, got;
    } modes[] = {{AARD__MODE_PUBLIC, 022, 0644},  {AARD__MODE_PUBLIC, 077, 0600}, {AARD__MODE_PUBLIC, 0, 0666},
                 {AARD__MODE_RUN, 0, 0644},       {AARD__MODE_RUN, 027, 0640},    {AARD__MODE_PRIVATE, 0, 0600},
                 {AARD__MODE_PRIVATE, 0277, 0400}};
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        mode_t before = umask(modes[i].mask);
        aard_error *error = aard__file_write_atomic(at(dir, "out"), modes[i].mode, "x", 1);
        umask(before);
        assert_ok(error);
        assert_int_equal(mode_of(at(dir, "out")), S_IFREG | modes[i].got);
        unlink(at(dir, "out"));
    }
    mode_t before = umask(0);
    assert_ok(aard__dir_make(at(dir, "made/below")));
    umask(before);
    assert_int_equal(mode_of(at(dir, "made")), S_IFDIR | 0755);
    write_file(at(dir, "kept"), "x", 1); /* one that is written over stays as open as it was, and no more */
    assert_int_equal(chmod(at(dir, "kept"), 0640), 0);
    assert_ok(aard__file_write_atomic(at(dir, "kept"), AARD__MODE_PUBLIC, "y", 1));
    assert_int_equal(mode_of(at(dir, "kept")), S_IFREG | 0640);
    assert_ok(aard__file_write_atomic(at(dir, "kept"), AARD__MODE_PRIVATE, "y", 1));
    assert_int_equal(mode_of(at(dir, "kept")), S_IFREG | 0600);
    aard__new_file file;
    assert_ok(aard__new_file_open(at(dir, "kept"), AARD__MODE_PUBLIC, &file)); /* nobody can lock it meanwhile */
    assert_int_equal(mode_of(at(dir, file.temporary)), S_IFREG | 0600);
    aard__new_file_drop(&file);
}

static void links_are_followed(void **state)
{
    (void)state;
    size_t len;
    assert_ok(aard__dir_make(at(dir, "far")));
    write_file(at(dir, "far/file"), "old", 3);
    assert_int_equal(symlink("far/file", at(dir, "link")), 0);
    assert_int_equal(symlink("link", at(dir, "link2")), 0);
    assert_ok(aard__file_write_atomic(at(dir, "link2"), AARD__MODE_PUBLIC, "new", 3));
    assert_true(S_ISLNK(mode_of(at(dir, "link"))) && S_ISLNK(mode_of(at(dir, "link2"))));
    char *text = read_file(at(dir, "far/file"), &len);
    assert_string_equal(text, "new");
    free(text);
    assert_int_equal(count_entries(at(dir, "far"), ""), 1);
    assert_int_equal(symlink("nowhere", at(dir, "dangling")), 0);
    assert_refused(aard__file_write_atomic(at(dir, "dangling"), AARD__MODE_PUBLIC, "x", 1), AARD_ERR_IO,
                   "dangling link", NULL);
    assert_false(exists(at(dir, "nowhere")));
    if (!is_root()) return;
    assert_int_equal(lchown(at(dir, "link"), STRANGER, STRANGER), 0);
    assert_ok(aard__file_write_atomic(at(dir, "link"), AARD__MODE_PUBLIC, "own", 3));
    assert_int_equal(chmod(dir, 01777), 0); /* as in /tmp, where anybody may have put it */
    assert_refused(aard__file_write_atomic(at(dir, "link"), AARD__MODE_PUBLIC, "x", 1), AARD_ERR_IO, "link", NULL);
    write_file(at(dir, "theirs"), "x", 1);
    assert_int_equal(chmod(at(dir, "theirs"), 0666) | lchown(at(dir, "theirs"), STRANGER, STRANGER), 0);
    assert_ok(aard__file_write_atomic(at(dir, "theirs"), AARD__MODE_PUBLIC, "x", 1));
    assert_int_equal(mode_of(at(dir, "theirs")), S_IFREG | 0644);
}

static void what_is_no_file_is_written_to(void **state)
{
    (void)state;
    char *fifo = strdup(at(dir, "fifo")), got[8] = "";
    assert_int_equal(mkfifo(fifo, 0600), 0);
    int reader = open(fifo, O_RDONLY | O_NONBLOCK);
    assert_true(reader >= 0);
    assert_ok(aard__file_write_atomic(fifo, AARD__MODE_PUBLIC, "through", 7));
    assert_int_equal(read(reader, got, 7), 7);
    assert_string_equal(got, "through");
    close(reader);
    assert_true(S_ISFIFO(mode_of(fifo)));
    assert_true(S_ISCHR(mode_of("/dev/null")));
    assert_ok(aard__file_write_atomic("/dev/null", AARD__MODE_PRIVATE, "gone", 4));
    assert_true(S_ISCHR(mode_of("/dev/null")));
    assert_int_equal(symlink("/dev/null", at(dir, "null")), 0);
    assert_ok(aard__file_write_atomic(at(dir, "null"), AARD__MODE_PUBLIC, "gone", 4));
    assert_true(S_ISLNK(mode_of(at(dir, "null"))));
    assert_refused(aard__file_write_atomic("/dev/full", AARD__MODE_PUBLIC, "x", 1), AARD_ERR_IO, "/dev/full", NULL);
    if (is_root()) { /* one that a mistake may replace */
        assert_int_equal(mknod(at(dir, "device"), S_IFCHR | 0600, makedev(1, 3)), 0);
        assert_ok(aard__file_write_atomic(at(dir, "device"), AARD__MODE_PUBLIC, "x", 1));
        assert_true(S_ISCHR(mode_of(at(dir, "device"))));
    }
    free(fifo);
}

/* In a directory of all, a name like ours is not enough. */
static void leftovers_of_others_stay(void **state)
{
    (void)state;
    static const char own[] = "out.aardvark-tmp-abcdef", linked[] = "out.aardvark-tmp-bcdefg",
                      others[] = "out.aardvark-tmp-cdefgh";
    write_file(at(dir, own), "x", 1);
    write_file(at(dir, "data"), "x", 1);
    assert_int_equal(link(at(dir, "data"), at(dir, linked)), 0);
    write_file(at(dir, others), "x", 1);
    if (is_root()) assert_int_equal(lchown(at(dir, others), STRANGER, STRANGER), 0);
    assert_ok(aard__file_write_atomic(at(dir, "out"), AARD__MODE_PUBLIC, "x", 1));
    assert_false(exists(at(dir, own)));
    assert_true(exists(at(dir, linked)));
    assert_int_equal(exists(at(dir, others)), is_root());
}

/* ---- locks ---------------------------------------------------------------------------------------------------- */

typedef struct heard {
    unsigned times;
    char holder[128];
} heard;

static void hear(void *user, const char *holder)
{
    heard *h = user;
    h->times++;
    snprintf(h->holder, sizeof h->holder, "%s", holder);
}

static void a_lock_says_who_holds_it_and_is_not_waited_for_without_end(void **state)
{
    (void)state;
    int fd = -1, ready[2];
    heard h = {0};
    char *path = strdup(at(dir, ".lock")), byte, pid_text[32];
    assert_int_equal(pipe(ready), 0);
    pid_t pid = fork();
    if (pid == 0) {
        int held = -1;
        bool ok = !aard__file_lock(path, 0, NULL, NULL, &held) && write(ready[1], "x", 1) == 1;
        while (ok) pause();
        _exit(1);
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    snprintf(pid_text, sizeof pid_text, "process %ld (", (long)pid);
    assert_refused(aard__file_lock(path, 1300, hear, &h, &fd), AARD_ERR_IO, path, pid_text, "1.3 s", NULL);
    assert_int_equal(h.times, 1);
    assert_non_null(strstr(h.holder, pid_text));
    assert_refused(aard__file_lock(path, 0, hear, &h, &fd), AARD_ERR_IO, pid_text, NULL);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    assert_ok(aard__file_lock(path, 0, NULL, NULL, &fd));
    assert_int_equal(mode_of(path), S_IFREG | 0600);
    close(fd);
    close(ready[0]);
    close(ready[1]);
    free(path);
}

static int can_lock(void)
{
    int fd = open(at(dir, ".lock"), O_RDONLY);
    return fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0;
}

static void a_lock_is_no_other_users_to_hold(void **state)
{
    (void)state;
    int fd = -1;
    write_file(at(dir, ".lock"), "", 0); /* as older versions left it: 0644 */
    assert_ok(aard__file_lock(at(dir, ".lock"), 0, NULL, NULL, &fd));
    close(fd);
    assert_int_equal(as_stranger(can_lock), !is_root());
    assert_int_equal(unlink(at(dir, ".lock")), 0);
    write_file(at(dir, "precious"), "x", 1);
    assert_int_equal(symlink("precious", at(dir, ".lock")), 0);
    assert_refused(aard__file_lock(at(dir, ".lock"), 0, NULL, NULL, &fd), AARD_ERR_IO, "a link", NULL);
    assert_int_equal(unlink(at(dir, ".lock")), 0);
    assert_int_equal(link(at(dir, "precious"), at(dir, ".lock")), 0);
    assert_refused(aard__file_lock(at(dir, ".lock"), 0, NULL, NULL, &fd), AARD_ERR_IO, "not a file of its own", NULL);
    assert_int_equal(mode_of(at(dir, "precious")), S_IFREG | 0644);
    assert_int_equal(unlink(at(dir, ".lock")), 0);
    assert_int_equal(mkfifo(at(dir, ".lock"), 0600), 0);
    assert_refused(aard__file_lock(at(dir, ".lock"), 0, NULL, NULL, &fd), AARD_ERR_IO, "not a file of its own", NULL);
}

#define TRUST_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TRUST_TEST(files_are_run_from_where_only_their_user_writes),
        TRUST_TEST(directories_are_looked_at_themselves),
        TRUST_TEST(a_user_can_be_named_as_trusted),
        TRUST_TEST(roots_files_are_good_for_all),
        TRUST_TEST(modes_are_those_of_the_umask),
        TRUST_TEST(links_are_followed),
        TRUST_TEST(what_is_no_file_is_written_to),
        TRUST_TEST(leftovers_of_others_stay),
        TRUST_TEST(a_lock_says_who_holds_it_and_is_not_waited_for_without_end),
        TRUST_TEST(a_lock_is_no_other_users_to_hold),
    };
    umask(022);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
