#include "process/harden/harden.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/process.h"
#include "base/resident.h"
#include "process/harden/filter.h"
#include "process/harden/landlock.h"
#include "process/harden/lifeline.h"

struct aard__hardening {
    aard__hardening_report report;
    rlim_t open_files, data; /* `data`: bytes; 0 = no limit */
    int root;                /* an empty directory; -1 = none */
    int ruleset;             /* Landlock's; -1 = none */
    pid_t template;
    aard__filter filter;
};

static aard_error *failed(uint32_t measure)
{
    return aard__error_errno(AARD_ERR_ENGINE, errno, "a process of guests can't be hardened: %s",
                             aard_hardening_name(measure));
}

static void note(aard__hardening *h, uint32_t measure, bool in_force)
{
    aard__hardening_note(&h->report, measure, in_force);
}

static bool has(const aard__hardening *h, uint32_t measure) { return h->report.measures & measure; }

/* ---- namespaces -------------------------------------------------------------------------------------------------- */

/* A thread that has just ended is not gone for the kernel at once. */
static bool leave_user(int flags)
{
    for (int i = 0; i < 50; i++) {
        if (!unshare(flags)) return true;
        if (errno != EINVAL) return false;
        aard__clock_pause(200000);
    }
    return false;
}

static void take_namespaces(aard__hardening *h, uint32_t wanted)
{
    static const struct {
        uint32_t measure;
        int flag;
    } others[] = {{AARD_HARDEN_NETWORK_NAMESPACE, CLONE_NEWNET},
                  {AARD_HARDEN_IPC_NAMESPACE, CLONE_NEWIPC},
                  {AARD_HARDEN_UTS_NAMESPACE, CLONE_NEWUTS},
                  {AARD_HARDEN_MOUNT_NAMESPACE, CLONE_NEWNS}};
    if (wanted & AARD_HARDEN_USER_NAMESPACE) note(h, AARD_HARDEN_USER_NAMESPACE, leave_user(CLONE_NEWUSER));
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (wanted & others[i].measure) note(h, others[i].measure, !unshare(others[i].flag));
}

#ifndef __NR_fsopen
#define __NR_fsopen 430
#define __NR_fsconfig 431
#define __NR_fsmount 432
#endif
enum { CONFIG_CREATE = 6, CLOSE_ON_EXEC = 1, ATTRIBUTES = 1 | 2 | 4 | 8 /* read-only, nosuid, nodev, noexec */ };

/* A file system of its own that is nowhere to be found, with nothing in it. */
static int make_root(void)
{
    int made = -1, fs = (int)syscall(__NR_fsopen, "tmpfs", CLOSE_ON_EXEC);
    if (fs < 0) return -1;
    if (!syscall(__NR_fsconfig, fs, CONFIG_CREATE, NULL, NULL, 0))
        made = (int)syscall(__NR_fsmount, fs, CLOSE_ON_EXEC, ATTRIBUTES);
    close(fs);
    return made;
}

/* ---- the template's share ------------------------------------------------------------------------------------------ */

static int compare(const void *a, const void *b) { return *(const char *)a - *(const char *)b; }

/* What the C library finds out when it is first needed, and keeps: the zone from a file; how much memory there is, before it
 * sorts anything large. */
static void ask_ahead(void)
{
    char large[2048] = {0};
    tzset();
    qsort(large, sizeof large, 1, compare);
}

/* They are inherited, and the template itself needs none of it. */
static bool limit_resources(void)
{
    static const struct {
        int which;
        rlim_t most;
    } limits[] = {{RLIMIT_CORE, 0}, {RLIMIT_MEMLOCK, 0}, {RLIMIT_MSGQUEUE, 0}, {RLIMIT_FSIZE, (rlim_t)4 << 30}};
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        struct rlimit now;
        if (getrlimit((__rlimit_resource_t)limits[i].which, &now)) return false;
        if (now.rlim_max > limits[i].most) now.rlim_max = limits[i].most;
        now.rlim_cur = now.rlim_max;
        if (setrlimit((__rlimit_resource_t)limits[i].which, &now)) return false;
    }
    return true;
}

/* Both need the first, which the kernel has for every process. */
static void take_restrictions(aard__hardening *h, uint32_t wanted)
{
    wanted &= AARD_HARDEN_NO_NEW_PRIVILEGES | AARD_HARDEN_SECCOMP | AARD_HARDEN_LANDLOCK;
    if (!wanted) return;
    bool held = !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    note(h, AARD_HARDEN_NO_NEW_PRIVILEGES, held);
    if (wanted & AARD_HARDEN_LANDLOCK) note(h, AARD_HARDEN_LANDLOCK, held && (h->ruleset = aard__landlock_new()) >= 0);
    if (wanted & AARD_HARDEN_SECCOMP) note(h, AARD_HARDEN_SECCOMP, held && aard__filter_available());
    if (has(h, AARD_HARDEN_SECCOMP)) aard__filter_make(&h->filter, AARD__FILTER_OF_CHILDREN);
}

