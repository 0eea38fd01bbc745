#include "process/helper.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/trust.h"

/* ---- which one -------------------------------------------------------------------------------------------------- */

/* The directory of the object that this code was loaded from, with a slash behind it. */
static bool our_directory(aard__buf *out)
{
    Dl_info info;
    if (!dladdr((const void *)(uintptr_t)our_directory, &info) || !info.dli_fname) return false;
    const char *slash = strrchr(info.dli_fname, '/');
    if (!slash) return false;
    aard__buf_append(out, info.dli_fname, (size_t)(slash - info.dli_fname) + 1);
    return true;
}

/* As it is built, as the library is installed, and as a program is that the library is linked into. */
static char *find_beside(void)
{
    static const char *const places[] = {"", "aardvark/", "../lib/aardvark/"};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        aard__buf path = AARD__BUF_INIT;
        if (!our_directory(&path)) return aard__strdup(AARD__HELPER_NAME);
        aard__buf_puts(&path, places[i]);
        aard__buf_puts(&path, AARD__HELPER_NAME);
        char *text = aard__buf_take(&path, NULL);
        if (!text || !access(text, X_OK) || i + 1 == sizeof places / sizeof *places) return text;
        aard__free(text);
    }
    return NULL;
}

static aard_error *find_helper(char **out)
{
    const char *named = aard__trusted_variable("AARDVARK_GUEST_HELPER");
    char *path = named ? aard__strdup(named) : find_beside();
    if (!path) return aard__error_no_memory();
    if (access(path, X_OK) != 0) {
        aard_error *error = aard__error(
            AARD_ERR_NOT_FOUND,
            "isolation 'process' needs the program '%s', which is not at '%s'; install it with the library, or name it in "
            "the environment variable AARDVARK_GUEST_HELPER",
            AARD__HELPER_NAME, path);
        aard__free(path);
        return error;
    }
    *out = path;
    return NULL;
}

/* ---- starting it ------------------------------------------------------------------------------------------------ */

static int add_files(posix_spawn_file_actions_t *files, int socket)
{
    int failed = posix_spawn_file_actions_adddup2(files, socket, AARD__HELPER_SOCKET);
    for (int fd = 0; fd < 3 && !failed; fd++)
        failed = posix_spawn_file_actions_addopen(files, fd, "/dev/null", fd ? O_WRONLY : O_RDONLY, 0);
    if (!failed) failed = posix_spawn_file_actions_addclosefrom_np(files, AARD__HELPER_SOCKET + 1);
    return failed;
}

static int add_attributes(posix_spawnattr_t *attributes)
{
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    int failed = posix_spawnattr_setsigmask(attributes, &none);
    if (!failed) failed = posix_spawnattr_setsigdefault(attributes, &all);
    if (!failed)
        failed = posix_spawnattr_setflags(attributes,
                                          POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID);
    return failed;
}

static int spawn(const char *path, int socket, pid_t *pid)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    char *arguments[] = {(char[]){AARD__HELPER_NAME}, NULL}, *environment[] = {NULL};
    int failed = posix_spawn_file_actions_init(&files);
    if (failed) return failed;
    failed = posix_spawnattr_init(&attributes);
    if (!failed) {
        failed = add_files(&files, socket);
        if (!failed) failed = add_attributes(&attributes);
        if (!failed) failed = posix_spawn(pid, path, &files, &attributes, arguments, environment);
        posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&files);
    return failed;
}

aard_error *aard__helper_start(int socket, pid_t *pid)
{
    char *path = NULL;
    int checked;
    AARD__TRY(find_helper(&path));
    aard_error *error = aard__trusted_open(path, &checked);
    if (!error) {
        close(checked);
        int failed = spawn(path, socket, pid);
        if (failed) error = aard__error_errno(AARD_ERR_THREAD, failed, "cannot start '%s' for guests", path);
    }
    aard__free(path);
    return error;
}
