#!/bin/bash
# test-quick
# The manuals and the programs say the same: options, failure kinds, fields of an outcome, links.
# shellcheck source=tests/cli/tools.sh
. tests/cli/tools.sh
man=$(sed 's/\\//g' docs/aardvark.1)

for command in run exec session repl 'assets stage' 'assets verify' 'assets list' 'bundle pack' 'bundle inspect' 'warm build' 'warm inspect' doctor; do
    # shellcheck disable=SC2086
    run $command --help
    for option in $(grep -oE -- '--[a-z]+(-[a-z]+)*' "$out" | sort -u); do
        check "the man page has $option of $command" 'grep -qE -- "(Fl|,) -${option#--}( |$)" <<<"$man"'
    done
done
for option in $(grep -oE '(Fl|,) -[a-z]+(-[a-z]+)*' <<<"$man" | sed 's/.* -/--/' | sort -u); do
    check "$option of the man page is an option" \
        'for c in run exec session repl "assets stage" "assets verify" "bundle pack"; do "$aardvark" $c --help; done | grep -qE -- "$option( |,|$)"'
done

run exec --language javascript --json -c 1
for key in $(node -e '
    const walk = (o) => Object.entries(o).flatMap(([k, v]) => v && typeof v === "object" ? [k, ...walk(v)] : [k]);
    console.log(walk(JSON.parse(require("fs").readFileSync(process.argv[1]))).join("\n"))' "$out"); do
    check "docs/outcome.md has $key" "grep -qE '\`([a-z_]+\.)?$key(\.[a-z_]+)?\`' docs/outcome.md"
done
for key in $(sed -nE 's/^ *X\([a-z]+, ([a-z_0-9]+), (always|unless_0)\).*/\1/p' src/outcome/diagnostics.h); do
    check "docs/outcome.md has $key of the diagnostics" 'grep -q "\`$key\`" docs/outcome.md'
done
for kind in $(sed -nE 's/^ *X\(AARD_(FAILURE|RESET|WARM)_[A-Z_]*, "([a-z_]*)"\).*/\2/p' include/aardvark/outcome.h); do
    check "docs/outcome.md has $kind" 'grep -qE "[\`\"]$kind[\`\"]" docs/outcome.md'
done
for code in $(sed -nE 's/^ *X\(AARD_ERR_(BUNDLE|MANIFEST)_[A-Z0-9_]*, [0-9]*, "([a-z0-9_]*)".*/\2/p' \
    include/aardvark/error.h); do
    check "docs/bundle.md has $code" 'grep -q "\`$code\`" docs/bundle.md'
done

for file in ./*.md docs/*.md; do
    for link in $(grep -oE '\]\([^)#: ]+' "$file" | sed 's/^](//'); do
        check "$file: the link to $link" '[[ -e $(dirname "$file")/$link ]]'
    done
done
# What they say of the sources is there: whole paths in backquotes or drawings, without placeholders.
paths='(src|include|tests|docs|scripts|bench|completion)/[a-zA-Z0-9_./-]*[a-zA-Z0-9_]'
for file in CONTRIBUTING.md SECURITY.md docs/release.md; do
    for path in $(grep -oE "(^|[\` ,(])$paths" "$file" | grep -oE "$paths" | sort -u); do
        check "$file: $path is there" "[[ -e $path ]] || compgen -G '$path*' >/dev/null"
    done
done
# The functions that are named beside a file are in it.
while read -r name file; do
    check "CONTRIBUTING.md: $name is in $file" "grep -qw '$name' '$file'"
done < <(grep -oE '`[a-z_]+` (in|of) `src/[a-z_/]+\.(c|cc)`|`src/[a-z_/]+\.c`[[:space:]]\(`[a-z_]+`' <(tr '\n' ' ' <CONTRIBUTING.md) |
    sed -E 's/`(src[^`]*)` \(`([a-z_]+)`/\2 \1/; s/`([a-z_]+)` (in|of) `([^`]*)`/\1 \3/')
version=$("$aardvark" --version | sed -E 's/aardvark ([^ ]*) .*/\1/')
check 'the changelog has this version' 'grep -qx "## $version" CHANGELOG.md'
exit $status
