#!/bin/bash
# test-quick
# The library exports what tests/exported_symbols.txt lists, and the headers declare exactly that.
# After a change that was meant: make exported-symbols
export LC_ALL=C
status=0
same() { # NAME EXPECTED ACTUAL
    if [[ -n $2 && $2 = "$3" ]]; then echo "ok $1"; else
        echo "not ok $1"
        diff <(echo "$2") <(echo "$3")
        status=1
    fi
}
exported=$(nm -D --defined-only "$AARDVARK_BUILD/libaardvark.so" | sed -n 's/.* \(aard_[a-z0-9_]*\)@@AARD_0\.4$/\1/p' | sort)
same 'exports are the list' "$(cat tests/exported_symbols.txt)" "$exported"
declared=$(gcc -E -P -Iinclude -include stddef.h include/aardvark.h | tr '\n' ' ' | tr ';' '\n' |
    sed -n 's/.*visibility("default").*[ *]\(aard_[a-z0-9_]*\) *(.*/\1/p' | sort)
same 'exports are what the headers declare' "$declared" "$exported"
exit $status
