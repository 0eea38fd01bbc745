#!/bin/bash
# test-timeout: 240, test-quick
# aardvark run: bundles, entrypoints, inputs, values.
# shellcheck source=tests/cli/tools.sh
. tests/cli/tools.sh
code='export function echo(x) { return x }
export async function later() { await null; return "late" }
export function nan() { return {list: [1, NaN]} }
export function fails() { throw new RangeError("no") }'
bundle "$work/js.zip" aardvark.manifest.json "$(manifest javascript main:echo)" main.js "$code"
bundle "$work/bare.zip" main.js "$code"
js=$work/js.zip bare=$work/bare.zip

run run "$js" --input '{"b": [1, 2.5, "é", null, true], "a": {}}'
check 'the input is the argument, the value is JSON' 'exits 0' stderr_empty \
    "stdout_is '{\"b\":[1,2.5,\"é\",null,true],\"a\":{}}'"
run run "$js"
check 'no input: null is printed' 'exits 0' 'stdout_is null'
printf '[1, 2]' >"$work/in.json"
run run "$js" --input-file "$work/in.json"
check 'input from a file' 'exits 0' 'stdout_is "[1,2]"'
run run "$js" --input-file - <"$work/in.json"
check 'input from stdin' 'exits 0' 'stdout_is "[1,2]"'
node -e 'process.stdout.write(JSON.stringify("é".repeat(5 << 20)))' >"$work/big.json"
run run "$js" --input-file "$work/big.json"
check '10 MiB go in and come out' 'exits 0' 'cmp -s "$out" <(cat "$work/big.json"; echo)'
run run "$js" --input-file "$work/none.json"
check 'an input file that is not there' 'exits 3' stdout_empty one_message 'stderr_has "not_found: "'
run run "$js" --input '{"a": '
check 'an input that is not JSON' 'exits 2' stdout_empty one_message 'stderr_has "--input is not JSON: it ends too early, at byte 6"'
printf '{"a": ' >"$work/half"
run run "$js" --input-file "$work/half" --json
check 'a file with an input that is not JSON' 'exits 2' stdout_empty one_message \
    "stderr_has \"--input-file '$work/half' is not JSON: it ends too early, at byte 6 (line 1)\""
run run "$js" --input-file - <"$work/half"
check 'and stdin' 'exits 2' stdout_empty one_message "stderr_has \"--input-file 'stdin' is not JSON: it ends too early\""
bundle "$work/more.zip" aardvark.manifest.json "$(manifest python main:two)" main.py 'import functools
def two(a, b): return 1
def named(*, a): return 1
def inside(a): return two(a)
@functools.wraps(two)
def wrapped(a): return two(a, 1)'
for handler in two named; do
    run run "$work/more.zip" --entrypoint "main:$handler" --input 1
    check "a handler that wants other arguments: $handler" 'exits 1' 'stderr_has "adapter_error: "' \
        'stderr_has "called with the input as its one argument"' 'stderr_has "missing 1 required"'
done
run run "$work/more.zip" --entrypoint main:inside --input 1
check 'a call of its own that does not fit is its exception' 'exits 1' 'stderr_has "python_exception: TypeError: two() missing"'
run run "$work/more.zip" --entrypoint main:wrapped --input 1
check 'and one that only says it wants more is called' 'exits 0' 'stdout_is 1'
run run "$js" --input ''
check 'an empty input is not JSON' 'exits 2' stdout_empty 'stderr_has "--input is not JSON: it is empty"'
run run "$js" --entrypoint main:later
check '--entrypoint wins over the manifest; promises are awaited' 'exits 0' "stdout_is '\"late\"'"
run run "$js" --entrypoint main:nan
check 'a value that JSON can not hold is refused where it is' 'exits 1' stdout_empty 'stderr_has "adapter_error: "' \
    'stderr_matches "list.*1.*NaN"'
run run "$js" --entrypoint main:fails
check 'an exception' 'exits 1' stdout_empty 'last_message_is "javascript_exception: RangeError: no"'
run run "$js" --entrypoint main:none
check 'an export that is not there' 'exits 1' stdout_empty 'stderr_has none'
run run "$js" --entrypoint main
check 'an entrypoint that is none' 'exits 3' stdout_empty one_message 'stderr_has "entrypoint_invalid: "'
run run "$bare"
check 'no manifest and no entrypoint' 'exits 3' stdout_empty one_message 'stderr_has "entrypoint_missing: "'
run run "$bare" --language javascript --entrypoint main:echo --input 5
check 'no manifest, but an entrypoint' 'exits 0' 'stdout_is 5'
run run "$js" --language python
check 'another language than the manifest says' 'exits 3' stdout_empty one_message 'stderr_has "manifest_language: "'
run run "$work/none.zip"
check 'a bundle that is not there' 'exits 3' stdout_empty one_message 'stderr_has "not_found: "' 'stderr_has none.zip'
run run "$work/none.zip" --json
check 'no call, no outcome' 'exits 3' stdout_empty one_message
run run "$work"
check 'a directory is no bundle' '[[ $rc = 3 || $rc = 4 ]]' stdout_empty one_message
run run "$js" --json --input '{"a": 1}'
check 'an outcome has every field' 'exits 0' 'json_is "
    Object.keys(o).join() === \"status,value,buffers,failure,diagnostics\" && o.status === \"success\" &&
    o.value.a === 1 && o.failure === null && o.diagnostics.isolation === \"thread\" &&
    o.diagnostics.wall_ms >= o.diagnostics.run_ms && o.diagnostics.run_ms > 0 && o.diagnostics.js_heap_kib > 0 &&
    o.diagnostics.rss_kib_after > 0 && Math.abs(Date.parse(o.diagnostics.started_at) - Date.now()) < 6e5"'

# ---- Python ----
bundle "$work/py.zip" aardvark.manifest.json "$(manifest python app.main:handler)" app/__init__.py '' app/main.py '
import builtins
def handler(x):
    print("called")
    return {"got": x}
def without():
    return builtins.__aardvark_input
async def later(x):
    return x
def data():
    return b"\0\1\2"
def fails(x):
    return {}[x]
'
py=$work/py.zip
run run "$py" --input '[12345678901234567890, "é"]'
check 'Python: a parameter gets the input' 'exits 0' 'stdout_is "called
{\"got\":[12345678901234567890,\"é\"]}"'
run run "$py" --entrypoint app.main:without --input 7 --json
check 'Python: without a parameter it is in builtins' 'exits 0' 'json_is "o.value === 7"'
run run "$py" --entrypoint app.main:later --input '"x"'
check 'Python: async def is awaited' 'exits 0' "stdout_is '\"x\"'"
run run "$py" --entrypoint app.main:data
check 'Python: bytes come back as a buffer, which is told' 'exits 0' 'stdout_is null' one_message \
    'stderr_has "of 3 bytes"'
run run "$py" --entrypoint app.main:data --json
check 'Python: the buffer in JSON' 'exits 0' stderr_empty \
    'json_is "o.value === null && o.buffers.length === 1 && o.buffers[0].length === 3 &&
        o.buffers[0].base64 === \"AAEC\""'
run run "$py" --entrypoint app.main:fails --input '"key"'
check 'Python: a traceback with lines of the bundle' 'exits 1' 'stderr_has "/app/app/main.py"' \
    'stderr_has "return {}[x]"' "last_message_is \"python_exception: KeyError: 'key'\""
exit $status
