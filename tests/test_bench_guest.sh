#!/bin/bash
# test-timeout: 240
# bench_guest gives samples of every figure, once and in rounds.
# shellcheck source=tests/cli/tools.sh
. tests/cli/tools.sh
guest=$AARDVARK_BUILD/bench_guest
measure() { # ARGUMENT…
    TMPDIR=$work "$guest" "$@" >"$out" 2>"$err"
    rc=$?
}
samples='[0-9]+\.[0-9]{6}'

"$guest" --list >"$work/.figures"
check 'figures have names of their own' '[[ -s $work/.figures && -z $(sort "$work/.figures" | uniq -d) ]]'
for figure in $(cat "$work/.figures"); do
    measure "$figure" 1 --work bench/workloads.py
    sign='' # another test that maps the same image meanwhile makes pages shared that were private: less than before, then
    [[ $figure = *memory ]] && sign='-?'
    check "$figure" 'exits 0' stderr_empty 'stdout_matches "^$sign$samples$"' '! grep -qx "0\.000000" "$out"' \
        '[[ $(wc -l <"$out") = 1 && -z $(ls "$work") ]]'
done
# Each figure that the orchestrator asks for is there, and none is there for nothing.
asked=$(node -e 'import("./bench/peers/figures.mjs").then(({figures}) => {
    for (const {ours} of figures) { const named = ours.rounds ?? ours.once; if (named) console.log(named[1]); } })' | sort -u)
check 'every figure that is compared is one' '[[ -n $asked && -z $(comm -23 <(echo "$asked") <(sort "$work/.figures")) ]]'

printf '\n\n' >"$work/.twice"
measure javascript-exec 3 --rounds <"$work/.twice"
check 'rounds come when they are asked for' 'exits 0' stderr_empty '[[ $(head -n 1 "$out") = ready ]]' \
    '[[ $(grep -cxE "$samples $samples $samples" "$out") = 2 && $(wc -l <"$out") = 3 ]]'
measure javascript-exec 3 --rounds </dev/null
check 'and only then' 'exits 0' 'stdout_is ready'
measure --version
check 'the version' 'stdout_matches "^aardvark [0-9.]+, V8 [0-9.]+"'

sed 's/return len(mails)/return 1 + len(mails)/' bench/workloads.py >"$work/.wrong"
measure work-regex 1 --work "$work/.wrong"
check 'work that gives something else is no sample' 'exits 1' stdout_empty 'stderr_has "regex gave (2001, 2000, 12000)"'
measure work-fib 1
check 'work without a file' 'exits 4' stdout_empty 'stderr_has "--work"'
measure work-fib 1 --work "$work/none"
check 'work from a file that is not there' 'exits 2' stdout_empty 'stderr_has "$work/none"'
for arguments in '' 'javascript-exec' 'nothing 1' 'javascript-exec 0' 'javascript-exec x' 'javascript-exec 1 --work' \
    'javascript-exec 1 2'; do
    # shellcheck disable=SC2086
    measure $arguments
    check "usage: bench_guest $arguments" 'exits 2' stdout_empty 'stderr_has "usage: bench_guest"'
done
rm -f "$work"/.figures "$work"/.twice "$work"/.wrong
exit $status
