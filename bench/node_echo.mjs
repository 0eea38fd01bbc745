// The same echo as bench_echo.c's, by plain Pyodide in node.  PYODIDE is the directory of the npm package.
//   node node_echo.mjs cold PAYLOAD               one call; the memory of the process after it
//   node node_echo.mjs echo ITERATIONS PAYLOAD    many calls; the median of a bare call
import { pathToFileURL } from "node:url";

const { loadPyodide } = await import(pathToFileURL(`${process.env.PYODIDE}/pyodide.mjs`));
const [mode, ...rest] = process.argv.slice(2);
const payload = rest.at(-1);

const pyodide = await loadPyodide();
const echo = pyodide.runPython(`
import json
def echo(s):
    return json.dumps(json.loads(s))
echo`);

const first = echo(payload);
const result = { rss_kib: process.memoryUsage.rss() / 1024 };
if (JSON.stringify(JSON.parse(first)) !== payload) throw new Error("the value is not the payload");
if (mode === "echo") {
  const iterations = Number(rest[0]);
  for (let i = 0; i < iterations / 10; i++) echo(payload); // until V8 has compiled what is hot
  const times = new Float64Array(iterations);
  for (let i = 0; i < iterations; i++) {
    const start = performance.now();
    echo(payload);
    times[i] = performance.now() - start;
  }
  result.p50_ms = times.sort()[Math.ceil(iterations / 2) - 1];
}
process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0));
