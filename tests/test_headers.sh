#!/bin/bash
# test-quick
# Every public header compiles alone, as strict C11 and as C++17, and names nothing of V8 or C++.
status=0
check() { # NAME COMMAND…
    local name=$1
    shift
    if "$@"; then echo "ok $name"; else
        echo "not ok $name"
        status=1
    fi
}
for header in include/aardvark.h include/aardvark/*.h; do
    include="#include <${header#include/}>"
    check "$header as C11" gcc -std=c11 -pedantic -Wall -Wextra -Werror -Wstrict-prototypes -Iinclude -fsyntax-only \
        -x c - <<<"$include"
    check "$header as C++17" g++ -std=c++17 -pedantic -Wall -Wextra -Werror -Iinclude -fsyntax-only -x c++ - <<<"$include"
    check "$header twice" gcc -std=c11 -Werror -Iinclude -fsyntax-only -x c - <<<"$include"$'\n'"$include"
done
for header in include/aardvark/*.h; do
    check "aardvark.h includes ${header##*/}" grep -qx "#include <aardvark/${header##*/}>" include/aardvark.h
done
check 'every function that gives an error says it must be looked at' \
    test -z "$(grep -n 'AARD_API aard_error \*' include/aardvark/*.h)"
ignored='#include <aardvark.h>
void ignore(aard_call **call) { aard_call_new(call); }'
compile=(gcc -std=c11 -O0 -Iinclude -c -o /dev/null -x c -)
check 'an error can be ignored by who insists' "${compile[@]}" -w <<<"$ignored"
check 'an error that is ignored is warned of' test -n "$("${compile[@]}" <<<"$ignored" 2>&1 | grep unused-result)"
exit $status
