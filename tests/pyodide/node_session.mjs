// node + Pyodide for Pyodide's own tests:  node node_session.mjs DIST
// Reads a JSON string of JavaScript a line; answers with what it gives, a line that begins with "\x01reply ".
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import path from "node:path";
import vm from "node:vm";

const require = createRequire(import.meta.url);
const dist = path.resolve(process.argv[2]);
const { loadPyodide } = require(`${dist}/pyodide.js`);
process.chdir(dist);
Object.assign(globalThis, { loadPyodide, path, require });
process.on("unhandledRejection", (error) => console.log(`unhandled rejection: ${error}`));
let queue = Promise.resolve();
for await (const line of createInterface({ input: process.stdin })) {
  const code = JSON.parse(line);
  queue = queue.then(async () => {
    let answer;
    try {
      answer = await vm.runInThisContext(code);
    } catch (error) {
      answer = JSON.stringify([1, String(error), String(error?.stack)]);
    }
    process.stdout.write(`\x01reply ${answer}\n`);
  });
  await queue;
}
