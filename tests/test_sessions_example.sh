#!/bin/bash
# The example of sessions compiles without a warning and does what it shows.
# shellcheck source=tests/cli/tools.sh
. tests/cli/tools.sh
compile() {
    # shellcheck disable=SC2086
    gcc -std=c11 -pedantic -Wall -Wextra -Werror -Wshadow ${SAN-} -Iinclude docs/examples/session.c \
        "$AARDVARK_BUILD/libaardvark.so" -Wl,-rpath,"$AARDVARK_BUILD",--allow-shlib-undefined -o "$work/session" 2>"$err"
}
check 'session.c compiles as strict C11' compile
"$work/session" 'total = 40' 'total + 2' 'total = 0; 1 / 0' 'total' '{total}' >"$out" 2>"$err"
rc=$?
check 'steps keep names, and a failed one leaves nothing' 'exits 0' "stdout_is '1: null
2: 42
3: ZeroDivisionError: division by zero
4: 40
5: {40}'" stderr_empty
exit $status
