#!/bin/bash
# test-timeout: 240
# bench_many prints a row at each step, with figures that can be true; its report is made of them.
# shellcheck source=tests/cli/tools.sh
. tests/cli/tools.sh
"$AARDVARK_BUILD/bench_many" --alive 12 --isolates 11 >"$out" 2>"$err"
rc=$?
check 'it runs' 'exits 0' stderr_empty
for row in children_python children_javascript isolates_javascript isolates_python; do
    most=$([[ $row = children* ]] && echo 12 || echo 11)
    for count in 10 "$most"; do
        check "$row: $count" "grep -qE '^row=$row count=$count start_min_ms=[0-9.]+ start_p50_ms=[0-9.]+ answer_p50_ms=[0-9.]+ again_p50_ms=[0-9.]+ memory_kib=-?[0-9]+\$' '$out'"
    done
done
check 'what is resident at the end is told' '[[ $(grep -cE "^row=isolates_[a-z]+_freed count=11 before_kib=[0-9]+ peak_kib=[0-9]+ after_kib=[0-9]+$" "$out") = 2 ]]'
mkdir "$work/build"
ln -s "$(realpath "$AARDVARK_BUILD")/bench_many" "$work/build/"
BUILD=$work/build BENCH_ALIVE=11 BENCH_ISOLATES=0 bench/many >"$out" 2>"$err"
rc=$?
check 'the report' 'exits 0' stderr_empty 'stdout_has "| children_python | 11 |"' '[[ $(wc -l <"$work/build/bench/many.txt") = 4 ]]' \
    'grep -q "<svg.*" "$work/build/bench/many.svg"' 'diff <(cat "$work/build/bench/many.md"; echo) "$out"'
for arguments in '--alive' '--alive x' '--isolates -1' 'x' '--alive 100001'; do
    # shellcheck disable=SC2086
    "$AARDVARK_BUILD/bench_many" $arguments >"$out" 2>"$err"
    rc=$?
    check "usage: $arguments" 'exits 2' stdout_empty 'stderr_has "usage: "'
done
exit $status
