// CPython's own tests here and in node + Pyodide (`make check-cpython`; docs/conformance.md):
//   node tests/cpython/run.mjs BUILD PYODIDE TESTS [MODULE…]
// PYODIDE is the npm package's directory, TESTS the directory of CPython's package `test`.  Without modules all of them.
// Whatever passes in node has to pass here, but for what differences.txt lists with a reason.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const [build, pyodide, tests, ...wanted] = process.argv.slice(2);
if (!tests) {
  console.error("usage: node tests/cpython/run.mjs BUILD PYODIDE TESTS [MODULE...]");
  process.exit(2);
}
const SECONDS = Number(process.env.CHECK_SECONDS ?? 300); // of processor time, of one module on one side
const PATIENCE = 5; // by how much a wait, or a busy machine, may make that longer
const JOBS = Number(process.env.TEST_JOBS ?? 2);
const RESTARTS = 8;
const OVERRUNS = 2; // attempts at one module that may run out of time
const MARK = "\x01test ";
const guest = join(here, "guest.py");
const scratch = mkdtempSync(join(tmpdir(), "aardvark-cpython-"));

const sides = {
  ours: (request) => [
    join(build, "aardvark"),
    "exec",
    ...["--wall-ms", String(SECONDS * PATIENCE * 1000), "--filesystem-quota", String(1 << 30)],
    ...["--mount", `${resolve(tests)}:/cpython/test`, "--input-file", request, guest],
  ],
  node: (request) => [process.execPath, join(here, "node.mjs"), pyodide, resolve(tests), guest, request],
};

// ---- one module on one side ---------------------------------------------------------------------------------------------

function attempt(side, module, done, name) {
  const request = join(scratch, `${side}-${name}.json`);
  writeFileSync(request, JSON.stringify({ module, done }));
  const [program, ...args] = sides[side](request);
  return new Promise((settle) => {
    const limited = ["-c", `ulimit -t ${SECONDS}; exec "$@"`, "sh", program, ...args];
    const child = spawn("sh", limited, { stdio: ["ignore", "pipe", "pipe"] });
    let text = "";
    let error = "";
    child.stdout.setEncoding("utf8").on("data", (chunk) => (text += chunk));
    child.stderr.setEncoding("utf8").on("data", (chunk) => (error = (error + chunk).slice(-2000)));
    const timer = setTimeout(() => child.kill("SIGKILL"), (SECONDS * PATIENCE + 10) * 1000);
    child.on("close", (status, signal) => {
      clearTimeout(timer);
      rmSync(request);
      settle({ text, error, ended: signal ?? status });
    });
  });
}

// The end by either limit, or by the guest's own.
const OVERRUN = /^ended with (SIGKILL|SIGXCPU|137|152)|timeout_exceeded/;

// Gives {id: [verdict, text]}.  What crashed or ran out of time is noted, and the rest is run in a new guest.
async function runModule(side, module) {
  const results = {};
  let overruns = 0;
  for (let round = 0; round <= RESTARTS && overruns < OVERRUNS; round++) {
    const { text, error, ended } = await attempt(side, module, Object.keys(results), module);
    let under = null;
    let over = false;
    for (const line of text.split("\n")) {
      if (!line.startsWith(MARK)) continue;
      const [, word, id = "", why = ""] = /^(\w+) ?(.*?\)|\S*) ?(.*)$/.exec(line.slice(MARK.length)) ?? [];
      if (word === "start") under = id;
      else if (word === "done") over = true;
      else if (word !== "count") {
        results[id] = [word, why];
        under = null;
      }
    }
    if (over) return results;
    const why = `ended with ${ended}: ${error.trim().split("\n").pop()}`;
    if (under === null) {
      results[`test.${module}`] = ["crash", why];
      return results;
    }
    results[under] = ["crash", why];
    if (OVERRUN.test(why)) overruns++;
  }
  const why = overruns < OVERRUNS ? `${RESTARTS} guests in a row did not come to the end` : `ran out of time ${OVERRUNS} times`;
  results[`test.${module}`] = ["crash", why];
  return results;
}

// ---- all modules ----------------------------------------------------------------------------------------------------------

function modules() {
  const names = [];
  for (const entry of readdirSync(tests, { withFileTypes: true })) {
    if (!/^test_\w+(\.py)?$/.test(entry.name)) continue;
    const name = entry.name.replace(/\.py$/, "");
    if (entry.isDirectory()) {
      if (!existsSync(join(tests, name, "__init__.py"))) continue;
      const inner = readdirSync(join(tests, name)).filter((file) => /^test_\w+\.py$/.test(file));
      // A package is run by its parts, each in a guest of its own, where it has any.
      if (inner.length) names.push(...inner.map((file) => `${name}.${file.replace(/\.py$/, "")}`));
      else names.push(name);
    } else {
      names.push(name);
    }
  }
  return names.sort();
}

