"""A person at a terminal: runs a command on one, types, and waits for what is shown.  person.py COMMAND… < script

Each line of the script is `> TEXT` (typed, with escapes of Python), `< TEXT` (waited for), or `. SECONDS`.  Everything that was
shown is on stdout at the end; the exit status is the command's, or 99 where something never came."""

import os
import pty
import select
import sys
import time


def main():
    script = [line.rstrip("\n") for line in sys.stdin]
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(sys.argv[1], sys.argv[1:])
    shown, seen = b"", 0
    for line in script:
        kind, text = line[0], line[2:]
        if kind == ">":
            os.write(terminal, text.encode().decode("unicode_escape").encode("latin-1"))
        elif kind == ".":
            time.sleep(float(text))
        else:
            until = time.monotonic() + 30
            while (at := shown.find(text.encode(), seen)) < 0:
                ready, _, _ = select.select([terminal], [], [], max(0, until - time.monotonic()))
                try:
                    more = os.read(terminal, 65536) if ready else b""
                except OSError:
                    more = b""
                if not more:
                    sys.stdout.buffer.write(shown)
                    print(f"\nnever came: {text}")
                    os.kill(pid, 9)
                    sys.exit(99)
                shown += more
            seen = at + len(text.encode())
    try:
        while select.select([terminal], [], [], 30)[0] and (more := os.read(terminal, 65536)):
            shown += more
    except OSError:
        pass
    sys.stdout.buffer.write(shown)
    ended = os.WEXITED | os.WNOHANG | os.WNOWAIT
    for _ in range(50):
        if os.waitid(os.P_PID, pid, ended) is not None:
            break
        time.sleep(0.1)
    else:
        os.kill(pid, 9)
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))


main()
