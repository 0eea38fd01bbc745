#!/bin/bash
# test-timeout: 240
# The command among files that are no files, other users' files, and text that would drive a terminal.
# shellcheck source=tests/cli/tools.sh
. tests/cli/tools.sh
staged=$("$aardvark" assets list --json | node -p 'JSON.parse(require("fs").readFileSync(0)).find((d) => d.status === "ok").dir')
bundle "$work/b.zip" main.py 'def f(): return 1' aardvark.manifest.json "$(manifest python main:f)"
mkdir "$work/tree"
echo 'def f(): return 1' >"$work/tree/main.py"

# ---- what is written

umask 077
run bundle pack "$work/tree" -o "$work/private.zip"
check 'the umask is that of what is made' 'exits 0' '[[ $(stat -c %a "$work/private.zip") = 600 ]]'
umask 022
run bundle pack "$work/tree" -o "$work/private.zip"
check 'what is written over stays as private as it was' 'exits 0' '[[ $(stat -c %a "$work/private.zip") = 600 ]]'
run bundle pack "$work/tree" -o "$work/open.zip"
check 'and others can read what they may' 'exits 0' '[[ $(stat -c %a "$work/open.zip") = 644 ]]'
run warm build "$work/b.zip" -o "$work/warm"
check 'a warm state holds memory, and is its user'\''s' 'exits 0' '[[ $(stat -c %a "$work/warm") = 600 ]]'
ln -s open.zip "$work/link.zip"
before=$(stat -c %i "$work/open.zip")
run bundle pack "$work/tree" -o "$work/link.zip"
check 'a link is followed' 'exits 0' '[[ -L $work/link.zip && $(stat -c %i "$work/open.zip") != "$before" ]]'
mkfifo "$work/fifo"
cat "$work/fifo" >"$work/through.zip" &
run bundle pack "$work/tree" -o "$work/fifo"
wait $!
check 'a FIFO is written to' 'exits 0' stdout_empty '[[ -p $work/fifo ]]' 'cmp "$work/through.zip" "$work/open.zip"'
run bundle pack "$work/tree" -o /dev/null
check 'a device is written to' 'exits 0' '[[ -c /dev/null ]]'
if ((EUID == 0)); then
    mknod "$work/device" c 1 3
    run warm build "$work/b.zip" -o "$work/device"
    check 'a device that root could replace, too' 'exits 0' '[[ -c $work/device ]]'
    rm "$work/device"
fi
run bundle pack "$work/tree" -o /dev/full
check 'a full device is an error' 'exits 4' one_message 'stderr_has /dev/full'

# ---- what is read

run exec -c 1 --input-file /dev/zero
check 'an input without end' 'exits 2' one_message 'stderr_has "no end within"'
run exec /dev/zero
check 'code without end' 'exits 2' one_message 'stderr_has "no end within"'
truncate -s 600M "$work/large"
run exec -c 1 --input-file "$work/large"
check 'an input that is too large' 'exits 2' one_message 'stderr_has "within 512 MiB"'
rm "$work/large"
run exec -c 1 --input-file "$work"
check 'a directory as the input' 'exits 3' one_message 'stderr_has "Is a directory"'
run exec -c '__aardvark_input' --input-file <(echo 7)
check 'a pipe as the input' 'exits 0' 'stdout_is 7'
for option in --archive --wheel; do
    file=$work/x-1-py3-none-any.whl
    [[ -p $file ]] || mkfifo "$file"
    archive=()
    [[ $option = --archive ]] || archive=(--archive "$staged")
    AARDVARK_HOME=$work/home timeout 20 "$aardvark" assets stage -q --no-prepare "${archive[@]}" $option "$file" >"$out" 2>"$err"
    rc=$?
    check "a FIFO as $option is refused at once" 'exits 4' one_message 'stderr_has "not a regular file"'
