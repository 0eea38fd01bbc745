/* Reading inputs, and standard streams that are closed, full or gone. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"

/* No more than a string of JavaScript can hold; of devices, which may have no end, less. */
#define MOST ((size_t)512 << 20)
#define MOST_OF_DEVICE ((size_t)16 << 20)

static size_t most_of(int fd)
{
    struct stat st;
    return fstat(fd, &st) == 0 && (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode)) ? MOST_OF_DEVICE : MOST;
}

/* 0, or what errno says: EFBIG for what has no end in sight. */
static int read_all(int fd, cli_text *out)
{
    size_t cap = 65536, most = most_of(fd);
    cli_text text = {cli_realloc(NULL, cap), 0};
    for (;;) {
        if (text.len > most) {
            free(text.data);
            return EFBIG;
        }
        if (cap - text.len < 2) text.data = cli_realloc(text.data, cap *= 2);
        ssize_t n = read(fd, text.data + text.len, cap - text.len - 1);
        if (n == 0) break;
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) {
            int failure = errno;
            free(text.data);
            return failure;
        }
        text.len += (size_t)n;
    }
    text.data[text.len] = '\0';
    *out = text;
    return 0;
}

static int too_large(const char *what, const char *path, size_t most)
{
    return cli_fail_code(AARD_ERR_INVALID_ARGUMENT, "%s '%s' has no end within %zu MiB; give a file that is smaller",
                         what, path, most >> 20);
}

int cli_read(const char *path, const char *what, cli_text *out)
{
    if (!strcmp(path, "-")) {
        int failure = read_all(STDIN_FILENO, out);
        if (failure == EFBIG) return too_large(what, "stdin", most_of(STDIN_FILENO));
        return failure ? cli_fail_code(AARD_ERR_IO, "can't read %s from stdin: %s", what, strerror(failure)) : CLI_OK;
    }
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int failure = fd < 0 ? errno : read_all(fd, out);
    size_t most = fd >= 0 ? most_of(fd) : 0;
    if (fd >= 0) close(fd);
    if (!failure) return CLI_OK;
    if (failure == EFBIG && most) return too_large(what, path, most);
    bool not_there = failure == ENOENT || failure == ENOTDIR || failure == EISDIR;
    return cli_fail_code(not_there ? AARD_ERR_NOT_FOUND : AARD_ERR_IO, "can't read %s '%s': %s", what, path,
                         strerror(failure));
}

void cli_guard_streams(void)
{
    /* Open the wrong way round: reading from such a stdin and writing to such a stdout gives an error. */
    static const int modes[] = {O_WRONLY, O_RDONLY, O_RDONLY};
    for (int fd = 0; fd < 3; fd++) {
        if (fcntl(fd, F_GETFD) >= 0) continue;
        int opened = open("/dev/null", modes[fd]);
        if (opened < 0 || opened == fd) continue;
        dup2(opened, fd);
        close(opened);
    }
}

void cli_flush(void)
{
    if (!ferror(stdout) && fflush(stdout) == 0) return;
    /* The call that is running may be one that never ends: nobody is left to read what it says. */
    fprintf(stderr, "aardvark: io: can't write to stdout: %s\n", strerror(errno));
    _exit(CLI_HOST);
}

void cli_leave(int status)
{
    int trace_status = cli_trace_end();
    if (!status) status = trace_status;
    cli_flush();
    fflush(stderr);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    _exit(status);
#else
    (void)status;
#endif
}
