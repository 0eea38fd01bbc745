#!/bin/bash
# test-timeout: 600
# Some of CPython's own tests in a guest: those that are the same in the Python that Debian has and in Pyodide's.  All of
# them, beside node + Pyodide, are `make check-cpython`.
# shellcheck source=tests/cli/tools.sh
. tests/cli/tools.sh
tests=$(tests/cpython/find) || tests=
check 'the tests of CPython are here' '[[ -n $tests ]]'

sample() { # MODULE: all of it runs, nothing fails
    run exec --wall-ms 300000 --mount "$tests:/cpython/test" --input "{\"module\": \"$1\", \"done\": []}" tests/cpython/guest.py
    local marked
    marked=$(grep -a $'^\x01test ' "$out" | cut -c7-)
    passed=$(grep -c '^ok ' <<<"$marked") failed=$(grep -E '^(fail|crash) ' <<<"$marked")
    check "$1" 'exits 0' '((passed > 0))' '[[ -z $failed ]]' 'grep -qx done <<<"$marked"'
}
for module in bisect heapq textwrap string struct copy operator generators set scope with unpack_ex base64 graphlib fnmatch; do
    sample "test_$module"
done
exit $status
