#include <stdlib.h>
#include <string.h>

#include "bad_bundles.h"

#define WITH(members) "{'schemaVersion': '1.0', 'entrypoint': 'main:hello'" members "}"
#define ENTRY(text) "{'schemaVersion': '1.0', 'entrypoint': " text "}"
#define PACKAGES(list) WITH(", 'packages': " list)
#define RUNTIME(members) WITH(", 'runtime': {" members "}")
#define PYODIDE(members) RUNTIME("'pyodide': {" members "}")
#define RESOURCES(members) WITH(", 'resources': {" members "}")
#define CPU(members) RESOURCES("'cpu': {" members "}")
#define NETWORK(members) RESOURCES("'network': {" members "}")
#define HOST(text) NETWORK("'allow': ['ok.example', '" text "']")
#define FILES(members) RESOURCES("'filesystem': {" members "}")
#define LABEL_32 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define LABEL_63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

#define CASE(name, code, says, text)                                                                                   \
    {                                                                                                                  \
        "manifest-" name, AARD_ERR_MANIFEST_##code, says, text                                                         \
    }
#define BAD_HOST(name, says, host) CASE("host-" name, NETWORK, "'resources.network.allow[1]' (\"" says, HOST(host))

const bad_manifest bad_manifests[] = {
    /* the text */
    CASE("empty", SYNTAX, "line 1", ""),
    CASE("not-json", SYNTAX, "line 1", "entrypoint: main:hello\n"),
    CASE("cut", SYNTAX, "line 1", "{'schemaVersion': '1.0', 'entry"),
    CASE("trailing-comma", SYNTAX, "line 1", "{'schemaVersion': '1.0',}"),
    CASE("two-values", SYNTAX, "line 1", WITH("") " {}"),
    CASE("comment", SYNTAX, "line 1", "// no comments\n{}"),
    CASE("deep", SYNTAX, "more than 16 levels", "[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]"),
    CASE("deep-open", SYNTAX, "more than 16 levels", "{'a':[{'a':[{'a':[{'a':[{'a':[{'a':[{'a':[{'a':[{'a':["),
    CASE("nul-escape", SYNTAX, "line 1", ENTRY("'main:\\u0000'")),
    CASE("lone-surrogate", SYNTAX, "line 1", ENTRY("'main:\\ud800'")),
    CASE("huge-number", SYNTAX, "line 1", CPU("'defaultLimitMs': 99999999999999999999")),
    CASE("bom", ENCODING, "byte order mark", "\xef\xbb\xbf" WITH("")),
    CASE("latin1", ENCODING, "not UTF-8", ENTRY("'main:caf\xe9'")),
    CASE("utf16", ENCODING, "not UTF-8", "\xff\xfe{"),
    CASE("duplicate-key", DUPLICATE_KEY, "entrypoint", WITH(", 'entrypoint': 'a:b'")),
    CASE("duplicate-key-deep", DUPLICATE_KEY, "allow", NETWORK("'allow': [], 'allow': ['x.example']")),
    CASE("list", TYPE, "not a JSON object", "[]"),
    CASE("string", SYNTAX, "line 1", "'1.0'"),
    /* unknown and missing keys, at every level */
    CASE("unknown-root", UNKNOWN_KEY, "'entryPoint' is not a known key", WITH(", 'entryPoint': 'main:hello'")),
    CASE("unknown-control", UNKNOWN_KEY, "'a\\x0ab' is not a known key", WITH(", 'a\\nb': 1")),
    CASE("unknown-empty", UNKNOWN_KEY, "'' is not a known key", WITH(", '': 1")),
    CASE("unknown-runtime", UNKNOWN_KEY, "'runtime.lang' is not a known key", RUNTIME("'lang': 'python'")),
    CASE("unknown-pyodide", UNKNOWN_KEY, "'runtime.pyodide.preload' is not a known key", PYODIDE("'preload': []")),
    CASE("unknown-resources", UNKNOWN_KEY, "'resources.memory' is not a known key", RESOURCES("'memory': {}")),
    CASE("unknown-cpu", UNKNOWN_KEY, "'resources.cpu.limitMs' is not a known key", CPU("'limitMs': 1")),
    CASE("unknown-network", UNKNOWN_KEY, "'resources.network.deny' is not a known key", NETWORK("'deny': []")),
    CASE("unknown-filesystem", UNKNOWN_KEY, "'resources.filesystem.root' is not a known key", FILES("'root': '/'")),
    CASE("missing-schema", MISSING_KEY, "'schemaVersion' is missing", "{'entrypoint': 'main:hello'}"),
    CASE("missing-entrypoint", MISSING_KEY, "'entrypoint' is missing", "{'schemaVersion': '1.0'}"),
    CASE("missing-all", MISSING_KEY, "'schemaVersion' is missing", "{}"),
    /* types */
    CASE("type-schema", TYPE, "'schemaVersion' is 1", "{'schemaVersion': 1.0, 'entrypoint': 'main:hello'}"),
    CASE("type-schema-null", TYPE, "'schemaVersion' is null", "{'schemaVersion': null, 'entrypoint': 'main:hello'}"),
    CASE("type-entrypoint", TYPE, "'entrypoint' is a list", ENTRY("['main', 'hello']")),
    CASE("type-entrypoint-null", TYPE, "'entrypoint' is null", ENTRY("null")),
    CASE("type-packages", TYPE, "'packages' is \"numpy\"", PACKAGES("'numpy'")),
    CASE("type-package", TYPE, "'packages[1]' is 7", PACKAGES("['numpy', 7]")),
    CASE("type-package-null", TYPE, "'packages[0]' is null", PACKAGES("[null]")),
    CASE("type-runtime", TYPE, "'runtime' is \"python\"", WITH(", 'runtime': 'python'")),
    CASE("type-language", TYPE, "'runtime.language' is true", RUNTIME("'language': true")),
    CASE("type-pyodide", TYPE, "'runtime.pyodide' is \"0.29.4\"", RUNTIME("'pyodide': '0.29.4'")),
    CASE("type-version", TYPE, "'runtime.pyodide.version' is 0.29", PYODIDE("'version': 0.29")),
    CASE("type-profile", TYPE, "'runtime.pyodide.profile' is an object", PYODIDE("'profile': {}")),
    CASE("type-preload", TYPE, "'runtime.pyodide.preloadImports' is an object", PYODIDE("'preloadImports': {}")),
    CASE("type-resources", TYPE, "'resources' is false", WITH(", 'resources': false")),
    CASE("type-cpu", TYPE, "'resources.cpu' is 100", RESOURCES("'cpu': 100")),
    CASE("type-cpu-limit", TYPE, "'resources.cpu.defaultLimitMs' is \"100\"", CPU("'defaultLimitMs': '100'")),
    CASE("type-cpu-fraction", TYPE, "'resources.cpu.defaultLimitMs' is 1.5", CPU("'defaultLimitMs': 1.5")),
    CASE("type-network", TYPE, "'resources.network' is true", RESOURCES("'network': true")),
    CASE("type-allow", TYPE, "'resources.network.allow' is \"*\"", NETWORK("'allow': '*'")),
    CASE("type-https", TYPE, "'resources.network.httpsOnly' is \"no\"", NETWORK("'httpsOnly': 'no'")),
    CASE("type-timeout", TYPE, "'resources.network.timeoutMs' is 0.5", NETWORK("'timeoutMs': 0.5")),
    CASE("type-filesystem", TYPE, "'resources.filesystem' is \"read\"", RESOURCES("'filesystem': 'read'")),
    CASE("type-mode", TYPE, "'resources.filesystem.mode' is 1", FILES("'mode': 1")),
    CASE("type-quota", TYPE, "'resources.filesystem.quotaBytes' is \"1M\"", FILES("'quotaBytes': '1M'")),
    CASE("type-capabilities", TYPE, "'resources.hostCapabilities' is \"js\"", RESOURCES("'hostCapabilities': 'js'")),
    /* values */
    CASE("schema-2", SCHEMA_VERSION, "'schemaVersion' is \"2.0\"", "{'schemaVersion': '2.0', 'entrypoint': 'm:f'}"),
    CASE("schema-1", SCHEMA_VERSION, "'schemaVersion' is \"1\"", "{'schemaVersion': '1', 'new': 1}"),
    CASE("entrypoint-empty", ENTRYPOINT, "'entrypoint' (\"\")", ENTRY("''")),
    CASE("entrypoint-no-colon", ENTRYPOINT, "'entrypoint' (\"main\")", ENTRY("'main'")),
    CASE("entrypoint-two-colons", ENTRYPOINT, "'entrypoint' (\"a:b:c\")", ENTRY("'a:b:c'")),
    CASE("entrypoint-no-module", ENTRYPOINT, "'entrypoint' (\" :hello\")", ENTRY("' :hello'")),
    CASE("entrypoint-no-export", ENTRYPOINT, "'entrypoint' (\"main: \")", ENTRY("'main: '")),
    CASE("entrypoint-control", ENTRYPOINT, "'entrypoint' (\"main:a\\x1bb\")", ENTRY("'main:a\\u001bb'")),
    CASE("package-empty", PACKAGES, "'packages[1]' (\"  \") is empty", PACKAGES("['numpy', '  ']")),
    CASE("package-version", PACKAGES, "'packages[0]' (\"numpy==2.0\")", PACKAGES("['numpy==2.0']")),
    CASE("package-path", PACKAGES, "'packages[0]' (\"../numpy\")", PACKAGES("['../numpy']")),
    CASE("package-dash", PACKAGES, "'packages[0]' (\"-numpy\")", PACKAGES("['-numpy']")),
    CASE("package-javascript", PACKAGES, "'packages' is a list; 'runtime.language' is \"javascript\"",
         WITH(", 'packages': ['numpy'], 'runtime': {'language': 'javascript'}")),
    CASE("language", LANGUAGE, "'runtime.language' is \"ruby\"", RUNTIME("'language': 'ruby'")),
    CASE("language-case", LANGUAGE, "'runtime.language' is \"Python\"", RUNTIME("'language': 'Python'")),
    CASE("language-pyodide", LANGUAGE, "'runtime.pyodide' is an object",
         RUNTIME("'language': 'javascript', 'pyodide': {}")),
    CASE("pyodide-version", PYODIDE_VERSION, "'runtime.pyodide.version' is \"0.28.0\"", PYODIDE("'version': '0.28.0'")),
    CASE("pyodide-version-empty", PYODIDE_VERSION, "'runtime.pyodide.version' (\"\")", PYODIDE("'version': ''")),
    CASE("profile-empty", PROFILE, "'runtime.pyodide.profile' (\" \")", PYODIDE("'profile': ' '")),
    CASE("profile-characters", PROFILE, "'runtime.pyodide.profile' (\"a/b\")", PYODIDE("'profile': 'a/b'")),
    CASE("preload-empty", PRELOAD_IMPORTS, "'runtime.pyodide.preloadImports[0]' (\"\")",
         PYODIDE("'preloadImports': ['']")),
    CASE("preload-code", PRELOAD_IMPORTS, "'runtime.pyodide.preloadImports[1]' (\"os; x()\")",
         PYODIDE("'preloadImports': ['json', 'os; x()']")),
    CASE("preload-dots", PRELOAD_IMPORTS, "'runtime.pyodide.preloadImports[0]' (\"xml..dom\")",
         PYODIDE("'preloadImports': ['xml..dom']")),
    CASE("preload-relative", PRELOAD_IMPORTS, "'runtime.pyodide.preloadImports[0]' (\".main\")",
         PYODIDE("'preloadImports': ['.main']")),
    CASE("preload-number", PRELOAD_IMPORTS, "'runtime.pyodide.preloadImports[0]' (\"a.1b\")",
         PYODIDE("'preloadImports': ['a.1b']")),
    CASE("cpu-zero", CPU, "'resources.cpu.defaultLimitMs' is 0; give an integer above 0", CPU("'defaultLimitMs': 0")),
    CASE("cpu-negative", CPU, "'resources.cpu.defaultLimitMs' is -5", CPU("'defaultLimitMs': -5")),
    CASE("max-request", NETWORK, "'resources.network.maxRequestBytes' is 0", NETWORK("'maxRequestBytes': 0")),
    CASE("max-response", NETWORK, "'resources.network.maxResponseBytes' is -1", NETWORK("'maxResponseBytes': -1")),
    CASE("timeout", NETWORK, "'resources.network.timeoutMs' is 0", NETWORK("'timeoutMs': 0")),
    CASE("mode", FILESYSTEM, "'resources.filesystem.mode' is \"write\"", FILES("'mode': 'write'")),
    CASE("quota", FILESYSTEM, "'resources.filesystem.quotaBytes' is 0", FILES("'quotaBytes': 0")),
    CASE("capability-empty", CAPABILITIES, "'resources.hostCapabilities[1]' (\"\")",
         RESOURCES("'hostCapabilities': ['js', '']")),
    CASE("capability-space", CAPABILITIES, "'resources.hostCapabilities[0]' (\"js rawctx\")",
         RESOURCES("'hostCapabilities': ['js rawctx']")),
    /* hosts */
    BAD_HOST("empty", "\") is empty", ""),
    BAD_HOST("scheme", "https://a.example\") has a scheme", "https://a.example"),
    BAD_HOST("path", "a.example/x\") has a path", "a.example/x"),
    BAD_HOST("user", "me@a.example\") has a user", "me@a.example"),
    BAD_HOST("space", "a example\") has white space", "a example"),
    BAD_HOST("star", "*\") may have '*' only", "*"),
    BAD_HOST("star-inside", "a.*.example\") may have '*' only", "a.*.example"),
    BAD_HOST("star-part", "*a.example\") may have '*' only", "*a.example"),
    BAD_HOST("star-twice", "*.*.example\") may have '*' only", "*.*.example"),
    BAD_HOST("star-nothing", "*.\") has an empty label", "*."),
    BAD_HOST("star-number", "*.10\") can't put", "*.10"),
    BAD_HOST("dots", "a..example\") has an empty label", "a..example"),
    BAD_HOST("dot-first", ".example\") has an empty label", ".example"),
    BAD_HOST("dot-last", "a.example.\") has an empty label", "a.example."),
    BAD_HOST("dash", "-a.example\") has a label that begins", "-a.example"),
    BAD_HOST("dash-last", "a-.example\") has a label that begins", "a-.example"),
    BAD_HOST("character", "a?.example\") has a character", "a?.example"),
    BAD_HOST("unicode",
             "b\xc3\xbc"
             "cher.example\") has a letter outside ASCII",
             "b\xc3\xbc"
             "cher.example"),
    BAD_HOST("long-label", LABEL_32, LABEL_32 LABEL_32 ".example"),
    BAD_HOST("long", LABEL_63, LABEL_63 "." LABEL_63 "." LABEL_63 "." LABEL_63),
    BAD_HOST("port-none", "a.example:\") has a port", "a.example:"),
    BAD_HOST("port-zero", "a.example:0\") has a port", "a.example:0"),
    BAD_HOST("port-high", "a.example:65536\") has a port", "a.example:65536"),
    BAD_HOST("port-text", "a.example:http\") has a port", "a.example:http"),
    BAD_HOST("port-sign", "a.example:+80\") has a port", "a.example:+80"),
    BAD_HOST("port-alone", ":80\") has an empty label", ":80"),
    BAD_HOST("ipv4-range", "10.0.0.256\") ends in a number", "10.0.0.256"),
    BAD_HOST("ipv4-short", "10.1\") ends in a number", "10.1"),
    BAD_HOST("ipv6-bare", "::1\") has a port", "::1"),
    BAD_HOST("ipv6-open", "[::1\") is not an IPv6", "[::1"),
    BAD_HOST("ipv6-empty", "[]\") is not an IPv6", "[]"),
    BAD_HOST("ipv6-wrong", "[1:2]\") is not an IPv6", "[1:2]"),
    BAD_HOST("ipv6-tail", "[::1]x\") is not an IPv6", "[::1]x"),
    BAD_HOST("ipv6-port", "[::1]:0\") has a port", "[::1]:0"),
    BAD_HOST("ipv6-zone", "[fe80::1%eth0]\") is not an IPv6", "[fe80::1%eth0]"),
};

const size_t bad_manifest_count = sizeof bad_manifests / sizeof bad_manifests[0];

char *bad_manifest_text(size_t index)
{
    char *text = strdup(bad_manifests[index].text);
    if (!text) abort();
    for (char *at = text; *at; at++)
        if (*at == '\'') *at = '"';
    return text;
}
