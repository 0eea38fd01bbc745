#!/bin/bash
# test-quick
# The command line itself: help, versions, and every way to get it wrong.
# shellcheck source=tests/cli/tools.sh
. tests/cli/tools.sh

# ---- help and versions ----
for command in '' run exec assets 'assets stage' 'assets verify' 'assets list' bundle 'bundle pack' 'bundle inspect'; do
    for option in --help -h; do
        # shellcheck disable=SC2086
        run $command $option
        check "${command:-aardvark} $option" 'exits 0' stderr_empty 'stdout_has "usage: aardvark${command:+ $command}"'
    done
    run help $command
    check "help ${command:-(alone)}" 'exits 0' stderr_empty 'stdout_has "usage: aardvark${command:+ $command}"'
    # shellcheck disable=SC2086
    run $command -V
    check "${command:-aardvark} -V" 'exits 0' stderr_empty \
    'stdout_matches "^aardvark [0-9]+\.[0-9]+\.[0-9]+ \(V8 [0-9.]+.*\)$"'
done
for command in '' run exec assets 'assets verify' 'assets list' bundle 'bundle pack' 'bundle inspect'; do
    # shellcheck disable=SC2086
    run $command --version
    check "${command:-aardvark} --version" 'exits 0' stderr_empty 'stdout_matches "^aardvark [0-9]"'
done

# ---- bad usage ----
wrong() { # MESSAGE ARGUMENT…: exit status 2, one line that holds the message and points to the help, nothing on stdout
    local message=$1
    shift
    run "$@" </dev/null
    check "usage: aardvark ${*@Q}" 'exits 2' stdout_empty one_message 'stderr_has "$message"' \
        "stderr_matches '; see .aardvark.*--help.$'"
}
touch "$work/code.py"
wrong "--input is not JSON: byte 2 (line 1) is unexpected" exec -c 1 --input '{bad'
wrong '--input is not JSON: it is empty' run a.zip --input ''
wrong '--input is not JSON: it ends too early' run a.zip --input '[1,'
wrong '--input is not JSON: it begins with a byte order mark' run a.zip --input $'\xef\xbb\xbf1'
wrong '--package: the name of a package has' exec -c 1 --package ' '
wrong '--env expects NAME=VALUE' exec -c 1 --env A
wrong "--env: the name of an environment variable" exec -c 1 --env =b
wrong "the code and the guest's stdin can't both come from stdin" exec - --stdin -
wrong "--input-file and --stdin can't both be stdin" exec -c 1 --input-file - --stdin -
wrong 'a command is missing'
wrong "unknown command 'walk'" walk
wrong "unknown command 'Run'" Run x.zip
wrong "unknown command ''" ''
wrong "unknown command '-'" -
wrong 'unknown or ambiguous option --json' --json run x.zip
wrong 'unknown option -v' -v
wrong 'a command is missing' warm
wrong "unknown command 'melt'" warm melt x.zip
wrong 'name one bundle, not 0' warm build -o y
wrong 'name the file to write with -o FILE' warm build x.zip
wrong '-o may be given once' warm build x.zip -o y -o z
wrong 'name one warm state, not 2' warm inspect x y
wrong '--warm needs a value' run a.zip --warm
wrong 'a command is missing' assets
wrong "unknown command 'unstage'" assets unstage
wrong 'a command is missing' bundle
wrong "unknown command 'unpack'" bundle unpack x.zip
wrong 'help takes the name of one command' help assets stage now
wrong 'name one bundle, not 0' run
wrong 'name one bundle, not 2' run a.zip b.zip
wrong 'name one bundle, not 2' run a.zip -- --json
wrong 'unknown or ambiguous option --colour' run a.zip --colour
wrong 'unknown or ambiguous option --colour' run a.zip --colour=always
wrong 'unknown option -x' run a.zip -x
wrong 'unknown option -x' run --json -vx a.zip
wrong '--json takes no value' run a.zip --json=yes
wrong '--help takes no value' run a.zip --help=me
wrong '--entrypoint needs a value' run a.zip --entrypoint
wrong '--input and --input-file exclude each other' run a.zip --input 1 --input-file f
wrong '--input and --input-file exclude each other' exec -c 1 --input-file f --input=1
for number in 0 -1 +1 1.5 1e3 0x10 ' 1' '1 ' '' ten 18446744073709551616 99999999999999999999999; do
    wrong '--wall-ms expects a whole number' run a.zip --wall-ms="$number"
