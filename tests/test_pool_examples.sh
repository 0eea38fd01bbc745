#!/bin/bash
# test-timeout: 240
# The examples of pools compile without a warning and do what they show.
# shellcheck source=tests/cli/tools.sh
. tests/cli/tools.sh
compile() { # NAME
    # shellcheck disable=SC2086
    gcc -std=c11 -pedantic -D_DEFAULT_SOURCE -Wall -Wextra -Werror -Wshadow ${SAN-} -Iinclude "docs/examples/$1.c" \
        "$AARDVARK_BUILD/libaardvark.so" -Wl,-rpath,"$AARDVARK_BUILD",--allow-shlib-undefined -lpthread -o "$work/$1" 2>"$err"
}

check 'pool.c compiles as strict C11' 'compile pool'
check 'event_loop.c compiles as strict C11' 'compile event_loop'
bundle "$work/py.zip" aardvark.manifest.json "$(manifest python main:f)" main.py '
seen = []
def f(x):
    seen.append(x)
    return [x * 2, len(seen)]'
seq 200 | "$work/pool" "$work/py.zip" >"$out" 2>"$err"
rc=$?
sort -o "$out" -t[ -k2n "$out"
check 'a pool serves lines, each with a clean guest' 'exits 0' stderr_empty 'diff <(seq 2 2 400 | sed "s/.*/[&,1]/") "$out"'
"$work/pool" "$work/none.zip" >"$out" 2>"$err" </dev/null
rc=$?
check 'no bundle' 'exits 1' stdout_empty 'stderr_has "pool: "' 'stderr_has none.zip'
"$work/event_loop" '6 * 7' 'globalThis.x = 1' 'typeof x' 'throw new Error("no")' >"$out" 2>"$err"
rc=$?
check 'an event loop' 'exits 0' stderr_empty 'grep -qx "6 \* 7: 42" "$out"' 'grep -qx "typeof x: \"undefined\"" "$out"' \
    'grep -q "^throw .*: .*no" "$out"' '(($(wc -l <"$out") == 4))'
exit $status
