#!/bin/bash
# test-timeout: 300
# Native packages in warm states: two extension modules, loaded in either order, alone and together.
# shellcheck source=tests/cli/tools.sh
. tests/cli/tools.sh
wheels=$AARDVARK_BUILD/wheels
if ! tests/fetch_wheels.sh "$wheels"; then
    echo 'not ok the wheels are fetched'
    exit 1
fi
source=$("$aardvark" assets list --json | node -e '
    const list = JSON.parse(require("fs").readFileSync(0));
    console.log((list.find((d) => d.status === "ok" && d.variant === "core") ?? list[0]).dir)')
export AARDVARK_HOME=$work/home
stage() { "$aardvark" assets stage -q --archive "${AARDVARK_PYODIDE_DIST_DIR:-$source}" --wheel "$wheels"/msgpack-*.whl \
    --wheel "$wheels"/dummy_pyodide_ext_test-*.whl "$@"; }
stage --no-prepare >"$out" 2>"$err"
rc=$?
check 'the wheels are staged' 'exits 0'
dist=$(cat "$out")
unset AARDVARK_PYODIDE_DIST_DIR
both() { # FIRST SECOND: a manifest that imports them in this order
    printf '{"schemaVersion": "1.0", "entrypoint": "main:f", "packages": ["msgpack", "dummy-pyodide-ext-test"],
        "runtime": {"pyodide": {"preloadImports": ["%s", "%s"]}}}' "$1" "$2"
}
code='import sys
preloaded = [n in sys.modules for n in ("msgpack._cmsgpack", "dummy_pyodide_ext_test")]
import msgpack, dummy_pyodide_ext_test as dummy
def f(x=None):
    ext = msgpack.ext.ExtType(5, b"xyz")
    packed = msgpack.packb({"a": [1, 2.5, x], "e": ext, "long": list(range(1000))})
    back = msgpack.unpackb(packed)
    return [preloaded, back["a"], back["e"].data.decode(), len(back["long"]), dummy.add(2, 3)]
def raises():
    try:
        msgpack.unpackb(b"\xc1")
    except msgpack.exceptions.FormatError:
        return "refused"
async def again():
    # Loading more later must neither end the runtime nor meet anything else at its place.
    import pyodide_js, ctypes
    path = [p for p in sys.modules["msgpack._cmsgpack"].__spec__.origin.split("\n")][0]
    await pyodide_js._api.loadDynlib(path)
    return [bool(ctypes.CDLL(path)), f()[4], f()[1][0]]'
value='[[true,true],[1,2.5,"é"],"xyz",1000,5]'
bundle "$work/a.zip" aardvark.manifest.json "$(both msgpack dummy_pyodide_ext_test)" main.py "$code"
bundle "$work/b.zip" aardvark.manifest.json "$(both dummy_pyodide_ext_test msgpack)" main.py "$code"

run run "$work/a.zip" --input '"é"'
check 'they work in a start from nothing' 'exits 0' 'stdout_is "[[false,false],[1,2.5,\"é\"],\"xyz\",1000,5]"'
run warm build "$work/a.zip" -o "$work/none.warm"
check 'without prelinked code they can not be captured, and that is said' 'exits 3' stdout_empty one_message \
    'stderr_has "warm_capture: "' 'stderr_has "prepare the distribution"' '[[ ! -e $work/none.warm ]]'

stage >"$out" 2>"$err"
rc=$?
check 'the distribution is prepared' 'exits 0' 'stdout_is "$dist"'
for order in a b; do
    run warm build "$work/$order.zip" -o "$work/$order.warm"
    check "order $order is captured" 'exits 0' stderr_empty
    for try in 1 2; do
        run run "$work/$order.zip" --warm "$work/$order.warm" --input '"é"'
        check "order $order starts from there, try $try" 'exits 0' stderr_empty "stdout_is '$value'"
    done
    run run "$work/$order.zip" --warm "$work/$order.warm" --entrypoint main:raises
    check "exceptions of order $order are caught" 'exits 0' "stdout_is '\"refused\"'"
    run run "$work/$order.zip" --warm "$work/$order.warm" --entrypoint main:again --capability js
    check "order $order goes on loading" 'exits 0' "stdout_is '[true,5,1]'"
done
run warm inspect "$work/a.warm" --json
check 'the packages are named' 'exits 0' 'json_is "
    o.packages.join() === \"dummy-pyodide-ext-test 0.1.0,msgpack 1.2.4\" && o.overlay_preloaded === true"'

# A callback for C takes a place in the function table; one that is gone leaves a gap that is filled up.
before='import ctypes
keep = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int)(lambda x: x)'
bundle "$work/held.zip" aardvark.manifest.json "$(both before msgpack)" before.py "$before" main.py "$code"
run warm build "$work/held.zip" -o "$work/held.warm"
check 'a callback before a library can not be captured' 'exits 3' one_message 'stderr_has "warm_capture: "' 'stderr_has ctypes'
bundle "$work/gone.zip" aardvark.manifest.json "$(both before msgpack)" before.py "$before
del keep
import gc
gc.collect()" main.py "$code"
run warm build "$work/gone.zip" -o "$work/gone.warm"
check 'one that is gone can' 'exits 0' stderr_empty
run run "$work/gone.zip" --warm "$work/gone.warm" --input '"é"'
check 'and the library is where it was' 'exits 0' stderr_empty 'stdout_is "[[true,false],[1,2.5,\"é\"],\"xyz\",1000,5]"'

# A place that is taken is an error, not a crash.
cache=$(ls -d "$dist/cache")
rm -f "$cache"/*.prelinked "$cache"/base.image "$cache"/*.code
run run "$work/a.zip" --warm "$work/a.warm"
check 'another layout is refused' 'exits 3' stdout_empty one_message 'stderr_has "warm_mismatch: "' 'stderr_has layout'
exit $status