done
wrong '--language expects python or javascript' run a.zip --language ruby
wrong '--language expects python or javascript' exec --language Python -c 1
wrong '--isolation expects thread or process' run a.zip --isolation vm
wrong '--capability: ' run a.zip --capability ''
wrong '--cpu-ms expects a whole number' run a.zip --cpu-ms=0
wrong '--heap-mib expects a whole number' exec -c 1 --heap-mib 1.5
wrong '--heap-mib 18446744073709551615 is too large' exec -c 1 --heap-mib 18446744073709551615
wrong 'give one of -c CODE, a file, or - for stdin, not 0' exec
wrong 'give one of -c CODE, a file, or - for stdin, not 2' exec -c 1 "$work/code.py"
wrong 'give one of -c CODE, a file, or - for stdin, not 2' exec - "$work/code.py"
wrong '-c needs a value' exec -c
wrong '-c needs a value' exec -vc
wrong '-c may be given once' exec -c 1 -c 2
wrong "can't both come from stdin" exec - --input-file -
wrong 'unknown or ambiguous option --entrypoint' exec -c 1 --entrypoint a:b
wrong "'now' is an unexpected argument" assets stage now
wrong '--version needs a value' assets stage --version
wrong '--variant expects core or full' assets stage --variant half
wrong 'name one directory' assets verify a b
wrong "'all' is an unexpected argument" assets list all
wrong 'unknown or ambiguous option --json' assets verify --json
wrong 'name one directory, not 0' bundle pack -o x.zip
wrong 'name one directory, not 2' bundle pack a b -o x.zip
wrong 'with -o FILE.zip' bundle pack a
wrong 'with -o FILE.zip' bundle pack a -o ''
wrong '-o may be given once' bundle pack a -o x.zip --output=y.zip
wrong '-o needs a value' bundle pack a -o
wrong 'name one bundle, not 0' bundle inspect
wrong 'name one bundle, not 2' bundle inspect a.zip b.zip
wrong 'unknown or ambiguous option --  [31m' run a.zip $'--\n\e[31m'
run exec --isolation process --language javascript -c 1 --json
check 'a guest in a process of its own' 'exits 0' 'json_is "o.diagnostics.isolation === \"process\""'
(export AARDVARK_GUEST_HELPER=$work/none && "$aardvark" exec --isolation process --language javascript -c 1) >"$out" 2>"$err"
rc=$?
check 'without its program' 'exits 3' stdout_empty one_message 'stderr_has "AARDVARK_GUEST_HELPER"'

# ---- where options may stand ----
js=(--language javascript)
run exec "${js[@]}" -c 1+1 --json
check 'options behind others' 'exits 0' 'json_is "o.value === 2"'
printf '40 + 2' >"$work/--json"
(cd "$work" && "$aardvark" exec "${js[@]}" -- --json >"$out" 2>"$err")
rc=$?
check '-- ends the options' 'exits 0' 'stdout_is 42'
printf '[typeof 1]' >"$work/a.js"
run exec "$work/a.js" --json
check 'options behind the file' 'exits 0' 'json_is "o.value[0] === \"number\""'
run exec --wall-ms=60000 --wall-ms 50000 "${js[@]}" -c 1
check 'values behind = and behind a space' 'exits 0' 'stdout_is 1'
exit $status
