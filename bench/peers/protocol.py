"""What the peers that are Python have in common: the protocol of bench/bench_guest.c, its payload and its handler."""

import json
import sys
from time import perf_counter, sleep

PAYLOAD = json.dumps({"x": "a" * 1016}, separators=(",", ":"))
HANDLER = "import json\ndef echo(x):\n    return x\n"


def timed(call, check=None):
    def sample():
        start = perf_counter()
        value = call()
        took = perf_counter() - start
        if check:
            check(value)
        return took * 1e3

    return sample


def main(arguments, usage, figures, words, opened):
    """`figures`: name → what makes the sample function from what `opened()` gives and the options, and how many samples are
    thrown away before.  `words`: option → what gives the text that it prints."""

    def refuse(wrong):
        print(f"{usage.split()[1].removesuffix('.py')}: {wrong}\n{usage}", file=sys.stderr)
        raise SystemExit(2)

    if len(arguments) == 1 and arguments[0] in words:
        print(words[arguments[0]]())
        return
    if len(arguments) < 2 or arguments[0] not in figures or not arguments[1].isdecimal() or int(arguments[1]) < 1:
        refuse("a figure that --list names and a count of 1 or more are needed")
    make, warm_up = figures[arguments[0]]
    count, rounds, options = int(arguments[1]), False, {}
    rest = iter(arguments[2:])
    for option in rest:
        if option == "--rounds":
            rounds = True
        elif option in ("--work", "--pace"):
            options[option] = next(rest, None)
        else:
            refuse(f"{option} is no option")
    if arguments[0].startswith("work-") and not options.get("--work"):
        refuse("work needs --work FILE")
    pace = float(options.get("--pace") or 0) / 1e3

    with opened() as guest:
        sample = make(guest, options)

        def paced():
            sleep(pace)
            return sample()

        for _ in range(warm_up):
            sample()
        if rounds:
            print("ready", flush=True)
        for _ in sys.stdin if rounds else [None]:
            print(*(f"{paced() if pace else sample():.6f}" for _ in range(count)), flush=True)
