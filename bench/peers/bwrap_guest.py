"""The system's own python3 in a sandbox that bubblewrap makes for each call, with the protocol of bench/bench_guest.c.

usage: bwrap_guest.py FIGURE COUNT [--rounds] [--pace MS]  |  --list  |  --version
"""

import json
import os
import subprocess
import sys
from contextlib import nullcontext

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from protocol import HANDLER, PAYLOAD, main, timed  # noqa: E402

CODE = HANDLER + "import sys\nprint(json.dumps(echo(json.loads(sys.stdin.read()))))\n"
SANDBOX = ["bwrap", "--unshare-all", "--die-with-parent", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"]
PYTHON = ["/usr/bin/python3", "-I", "-S", "-c", CODE]


def echo():
    return subprocess.run([*SANDBOX, *PYTHON], input=PAYLOAD, capture_output=True, text=True, check=True).stdout


def check(text):
    if json.loads(text) != json.loads(PAYLOAD):
        raise SystemExit("bwrap_guest: the value is not the payload")


FIGURES = {"python-process-new-echo": (lambda _, options: timed(echo, check), 3)}


def version():
    return subprocess.run(["bwrap", "--version"], capture_output=True, text=True, check=True).stdout.strip()


if __name__ == "__main__":
    words = {"--list": lambda: "\n".join(FIGURES), "--version": version}
    main(sys.argv[1:], __doc__.splitlines()[-1], FIGURES, words, nullcontext)
