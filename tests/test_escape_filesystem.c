/* Python that wants to write where it must not, or more than it may.  After each attempt the guest's tree is looked at:
 * what it must not change is as it was, what it may fill is within its limits, and what was refused is told to the host,
 * though the guest kept it to itself.  test-timeout: 300 */
#include "isolate_support.h"

#include <dirent.h>
#include <pthread.h>
#include <spawn.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "policy/mount.h"

#define QUOTA 65536
#define FILES 20
#define HANDLES 16

typedef struct attempt {
    const char *name, *code;
    const char *reason; /* of the violation; NULL where nothing is refused, since nothing can be reached */
} attempt;

/* For all attempts: `no(f, …)` calls f and keeps its refusal to itself. */
#define PRELUDE                                                                                                        \
    "import os, io, sys, stat, mmap, shutil, ctypes\n"                                                                 \
    "def no(f, *a, **k):\n"                                                                                            \
    "    try: return f(*a, **k)\n"                                                                                     \
    "    except (OSError, ValueError, TypeError, AttributeError, NotImplementedError): return None\n"                  \
    "def fcntl(*a):\n" /* what follows the command is behind a pointer, in WebAssembly */                              \
    "    return ctypes.CDLL(None).fcntl(a[0], a[1], ctypes.byref(ctypes.c_int(a[2])))\n"                               \
    "def allocate(fd, n):\n"                                                                                           \
    "    return ctypes.CDLL(None).posix_fallocate(fd, ctypes.c_int64(0), ctypes.c_int64(n))\n"                         \
    "def put(p, m='w', x='x'):\n"                                                                                      \
    "    with open(p, m) as f: f.write(x)\n"

