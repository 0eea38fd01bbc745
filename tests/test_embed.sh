#!/bin/bash
# test-timeout: 240
# docs/examples/embed.c compiles without a warning, is as short as it is said to be, and does what it
# shows.
# shellcheck source=tests/cli/tools.sh
. tests/cli/tools.sh
source=docs/examples/embed.c
embed=$work/embed
compile() { # The libraries of the library are not this program's business: V8 may be in a private place.
    # shellcheck disable=SC2086
    gcc -std=c11 -pedantic -Wall -Wextra -Werror -Wshadow ${SAN-} -Iinclude "$source" "$AARDVARK_BUILD/libaardvark.so" \
        -Wl,-rpath,"$AARDVARK_BUILD",--allow-shlib-undefined -o "$embed" 2>"$err"
}

check 'it is under 40 lines' '(($(wc -l <"$source") < 40))'
check 'it compiles as strict C11' compile
bundle "$work/py.zip" aardvark.manifest.json "$(manifest python main:f)" main.py '
def f(x):
    return {"twice": x * 2}'
bundle "$work/js.zip" aardvark.manifest.json "$(manifest javascript main:f)" \
    main.js 'export const f = (x) => ({ half: x / 2 })'
bundle "$work/loop.zip" aardvark.manifest.json "$(manifest javascript main:f)" \
    main.js 'export function f() { for (;;) {} }'
"$embed" "$work/py.zip" 21 >"$out" 2>"$err"
rc=$?
check 'Python' 'exits 0' "stdout_is '{\"twice\":42}'" stderr_empty
"$embed" "$work/js.zip" 21 >"$out" 2>"$err"
rc=$?
check 'JavaScript' 'exits 0' "stdout_is '{\"half\":10.5}'" stderr_empty
"$embed" "$work/js.zip" '{' >"$out" 2>"$err"
rc=$?
check 'a failed call' 'exits 1' stdout_empty 'stderr_has "the guest failed: "'
"$embed" "$work/loop.zip" >"$out" 2>"$err"
rc=$?
check 'a call that never ends' 'exits 1' stdout_empty 'stderr_has "longer than its limit"'
"$embed" "$work/none.zip" >"$out" 2>"$err"
rc=$?
check 'no bundle' 'exits 1' stdout_empty 'stderr_has "embed: "' 'stderr_has none.zip'

# What the README shows is this file.
check 'the README shows it' 'diff <(awk "/^\`\`\`c/ {on = 1; next} /^\`\`\`/ {on = 0} on" README.md) "$source"'
exit $status