async function each(list, work) {
  let next = 0;
  const one = async () => {
    while (next < list.length) await work(list[next++]);
  };
  await Promise.all(Array.from({ length: JOBS }, one));
}

// Results are kept by what they depend on, so that a run that was ended goes on where it was: node's until Pyodide, the tests
// or guest.py change, ours until the library or the command does.
const version = JSON.parse(readFileSync(join(pyodide, "package.json"), "utf8")).version;
function keep(side, ...files) {
  const hash = createHash("sha256").update(version).update(resolve(tests));
  for (const file of [guest, ...files]) hash.update(readFileSync(file));
  const directory = join(build, "check-cpython", `${side}-${hash.digest("hex").slice(0, 16)}`);
  mkdirSync(directory, { recursive: true });
  return directory;
}
const kept = { node: keep("node"), ours: keep("ours", join(build, "aardvark"), join(build, "libaardvark.so")) };
const file = (side, module) => join(kept[side], `${module}.json`);
const known = (side, module) => existsSync(file(side, module));

async function runKept(side, module) {
  if (known(side, module)) return JSON.parse(readFileSync(file(side, module), "utf8"));
  const results = await runModule(side, module);
  writeFileSync(file(side, module), JSON.stringify(results, null, 1));
  return results;
}

// differences.txt: "PATTERN  REASON" a line; * stands for anything.
const allowed = readFileSync(join(here, "differences.txt"), "utf8")
  .split("\n")
  .filter((line) => line.trim() && !line.startsWith("#"))
  .map((line) => {
    const [, pattern, reason] = /^(\S+)\s+(\S.*)$/.exec(line) ?? [];
    if (!reason) throw new Error(`differences.txt: a line without a reason: ${line}`);
    const text = pattern.replace(/[.+?^${}()|[\]\\]/g, "\\$&").replace(/\*/g, ".*");
    return { pattern, reason, test: new RegExp(`^${text}$`), used: false };
  });

// Those whose results in node are known come first: what fails is told as it is found.
const all = wanted.length ? wanted : modules();
const list = [...all.filter((module) => known("node", module)), ...all.filter((module) => !known("node", module))];
const total = { ours: {}, node: {} };
const count = (side, results) => {
  for (const [verdict] of Object.values(results)) total[side][verdict] = (total[side][verdict] ?? 0) + 1;
};
let passed = 0;
let compared = 0;
const failures = [];
const excused = [];

function compare(module, node, ours) {
  const before = failures.length;
  const whole = ours[`test.${module}`];
  for (const [id, [verdict]] of Object.entries(node)) {
    if (verdict !== "ok") continue;
    const [here_, why] = ours[id] ?? whole ?? ["missing", ""];
    if (here_ === "ok") {
      passed++;
      continue;
    }
    const excuse = allowed.find(({ test }) => test.test(id));
    if (excuse) excuse.used = true;
    (excuse ? excused : failures).push(id);
    if (!excuse) console.log(`not ok ${id}: ${here_} ${why}`);
  }
  // What failed is tried again by the next run.
  if (failures.length > before) rmSync(file("ours", module));
}

await each(list, async (module) => {
  const begun = Date.now();
  const node = await runKept("node", module);
  count("node", node);
  // Where nothing passes in node there is nothing to compare.
  if (Object.values(node).some(([verdict]) => verdict === "ok")) {
    const ours = await runKept("ours", module);
    count("ours", ours);
    compared++;
    compare(module, node, ours);
  }
  if (process.env.CHECK_VERBOSE) console.log(`${module} ${((Date.now() - begun) / 1000).toFixed(1)} s`);
});
rmSync(scratch, { recursive: true });

if (!wanted.length)
  for (const { pattern, used } of allowed) if (!used) console.log(`differences.txt: nothing differs any more for ${pattern}`);
const sum = (side) =>
  Object.entries(total[side])
    .map(([verdict, n]) => `${n} ${verdict}`)
    .join(", ");
console.log(`${list.length} modules, of ${compared} something passes in node; here: ${sum("ours")}; node + Pyodide ${version}: ${sum("node")}`);
console.log(`${excused.length} differ for a reason that differences.txt gives`);
console.log(`${passed + excused.length} passed, ${failures.length} failed`);
process.exit(failures.length ? 1 : 0);
