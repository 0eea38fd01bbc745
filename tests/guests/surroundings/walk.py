"""Everything that can be reached from the modules of the standard library, as lines of text: "path = value".

Guests that began in different ways (from nothing, from an image, from a warm state, by a reset) give the same lines.
"""

import gc
import importlib
import os
import sys
import time
import types
from zlib import crc32

MODULES = """_strptime argparse array ast asyncio base64 bisect calendar codecs collections concurrent.futures contextlib contextvars
copy csv datetime decimal difflib dis email.utils enum fractions functools getpass gettext glob hashlib heapq html
http.client http.cookies importlib.metadata inspect io ipaddress itertools json linecache locale logging mimetypes
multiprocessing operator os pathlib pickle platform pprint queue random re select selectors shutil signal site socket
statistics string struct subprocess sysconfig tempfile textwrap threading time timeit tokenize traceback types typing
unittest urllib.request uuid warnings weakref xml.etree.ElementTree zipfile zipimport""".split()

# What differs, and is to: each begins anew with the guest, or is drawn from the kernel.
OWN = (
    "logging._startTime",  # the guest's start
    "_path_mtime",  # so that lists of directories are made anew
    "['authkey']",  # of multiprocessing
    "random._inst",
    "_rng",
)

MOST = 40  # items of a collection that are looked at
PLAIN = (int, float, str, bytes, bool, type(None), complex)


def show(value):
    text = repr(value)
    return text if len(text) < 60 else f"{text[:40]}... {len(text)} {crc32(text.encode()):x}"


class Walk:
    def __init__(self):
        self.lines = {}
        self.seen = {id(self), id(self.lines), id(sys.modules), id(sys.modules[__name__])}
        self.kept = []

    def put(self, path, text):
        if not any(part in path for part in OWN):
            self.lines[path] = text

    def visit(self, path, value, depth=0):
        if isinstance(value, PLAIN):
            self.put(path, show(value))
            return
        if id(value) in self.seen or depth > 10:
            return
        self.seen.add(id(value))
        self.kept.append(value)
        if isinstance(value, types.ModuleType):
            self.members(path, vars(value), depth)
        elif isinstance(value, dict):
            self.put(path, f"{type(value).__name__} of {len(value)}")
            for key, item in list(value.items())[:MOST]:
                self.visit(f"{path}[{key!r}]" if isinstance(key, PLAIN) else f"{path}[<{type(key).__name__}>]", item, depth + 1)
        elif isinstance(value, (list, tuple)):
            self.put(path, f"{type(value).__name__} of {len(value)}")
            for index, item in enumerate(value[:MOST]):
                self.visit(f"{path}[{index}]", item, depth + 1)
        elif isinstance(value, (set, frozenset)):
            self.put(path, show(sorted(repr(item) for item in value if isinstance(item, PLAIN))))
        elif isinstance(value, types.FunctionType):
            for name in ("__defaults__", "__kwdefaults__", "__dict__"):
                self.visit(f"{path}.{name}", getattr(value, name), depth + 1)
        elif isinstance(value, type):
            self.members(path, dict(vars(value)), depth)
        else:
            self.put(path, f"of type {type(value).__module__}.{type(value).__qualname__}")
            try:
                own = object.__getattribute__(value, "__dict__")
            except Exception:
                return
            if type(own) is dict:
                self.members(path, own, depth)

    def members(self, path, names, depth):
        for name in sorted(names):
            self.visit(f"{path}.{name}", names[name], depth + 1)


def facts():
    """What functions say."""
    import locale
    import logging
    import platform
    import socket

    now = time.time()
    old = [path for path in ("/", "/tmp", "/session", "/home/pyodide", "/dev", "/dev/null") if abs(os.stat(path).st_mtime - now) > 600]
    return {
        "zone": (time.tzname, time.timezone, time.daylight, tuple(time.localtime(0)), time.strftime("%Z %z")),
        "clocks": [clock() < 600 for clock in (time.monotonic, time.perf_counter, time.process_time)],
        "clock resolutions": [repr(time.get_clock_info(name)) for name in ("monotonic", "perf_counter", "process_time", "time")],
        "logging began with the guest": abs(logging._startTime / 1e9 - now) < 600,
        "environ": sorted(os.environ.items()),
        "places": (os.getcwd(), sys.argv, sys.orig_argv, sys.executable, sys.path, sys.prefix),
        "flags": repr(sys.flags),
        "hash": hash("a"),
        "limits": (sys.getrecursionlimit(), sys.getswitchinterval(), sys.get_int_max_str_digits(), gc.get_threshold()),
        "who": (os.getpid(), os.getppid(), os.getuid(), os.getlogin(), tuple(os.uname()), platform.platform(), socket.gethostname()),
        "umask": [mask := os.umask(0), os.umask(mask)],
        "locale": (locale.setlocale(locale.LC_ALL), sys.getfilesystemencoding(), sys.stdout.encoding),
        "old": old,
        "tree": [(d, sorted(n), sorted(f), os.stat(d).st_mode) for d, n, f in os.walk("/") if not d.startswith(("/lib/python", "/proc"))],
    }


def load(_=None):
    """Imports what is looked at."""
    for name in MODULES:
        importlib.import_module(name)


def look(_=None):
    load()
    gc.collect()
    walk = Walk()
    for name in sorted(sys.modules):
        if name not in ("__main__", "builtins", "walk"):
            walk.visit(name, sys.modules[name])
    for name, value in facts().items():
        walk.put(f"({name})", repr(value))
    return [f"{path} = {text}" for path, text in sorted(walk.lines.items())]