/* What a sanitizer adds to this build reads files of /proc, and makes system calls that are on nobody's list. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { NOT_WITH_SANITIZERS = AARD_HARDEN_SECCOMP | AARD_HARDEN_LANDLOCK | AARD_HARDEN_MOUNT_NAMESPACE };
#else
enum { NOT_WITH_SANITIZERS = 0 };
#endif

aard_error *aard__hardening_take(uint32_t wanted, uint32_t open_files, aard__hardening **out)
{
    const uint32_t of_children = AARD_HARDEN_PARENT_DEATH | AARD_HARDEN_DESCRIPTORS | AARD_HARDEN_ENVIRONMENT |
                                 AARD_HARDEN_CAPABILITIES | AARD_HARDEN_NOT_DUMPABLE;
    AARD__TRY(aard__process_quiesce());
    aard__hardening *h = aard__calloc(1, sizeof *h);
    if (!h) return aard__error_no_memory();
    h->root = h->ruleset = -1;
    h->open_files = open_files ? open_files : 64;
    h->template = getpid();
    wanted &= ~(uint32_t)NOT_WITH_SANITIZERS;
    h->report.measures = wanted & of_children;
    ask_ahead();
    take_namespaces(h, wanted);
    if (has(h, AARD_HARDEN_MOUNT_NAMESPACE)) note(h, AARD_HARDEN_MOUNT_NAMESPACE, (h->root = make_root()) >= 0);
    if (wanted & AARD_HARDEN_LIMITS) note(h, AARD_HARDEN_LIMITS, limit_resources());
    take_restrictions(h, wanted);
    *out = h;
    return NULL;
}

#define UNTOUCHED_KIB ((uint64_t)1 << 20)

void aard__hardening_limit_data(aard__hardening *h, uint64_t kib)
{
    uint64_t now = aard__data_kib();
    if (now && kib < UINT64_MAX / 2048) h->data = (now + kib + UNTOUCHED_KIB) * 1024;
}

/* ---- the template itself: modules of a bundle are imported there ------------------------------------------------------ */

aard_error *aard__harden_template(aard__hardening *h, const char *const *readable)
{
    aard__filter filter;
    AARD__TRY(aard__process_quiesce()); /* both hold for the calling thread and what it starts */
    if (has(h, AARD_HARDEN_LANDLOCK) && !aard__landlock_read_only(readable)) return failed(AARD_HARDEN_LANDLOCK);
    if (!has(h, AARD_HARDEN_SECCOMP)) return NULL;
    aard__filter_make(&filter, AARD__FILTER_OF_TEMPLATES);
    return aard__filter_install(&filter) ? NULL : failed(AARD_HARDEN_SECCOMP);
}

const aard__hardening_report *aard__hardening_of(const aard__hardening *hardening) { return &hardening->report; }

/* ---- a child's share ------------------------------------------------------------------------------------------------ */

/* Where there is no lifeline it ends with its template; one that ended before has nobody to tell. */
static bool end_with_host(const aard__hardening *h)
{
    return aard__lifeline_watch() || (!prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) && getppid() == h->template);
}

static bool enter_root(const aard__hardening *h) { return !fchdir(h->root) && !chroot("."); }

static bool drop_capabilities(const aard__hardening *h)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[2] = {{0, 0, 0}, {0, 0, 0}};
    (void)h;
    return !syscall(__NR_capset, &header, none);
}

static bool restrict_files(const aard__hardening *h) { return aard__landlock_restrict(h->ruleset); }

static bool limit_child(const aard__hardening *h)
{
    struct rlimit most = {h->open_files, h->open_files}, data = {h->data, h->data};
    return !setrlimit(RLIMIT_NOFILE, &most) && (!h->data || !setrlimit(RLIMIT_DATA, &data));
}

static bool clear_environment(const aard__hardening *h)
{
    (void)h;
    return !clearenv();
}

static bool hide_memory(const aard__hardening *h)
{
    (void)h;
    return !prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

enum { MOST_KEPT = 16 };

static bool close_between(int after, int before)
{
    return after + 1 >= before || !syscall(__NR_close_range, after + 1, before - 1, 0);
}

static bool close_descriptors(int socket)
{
    int kept[MOST_KEPT], count = 0, last = 2; /* the standard ones are /dev/null */
    const aard__process_state *state;
    kept[count++] = socket;
    for (size_t i = 0; (state = aard__process_state_at(i)); i++) {
        int fd = state->descriptor ? state->descriptor() : -1;
        if (fd >= 0 && count < MOST_KEPT) kept[count++] = fd;
    }
    for (int i = 1; i < count; i++) /* by their numbers */
        for (int k = i; k > 0 && kept[k - 1] > kept[k]; k--) {
            int other = kept[k];
            kept[k] = kept[k - 1];
            kept[k - 1] = other;
        }
    for (int i = 0; i < count; i++) {
        if (!close_between(last, kept[i])) return false;
        if (kept[i] > last) last = kept[i];
    }
    return !syscall(__NR_close_range, last + 1, ~0U, 0);
}

aard_error *aard__harden_child(aard__hardening *h, int socket)
{
    static const struct {
        uint32_t measure;
        bool (*take)(const aard__hardening *hardening);
    } steps[] = {
        {AARD_HARDEN_PARENT_DEATH, end_with_host}, {AARD_HARDEN_MOUNT_NAMESPACE, enter_root},
        {AARD_HARDEN_LANDLOCK, restrict_files},    {AARD_HARDEN_CAPABILITIES, drop_capabilities},
        {AARD_HARDEN_LIMITS, limit_child},         {AARD_HARDEN_ENVIRONMENT, clear_environment},
        {AARD_HARDEN_NOT_DUMPABLE, hide_memory},
    };
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        if (has(h, steps[i].measure) && !steps[i].take(h)) return failed(steps[i].measure);
    if (has(h, AARD_HARDEN_DESCRIPTORS) && !close_descriptors(socket)) return failed(AARD_HARDEN_DESCRIPTORS);
    if (has(h, AARD_HARDEN_SECCOMP) && !aard__filter_install(&h->filter)) return failed(AARD_HARDEN_SECCOMP);
    return NULL;
}
