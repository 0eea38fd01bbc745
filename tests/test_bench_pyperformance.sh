#!/bin/bash
# test-timeout: 300
# bench/pyperformance/run from end to end, with programs made up here: here and in native CPython, beside an Eryx and a Pyodide
# that can't run anything.
# shellcheck source=tests/cli/tools.sh
. tests/cli/tools.sh
peers=$work/peers
programs=$peers/pyperformance/pyperformance/data-files/benchmarks
mkdir -p "$peers/eryx/bin" "$peers/node_modules/pyodide" "$work/build"
for program in aardvark bench_guest libaardvark.so "$(basename "$AARDVARK_BUILD"/libaardvark.so.*)"; do
    ln -s "$AARDVARK_BUILD/$program" "$work/build/$program"
done
cat >"$peers/eryx/bin/python" <<'END'
#!/bin/bash
case "$*" in *eryx*) echo 'RuntimeError: no Eryx here' >&2; exit 1 ;; esac
exec python3 "$@"
END
chmod +x "$peers/eryx/bin/python"
echo '{"version": "7.8.9"}' >"$peers/node_modules/pyodide/package.json"
echo 'export const loadPyodide = async () => { throw new RangeError("no Pyodide here"); };' >"$peers/node_modules/pyodide/pyodide.mjs"

program() { # NAME DEPENDENCIES: its source is on stdin
    mkdir -p "$programs/bm_$1"
    cat >"$programs/bm_$1/run_benchmark.py"
    printf '[project]\nname = "x"\ndependencies = [%s]\n[tool.pyperformance]\nname = "%s"\n' "$2" "$1" >"$programs/bm_$1/pyproject.toml"
}
program plain '"pyperf"' <<'END'
import pyperf
import sys


def work(loops, n):
    start = pyperf.perf_counter()
    for _ in range(loops):
        sum(range(n))
    return pyperf.perf_counter() - start


def call(n):
    print("what a program prints is not its figures")
    return n + 1


async def wait():
    pass


if __name__ == "__main__":
    runner = pyperf.Runner(add_cmdline_args=lambda cmd, args: None)
    runner.metadata["description"] = "a test"
    runner.argparser.add_argument("kind", nargs="?", default="none")
    args = runner.parse_args()
    runner.bench_time_func("plain_" + args.kind, work, 1000)
    runner.bench_func("plain_call", call, 3)
    runner.bench_async_func("plain_async", wait)
END
printf '[tool.pyperformance]\nname = "plain_other"\nextra_opts = [\n    "other",\n]\n' >"$programs/bm_plain/bm_plain_other.toml"
echo 'import subprocess' | program outside '"pyperf"'
echo '' | program needy '"pyperf", "Chameleon"'

env BUILD="$work/build" BENCH_PEERS="$peers" BENCH_ROUNDS=1 BENCH_SECONDS=0.01 bench/pyperformance/run >"$out" 2>"$err"
rc=$?
report=$work/build/bench
check 'it runs and writes its report' 'exits 0' \
    '[[ -s $report/pyperformance.md && -s $report/pyperformance.txt && -s $report/pyperformance.svg ]]'
for figure in plain_none plain_other plain_call plain_async; do
    check "$figure is measured here and natively" \
        'grep -qE "^figure=$figure ours_s=[0-9.e-]+ eryx_s=none pyodide_s=none native_s=[0-9.e-]+$" "$report/pyperformance.txt"' \
        'grep -qE "^\| $figure \| [0-9.]+ \| – \| – \| [0-9.]+ \| – \| – \| [0-9.]+ \|$" "$report/pyperformance.md"'
done
check 'the mean is over what both have' 'grep -qE "^mean=native ratio=[0-9.]+ figures=[0-9]+$" "$report/pyperformance.txt"' \
    'grep -qx "mean=eryx ratio=none figures=0" "$report/pyperformance.txt"'
check 'what can not be run is said, and why' 'grep -qF "plain in Eryx: RuntimeError: no Eryx here" "$report/pyperformance.md"' \
    'grep -qF "plain in node + Pyodide: RangeError: no Pyodide here" "$report/pyperformance.md"' \
    'grep -qF "needy (needs Chameleon), outside (uses subprocess)" "$report/pyperformance.md"'
env BUILD="$work/build" BENCH_PEERS="$peers" BENCH_ONLY=nothing bench/pyperformance/run >"$out" 2>"$err"
rc=$?
check 'no program of that name' 'exits 1' 'stderr_has "BENCH_ONLY=nothing: no program has that in its name"'
exit $status
