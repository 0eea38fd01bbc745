// Runs a script that tests/wpt/run.mjs has composed, in node; prints what the promise at its end gives.
"use strict";

const vm = require("node:vm");
const { readFileSync } = require("node:fs");

process.on("unhandledRejection", () => {});
process.on("uncaughtException", () => {});
Promise.resolve(vm.runInThisContext(readFileSync(process.argv[2], "utf8"))).then((text) => {
  process.stdout.write(text + "\n", () => process.exit(0));
});
