#!/bin/bash
# test-timeout: 240
# aardvark exec: where code and input come from, what goes to which stream, and the exit status.
# shellcheck source=tests/cli/tools.sh
. tests/cli/tools.sh
js() { run exec --language javascript "$@"; }
py() { run exec --language python "$@"; }

# ---- code ----
js -c '40 + 2'
check 'JavaScript from -c' 'exits 0' 'stdout_is 42' stderr_empty
echo '({a: [1, "é"]})' >"$work/code.js"
run exec "$work/code.js"
check 'a .js file is JavaScript' 'exits 0' "stdout_is '{\"a\":[1,\"é\"]}'"
echo 'await Promise.resolve(typeof globalThis.process)' >"$work/code.mjs"
run exec "$work/code.mjs"
check 'a .mjs file is JavaScript' 'exits 0' "stdout_is '\"undefined\"'"
cp "$work/code.js" "$work/code.txt"
js "$work/code.txt"
check '--language says what any file is' 'exits 0' "stdout_is '{\"a\":[1,\"é\"]}'"
printf '6 * 7' >"$work/in"
js - <"$work/in"
check 'code from stdin' 'exits 0' 'stdout_is 42'
printf 'throw new Error("boom")' >"$work/in"
js - <"$work/in"
check 'a traceback names stdin' 'exits 1' stdout_empty 'stderr_has "<stdin>"'
js ''
check 'a file without a name' 'exits 3' stdout_empty one_message 'stderr_has "not_found: "'
js "$work/none.js"
check 'a file that is not there' 'exits 3' stdout_empty one_message 'stderr_has "not_found: "' 'stderr_has none.js'
js "$work"
check 'a directory' 'exits 3' stdout_empty one_message 'stderr_has "not_found: "'
js -c ''
check 'no code at all' 'exits 0' stdout_empty stderr_empty

# ---- values ----
js -c null
check 'null prints nothing' 'exits 0' stdout_empty stderr_empty
js -c 'undefined' --json
check 'undefined is null in JSON' 'exits 0' 'json_is "o.value === null && !(\"value_repr\" in o)"'
js -c '"null"'
check 'a string is printed as JSON' "stdout_is '\"null\"'"
js -c 'new Map([[1, 2]])'
check 'a value that JSON can not hold is printed by inspection' 'exits 0' 'stdout_has Map' stderr_empty
js -c 'new Map([[1, 2]])' --json
check 'and is value_repr in JSON' 'exits 0' 'json_is "o.value === null && o.value_repr.includes(\"Map\")"'

# ---- streams ----
js -c 'console.log("to stdout"); console.error("to stderr"); 7'
check 'streams are kept apart, the value is last' 'exits 0' 'stdout_is "to stdout
7"' '[[ $(cat "$err") = "to stderr" ]]'
js --json -c 'console.log("to stdout"); console.error("to stderr"); 7'
check '--json puts both into the outcome' 'exits 0' stderr_empty \
    'json_is "o.value === 7 && o.diagnostics.stdout === \"to stdout\\n\" && o.diagnostics.stderr === \"to stderr\\n\""'
js --json -v -c 7
check '-v with --json keeps stdout one object' 'exits 0' 'json_is "o.value === 7"' 'stderr_matches "^status +success$"'
js -v -c 'console.log("four"); 7'
check '-v shows the diagnostics' 'exits 0' 'stdout_is "four
7"' 'stderr_matches "^call +[0-9.]+ ms: prepare [0-9.]+, run [0-9.]+, cleanup [0-9.]+$"' \
    'stderr_matches "^output +stdout 5 B, stderr 0 B$"' 'stderr_matches "^heap +Python .*, JavaScript [1-9]"' \
    'stderr_matches "^reset +none$"' 'stderr_matches "^isolate +1 "'
js --json -c '"one " + "line"'
check 'an outcome is one line' 'json_is "o.value === \"one line\""'

# Output comes as it is written, not at the end: the guest is still running when its first line is read.
mkfifo "$work/fifo"
# (What a script starts in the background ignores interrupts unless it is told not to.)
env --default-signal=INT "$aardvark" exec --language javascript -c 'console.log("early"); for (;;) {}' \
    --wall-ms 60000 >"$work/fifo" 2>"$err" &
pid=$!
read -r -t 30 first <"$work/fifo"
check 'output comes while the guest runs' '[[ $first = early ]]' 'kill -0 $pid'
kill -INT $pid
wait $pid 2>/dev/null
rc=$?
check 'an interrupt cancels it' 'exits 1' 'stderr_has "cancelled: "'

