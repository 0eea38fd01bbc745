#!/bin/bash
# Completion: what the shells offer is what the command takes.
# shellcheck source=tests/cli/tools.sh
. tests/cli/tools.sh
# shellcheck source=completion/aardvark.bash
. completion/aardvark.bash
offered() { # WORD…: what bash offers for the last of them, sorted
    COMP_WORDS=("$aardvark" "$@")
    COMP_CWORD=$#
    _aardvark
    printf '%s\n' "${COMPREPLY[@]}" | LC_ALL=C sort
}
: >"$err"
rc=0

# The options of the table, and those that --help tells of: the same.
for command in run exec session repl 'assets stage' 'assets verify' 'assets list' 'bundle pack' 'bundle inspect' 'warm build' 'warm inspect' doctor; do
    # shellcheck disable=SC2086
    run $command --list-options
    check "the options of $command" 'exits 0' stderr_empty 'stdout_has --help'
    sed 's/=$//' "$out" | grep '^--' | LC_ALL=C sort >"$work/table"
    # shellcheck disable=SC2086
    "$aardvark" $command --help | grep -oE -- '--[a-z]+(-[a-z]+)*' | grep -vx -- '--' | LC_ALL=C sort -u >"$work/help"
    check "--help of $command tells of each" '[[ -z $(comm -23 "$work/table" "$work/help") ]]'
    # shellcheck disable=SC2086
    offered $command -- >"$out"
    check "bash offers them for $command" 'diff "$work/table" "$out"'
    while read -r option; do
        # shellcheck disable=SC2086
        run $command "$option" </dev/null
        check "$command $option wants a value" 'exits 2' 'stderr_has "${option} needs a value"'
    # shellcheck disable=SC2086
    done < <("$aardvark" $command --list-options | sed -nE 's/^(--.*)=$/\1/p')
done

offered '' >"$out"
check 'commands' 'stdout_is "assets
bundle
doctor
exec
repl
run
session
warm"'
offered assets '' >"$out"
check 'commands of a command' 'stdout_is "list
stage
verify"'
offered assets li >"$out"
check 'the beginning of one' 'stdout_is list'
offered exec --language '' >"$out"
check 'values' 'stdout_is "javascript
python"'
offered exec --require-hardening se >"$out"
check 'measures' 'stdout_is seccomp'
offered exec --language = j >"$out"
check 'values behind =' 'stdout_is javascript'
touch "$work/file.py"
offered exec "$work/fi" >"$out"
check 'files' 'stdout_is "$work/file.py"'
offered exec --wall-ms '' >"$out"
check 'nothing where nobody can guess' '[[ $(cat "$out") = "" ]]'

# The values that both files know are of options that there are, and both know the same.
for file in completion/aardvark.bash completion/_aardvark; do
    sed -nE 's/^ *(--[a-z-]+( ?\| ?-+[a-z-]+)*)\)( .*)?$/\1/p' "$file" | tr -d ' ' | tr '|' '\n' | LC_ALL=C sort >"$work/$(basename "$file")"
done
for command in run exec session repl 'assets stage' 'bundle pack' 'warm build'; do
    # shellcheck disable=SC2086
    "$aardvark" $command --list-options
done | sed -n 's/=$//p' | LC_ALL=C sort -u >"$work/all"
check 'bash has values of options that there are' '[[ -s $work/aardvark.bash && -z $(comm -23 "$work/aardvark.bash" "$work/all") ]]'
check 'zsh too' '[[ -s $work/_aardvark && -z $(comm -23 "$work/_aardvark" "$work/all") ]]'
check 'and zsh has what bash has' '[[ $(grep -vx -- --env "$work/aardvark.bash") = $(cat "$work/_aardvark") ]]'
if command -v zsh >/dev/null; then
    zsh -n completion/_aardvark 2>"$err"
    check 'zsh reads its file' stderr_empty
fi
exit $status
