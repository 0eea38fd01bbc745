#include "process/harden/lifeline.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "base/process.h"

/* What is watched.  The other end is the host's alone, which never closes it. */
static int ours = -1;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static int get_ours(void) { return ours; }

AARD__PROCESS_STATE(lifeline, "the pipe that ends with the host", "ours once", AARD__FORK_KEEP, NULL, NULL, get_ours);

static void open_pipe(void)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC)) return;
    ours = aard__fd_above_standard(ends[0]);
    if (aard__fd_above_standard(ends[1]) < 0) ours = -1;
}

int aard__lifeline_end(void)
{
    pthread_once(&once, open_pipe);
    return ours;
}

void aard__lifeline_hold(int fd) { ours = fd; }

/* The signal goes to one process for each time that the pipe was opened: a descriptor that is inherited would not do. */
bool aard__lifeline_watch(void)
{
    char path[32];
    if (ours < 0) return false;
    snprintf(path, sizeof path, "/proc/self/fd/%d", ours);
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) return false;
    char nothing;
    bool watched = !fcntl(fd, F_SETSIG, SIGKILL) && !fcntl(fd, F_SETOWN, getpid()) &&
                   !fcntl(fd, F_SETFL, O_ASYNC | O_NONBLOCK);
    if (watched && !read(fd, &nothing, 1)) _exit(1); /* the host went before */
    close(ours);
    ours = fd;
    return watched;
}
