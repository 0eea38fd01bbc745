/* Hardened children: guests do all they can there, and what is not on the list of system calls ends the process.
 * test-timeout: 240 */
#include "fork_support.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/process.h"
#include "process/harden/filter.h"
#include "process/harden/harden.h"

LEAKS_OF_LEFT_GUESTS

static aard__hardening *hardening;
static int sockets[2];
static int in_between; /* a descriptor that no child is to have */

static uint32_t have(void) { return aard__hardening_of(hardening)->measures; }

static void harden(void)
{
    aard_error *error = aard__harden_child(hardening, sockets[1]);
    if (error) fprintf(stderr, "%s\n", aard_error_message(error));
    need(!error);
}

/* ---- guests go on -------------------------------------------------------------------------------------------------- */

static void use_hardened(int number)
{
    harden();
    use_everything(number);
}

static void test_guests_do_all_they_can(void **state)
{
    (void)state;
    with_children(use_hardened, 10);
}

static void fill_hardened(int number)
{
    harden();
    fill_heaps(number);
}

static void test_limits_of_heaps_hold(void **state)
{
    (void)state;
    with_children(fill_hardened, 2);
}

static void stop_builtin(int number)
{
    (void)number;
    harden();
    need(ends(javascript, "Array.from({length: 2 ** 32 - 1}).sort()", 200, 0, AARD_FAILURE_TIMEOUT_EXCEEDED) ||
         true); /* by a signal, or by its heap */
    aard_outcome_free(run_for(python, "import re; re.match('(a*)*b', 'a' * 40)", 200, 0));
    aard_outcome_free(
        run_for(python, "import datetime, time, decimal; time.sleep(0.05); datetime.datetime.now()", 0, 0));
    aard_outcome_free(run_for(javascript, "new Intl.DateTimeFormat('de').format(new Date())", 0, 0));
    aard_outcome_free(run_for(javascript, "'x'.repeat(2 ** 29 - 25).normalize('NFKD').localeCompare('y')", 300, 0));
    aard_outcome_free(run_for(python, "open('/tmp/x', 'w').write('y' * 100000); import os; os.listdir('/')", 0, 0));
    aard_warm_state *warm = NULL;
    aard_error_free(aard_warm_state_capture(python, &warm)); /* refused, or made in memory */
    aard_warm_state_free(warm);
}

static void test_what_is_rare_is_no_reason_to_end(void **state)
{
    (void)state;
    with_children(stop_builtin, 1);
}

/* ---- system calls ---------------------------------------------------------------------------------------------------- */

enum { LAST_CALL = 480 };

/* Linux from 6.11 and 6.18 on, which asks no filter about these: a probe's own, which fail for anybody else. */
static bool is_a_probes(int number)
{
#ifdef __x86_64__
    return number == 335 || number == 336;
#else
    return number < 0;
#endif
}

static bool is_listed(int number)
{
    aard__system_call call;
    for (size_t i = 0; aard__system_call_at(i, &call); i++)
        if (call.number == number) return true;
    return false;
}

static void make_call(int number)
{
    harden();
    syscall(number, 0, 0, 0, 0, 0, 0);
    _exit(number == __NR_exit || number == __NR_exit_group ? 0 : 7); /* it came back */
}

static void test_calls_off_the_list_end_the_child(void **state)
{
    (void)state;
    if (!(have() & AARD_HARDEN_SECCOMP)) fail_msg("no seccomp here");
    size_t tried = 0;
    for (int number = 0; number <= LAST_CALL; number++) {
        if (is_listed(number) || is_a_probes(number)) continue;
        tried++;
        int status = end_of(start_child(make_call, number));
        if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS) fail_msg("system call %d: status %x", number, status);
    }
    assert_true(tried > 380);
}

/* Calls that are allowed with other arguments. */
static const struct {
    long number, arguments[4];
} refused[] = {
    {__NR_clone, {SIGCHLD, 0, 0, 0}},         {__NR_clone, {0x3d0f00 | 0x10000000, 0, 0, 0}}, /* CLONE_NEWUSER */
    {__NR_tgkill, {1, 1, SIGKILL, 0}},        {__NR_fcntl, {0, F_SETFL, 0, 0}},
    {__NR_fcntl, {0, F_DUPFD, 0, 0}},         {__NR_fcntl, {0, F_SETOWN, 1, 0}},
    {__NR_ioctl, {0, 0x5412, 0, 0}},   /* TIOCSTI */
    {__NR_memfd_create, {0, 4, 0, 0}}, /* MFD_HUGETLB */
    {__NR_prlimit64, {0, RLIMIT_CORE, 1, 0}}, {__NR_prlimit64, {0, RLIMIT_CORE, 1L << 32, 0}},
};