endless() {
    "$aardvark" exec --language javascript -c 'for (;;) console.log("x".repeat(1000))' 2>"$err"
    echo $? >"$work/rc"
}
(trap - PIPE; endless) | head -n 1 >"$out"
rc=$(<"$work/rc")
check 'a reader that goes away ends a guest that never would' '[[ $rc = 141 || $rc = 4 ]]' '[[ $(wc -l <"$out") = 1 ]]'
(trap '' PIPE; endless) | head -n 1 >"$out"
rc=$(<"$work/rc")
check 'so it does where SIGPIPE is ignored' 'exits 4' one_message 'stderr_has "io: can'\''t write to stdout"'
"$aardvark" exec --language javascript -c 7 2>"$err" >/dev/full
rc=$?
: >"$out"
check 'a full disk is told' 'exits 4' one_message 'stderr_has "io: can'\''t write to stdout"'
"$aardvark" exec --language javascript -c 7 2>"$err" >&-
rc=$?
check 'a closed stdout is told' 'exits 4' one_message 'stderr_has "io: can'\''t write to stdout"'
"$aardvark" exec --language javascript - >"$out" 2>"$err" <&-
rc=$?
check 'a closed stdin is told' 'exits 4' stdout_empty one_message 'stderr_has "io: can'\''t read the code from stdin"'
"$aardvark" exec --language javascript -c 'console.error(1); 7' >"$out" 2>&-
rc=$?
: >"$err"
check 'a closed stderr does no harm' 'exits 0' 'stdout_is 7'

# ---- failures ----
js -c 'function deep() { throw new TypeError("boom") }
deep()'
check 'an exception: traceback, then one line' 'exits 1' stdout_empty 'stderr_has deep' \
    'last_message_is "javascript_exception: TypeError: boom"'
js --json -c 'throw new TypeError("boom")'
check 'an exception in JSON' 'exits 1' stderr_empty 'json_is "o.status === \"failure\" && o.value === null &&
    o.failure.kind === \"javascript_exception\" && o.failure.exception.type === \"TypeError\" &&
    o.failure.exception.value === \"boom\" && typeof o.failure.exception.traceback === \"string\""'
js -c 'console.log("before"); throw 1'
check 'output before an exception is kept' 'exits 1' 'stdout_is before'
js -c 'throw new Error("two\nlines \u001b[31m")'
check 'the last line is one line whatever the guest says' 'exits 1' \
    'last_message_is "javascript_exception: Error: two lines  [31m"'
js -c 'this is not code'
check 'a syntax error' 'exits 1' stdout_empty 'stderr_has "javascript_exception: SyntaxError"'
js --wall-ms 200 -c 'for (;;) {}'
check 'the wall limit' 'exits 1' stdout_empty 'stderr_has "timeout_exceeded: "' 'stderr_has "200 ms"'
js --wall-ms 200 --json -c 'for (;;) {}'
check 'the wall limit in JSON' 'exits 1' 'json_is "o.failure.kind === \"timeout_exceeded\""'

