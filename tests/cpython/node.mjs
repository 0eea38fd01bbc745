// One of CPython's test modules in node + Pyodide:  node node.mjs PYODIDE TESTS GUEST REQUEST
// PYODIDE is the npm package's directory, TESTS holds `test`'s files, GUEST is guest.py, REQUEST a file with its request.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [directory, tests, guest, request] = process.argv.slice(2);
const { loadPyodide } = await import(pathToFileURL(`${directory}/pyodide.mjs`));
const decoder = new TextDecoder();
const pyodide = await loadPyodide();
// Written at once: a crash must not lose what came before.
pyodide.setStdout({ write: (bytes) => (process.stdout.write(decoder.decode(bytes, { stream: true })), bytes.length) });
pyodide.setStderr({ write: (bytes) => bytes.length });
pyodide.FS.mkdirTree("/cpython/test");
pyodide.mountNodeFS("/cpython/test", tests);
pyodide.runPython(`import builtins, json\nbuiltins.__aardvark_input = json.loads(${JSON.stringify(readFileSync(request, "utf8"))})`);
try {
  await pyodide.runPythonAsync(readFileSync(guest, "utf8"));
} catch (error) {
  console.error(String(error).slice(-2000));
  process.exit(1);
}
process.exit(0);
