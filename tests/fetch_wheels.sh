#!/bin/bash
# Fetches the native wheels that tests/wheels.txt pins, where they are not there yet: tests/fetch_wheels.sh DIR
set -eu
dir=$1
list=$(dirname "$0")/wheels.txt
stamp=$(sha256sum <"$list")
mkdir -p "$dir"
exec 9>"$dir/.lock"
flock 9
[[ $(cat "$dir/.stamp" 2>/dev/null) = "$stamp" ]] && exit 0
python3 -m pip download --quiet --disable-pip-version-check --no-cache-dir --no-deps --only-binary :all: --require-hashes \
    --platform pyemscripten_2025_0_wasm32 --python-version 313 --implementation cp --abi cp313 -d "$dir" -r "$list" ||
    { echo 'fetch_wheels: pip could not fetch the wheels, see above; it is in the package python3-pip' >&2; exit 1; }
echo "$stamp" >"$dir/.stamp"
