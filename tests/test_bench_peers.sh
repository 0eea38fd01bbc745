#!/bin/bash
# test-timeout: 300
# bench/peers/run from end to end, with peers made up here: programs that speak the peers' protocol, a Pyodide and an
# isolated-vm of a few lines.  What is compared is a matter of bench/peers/figures.mjs; its report has a row for each.
# shellcheck source=tests/cli/tools.sh
. tests/cli/tools.sh
peers=$work/peers
mkdir -p "$peers/eryx/bin" "$peers/node_modules/pyodide" "$peers/node_modules/isolated-vm" "$work/build"
ln -s "$(realpath "$AARDVARK_BUILD/bundles")" "$work/build/bundles"
: >"$peers/pyodide.snapshot"
for program in aardvark aardvark-guest bench_guest libaardvark.so libaardvark.so.0; do
    ln -s "$AARDVARK_BUILD/$program" "$work/build/$program"
done

# In for Eryx and Monty: says 2 as a process of its own, 1000 ms to everything else.
cat >"$peers/eryx/bin/python" <<'END'
#!/bin/bash
case "$*" in
*eryx_process.py) echo 2; exit ;;
*eryx_guest.py' '--version) echo 'an Eryx'; exit ;;
*monty_guest.py' '--version) echo 'a Monty'; exit ;;
*bwrap_guest.py' '--version) echo 'a bubblewrap'; exit ;;
*monty_guest.py' '--cannot) echo 'this, that'; exit ;;
esac
[[ $* =~ ^-I\ bench/peers/(eryx|monty|bwrap)_guest.py\ .*\ .*\ --rounds ]] || exit 9
# 5 ms between two calls are asked for where a figure is paced.
[[ $* != *--pace* || $* = *"--pace 5" ]] || exit 9
round=$(for ((i = 0; i < $4; i++)); do printf '1000 '; done)
echo ready
while read -r _; do echo "${round% }"; done
END
printf '#!/bin/bash\necho 2\necho "took some time"\n' >"$peers/eryx/bin/monty"
chmod +x "$peers/eryx/bin/python" "$peers/eryx/bin/monty"
echo '{"version": "7.8.9"}' | tee "$peers/node_modules/pyodide/package.json" >"$peers/node_modules/isolated-vm/package.json"
echo 'export const loadPyodide = async () => ({ memory: Buffer.alloc(1 << 22, 1), runPython: () => 2 });' \
    >"$peers/node_modules/pyodide/pyodide.mjs"
cat >"$peers/node_modules/isolated-vm/index.js" <<'END'
const evalSync = (code) => (code === "1+1" ? 2 : { applySync: (_, [text]) => text });
exports.Isolate = class {
  createContextSync() { return { evalSync }; }
  dispose() {}
};
END

compare() { # VARIABLE=VALUE…
    env BUILD="$work/build" BENCH_PEERS="$peers" "$@" bench/peers/run >"$out" 2>"$err"
    rc=$?
}

compare BENCH_PAIRS=2
report=$work/build/bench
check 'it runs and writes its report' 'exits 0' '[[ -s $report/peers.md && -s $report/peers.txt && -s $report/peers.svg ]]'
names=$(node -e 'import("./bench/peers/figures.mjs").then(({figures, means}) => {
    for (const {name} of [...figures, ...means]) console.log(name); })')
for name in $names; do
    line=$(grep "^compare=$name " "$report/peers.txt")
    check "$name" 'awk -v RS="[ \n]" -F= "{v[\$1] = \$2} END {exit !(v[\"ratio\"] > 0 &&
        v[\"pairs\"] == 2 && (v[\"target\"] > 0 ? v[\"verdict\"] ~ /^(missed|met|aim_met)\$/ : v[\"verdict\"] == \"none\") && v[\"ours_min\"] <= v[\"ours_p50\"] &&
        v[\"ours_p50\"] <= v[\"ours_p99\"])}" <<<"$line"'
done
check 'a row for each, in the table and in the plot' \
    '[[ $(grep -E "^\| .* ((met|\*\*missed\*\*) )?\|$" "$report/peers.md" | grep -vc "^| figure") = $(wc -w <<<"$names") ]]' \
    '[[ $(grep -c "<rect x=" "$report/peers.svg") = $(wc -w <<<"$names") ]]'
check 'versions and machine are told' 'grep -q "^- ours: aardvark .*V8" "$report/peers.md"' \
    'grep -q "^- Eryx: an Eryx$" "$report/peers.md"' 'grep -q "^- Pyodide: 7.8.9 in node v" "$report/peers.md"' \
    'grep -q "^fact=machine value=" "$report/peers.txt"'
check 'stdout has table and lines' 'stdout_has "| figure | against |"' 'stdout_has "compare=python_echo unit=ms"'

compare BENCH_PAIRS=1 BENCH_ONLY=javascript_
check 'some figures only' 'exits 0' '[[ $(grep -c "^compare=" "$report/peers.txt") = $(grep -c ^javascript_ <<<"$names") ]]'
compare BENCH_PAIRS=1 BENCH_ONLY=nothing-of-the-kind
check 'none of that name' 'exits 1' stdout_empty 'stderr_has "bench-peers: BENCH_ONLY=nothing-of-the-kind"'
compare BENCH_PAIRS=no
check 'no count' 'exits 1' stdout_empty 'stderr_has "bench-peers: BENCH_PAIRS=no"'

rm "$report"/peers.*
sed -i "s/echo ready/echo ready; echo broken wasm >\&2; exit 3/" "$peers/eryx/bin/python"
compare BENCH_PAIRS=1 BENCH_ONLY=python_echo
check 'a peer that fails ends the run, with what it said' 'exits 1' '[[ ! -e $report/peers.md ]]' \
    'stderr_has "bench-peers: eryx python-echo failed: broken wasm"'
sed -i "s/echo ready.*/echo ready; sleep 0.1; echo 1 2; exit/" "$peers/eryx/bin/python"
compare BENCH_PAIRS=1 BENCH_ONLY=python_echo
check 'a peer that gives too few samples ends the run' 'exits 1' 'stderr_has "for 50 samples"' '[[ ! -e $report/peers.md ]]'
sed -i "s/) echo 2;/) echo 3;/" "$peers/eryx/bin/python"
compare BENCH_PAIRS=1 BENCH_ONLY=process_eryx
check 'a wrong result is no sample' 'exits 1' "stderr_has \"eryxProcess printed '3' for 1+1\"" '[[ ! -e $report/peers.md ]]'

# Without a network the installation says what could not be had, and leaves nothing that looks installed.
mkdir "$work/empty"
printf '#!/bin/sh\n[ "$1" = --version ] || { echo "network is unreachable" >&2; exit 1; }\n' >"$work/empty/npm"
chmod +x "$work/empty/npm"
printf '#!/bin/sh\nexit 0\n' >"$work/empty/python"
chmod +x "$work/empty/python"
PEERS_PYTHON=$work/empty/python PATH=$work/empty:$PATH bench/peers/install "$work/.installed" >"$out" 2>"$err"
rc=$?
check 'npm without a network' 'exits 1' 'stderr_has "network is unreachable"' 'stderr_has "npm could not install"' \
    '[[ ! -e $work/.installed/stamp ]]'
PEERS_PYTHON=$work/none bench/peers/install "$work/.other" >"$out" 2>"$err"
rc=$?
check 'no Python for pyeryx' 'exits 1' 'stderr_has "PEERS_PYTHON=$work/none is no Python 3.12"' '[[ ! -e $work/.other ]]'
exit $status
