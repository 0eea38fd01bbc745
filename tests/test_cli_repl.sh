#!/bin/bash
# test-timeout: 300
# aardvark repl: lines from a pipe, and a person at a terminal.
# shellcheck source=tests/cli/tools.sh
. tests/cli/tools.sh
lines() { printf '%s\n' "$@" >"$work/in"; }

lines 'x = 4' 'x + 1' 'def f(a):' '    return a * 2' '' 'f(x)' '1 / 0' 'x' '{1}' 'None' '(1 +' ' 2)' '"""a' 'b"""'
run repl <"$work/in"
check 'Python' 'exits 0' "stdout_is '5
8
4
{1}
3
\"a\\nb\"'" 'stderr_has "ZeroDivisionError: division by zero"' 'stderr_has "File \"<repl>\", line 1"'
lines 'import asyncio' 'await asyncio.sleep(0, 7)' 'for i in range(2):' '    print(i)' '' 'if True:' '    y = 8' 'else:' '    y = 9' '' 'y'
run repl <"$work/in"
check 'blocks and await' 'exits 0' "stdout_is '7
0
1
8'" stderr_empty
printf 'for i in range(2):\n    print(i)' >"$work/in"
run repl <"$work/in"
check 'what the end of stdin ends is run' 'exits 0' "stdout_is '0
1'"
lines 'x = (' ')' 'x' 'y ='
run repl <"$work/in"
check 'a wrong step' 'exits 0' 'stdout_is "[]"' 'stderr_has SyntaxError'
lines 'let a = 4' 'a + 1' 'function f(x) {' '  return x * 2' '}' 'f(a)' '[1, 2].map((y) => {' '  return y + 1 })' '`a' 'b`' 'await 3' 'no.thing' 'a'
run repl --language javascript <"$work/in"
check 'JavaScript' 'exits 0' "stdout_is '5
8
[2,3]
\"a\\nb\"
3
4'" 'stderr_has "ReferenceError: no is not defined"'
lines 'import sys' 'sys.exit(3)' 'print("not run")'
run repl <"$work/in"
check 'the guest ends the session' 'exits 3' stdout_empty
lines 'x = 1' 'while True: pass' '' 'x'
run repl --wall-ms 200 --isolation process <"$work/in"
check 'a limit ends the step' 'exits 0' 'stdout_is 1' 'stderr_has "timeout_exceeded: the call took longer than its limit of 200 ms"'
lines 'x = 1' 'while True:' '  try:' '    while True: pass' '  except BaseException: pass' '' 'x'
run repl --wall-ms 200 --grace-ms 1 <"$work/in"
check 'by force it takes the state along, and says so' 'exits 0' 'stderr_has "state is lost"' 'stderr_has NameError'
run repl file.py </dev/null
check 'no arguments' 'exits 2' 'stderr_has "repl takes no arguments"'

# ---- a person
person() { # COMMAND…, with the script on stdin
    AARDVARK_HOME=$home TERM=xterm AARDVARK_PYODIDE_DIST_DIR=$distribution python3 tests/cli/person.py "$aardvark" "$@" >"$out" 2>"$err"
    rc=$?
}
home=$work/home
mkdir -p "$home"
distribution=$("$aardvark" assets list --json | node -p 'JSON.parse(require("fs").readFileSync(0)).find((d) => d.status === "ok").dir' 2>/dev/null)
if ! grep -q repl <<<"$(ldconfig -p | grep libedit.so.2 && echo repl)"; then
    check 'libedit is there' false
    exit $status
fi
person repl <<'SCRIPT'
< >>> 
> answer_of_all = 6 * 7\n
< >>> 
> answer_\t\n
< 42
< >>> 
> s = 'typed'\n
< >>> 
> s.cap\t\n
< "Typed"
> while True: pass\n
< ... 
> \n
. 1.5
> \x03
< cancelled
< >>> 
> half a li\x03
< ^C
< >>> 
> answer_of_all + 1\n
< 43
< >>> 
> def f(x):\n
< ... 
>     return x\n
< ... 
> \n
< >>> 
> f('\xc3\xa9')\n
< "é"
< >>> 
. 1
> \x04
SCRIPT
check 'a person edits, completes, interrupts and ends' 'exits 0'
check 'what was typed is remembered, for nobody else' '[[ $(stat -c %a "$home/repl_history") = 600 ]]' 'grep -q answer_of_all "$home/repl_history"'
person repl <<'SCRIPT'
< >>> 
> \x1b[A\x1b[A\x1b[A\x1b[A\x1b[A
< answer_of_all + 1
> \x15
> 5000 + 5\n
< 5005
< >>> 
. 1
> \x04
SCRIPT
check 'it comes back in the next session' 'exits 0'
person repl --language javascript <<'SCRIPT'
< > 
> const some = { thing: 1, thong: 2 }\n
< > 
> some.th\t\t
< some.thing
> ing\n
< 1
> globalThi\t === globalThis\n
< true
> for (;;) {}\n
. 1.5
> \x03
< cancelled
< > 
> 5000 + 1\n
< 5001
< > 
. 1
> \x04
SCRIPT
check 'in JavaScript, too' 'exits 0'
exit $status
