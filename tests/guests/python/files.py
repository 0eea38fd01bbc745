"""What a guest sees of its bundle at /app, for tests/test_isolate_python_bundle.c."""

import errno
import importlib.resources
import mmap
import os
import pkgutil

import pkg
import space.inside


def attempt(steps):
    try:
        steps()
    except OSError as error:
        return errno.errorcode.get(error.errno, error.errno)
    return "no error"


def refused(value):
    return {
        "write": attempt(lambda: open("/app/main.py", "w")),
        "append": attempt(lambda: open("/app/main.py", "ab")),
        "update": attempt(lambda: open("/app/main.py", "r+b")),
        "create": attempt(lambda: open("/app/new.txt", "w")),
        "create below": attempt(lambda: open("/app/pkg/new.txt", "x")),
        "unlink": attempt(lambda: os.unlink("/app/main.py")),
        "mkdir": attempt(lambda: os.mkdir("/app/directory")),
        "rmdir": attempt(lambda: os.rmdir("/app/pkg/sub")),
        "rename": attempt(lambda: os.rename("/app/main.py", "/app/other.py")),
        "move in": attempt(lambda: move_in()),
        "symlink": attempt(lambda: os.symlink("/app/main.py", "/app/link")),
        "truncate": attempt(lambda: os.truncate("/app/main.py", 0)),
        "chmod": attempt(lambda: os.chmod("/app/main.py", 0o777)),
        "utime": attempt(lambda: os.utime("/app/main.py", (1, 1))),
    }


def move_in():
    with open("/tmp/moved", "w") as file:
        file.write("x")
    os.rename("/tmp/moved", "/app/moved")


def listing(value):
    status = os.stat("/app/pkg/data.txt")
    return {
        "root": sorted(os.listdir("/app")),
        "pkg": sorted(os.listdir("/app/pkg")),
        "walk": sum(len(files) for _, _, files in os.walk("/app")),
        "size": status.st_size,
        "mode": oct(status.st_mode),
        "directory": os.path.isdir("/app/pkg/sub"),
        "missing": attempt(lambda: os.stat("/app/absent")),
        "not a directory": attempt(lambda: os.listdir("/app/main.py")),
        "scandir": sorted(entry.name for entry in os.scandir("/app/pkg") if entry.is_file()),
    }


def reading(value):
    with open("/app/pkg/data.txt", "rb") as file:
        whole = file.read()
        file.seek(5)
        part = file.read(3)
        file.seek(-4, os.SEEK_END)
        tail = file.read()
        at = file.tell()
        file.seek(100)
        beyond = file.read()
        file.seek(0)
        room = bytearray(4)
        count = file.readinto(room)
        before = attempt(lambda: file.seek(-1))
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            found = mapped[5:8].decode()
    with open("/app/pkg/data.txt") as file:
        lines = file.readlines()
    texts = [text.decode() for text in (whole, part, tail, beyond, bytes(room))]
    return [texts, at, count, before, found, lines]


def modules(value):
    return {
        "word": pkg.WORD,
        "namespace": space.inside.VALUE,
        "file": pkg.__file__,
        "pkgutil": pkgutil.get_data("pkg", "data.txt").decode(),
        "resources": importlib.resources.files("pkg").joinpath("data.txt").read_text(),
        "iterated": sorted(module.name for module in pkgutil.iter_modules(pkg.__path__)),
        "walked": sorted(module.name for module in pkgutil.walk_packages(pkg.__path__, "pkg.")),
        "first on the path": __import__("sys").path[0],
    }
