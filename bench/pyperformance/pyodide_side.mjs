// The program of the request on stdin, in node + Pyodide.  PYODIDE is the npm package's directory.
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const { loadPyodide } = await import(pathToFileURL(`${process.env.PYODIDE}/pyodide.mjs`));
const guest = readFileSync(join(dirname(fileURLToPath(import.meta.url)), "guest.py"), "utf8");
const pyodide = await loadPyodide({ stdout: () => {}, stderr: () => {} });
pyodide.globals.set("request", readFileSync(0, "utf8"));
pyodide.runPython(guest);
console.log(`\x01${pyodide.runPython("import json\njson.dumps(measure(**json.loads(request)))")}`);
process.exit(0);