static const attempt read_only_places[] = {
    {"a new file in the root", "no(put, '/left')", "read_only_path"},
    {"a new file in the bundle", "no(put, '/app/left.py')", "read_only_path"},
    {"a file of the bundle, written", "no(put, '/app/main.py')", "read_only_path"},
    {"a file of the bundle, appended to", "no(put, '/app/main.py', 'a')", "read_only_path"},
    {"a file of the bundle, updated", "no(put, '/app/main.py', 'r+')", "read_only_path"},
    {"a file of the bundle, emptied", "no(os.truncate, '/app/main.py', 0)", "read_only_path"},
    {"a file of the bundle, emptied by opening", "no(os.open, '/app/main.py', os.O_RDONLY | os.O_TRUNC)",
     "read_only_path"},
    {"a file of the bundle, removed", "no(os.remove, '/app/main.py')", "read_only_path"},
    {"a file of the bundle, renamed", "no(os.rename, '/app/main.py', '/app/other.py')", "read_only_path"},
    {"a file of the bundle, moved away", "no(os.rename, '/app/main.py', '/session/main.py')", "read_only_path"},
    {"a file of the bundle, moved by shutil", "no(shutil.move, '/app/main.py', '/session/main.py')", "read_only_path"},
    {"a file moved over one of the bundle", "put('/session/a')\nno(os.replace, '/session/a', '/app/main.py')",
     "read_only_path"},
    {"a file moved into the library", "put('/session/a.py')\nno(os.rename, '/session/a.py', '/lib/a.py')",
     "read_only_path"},
    {"a file of the bundle made writable", "no(os.chmod, '/app/main.py', 0o777)\nno(put, '/app/main.py')",
     "read_only_path"},
    {"its mode by descriptor", "no(os.fchmod, os.open('/app/main.py', 0), 0o777)", "read_only_path"},
    {"its owner", "no(os.chown, '/app/main.py', 1, 1)", "read_only_path"},
    {"its owner by descriptor", "no(os.fchown, os.open('/app/main.py', 0), 1, 1)", "read_only_path"},
    {"its times", "no(os.utime, '/app/main.py', (1, 1))", "read_only_path"},
    {"the bundle's directory removed", "no(os.rmdir, '/app')", "read_only_path"},
    {"the bundle's directory made writable", "no(os.chmod, '/app', 0o777)\nno(put, '/app/left')", "read_only_path"},
    {"the bundle's directory moved", "no(os.rename, '/app', '/app2')", "read_only_path"},
    {"a directory in the bundle", "no(os.makedirs, '/app/a/b')", "read_only_path"},
    {"a tree of the bundle removed", "shutil.rmtree('/app', ignore_errors=True)", "read_only_path"},
    {"a link in the bundle", "no(os.symlink, '/session', '/app/link')", "read_only_path"},
    {"a hard link to the bundle",
     "ctypes.CDLL(None).link(b'/app/main.py', b'/session/main.py')\nno(put, '/session/main.py')", NULL},
    {"through a symbolic link", "os.symlink('/app/main.py', '/session/l')\nno(put, '/session/l')", "read_only_path"},
    {"through a link to a directory", "os.symlink('/app', '/session/l')\nno(put, '/session/l/left')", "read_only_path"},
    {"through a link to the root", "os.symlink('/', '/session/l')\nno(put, '/session/l/lib/left')", "read_only_path"},
    {"through relative links", "os.symlink('../../lib', '/session/l')\nno(put, '/session/l/left')", "read_only_path"},
    {"by ..", "no(put, '/session/../left')", "read_only_path"},
    {"by .. behind a link", "os.symlink('/lib', '/session/l')\nno(put, '/session/l/../left')", "read_only_path"},
    {"from another working directory", "os.chdir('/lib')\nno(put, 'left')", "read_only_path"},
    {"from a descriptor of a directory", "no(os.open, 'left', os.O_CREAT | os.O_WRONLY, dir_fd=os.open('/lib', 0))",
     "read_only_path"},
    {"a read-only descriptor made writable",
     "fd = os.open('/app/main.py', 0)\nfcntl(fd, 4, os.O_RDWR)\nno(os.write, fd, b'x' * 99)", "read_only_path"},
    {"and emptied",
     "fd = os.open('/app/main.py', 0)\nfcntl(fd, 4, os.O_RDWR)\n"
     "no(os.ftruncate, fd, 0)",
     "read_only_path"},
    {"and allocated",
     "fd = os.open('/app/main.py', 0)\nfcntl(fd, 4, os.O_RDWR)\n"
     "allocate(fd, 9999)",
     "read_only_path"},
    {"and duplicated first",
     "fd = os.dup(os.open('/app/main.py', 0))\nfcntl(fd, 4, os.O_RDWR)\n"
     "no(os.pwrite, fd, b'x', 0)",
     "read_only_path"},
    {"and mapped",
     "fd = os.open('/app/main.py', 0)\nfcntl(fd, 4, os.O_RDWR)\n"
     "def f():\n    m = mmap.mmap(fd, 8, access=mmap.ACCESS_WRITE)\n    m[:8] = b'x' * 8\n    m.flush()\n    m.close()\n"
     "no(f)",
     "read_only_path"},
    {"a mapping written back below Python",
     "fd = os.open('/app/main.py', 0)\nlibc = ctypes.CDLL(None)\nlibc._msync_js.argtypes = [ctypes.c_void_p, "
     "ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_int64]\n"
     "b = ctypes.create_string_buffer(b'x' * 64)\nlibc._msync_js(ctypes.addressof(b), 64, 3, 1, fd, 0)",
     "read_only_path"},
    {"a write below Python",
     "fd = os.open('/app/main.py', 0)\nfcntl(fd, 4, 1)\nctypes.CDLL(None).write(fd, b'xxxx', 4)", "read_only_path"},
    {"a file below Python", "f = ctypes.CDLL(None).fopen\nf(b'/lib/left', b'w')", "read_only_path"},
    {"removed below Python", "ctypes.CDLL(None).unlink(b'/app/main.py')", "read_only_path"},
    {"by an opener", "no(open, '/app/main.py', 'w', opener=lambda p, f: os.open(p, os.O_RDWR | os.O_TRUNC))",
     "read_only_path"},
    {"through /proc/self/fd", "fd = os.open('/app/main.py', 0)\nno(put, f'/proc/self/fd/{fd}')", "read_only_path"},
    {"by an access mode that is none", "no(os.open, '/app/main.py', 3)\nno(os.open, '/lib/left', 3 | os.O_CREAT)",
     "read_only_path"},
    {"what /proc/self/fd points to", "fd = os.open('/app/main.py', 0)\nno(put, os.readlink(f'/proc/self/fd/{fd}'))",
     "read_only_path"},
    {"a new file in /proc", "no(put, '/proc/left')", "read_only_path"},
    {"a new file in /proc/self/fd", "no(os.mkdir, '/proc/self/fd/left')", "read_only_path"},
    {"a new file in /dev", "no(put, '/dev/left')", "read_only_path"},
    {"a device removed", "no(os.remove, '/dev/null')", "read_only_path"},
    {"a device replaced", "no(os.remove, '/dev/urandom')\nno(put, '/dev/urandom', 'x')", "read_only_path"},
    {"a device's mode", "no(os.chmod, '/dev/null', 0)", "read_only_path"},
    {"a standard stream's link moved", "no(os.rename, '/dev/stdout', '/dev/other')", "read_only_path"},
    {"a device made", "ctypes.CDLL(None).mknod(b'/session/null', stat.S_IFCHR | 0o666, 0x103)", "special_file"},
    {"a terminal made", "ctypes.CDLL(None).mknod(b'/session/tty', stat.S_IFCHR | 0o666, 0x500)", "special_file"},
    {"a block device made", "ctypes.CDLL(None).mknod(b'/session/b', stat.S_IFBLK | 0o666, 5)", "special_file"},
    {"a fifo made", "ctypes.CDLL(None).mkfifo(b'/session/fifo', 0o666)", "special_file"},
    {"a socket made", "ctypes.CDLL(None).mknod(b'/session/s', stat.S_IFSOCK | 0o666, 0)", "special_file"},
    {"a device in the root", "ctypes.CDLL(None).mknod(b'/null', stat.S_IFCHR | 0o666, 0x103)", "read_only_path"},
    {"beside the home directory", "no(put, '/home/left')", "read_only_path"},
    {"the home directory replaced",
     "no(os.remove, os.path.expanduser('~'))\nno(os.symlink, '/lib', os.path.expanduser('~'))", "read_only_path"},
    {"site-packages", "no(put, next(p for p in sys.path if p.endswith('site-packages')) + '/left.py')",
     "read_only_path"},
    {"the standard library", "no(put, '/lib/python313.zip', 'ab', b'x')", "read_only_path"},
    {"the standard library removed", "no(os.remove, '/lib/python313.zip')", "read_only_path"},
    {"native libraries", "no(os.makedirs, '/usr/lib/left')", "read_only_path"},
    {"shared memory", "no(put, '/dev/shm/left')", "read_only_path"},
    {"the place of the session moved", "no(os.rename, '/session', '/lib/session')", "read_only_path"},
    {"the place of the session removed", "no(os.rmdir, '/session')", "read_only_path"},
    {"mounted anew", "libc = ctypes.CDLL(None)\nno(lambda: libc.mount(b'x', b'/app', b'tmpfs', 0, None))", NULL},
    {"another root", "no(lambda: os.chroot('/session'))\nno(put, '/left')", "read_only_path"},
    {"compiled files beside their source",
     "sys.dont_write_bytecode = False\nsys.modules.pop('helper', None)\nimport helper", "read_only_path"},
    {"a copy with its mode", "no(shutil.copy, '/app/main.py', '/app/copy.py')", "read_only_path"},
    {"an archive in the bundle", "import zipfile\nno(zipfile.ZipFile, '/app/a.zip', 'w')", "read_only_path"},
};

