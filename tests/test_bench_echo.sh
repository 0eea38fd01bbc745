#!/bin/bash
# test-timeout: 240
# bench_echo prints a line for every row and metric, with figures that can be true.
# shellcheck source=tests/cli/tools.sh
. tests/cli/tools.sh
TMPDIR=$work "$AARDVARK_BUILD/bench_echo" 20 64 >"$out" 2>"$err"
rc=$?
check 'it runs' 'exits 0' stderr_empty '[[ -z $(ls "$work") ]]'
for row in persistent_python persistent_javascript reset_python reset_javascript reset_ahead_javascript cold_python cold_javascript; do
    for metric in prepare run total; do
        line=$(grep "^row=$row metric=$metric count=" "$out")
        check "$row $metric" 'awk -v RS="[ \n]" -F= "{v[\$1] = \$2} END {exit !(v[\"count\"] >= 3 &&
            v[\"min_ms\"] >= 0 && v[\"max_ms\"] > 0 && v[\"min_ms\"] <= v[\"p50_ms\"] &&
            v[\"p50_ms\"] <= v[\"p99_ms\"] && v[\"p99_ms\"] <= v[\"max_ms\"] && v[\"avg_ms\"] <= v[\"max_ms\"])}" <<<"$line"'
    done
done
check 'memory is told' 'stdout_matches "^rss_after_first_result_kib=[1-9][0-9]{4,}$"'
for arguments in '0' '10 7' 'x' '1 64 1' '-1' '10 1e3'; do
    # shellcheck disable=SC2086
    "$AARDVARK_BUILD/bench_echo" $arguments >"$out" 2>"$err"
    rc=$?
    check "usage: bench_echo $arguments" 'exits 2' stdout_empty 'stderr_has "usage: bench_echo"'
done
exit $status
