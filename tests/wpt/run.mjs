// Runs web-platform-tests here and in node, side by side (make check-wpt): of each area, what node passes, what of that passes
// here, and the rest with its reason (reasons.json).  Fails where an area is below 95 %, or a reason is missing.
//
//   node tests/wpt/run.mjs CHECKOUT AARDVARK OUT [PART OF A PATH…]
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { promisify } from "node:util";

const AREAS = [
  "url", "encoding", "html/webappapis", "dom/events", "dom/abort", "console", "hr-time", "fetch/api", "FileAPI", "xhr/formdata",
  "mimesniff", "WebCryptoAPI", "user-timing", "performance-timeline", "streams", "compression", "webmessaging",
];
const WANTED = 0.95;
const TIMEOUT_MS = 5000;
const [checkout, aardvark, out, ...only] = process.argv.slice(2);
const here = dirname(new URL(import.meta.url).pathname);
const run = promisify(execFile);
const reasons = JSON.parse(readFileSync(join(here, "reasons.json"), "utf8"));

const filesBelow = (directory) =>
  !existsSync(directory)
    ? []
    : readdirSync(directory).sort().flatMap((name) => {
        const path = join(directory, name);
        if (statSync(path).isDirectory()) return name === "resources" ? [] : filesBelow(path);
        return name.endsWith(".any.js") ? [path] : [];
      });

const metaOf = (text) => [...text.matchAll(/^\/\/ META: *([a-z]+)=(.*)$/gm)].map((found) => [found[1], found[2].trim()]);

const BEFORE = `
globalThis.self = globalThis;
globalThis.GLOBAL = { isWindow: () => false, isWorker: () => false, isShadowRealm: () => false };
globalThis.__files = %FILES%;
{ // Resources are read from the checkout: there is no server.
  const fetched = globalThis.fetch;
  globalThis.fetch = function fetch(input, init) {
    const name = typeof input === "string" ? Object.keys(__files).find((one) => input.endsWith(one)) : undefined;
    return name === undefined ? fetched(input, init) : Promise.resolve(new Response(__files[name]));
  };
}
`;
const LOCATION = `globalThis.location ??= { search: %SEARCH%, pathname: "/", href: "http://web-platform.test/", origin: "http://web-platform.test" };\n`;
const AFTER = `
;globalThis.__result = new Promise((resolve) => {
  const since = Date.now();
  add_completion_callback((tests, harness) => resolve(JSON.stringify({
    harness: harness.status, message: harness.message,
    tests: tests.map(({ name, status, message }) => ({ name, status, message: status ? String(message).slice(0, 300) : "" })),
  })));
  setTimeout(() => timeout(), ${TIMEOUT_MS});
});
`;

// One script of everything that a test needs.
const compose = (path, variant) => {
  const text = readFileSync(path, "utf8");
  const parts = [];
  for (const [key, value] of metaOf(text)) {
    if (key !== "script") continue;
    const file = value.startsWith("/") ? join(checkout, value) : join(dirname(path), value);
    if (!existsSync(file)) return null;
    parts.push(readFileSync(file, "utf8"));
  }
  const files = {};
  for (const [, name] of [...parts, text].join("\n").matchAll(/["'\`]((?:[\w-]+\/)*[\w-]+\.json)["'\`]/g))
    for (const file of [join(dirname(path), name), join(checkout, name)])
      if (existsSync(file)) files[name] = readFileSync(file, "utf8");
  const harness = readFileSync(join(checkout, "resources/testharness.js"), "utf8");
  const before = BEFORE.replace("%FILES%", () => JSON.stringify(files)) + LOCATION.replace("%SEARCH%", JSON.stringify(variant));
  return [before, harness, ...parts, text, AFTER].join("\n;\n");
};

const parse = (text) => {
  const line = text.split("\n").findLast((one) => one.startsWith("{") || one.startsWith('"{'));
  if (line === undefined) return null;
  const value = JSON.parse(line);
  return typeof value === "string" ? JSON.parse(value) : value;
};
const results = async (program, args) => {
  const options = { timeout: TIMEOUT_MS + 25000, maxBuffer: 1 << 28 };
  const { stdout, stderr } = await run(program, args, options).catch((error) => error);
  const told = parse(stdout ?? "");
  return told ?? { harness: 1, message: (stderr ?? "").slice(0, 300), tests: [] };
};

const runOne = async (path, variant) => {
  const script = compose(path, variant);
  if (script === null) return null;
  const file = join(out, "script.js");
  writeFileSync(file, script + "globalThis.__result");
  const [ours, nodes] = await Promise.all([
    results(aardvark, ["exec", "--language", "javascript", "--wall-ms", "25000", file]),
    results("node", [join(here, "in_node.cjs"), file]),
  ]);
  return { ours, nodes };
};

const reasonFor = (label) => reasons.find(([pattern]) => new RegExp(pattern).test(label))?.[1];

const runArea = async (area) => {
  const row = { area, subtests: 0, node: 0, here: 0, both: 0, missing: new Map(), unexplained: [] };
  for (const path of filesBelow(join(checkout, area))) {
    const name = relative(checkout, path);
    if (only.length > 0 && !only.some((part) => name.includes(part))) continue;
    const variants = metaOf(readFileSync(path, "utf8")).filter(([key]) => key === "variant").map(([, value]) => value);
    for (const variant of variants.length > 0 ? variants : [""]) {
      const got = await runOne(path, variant);
      if (got === null) continue;
      const mine = new Map(got.ours.tests.map((test) => [test.name, test]));
      if (got.ours.harness !== 0) console.error(`${name}${variant}: ${got.ours.message}`);
      row.here += got.ours.tests.filter((test) => test.status === 0).length;
      row.subtests += Math.max(got.nodes.tests.length, got.ours.tests.length);
      for (const test of got.nodes.tests) {
        if (test.status !== 0) continue;
        row.node++;
        const own = mine.get(test.name);
        if (own?.status === 0) {
          row.both++;
          continue;
        }
        const label = `${name}${variant}: ${test.name}`;
        const reason = reasonFor(label);
        if (reason === undefined) row.unexplained.push(`${label}\n    ${own?.message ?? got.ours.message ?? "did not run"}`);
        else row.missing.set(reason, (row.missing.get(reason) ?? 0) + 1);
      }
    }
  }
  return row;
};

mkdirSync(out, { recursive: true });
let failed = false;
const lines = ["| area | subtests | node passes | of these here | share | passes here | what is missing |", "|---|--:|--:|--:|--:|--:|---|"];
for (const area of AREAS) {
  const row = await runArea(area);
  if (row.node === 0 && row.here === 0) continue;
  const share = row.node === 0 ? 1 : row.both / row.node;
  const why = [...row.missing].map(([reason, count]) => `${count} ${reason}`);
  if (row.unexplained.length > 0) why.push(`${row.unexplained.length} without a reason`);
  lines.push(`| ${area} | ${row.subtests} | ${row.node} | ${row.both} | ${(share * 100).toFixed(1)} % | ${row.here} | ${why.join("; ")} |`);
  writeFileSync(join(out, `${area.replaceAll("/", "-")}.txt`), row.unexplained.join("\n") + "\n");
  failed ||= share < WANTED || row.unexplained.length > 0;
  console.error(lines.at(-1));
}
writeFileSync(join(out, "table.md"), lines.join("\n") + "\n");
console.log(lines.join("\n"));
process.exitCode = failed ? 1 : 0;