static const attempt quotas[] = {
    {"one large write", "no(put, '/session/a', 'w', 'x' * 70000)", "bytes"},
    {"many small writes",
     "def f():\n    with open('/session/a', 'wb', 0) as g:\n        while True: g.write(b'x' * 999)\nno(f)", "bytes"},
    {"several files", "for i in range(9): no(put, f'/session/{i}', 'w', 'x' * 9999)", "bytes"},
    {"both places", "no(put, '/session/a', 'w', 'x' * 40000)\nno(put, '/tmp/a', 'w', 'x' * 40000)", "bytes"},
    {"a truncate that grows", "put('/session/a')\nno(os.truncate, '/session/a', 2**31 - 1)", "bytes"},
    {"a truncate just beyond", "put('/session/a')\nno(os.truncate, '/session/a', 65537)", "bytes"},
    {"an allocation", "fd = os.open('/session/a', os.O_RDWR | os.O_CREAT)\nallocate(fd, 70000)", "bytes"},
    {"a hole", "f = open('/session/a', 'wb', 0)\nf.seek(70000)\nno(f.write, b'x')", "bytes"},
    {"a huge hole",
     "f = open('/session/a', 'wb', 0)\nl = ctypes.CDLL(None).lseek\nl.restype = ctypes.c_int64\n"
     "l(f.fileno(), ctypes.c_int64(2**52), 0)\nno(f.write, b'x')",
     "bytes"},
    {"a hole by pwrite",
     "fd = os.open('/session/a', os.O_RDWR | os.O_CREAT)\nctypes.CDLL(None).pwrite(fd, b'x', 1, ctypes.c_int64(2**40))",
     "bytes"},
    {"vectored writes",
     "fd = os.open('/session/a', os.O_RDWR | os.O_CREAT)\nfor i in range(4): no(os.writev, fd, [b'x' * 9999] * 4)",
     "bytes"},
    {"appending", "for i in range(9): no(put, '/session/a', 'a', 'x' * 9999)", "bytes"},
    {"a growing mapping",
     "put('/session/a', 'w', 'x' * 100)\nf = open('/session/a', 'r+b')\nm = mmap.mmap(f.fileno(), 100)\nno(m.resize, 70000)\n"
     "no(os.truncate, '/session/a', 70000)",
     "bytes"},
    {"copies", "no(put, '/session/a', 'w', 'x' * 30000)\nfor i in range(5): no(shutil.copy, '/session/a', f'/tmp/{i}')",
     "bytes"},
    {"removed files that are open",
     "keep = []\ndef f():\n    for i in range(9):\n        g = open('/session/a', 'wb', 0)\n        os.remove('/session/a')\n"
     "        keep.append(g)\n        g.write(b'x' * 9999)\nno(f)",
     "bytes"},
    {"overwritten files that are open",
     "keep = []\ndef f():\n    for i in range(9):\n        g = open(f'/session/{i}', 'wb', 0)\n        g.write(b'x' * 9999)\n"
     "        keep.append(g)\n        os.rename(f'/session/{i}', '/session/z')\nno(f)",
     "bytes"},
    {"temporary files",
     "import tempfile\nkeep = []\ndef f():\n    for i in range(9):\n        keep.append(tempfile.TemporaryFile(buffering=0))\n"
     "        keep[-1].write(b'x' * 9999)\nno(f)",
     "bytes"},
    {"an archive",
     "import zipfile\ndef f():\n    with zipfile.ZipFile('/session/a', 'w') as z:\n"
     "        z.writestr('a', os.urandom(70000))\nno(f)",
     "bytes"},
    {"below Python",
     "libc = ctypes.CDLL(None)\nfd = os.open('/session/a', os.O_RDWR | os.O_CREAT)\n"
     "b = b'x' * 70000\nlibc.write(fd, b, 70000)\nlibc.write(fd, b, 70000)",
     "bytes"},
    {"many files", "for i in range(40): no(put, f'/session/{i}', 'w', '')", "files"},
    {"many directories", "for i in range(40): no(os.mkdir, f'/tmp/{i}')", "files"},
    {"deep directories", "no(os.makedirs, '/session' + '/a' * 40)", "files"},
    {"many links", "for i in range(40): no(os.symlink, '/', f'/session/{i}')", "files"},
    {"many removed files that are open",
     "keep = []\ndef f():\n    for i in range(40):\n        keep.append(os.open('/session/a', os.O_CREAT))\n"
     "        os.remove('/session/a')\nno(f)",
     NULL}, /* one limit or the other */
    {"many handles", "def f():\n    while True: os.open('/dev/null', 0)\nno(f)", "handles"},
    {"many duplicates", "def f():\n    while True: os.dup(1)\nno(f)", "handles"},
    {"many duplicates at chosen numbers", "def f():\n    for i in range(99): os.dup2(1, 100 + i)\nno(f)", "handles"},
    {"many duplicates by fcntl", "def f():\n    for i in range(99): fcntl(1, 0, 50)\nno(f)", "handles"},
    {"a duplicate with a huge number", "fcntl(1, 0, 2**31 - 2)", NULL},
    {"many pipes", "def f():\n    while True: os.pipe()\nno(f)", "handles"},
    {"a pipe that nobody reads",
     "r, w = os.pipe()\nn = 0\ndef f():\n    global n\n    while n < 2**26: n += os.write(w, bytes(2**20))\nno(f)\n"
     "n <= 2**16 or print('TOO MUCH', n)\ndef g():\n    while os.read(r, 999): pass\nno(g)\n"
     "os.write(w, b'again') == 5 and os.read(r, 9) == b'again' or print('BROKEN')",
     NULL},
    {"a pipe that nobody reads, in small pieces",
     "r, w = os.pipe()\nn = 0\ndef f():\n    global n\n    while n < 2**20: n += os.writev(w, [b'x' * 99, b'y' * 9000])\nno(f)\n"
     "n <= 2**16 or print('TOO MUCH', n)",
     NULL},
    {"many directories open", "def f():\n    while True: os.open('/lib', 0)\nno(f)", "handles"},
    {"many handles of one file", "def f():\n    while True: os.open('/session/a', os.O_CREAT | os.O_TRUNC | 1)\nno(f)",
     "handles"},
    {"a cycle of directories",
     "os.makedirs('/session/a/b')\nos.symlink('/session/a', '/session/l')\nno(os.rename, '/session/a', '/session/l/b/c')",
     NULL},
    {"odd names",
     "for n in ('..', '.', '__proto__', 'constructor', 'x' * 9999): no(os.symlink, 'a', '/session/' + n)\n"
     "sorted(os.listdir('/session')) == ['__proto__', 'constructor'] or print('STRANGE')",
     NULL},
};

/* In a bundle whose manifest asks for nothing. */
static const attempt reading[] = {
    {"a file", "no(put, '/session/a')", "mode_read"},
    {"a temporary file", "import tempfile\nno(tempfile.TemporaryFile)", "mode_read"},
    {"a file in /tmp", "no(put, '/tmp/a')", "mode_read"},
    {"a directory", "no(os.makedirs, '/session/a/b')", "mode_read"},
    {"a link", "no(os.symlink, '/', '/session/a')", "mode_read"},
    {"the mode of the place", "no(os.chmod, '/session', 0o777)", "mode_read"},
    {"the times of the place", "no(os.utime, '/session')", "mode_read"},
    {"below Python", "ctypes.CDLL(None).mkdir(b'/session/a', 0o777)", "mode_read"},
    {"by openat", "no(os.open, 'a', os.O_CREAT | 2, dir_fd=os.open('/session', 0))", "mode_read"},
    {"the manifest", "no(put, '/app/aardvark.manifest.json', 'w', '{}')\nno(put, '/session/a')", "mode_read"},
};

