#include "base/trust.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"

#define LINKS_MAX 40 /* as the kernel has it */
#define VARIABLE "AARDVARK_TRUSTED_UIDS"

const char *aard__trusted_variable(const char *name)
{
    const char *value = secure_getenv(name);
    return value && *value ? value : NULL;
}

/* ---- who may write ------------------------------------------------------------------------------------------ */

static bool is_named(uid_t uid)
{
    const char *at = aard__trusted_variable(VARIABLE);
    while (at && *at) {
        char *end;
        errno = 0;
        unsigned long number = strtoul(at, &end, 10);
        if (end != at && !errno && *at >= '0' && *at <= '9' && number == uid && (!*end || *end == ',')) return true;
        at = strchr(at, ',');
        if (at) at++;
    }
    return false;
}

/* Whoever owns `/` can put anything anywhere: in a namespace without root that is the machine's. */
static bool owner_is_trusted(uid_t uid, uid_t root_owner)
{
    return uid == 0 || uid == geteuid() || uid == root_owner || is_named(uid);
}

/* A group that Debian and others make for each user: of the user's name, and with nobody else in it. */
static bool is_private_group(uid_t uid, gid_t gid)
{
    char text[4096], members[4096];
    struct passwd user, *found = NULL;
    struct group group, *of = NULL;
    if (uid == 0 || getpwuid_r(uid, &user, text, sizeof text, &found) || !found) return false;
    if (found->pw_gid != gid || getgrgid_r(gid, &group, members, sizeof members, &of) || !of) return false;
    if (strcmp(of->gr_name, found->pw_name) != 0) return false;
    for (char **member = of->gr_mem; *member; member++)
        if (strcmp(*member, found->pw_name) != 0) return false;
    return true;
}

static aard_error *check(const struct stat *st, uid_t root_owner, bool target, const char *path)
{
    if (!owner_is_trusted(st->st_uid, root_owner))
        return aard__error(AARD_ERR_UNTRUSTED,
                           "'%s' belongs to user %lu, who could change what is run from there; `chown` it to user %lu "
                           "or to root, use one of your own, or name that user in " VARIABLE,
                           path, (unsigned long)st->st_uid, (unsigned long)geteuid());
    bool sticky = S_ISDIR(st->st_mode) && (st->st_mode & S_ISVTX) && !target;
    bool group = (st->st_mode & S_IWGRP) && !is_private_group(st->st_uid, st->st_gid), others = st->st_mode & S_IWOTH;
    if (sticky || (!group && !others)) return NULL;
    return aard__error(AARD_ERR_UNTRUSTED,
                       "'%s' can be written by %s, who could change what is run from there; run `chmod go-w '%s'`, or "
                       "use one that only its user can write",
                       path, others ? "everybody" : "its group", path);
}

/* ---- the walk ----------------------------------------------------------------------------------------------- */

typedef struct walk {
    const char *path; /* as it was given */
    char *todo;       /* names that are still to come */
    aard__buf done;   /* the path so far, without links; "" = the root */
    int at;           /* the directory of that path */
    bool shared;      /* others can make something in it */
    uid_t root_owner;
    unsigned links;
} walk;

static aard_error *failed(const walk *w, int reason)
{
    bool missing = reason == ENOENT || reason == ENOTDIR;
    return aard__error_errno(missing ? AARD_ERR_NOT_FOUND : AARD_ERR_IO, reason, "cannot open '%s'", w->path);
}

static aard_error *not_regular(const walk *w)
{
    return aard__error(AARD_ERR_IO, "cannot read '%s': it is not a regular file", w->path);
}

static const char *shown(walk *w)
{
    if (!w->done.len) return "/";
    return aard__buf_reserve(&w->done, 1) ? (w->done.data[w->done.len] = '\0', w->done.data) : w->path;
}

static void leave(walk *w)
{
    if (w->at >= 0) close(w->at);
    w->at = -1;
}

/* Goes on in `fd`, which is taken. */
static aard_error *enter(walk *w, int fd)
{
    struct stat st;
    if (fd < 0) return failed(w, errno);
    leave(w);
    w->at = fd;
    if (fstat(fd, &st) < 0) return failed(w, errno);
    if (!S_ISDIR(st.st_mode)) return failed(w, ENOTDIR);
    w->shared = st.st_mode & (S_IWGRP | S_IWOTH);
    return check(&st, w->root_owner, false, shown(w));
}

static aard_error *enter_root(walk *w)
{
    struct stat st;
    int fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0 && fstat(fd, &st) == 0) w->root_owner = st.st_uid;
    aard__buf_clear(&w->done);
    return enter(w, fd);
}

static aard_error *set_todo(walk *w, const char *first, size_t len, const char *rest)
{
    aard__buf text = AARD__BUF_INIT;
    aard__buf_append(&text, first, len);
    aard__buf_puts(&text, rest);
    char *todo = aard__buf_take(&text, NULL);
    if (!todo) return aard__error_no_memory();
    aard__free(w->todo);
    w->todo = todo;
    return NULL;
}

