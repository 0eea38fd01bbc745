#!/bin/bash
# test-timeout: 240
# aardvark session: JSON-RPC on stdin and stdout.
# shellcheck source=tests/cli/tools.sh
. tests/cli/tools.sh
session() { # [OPTION…], with the messages of $work/in
    run session "$@" <"$work/in"
}
message() { printf '{"jsonrpc":"2.0","id":%s,"method":"%s","params":%s}\n' "$1" "$2" "${3:-{\}}"; }
# The line of the answer to request ID, of which an expression of `r` (the result) or `e` (the error) is true.
answer() { # ID EXPRESSION
    node -e '
        const lines = require("fs").readFileSync(process.argv[1], "utf8").trim().split("\n").map((l) => JSON.parse(l));
        const found = lines.filter((l) => l.id === JSON.parse(process.argv[2]) && !l.method);
        if (found.length !== 1) process.exit(1);
        const r = found[0].result, e = found[0].error;
        process.exit(eval(process.argv[3]) ? 0 : 1);' "$out" "$1" "$2"
}

for isolation in thread process; do
    {
        message 1 initialize
        message '"two"' execute '{"code":"x = 40\nprint(\"seen\")\nx + 2"}'
        message 3 execute '{"code":"x"}'
        message 4 files.write '{"path":"/session/a","data":"aGk="}'
        message 5 execute '{"code":"open(\"a\").read()"}'
        message 6 none
        echo nonsense
    } >"$work/in"
    session --isolation $isolation
    check "steps of a session, $isolation" 'exits 0' stderr_empty 'answer 1 "r.language === \"python\" && r.methods.includes(\"execute\")"' \
        "answer '\"two\"' 'r.value === 42 && r.diagnostics.isolation === \"$isolation\"'" 'answer 3 "r.value === 40"' 'answer 4 "r.value === null"' \
        'answer 5 "r.value === \"hi\""' 'answer 6 "e.code === -32601"' 'answer null "e.code === -32700"' \
        "stdout_has '{\"jsonrpc\":\"2.0\",\"method\":\"output\",\"params\":{\"id\":\"two\",\"stream\":\"stdout\",\"text\":\"seen\\n\"}}'"
done

: >"$work/in"
session
check 'a session of nothing' 'exits 0' stdout_empty stderr_empty
message 1 execute '{"code":"let a = await 4; a"}' >"$work/in"
session --language javascript
check 'JavaScript' 'exits 0' 'answer 1 "r.value === 4"'
bundle "$work/b.zip" aardvark.manifest.json "$(manifest python main:f)" main.py '
seen = []
def f(x):
    seen.append(x)
    return seen'
{
    message 1 call '{"input":1}'
    message 2 call '{"input":"b"}'
    message 3 call '{"entrypoint":"main:g"}'
    message 4 reset
    message 5 call '{"input":3}'
} >"$work/in"
session "$work/b.zip"
check 'the handler of a bundle' 'exits 0' 'answer 2 "JSON.stringify(r.value) === \"[1,\\\"b\\\"]\""' 'answer 3 "r.failure.kind === \"adapter_error\""' \
    'answer 5 "JSON.stringify(r.value) === \"[3]\""'
message 1 execute '{"code":"while True: pass"}' >"$work/in"
session --wall-ms 200
check 'limits hold for each request' 'exits 0' 'answer 1 "r.failure.kind === \"timeout_exceeded\""'
run session < <(
    message 1 execute '{"code":"x = 1"}'
    message 2 execute '{"code":"while True: pass"}'
    sleep 1.5
    printf '{"jsonrpc":"2.0","method":"cancel","params":{"id":2}}\n'
    message 3 execute '{"code":"x"}'
)
check 'a step is cancelled and the session lives on' 'exits 0' 'answer 2 "r.failure.kind === \"cancelled\""' 'answer 3 "r.value === 1"'

# A client that goes away takes its session along, whatever that does.
{ message 1 execute '{"code":"while True: pass"}'; } | timeout 60 "$aardvark" session 2>"$err" | head -c 0 >"$out"
rc=${PIPESTATUS[1]}
check 'nobody reads any more' '[[ $rc != 124 ]]'
message 1 execute '{"code":"while True: print(1)"}' | timeout 60 "$aardvark" session 2>"$err" | head -n 3 >"$out"
rc=${PIPESTATUS[1]}
check 'nobody reads what the guest writes' '[[ $rc != 124 ]]'

run session --input 1 </dev/null
check 'options of calls are none of sessions' 'exits 2' 'stderr_has input'
run session a.zip b.zip </dev/null
check 'two bundles' 'exits 2' 'stderr_has "name one bundle or none, not 2"'
run session "$work/none.zip" </dev/null
check 'a bundle that is not there' 'exits 3' one_message
exit $status