/* All that must not change, in one number; then how many files, bytes and handles there are where the guest may write. */
#define LOOK                                                                                                           \
    "import os, hashlib\n"                                                                                             \
    "def look():\n"                                                                                                    \
    "    h = hashlib.sha256()\n"                                                                                       \
    "    count = size = 0\n"                                                                                           \
    "    for d, dirs, files in os.walk('/'):\n"                                                                        \
    "        own = d in ('/session', '/tmp') or d.startswith(('/session/', '/tmp/'))\n"                                \
    "        if d.startswith('/proc'): continue\n"                                                                     \
    "        dirs.sort()\n"                                                                                            \
    "        for n in sorted(files) + dirs:\n"                                                                         \
    "            p = os.path.join(d, n)\n"                                                                             \
    "            s = os.lstat(p)\n"                                                                                    \
    "            if own:\n"                                                                                            \
    "                count += 1\n"                                                                                     \
    "                size += s.st_size * (s.st_mode >> 12 == 8)\n"                                                     \
    "            elif p not in ('/session', '/tmp'):\n"                                                                \
    "                h.update(f'{p} {s.st_mode} {s.st_size} {s.st_uid}'.encode())\n"                                   \
    "                if d.startswith('/app') and n in files: h.update(open(p, 'rb').read())\n"                         \
    "    return [h.hexdigest(), count, size, len(os.listdir('/proc/self/fd'))]\n"                                      \
    "look()"

typedef struct sight {
    char tree[65];
    long count, size, handles;
} sight;

static sight look(aard_isolate *isolate)
{
    sight seen;
    aard_outcome *outcome = exec(isolate, LOOK);
    assert_success(outcome);
    size_t len;
    const char *text = aard_outcome_value_json(outcome, &len);
    char copy[256];
    assert_true(len < sizeof copy);
    memcpy(copy, text, len);
    copy[len] = '\0';
    assert_int_equal(sscanf(copy, "[\"%64[0-9a-f]\",%ld,%ld,%ld]", seen.tree, &seen.count, &seen.size, &seen.handles),
                     4);
    aard_outcome_free(outcome);
    return seen;
}

static bool told(const aard_outcome *outcome, const char *reason)
{
    bool quota = !strcmp(reason, "bytes") || !strcmp(reason, "files") || !strcmp(reason, "handles");
    aard_violation_kind kind = quota ? AARD_VIOLATION_FILESYSTEM_QUOTA : AARD_VIOLATION_FILESYSTEM_READ_ONLY;
    const aard_violation *line;
    for (size_t i = 0; (line = aard_outcome_violation(outcome, i)); i++)
        if (line->kind == kind && !strcmp(line->reason, reason) && line->subject[0]) return true;
    return false;
}

static aard_isolate *isolate_with(const char *manifest, bool handles)
{
    const char *const files[][2] = {{"main.py", "def answer(): return 42\n"},
                                    {"helper.py", "value = 1\n"},
                                    {"aardvark.manifest.json", manifest},
                                    {NULL, NULL}};
    aard_isolate_config *config = config_of(AARD_LANGUAGE_PYTHON);
    aard_isolate_config_set_wall_limit_ms(config, 20000);
    aard_isolate_config_set_filesystem(config, AARD_FILESYSTEM_READ_WRITE, QUOTA, FILES, handles ? HANDLES : 0);
    return boot(config, bundle_of(files));
}

static void try_all(const attempt *list, size_t count, const char *manifest, bool may_write)
{
    aard_isolate *isolate = isolate_with(manifest, may_write);
    sight before = look(isolate);
    size_t through = 0;
    for (size_t i = 0; i < count; i++) {
        assert_ok(aard_isolate_reset(isolate));
        aard_outcome *prelude = exec(isolate, PRELUDE);
        assert_success(prelude);
        aard_outcome_free(prelude);
        aard_outcome *outcome = exec(isolate, list[i].code);
        size_t len;
        aard_outcome_stdout(outcome, &len);
        const char *wrong = !aard_outcome_is_success(outcome)                  ? "the attempt failed by itself"
                            : list[i].reason && !told(outcome, list[i].reason) ? "it was not told"
                            : len                                              ? "it wrote"
                                                                               : NULL;
        const char *failure = aard_outcome_failure_message(outcome);
        const aard_violation *line = aard_outcome_violation(outcome, 0);
        if (wrong)
            print_error("%s: %s: %s, %s %s\n", list[i].name, wrong, failure ? failure : "", line ? line->reason : "-",
                        line ? line->subject : "-");
        aard_outcome_free(outcome);
        /* Handles are let go for looking around. */
        aard_outcome_free(exec(isolate, "for fd in range(3, 300): no(os.close, fd)\nkeep = None"));
        sight after = look(isolate);
        if (strcmp(after.tree, before.tree)) wrong = "the tree changed";
        if (after.size > QUOTA || after.count > FILES || (!may_write && after.count)) wrong = "there is too much";
        if (wrong) print_error("%s: %s (%ld files, %ld bytes)\n", list[i].name, wrong, after.count, after.size);
        through += wrong != NULL;
    }
    value_is(call(isolate, "main:answer", NULL), "42");
    aard_isolate_free(isolate);
    assert_int_equal(through, 0);
}

#define MANIFEST(resources) "{\"schemaVersion\":\"1.0\",\"entrypoint\":\"main:answer\",\"resources\":{" resources "}}"

static void test_what_can_not_be_written(void **state)
{
    (void)state;
    try_all(read_only_places, COUNT(read_only_places), MANIFEST("\"filesystem\":{\"mode\":\"readWrite\"}"), true);
}

static void test_quotas(void **state)
{
    (void)state;
    try_all(quotas, COUNT(quotas), MANIFEST("\"filesystem\":{\"mode\":\"readWrite\"}"), true);
}

static void test_reading_only(void **state)
{
    (void)state;
    try_all(reading, COUNT(reading), MANIFEST(""), false);
}

/* ---- directories of the host ------------------------------------------------------------------------------------------ */

