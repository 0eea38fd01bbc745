#include "process/harden/landlock.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef __NR_landlock_create_ruleset
#define __NR_landlock_create_ruleset 444
#define __NR_landlock_add_rule 445
#define __NR_landlock_restrict_self 446
#endif

/* linux/landlock.h's, whose older versions lack the later members. */
typedef struct ruleset {
    uint64_t files, network, scopes;
} ruleset;

int aard__landlock_new(void)
{
    static const struct {
        unsigned files, network, scopes; /* how many rights */
    } versions[] = {{13, 0, 0}, {14, 0, 0}, {15, 0, 0}, {15, 2, 0}, {16, 2, 0}, {16, 2, 2}};
    long version = syscall(__NR_landlock_create_ruleset, NULL, 0, 1);
    if (version < 1) return -1;
    size_t known = sizeof versions / sizeof *versions, at = (size_t)version < known ? (size_t)version - 1 : known - 1;
    ruleset all = {(UINT64_C(1) << versions[at].files) - 1, (UINT64_C(1) << versions[at].network) - 1,
                   (UINT64_C(1) << versions[at].scopes) - 1};
    size_t size = version < 4 ? sizeof all.files : version < 6 ? 2 * sizeof all.files : sizeof all;
    return (int)syscall(__NR_landlock_create_ruleset, &all, size, 0);
}

enum { PATH_BENEATH = 1, READ_FILE = 1 << 2, READ_DIRECTORY = 1 << 3 };

/* One that is not there needs no rule. */
static void let_read(int rules, const char *dir)
{
    struct {
        uint64_t rights;
        int32_t dir;
    } __attribute__((packed)) rule = {READ_FILE | READ_DIRECTORY, open(dir, O_PATH | O_CLOEXEC)};
    if (rule.dir < 0) return;
    syscall(__NR_landlock_add_rule, rules, PATH_BENEATH, &rule, 0);
    close(rule.dir);
}

bool aard__landlock_restrict(int rules) { return !syscall(__NR_landlock_restrict_self, rules, 0); }

bool aard__landlock_read_only(const char *const *readable)
{
    int rules = aard__landlock_new();
    if (rules < 0) return false;
    let_read(rules, "/proc");
    for (; *readable; readable++) let_read(rules, *readable);
    bool restricted = aard__landlock_restrict(rules);
    close(rules);
    return restricted;
}
