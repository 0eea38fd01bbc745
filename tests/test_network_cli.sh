#!/bin/bash
# test-timeout: 300
# The network from outside: the command's options, the manifest's word, and packages of Python that make requests.  The
# server is one of node's, on loopback, where requests go only because the options say so.
# shellcheck source=tests/cli/tools.sh
. tests/cli/tools.sh
node -e '
    const server = require("http").createServer((request, response) => {
        const parts = [];
        request.on("data", (part) => parts.push(part));
        request.on("end", () => {
            if (request.url === "/away") response.writeHead(302, { Location: "http://evil.example/" });
            else response.setHeader("X-Served", "yes");
            response.end(JSON.stringify({ method: request.method, url: request.url, body: Buffer.concat(parts).toString(),
                type: request.headers["content-type"] ?? null }));
        });
    });
    server.listen(0, "127.0.0.1", () => console.log(server.address().port));
    setTimeout(() => process.exit(), 280000);' >"$work/port" &
server=$!
trap 'kill $server; wait $server 2>/dev/null; rm -rf "$work"' EXIT
until [[ -s $work/port ]]; do sleep 0.05; done
port=$(cat "$work/port")
url=http://127.0.0.1:$port
open="--allow-host 127.0.0.1:$port --allow-http --allow-private-addresses"

get_javascript="fetch('$url/x').then((r) => r.json()).then((o) => o.url)"
get_python="import json, urllib.request
json.load(urllib.request.urlopen('$url/x'))['url']"
for language in javascript python; do
    code=get_$language
    # shellcheck disable=SC2086
    run exec --language $language $open -c "${!code}"
    check "$language reaches a host that is allowed" 'exits 0' stderr_empty 'stdout_is "\"/x\""'
    run exec --language $language --json -c "${!code}"
    check "$language reaches nothing by default" 'exits 1' 'json_is "
        o.diagnostics.network.allowed.length === 0 && o.diagnostics.network.blocked[0].reason === \"no_allowlist\" &&
        o.diagnostics.policy_violations[0].kind === \"network_denied\""'
    run exec --language $language --json --allow-host 127.0.0.1 --allow-http -c "${!code}"
    check "$language does not reach loopback by its name alone" 'exits 1' 'json_is "
        o.diagnostics.network.blocked[0].reason === \"private_address\""'
    run exec --language $language --json --allow-host 127.0.0.1 --allow-private-addresses -c "${!code}"
    check "$language does not use http without a word" 'exits 1' 'json_is "
        o.diagnostics.network.blocked[0].reason === \"scheme_not_allowed\""'
    # shellcheck disable=SC2086
    run exec --language $language --json $open --no-network -c "${!code}"
    check "$language reaches nothing where the network is closed" 'exits 1' 'json_is "
        o.diagnostics.network.blocked[0].reason === \"no_allowlist\""'
done
# shellcheck disable=SC2086
run exec --language javascript --json $open -c "fetch('$url/away')"
check 'a redirect does not lead out of the list' 'exits 1' 'json_is "
    o.diagnostics.network.allowed[0].status === 302 && o.diagnostics.network.blocked[0].reason === \"redirect_not_allowed\" &&
    o.diagnostics.network.blocked[0].url === \"http://evil.example/\""'
run exec --allow-host http://x -c 1
check 'a host is a host' 'exits 2' 'stderr_has "--allow-host: the host '"'http://x'"' has a scheme"'

network_manifest() { # NETWORK PACKAGES
    printf '{"schemaVersion": "1.0", "entrypoint": "main:f", "packages": %s, "resources": {%s}}' "$2" "${1:+\"network\": $1}"
}
main="$get_python
def f():
    return json.load(urllib.request.urlopen('$url/y'))['url']"
main=${main/$get_python/import json, urllib.request}
listed="{\"allow\": [\"127.0.0.1:$port\"], \"httpsOnly\": false}"
bundle "$work/listed.zip" aardvark.manifest.json "$(network_manifest "$listed" '[]')" main.py "$main"
run run "$work/listed.zip" --allow-private-addresses
check "the manifest's list counts" 'exits 0' 'stdout_is "\"/y\""'
run run "$work/listed.zip" --json
check 'but not for addresses that are not public' 'exits 1' 'json_is "
    o.diagnostics.network.blocked[0].reason === \"private_address\""'
run run "$work/listed.zip" --allow-private-addresses --allow-host other.example --json
check 'the list of the host counts too' 'exits 1' 'json_is "
    o.diagnostics.network.blocked[0].reason === \"host_not_allowed\""'
bundle "$work/silent.zip" aardvark.manifest.json "$(network_manifest '' '[]')" main.py "$main"
# shellcheck disable=SC2086
run run "$work/silent.zip" $open --json
check 'a manifest without a list asks for nothing and gets nothing' 'exits 1' 'json_is "
    o.diagnostics.network.blocked[0].reason === \"no_allowlist\""'

# ---- urllib3 and requests

wheels=$AARDVARK_BUILD/wheels
if ! tests/fetch_wheels.sh "$wheels"; then
    echo 'not ok the wheels are fetched'
    exit 1
fi
source=$("$aardvark" assets list --json | node -e '
    const list = JSON.parse(require("fs").readFileSync(0));
    console.log((list.find((d) => d.status === "ok" && d.variant === "core") ?? list[0]).dir)')
export AARDVARK_HOME=$work/home
files=()
for name in certifi charset_normalizer idna requests urllib3; do files+=(--wheel "$wheels/$name"-*-py3-none-any.whl); done
# shellcheck disable=SC2068
"$aardvark" assets stage -q --archive "${AARDVARK_PYODIDE_DIST_DIR:-$source}" ${files[@]} >"$out" 2>"$err"
rc=$?
check 'the wheels are staged' 'exits 0'
unset AARDVARK_PYODIDE_DIST_DIR
main="import requests, urllib3
def f():
    r = requests.post('$url/p?q=1', json={'a': 1}, timeout=10)
    h = urllib3.PoolManager().request('GET', '$url/h')
    s = requests.Session()
    streamed = b''.join(s.get('$url/s', stream=True).iter_content(10))
    return [r.status_code, r.headers['X-Served'], r.json()['body'], r.json()['type'], h.status, h.json()['url'], b'/s' in streamed]
def away():
    seen = []
    for what in (lambda: requests.get('$url/away'), lambda: requests.get('http://evil.example/')):
        try:
            what()
        except requests.RequestException as e:
            seen.append('host_not_allowed' in str(e))
    return seen"
bundle "$work/requests.zip" aardvark.manifest.json "$(network_manifest "$listed" '["requests"]')" main.py "$main"
for capability in '' '--capability js'; do
    # shellcheck disable=SC2086
    run run "$work/requests.zip" --allow-private-addresses $capability
    check "requests and urllib3 work $capability" 'exits 0' stderr_empty \
        'stdout_is "[200,\"yes\",\"{\\\"a\\\": 1}\",\"application/json\",200,\"/h\",true]"'
    # shellcheck disable=SC2086
    run run "$work/requests.zip" --allow-private-addresses --entrypoint main:away --json $capability
    check "and are refused $capability" 'exits 0' 'json_is "
        o.value.join() === \"true,true\" && o.diagnostics.network.blocked.length > 0 &&
        o.diagnostics.policy_violations.every((v) => v.reason === \"host_not_allowed\")"'
done
exit $status
