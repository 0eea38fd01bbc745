#!/bin/bash
# test-timeout: 240
# Every malformed bundle that the tests know, given to the command: exit status 3, the error's own name in one line,
# nothing on stdout, no file left behind, no crash.
# shellcheck source=tests/cli/tools.sh
. tests/cli/tools.sh
mkdir "$work/bad" "$work/tmp" "$work/cwd"
"$AARDVARK_BUILD/tests/make_bad_bundles" "$work/bad" || echo 'not ok making the bundles'
before=$(cd "$work/bad" && sha256sum ./*)
aardvark=$(realpath "$aardvark")
cd "$work/cwd" || exit 1
export TMPDIR=$work/tmp
count=0
while IFS=$'\t' read -r name error; do
    for command in run 'bundle inspect'; do
        # shellcheck disable=SC2086
        run $command "$work/bad/$name.zip"
        check "$command $name.zip" 'exits 3' stdout_empty one_message 'stderr_has "aardvark: $error: "'
    done
    count=$((count + 1))
done <"$work/bad/expected.tsv"
check 'there were at least 40' '((count >= 40))'
check 'no file was left behind or changed' '[[ -z $(ls -A "$work/cwd") && -z $(ls -A "$work/tmp") ]]' \
    '[[ $(cd "$work/bad" && sha256sum ./*) = "$before" ]]'
exit $status