/* A link takes the place of its name.  In a directory of all, another's link is another's word. */
static aard_error *follow(walk *w, int fd, const struct stat *st, const char *rest)
{
    char target[PATH_MAX];
    ssize_t len = readlinkat(fd, "", target, sizeof target);
    if (len < 0) return failed(w, errno);
    if (++w->links > LINKS_MAX || len == sizeof target) return failed(w, ELOOP);
    struct stat own = *st;
    own.st_mode = S_IFLNK;
    if (w->shared) AARD__TRY(check(&own, w->root_owner, false, shown(w)));
    bool absolute = len && target[0] == '/';
    AARD__TRY(set_todo(w, target, (size_t)len, rest));
    return absolute ? enter_root(w) : NULL;
}

static void drop_name(walk *w)
{
    while (w->done.len && w->done.data[w->done.len - 1] != '/') w->done.len--;
    if (w->done.len) w->done.len--;
}

/* The file `name` of the directory: of the name that was looked at, since nobody else can change it; but it is the open
 * file that is checked. */
static aard_error *open_file(walk *w, const char *name, int *out)
{
    struct stat st;
    int fd = openat(w->at, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) return failed(w, errno);
    aard_error *error = NULL;
    if (fstat(fd, &st) < 0)
        error = failed(w, errno);
    else if (!S_ISREG(st.st_mode))
        error = not_regular(w);
    else
        error = check(&st, w->root_owner, true, shown(w));
    if (error)
        close(fd);
    else
        *out = fd;
    return error;
}

/* Goes on to `name`, with `rest` behind it: into a directory, or where a link leads, or to the file, the end. */
static aard_error *step(walk *w, const char *name, const char *rest, int *out)
{
    struct stat st;
    if (!strcmp(name, "..")) {
        drop_name(w);
        return enter(w, openat(w->at, "..", O_PATH | O_DIRECTORY | O_CLOEXEC));
    }
    int fd = openat(w->at, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) return failed(w, errno);
    aard__buf_printf(&w->done, "/%s", name);
    aard_error *error = fstat(fd, &st) < 0 ? failed(w, errno) : NULL;
    if (!error && S_ISDIR(st.st_mode)) return enter(w, fd);
    if (error) {
        close(fd);
        return error;
    }
    if (S_ISLNK(st.st_mode)) {
        error = follow(w, fd, &st, rest);
        if (w->done.len) drop_name(w); /* none where the link was absolute */
    } else if (*rest) {
        error = failed(w, ENOTDIR);
    } else {
        error = S_ISREG(st.st_mode) ? open_file(w, name, out) : not_regular(w);
    }
    close(fd);
    return error;
}

static aard_error *start(walk *w)
{
    char here[PATH_MAX];
    if (!*w->path) return failed(w, ENOENT);
    AARD__TRY(enter_root(w));
    if (w->path[0] == '/') return set_todo(w, w->path, strlen(w->path), "");
    if (!getcwd(here, sizeof here)) return failed(w, errno);
    aard__buf rest = AARD__BUF_INIT;
    aard__buf_printf(&rest, "/%s", w->path);
    char *text = aard__buf_take(&rest, NULL);
    aard_error *error = text ? set_todo(w, here, strlen(here), text) : aard__error_no_memory();
    aard__free(text);
    return error;
}

/* Up to the file, or to the end of the path. */
static aard_error *go(walk *w, int *out)
{
    char name[NAME_MAX + 1];
    AARD__TRY(start(w));
    while (*out < 0) {
        char *at = w->todo + strspn(w->todo, "/");
        size_t len = strcspn(at, "/");
        if (!len) break;
        if (len > NAME_MAX) return failed(w, ENAMETOOLONG);
        memcpy(name, at, len);
        name[len] = '\0';
        char *rest = aard__strdup(at + len);
        if (!rest) return aard__error_no_memory();
        aard__free(w->todo);
        w->todo = rest;
        if (!strcmp(name, ".")) continue;
        AARD__TRY(step(w, name, rest, out));
    }
    return NULL;
}

static aard_error *open_end(walk *w, int *out)
{
    struct stat st;
    int fd = openat(w->at, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return failed(w, errno);
    aard_error *error = fstat(fd, &st) < 0 ? failed(w, errno) : check(&st, w->root_owner, true, shown(w));
    if (error)
        close(fd);
    else
        *out = fd;
    return error;
}

static aard_error *open_trusted(const char *path, bool directory, int *out)
{
    walk w = {.path = path, .at = -1, .done = AARD__BUF_INIT};
    int fd = -1;
    aard_error *error = go(&w, &fd);
    if (!error && w.done.failed) error = aard__error_no_memory();
    if (!error && directory) error = fd < 0 ? open_end(&w, &fd) : failed(&w, ENOTDIR);
    if (!error && fd < 0) error = not_regular(&w);
    leave(&w);
    aard__buf_free(&w.done);
    aard__free(w.todo);
    if (!error)
        *out = fd;
    else if (fd >= 0)
        close(fd);
    return error;
}

aard_error *aard__trusted_open(const char *path, int *out) { return open_trusted(path, false, out); }

aard_error *aard__trusted_open_dir(const char *path, int *out) { return open_trusted(path, true, out); }
