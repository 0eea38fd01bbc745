#!/bin/bash
# test-timeout: 900
# Tests that are made for guests in threads, with each guest in a process of its own: what the host serves it (files, requests,
# functions, output) is as it is there, and so is what comes of them.  `make soak` has those that take long, too.
export AARD_TEST_ISOLATION=process AARDVARK_GUEST_HELPER=$AARDVARK_BUILD/aardvark-guest CMOCKA_MESSAGE_OUTPUT=STDOUT
status=0
names="outcome handlers isolate_javascript isolate_python system_python python_ends reset_below_python stop_race"
names+=" tampered_javascript isolate_checks warm_forged crossing_errors settings"
[[ -z ${AARD_SOAK-} ]] || {
    names+=" isolate_limits isolate_bundles isolate_hostile escape_realm runaways bombs neighbour budgets reset_python"
    names+=" network_python reset_javascript warm_start surroundings leaving messages packages traceparent"
}
unset AARD_SOAK # their figures are about threads
for name in $names network_javascript network_escapes escape_filesystem inline_javascript inline_python isolate_streams \
    event_loop capabilities callbacks host_callbacks sessions session_files; do
    if "$AARDVARK_BUILD/tests/test_$name" >"$TMPDIR/log" 2>&1; then
        echo "ok $name in processes"
    else
        tail -n 200 "$TMPDIR/log" | sed 's/\[ RUN  /[ run  /; s/\[       OK/[       ok/; s/^/    /'
        echo "not ok $name in processes"
        status=1
    fi
    rm -f "$TMPDIR/log"
done
exit $status