/* Below a temporary directory: "ro" and "rw", which are mounted, and "out", which is not, with links to it in both. */
static const attempt of_mounts[] = {
    {"a link to a file outside", "show('/ro/file')", NULL},
    {"a link to a directory outside", "show('/ro/dir/secret')\nno(put, '/rw/dir/secret')", NULL},
    {"a link to a link", "show('/ro/link')", NULL},
    {"a link to an absolute path", "show('/ro/passwd')", NULL},
    {"a link below a directory", "show('/ro/sub/up/out/secret')\nno(put, '/rw/sub/up/out/secret')", NULL},
    {"..", "show('/ro/../out/secret')\nshow('/ro/sub/../../out/secret')", NULL},
    {".. from a working directory", "os.chdir('/ro/sub')\nshow('../../out/secret')\nshow('../../../../etc/passwd')",
     NULL},
    {".. from a descriptor",
     "fd = os.open('/ro/sub', 0)\nno(os.open, '../../out/secret', 0, dir_fd=fd)\nshow(f'/proc/self/fd/{fd}/../../out/secret')",
     NULL},
    {"a link of the guest's own", "os.symlink('/ro/../out', '/session/l')\nshow('/session/l/secret')", NULL},
    {"a link made in the directory", "no(os.symlink, '../out/secret', '/rw/made')\nshow('/rw/made')", "special_file"},
    {"a hard link made in the directory", "ctypes.CDLL(None).link(b'/rw/dir/secret', b'/rw/made')\nshow('/rw/made')",
     NULL},
    {"written through a link", "no(put, '/rw/file', 'w')\nno(put, '/rw/file', 'a')\nno(os.truncate, '/rw/file', 0)",
     NULL},
    {"created through a dangling link",
     "no(put, '/rw/dangling')\nno(os.open, '/rw/dangling', os.O_CREAT | os.O_EXCL | 2)", NULL},
    {"removed through a link", "no(os.remove, '/rw/dir/secret')\nno(shutil.rmtree, '/rw/dir')", NULL},
    {"renamed out through a link",
     "put('/rw/x')\nno(os.rename, '/rw/x', '/rw/dir/x')\nno(os.rename, '/rw/x', '/rw/../out/x')", NULL},
    {"renamed in through a link", "no(os.rename, '/rw/dir/secret', '/rw/got')\nshow('/rw/got')", NULL},
    {"what is not shown, renamed over",
     "put('/rw/x')\nfor n in ('file', 'dir', 'dangling', 'pipe'): no(os.replace, '/rw/x', '/rw/' + n)\n"
     "os.path.exists('/rw/x') or print('SECRET')",
     NULL},
    {"a link renamed", "no(os.rename, '/rw/file', '/rw/renamed')\nshow('/rw/renamed')", NULL},
    {"a directory renamed out",
     "os.makedirs('/rw/d/b')\nno(os.rename, '/rw/d', '/rw/../out/a')\nno(os.rename, '/rw/d', '/ro/a')",
     "mount_read_only"},
    {"a directory made out", "no(os.mkdir, '/rw/../out/a')\nno(os.mkdir, '/rw/dir/a')\nno(os.makedirs, '/rw/up/out/a')",
     NULL},
    {"a pipe that would block", "show('/ro/pipe')\nno(os.open, '/rw/pipe', os.O_WRONLY)", NULL},
    {"a socket", "show('/ro/socket')", NULL},
    {"a device",
     "no(os.mknod if hasattr(os, 'mknod') else id, '/rw/null')\nctypes.CDLL(None).mknod(b'/rw/null', 0o20666, 0x103)",
     "special_file"},
    {"a fifo", "ctypes.CDLL(None).mkfifo(b'/rw/fifo', 0o666)", "special_file"},
    {"names with odd bytes",
     "for n in ('a\\0b', '../out/secret\\0', '\\udcff', 'x' * 300, '..', '.', '', '/', '//out/secret'):\n"
     "    no(put, '/rw/' + n)\n    show('/ro/' + n)",
     NULL},
    {"a very long path", "show('/ro/' + 'sub/../' * 3000 + 'none')\nshow('/ro' + '/a' * 5000)", NULL},
    {"a new file, read-only", "no(put, '/ro/x')", "mount_read_only"},
    {"a file changed, read-only", "no(put, '/ro/a', 'a')\nno(put, '/ro/a', 'r+')\nno(os.truncate, '/ro/a', 0)",
     "mount_read_only"},
    {"a file emptied by opening, read-only", "no(os.open, '/ro/a', os.O_TRUNC)", "mount_read_only"},
    {"a file removed, read-only", "no(os.remove, '/ro/a')", "mount_read_only"},
    {"a file renamed, read-only", "no(os.rename, '/ro/a', '/ro/b')", "mount_read_only"},
    {"a file moved, read-only", "no(shutil.move, '/ro/a', '/rw/a2')", "mount_read_only"},
    {"a file put over, read-only", "put('/rw/x')\nno(os.replace, '/rw/x', '/ro/a')", "mount_read_only"},
    {"a directory, read-only", "no(os.mkdir, '/ro/x')\nno(os.rmdir, '/ro/sub')", "mount_read_only"},
    {"a mode, read-only", "no(os.chmod, '/ro/a', 0o777)\nno(put, '/ro/a')", "mount_read_only"},
    {"a descriptor made writable, read-only",
     "fd = os.open('/ro/a', 0)\nfcntl(fd, 4, os.O_RDWR)\nno(os.write, fd, b'x')\nno(os.ftruncate, fd, 0)\n"
     "no(os.pwrite, os.dup(fd), b'x', 0)",
     "mount_read_only"},
    {"an access mode that is none, read-only", "no(os.open, '/ro/a', 3)\nno(os.open, '/ro/x', 3 | os.O_CREAT)",
     "mount_read_only"},
    {"a mapping, read-only",
     "fd = os.open('/ro/a', 0)\nfcntl(fd, 4, os.O_RDWR)\ndef f():\n    m = mmap.mmap(fd, 1, access=mmap.ACCESS_WRITE)\n"
     "    m[:1] = b'x'\n    m.flush()\n    m.close()\nno(f)",
     "mount_read_only"},
    {"the place of a directory", "no(os.rmdir, '/ro')\nno(os.rename, '/ro', '/session/ro')", "read_only_path"},
    {"a descriptor whose flags are changed",
     "fd = os.open('/rw/a', 0)\nfcntl(fd, 4, os.O_RDWR)\nno(os.write, fd, b'changed')\n"
     "open('/rw/a').read() == 'a' or print('SECRET')",
     NULL},
    {"more bytes than there may be", "no(put, '/rw/x', 'w', 'x' * 70000)", "bytes"},
    {"more bytes by a hole", "f = open('/rw/x', 'wb', 0)\nf.seek(70000)\nno(f.write, b'x')", "bytes"},
    {"more bytes by truncate", "put('/rw/x')\nno(os.truncate, '/rw/x', 70000)", "bytes"},
    {"more bytes by allocation", "fd = os.open('/rw/x', os.O_RDWR | os.O_CREAT)\nallocate(fd, 2**30)", "bytes"},
    {"more bytes in removed files",
     "keep = []\ndef f():\n    for i in range(9):\n        g = open('/rw/x', 'wb', 0)\n        keep.append(g)\n"
     "        g.write(b'x' * 9999)\n        os.remove('/rw/x')\nno(f)",
     "bytes"},
    {"more files than there may be", "for i in range(40): no(put, f'/rw/{i}', 'w', '')", "files"},
    {"more directories", "for i in range(40): no(os.mkdir, f'/rw/{i}')", "files"},
    {"more handles", "def f():\n    while True: os.open('/ro/a', 0)\nno(f)", "handles"},
    {"an extension module",
     "import importlib.machinery as m\nput('/rw/ext' + m.EXTENSION_SUFFIXES[0])\nsys.path.insert(0, '/rw')\n"
     "try: import ext\nexcept BaseException: pass",
     NULL},
    {"a place in the system's own directories", "show('/proc/self/root/etc/passwd')\nshow('/proc/1/environ')", NULL},
};

