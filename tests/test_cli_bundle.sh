#!/bin/bash
# aardvark bundle: packing the same twice, looking inside, refusing.
# shellcheck source=tests/cli/tools.sh
. tests/cli/tools.sh
mkdir -p "$work/tree/sub/deep"
manifest=$work/tree/aardvark.manifest.json
printf '%s' '{"schemaVersion": "1.0", "entrypoint": "main:f", "packages": ["Some_Package"],
  "runtime": {"language": "python", "pyodide": {"profile": "fast-1", "preloadImports": ["json"]}},
  "resources": {"cpu": {"defaultLimitMs": 250}, "network": {"allow": ["*.Example.com:8443"], "httpsOnly": false},
    "filesystem": {"mode": "readWrite", "quotaBytes": 2048}, "hostCapabilities": ["JS"]}}' >"$manifest"
echo 'def f(): pass' >"$work/tree/main.py"
printf 'é' >"$work/tree/sub/deep/dätä.bin"

run bundle pack "$work/tree" -o "$work/a.zip"
check 'pack' 'exits 0' stderr_empty '[[ $(wc -l <"$out") = 1 ]]' \
    'stdout_matches "a.zip: 3 files, .* digest [0-9a-f]{64}$"'
cp -r "$work/tree" "$work/copy"
find "$work/copy" -exec touch -d 2001-01-01 {} +
run bundle pack --output "$work/b.zip" "$work/copy"
check 'equal trees give equal bytes' 'exits 0' 'cmp "$work/a.zip" "$work/b.zip"'
check 'the archive is one for others too' 'node -e "
    const z = require(\"fs\").readFileSync(process.argv[1]);
    process.exit(z.readUInt32LE(0) === 0x04034b50 && z.includes(\"sub/deep/dätä.bin\") ? 0 : 1)" "$work/a.zip"'

run bundle inspect "$work/a.zip"
check 'inspect' 'exits 0' stderr_empty 'stdout_matches "^digest +[0-9a-f]{64}$"' 'stdout_matches "^entries +3, "' \
    'stdout_matches "^entrypoint +main:f$"' 'stdout_matches "^language +python$"' 'stdout_matches "^profile +fast-1$"' \
    'stdout_matches "^packages +some-package$"' 'stdout_matches "^preload +json$"' \
    'stdout_matches "^CPU limit +250 ms$"' \
    'stdout_matches "^network +HTTPS and HTTP, to$"' 'stdout_has "*.example.com:8443"' \
    'stdout_matches "^files +read and write, at most 2.0 KiB$"' 'stdout_matches "^capability +js$"' \
    'stdout_matches "^ +14  main.py$"' 'stdout_matches "^ +2  sub/deep/dätä.bin$"'
run bundle inspect --json "$work/a.zip"
check 'inspect --json' 'exits 0' 'json_is "o.digest.length === 64 && o.entries.length === 3 &&
    o.entries.find((e) => e.name === \"sub/deep/dätä.bin\").size === 2 && o.manifest.entrypoint === \"main:f\" &&
    o.manifest.language === \"python\" && o.manifest.pyodide_version === null && o.manifest.profile === \"fast-1\" &&
    o.manifest.packages.join() === \"some-package\" && o.manifest.preload_imports.join() === \"json\" &&
    o.manifest.cpu_limit_ms === 250 && o.manifest.network.https_only === false &&
    o.manifest.network.allow.join() === \"*.example.com:8443\" && o.manifest.filesystem.mode === \"readWrite\" &&
    o.manifest.filesystem.quota_bytes === 2048 && o.manifest.host_capabilities.join() === \"js\""'
digest=$(node -p 'JSON.parse(require("fs").readFileSync(process.argv[1])).digest' "$out")
echo more >"$work/copy/more.txt"
run bundle pack "$work/copy" -o "$work/b.zip"
check 'another file, another digest; the old bundle is replaced' 'exits 0' 'stdout_has "4 files"' \
    '! stdout_has "$digest"'

rm "$manifest"
run bundle pack "$work/tree" -o "$work/bare.zip"
check 'a bundle needs no manifest' 'exits 0'
run bundle inspect "$work/bare.zip"
check 'inspect without a manifest' 'exits 0' 'stdout_matches "^manifest +none"'
run bundle inspect "$work/bare.zip" --json
check 'inspect --json without a manifest' 'exits 0' 'json_is "o.manifest === null && o.entries.length === 2"'

# ---- refusals leave nothing behind ----
refused() { # NAME STATUS ERROR ARGUMENT…
    local name=$1 wanted=$2 error=$3
    shift 3
    (cd "$work" && ls -A >.before)
    run "$@"
    (cd "$work" && ls -A >.after)
    check "$name" 'exits $wanted' stdout_empty one_message 'stderr_has "aardvark: $error: "' \
        'cmp -s "$work/.before" "$work/.after"'
}
touch "$work/.before" "$work/.after"
refused 'a directory that is not there' 3 not_found bundle pack "$work/none" -o "$work/x.zip"
refused 'a bundle that is not there' 3 not_found bundle inspect "$work/none.zip"
echo '{"schemaVersion": "1.0", "entrypoint": "main:f", "colour": 1}' >"$manifest"
refused 'a manifest that is wrong' 3 manifest_unknown_key bundle pack "$work/tree" -o "$work/x.zip"
rm "$manifest"
ln -s main.py "$work/tree/link.py"
refused 'a symbolic link' 3 bundle_symlink bundle pack "$work/tree" -o "$work/x.zip"
rm "$work/tree/link.py"
refused 'no place to write to' 4 io bundle pack "$work/tree" -o "$work/none/x.zip"
head -c 100 "$work/a.zip" >"$work/cut.zip"
refused 'half a bundle' 3 bundle_corrupt bundle inspect "$work/cut.zip"
exit $status
