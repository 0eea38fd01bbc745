#!/bin/bash
# test-quick
# scripts/api.py reads the headers as the compiler does; what it makes of them binds every function of the library with
# the machine's python3, and runs guests.
# shellcheck source=tests/cli/tools.sh
. tests/cli/tools.sh

scripts/api.py ctypes >"$work/aardvark.py" || echo "not ok the bindings are made"
scripts/api.py list >"$work/list"
# Sizes, places and numbers as the compiler has them: "EXPRESSION VALUE".
{
    echo '#include <aardvark.h>'
    echo '#include <stdio.h>'
    echo 'int main(void) {'
    sed -nE 's/^struct (\w+) 0: .*/printf("ctypes.sizeof(\1) %zu\\n", sizeof(\1));/p
             s/^struct (\w+) [0-9]+: .*[ *](\w+)(\[[0-9]+\])?$/printf("\1.\2.offset %zu\\n", offsetof(\1, \2));/p
             s/^enum \w+: (\w+) = .*/printf("\1 %d\\n", (int)\1);/p' "$work/list"
    echo '}'
} >"$work/numbers.c"
gcc -std=c11 -Wall -Werror -Iinclude "$work/numbers.c" -o "$work/numbers" && "$work/numbers" >"$work/numbers.txt"
check 'there are numbers' '(($(wc -l <"$work/numbers.txt") > 150))'
# A sanitizer's library has to be there before the program; Python's own leaks are not looked for.
sanitizer=$(ldd "$AARDVARK_BUILD/libaardvark.so" | grep -oE '/[^ ]*/lib(a|t|ub)san[^ ]*' | head -n 1)
export PYTHONPATH=$work PYTHONDONTWRITEBYTECODE=1 ASAN_OPTIONS=${ASAN_OPTIONS-}:detect_leaks=0
LD_PRELOAD=$sanitizer python3 tests/bindings.py \
    "$AARDVARK_BUILD/libaardvark.so" "$(grep -c "^[^(]*[ *]aard_[a-z0-9_]*(" "$work/list")" <"$work/numbers.txt" || status=1
awk '/^```python/ {on = 1; next} /^```/ {on = 0} on' docs/bindings.md |
    sed "s|aard.load()|aard.load('$AARDVARK_BUILD/libaardvark.so')|" >"$work/example.py"
LD_PRELOAD=$sanitizer python3 "$work/example.py" >"$out" 2>"$err"
rc=$?
check 'what the manual shows' 'exits 0' "stdout_is \"b'[2,4,6]'\"" stderr_empty
exit $status
