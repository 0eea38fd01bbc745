#!/bin/bash
# The runner of web-platform-tests, on a checkout of three tests with a harness of its own.
# shellcheck source=tests/cli/tools.sh
. tests/cli/tools.sh
checkout=$TMPDIR/wpt
mkdir -p "$checkout/resources" "$checkout/url" "$checkout/console"
cat >"$checkout/resources/testharness.js" <<'EOF'
globalThis.__tests = [];
globalThis.test = (body, name) => {
  let message = null;
  try { body() } catch (error) { message = error.message }
  __tests.push({ name, status: message === null ? 0 : 1, message });
};
globalThis.add_completion_callback = (callback) => Promise.resolve().then(() => callback(__tests, { status: 0, message: null }));
globalThis.timeout = () => {};
globalThis.setTimeout = () => 0;
EOF
echo 'globalThis.included = 1;' >"$checkout/url/helper.js"
cat >"$checkout/url/a.any.js" <<'EOF'
// META: script=helper.js
test(() => { if (new URL("/b", "http://a/").href !== "http://a/b" || included !== 1) throw new Error("wrong") }, "both");
test(() => { throw new Error("nobody") }, "nobody");
EOF
wpt() { node tests/wpt/run.mjs "$checkout" "$AARDVARK_BUILD/aardvark" "$TMPDIR/result" "$@" >"$TMPDIR/table" 2>/dev/null; }
check 'what passes in both is counted' wpt 'grep -qF "| url | 2 | 1 | 1 | 100.0 % | 1 |  |" "$TMPDIR/table"'
echo 'test(() => { if (typeof process !== "object") throw new Error("no process") }, "of node alone");' >"$checkout/console/b.any.js"
check 'what passes in node alone fails it' '! wpt' 'grep -q "| console | 1 | 1 | 0 | 0.0 % | 0 | 1 without a reason |" "$TMPDIR/table"' \
    'grep -q "no process" "$TMPDIR/result/console.txt"'
check 'an area alone can be asked for' 'wpt url/' '! grep -q console "$TMPDIR/table"'
rm -rf "$checkout" "$TMPDIR/result" "$TMPDIR/table"
exit $status
