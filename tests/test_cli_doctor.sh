#!/bin/bash
# aardvark doctor, and guests that are not to run without some hardening; on this machine, and on ones that refuse it.
# test-timeout: 240
# shellcheck source=tests/cli/tools.sh
. tests/cli/tools.sh
js=(--isolation process --language javascript -c '6 * 7')
refuse() { # CALL=ERRNO ARGUMENT…: the command, on such a machine
    local what=$1
    shift
    "$AARDVARK_BUILD/tests/make_refusal" "$what" -- "$aardvark" "$@" >"$out" 2>"$err"
    rc=$?
}

# ---- here ----
run doctor --json
check 'a report as JSON' stderr_empty '((rc == 0 || rc == 4))' 'json_is "Object.keys(o).join() ===
    \"versions,distribution,isolation,hardening,machine,limits,all_in_force\""'
here=$rc
check 'the exit status says whether all is in force' "json_is 'o.all_in_force === ($rc === 0)'"
check 'every measure is in it' "json_is '\"$("$aardvark" doctor --list-measures | paste -sd,)\" === Object.keys(o.hardening).join()'"
check 'each with what it does and needs' 'json_is "Object.values(o.hardening).every(m => typeof m.in_force === \"boolean\" && m.does &&
    m.needs && (m.in_force ? m.reason === null : m.reason))"'
check 'guests answer, in threads and processes' 'json_is "Object.values(o.isolation).join() === Array(4).fill(\"answers\").join()"'
check 'versions' "json_is '\"aardvark \" + o.versions.aardvark + \" (V8 \" + o.versions.v8 + \")\" === \"$("$aardvark" --version)\"'"
check 'the distribution is prepared' 'json_is "o.distribution.prepared === \"yes\" && o.distribution.pyodide && !o.distribution.error"'
check 'the kernel and the limits' "json_is 'o.machine.kernel === \"$(uname -r)\" && o.machine.processors === $(nproc) &&
    o.machine[\"vm.max_map_count\"] === $(cat /proc/sys/vm/max_map_count) && o.limits.RLIMIT_NOFILE'"
cp "$out" "$work/json"
run doctor
check 'the same for people' "exits $here" stderr_empty
for key in $(node -p 'Object.entries(JSON.parse(require("fs").readFileSync(process.argv[1]))).flatMap(([k, v]) =>
    typeof v === "object" ? Object.keys(v) : []).join(" ")' "$work/json"); do
    check "  $key" "grep -qE '^  $key +[^ ]' '$out'"
done
AARDVARK_HOME=$work/nothing run doctor --json
check 'without a distribution' "exits $here" 'json_is "o.distribution.directory === null && o.distribution.error &&
    Object.keys(o.isolation).join() === \"javascript_thread,javascript_process\""'
AARDVARK_GUEST_HELPER=$work/none run doctor --json
check 'without the program of guests' 'exits 4' 'json_is "!o.all_in_force && o.isolation.javascript_thread === \"answers\" &&
    o.isolation.javascript_process.includes(\"AARDVARK_GUEST_HELPER\") && !o.hardening.seccomp.in_force"'
run doctor now
check 'an argument' 'exits 2' one_message 'stderr_has "unexpected argument"'

# ---- what is in force can be required ----
have=$(node -p 'Object.entries(JSON.parse(require("fs").readFileSync(process.argv[1])).hardening)
    .filter(([, m]) => m.in_force).map(([k]) => k).join()' "$work/json")
run exec --require-hardening "$have" "${js[@]}"
check 'what is in force is there' 'exits 0' 'stdout_is 42'
run exec --require-hardening "$have" --language javascript -c 1
check 'but not in a thread' 'exits 4' one_message stdout_empty 'last_message_is "hardening: the configuration requires hardening, which a guest in a thread of the host does not have: choose isolation '\''process'\'', or require none"'
for list in '' , seccomp, ,seccomp Seccomp seccomp,nonsense "$(printf 'x%.0s' {1..80})"; do
    run exec --require-hardening "$list" "${js[@]}"
    check "not a list of measures: '${list:0:20}'" 'exits 2' one_message 'stderr_has "--require-hardening expects all, or measures"'
done

# ---- machines that refuse some ----
lacks() { # CALL=ERRNO MEASURE REASON
    refuse "$1" doctor --json
    check "without $2: the doctor sees it" 'exits 4' "json_is '!o.hardening.$2.in_force && o.hardening.$2.reason === \"$3\" && !o.all_in_force'"
    check "without $2: guests answer" 'json_is "Object.values(o.isolation).every(t => t === \"answers\")"'
    refuse "$1" exec --require-hardening "$2" "${js[@]}"
    check "without $2: no guest that requires it" 'exits 4' one_message stdout_empty "stderr_has ' $2 ($3; needs '"
    refuse "$1" exec "${js[@]}"
    check "without $2: others run" 'exits 0' stderr_empty 'stdout_is 42'
}
lacks unshare_user=28 user_namespace 'No space left on device'
lacks unshare_network=1 network_namespace 'Operation not permitted'
lacks fsopen=38 mount_namespace 'Function not implemented'
lacks seccomp=38 seccomp 'Function not implemented'
lacks landlock=95 landlock 'Operation not supported'
lacks prlimit=1 limits 'Operation not permitted'
refuse unshare=1 exec --require-hardening limits,uts_namespace --require-hardening ipc_namespace "${js[@]}"
check 'all that are missing are named, and no others' 'exits 4' one_message 'stderr_has "uts_namespace ("' 'stderr_has "ipc_namespace ("' \
    '! stderr_has "limits ("'
refuse unshare=1 exec --require-hardening seccomp "${js[@]}"
check 'what is not required is not missed' 'exits 0' 'stdout_is 42'
exit $status
