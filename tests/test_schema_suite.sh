#!/bin/bash
# test-timeout: 300
# JSON Schema's own test suite (draft 2020-12, what is required there, and regular expressions) on the subset that callbacks have: every verdict on a schema
# within it is right, and every other schema is refused by name.  AARD_JSON_SCHEMA_SUITE names a directory that has the suite's
# tests/; without that it is taken from the source package that tests/json_schema.txt pins, and its numbers are known.
# shellcheck source=tests/cli/tools.sh
. tests/cli/tools.sh
dir=$AARDVARK_BUILD/json-schema
fetch() {
    local stamp
    stamp=$(sha256sum <tests/json_schema.txt)
    mkdir -p "$dir" && exec 9>"$dir/.lock" && flock 9
    [[ $(cat "$dir/.stamp" 2>/dev/null) = "$stamp" ]] && return
    python3 -m pip download --quiet --disable-pip-version-check --no-cache-dir --no-deps --no-binary jsonschema \
        --require-hashes -d "$dir" -r tests/json_schema.txt || return
    tar -xzf "$dir"/jsonschema-*.tar.gz -C "$dir" --strip-components 2 --wildcards '*/json/tests/draft2020-12' &&
        echo "$stamp" >"$dir/.stamp"
}
suite=${AARD_JSON_SCHEMA_SUITE-}
if [[ -z $suite ]]; then
    check 'the suite is fetched' fetch
    suite=$dir
fi
"$AARDVARK_BUILD/tests/make_schema_verdicts" "$suite"/tests/draft2020-12/*.json \
    "$suite"/tests/draft2020-12/optional/{ecmascript,non-bmp}-regex.json >"$out" 2>"$err"
rc=$?
check 'every verdict is right' 'exits 0' stderr_empty '! grep WRONG "$out"'
check 'keywords of the subset are all that their files need' \
    '! grep -E "/(allOf|anyOf|oneOf|const|enum|type|required|items|prefixItems|contains|minimum|maximum|multipleOf|minLength|pattern|patternProperties|uniqueItems|dependentRequired|if-then-else)\.json [0-9]+ [1-9]" "$out"'
read -r run outside < <(awk '{ run += $2; outside += $3 } END { print run, outside }' "$out")
[[ -n ${AARD_JSON_SCHEMA_SUITE-} ]] || check 'none is left out' '[[ "$run $outside" = "1016 327" ]]'
echo "# $run tests run, $outside of schemas outside of the subset"
exit $status
