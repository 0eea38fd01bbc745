// Plain Pyodide in node.  PYODIDE is the directory of its npm package, PYODIDE_SNAPSHOT its own memory snapshot, which is
// used where the variable is set.  Protocol as in bench/bench_guest.c, one sample a process:
//   node pyodide_guest.mjs process              a fresh process: prints 2 and ends
//   node --expose-gc pyodide_guest.mjs FIGURE   second: milliseconds; memory, rss: KiB
//   node pyodide_guest.mjs snapshot FILE        writes Pyodide's own memory snapshot
import { readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const { loadPyodide } = await import(pathToFileURL(`${process.env.PYODIDE}/pyodide.mjs`));
const [figure, file] = process.argv.slice(2);

// The snapshot is read once a process: the next instance has it in memory.
const snapshot = process.env.PYODIDE_SNAPSHOT;
const options = snapshot ? { _loadSnapshot: readFileSync(snapshot) } : {};

async function first() {
  const pyodide = await loadPyodide(options);
  const value = pyodide.runPython("1+1");
  if (value !== 2) throw new Error("1+1 is not 2");
  return pyodide;
}

// Memory that no other process and no other mapping of this one shares.
function privateKib() {
  globalThis.gc();
  const rollup = readFileSync("/proc/self/smaps_rollup", "utf8");
  const [clean, dirty] = ["Clean", "Dirty"].map((kind) =>
    Number(new RegExp(`^Private_${kind}: +(\\d+)`, "m").exec(rollup)[1]),
  );
  return clean + dirty;
}

const figures = {
  async process() {
    await first();
    return 2;
  },
  async second() {
    const live = [await first()];
    const start = performance.now();
    live.push(await first());
    return performance.now() - start;
  },
  async memory() {
    const live = [];
    for (let i = 0; i < 9; i++) live.push(await first());
    const before = privateKib();
    live.push(await first());
    return privateKib() - before;
  },
  async rss() {
    await first();
    return process.memoryUsage.rss() / 1024;
  },
  async snapshot() {
    const pyodide = await loadPyodide({ _makeSnapshot: true });
    writeFileSync(file, pyodide.makeMemorySnapshot());
    return file;
  },
};

if (!Object.hasOwn(figures, figure ?? "")) {
  console.error(`pyodide_guest: a figure is needed: ${Object.keys(figures).join(", ")}`);
  process.exit(2);
}
const result = await figures[figure]();
process.stdout.write(`${result}\n`, () => process.exit(0));
