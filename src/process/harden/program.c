/* A program that serves one guest in a thread of its own hardens itself. */
#include <errno.h>
#include <linux/capability.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/resident.h"
#include "process/harden/filter.h"
#include "process/harden/harden.h"
#include "process/harden/landlock.h"

static bool limit_resources(void)
{
    static const __rlimit_resource_t limits[] = {RLIMIT_CORE, RLIMIT_MSGQUEUE};
    const struct rlimit none = {0, 0};
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
        if (setrlimit(limits[i], &none)) return false;
    return true;
}

static bool drop_capabilities(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[2] = {{0, 0, 0}, {0, 0, 0}};
    return !syscall(__NR_capset, &header, none);
}

static bool hide_memory(void) { return !prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); }

/* Of the calling thread, which runs the guest; the others have the filter. */
static bool restrict_files(void)
{
    int rules = aard__landlock_new();
    if (rules < 0) return false;
    bool restricted = aard__landlock_restrict(rules);
    int failure = errno;
    close(rules);
    errno = failure;
    return restricted;
}

static bool install_filter(bool opens)
{
    aard__filter filter;
    if (!aard__filter_available()) return false;
    aard__filter_make(&filter, opens ? AARD__FILTER_OF_OPENERS : AARD__FILTER_OF_PROGRAMS);
    return aard__filter_install_everywhere(&filter);
}

void aard__harden_program(bool opens, aard__hardening_report *out)
{
    aard__hardening_report report = {.measures = 0};
    aard__resident_kib(); /* these open files, for whoever asks first */
    tzset();
    aard__hardening_note(&report, AARD_HARDEN_LIMITS, limit_resources());
    bool held = !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    aard__hardening_note(&report, AARD_HARDEN_NO_NEW_PRIVILEGES, held);
    aard__hardening_note(&report, AARD_HARDEN_NOT_DUMPABLE, hide_memory());
    if (!opens) { /* else files are opened with them, and below directories that only the host knows */
        aard__hardening_note(&report, AARD_HARDEN_CAPABILITIES, drop_capabilities());
        aard__hardening_note(&report, AARD_HARDEN_LANDLOCK, held && restrict_files());
    }
    aard__hardening_note(&report, AARD_HARDEN_SECCOMP, held && install_filter(opens));
    *out = report;
}
