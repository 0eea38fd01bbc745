#!/bin/bash
# test-timeout: 480
# aardvark assets: staging from what is already staged, listing, and finding one flipped byte.
# shellcheck source=tests/cli/tools.sh
. tests/cli/tools.sh
run assets verify --keep-cache
check 'the default distribution verifies' 'exits 0' stderr_empty \
    'stdout_matches "^/.*: every file is as it was staged .*fingerprint [0-9a-f]{64}(; not .*)?\)$"'
staged=$(sed 's/: every file.*//' "$out")

run assets list
check 'list' 'exits 0' stderr_empty 'stdout_matches "^VARIANT +VERSION +FINGERPRINT +STATUS +DIRECTORY$"' \
    'stdout_matches "^(core|full) +[0-9.]+ +[0-9a-f]{12} +ok +/"'
run assets list --json
tr -d '\n' <"$out" >"$work/line"
echo >>"$work/line"
mv "$work/line" "$out"
check 'list --json' 'exits 0' 'json_is "o.length >= 1 && o.some((d) => d.status === \"ok\" &&
    d.fingerprint.length === 64 && d.pyodide_version && d.variant && d.dir.startsWith(\"/\"))"'

export AARDVARK_HOME=$work/home
run assets list
check 'an empty home' 'exits 0' stdout_empty one_message 'stderr_has "assets stage"'
run assets list --json
check 'an empty home in JSON' 'exits 0' 'json_is "o.length === 0"' stderr_empty
run assets verify
check 'nothing to verify' 'exits 3' stdout_empty one_message 'stderr_has "distribution_not_found: "' \
    'stderr_has "assets stage"'

# A staged distribution holds every file of the archive that matters: it can be staged from.
run assets stage --archive "$staged" --no-prepare
check 'stage from a directory' 'exits 0' 'stdout_is "$(ls -d "$work"/home/distributions/*)"' \
    'stderr_has "aardvark: staged Pyodide"'
copy=$(cat "$out")
run assets verify "$copy"
check 'what was staged verifies; that it is not prepared is told' 'exits 0' 'stdout_has "not prepared"'
run assets stage --archive "$staged" -q
check 'staged already: it is prepared, quietly' 'exits 0' 'stdout_is "$copy"' stderr_empty
run assets verify "$copy"
check 'what was prepared verifies, and its cache is made anew' 'exits 0' '! stdout_has "not prepared"' \
    'stdout_has "its cache was rebuilt"' '[[ ! -e $copy/cache.new ]]'
run assets stage --archive "$staged"
check 'staged already, and prepared' 'exits 0' 'stdout_is "$copy"' 'stderr_has "already there"' '! stderr_has preparing'
run assets stage --archive "$staged" --force --no-prepare --json -q
check 'stage --force --json' 'exits 0' stderr_empty \
    'json_is "o.dir.startsWith(\"/\") && o.already_there === false && o.variant === \"core\" &&
        o.fingerprint.length === 64"'
run assets list
check 'and is listed' 'exits 0' 'stdout_matches " ok +$copy$"'

cp -r "$copy" "$work/broken"
file=$work/broken/python_stdlib.zip
printf -v byte '\\x%02x' $((0x$(od -An -tx1 -j1000 -N1 "$file" | tr -d ' ') ^ 1))
printf '%b' "$byte" | dd of="$file" bs=1 seek=1000 conv=notrunc status=none
[[ $(cmp -l "$file" "$copy/python_stdlib.zip" | wc -l) = 1 ]] || echo 'not ok flipping one bit'
run assets verify "$work/broken"
check 'one flipped byte: the file is named' 'exits 3' stdout_empty one_message 'stderr_has "distribution_corrupt: "' \
    'stderr_has python_stdlib.zip'
truncate -s -1 "$file"
run assets verify "$work/broken"
check 'one byte less' 'exits 3' stdout_empty one_message 'stderr_has "distribution_corrupt: "' \
    'stderr_has python_stdlib.zip'
mv "$work/broken" "$work/home/distributions/broken"
run assets list
check 'a broken one is listed as such' 'exits 0' 'stdout_matches "^- .* distribution_corrupt +/.*/broken$"' \
    'stdout_matches " ok +$copy$"'

refused() { # NAME ERROR ARGUMENT…
    local name=$1 error=$2 before
    shift 2
    before=$(ls -A "$work/home/distributions")
    run assets stage -q "$@"
    check "$name" 'exits 3' stdout_empty one_message 'stderr_has "aardvark: $error: "' \
        '[[ $(ls -A "$work/home/distributions") = "$before" ]]'
}
rm -rf "$work/home/distributions/broken"
printf 'not an archive' >"$work/x.tgz"
refused 'an archive that is none' stage_source --archive "$work/x.tgz" --force
refused 'an archive that is not there' not_found --archive "$work/none.tgz" --force
refused 'a directory without Pyodide' stage_source --archive "$work" --force
refused 'a version that is not known' stage_source --version 0.1.0 --archive "$staged"
# ---- packages: what is staged is found by what is asked for ----
mkdir -p "$work/wheel/tiny_thing" "$work/wheel/tiny_thing-1.5.dist-info"
echo 'value = 42' >"$work/wheel/tiny_thing/__init__.py"
printf 'Metadata-Version: 2.1\nName: tiny-thing\nVersion: 1.5\n' >"$work/wheel/tiny_thing-1.5.dist-info/METADATA"
printf 'Wheel-Version: 1.0\nTag: py3-none-any\nRoot-Is-Purelib: true\n' >"$work/wheel/tiny_thing-1.5.dist-info/WHEEL"
printf 'tiny_thing/__init__.py,,\ntiny_thing-1.5.dist-info/METADATA,,\ntiny_thing-1.5.dist-info/WHEEL,,\ntiny_thing-1.5.dist-info/RECORD,,\n' \
    >"$work/wheel/tiny_thing-1.5.dist-info/RECORD"
(cd "$work/wheel" && python3 -m zipfile -c "$work/tiny_thing-1.5-py3-none-any.whl" tiny_thing tiny_thing-1.5.dist-info)
run exec -c 'import tiny_thing'
check 'a module that nothing has: what to do' 'exits 1' 'stderr_has "pip install --target BUNDLE"' \
    'stderr_has "aardvark assets stage --wheel FILE"'
run exec -c 'import numpy'
check 'a module of a package that is not staged' 'exits 1' "stderr_has \"Pyodide's package 'numpy', which is not staged\""
run exec -c 'import os.absent'
check 'a module of one that is there is just missing' 'exits 1' '! stderr_has stage'
run exec --package tiny-thing -c 1
check 'a package that is not staged' 'exits 3' one_message 'stderr_has "package_not_found: "'
run assets stage -q --archive "$staged" --wheel "$work/tiny_thing-1.5-py3-none-any.whl" --no-prepare
check 'a wheel is staged' 'exits 0' stderr_empty
wheels=$(cat "$out")
run assets list
check 'assets list shows its package' 'exits 0' 'stdout_has "1 package: tiny-thing 1.5"'
run assets list --json
tr -d '\n' <"$out" >"$work/line" && echo >>"$work/line" && mv "$work/line" "$out"
check 'and in JSON' 'json_is "o.some((d) => d.packages.some((p) => p.name === \"tiny-thing\" && p.version === \"1.5\"))"'
run exec --package Tiny_Thing -c 'import tiny_thing; tiny_thing.value'
check 'the distribution is found by the package' 'exits 0' 'stdout_is 42'
run exec -c 'import tiny_thing'
check 'and only by it' 'exits 1' 'stderr_has "no package of the distribution has it"'
run exec --distribution "$wheels" -c 'import tiny_thing'
check 'a package that was not asked for' 'exits 1' "stderr_has \"it is in the package 'tiny-thing' (exec --package tiny-thing\""
bundle "$work/wants.zip" main.py 'import tiny_thing
def f(): return tiny_thing.value' aardvark.manifest.json \
    '{"schemaVersion": "1.0", "entrypoint": "main:f", "packages": ["tiny.thing"]}'
run run "$work/wants.zip"
check 'so it is for a bundle' 'exits 0' 'stdout_is 42'
run run --package tiny-thing --package nonesuch "$work/wants.zip"
check 'all that is asked for has to be in one' 'exits 3' one_message 'stderr_has "package_not_found: "'
rm -rf "$wheels"

refused 'a wheel that is none' wheel_invalid --archive "$staged" --wheel "$work/x.tgz" --force
exit $status
