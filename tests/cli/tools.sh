# For the tests of the command, which source this file.  $aardvark is the command; $out and $err are files with what the
# last `run` wrote, $rc its exit status.  Every test is one `check`.
aardvark=$AARDVARK_BUILD/aardvark
status=0
work=$(mktemp -d "${TMPDIR:-/tmp}/cli.XXXXXX")
out=$work/.out
err=$work/.err
: >"$out" 2>"$err"
rc=
trap 'rm -rf "$work"' EXIT

run() { # ARGUMENT…: the command, with stdin as it is
    "$aardvark" "$@" >"$out" 2>"$err"
    rc=$?
}

check() { # NAME CONDITION…: each condition is a command
    local name=$1 condition
    shift
    for condition; do
        if ! eval "$condition"; then
            echo "not ok $name"
            echo "    this is false: $condition"
            echo "    exit status $rc; stdout:"
            head -c 2000 "$out" | sed 's/^/    | /'
            echo "    stderr:"
            head -c 2000 "$err" | sed 's/^/    | /'
            status=1
            return
        fi
    done
    echo "ok $name"
}

# Conditions.
exits() { [[ $rc = "$1" ]]; }
stdout_is() { [[ $(cat "$out"; echo .) = "$1"$'\n'. ]]; } # one line, or several
stdout_empty() { [[ ! -s $out ]]; }
stderr_empty() { [[ ! -s $err ]]; }
stderr_has() { grep -qF -- "$1" "$err"; }
stderr_matches() { grep -qE -- "$1" "$err"; }
stdout_has() { grep -qF -- "$1" "$out"; }
stdout_matches() { grep -qE -- "$1" "$out"; }
last_message_is() { [[ $(tail -n 1 "$err") = "aardvark: $1" ]]; }
one_message() { [[ $(wc -l <"$err") = 1 ]] && grep -q '^aardvark: ' "$err"; } # and nothing else on stderr

# stdout is one line of JSON for which the expression (of `o`) is true.  Another engine's parser judges.
json_is() {
    [[ $(wc -l <"$out") = 1 ]] && node -e '
        const o = JSON.parse(require("fs").readFileSync(process.argv[1], "utf8"));
        process.exit(eval(process.argv[2]) ? 0 : 1);' "$out" "$1"
}

# Makes a bundle of files given as NAME CONTENT pairs: bundle FILE.zip NAME CONTENT…
bundle() {
    local zip=$1
    shift
    rm -rf "$work/.tree"
    while (($#)); do
        mkdir -p "$(dirname "$work/.tree/$1")"
        printf '%s' "$2" >"$work/.tree/$1"
        shift 2
    done
    "$aardvark" bundle pack "$work/.tree" -o "$zip" >/dev/null || echo "not ok packing $zip"
}

manifest() { # LANGUAGE ENTRYPOINT
    printf '{"schemaVersion": "1.0", "entrypoint": "%s", "runtime": {"language": "%s"}}' "$2" "$1"
}
