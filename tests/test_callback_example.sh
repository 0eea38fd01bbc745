#!/bin/bash
# test-timeout: 240
# docs/examples/callback.c compiles without a warning and does what it shows; the stubs that it prints are Python.
# shellcheck source=tests/cli/tools.sh
. tests/cli/tools.sh
compile() {
    # shellcheck disable=SC2086
    gcc -std=c11 -pedantic -D_DEFAULT_SOURCE -Wall -Wextra -Werror -Wshadow ${SAN-} -Iinclude docs/examples/callback.c \
        "$AARDVARK_BUILD/libaardvark.so" -Wl,-rpath,"$AARDVARK_BUILD",--allow-shlib-undefined -lpthread -o "$work/callback" 2>"$err"
}
stubs_are_python() {
    sed '$d' "$out" >"$work/stubs.py"
    python3 - "$work/stubs.py" <<'PYTHON'
import ast, sys
tree = ast.parse(open(sys.argv[1]).read())
found = {node.name: node for node in tree.body if isinstance(node, ast.AsyncFunctionDef)}
assert [one.arg for one in found["weather"].args.kwonlyargs] == ["city"], found
assert "How warm" in ast.get_docstring(found["weather"])
PYTHON
}

check 'it compiles as strict C11' compile
"$work/callback" >"$out" 2>"$err"
rc=$?
check 'answers come at once and later' 'exits 0' stderr_empty \
    '[[ $(tail -n 1 "$out") = "[{\"city\":\"Lima\"},0,\"NotFound: there is no such city\"]" ]]'
check 'its stubs are Python' stubs_are_python
exit $status