#define SHOW                                                                                                           \
    "def show(p):\n"                                                                                                   \
    "    text = no(lambda: open(p, 'rb').read())\n"                                                                    \
    "    if text is not None: print('SECRET', p, text)\n"

/* Makes what of_mounts tries, and takes it away; what is outside must be as it was. */
static void arrange(const char *dir)
{
    static const char script[] =
        "set -e; rm -rf \"$0\"/*; cd \"$0\"; mkdir -p ro/sub rw/sub out; printf SECRET >out/secret; printf a >ro/a; printf a >rw/a; "
        "for d in ro rw; do ln -s ../out/secret $d/file; ln -s ../out $d/dir; ln -s file $d/link; ln -s /etc/passwd $d/passwd; "
        "ln -s ../.. $d/sub/up; ln -s .. $d/up; ln -s ../out/new $d/dangling; mkfifo $d/pipe; done";
    char *arguments[] = {(char *)"sh", (char *)"-c", (char *)script, (char *)dir, NULL};
    pid_t pid;
    int status;
    assert_int_equal(posix_spawn(&pid, "/bin/sh", NULL, NULL, arguments, environ), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static bool outside_is_as_it_was(const char *dir)
{
    char path[512], text[16] = "";
    snprintf(path, sizeof path, "%s/out/secret", dir);
    FILE *file = fopen(path, "r");
    bool same = file && fgets(text, sizeof text, file) && !strcmp(text, "SECRET");
    if (file) fclose(file);
    snprintf(path, sizeof path, "%s/ro/a", dir);
    file = fopen(path, "r");
    same = same && file && fgets(text, sizeof text, file) && !strcmp(text, "a");
    if (file) fclose(file);
    static const struct {
        const char *name;
        int entries;
    } dirs[] = {{"out", 3}, {"ro", 11}, {".", 5}};
    for (size_t i = 0; i < COUNT(dirs); i++) {
        snprintf(path, sizeof path, "%s/%s", dir, dirs[i].name);
        DIR *list = opendir(path);
        int count = 0;
        while (list && readdir(list)) count++;
        if (list) closedir(list);
        if (count != dirs[i].entries) print_error("%s has %d entries\n", dirs[i].name, count);
        same = same && count == dirs[i].entries;
    }
    return same;
}

static long bytes_below(const char *dir)
{
    char path[600];
    long sum = 0;
    DIR *list = opendir(dir);
    assert_non_null(list);
    for (struct dirent *entry; (entry = readdir(list));) {
        struct stat seen;
        snprintf(path, sizeof path, "%s/%s", dir, entry->d_name);
        if (!lstat(path, &seen) && S_ISREG(seen.st_mode)) sum += (long)seen.st_size;
    }
    closedir(list);
    return sum;
}

static aard_isolate *isolate_with_mounts(const char *dir)
{
    char path[512];
    aard_isolate_config *config = config_of(AARD_LANGUAGE_PYTHON);
    aard_isolate_config_set_wall_limit_ms(config, 20000);
    aard_isolate_config_set_filesystem(config, AARD_FILESYSTEM_READ_WRITE, QUOTA, FILES, HANDLES);
    snprintf(path, sizeof path, "%s/ro", dir);
    assert_ok(aard_isolate_config_add_mount(config, path, "/ro", AARD_FILESYSTEM_READ));
    snprintf(path, sizeof path, "%s/rw", dir);
    assert_ok(aard_isolate_config_add_mount(config, path, "/rw", AARD_FILESYSTEM_READ_WRITE));
    return boot(config, NULL);
}

static void temporary(char *out, size_t size)
{
    const char *base = getenv("TMPDIR");
    snprintf(out, size, "%s/aardvark-mount-XXXXXX", base && *base ? base : "/tmp");
    assert_non_null(mkdtemp(out));
}

static void remove_tree(const char *dir)
{
    char command[600];
    snprintf(command, sizeof command, "rm -rf '%s'", dir);
    assert_int_equal(system(command), 0);
}

static void try_mounts(bool walk)
{
    char dir[300], path[400];
    size_t through = 0;
    temporary(dir, sizeof dir);
    snprintf(path, sizeof path, "%s/rw", dir);
    aard__mount_walk(walk);
    for (size_t i = 0; i < COUNT(of_mounts); i++) {
        arrange(dir);
        aard_isolate *isolate = isolate_with_mounts(dir);
        aard_outcome *prelude = exec(isolate, PRELUDE SHOW);
        assert_success(prelude);
        aard_outcome_free(prelude);
        aard_outcome *outcome = exec(isolate, of_mounts[i].code);
        size_t len;
        const char *out = aard_outcome_stdout(outcome, &len), *failure = aard_outcome_failure_message(outcome);
        const char *wrong = !aard_outcome_is_success(outcome) ? "the attempt failed by itself"
                            : of_mounts[i].reason && !told(outcome, of_mounts[i].reason) ? "it was not told"
                            : len                                                        ? out
                            : !outside_is_as_it_was(dir)                                 ? "what is outside changed"
                            : bytes_below(path) > QUOTA + 1                              ? "there is too much"
                                                                                         : NULL;
        const aard_violation *line = aard_outcome_violation(outcome, 0);
        if (wrong)
            print_error("%s: %s: %s, %s %s\n", of_mounts[i].name, wrong, failure ? failure : "",
                        line ? line->reason : "-", line ? line->subject : "-");
        through += wrong != NULL;
        aard_outcome_free(outcome);
        aard_isolate_free(isolate);
    }
    aard__mount_walk(false);
    remove_tree(dir);
    assert_int_equal(through, 0);
}

static void test_directories_of_the_host(void **state)
{
    (void)state;
    try_mounts(false);
}

static void test_directories_of_the_host_without_openat2(void **state)
{
    (void)state;
    try_mounts(true);
}

static void test_directories_of_the_host_are_of_use(void **state)
{
    (void)state;
    char dir[300];
    temporary(dir, sizeof dir);
    arrange(dir);
    aard_isolate *isolate = isolate_with_mounts(dir);
    value_is(exec(isolate, "import os, shutil\nsorted(os.listdir('/ro')), open('/ro/a').read()"),
             "[[\"a\",\"sub\"],\"a\"]");
    value_is(exec(isolate, "os.makedirs('/rw/x/y')\nwith open('/rw/x/y/f', 'w') as f: f.write('one\\n')\n"
                           "with open('/rw/x/y/f', 'a') as f: f.write('two')\n"
                           "os.rename('/rw/x/y/f', '/rw/x/g')\nshutil.copy('/rw/x/g', '/rw/h')\n"
                           "shutil.copytree('/rw/x', '/rw/z')\nos.truncate('/rw/h', 3)\n"
                           "[open('/rw/z/g').read(), open('/rw/h').read(), os.stat('/rw/x/g').st_size]"),
             "[\"one\\ntwo\",\"one\",7]");
    value_is(exec(isolate, "shutil.rmtree('/rw/z')\nimport mmap\nwith open('/rw/h', 'r+b') as f:\n"
                           "    m = mmap.mmap(f.fileno(), 0)\n    m[0:1] = b'O'\n    m.flush()\n    m.close()\n"
                           "[open('/rw/h').read(), sorted(d for d, _, _ in os.walk('/rw'))]"),
             "[\"One\",[\"/rw\",\"/rw/sub\",\"/rw/x\",\"/rw/x/y\"]]");
    /* What the guest has open is closed by a reset, and what it has written stays. */
    aard_outcome_free(exec(isolate, "keep = [open('/rw/h') for i in range(5)]\nos.chdir('/rw/x')"));
    assert_ok(aard_isolate_reset(isolate));
    value_is(exec(isolate, "import os\n[open('/rw/h').read(), os.getcwd(), len(os.listdir('/proc/self/fd'))]"),
             "[\"One\",\"/session\",4]");
    /* The host changes it meanwhile. */
    char path[400];
    snprintf(path, sizeof path, "%s/rw/h", dir);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0777), 0);
    value_is(exec(isolate, "os.path.isdir('/rw/h'), os.path.exists('/rw/a')"), "[true,true]");
    aard_isolate_free(isolate);
    remove_tree(dir);
}

