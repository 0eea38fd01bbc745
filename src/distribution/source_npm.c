#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "distribution/source.h"

extern char **environ;

#define TARBALL_MAX (256u << 20)
#define KEPT 4096 /* of what npm writes, its end */
#define TICK_MS 200

static aard_error *cannot_start(const aard__pins *pins, int reason)
{
    if (reason == ENOENT)
        return aard__error(
            AARD_ERR_STAGE_TOOL,
            "npm is not installed: install it (on Debian: apt-get install npm), or stage from an archive of "
            "Pyodide %s with --archive",
            pins->version);
    return aard__error_errno(AARD_ERR_STAGE_TOOL, reason, "cannot start npm");
}

/* Starts npm with nothing to read, its standard error going to `errors`, and the signals of a fresh process. */
static int spawn_npm(const aard__pins *pins, const char *scratch, int errors, pid_t *pid)
{
    char spec[64];
    snprintf(spec, sizeof spec, "pyodide@%s", pins->version);
    const char *const arguments[] = {"npm",
                                     "pack",
                                     spec,
                                     "--pack-destination",
                                     scratch,
                                     "--ignore-scripts",
                                     "--loglevel",
                                     "error",
                                     "--no-update-notifier",
                                     NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    int failed = posix_spawn_file_actions_init(&actions);
    if (failed) return failed;
    failed = posix_spawnattr_init(&attributes);
    if (failed) goto actions;
    failed = posix_spawn_file_actions_adddup2(&actions, errors, 2); /* first: `errors` may itself be 0 or 1 */
    if (!failed) failed = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    if (!failed) failed = posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    if (!failed) failed = posix_spawn_file_actions_addchdir_np(&actions, scratch);
    if (!failed) failed = posix_spawnattr_setsigmask(&attributes, &none);
    if (!failed) failed = posix_spawnattr_setsigdefault(&attributes, &all);
    if (!failed) failed = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    if (!failed) failed = posix_spawnp(pid, "npm", &actions, &attributes, (char *const *)arguments, environ);
    posix_spawnattr_destroy(&attributes);
actions:
    posix_spawn_file_actions_destroy(&actions);
    return failed;
}

/* Reads all that npm writes and keeps the end of it, telling now and then that work is under way. */
static void listen_to(const aard__source *source, int fd, char kept[KEPT + 1])
{
    size_t len = 0;
    char chunk[1024];
    for (;;) {
        aard__source_report(source, "fetching the npm package", 0, 0);
        struct pollfd waiting = {.fd = fd, .events = POLLIN};
        int ready = poll(&waiting, 1, TICK_MS);
        if (ready == 0 || (ready < 0 && errno == EINTR)) continue;
        ssize_t n = read(fd, chunk, sizeof chunk);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) break;
        size_t over = len + (size_t)n > KEPT ? len + (size_t)n - KEPT : 0;
        memmove(kept, kept + over, len - over);
        len -= over;
        memcpy(kept + len, chunk, (size_t)n);
        len += (size_t)n;
    }
    kept[len] = '\0';
}

/* The last line that says something; npm ends with where its log is. */
static const char *last_line(char *text)
{
    const char *last = "it said nothing";
    char *state = NULL;
    for (char *line = strtok_r(text, "\r\n", &state); line; line = strtok_r(NULL, "\r\n", &state)) {
        if (strspn(line, " \t") == strlen(line) || strstr(line, "A complete log of this run")) continue;
        if (strstr(line, ".log") && strstr(line, "_logs")) continue;
        last = line;
    }
    return last;
}

static aard_error *run_npm(const aard__source *source, const char *scratch)
{
    int ends[2], status = 0;
    pid_t pid = 0;
    char *kept = aard__calloc(1, KEPT + 1);
    if (!kept) return aard__error_no_memory();
    aard_error *error = NULL;
    if (pipe2(ends, O_CLOEXEC) < 0) {
        error = aard__error_errno(AARD_ERR_IO, errno, "cannot make a pipe");
        goto done;
    }
    int failed = spawn_npm(source->line->pins, scratch, ends[1], &pid);
    close(ends[1]);
    if (failed) {
        error = cannot_start(source->line->pins, failed);
    } else {
        listen_to(source, ends[0], kept);
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
            error = aard__error(AARD_ERR_STAGE_TOOL, "npm could not fetch pyodide@%s: %s", source->line->pins->version,
                                last_line(kept));
    }
    close(ends[0]);
done:
    aard__free(kept);
    return error;
}

static aard_error *check_tarball(const aard__pins *pins, const char *path)
{
    size_t len = 0;
    uint8_t hash[crypto_hash_sha512_BYTES];
    char hex[2 * sizeof hash + 1], *text = NULL;
    AARD__TRY(aard__file_read(path, TARBALL_MAX, &text, &len));
    crypto_hash_sha512(hash, (const unsigned char *)text, len);
    aard__free(text);
    sodium_bin2hex(hex, sizeof hex, hash, sizeof hash);
    if (strcmp(hex, pins->npm_sha512) == 0) return NULL;
    return aard__error(
        AARD_ERR_STAGE_SOURCE,
        "npm fetched another pyodide@%s than the one that is pinned (SHA-512 %.16s..., not %.16s...): look at "
        "npm's registry setting",
        pins->version, hex, pins->npm_sha512);
}

aard_error *aard__source_npm(const aard__source *source, const char *scratch)
{
    char name[64];
    snprintf(name, sizeof name, "pyodide-%s.tgz", source->line->pins->version);
    char *path = aard__path_join(scratch, name);
    if (!path) return aard__error_no_memory();
    aard_error *error = run_npm(source, scratch);
    if (!error && access(path, F_OK) < 0)
        error = aard__error(AARD_ERR_STAGE_TOOL,
                            "npm succeeded without leaving a '%s': is it an npm of version 7 or later?", name);
    if (!error) error = check_tarball(source->line->pins, path);
    if (!error) error = aard__source_archive(source, path);
    aard__free(path);
    return error;
}