static void make_refused(int index)
{
    harden();
    syscall(refused[index].number, refused[index].arguments[0], refused[index].arguments[1],
            refused[index].arguments[2], refused[index].arguments[3], 0, 0);
    _exit(7);
}

static void test_arguments_off_the_list_end_the_child(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(refused); i++) {
        int status = end_of(start_child(make_refused, (int)i));
        if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS) fail_msg("row %zu: status %x", i, status);
    }
}

static void try_allowed(int number)
{
    (void)number;
    harden();
    need(syscall(__NR_clone3, 0, 0) < 0 && errno == ENOSYS);
    need(open("/etc/passwd", O_RDONLY) < 0 && errno == EACCES);
    struct stat st;
    need(stat("/", &st) < 0 && errno == EACCES);
    need(!syscall(__NR_tgkill, getpid(), gettid(), 0));
    struct rlimit limit;
    need(!getrlimit(RLIMIT_AS, &limit));
    need(write(sockets[1], "x", 1) == 1);
}

static void test_calls_on_the_list_are_made(void **state)
{
    (void)state;
    with_children(try_allowed, 1);
    char got;
    assert_int_equal(read(sockets[0], &got, 1), 1);
}

/* ---- the other measures, without the filter, which would answer for them -------------------------------------------- */

static aard__hardening *unfiltered;

