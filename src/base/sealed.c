#include "base/sealed.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/new_file.h"

enum { SEALS = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE, SEAL_TRIES = 10 };

/* The kernel waits a moment for whoever has one of the pages in hand, such as a list that another processor has not emptied
 * yet, and then says EBUSY: nobody here writes to it any more. */
bool aard__seal(int fd)
{
    int failed;
    for (int i = 0; (failed = fcntl(fd, F_ADD_SEALS, SEALS | F_SEAL_SEAL)) && errno == EBUSY && i < SEAL_TRIES; i++)
        continue;
    return !failed;
}

int aard__sealed_new(const void *data, size_t len)
{
    int fd = memfd_create("aardvark", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0) return -1;
    if (aard__write_at(fd, data, len, 0) && aard__seal(fd)) return fd;
    int why = errno;
    close(fd);
    errno = why;
    return -1;
}

/* Not of huge pages either: those can be missing where they are read. */
bool aard__is_sealed(int fd)
{
    struct stat st;
    struct statfs fs;
    int seals = fcntl(fd, F_GET_SEALS);
    return seals >= 0 && (seals & SEALS) == SEALS && !fstat(fd, &st) && S_ISREG(st.st_mode) && !fstatfs(fd, &fs) &&
           fs.f_type == TMPFS_MAGIC;
}

bool aard__sealed_map(int fd, size_t len, void **map)
{
    struct stat st;
    if (!aard__is_sealed(fd) || fstat(fd, &st) || (uintmax_t)st.st_size != len) {
        errno = EPERM;
        return false;
    }
    /* Before Linux 6.7 a shared mapping counts as one that may be written, which the seals forbid. */
    void *made = mmap(NULL, len, PROT_READ, MAP_PRIVATE, fd, 0);
    if (made == MAP_FAILED) {
        if (errno == EPERM) errno = ENOMEM;
        return false;
    }
    *map = made;
    return true;
}
