#!/bin/bash
# test-quick
# The headers declare what tests/exported_symbols.txt lists, with every type and number, and the library exports exactly
# the functions there.  After a change that was meant: make exported-symbols
export LC_ALL=C
status=0
same() { # NAME EXPECTED ACTUAL
    if [[ $2 = "$3" ]]; then echo "ok $1"; else
        echo "not ok $1"
        diff <(echo "$2") <(echo "$3")
        status=1
    fi
}
list=$(grep . tests/exported_symbols.txt)
same 'the interface is the list' "$list" "$(scripts/api.py list)"
functions=$(grep -vE '^(typedef|struct|enum) ' <<<"$list" | grep -oE '\w+\(' | tr -d '(')
exported=$(nm -D --defined-only "$AARDVARK_BUILD/libaardvark.so" | sed -n 's/.* \(aard_[a-z0-9_]*\)@@AARD_0\.4$/\1/p' | sort)
same 'the library exports the functions' "$functions" "$exported"
# What has a setter has a getter: aard_X_set_Y and aard_X_Y; aard_X_add_Y and aard_X_Y, with the index, and aard_X_Y_count.
getters=$(sed -nE 's/^(aard_(isolate_config|call))_set_(.*)$/\1_\3/p; s/^(aard_isolate_config)_add_(.*)$/\1_\2\n\1_\2_count/p' \
    <<<"$functions" | sed 's/^aard_call_arguments$/aard_call_argument/')
same 'every setter has a getter' '' "$(grep -vxFf <(echo "$functions") <<<"$getters")"
exit $status