static void look_around(int number)
{
    (void)number;
    setenv("SECRET", "1", 1);
    need(!aard__harden_child(unfiltered, sockets[1]));
    uint32_t measures = aard__hardening_of(unfiltered)->measures;
    struct rlimit limit;
    struct stat st;
    int signal_of_death = 0;
    need(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
    need(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0);
    need(!prctl(PR_GET_PDEATHSIG, &signal_of_death) && signal_of_death == SIGKILL);
    need(!getrlimit(RLIMIT_CORE, &limit) && limit.rlim_max == 0);
    need(!getrlimit(RLIMIT_NOFILE, &limit) && limit.rlim_max == 64);
    need(!getenv("SECRET"));
    need(fcntl(in_between, F_GETFD) < 0 && errno == EBADF);
    need(fcntl(sockets[0], F_GETFD) < 0);
    need(!fstat(sockets[1], &st) && S_ISSOCK(st.st_mode));
    need(kill(getppid(), 0) < 0 || !(measures & AARD_HARDEN_USER_NAMESPACE) || !getuid());
    if (measures & (AARD_HARDEN_MOUNT_NAMESPACE | AARD_HARDEN_LANDLOCK)) need(open("/etc/passwd", O_RDONLY) < 0);
    if (measures & AARD_HARDEN_MOUNT_NAMESPACE) need(access("/etc", F_OK) < 0 && access("/proc", F_OK) < 0);
    if (measures & AARD_HARDEN_CAPABILITIES) need(chroot("/") < 0 && errno == EPERM);
    if (measures & AARD_HARDEN_NETWORK_NAMESPACE) {
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        need(fd < 0 || syscall(__NR_connect, fd, &(char[16]){AF_INET, 0, 0, 80, 127, 0, 0, 1}, 16) < 0);
    }
    use_everything(0); /* as before */
}

static void test_nothing_of_the_machine_is_in_reach(void **state)
{
    (void)state;
    with_children(look_around, 2);
}

static void wait_for_ever(int number)
{
    (void)number;
    harden();
    need(write(sockets[1], "r", 1) == 1);
    for (char got;;) need(read(sockets[1], &got, 1) == 1);
}

static void be_a_template(int number)
{
    aard__hardening *own;
    need(!aard__hardening_take(AARD_HARDEN_PARENT_DEATH, 0, &own));
    hardening = own;
    pid_t child;
    need(!aard__process_fork(&child));
    if (!child) wait_for_ever(number);
    need(write(sockets[1], &child, sizeof child) == sizeof child);
    for (;;) pause();
}

/* Nobody is left of a template that was killed. */
static void test_children_end_with_their_template(void **state)
{
    (void)state;
    pid_t template = start_child(be_a_template, 0), child = 0;
    for (char ready = 0; !child || ready != 'r';) {
        char got[sizeof child];
        ssize_t len = recv(sockets[0], got, sizeof got, 0);
        if (len == 1) ready = got[0];
        if (len == sizeof child) memcpy(&child, got, sizeof child);
    }
    kill(template, SIGKILL);
    end_of(template);
    double start = now_ms();
    while (!kill(child, 0) && now_ms() - start < 30000) usleep(1000);
    assert_true(kill(child, 0) && errno == ESRCH);
}

/* ---- templates, which import modules of bundles ------------------------------------------------------------------------ */

static void use_hardened_twice(int number)
{
    need(!aard__harden_child(unfiltered, sockets[1]) && number < 100);
    use_everything(number);
}

static bool signals_are_scoped(void) { return syscall(444, NULL, 0, 1) >= 6; } /* Landlock's version: Linux 6.12 */

/* Neither by the calls that its children signal themselves with, nor by having the kernel tell of a descriptor. */
static bool cannot_signal(pid_t other)
{
    char byte = 0;
    if (!syscall(__NR_tgkill, other, other, SIGABRT) || errno != EPERM) return false;
    if (!syscall(__NR_tgkill, other, other, 40) || errno != EPERM) return false;
    int fd = sockets[1];
    if (fcntl(fd, F_SETSIG, SIGKILL) || fcntl(fd, F_SETOWN, other) || fcntl(fd, F_SETFL, O_ASYNC | O_NONBLOCK))
        return true;
    return write(sockets[0], &byte, 1) == 1; /* whoever is signalled is there no more to wait for this one */
}

static void be_a_hardened_template(int number)
{
    const char *readable[] = {"/usr/share", "/is/not/there", NULL};
    pid_t child;
    int status;
    need(!aard__hardening_take(AARD_HARDEN_ALL, 0, &unfiltered));
    need(!aard__harden_template(unfiltered, readable));
    need(execl("/bin/true", "true", NULL) < 0 && errno == EPERM);
    need(socket(AF_UNIX, SOCK_STREAM, 0) < 0 && errno == EPERM);
    need(kill(getppid(), SIGKILL) < 0 && errno == EPERM);
    need(syscall(__NR_pidfd_open, getppid(), 0) < 0 && errno == EPERM);
    need(syscall(__NR_rt_sigqueueinfo, getppid(), SIGKILL, NULL) < 0 && errno == EPERM);
    need(syscall(__NR_tkill, getppid(), SIGKILL) < 0 && errno == EPERM);
    need(syscall(__NR_tgkill, getppid(), getppid(), SIGKILL) < 0 && errno == EPERM);
    if (signals_are_scoped()) need(cannot_signal(getppid()));
    need(syscall(__NR_process_vm_readv, getppid(), 0, 0, 0, 0, 0) < 0 && errno == EPERM);
    need(unlink("/usr/share/nothing") < 0 && errno == EPERM);
    need(open("/tmp/aardvark-is-not-there", O_WRONLY | O_CREAT, 0600) < 0 && errno == EACCES);
    need(open("/proc/self/statm", O_RDONLY) >= 0 && open("/usr/share", O_RDONLY) >= 0);
    if (aard__hardening_of(unfiltered)->measures & AARD_HARDEN_LANDLOCK) need(open("/etc/passwd", O_RDONLY) < 0);
    use_everything(number);
    for (int i = 0; i < 2; i++) {
        need(!aard__process_fork(&child));
        if (!child) {
            use_hardened_twice(i);
            _exit(0);
        }
        need(waitpid(child, &status, 0) == child && !status);
    }
}

static void test_a_template_gives_up_what_it_needs_no_more(void **state)
{
    (void)state;
    with_children(be_a_hardened_template, 1);
}

/* ---- what is told ------------------------------------------------------------------------------------------------------ */

static void test_measures_have_names(void **state)
{
    (void)state;
    size_t count = 0;
    for (uint32_t measure = 1; measure & AARD_HARDEN_ALL; measure <<= 1, count++) {
        const char *name = aard_hardening_name(measure);
        assert_non_null(aard_hardening_text(measure));
        assert_non_null(aard_hardening_needs(measure));
        assert_int_equal(aard_hardening_by_name(name), measure);
        print_message("%-18s %s\n", name, have() & measure ? "in force" : "not here");
    }
    assert_int_equal(count, AARD__HARDENINGS);
    assert_int_equal((1U << count) - 1, AARD_HARDEN_ALL);
    assert_int_equal(have() & ~(uint32_t)AARD_HARDEN_ALL, 0);
    assert_null(aard_hardening_name(0));
    assert_null(aard_hardening_text(AARD_HARDEN_ALL));
    assert_null(aard_hardening_needs(1U << count));
    assert_int_equal(aard_hardening_by_name("Seccomp") | aard_hardening_by_name("") | aard_hardening_by_name(NULL), 0);
    const uint32_t everywhere = AARD_HARDEN_NO_NEW_PRIVILEGES | AARD_HARDEN_LIMITS | AARD_HARDEN_PARENT_DEATH |
                                AARD_HARDEN_DESCRIPTORS | AARD_HARDEN_ENVIRONMENT | AARD_HARDEN_CAPABILITIES |
                                AARD_HARDEN_NOT_DUMPABLE | AARD_HARDEN_SECCOMP;
    assert_int_equal(have() & everywhere, everywhere);
}

static bool has_line(const char *text, const char *start, const char *end)
{
    for (const char *at = text; (at = strstr(at, start)); at++) {
        const char *line_end = strchr(at, '\n');
        size_t len = line_end ? (size_t)(line_end - at) : strlen(at), tail = strlen(end);
        if ((at == text || at[-1] == '\n') && len >= tail && !strncmp(at + len - tail, end, tail)) return true;
    }
    return false;
}

static void test_the_manual_lists_the_same(void **state)
{
    (void)state;
    static char text[64 * KIB];
    FILE *file = fopen("docs/process-isolation.md", "r");
    assert_non_null(file);
    size_t len = fread(text, 1, sizeof text - 1, file), rows = 0, listed = 0;
    fclose(file);
    text[len] = '\0';
    char start[80], end[300];
    aard__system_call call;
    for (; aard__system_call_at(rows, &call); rows++) {
        snprintf(start, sizeof start, "| `%s` |", call.name);
        snprintf(end, sizeof end, "| %s |", call.reason);
        if (!has_line(text, start, end)) fail_msg("docs/process-isolation.md lacks: %s ... %s", start, end);
    }
    for (uint32_t measure = 1; measure & AARD_HARDEN_ALL; measure <<= 1, rows++) {
        snprintf(start, sizeof start, "| `%s` |", aard_hardening_name(measure));
        snprintf(end, sizeof end, "| %s |", aard_hardening_text(measure));
        if (!has_line(text, start, end)) fail_msg("docs/process-isolation.md lacks: %s ... %s", start, end);
    }
    for (const char *at = text; (at = strstr(at, "\n| `")); at++) listed++;
    assert_int_equal(listed, rows);
}

static int make_hardened_template(void **state)
{
    if (make_template(state)) return -1;
    in_between = open("/dev/null", O_RDONLY);
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets)) return -1;
    assert_ok(aard__hardening_take(AARD_HARDEN_ALL, 0, &hardening));
    return 0;
}

static int take_unfiltered(void **state)
{
    (void)state;
    assert_ok(aard__hardening_take(AARD_HARDEN_ALL & ~(uint32_t)AARD_HARDEN_SECCOMP, 0, &unfiltered));
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_measures_have_names),
        cmocka_unit_test(test_the_manual_lists_the_same),
        cmocka_unit_test(test_guests_do_all_they_can),
        cmocka_unit_test(test_limits_of_heaps_hold),
        cmocka_unit_test(test_what_is_rare_is_no_reason_to_end),
        cmocka_unit_test(test_calls_off_the_list_end_the_child),
        cmocka_unit_test(test_arguments_off_the_list_end_the_child),
        cmocka_unit_test(test_calls_on_the_list_are_made),
        cmocka_unit_test(test_children_end_with_their_template),
        cmocka_unit_test(test_a_template_gives_up_what_it_needs_no_more),
        cmocka_unit_test_setup(test_nothing_of_the_machine_is_in_reach, take_unfiltered),
    };
    return cmocka_run_group_tests(tests, make_hardened_template, end_template);
}