done
rm -f "$work"/*.whl

# ---- what is run

mkdir "$work/home2"
export AARDVARK_HOME=$work/home2
run assets stage -q --no-prepare --archive "$staged"
dist=$(cat "$out")
cp -r "$staged/cache" "$dist/"
run exec -c 1
check 'a distribution of one'\''s own' 'exits 0' 'stdout_is 1'
for part in '' /cache /..; do
    chmod g+w "$dist$part"
    run exec -c 1
    check "others can write in the distribution's '$part'" 'exits 3' stdout_empty one_message 'stderr_has "untrusted: "' \
        'stderr_has "chmod go-w"'
    chmod g-w "$dist$part"
done
chmod o+w "$dist/cache/"*
run exec -v -c 1
check 'files of the cache that others can write are not there' 'exits 0' 'stdout_is 1' '! stderr_has "warm state"'
chmod go-w "$dist/cache/"*
run exec -v -c 1
check 'and are there again' 'exits 0' 'stderr_has "warm state from disk"'
chmod g+w "$dist/pyodide.asm.js" "$dist/cache/pyodide.asm.js.prelinked"
run exec -c 1
check 'nor is a file of the distribution run' 'exits 3' one_message 'stderr_has "untrusted: "' 'stderr_has pyodide.asm.js'
chmod g-w "$dist/pyodide.asm.js" "$dist/cache/pyodide.asm.js.prelinked"
chmod g+w "$work/warm"
run run "$work/b.zip" --warm "$work/warm"
check 'a warm state that others can write' 'exits 3' stdout_empty one_message 'stderr_has "untrusted: "'
chmod g-w "$work/warm"
if ((EUID == 0)); then
    chown 61234 "$dist/cache"
    run exec -c 1
    check 'a cache of another user' 'exits 3' stdout_empty one_message 'stderr_has "chown"' 'stderr_has "user 61234"'
    AARDVARK_TRUSTED_UIDS=61234 run exec -c 1
    check 'a cache of a user whom one trusts' 'exits 0' 'stdout_is 1'
    chown 0 "$dist/cache"
    chmod 755 "$work"
    # Where that user can get at it, wherever this was built.
    mkdir "$work/bin"
    ldd "$aardvark" | sed -n 's/.*=> \(\/[^ ]*\).*/\1/p' | grep -vE '^/(usr/)?lib' | xargs cp -L -t "$work/bin" "$aardvark"
    setpriv --reuid 61234 --regid 61234 --clear-groups env HOME=/nonexistent LD_LIBRARY_PATH="$work/bin" \
        "$work/bin/aardvark" exec -c 1 >"$out" 2>"$err"
    rc=$?
    check 'root'\''s distribution is good for all' 'exits 0' 'stdout_is 1'
fi
# A planted file with a right digest, once the directory could be written: verify makes the cache anew.
printf 'x' >>"$dist/cache/pyodide.asm.js.code"
before=$(stat -c %i "$dist/cache/pyodide.asm.wasm.code")
run assets verify
check 'verify rebuilds the cache' 'exits 0' 'stdout_has "rebuilt"' \
    '[[ $(stat -c %i "$dist/cache/pyodide.asm.wasm.code") != "$before" ]]'

# ---- locks

lock=$work/home2/distributions/.lock
flock -F "$lock" sleep 100 & # its own process: whom a lock is of that the one who took it has passed on, no container tells
holder=$!
while flock -n "$lock" true; do sleep 0.05; done
run assets stage --no-prepare --archive "$staged" --force --lock-timeout 2
check 'who holds the lock is said, and not waited for without end' 'exits 4' 'stderr_has "cannot lock"' \
    "stderr_has 'process $holder'" 'stderr_has "has held it for 2.0 s"' 'stderr_has "waiting for process"'
kill "$holder"
wait "$holder" 2>/dev/null

# ---- terminals

run exec -c 'raise ValueError("\u202e\x9b31m\u200b\x1b[31m")'
check 'messages do not drive a terminal' 'exits 1' '! grep -qP "\x{202e}|\x9b|\x1b|\x{200b}" "$err"' 'stderr_has "\\u202e"'
cat >"$work/repr.py" <<'END'
class A:
    def __repr__(self): return "\u202e\x9b\x1b[2J"
A()
END
run exec "$work/repr.py"
check 'nor does what stands for a value' 'exits 0' 'stdout_is "\\u202e\\x9b\\x1b[2J"'
script -qec "'$aardvark' exec -c '[\"\\u202e\\x9b\", \"\\U000e0041\"]'" /dev/null </dev/null >"$out" 2>"$err"
rc=$?
check 'nor a value, on one' 'exits 0' 'stdout_has "\\u202e\\u009b"' 'stdout_has "\\udb40\\udc41"'
run exec -c "$(printf '1 +\xe2\x80\xae\n')"
check 'nor code that is quoted' 'exits 1' '! grep -qP "\x{202e}" "$err"'
run run "$(printf '%s' "$work/"$'\u202e\u0085x.zip')"
check 'nor a path' 'exits 3' one_message '! grep -qP "\x{202e}|\x{85}" "$err"'

# ---- interrupts

bundle "$work/slow.zip" main.py 'def f(): return 1' slow.py $'import time\ntime.sleep(60)' aardvark.manifest.json \
    '{"schemaVersion": "1.0", "entrypoint": "main:f", "runtime": {"pyodide": {"preloadImports": ["slow"]}}}'
node -e '
    const { spawn } = require("child_process");
    const child = spawn(process.argv[1], ["warm", "build", process.argv[2], "-o", process.argv[3]], { stdio: "inherit" });
    const from = process.hrtime.bigint();
    setTimeout(() => child.kill("SIGINT"), 1500);
    child.on("exit", (code) => process.exit(process.hrtime.bigint() - from < 30_000_000_000n ? code : 1));
' "$aardvark" "$work/slow.zip" "$work/never" >"$out" 2>"$err"
rc=$?
check 'the first Ctrl-C ends a preload' 'exits 130' one_message 'stderr_has "cancelled: "' '[[ ! -e $work/never ]]'
exit $status
