"""Runs one of pyperformance's programs, unchanged, wherever there is Python: in a guest of ours, in Eryx, in node + Pyodide and
natively.  Pyperformance measures with pyperf, which starts processes; here a module of that name takes its place.

measure(source, arguments, seconds) gives [[figure, seconds of one loop, ...], ...]: for each figure that the program has, the
times of so many rounds as fit into `seconds`, after one that is thrown away.
"""

import sys
import types
from time import perf_counter

ROUND = 0.1  # seconds that a round takes at least


class Runner:
    """What pyperformance's programs use of pyperf.Runner."""

    def __init__(self, figures, seconds, **options):
        self.figures, self.seconds = figures, seconds
        self.metadata = {}
        self.args = None
        self.add_cmdline_args = options.get("add_cmdline_args")
        self.argparser = __import__("argparse").ArgumentParser()
        self.argparser.add_argument("--loops", type=int)

    def parse_args(self, arguments=None):
        if self.args is None:
            self.args = self.argparser.parse_args(arguments)
        return self.args

    def rounds(self, name, one_round):
        """`one_round(loops)` gives the seconds that so many loops took."""
        self.parse_args()
        loops = 1
        took = one_round(loops)
        while took < ROUND and loops < 1 << 20:
            loops *= 2 if took > ROUND / 8 else 8
            took = one_round(loops)
        times = []
        end = perf_counter() + self.seconds
        while len(times) < 3 or perf_counter() < end:
            times.append(one_round(loops) / loops)
        self.figures.append([name, *times])

    def bench_time_func(self, name, function, *arguments, inner_loops=1, **options):
        scale = inner_loops or 1
        self.rounds(name, lambda loops: function(loops, *arguments) / scale)

    def bench_func(self, name, function, *arguments, inner_loops=1, **options):
        scale = inner_loops or 1

        def one_round(loops):
            start = perf_counter()
            for _ in range(loops):
                function(*arguments)
            return (perf_counter() - start) / scale

        self.rounds(name, one_round)

    def bench_async_func(self, name, function, *arguments, inner_loops=1, loop_factory=None, **options):
        import asyncio

        scale = inner_loops or 1

        async def all_loops(loops):
            start = perf_counter()
            for _ in range(loops):
                await function(*arguments)
            return (perf_counter() - start) / scale

        def one_round(loops):
            if loop_factory is None:
                return asyncio.run(all_loops(loops))
            with asyncio.Runner(loop_factory=loop_factory) as runner:
                return runner.run(all_loops(loops))

        self.rounds(name, one_round)

    def bench_command(self, *arguments, **options):
        raise RuntimeError("it starts a process")


def measure(source, arguments, seconds):
    figures = []
    pyperf = types.ModuleType("pyperf")
    pyperf.perf_counter = perf_counter
    pyperf.Runner = lambda *a, **options: Runner(figures, seconds, **options)
    pyperf.python_implementation = lambda: "cpython"
    sys.modules["pyperf"] = pyperf
    main = types.ModuleType("__main__")
    main.__file__ = "run_benchmark.py"
    before, sys.modules["__main__"] = sys.modules.get("__main__"), main
    argv, sys.argv = sys.argv, ["run_benchmark.py", *arguments]
    try:
        exec(compile(source, "run_benchmark.py", "exec"), main.__dict__)
    finally:
        sys.argv = argv
        if before is not None:
            sys.modules["__main__"] = before
    return figures
