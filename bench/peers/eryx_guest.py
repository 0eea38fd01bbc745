"""Eryx's side of the figures of bench/bench_guest.c, with the same protocol.

usage: eryx_guest.py FIGURE COUNT [--rounds] [--work FILE] [--pace MS]  |  --list  |  --version
"""

import importlib.metadata
import json
import platform
import sys
from time import perf_counter, sleep

PAYLOAD = json.dumps({"x": "a" * 1016}, separators=(",", ":"))
HANDLER = "import json\ndef echo(x):\n    return x\n"
# The variable `result` is Eryx's own way to give a value back; it is faster than printing it.
CALL = f"result = echo(json.loads({PAYLOAD!r}))"


def check_echo(outcome):
    if json.loads(outcome.result_json) != json.loads(PAYLOAD):
        raise SystemExit("eryx_guest: the value is not the payload")


def timed(call, check=None):
    def sample():
        start = perf_counter()
        outcome = call()
        took = perf_counter() - start
        if check:
            check(outcome)
        return took * 1e3

    return sample


def sandbox(code, check=None):
    import eryx

    guest = eryx.Sandbox()
    return timed(lambda: guest.execute(code), check)


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


# What makes the sample function of a figure, and how many samples are thrown away before.
FIGURES = {
    "python-clean-exec": (lambda options: sandbox("x=1+1"), 20),
    "python-clean-echo": (lambda options: sandbox(HANDLER + CALL, check_echo), 20),
    "python-reset": (lambda options: reset(), 5),
    "python-exec": (lambda options: session_exec(), 1000),
    "python-echo": (lambda options: echo_session()[1], 2000),
}
for WORK in ("fib", "nbody", "nested", "json", "sort", "regex"):
    FIGURES[f"work-{WORK}"] = (lambda options, name=WORK: work(name, options["--work"]), 3)


def session_exec():
    import eryx

    guest = eryx.Session()
    return timed(lambda: guest.execute("x=1+1"))


def usage(wrong):
    print(f"eryx_guest: {wrong}\n{__doc__.splitlines()[-1]}", file=sys.stderr)
    raise SystemExit(2)


def version():
    import eryx

    inside = eryx.Sandbox().execute("import platform\nresult = platform.python_version()").result
    return f"pyeryx {importlib.metadata.version('pyeryx')} (CPython {inside}) in Python {platform.python_version()}"


def main(arguments):
    if arguments == ["--list"]:
        print(*FIGURES, sep="\n")
        return
    if arguments == ["--version"]:
        print(version())
        return
    if len(arguments) < 2 or arguments[0] not in FIGURES or not arguments[1].isdecimal() or int(arguments[1]) < 1:
        usage("a figure that --list names and a count of 1 or more are needed")
    make, warm_up = FIGURES[arguments[0]]
    count, rounds, options = int(arguments[1]), False, {}
    rest = iter(arguments[2:])
    for option in rest:
        if option == "--rounds":
            rounds = True
        elif option in ("--work", "--pace"):
            options[option] = next(rest, None)
        else:
            usage(f"{option} is no option")
    if arguments[0].startswith("work-") and not options.get("--work"):
        usage("work needs --work FILE")

    sample = make(options)
    pace = float(options.get("--pace") or 0) / 1e3

    def paced():
        sleep(pace)
        return sample()

    for _ in range(warm_up):
        sample()
    if rounds:
        print("ready", flush=True)
    for _ in sys.stdin if rounds else [None]:
        print(*(f"{paced() if pace else sample():.6f}" for _ in range(count)), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
