"""pydantic-monty's side of the figures of bench/bench_guest.c, with the same protocol.  Monty runs a subset of Python.

usage: monty_guest.py FIGURE COUNT [--rounds] [--work FILE] [--pace MS]  |  --list  |  --version  |  --cannot
"""

import importlib.metadata
import json
import os
import sys

from pydantic_monty import Monty

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from protocol import HANDLER, PAYLOAD, main, timed  # noqa: E402

CALL = "echo(json.loads(payload))"


def check_echo(value):
    if value != json.loads(PAYLOAD):
        raise SystemExit("monty_guest: the value is not the payload")


def clean(pool, code, check=None, **inputs):
    """A session nobody has used, one piece of code, and the session's end."""

    def call():
        with pool.checkout() as session:
            return session.feed_run(code, inputs=inputs)

    return timed(call, check)


def echo(pool):
    session = pool.checkout().__enter__()
    session.feed_run(HANDLER)
    return timed(lambda: session.feed_run(CALL, inputs={"payload": PAYLOAD}), check_echo)


def work(pool, name, path):
    session = pool.checkout().__enter__()
    with open(path, encoding="utf-8") as source:
        session.feed_run(source.read())
    return timed(lambda: session.feed_run(f"run({name!r})"))


FIGURES = {
    "python-clean-exec": (lambda pool, options: clean(pool, "x=1+1"), 50),
    "python-clean-echo": (lambda pool, options: clean(pool, HANDLER + CALL, check_echo, payload=PAYLOAD), 50),
    "python-echo": (lambda pool, options: echo(pool), 1000),
}
for WORK in ("fib", "nbody", "nested", "json", "sort", "regex"):
    FIGURES[f"work-{WORK}"] = (lambda pool, options, name=WORK: work(pool, name, options["--work"]), 1)


# Pieces of everyday Python, each of which full CPython runs.
PIECES = {
    "inheritance": "class A:\n    pass\nclass B(A):\n    pass\nB()",
    "properties": "class A:\n    @property\n    def x(self):\n        return 1\nA().x",
    "generators": "def g():\n    yield 1\nlist(g())",
    "with": "class A:\n    def __enter__(self):\n        return 1\n    def __exit__(self, *a):\n        pass\nwith A():\n    pass",
    "match": "match 1:\n    case 1:\n        x = 2",
    "decorators": "def d(f):\n    return f\n@d\ndef f():\n    pass",
    "try/finally": "try:\n    x = 1\nfinally:\n    y = 2",
    "async for": "import asyncio\nasync def g():\n    yield 1\nasync def m():\n    return [x async for x in g()]\nasyncio.run(m())",
    "exec and eval": "eval('1+1')",
    "type()": "type('A', (), {})()",
    "__getattr__": "class A:\n    def __getattr__(self, n):\n        return n\nA().x",
    **{
        f"import {name}": f"import {name}"
        for name in ("dataclasses", "collections", "itertools", "functools", "decimal", "csv", "random", "statistics", "hashlib",
                     "string", "textwrap", "unittest", "pathlib", "urllib.parse", "sqlite3", "numpy")
    },
}  # fmt: skip


def cannot():
    refused = []
    with Monty() as pool:
        for name, code in PIECES.items():
            try:
                with pool.checkout() as session:
                    session.feed_run(code)
            except Exception:
                refused.append(name)
    return ", ".join(refused)


def version():
    return f"pydantic-monty {importlib.metadata.version('pydantic-monty')} (a subset of Python)"


if __name__ == "__main__":
    words = {"--list": lambda: "\n".join(FIGURES), "--version": version, "--cannot": cannot}
    main(sys.argv[1:], __doc__.splitlines()[-1], FIGURES, words, Monty)
