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
getters=$(sed -nE 's/^(aard_((isolate|pool)_config|stage_options|call))_set_(.*)$/\1_\4/p; s/^(aard_((isolate|pool)_config|stage_options))_add_(.*)$/\1_\4\n\1_\4_count/p' \
    <<<"$functions" | sed 's/^aard_call_arguments$/aard_call_argument/')
same 'every setter has a getter' '' "$(grep -vxFf <(echo "$functions") <<<"$getters")"
# size_t is for lengths, indices and numbers of objects in memory; uint64_t is for all that is counted or limited.
sizes=$(grep -oE '(size_t|uint64_t) \*?\w+[,)]' <<<"$list" | grep -vE \
    '^size_t \*?((\w+_)?(len|count)|size|index|removed|desired|minimum_idle|maximum|threads|calls)[,)]$|^uint64_t \*?(\w+_)?(bytes|ms|calls|files|handles|entries|levels|value|done|total|left|abandoned|unfreeable)[,)]$')
same 'size_t and uint64_t are for what they are for' '' "$sizes"
# A structure that is in the caller's memory begins with its size; those that callbacks and getters give may do without.
functions_only=$(grep -vE '^(typedef|struct|enum) ' <<<"$list")
for structure in $(sed -nE 's/^struct (\w+) 0: .*/\1/p' <<<"$list"); do
    # An event is the library's own, handed back.
    case $structure in aard_completion | aard_completion_target | aard_trace_event) continue ;; esac
    grep -qE "[(,] ?(const )?$structure \*\w+[,)]" <<<"$functions_only" || continue
    same "$structure begins with its size" "struct $structure 0: size_t struct_size" "$(grep "^struct $structure 0: " <<<"$list")"
done
exit $status
