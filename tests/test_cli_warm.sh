#!/bin/bash
# test-timeout: 240
# aardvark warm: making warm states, looking at them, starting from them.
# shellcheck source=tests/cli/tools.sh
. tests/cli/tools.sh
preload() { # ENTRYPOINT MODULE: a manifest that preloads it
    printf '{"schemaVersion": "1.0", "entrypoint": "%s", "runtime": {"pyodide": {"preloadImports": ["%s"]}}}' "$1" "$2"
}
code='import sys
was_there = "helper" in sys.modules
def f(): return was_there'
bundle "$work/b.zip" aardvark.manifest.json "$(preload main:f helper)" main.py "$code" helper.py 'x = 1'
bundle "$work/other.zip" aardvark.manifest.json "$(preload main:f json)" main.py "$code"
bundle "$work/bad.zip" aardvark.manifest.json "$(preload main:f absent)" main.py "$code"
bundle "$work/js.zip" aardvark.manifest.json "$(manifest javascript main:f)" main.js 'export const f = () => 1'
b=$work/b.zip w=$work/b.warm
flip() { # FILE OFFSET: changes a byte
    local byte
    byte=$(od -An -tu1 -j "$2" -N 1 "$1")
    printf "\\x$(printf %x $((byte ^ 16)))" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

run warm build "$b" -o "$w"
check 'a warm state is made' 'exits 0' stderr_empty "stdout_has '$w: '" 'stdout_matches "fingerprint [0-9a-f]{64}$"' '[[ -s $w ]]'
fingerprint=$(sed 's/.*fingerprint //' "$out")
run run "$b"
check 'without it nothing is preloaded' 'exits 0' 'stdout_is false'
run run "$b" --warm "$w"
check 'with it the imports are done' 'exits 0' stderr_empty 'stdout_is true'
run run --warm "$w" --json "$b"
check 'the outcome says where the state came from' 'exits 0' 'json_is "
    o.value === true && o.diagnostics.warm_state.source === \"disk\" &&
    o.diagnostics.warm_state.fingerprint === \"$fingerprint\""'
run run "$b" --warm "$w" -v
check 'so does the summary' 'exits 0' 'stderr_has "warm state from disk"'
run exec --warm "$w" -c 'import sys; "helper" in sys.modules'
check 'inline code starts from it, too' 'exits 0' 'stdout_is true'

run bundle inspect "$b" --json
digest=$(sed 's/^{"digest":"\([0-9a-f]*\)".*/\1/' "$out")
run warm inspect "$w"
check 'inspect shows what it was made of' 'exits 0' stderr_empty "stdout_has 'fingerprint   $fingerprint'" \
    "stdout_has 'bundle        $digest'" 'stdout_has "preload       helper"' 'stdout_has "(Pyodide 0.29.4)"'
run warm inspect "$w" --json
check 'as JSON' 'exits 0' stderr_empty 'json_is "
    o.fingerprint === \"$fingerprint\" && o.bundle_digest === \"$digest\" && o.pyodide_version === \"0.29.4\" &&
    o.preload_imports.join() === \"helper\" && o.packages.length === 0 && o.overlay_preloaded === false &&
    o.memory_bytes >= 2 ** 24 && o.file_bytes > o.memory_bytes"'

run run "$work/other.zip" --warm "$w"
check 'another bundle is refused' 'exits 3' stdout_empty one_message 'stderr_has "warm_mismatch: "' "stderr_has 'its bundle is $digest'"
run run "$work/js.zip" --warm "$w"
check 'so is JavaScript' 'exits 3' stdout_empty one_message 'stderr_has "warm_mismatch: "' 'stderr_has JavaScript'
head -c 40 /dev/urandom >"$work/key"
chmod 644 "$work/key"
AARDVARK_KEY_FILE=$work/key run run "$b" --warm "$w"
check 'a key that others can read is refused' 'exits 3' stdout_empty one_message 'stderr_has "untrusted: "' 'stderr_has "chmod 600"'
chmod 600 "$work/key"
AARDVARK_KEY_FILE=$work/key run run "$b" --warm "$w"
check 'with a key, a state that is not signed is refused' 'exits 3' stdout_empty one_message 'stderr_has "warm_signature: "' \
    'stderr_has "is not signed"'
AARDVARK_KEY_FILE=$work/key run warm build "$b" -o "$work/signed.warm"
check 'with a key, a state is signed' 'exits 0' stderr_empty
run warm inspect "$work/signed.warm"
check 'inspect shows that it is' 'exits 0' 'stdout_has "signed        yes"'
AARDVARK_KEY_FILE=$work/key run run "$b" --warm "$work/signed.warm"
check 'and it is started from' 'exits 0' stderr_empty 'stdout_is true'
head -c 40 /dev/urandom >"$work/key"
AARDVARK_KEY_FILE=$work/key run run "$b" --warm "$work/signed.warm"
check 'with another key it is not' 'exits 3' stdout_empty one_message 'stderr_has "warm_signature: "' 'stderr_has "not signed by the key"'
AARDVARK_KEY_FILE=$work/none run run "$b" --warm "$w"
check 'a key that is not there is named' 'exits 3' stdout_empty one_message 'stderr_has "$work/none"'
cp "$w" "$work/flipped.warm"
flip "$work/flipped.warm" 5000000
run run "$b" --warm "$work/flipped.warm"
check 'one that was altered is refused' 'exits 3' stdout_empty one_message 'stderr_has "warm_corrupt: "' 'stderr_has flipped.warm'
run warm inspect "$work/flipped.warm"
check 'and not shown' 'exits 3' stdout_empty one_message 'stderr_has "warm_corrupt: "'
head -c 1000000 "$w" >"$work/cut.warm"
run run "$b" --warm "$work/cut.warm"
check 'one that was cut is refused' 'exits 3' stdout_empty one_message 'stderr_has "warm_corrupt: "'
run run "$b" --warm "$work/none.warm"
check 'one that is not there' 'exits 3' stdout_empty one_message 'stderr_has "not_found: "'
run run "$b" --warm "$b"
check 'a file that is none' 'exits 3' stdout_empty one_message 'stderr_has "warm_corrupt: "' 'stderr_has "is not an image"'

run warm build "$work/bad.zip" -o "$work/bad.warm"
check 'an import that fails is named, and nothing is written' 'exits 3' stdout_empty one_message \
    'stderr_has "warm_capture: "' 'stderr_has absent' '[[ ! -e $work/bad.warm ]]'
run warm build "$work/js.zip" -o "$work/js.warm"
check 'JavaScript has no warm states' 'exits 3' stdout_empty one_message 'stderr_has "manifest_language: "'
run warm build "$b" -o "$work/no/such/dir"
check 'a place that is not there' 'exits 4' stdout_empty one_message 'stderr_has "io: "'
before=$(cksum <"$w")
run warm build "$b" -o "$w" --wall-ms 60000
check 'an older one is replaced' 'exits 0' 'run run "$b" --warm "$w"; stdout_is true'
check 'nothing is left beside it' '[[ $(find "$work" -name "*-tmp-*" | wc -l) = 0 ]]' '[[ -n $before ]]'
exit $status