/* What is written over or removed gives its room back: at once, or when nobody has it open any more, in whichever isolate. */
static void test_room_in_a_directory_comes_back(void **state)
{
    (void)state;
    static const char *const codes[] = {
        "for i in range(60):\n    put('/rw/new', 'w', 'x' * 5000)\n    os.replace('/rw/new', '/rw/saved')",
        "for i in range(60):\n    put('/rw/new', 'w', 'x' * 5000)\n    os.remove('/rw/new')",
        "for i in range(60):\n    with open('/rw/new', 'w') as f:\n        f.write('x' * 5000)\n        os.remove('/rw/new')",
        "for i in range(60):\n    with open('/rw/new', 'w') as f:\n        f.write('x' * 5000)\n        f.flush()\n"
        "        put('/rw/other', 'w', '')\n        os.replace('/rw/other', '/rw/new')",
        "for i in range(60):\n    os.mkdir('/rw/c')\n    os.mkdir('/rw/d')\n    os.rename('/rw/c', '/rw/d')\n    os.rmdir('/rw/d')",
        "for i in range(60):\n    put('/rw/same', 'w', 'x')\n    os.rename('/rw/same', '/rw/same')",
    };
    char dir[300], path[400];
    temporary(dir, sizeof dir);
    arrange(dir);
    aard_isolate *isolate = isolate_with_mounts(dir);
    aard_outcome_free(exec(isolate, PRELUDE));
    for (size_t i = 0; i < COUNT(codes); i++) {
        aard_outcome *outcome = exec(isolate, codes[i]);
        if (!aard_outcome_is_success(outcome)) fail_msg("%s: %s", codes[i], aard_outcome_failure_message(outcome));
        aard_outcome_free(outcome);
    }
    aard_isolate_free(isolate);
    aard_isolate_config *config = config_of(AARD_LANGUAGE_PYTHON);
    aard_isolate_config_set_filesystem(config, AARD_FILESYSTEM_READ_WRITE, QUOTA, FILES, HANDLES);
    snprintf(path, sizeof path, "%s/rw", dir);
    assert_ok(aard_isolate_config_add_mount(config, path, "/rw", AARD_FILESYSTEM_READ_WRITE));
    aard_isolate *other;
    assert_ok(aard_isolate_new(config, &other));
    isolate = boot(config, NULL);
    value_is(exec(isolate, "f = open('/rw/x', 'wb', 0)\nf.write(b'x' * 60000)"), "60000");
    static const char remove[] = "import os\nn = 0\ntry:\n    os.remove('/rw/x')\nexcept OSError: pass\n"
                                 "with open('/rw/y', 'wb', 0) as g: n = g.write(b'x' * 60000)\nn";
    value_is(exec(other, remove), "5536");
    value_is(exec(isolate, "f.close()\n1"), "1");
    value_is(exec(other, remove), "60000");
    aard_isolate_free(isolate);
    aard_isolate_free(other);
    remove_tree(dir);
}

