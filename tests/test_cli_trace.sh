#!/bin/bash
# test-quick
# --trace: a file in Chrome's trace-event format, whole and balanced.
# shellcheck source=tests/cli/tools.sh
. tests/cli/tools.sh
trace=$work/trace.json
trace_is() { # CONDITION on `events` in JavaScript
    node -e '
        const events = JSON.parse(require("fs").readFileSync(process.argv[1]));
        const open = [];
        for (const e of events) {
            if (e.ph === "B") open.push(e.name);
            if (e.ph === "E" && open.pop() !== e.name) throw new Error("not nested");
        }
        const times = events.map((e) => e.ts);
        const has = (name, ph, text) => events.some((e) => e.name === name && e.ph === ph && (e.args.detail ?? e.args.result) === text);
        if (open.length || times.some((t, i) => i && t < times[i - 1]) || !eval(process.argv[2])) throw new Error(process.argv[2]);
        ' "$trace" "$1" 2>>"$err"
}

run exec --language javascript --trace "$trace" -c '6 * 7'
check 'exec' 'exits 0' 'stdout_is 42' stderr_empty \
    'trace_is "has(\"boot\", \"B\", \"javascript\") && has(\"call\", \"E\", \"none\") && events.length >= 4"'
run exec --language javascript --trace "$trace" -c 'throw new Error("x \"y\"")'
check 'a call that fails' 'exits 1' 'trace_is "has(\"call\", \"E\", \"javascript_exception\")"'
bundle "$work/js.zip" aardvark.manifest.json "$(manifest javascript main:f)" main.js 'export const f = () => 1'
run run "$work/js.zip" --trace="$trace"
check 'run' 'exits 0' 'stdout_is 1' 'trace_is "has(\"call\", \"B\", \"main:f\")"'
run exec --language javascript --trace "$trace" -c 'for (;;) {}' --wall-ms 50
check 'a call that never ends' 'exits 1' 'trace_is "has(\"call\", \"E\", \"timeout_exceeded\")"'
run exec --language javascript --trace "$work/none/trace" -c 1
check 'a file that can not be written' 'exits 4' stdout_empty one_message 'stderr_has none/trace'
run exec --language javascript --trace /dev/full -c 1
check 'a full disk' 'exits 4' 'stderr_has /dev/full'
exit $status
