#!/bin/bash
# test-timeout: 240
# bench_pool prints a line for every row, with figures that can be true.
# shellcheck source=tests/cli/tools.sh
. tests/cli/tools.sh
figures_of() { # ROW LINE: they are all there, and no percentile is above a higher one
    awk -v RS="[ \n]" -F= '{ v[$1] = $2 } END {
        if (v["count"] < 1 || v["calls_per_second"] <= 0) exit 1
        n = split("queue run total", m, " ")
        for (i = 1; i <= n; i++) {
            a = v[m[i] "_p50_ms"]; b = v[m[i] "_p95_ms"]; c = v[m[i] "_p99_ms"]
            if (a == "" || a < 0 || a > b || b > c) exit 1
        }
        exit !(v["run_p50_ms"] > 0 && v["total_p50_ms"] >= v["run_p50_ms"])
    }' <<<"$1"
}
for clean in none full process; do
    TMPDIR=$work "$AARDVARK_BUILD/bench_pool" --size 2 --seconds 0.3 --clean "$clean" --load 0.3 >"$out" 2>"$err"
    rc=$?
    check "clean $clean" 'exits 0' stderr_empty '[[ -z $(ls "$work") ]]'
    for row in capacity_python load_python capacity_javascript load_javascript; do
        line=$(grep "^row=$row count=" "$out")
        check "clean $clean: $row" 'figures_of "$line"'
    done
done
TMPDIR=$work "$AARDVARK_BUILD/bench_pool" --seconds 0.1 >"$out" 2>"$err"
rc=$?
check 'without a load' 'exits 0' stderr_empty '! grep -q load_ "$out"'
for arguments in '--size 0' '--size' '--seconds 0' '--seconds x' '--clean all' '--load -1' '--isolation none' '--help me' 'x'; do
    # shellcheck disable=SC2086
    "$AARDVARK_BUILD/bench_pool" $arguments >"$out" 2>"$err"
    rc=$?
    check "usage: bench_pool $arguments" 'exits 2' stdout_empty 'stderr_has "usage: bench_pool"'
done
exit $status
