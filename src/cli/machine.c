/* What the machine gives guests: the part of `aardvark doctor` that asks the kernel. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "cli/cli.h"

enum {
    OF_PYTHON = 32,     /* memory mappings of an isolate in a thread, */
    OF_JAVASCRIPT = 12, /* once it is settled, */
    FOR_OTHERS = 4096   /* and those that the library leaves alone */
};

/* The first line of a file, without its end; false where there is none to be read. */
static bool read_line(const char *path, char *line, size_t size)
{
    FILE *file = fopen(path, "re");
    bool got = file && fgets(line, (int)size, file);
    if (file) fclose(file);
    if (got) line[strcspn(line, "\n")] = '\0';
    return got;
}

static void put_file(cli_report *report, const char *key, const char *path)
{
    char line[512];
    cli_report_text(report, key, read_line(path, line, sizeof line) ? line : NULL);
}

static uint64_t number_in(const char *path, uint64_t otherwise)
{
    char line[64];
    return read_line(path, line, sizeof line) ? strtoull(line, NULL, 10) : otherwise;
}

/* The rest of the line that begins with `start`. */
static bool find_line(const char *path, const char *start, char *out, size_t size)
{
    char line[4096];
    FILE *file = fopen(path, "re");
    bool found = false;
    while (file && !found && fgets(line, sizeof line, file))
        if ((found = !strncmp(line, start, strlen(start)))) snprintf(out, size, "%s", line + strlen(start));
    if (file) fclose(file);
    if (found) out[strcspn(out, "\n")] = '\0';
    return found;
}

static void put_memory(cli_report *report)
{
    const uint64_t most = number_in("/proc/sys/vm/max_map_count", 65530);
    const uint64_t usable = most > FOR_OTHERS ? most - FOR_OTHERS : 0;
    char total[64] = "0";
    find_line("/proc/meminfo", "MemTotal:", total, sizeof total);
    cli_report_number(report, "memory_kib", strtoull(total, NULL, 10));
    cli_report_number(report, "vm.max_map_count", most);
    cli_report_number(report, "python_isolates_of_a_process", usable / OF_PYTHON);
    cli_report_number(report, "javascript_isolates_of_a_process", usable / OF_JAVASCRIPT);
}

/* ---- limits of the process ---------------------------------------------------------------------------------------- */

static void print_limit(char *out, size_t size, rlim_t limit)
{
    if (limit == RLIM_INFINITY)
        snprintf(out, size, "unlimited");
    else
        snprintf(out, size, "%llu", (unsigned long long)limit);
}

static void put_limits(cli_report *report)
{
    static const struct {
        const char *key;
        int which;
    } limits[] = {{"RLIMIT_AS", RLIMIT_AS},     {"RLIMIT_NOFILE", RLIMIT_NOFILE},   {"RLIMIT_NPROC", RLIMIT_NPROC},
                  {"RLIMIT_CORE", RLIMIT_CORE}, {"RLIMIT_MEMLOCK", RLIMIT_MEMLOCK}, {"RLIMIT_STACK", RLIMIT_STACK}};
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        struct rlimit limit;
        char soft[32], hard[32], text[80];
        if (getrlimit((__rlimit_resource_t)limits[i].which, &limit)) continue;
        print_limit(soft, sizeof soft, limit.rlim_cur);
        print_limit(hard, sizeof hard, limit.rlim_max);
        snprintf(text, sizeof text, "%s of %s", soft, hard);
        cli_report_text(report, limits[i].key, text);
    }
}

/* Those of the control group that the process is in, of version 2. */
static void put_cgroup(cli_report *report)
{
    static const char *const files[] = {"memory.max", "pids.max", "cpu.max"};
    char group[1024], path[1200];
    bool there = !access("/sys/fs/cgroup/cgroup.controllers", R_OK) &&
                 find_line("/proc/self/cgroup", "0::", group, sizeof group);
    cli_report_text(report, "cgroup2", there ? group : NULL);
    for (size_t i = 0; there && i < sizeof files / sizeof *files; i++) {
        snprintf(path, sizeof path, "/sys/fs/cgroup%s/%s", strcmp(group, "/") ? group : "", files[i]);
        put_file(report, files[i], path);
    }
}

/* ---- what hardening is made of -------------------------------------------------------------------------------------- */

#ifndef __NR_landlock_create_ruleset
#define __NR_landlock_create_ruleset 444
#endif

static bool has_protection_keys(void)
{
    char flags[4096];
    return find_line("/proc/cpuinfo", "flags", flags, sizeof flags) && strstr(flags, " ospke");
}

static void put_kernel(cli_report *report)
{
    struct utsname name;
    long landlock = syscall(__NR_landlock_create_ruleset, NULL, 0, 1);
    cli_report_text(report, "kernel", uname(&name) ? NULL : name.release);
    cli_report_number(report, "landlock_abi", landlock > 0 ? (uint64_t)landlock : 0);
    put_file(report, "seccomp_actions", "/proc/sys/kernel/seccomp/actions_avail");
    put_file(report, "user.max_user_namespaces", "/proc/sys/user/max_user_namespaces");
    put_file(report, "kernel.unprivileged_userns_clone", "/proc/sys/kernel/unprivileged_userns_clone");
    put_file(report, "kernel.apparmor_restrict_unprivileged_userns",
             "/proc/sys/kernel/apparmor_restrict_unprivileged_userns");
    put_file(report, "kernel.yama.ptrace_scope", "/proc/sys/kernel/yama/ptrace_scope");
    cli_report_text(report, "memory_protection_keys", has_protection_keys() ? "yes" : "no");
}

void cli_machine(cli_report *report)
{
    cli_report_section(report, "machine");
    put_kernel(report);
    cli_report_number(report, "processors", (uint64_t)sysconf(_SC_NPROCESSORS_ONLN));
    put_memory(report);
    cli_report_section(report, "limits");
    put_limits(report);
    put_cgroup(report);
}
