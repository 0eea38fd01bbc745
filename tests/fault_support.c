#include "fault_support.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "isolate_support.h"

const char *const fault_names[FAULTS] = {"allocation", "file operation", "mapping", "thread"};

static atomic_int armed = FAULTS; /* which kind fails */
static atomic_long left;          /* before it does */
static atomic_long fired;
static atomic_bool for_ever;
static bool (*spared)(void);

static bool fails(fault kind)
{
    if (atomic_load(&armed) != (int)kind || (spared && spared())) return false;
    long before = atomic_fetch_sub(&left, 1);
    bool now = before == 0 || (before < 0 && atomic_load(&for_ever));
    if (now) atomic_fetch_add(&fired, 1);
    return now;
}

static int allow(size_t size)
{
    (void)size;
    return !fails(ALLOCATION);
}

void fault_arm(fault kind, long n, bool ever)
{
    atomic_store(&left, n);
    atomic_store(&fired, 0);
    atomic_store(&for_ever, ever);
    atomic_store(&armed, (int)kind);
}

bool fault_disarm(void)
{
    atomic_store(&armed, FAULTS);
    return atomic_load(&fired) != 0;
}

int fault_pause(void) { return atomic_exchange(&armed, FAULTS); }
void fault_resume(int paused) { atomic_store(&armed, paused); }

void fault_spare(bool (*which)(void)) { spared = which; }
void fault_start(void) { aard__alloc_set_hook(allow); }
void fault_stop(void) { aard__alloc_set_hook(NULL); }

/* NAME fails with `error`, and gives `failed`, as the linker's --wrap has it. */
#define WRAP(kind, type, name, failed, error, parameters, ...)                                                         \
    type __real_##name parameters;                                                                                     \
    type __wrap_##name parameters;                                                                                     \
    type __wrap_##name parameters                                                                                      \
    {                                                                                                                  \
        if (!fails(kind)) return __real_##name(__VA_ARGS__);                                                           \
        errno = error;                                                                                                 \
        return failed;                                                                                                 \
    }

WRAP(FILE_OPERATION, int, open, -1, EMFILE, (const char *path, int flags, mode_t mode), path, flags, mode)
WRAP(FILE_OPERATION, int, openat, -1, EMFILE, (int dir, const char *path, int flags, mode_t mode), dir, path, flags,
     mode)
WRAP(FILE_OPERATION, ssize_t, read, -1, EIO, (int fd, void *data, size_t len), fd, data, len)
WRAP(FILE_OPERATION, ssize_t, pread, -1, EIO, (int fd, void *data, size_t len, off_t at), fd, data, len, at)
WRAP(FILE_OPERATION, ssize_t, __read_chk, -1, EIO, (int fd, void *data, size_t len, size_t room), fd, data, len, room)
WRAP(FILE_OPERATION, ssize_t, __pread_chk, -1, EIO, (int fd, void *data, size_t len, off_t at, size_t room), fd, data,
     len, at, room)
WRAP(FILE_OPERATION, ssize_t, write, -1, ENOSPC, (int fd, const void *data, size_t len), fd, data, len)
WRAP(FILE_OPERATION, ssize_t, pwrite, -1, ENOSPC, (int fd, const void *data, size_t len, off_t at), fd, data, len, at)
WRAP(FILE_OPERATION, int, fstat, -1, EIO, (int fd, struct stat *out), fd, out)
WRAP(FILE_OPERATION, int, stat, -1, EIO, (const char *path, struct stat *out), path, out)
WRAP(FILE_OPERATION, int, ftruncate, -1, ENOSPC, (int fd, off_t size), fd, size)
WRAP(FILE_OPERATION, int, memfd_create, -1, EMFILE, (const char *name, unsigned flags), name, flags)
WRAP(FILE_OPERATION, int, eventfd, -1, EMFILE, (unsigned count, int flags), count, flags)
WRAP(FILE_OPERATION, int, socket, -1, EMFILE, (int family, int type, int protocol), family, type, protocol)
WRAP(MAPPING, void *, mmap, MAP_FAILED, ENOMEM, (void *at, size_t len, int prot, int flags, int fd, off_t offset), at,
     len, prot, flags, fd, offset)
WRAP(THREAD, int, pthread_create, EAGAIN, EAGAIN,
     (pthread_t * thread, const pthread_attr_t *attributes, void *(*start)(void *), void *user), thread, attributes,
     start, user)

/* ---- checks ----------------------------------------------------------------------------------------------------------- */

bool fault_is_clean(aard_error *error)
{
    if (!error) return true;
    aard_error_class class = aard_error_get_class(error);
    assert_true(class == AARD_CLASS_USAGE || class == AARD_CLASS_INPUT || class == AARD_CLASS_HOST);
    assert_true(*aard_error_message(error));
    aard_error_free(error);
    return false;
}

int fault_open_files(void)
{
    int paused = fault_pause(), count = 0;
    DIR *dir = opendir("/proc/self/fd");
    assert_non_null(dir);
    while (readdir(dir)) count++;
    closedir(dir);
    fault_resume(paused);
    return count;
}
