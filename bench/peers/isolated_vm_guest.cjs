// isolated-vm's side of the figures of bench/bench_guest.c, with the same protocol.  ISOLATED_VM is its directory.
//   node --no-node-snapshot isolated_vm_guest.cjs FIGURE COUNT [--rounds]
const { createInterface } = require("node:readline");
const ivm = require(process.env.ISOLATED_VM);

const [name, count, mode] = process.argv.slice(2);
const payload = JSON.stringify({ x: "a".repeat(1016) });

function check(value, expected) {
  if (value !== expected) throw new Error(`got ${value}, which has to be ${expected}`);
}

// A new isolate to its first result; its end is not on the clock.
function fresh() {
  const start = performance.now();
  const isolate = new ivm.Isolate();
  const value = isolate.createContextSync().evalSync("1+1");
  const took = performance.now() - start;
  check(value, 2);
  isolate.dispose();
  return took;
}

function echo() {
  const context = new ivm.Isolate().createContextSync();
  const code = "const echo = (x) => x; (text) => JSON.stringify(echo(JSON.parse(text)))";
  const call = context.evalSync(code, { reference: true });
  const args = [payload];
  return () => {
    const start = performance.now();
    const value = call.applySync(undefined, args);
    const took = performance.now() - start;
    check(value, payload);
    return took;
  };
}

// What makes the sample function of a figure, and how many samples are thrown away before.
const figures = { "javascript-fresh": [() => fresh, 5], "javascript-echo": [echo, 500] };

if (!Object.hasOwn(figures, name ?? "") || !(Number(count) >= 1) || (mode && mode !== "--rounds")) {
  console.error(`isolated_vm_guest: FIGURE COUNT [--rounds] are needed, FIGURE of ${Object.keys(figures).join(", ")}`);
  process.exit(2);
}
const [make, warmUp] = figures[name];
const sample = make();
for (let i = 0; i < warmUp; i++) sample();

function round() {
  console.log(Array.from({ length: Number(count) }, () => sample().toFixed(6)).join(" "));
}
if (mode) {
  console.log("ready");
  createInterface({ input: process.stdin }).on("line", round);
} else {
  round();
}