# ---- Python ----
py -c 'import sys
print("to stdout")
print("to stderr", file=sys.stderr)
[2**70, "é", None, (1, 2)]'
check 'Python: streams and value' 'exits 0' 'stdout_is "to stdout
[1180591620717411303424,\"é\",null,[1,2]]"' '[[ $(cat "$err") = "to stderr" ]]'
py -c 'print("no newline", end="")
{1, 2}'
check 'Python: the value has a line of its own, as its repr' 'exits 0' 'stdout_is "no newline
{1, 2}"'
echo 'def f():
    return 1 / 0
f()' >"$work/fails.py"
run exec "$work/fails.py"
check 'Python: a traceback with the lines of the file' 'exits 1' stdout_empty 'stderr_has fails.py' \
    'stderr_has "return 1 / 0"' 'last_message_is "python_exception: ZeroDivisionError: division by zero"'
printf '{"n": 20}' >"$work/in"
run exec -c 'import builtins; builtins.__aardvark_input["n"] + 1' --input-file - <"$work/in"
check 'Python is the default; its input comes from stdin' 'exits 0' 'stdout_is 21'
run exec -c 'None'
check 'Python: None prints nothing' 'exits 0' stdout_empty stderr_empty
run exec -c '1' --distribution "$work/none"
check 'a distribution that is not there' 'exits 3' stdout_empty one_message 'stderr_has "distribution_not_found: "'
AARDVARK_PYODIDE_DIST_DIR=$work/none run exec -c '1'
check 'the environment names the distribution' 'exits 3' stdout_empty one_message \
    'stderr_has "distribution_not_found: "'
AARDVARK_PYODIDE_DIST_DIR=$work/none js -c 1
check 'JavaScript needs no distribution' 'exits 0' 'stdout_is 1'

# ---- programs ----
printf 'import sys\nprint(sys.argv[1:], __file__, sys.stdin.read(), flush=True)\nsys.exit(int(sys.argv[1]))' >"$work/prog.py"
run exec "$work/prog.py" -- 0 --json
check 'a program has its arguments and its name' 'exits 0' "stdout_is \"['0', '--json'] $work/prog.py \"" stderr_empty
run exec --json "$work/prog.py" -- 3
check 'and an exit code' 'exits 1' 'json_is "o.exit_code === 3 && o.failure.exception.type === \"SystemExit\""'
run exec "$work/prog.py" -- 3
check 'an exit has no traceback' 'exits 1' 'last_message_is "python_exception: SystemExit: 3"' one_message
run exec --json "$work/prog.py" -- 0
check 'an exit with 0 is a success' 'exits 0' 'json_is "o.exit_code === 0 && o.value === null"'
printf 'in\nput' >"$work/in"
run exec "$work/prog.py" --stdin "$work/in" -- 0
check 'stdin from a file' 'exits 0' 'stdout_has "in"' 'stdout_has "put"'
run exec --stdin - -c 'input()' <"$work/in"
check 'the command passes on its own stdin where it is told to' 'exits 0' "stdout_is '\"in\"'"
run exec -c 'input()' <"$work/in"
check 'and only then' 'exits 1' 'stderr_has EOFError'
OF_THE_HOST=1 run exec --env A=b=c --env D= -c 'import os; [os.environ["A"], os.environ["D"], "OF_THE_HOST" in os.environ]'
check 'the environment' 'exits 0' "stdout_is '[\"b=c\",\"\",false]'"
js --env A=b -c '[aardvark.env.A, aardvark.argv]' -- x -y
check 'JavaScript has all of them, too' 'exits 0' "stdout_is '[\"b\",[\"x\",\"-y\"]]'"
(cd "$work" && printf '"a file"' >-odd.py && run exec -- -odd.py x && cp "$out" "$work/odd")
check 'a file whose name looks like an option' '[[ $(cat "$work/odd") = "\"a file\"" ]]'
py -c 'import atexit; atexit.register(print, "at the end"); print("main")'
check 'handlers of atexit run' 'exits 0' 'stdout_is "main
at the end"'
printf '# coding: latin-1\nlen("\xe9")' >"$work/latin.py"
run exec "$work/latin.py"
check 'a file is decoded as it says' 'exits 0' 'stdout_is 1'
printf '"\xe9"' >"$work/bad.js"
run exec "$work/bad.js"
check 'JavaScript that is not UTF-8' 'exits 1' one_message "stderr_has 'bad.js is not UTF-8: byte 0xe9 at offset 1, in line 1'"

mkdir -p "$work/shown" && echo 'print("beside")' >"$work/shown/beside.py" && echo 'import beside' >"$work/shown/main.py"
for place in /data/ /data //data/// /data//x/; do
    run exec --mount "$work/shown:$place" -c "import os; os.listdir('$place')"
    check "a directory at $place" 'exits 0' 'stdout_has beside.py'
done

# ---- on a terminal ----
if command -v script >/dev/null; then
    code='({a: [1, 2], long: "x".repeat(80)})'
    script -qec "'$aardvark' exec --language javascript -c '$code'" /dev/null >"$work/tty" </dev/null
    rc=$?
    tr -d '\r' <"$work/tty" >"$out"
    check 'a terminal gets lines' 'exits 0' "stdout_is '{
  \"a\": [1, 2],
  \"long\": \"$(printf 'x%.0s' {1..80})\"
}'"
fi
# ---- the command hardens itself ----
run exec -v --language javascript -c 1
check '-v says that the process is hardened' 'exits 0' 'stdout_is 1' \
    'stderr_matches "^aardvark: this process is hardened \([0-9.]+ ms\): no_new_privileges, limits, .*seccomp"'
run exec -v --isolation process --language javascript -c 1
check 'a guest in a process has its own' 'exits 0' '! stderr_has "this process is hardened"'
for outside in '' "--mount $work:/m" '--allow-host example.com'; do
    : >"$out"
    # shellcheck disable=SC2086
    "$aardvark" exec $outside -c $'print("on", flush=True)\nwhile True: pass' >"$out" 2>"$err" &
    child=$!
    for _ in {1..300}; do [[ -s $out ]] && break; sleep 0.02; done
    check "while the guest runs${outside:+ with ${outside%% *}}" "grep -qE '^Seccomp:[[:space:]]2' /proc/$child/status" \
        "grep -qE '^NoNewPrivs:[[:space:]]1' /proc/$child/status"
    kill -KILL $child
    wait $child 2>/dev/null
done
exit $status
