# Completion of the command `aardvark` for bash.  Commands and options are the program's own, which it is asked for.
_aardvark() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} program=${COMP_WORDS[0]} words='' i
    local -a command=()
    COMPREPLY=()
    # The commands before the cursor: at most two, and only `assets`, `bundle` and `warm` have a second.
    for ((i = 1; i < COMP_CWORD && ${#command[@]} < 2; i++)); do
        [[ ${COMP_WORDS[i]} == -* ]] && break
        [[ ${#command[@]} == 0 || ${command[0]} == @(assets|bundle|warm|help) ]] && command+=("${COMP_WORDS[i]}")
    done
    case ${command[0]-} in
    '' | help) words=$("$program" --list-commands 2>/dev/null) ;;
    assets | bundle | warm) [[ ${#command[@]} == 1 ]] && words=$("$program" "${command[0]}" --list-commands 2>/dev/null) ;;
    esac
    if [[ -n $words ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
        return
    fi
    # bash takes `--option=value` for three words.
    [[ $prev == '=' ]] && prev=${COMP_WORDS[COMP_CWORD - 2]}
    [[ $cur == '=' ]] && cur=''
    case $prev in
    --language) mapfile -t COMPREPLY < <(compgen -W 'python javascript' -- "$cur") ;;
    --isolation) mapfile -t COMPREPLY < <(compgen -W 'thread process' -- "$cur") ;;
    --require-hardening)
        mapfile -t COMPREPLY < <(compgen -W "all $("$program" doctor --list-measures 2>/dev/null | tr '\n' ' ')" -- "$cur")
        ;;
    --filesystem) mapfile -t COMPREPLY < <(compgen -W 'read readWrite' -- "$cur") ;;
    --variant) mapfile -t COMPREPLY < <(compgen -W 'core full' -- "$cur") ;;
    --distribution | --mount) mapfile -t COMPREPLY < <(compgen -d -- "$cur") ;;
    --input-file | --stdin | --warm | --trace | --archive | --wheel | --output | -o) mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
    --env) mapfile -t COMPREPLY < <(compgen -v -S = -- "$cur") ;;
    *)
        if [[ $cur == -* ]]; then
            words=$("$program" "${command[@]}" --list-options 2>/dev/null)
            mapfile -t COMPREPLY < <(compgen -W "${words//=/}" -- "$cur")
        elif grep -qxE -- "$prev=" < <("$program" "${command[@]}" --list-options 2>/dev/null); then
            : # a value that nobody can guess
        else
            mapfile -t COMPREPLY < <(compgen -f -- "$cur")
        fi
        ;;
    esac
}
complete -o filenames -F _aardvark aardvark
