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
const SECONDS = Number(process.env.CHECK_SECONDS ?? 300); // of one module on one side
const JOBS = Number(process.env.TEST_JOBS ?? 2);
const RESTARTS = 8;
const MARK = "\x01test ";
const guest = join(here, "guest.py");
const scratch = mkdtempSync(join(tmpdir(), "aardvark-cpython-"));

const sides = {
  ours: (request) => [
    join(build, "aardvark"),
    "exec",
    ...["--wall-ms", String(SECONDS * 1000), "--filesystem-quota", String(1 << 30)],
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
    const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
    let text = "";
    let error = "";
    child.stdout.setEncoding("utf8").on("data", (chunk) => (text += chunk));
    child.stderr.setEncoding("utf8").on("data", (chunk) => (error = (error + chunk).slice(-2000)));
    const timer = setTimeout(() => child.kill("SIGKILL"), (SECONDS + 10) * 1000);
    child.on("close", (status, signal) => {
      clearTimeout(timer);
      rmSync(request);
      settle({ text, error, ended: signal ?? status });
    });
  });
}

// Gives {id: [verdict, text]}.  What crashed or ran out of time is noted, and the rest is run in a new guest.
async function runModule(side, module) {
  const results = {};
  for (let round = 0; round <= RESTARTS; round++) {
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
  }
  results[`test.${module}`] = ["crash", `${RESTARTS} guests in a row did not come to the end`];
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

// Node's results are kept: they change with Pyodide, the tests and this runner only.
const version = JSON.parse(readFileSync(join(pyodide, "package.json"), "utf8")).version;
const key = createHash("sha256").update(version).update(resolve(tests)).update(readFileSync(guest)).digest("hex").slice(0, 16);
const kept = join(build, "check-cpython", `node-${key}`);
mkdirSync(kept, { recursive: true });

async function runKept(module) {
  const file = join(kept, `${module}.json`);
  if (existsSync(file)) return JSON.parse(readFileSync(file, "utf8"));
  const results = await runModule("node", module);
  writeFileSync(file, JSON.stringify(results, null, 1));
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
const known = (module) => existsSync(join(kept, `${module}.json`));
const all = wanted.length ? wanted : modules();
const list = [...all.filter(known), ...all.filter((module) => !known(module))];
const total = { ours: {}, node: {} };
const count = (side, verdict) => (total[side][verdict] = (total[side][verdict] ?? 0) + 1);
let passed = 0;
const failures = [];
const excused = [];
await each(list, async (module) => {
  const [ours, node] = [await runModule("ours", module), await runKept(module)];
  for (const [verdict] of Object.values(ours)) count("ours", verdict);
  for (const [verdict] of Object.values(node)) count("node", verdict);
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
  if (process.env.CHECK_VERBOSE) console.log(module);
});
rmSync(scratch, { recursive: true });

if (!wanted.length)
  for (const { pattern, used } of allowed) if (!used) console.log(`differences.txt: nothing differs any more for ${pattern}`);
const sum = (side) =>
  Object.entries(total[side])
    .map(([verdict, n]) => `${n} ${verdict}`)
    .join(", ");
console.log(`${list.length} modules; here: ${sum("ours")}; node + Pyodide ${version}: ${sum("node")}`);
console.log(`${excused.length} differ for a reason that differences.txt gives`);
console.log(`${passed + excused.length} passed, ${failures.length} failed`);
process.exit(failures.length ? 1 : 0);
