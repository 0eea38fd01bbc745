// Pyperformance's own programs in a guest of ours, in Eryx, in node + Pyodide, and in native CPython, by turns
// (`make bench-pyperformance`; docs/benchmarks.md):  node bench/pyperformance/run.mjs BUILD PEERS
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

import { geometricMean, median } from "../statistics.mjs";
import { format, svg } from "../peers/report.mjs";

const [build, peers] = process.argv.slice(2);
const rounds = Number(process.env.BENCH_ROUNDS || 3);
const seconds = Number(process.env.BENCH_SECONDS || 1);
const only = process.env.BENCH_ONLY ?? "";
const LIMIT = 120_000; // ms for one process
const programs = join(peers, "pyperformance/pyperformance/data-files/benchmarks");
const here = "bench/pyperformance";
const python = resolve(peers, "eryx/bin/python");

const guest = readFileSync(join(here, "guest.py"), "utf8");
const sides = {
  ours: {
    text: "ours",
    command: [resolve(build, "aardvark"), "exec", "--input-file", "-", "-c", `${guest}\nmeasure(**__aardvark_input)`],
    answer: JSON.parse,
  },
  eryx: { text: "Eryx", command: [python, "-I", join(here, "eryx_side.py")] },
  pyodide: { text: "node + Pyodide", command: [process.execPath, join(here, "pyodide_side.mjs")] },
  native: { text: "native CPython", command: [python, join(here, "native.py")] },
};
const MARKED = (text) => JSON.parse(text.slice(text.lastIndexOf("\x01") + 1));

// Programs whose directory is but a program, and what they are started with: each of their variants has a file of its own.
function list() {
  const found = [];
  for (const directory of readdirSync(programs).filter((name) => name.startsWith("bm_")).sort()) {
    const files = readdirSync(join(programs, directory));
    const others = files.filter((name) => !/^(__pycache__|run_benchmark\.py|requirements\.txt|bm_\w+\.toml|pyproject\.toml)$/.test(name));
    const needs = readFileSync(join(programs, directory, "pyproject.toml"), "utf8").match(/^dependencies = \[([^\]]*)/m)?.[1] ?? "";
    const source = readFileSync(join(programs, directory, "run_benchmark.py"), "utf8");
    const foreign = needs.split(/[",\s]+/).filter((name) => name && !name.startsWith("pyperf") && !name.startsWith("#"));
    const outside = /subprocess|multiprocessing|threading|socket|bench_command|urllib|sqlite3/.exec(source)?.[0];
    const why = others.length ? "has files beside it" : foreign.length ? `needs ${foreign}` : outside && `uses ${outside}`;
    const variants = ["pyproject.toml", ...files.filter((name) => /^bm_\w+\.toml$/.test(name))];
    for (const file of variants) {
      const text = readFileSync(join(programs, directory, file), "utf8");
      const options = /^extra_opts = (\[[^\]]*\])/m.exec(text)?.[1] ?? "[]";
      const name = file === "pyproject.toml" ? directory.slice(3) : file.slice(3, -5);
      found.push({ name, source, why, arguments: JSON.parse(options.replaceAll("'", '"').replace(/,\s*\]/, "]")) });
    }
  }
  return found;
}

// {figure: seconds}, the least of the program's rounds; or what went wrong.
function run(side, program) {
  const { command, answer = MARKED } = sides[side];
  const request = JSON.stringify({ source: program.source, arguments: program.arguments, seconds });
  const { status, signal, stdout, stderr, error } = spawnSync(command[0], command.slice(1), {
    input: request,
    encoding: "utf8",
    timeout: LIMIT,
    maxBuffer: 1 << 28,
    env: { ...process.env, PYODIDE: resolve(peers, "node_modules/pyodide") },
  });
  if (status !== 0) {
    const said = stderr.trim().split("\n");
    const why = error?.code === "ETIMEDOUT" ? "took too long" : (said.findLast((line) => /^\w*Error\b/.test(line)) ?? said.pop());
    return { failed: why || String(signal ?? status) };
  }
  try {
    // Of a program that prints, the value is the last line.
    const figures = answer === MARKED ? MARKED(stdout) : answer(stdout.trim().split("\n").pop());
    return { times: Object.fromEntries(figures.map(([name, ...times]) => [name, Math.min(...times)])) };
  } catch (wrong) {
    return { failed: `gave no figures: ${wrong.message}` };
  }
}

