#include "base/file_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"

#define STEP_NS 1000000l             /* between two tries: who waits long must not lose to who comes */
#define TELL_NS UINT64_C(1000000000) /* between two words about who holds it */
#define HOLDER 96                    /* bytes of what is said of a process */

/* The command's name of a process, for messages. */
static void put_process(long pid, char out[HOLDER])
{
    char path[64], name[32] = "";
    snprintf(path, sizeof path, "/proc/%ld/comm", pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t len = fd >= 0 ? read(fd, name, sizeof name - 1) : -1;
    if (fd >= 0) close(fd);
    name[len > 0 ? len : 0] = '\0';
    name[strcspn(name, "\n")] = '\0';
    for (char *c = name; *c; c++) /* any process may call itself what it likes */
        if (*c < ' ' || *c > '~') *c = '?';
    snprintf(out, HOLDER, name[0] ? "process %ld (%s)" : "process %ld", pid, name);
}

/* Who holds the lock of an open file, as the kernel lists it. */
static void find_holder(int fd, char out[HOLDER])
{
    struct stat st;
    char line[256];
    snprintf(out, HOLDER, "another process");
    FILE *locks = fstat(fd, &st) == 0 ? fopen("/proc/locks", "re") : NULL;
    while (locks && fgets(line, sizeof line, locks)) {
        long pid;
        unsigned long long inode;
        if (sscanf(line, "%*d: FLOCK %*s %*s %ld %*x:%*x:%llu", &pid, &inode) != 2) continue;
        if (inode != st.st_ino || pid <= 0) continue; /* 0: in another namespace */
        put_process(pid, out);
        break;
    }
    if (locks) fclose(locks);
}

static aard_error *open_lock(const char *path, int *out)
{
    struct stat st;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    if (fd < 0 && errno == ELOOP) return aard__error(AARD_ERR_IO, "cannot lock '%s': it is a link; remove it", path);
    if (fd < 0) return aard__error_errno(AARD_ERR_IO, errno, "cannot open '%s'", path);
    aard_error *error = NULL;
    if (fstat(fd, &st) < 0)
        error = aard__error_errno(AARD_ERR_IO, errno, "cannot look at '%s'", path);
    else if (!S_ISREG(st.st_mode) || st.st_nlink != 1)
        error = aard__error(AARD_ERR_IO, "cannot lock '%s': it is not a file of its own; remove it", path);
    else if (st.st_uid != geteuid() && geteuid() != 0)
        error = aard__error(AARD_ERR_UNTRUSTED, "cannot lock '%s': it belongs to user %lu; remove it", path,
                            (unsigned long)st.st_uid);
    else if ((st.st_mode & 077) && fchmod(fd, 0600) < 0) /* whoever can open it can hold its lock */
        error = aard__error_errno(AARD_ERR_IO, errno, "cannot close '%s' to others", path);
    if (error)
        close(fd);
    else
        *out = fd;
    return error;
}

/* 0, or what went wrong; EWOULDBLOCK when time is out. */
static int wait_for(int fd, uint64_t timeout_ms, void (*waiting)(void *user, const char *holder), void *user)
{
    uint64_t start = aard__clock_monotonic(), told = start;
    for (;;) {
        if (flock(fd, LOCK_EX | LOCK_NB) == 0) return 0;
        if (errno == EINTR) continue;
        if (errno != EWOULDBLOCK) return errno;
        uint64_t now = aard__clock_monotonic();
        if ((now - start) / 1000000 >= timeout_ms) return EWOULDBLOCK;
        if (waiting && now - told >= TELL_NS) {
            char holder[HOLDER];
            find_holder(fd, holder);
            waiting(user, holder);
            told = now;
        }
        aard__clock_pause(STEP_NS);
    }
}

aard_error *aard__file_lock(const char *path, uint64_t timeout_ms, void (*waiting)(void *user, const char *holder),
                            void *user, int *out)
{
    int fd = -1;
    char holder[HOLDER];
    AARD__TRY(open_lock(path, &fd));
    int failed = wait_for(fd, timeout_ms, waiting, user);
    if (!failed) {
        *out = fd;
        return NULL;
    }
    find_holder(fd, holder);
    close(fd);
    if (failed != EWOULDBLOCK) return aard__error_errno(AARD_ERR_IO, failed, "cannot lock '%s'", path);
    return aard__error(AARD_ERR_IO,
                       "cannot lock '%s': %s has held it for %" PRIu64 ".%" PRIu64 " s; wait for it, or end it", path,
                       holder, timeout_ms / 1000, timeout_ms % 1000 / 100);
}