/* A manifest that asks for less gets less, in directories of the host too; a warm state has its own idea of where it was. */
static void test_directories_and_what_asks_for_less(void **state)
{
    (void)state;
    static const char *const files[][2] = {
        {"main.py", "def answer(): return 42\n"}, {"aardvark.manifest.json", MANIFEST("")}, {NULL, NULL}};
    char dir[300];
    temporary(dir, sizeof dir);
    arrange(dir);
    aard_isolate *isolate = isolate_with_mounts(dir);
    aard_outcome_free(exec(isolate, "import os\nopen('/rw/x', 'w').close()\nos.chdir('/rw/sub')"));
    aard_warm_state *warm;
    assert_ok(aard_warm_state_capture(isolate, &warm));
    aard_bundle *bundle = bundle_of(files);
    assert_ok(aard_isolate_load_bundle(isolate, bundle));
    aard_bundle_free(bundle);
    aard_outcome *outcome = exec(isolate,
                                 "import os\ntry: open('/rw/y', 'w')\nexcept OSError: pass\nos.path.exists('/rw/y')");
    assert_true(told(outcome, "mount_read_only"));
    value_is(outcome, "false");
    aard_isolate_free(isolate);
    aard_isolate_config *config = config_of(AARD_LANGUAGE_PYTHON);
    aard_isolate_config_set_warm_state(config, warm);
    isolate = boot(config, NULL);
    value_is(exec(isolate, "os.getcwd(), os.path.exists('/rw')"), "[\"/session\",false]");
    aard_isolate_free(isolate);
    aard_warm_state_free(warm);
    remove_tree(dir);
}

typedef struct racer {
    const char *dir;
    atomic_bool stop;
} racer;

/* Swaps a directory and a link to the outside, as fast as it can. */
static void *race(void *user)
{
    racer *r = user;
    char real[400], link[400], place[400];
    snprintf(real, sizeof real, "%s/real", r->dir);
    snprintf(link, sizeof link, "%s/other", r->dir);
    snprintf(place, sizeof place, "%s/rw/swap", r->dir);
    while (!atomic_load(&r->stop)) {
        rename(real, place);
        rename(place, real);
        rename(link, place);
        rename(place, link);
    }
    return NULL;
}

static void test_directories_that_change_under_ones_feet(void **state)
{
    (void)state;
    char dir[300], path[400], target[400];
    temporary(dir, sizeof dir);
    arrange(dir);
    snprintf(path, sizeof path, "%s/real", dir);
    assert_int_equal(mkdir(path, 0777), 0);
    snprintf(path, sizeof path, "%s/other", dir);
    snprintf(target, sizeof target, "%s/out", dir);
    assert_int_equal(symlink(target, path), 0);
    for (int walk = 0; walk < 2; walk++) {
        aard__mount_walk(walk);
        racer r = {.dir = dir};
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, race, &r), 0);
        aard_isolate *isolate = isolate_with_mounts(dir);
        aard_outcome *outcome = exec(isolate, PRELUDE SHOW "import time\nend = time.monotonic() + 1.5\n"
                                                           "while time.monotonic() < end:\n"
                                                           "    show('/rw/swap/secret')\n"
                                                           "    no(put, '/rw/swap/secret', 'w', 'CHANGED')\n"
                                                           "    no(os.remove, '/rw/swap/secret')\n"
                                                           "    no(os.mkdir, '/rw/swap/made')\n"
                                                           "    no(os.rename, '/rw/a', '/rw/swap/a')\n"
                                                           "    no(os.rename, '/rw/swap/a', '/rw/a')\n"
                                                           "    no(os.listdir, '/rw/swap')\n");
        atomic_store(&r.stop, true);
        pthread_join(thread, NULL);
        size_t len;
        const char *out = aard_outcome_stdout(outcome, &len);
        if (len && strstr(out, "SECRET /rw/swap/secret b'SECRET'")) fail_msg("it was read: %s", out);
        aard_outcome_free(outcome);
        aard_isolate_free(isolate);
        snprintf(path, sizeof path, "%s/out", dir);
        assert_int_equal(bytes_below(path), 6);
        snprintf(path, sizeof path, "%s/out/made", dir);
        assert_int_equal(access(path, F_OK), -1);
    }
    aard__mount_walk(false);
    remove_tree(dir);
}

static void test_places_that_can_not_be_mounted(void **state)
{
    (void)state;
    static const char *const bad[] = {"",      "/",     "data",   "/app",  "/app/x",   "/session", "/session/x",
                                      "/tmp",  "/lib",  "/dev/x", "/proc", "/usr/lib", "/home",    "/a/../b",
                                      "/app/", "//app", "//tmp/", "/./a",  "/a/.",     "//",       "/\xff"};
    aard_isolate_config *config = config_of(AARD_LANGUAGE_PYTHON);
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_refused(aard_isolate_config_add_mount(config, "/", bad[i], AARD_FILESYSTEM_READ),
                       AARD_ERR_INVALID_ARGUMENT, NULL);
    assert_refused(aard_isolate_config_add_mount(config, "/nowhere", "/data", AARD_FILESYSTEM_READ), AARD_ERR_NOT_FOUND,
                   "/nowhere", NULL);
    assert_refused(aard_isolate_config_add_mount(config, "/dev/null", "/data", AARD_FILESYSTEM_READ),
                   AARD_ERR_NOT_FOUND, NULL);
    assert_ok(aard_isolate_config_add_mount(config, "/", "/data/a", AARD_FILESYSTEM_READ));
    assert_ok(aard_isolate_config_add_mount(config, "/", "/data/b", AARD_FILESYSTEM_READ));
    assert_ok(aard_isolate_config_add_mount(config, "/", "/data/c/", AARD_FILESYSTEM_READ));
    static const char *const taken[] = {"/data/a", "/data/a/", "//data//a", "/data/c", "/data//c"};
    for (size_t i = 0; i < COUNT(taken); i++)
        assert_refused(aard_isolate_config_add_mount(config, "/", taken[i], AARD_FILESYSTEM_READ),
                       AARD_ERR_INVALID_ARGUMENT, NULL);
    assert_refused(aard_isolate_config_add_mount(config, "/", "/data", AARD_FILESYSTEM_READ), AARD_ERR_INVALID_ARGUMENT,
                   NULL);
    assert_refused(aard_isolate_config_add_mount(config, "/", "/data/a/c", AARD_FILESYSTEM_READ),
                   AARD_ERR_INVALID_ARGUMENT, NULL);
    aard_isolate_config_free(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_directories_of_the_host_are_of_use),
        cmocka_unit_test(test_directories_of_the_host),
        cmocka_unit_test(test_room_in_a_directory_comes_back),
        cmocka_unit_test(test_directories_and_what_asks_for_less),
        cmocka_unit_test(test_directories_of_the_host_without_openat2),
        cmocka_unit_test(test_directories_that_change_under_ones_feet),
        cmocka_unit_test(test_places_that_can_not_be_mounted),
        cmocka_unit_test(test_what_can_not_be_written),
        cmocka_unit_test(test_quotas),
        cmocka_unit_test(test_reading_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