const names = Object.keys(sides);
const rows = [];
const cannot = [];
const left = [];
for (const program of list()) {
  if (!program.name.includes(only)) continue;
  if (program.why) {
    left.push(`${program.name} (${program.why})`);
    continue;
  }
  const times = Object.fromEntries(names.map((side) => [side, {}]));
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < names.length; turn++) {
      const side = names[(turn + round) % names.length];
      if (times[side].failed) continue;
      const result = run(side, program);
      if (result.failed) {
        times[side].failed = result.failed;
        cannot.push(`${program.name} in ${sides[side].text}: ${result.failed}`);
        continue;
      }
      for (const [figure, time] of Object.entries(result.times)) (times[side][figure] ??= []).push(time);
    }
  }
  const figures = new Set(names.flatMap((side) => Object.keys(times[side]).filter((name) => name !== "failed")));
  for (const figure of figures) {
    const row = { name: figure, program: program.name };
    for (const side of names) if (times[side][figure]) row[side] = median(times[side][figure]);
    rows.push(row);
    const ratio = (side) => (row.ours && row[side] ? (row.ours / row[side]).toFixed(3) : "-");
    process.stderr.write(`${figure}: Eryx ${ratio("eryx")}, Pyodide ${ratio("pyodide")}, native ${ratio("native")}\n`);
  }
}
if (!rows.length) {
  console.error(`bench-pyperformance: BENCH_ONLY=${only}: no program has that in its name`);
  process.exit(1);
}

const others = names.filter((side) => side !== "ours");
const ms = (value) => (value === undefined ? "–" : format(value * 1e3));
const ratios = (side) => rows.filter((row) => row.ours && row[side]).map((row) => row.ours / row[side]);
const ratio = (row, side) => (row.ours && row[side] ? format(row.ours / row[side]) : "–");
const version = (command) => spawnSync(command[0], command.slice(1), { encoding: "utf8" }).stdout.trim();
const facts = [
  `ours: ${version([resolve(build, "bench_guest"), "--version"])}`,
  `Eryx: ${version([python, "-I", "bench/peers/eryx_guest.py", "--version"])}`,
  `Pyodide: ${JSON.parse(readFileSync(join(peers, "node_modules/pyodide/package.json"))).version} in node ${process.version}`,
  `native: ${version([python, "--version"])}`,
  `rounds: ${rounds}, of ${seconds} s each`,
];
const table = [
  `| figure | ${names.map((side) => `${sides[side].text}, ms`).join(" | ")} | ${others.map((side) => `/ ${sides[side].text}`).join(" | ")} |`,
  `|---|${"--:|".repeat(names.length + others.length)}`,
  ...rows.map(
    (row) =>
      `| ${row.name} | ${names.map((side) => ms(row[side])).join(" | ")} | ${others.map((side) => ratio(row, side)).join(" | ")} |`,
  ),
  `| **geometric mean** | ${names.map(() => "").join(" | ")} | ${others
    .map((side) => (ratios(side).length ? `${format(geometricMean(ratios(side)))} (${ratios(side).length})` : "–"))
    .join(" | ")} |`,
];
const text = [
  "# pyperformance",
  "",
  ...facts.map((fact) => `- ${fact}`),
  "",
  ...table,
  "",
  "A ratio is our time by theirs: below 1 we are faster.  The least of a process's rounds, the median over the processes.",
  ...(cannot.length ? ["", "Can't be run:", "", ...cannot.map((line) => `- ${line}`)] : []),
  ...(left.length ? ["", `Left out: ${left.join(", ")}.`] : []),
  "",
].join("\n");
const lines = [
  ...rows.map((row) => `figure=${row.name} ${names.map((side) => `${side}_s=${row[side] ?? "none"}`).join(" ")}`),
  ...others.map((side) => `mean=${side} ratio=${ratios(side).length ? geometricMean(ratios(side)) : "none"} figures=${ratios(side).length}`),
  "",
].join("\n");
const plot = svg(
  others.flatMap((side) =>
    rows
      .filter((row) => row.ours && row[side])
      .map((row) => ({ name: row.name, text: row.name, against: sides[side].text, ratio: row.ours / row[side], verdict: "" })),
  ),
);
const to = join(build, "bench");
mkdirSync(to, { recursive: true });
writeFileSync(join(to, "pyperformance.md"), text);
writeFileSync(join(to, "pyperformance.txt"), lines);
writeFileSync(join(to, "pyperformance.svg"), plot);
console.log(text);
console.log(lines);
