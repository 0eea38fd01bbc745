/* Staging where something fails: the host, the process, its rivals, npm.  Nothing half-made may be left. */
#include "dist_support.h"

#include <grp.h>
#include <signal.h>
#include <sys/resource.h>
#include <time.h>

#include "base/alloc.h"

#define NPM_TARBALL "pyodide-0.29.4.tgz"

/* ---- a host that fails -------------------------------------------------------------------------------------- */

/* Runs `work` in a child, as nobody where this is root; true where it ended with 0. */
static bool in_child(bool (*work)(void *user), void *user, bool as_nobody)
{
    pid_t pid = fork();
    if (pid == 0) {
        bool ok = true;
        if (as_nobody && geteuid() == 0) ok = setgroups(0, NULL) == 0 && setgid(65534) == 0 && setuid(65534) == 0;
        _exit(ok && work(user) ? 0 : 1);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool stage_gives_io(void *user)
{
    aard_distribution *d = NULL;
    aard_error *error = run_stage(user, &d, NULL);
    bool io = error && aard_error_get_code(error) == AARD_ERR_IO;
    aard_error_free(error);
    return io;
}

static bool stage_works(void *user)
{
    aard_distribution *d = NULL;
    aard_error *error = run_stage(user, &d, NULL);
    if (!error) error = aard_distribution_verify(d);
    bool ok = !error;
    aard_distribution_free(d);
    aard_error_free(error);
    return ok;
}

static void a_home_without_permission_is_an_error(void **state)
{
    staging_fixture *f = *state;
    request r = {.home = f->home, .archive = f->source};
    for (size_t i = 0; i < CORE_FILES; i++) copy_pristine(f->source, core_files[i]);
    assert_ok(aard__dir_make(f->home));
    assert_int_equal(chmod(f->home, 0555), 0);
    assert_true(in_child(stage_gives_io, &r, true));
    assert_int_equal(chmod(f->home, 0777), 0);
    assert_int_equal(count_entries(f->home, ""), 0);
    aard_distribution *none = NULL;
    assert_refused(run_stage(&r, &none, NULL), AARD_ERR_UNTRUSTED, "chmod go-w", f->home, NULL);
    assert_int_equal(count_entries(f->home, ""), 0);
    assert_int_equal(chmod(f->home, 0755), 0);
    if (geteuid() == 0) assert_int_equal(chown(f->home, 65534, 65534), 0);
    assert_true(in_child(stage_works, &r, true));
    r.home = at(f->source, AARD__FILE_LOCK); /* a file, and what can't be below one */
    assert_true(in_child(stage_gives_io, &r, false));
    r.home = at(f->source, AARD__FILE_LOCK "/x");
    assert_true(in_child(stage_gives_io, &r, false));
}

static bool stage_with_small_files(void *user)
{
    struct rlimit limit = {3 << 20, 3 << 20}; /* stands for a full disk: a write comes back with an error */
    signal(SIGXFSZ, SIG_IGN);
    return setrlimit(RLIMIT_FSIZE, &limit) == 0 && stage_gives_io(user);
}

static void a_disk_that_fills_up_leaves_nothing(void **state)
{
    staging_fixture *f = *state;
    request r = {.home = f->home, .archive = f->source};
    assert_true(in_child(stage_with_small_files, &r, false));
    assert_int_equal(count_entries(f->home, ".tmp-"), 0);
    assert_int_equal(count_entries(f->home, "aardvark-"), 0);
}

static int allocations_left;
static int fail_later(size_t size)
{
    (void)size;
    return allocations_left-- > 0;
}

static void running_out_of_memory_leaves_nothing(void **state)
{
    staging_fixture *f = *state;
    char *wheel = strdup(make_wheel(f->temp, "one", "1.0", "Requires-Dist: micropip\n"));
    request r = {.home = f->home, .archive = f->source, .wheels = {wheel}};
    int n = 0;
    for (bool failed = true; failed; n++) {
        aard_distribution *d = NULL;
        allocations_left = n;
        aard__alloc_set_hook(fail_later);
        aard_error *error = run_stage(&r, &d, NULL);
        aard__alloc_set_hook(NULL);
        failed = error != NULL;
        if (error) assert_int_equal(aard_error_get_code(error), AARD_ERR_NO_MEMORY);
        aard_error_free(error);
        aard_distribution_free(d);
        if (failed) assert_true(count_entries(f->home, "aardvark-") <= 1); /* opening what was published may fail */
    }
    assert_true(n > 40);
    free(wheel);
}

/* ---- kills and rivals --------------------------------------------------------------------------------------- */

static bool note_broken(void *user, const char *dir, const aard_distribution *distribution, const aard_error *error)
{
    aard_error *found = distribution ? aard_distribution_verify(distribution) : NULL;
    if (error || found) {
        print_error("%s: %s\n", dir, aard_error_message(error ? error : found));
        ++*(int *)user;
    }
    aard_error_free(found);
    return true;
}

static void a_kill_leaves_nothing_half_made(void **state)
{
    staging_fixture *f = *state;
    request r = {.home = f->home, .archive = f->source};
    struct timespec start, end;
    clock_gettime(CLOCK_MONOTONIC, &start);
    aard_distribution_free(stage_ok(&r));
    clock_gettime(CLOCK_MONOTONIC, &end);
    long whole_us = (end.tv_sec - start.tv_sec) * 1000000 + (end.tv_nsec - start.tv_nsec) / 1000;
    int killed = 0, broken = 0, left = 0;
    for (int i = 0; i < 20 || ((killed < 5 || left < 1) && i < 200); i++) {
        r.force = i % 4 != 0; /* over one that is there, and where there is none */
        if (!r.force) assert_ok(aard__dir_remove(core_dir(f)));
        bool was_there = exists(core_dir(f));
        pid_t pid = fork();
        if (pid == 0) _exit(stage_works(&r) ? 0 : 1);
        usleep((useconds_t)(whole_us * (i % 20) / 20));
        kill(pid, SIGKILL);
        int status = 0;
        assert_int_equal(waitpid(pid, &status, 0), pid);
        if (WIFSIGNALED(status))
            killed++;
        else {
            assert_int_equal(WEXITSTATUS(status), 0);
            whole_us -= whole_us / 8; /* the machine has become faster */
        }
        if (count_entries(f->home, ".tmp-") > 0) left++;
        if (was_there) assert_true(exists(core_dir(f)));
        assert_ok(aard_distribution_list(f->home, note_broken, &broken));
        assert_int_equal(broken, 0);
    }
    assert_true(killed >= 5);
    assert_true(left >= 1); /* some were in the middle of it */
    r.force = true;
    aard_distribution_free(stage_ok(&r)); /* and it sweeps what they left */
}

static void several_at_once_end_well(void **state)
{
    staging_fixture *f = *state;
    char *wheel = strdup(make_wheel(f->temp, "one", "1.0", ""));
    request plain = {.home = f->home, .archive = f->source}, forced = plain, added = plain;
    forced.force = true;
    added.wheels[0] = wheel;
    const request *const all[] = {&plain, &plain, &forced, &forced, &added, &added};
    pid_t pids[6];
    for (size_t i = 0; i < 6; i++) {
        pids[i] = fork();
        if (pids[i] == 0) _exit(stage_works((void *)all[i]) ? 0 : 1);
    }
    for (size_t i = 0; i < 6; i++) {
        int status = 0;
        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
    }
    int broken = 0;
    assert_ok(aard_distribution_list(f->home, note_broken, &broken));
    assert_int_equal(broken, 0);
    assert_int_equal(count_entries(f->home, "aardvark-"), 2);
    assert_int_equal(count_entries(f->home, ".tmp-"), 0);
    free(wheel);
}

static void only_what_a_staging_left_is_swept(void **state)
{
    staging_fixture *f = *state;
    request r = {.home = f->home, .archive = f->source};
    static const char *const kept[] = {".tmp-mine", ".tmp-1-short", ".tmp-x-0123456789abcdef", "notes"};
    assert_ok(aard__dir_make(at(f->home, ".tmp-1-0123456789abcdef/product")));
    write_file(at(f->home, ".tmp-1-0123456789abcdef/product/x"), "x", 1);
    for (size_t i = 0; i < 4; i++) assert_ok(aard__dir_make(at(f->home, kept[i])));
    aard_distribution *d = NULL;
    assert_ok(run_stage(&r, &d, NULL));
    aard_distribution_free(d);
    assert_false(exists(at(f->home, ".tmp-1-0123456789abcdef")));
    for (size_t i = 0; i < 4; i++) assert_true(exists(at(f->home, kept[i])));
}

/* ---- npm ---------------------------------------------------------------------------------------------------- */

/* Makes `script` the only npm there is; the tools it needs are still found. */
static void with_npm(const staging_fixture *f, const char *script, const char *code, ...)
{
    request r = {.home = f->home};
    char *old = strdup(getenv("PATH")), *bin = strdup(at(f->temp, "bin")), text[1024];
    mkdir(bin, 0755);
    snprintf(text, sizeof text, "#!/bin/sh\n%s\n", script);
    write_file(at(bin, "npm"), text, strlen(text));
    chmod(at(bin, "npm"), 0755);
    setenv("PATH", bin, 1);
    aard_distribution *d = NULL;
    aard_error *error = run_stage(&r, &d, NULL);
    setenv("PATH", old, 1);
    assert_non_null(error);
    assert_string_equal(aard_error_code_name(aard_error_get_code(error)), code);
    va_list texts;
    va_start(texts, code);
    const char *wanted = va_arg(texts, const char *);
    va_end(texts);
    if (!strstr(aard_error_message(error), wanted)) fail_msg("'%s' is not in: %s", wanted, aard_error_message(error));
    aard_error_free(error);
    assert_int_equal(count_entries(f->home, ".tmp-"), 0);
    assert_int_equal(count_entries(f->home, "aardvark-"), 0);
    free(bin);
    free(old);
}

static void an_npm_that_fails_is_quoted(void **state)
{
    staging_fixture *f = *state;
    with_npm(f,
             "echo 'npm error code E404' >&2; echo 'npm error 404 Not Found' >&2\n"
             "echo 'npm error A complete log of this run can be found in: /x/_logs/y.log' >&2; exit 1",
             "stage_tool", "npm error 404 Not Found");
    with_npm(f, "exit 3", "stage_tool", "said nothing");
    with_npm(f, "kill -9 $$", "stage_tool", "could not fetch");
    with_npm(f, "i=0; while [ $i -lt 3000 ]; do echo 'a line of noise' >&2; i=$((i+1)); done; echo last >&2; exit 1",
             "stage_tool", "0.29.4: last");
    with_npm(f, "exit 0", "stage_tool", NPM_TARBALL);
    with_npm(f, "echo rubbish > " NPM_TARBALL, "stage_source", "SHA-512");
    with_npm(
        f,
        "[ \"$1 $2 $3\" = 'pack pyodide@0.29.4 --pack-destination' ] && [ \"$4\" = \"$(pwd)\" ] && echo as agreed >&2\n"
        "exit 1",
        "stage_tool", "as agreed");
}

static void a_machine_without_npm_is_told_what_to_install(void **state)
{
    staging_fixture *f = *state;
    request r = {.home = f->home};
    char *old = strdup(getenv("PATH"));
    setenv("PATH", f->temp, 1);
    aard_distribution *d = NULL;
    aard_error *error = run_stage(&r, &d, NULL);
    setenv("PATH", old, 1);
    assert_refused(error, AARD_ERR_STAGE_TOOL, "apt-get install npm", "--archive", NULL);
    assert_int_equal(count_entries(f->home, "aardvark-"), 0);
    free(old);
}

static void note_progress(void *user, const char *step, uint64_t done, uint64_t total)
{
    uint64_t *unpacked = user;
    assert_true(total == 0 || done <= total);
    if (strcmp(step, "unpacking") == 0) {
        assert_true(done >= *unpacked);
        *unpacked = done;
    }
}

static void the_machines_own_npm_stages_and_progress_is_told(void **state)
{
    staging_fixture *f = *state;
    aard_stage_options *options = NULL;
    aard_distribution *d = NULL;
    uint64_t unpacked = 0;
    assert_ok(aard_stage_options_new(&options));
    assert_ok(aard_stage_options_set_home(options, f->home));
    assert_ok(aard_stage_options_set_version(options, "0.29.4"));
    aard_stage_options_set_progress(options, note_progress, &unpacked);
    assert_ok(aard_distribution_stage(options, &d, NULL));
    aard_stage_options_free(options);
    assert_ok(aard_distribution_verify(d));
    assert_string_equal(aard_distribution_dir(d), core_dir(f));
    assert_true(unpacked > 5000000);
    aard_distribution_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STAGING_TEST(a_home_without_permission_is_an_error),
        STAGING_TEST(a_disk_that_fills_up_leaves_nothing),
        STAGING_TEST(running_out_of_memory_leaves_nothing),
        STAGING_TEST(a_kill_leaves_nothing_half_made),
        STAGING_TEST(several_at_once_end_well),
        STAGING_TEST(only_what_a_staging_left_is_swept),
        STAGING_TEST(an_npm_that_fails_is_quoted),
        STAGING_TEST(a_machine_without_npm_is_told_what_to_install),
        STAGING_TEST(the_machines_own_npm_stages_and_progress_is_told),
    };
    return cmocka_run_group_tests_name("staging faults", tests, NULL, NULL);
}
