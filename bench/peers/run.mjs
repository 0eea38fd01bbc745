// Measures this project and its peers by turns and writes the report: BUILD/bench/peers.md, peers.txt and peers.svg.
//   node bench/peers/run.mjs BUILD PEERS      (see bench/peers/run for the settings)
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, release, totalmem } from "node:os";
import { join } from "node:path";

import { figures, means } from "./figures.mjs";
import { addMeans, lines, makeRow, markdown, svg } from "./report.mjs";
import { Failure, Sides } from "./sides.mjs";

const [build, peers] = process.argv.slice(2);
const pairs = Number(process.env.BENCH_PAIRS || 30);
const only = process.env.BENCH_ONLY ?? "";
const sides = new Sides(build, peers);

// One side of a figure: gives the samples of a pair, and can be ended.
async function open(side, samples) {
  if (side.rounds) return sides.rounds(...side.rounds, samples, side.pace);
  const sample = side.process ? () => sides.process(side.process) : () => sides.once(...side.once);
  if (side.process) sample(); // once for the page cache
  return { sample, end() {} };
}

// Both sides, the one or the other first by turns: a machine that gets slower is not counted against one of them.
async function measure(figure) {
  const ours = await open(figure.ours, figure.samples);
  const theirs = await open(figure.theirs, figure.samples);
  const result = [];
  for (let i = 0; i < pairs; i++) {
    const [first, second] = i % 2 ? [theirs, ours] : [ours, theirs];
    const a = await first.sample();
    const b = await second.sample();
    result.push(i % 2 ? [b, a] : [a, b]);
  }
  await ours.end();
  await theirs.end();
  return result;
}

const packageVersion = (name) =>
  JSON.parse(readFileSync(join(sides.peers, "node_modules", name, "package.json"), "utf8")).version;

function facts() {
  const system = /^PRETTY_NAME="?([^"\n]*)/m.exec(readFileSync("/etc/os-release", "utf8"))?.[1] ?? "Linux";
  return [
    ["machine", `${cpus().length} × ${cpus()[0].model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB`],
    ["system", `${system}, Linux ${release()}`],
    ["ours", sides.run("guest", "--version").stdout.trim()],
    ["Eryx", sides.run("eryx", "--version").stdout.trim()],
    ["bubblewrap", sides.run("bwrap", "--version").stdout.trim()],
    ["Monty", sides.run("monty", "--version").stdout.trim()],
    ["Monty can't run", sides.run("monty", "--cannot").stdout.trim()],
    ["Pyodide", `${packageVersion("pyodide")} in node ${process.version} (V8 ${process.versions.v8})`],
    ["isolated-vm", `${packageVersion("isolated-vm")} in node ${process.version} (V8 ${process.versions.v8})`],
    ["pairs", String(pairs)],
  ];
}

async function main() {
  if (!Number.isInteger(pairs) || pairs < 1)
    throw new Failure(`BENCH_PAIRS=${process.env.BENCH_PAIRS} is no count of pairs`);
  const chosen = figures.filter((figure) => figure.name.includes(only));
  if (!chosen.length) throw new Failure(`BENCH_ONLY=${only}: no figure has that in its name`);
  const known = facts();
  const measured = [];
  for (const figure of chosen) {
    const row = makeRow(figure, await measure(figure));
    measured.push(row);
    process.stderr.write(`${row.name} ${row.ratio.toFixed(3)} ${row.verdict}\n`);
  }
  const rows = addMeans(measured, figures, means);
  const to = join(build, "bench");
  mkdirSync(to, { recursive: true });
  writeFileSync(join(to, "peers.md"), markdown(rows, known));
  writeFileSync(join(to, "peers.txt"), lines(rows, known));
  writeFileSync(join(to, "peers.svg"), svg(rows));
  console.log(markdown(rows, known));
  console.log(lines(rows, known));
  console.log(`written: ${["md", "txt", "svg"].map((ending) => join(to, `peers.${ending}`)).join(", ")}`);
}

try {
  await main();
} catch (error) {
  if (!(error instanceof Failure)) throw error;
  console.error(`bench-peers: ${error.message}`);
  process.exit(1);
}
