"""Eryx's side of the figures of bench/bench_guest.c, with the same protocol.

usage: eryx_guest.py FIGURE COUNT [--rounds] [--work FILE] [--pace MS]  |  --list  |  --version
"""

import importlib.metadata
import json
import os
import platform
import sys
from contextlib import nullcontext
from threading import Thread
from time import perf_counter

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from protocol import HANDLER, PAYLOAD, main, timed  # noqa: E402

# The variable `result` is Eryx's own way to give a value back; it is faster than printing it.
CALL = f"result = echo(json.loads({PAYLOAD!r}))"


def check_echo(outcome):
    if json.loads(outcome.result_json) != json.loads(PAYLOAD):
        raise SystemExit("eryx_guest: the value is not the payload")


def sandbox(code, check=None):
    import eryx

    guest = eryx.Sandbox()
    return timed(lambda: guest.execute(code), check)


def new_sandbox():
    import eryx

    return timed(lambda: eryx.Sandbox().execute("x=1+1"))


def echo_session():
    import eryx

    guest = eryx.Session()
    guest.execute(HANDLER)
    return guest, timed(lambda: guest.execute(CALL), check_echo)


def reset():
    guest, echo = echo_session()
    timed_reset = timed(guest.reset)

    def sample():
        guest.execute(HANDLER)
        echo()
        return timed_reset()

    return sample


def work(name, path):
    import eryx

    guest = eryx.Session()
    with open(path, encoding="utf-8") as source:
        guest.execute(source.read())
    return timed(lambda: guest.execute(f"run({name!r})"))


def two_threads():
    """Milliseconds by the clock for each call, of two threads with a sandbox each, for BENCH_SECONDS."""
    import eryx

    seconds = float(os.environ.get("BENCH_SECONDS") or 0.15)
    guests = [eryx.Sandbox(), eryx.Sandbox()]
    for guest in guests:
        guest.execute("x=1+1")

    def run(guest, end, counts):
        calls = 0
        while perf_counter() < end:
            guest.execute("x=1+1")
            calls += 1
        counts.append(calls)

    def sample():
        counts, start = [], perf_counter()
        threads = [Thread(target=run, args=(guest, start + seconds, counts)) for guest in guests]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return (perf_counter() - start) * 1e3 / sum(counts)

    return sample


# What makes the sample function of a figure, and how many samples are thrown away before.
FIGURES = {
    "python-clean-exec": (lambda _, options: sandbox("x=1+1"), 20),
    "python-clean-echo": (lambda _, options: sandbox(HANDLER + CALL, check_echo), 20),
    "python-clean-exec-2-threads": (lambda _, options: two_threads(), 0),
    "python-new": (lambda _, options: new_sandbox(), 5),
    "python-reset": (lambda _, options: reset(), 5),
    "python-exec": (lambda _, options: session_exec(), 1000),
    "python-echo": (lambda _, options: echo_session()[1], 2000),
}
for WORK in ("fib", "nbody", "nested", "json", "sort", "regex"):
    FIGURES[f"work-{WORK}"] = (lambda _, options, name=WORK: work(name, options["--work"]), 3)


def session_exec():
    import eryx

    guest = eryx.Session()
    return timed(lambda: guest.execute("x=1+1"))


def version():
    import eryx

    inside = eryx.Sandbox().execute("import platform\nresult = platform.python_version()").result
    return f"pyeryx {importlib.metadata.version('pyeryx')} (CPython {inside}) in Python {platform.python_version()}"


if __name__ == "__main__":
    words = {"--list": lambda: "\n".join(FIGURES), "--version": version}
    main(sys.argv[1:], __doc__.splitlines()[-1], FIGURES, words, nullcontext)
