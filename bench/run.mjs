// Runs bench_echo and plain Pyodide in node by turns and prints their medians side by side.
//   BENCH_PAIRS    pairs of cold processes (default 10)
//   BENCH_REPEATS  pairs of runs of 5000 calls (default 3)
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join, resolve } from "node:path";

import { median } from "./statistics.mjs";

const build = resolve(process.argv[2]);
const pairs = Number(process.env.BENCH_PAIRS ?? 10);
const repeats = Number(process.env.BENCH_REPEATS ?? 3);
const iterations = 5000;
const payload = JSON.stringify({ x: "a".repeat(1024 - 8) });
const env = { ...process.env, PYODIDE: join(build, "bench/node_modules/pyodide") };

// Runs a program and gives what it printed and how long it took from its start to its end.
function run(program, ...args) {
  const start = performance.now();
  const { status, stdout, stderr, error } = spawnSync(program, args, { env, encoding: "utf8", maxBuffer: 1 << 26 });
  const ms = performance.now() - start;
  if (status !== 0) {
    console.error(`bench: ${program} ${args[0]} failed: ${error ?? stderr}`);
    process.exit(1);
  }
  return { stdout, ms };
}

const node = (...args) => run(process.execPath, "bench/node_echo.mjs", ...args);

// Both sides, the one or the other first by turns: a machine that gets slower is not counted against one of them.
function paired(count, ours, theirs) {
  const result = [];
  for (let i = 0; i < count; i++) {
    const first = i % 2 ? theirs() : ours();
    const second = i % 2 ? ours() : theirs();
    result.push(i % 2 ? [second, first] : [first, second]);
    process.stderr.write(process.stderr.isTTY ? "." : "");
  }
  return result;
}

function row(figure, unit, digits, measured, select, target) {
  const ours = measured.map(([a]) => select(a));
  const theirs = measured.map(([, b]) => select(b));
  const ratio = median(ours.map((value, i) => value / theirs[i]));
  return { figure, unit, digits, ours: median(ours), theirs: median(theirs), ratio, target, count: measured.length };
}

const dir = mkdtempSync(join(tmpdir(), "bench."));
let rows, table;
try {
  mkdirSync(join(dir, "tree"));
  writeFileSync(join(dir, "tree/main.py"), "def echo(x):\n    return x\n");
  const manifest = { schemaVersion: "1.0", entrypoint: "main:echo" };
  writeFileSync(join(dir, "tree/aardvark.manifest.json"), JSON.stringify(manifest));
  const bundle = join(dir, "echo.zip");
  run(join(build, "aardvark"), "bundle", "pack", join(dir, "tree"), "-o", bundle);

  const coldOurs = () => {
    const { stdout, ms } = run(join(build, "aardvark"), "run", bundle, "--json", "--input", payload);
    const outcome = JSON.parse(stdout);
    if (JSON.stringify(outcome.value) !== payload) throw new Error("the value is not the payload");
    return { ms, rss: outcome.diagnostics.rss_kib_after / 1024 };
  };
  const coldTheirs = () => {
    const { stdout, ms } = node("cold", payload);
    return { ms, rss: JSON.parse(stdout).rss_kib / 1024 };
  };
  const echoOurs = () => {
    table = run(join(build, "bench_echo"), String(iterations), String(payload.length)).stdout;
    return { ms: Number(/^row=persistent_python metric=total .*\bp50_ms=([0-9.]+)/m.exec(table)[1]) };
  };
  const echoTheirs = () => ({ ms: JSON.parse(node("echo", String(iterations), payload).stdout).p50_ms });

  coldOurs(); // once each for the page cache
  coldTheirs();
  const cold = paired(pairs, coldOurs, coldTheirs);
  const echo = paired(repeats, echoOurs, echoTheirs);
  rows = [
    row("persistent 1 KiB JSON echo, p50", "ms", 4, echo, (side) => side.ms, 1.5),
    row("cold process to first result", "ms", 0, cold, (side) => side.ms, 1.3),
    row("memory after the first result", "MiB", 1, cold, (side) => side.rss, 1.0),
  ];
} finally {
  rmSync(dir, { recursive: true, force: true });
}

const { version } = JSON.parse(readFileSync(join(env.PYODIDE, "package.json"), "utf8"));
console.log(process.stderr.isTTY ? "\n" : "");
console.log(table.split("\n\nrow=")[0]);
console.log(`\nbeside Pyodide ${version} in node ${process.version} (V8 ${process.versions.v8})`);
console.log(`on ${cpus().length} × ${cpus()[0].model}\n`);
const line = (...cells) =>
  console.log(
    cells
      .map((cell, i) => (i ? String(cell).padStart(14) : cell.padEnd(34)))
      .join("")
      .trimEnd(),
  );
line("figure", "aardvark", "node", "ratio", "target", "");
for (const { figure, unit, digits, ours, theirs, ratio, target } of rows) {
  const verdict = ratio <= target ? "met" : "missed";
  line(
    figure,
    `${ours.toFixed(digits)} ${unit}`,
    `${theirs.toFixed(digits)} ${unit}`,
    ratio.toFixed(2),
    target.toFixed(1),
    verdict,
  );
}
console.log(
  "\n" +
    `Medians of ${pairs} pairs of processes and of ${repeats} pairs of ${iterations} calls; a ratio is the median over pairs.`,
);
console.log("Ours is a call through the C API with its outcome, theirs the bare call of a Python function.\n");
for (const { figure, ours, theirs, ratio, target, count } of rows)
  console.log(
    `compare=${figure.replace(/[^A-Za-z0-9]+/g, "_")} aardvark=${ours} node=${theirs} ratio=${ratio} target=${target} pairs=${count}`,
  );
