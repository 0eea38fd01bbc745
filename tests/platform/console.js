// console, by the Console Standard.
"use strict";

const logged = (...args) => {
  console.log(...args);
  return output(1);
};

test("where it goes", () => {
  for (const method of ["log", "info", "debug", "dir", "dirxml", "group", "groupCollapsed", "count", "table"]) {
    console[method]("x");
    assert(output(1).includes("x"), method);
    assertEquals(output(2), "", method);
    console.clear();
  }
  for (const method of ["warn", "error", "trace"]) {
    console[method]("x");
    assertEquals(output(1), "", method);
    assert(output(2).includes("x"), method);
  }
});

test("values", () => {
  assertEquals(logged(), "\n");
  assertEquals(logged("a", 1, true, null, undefined), "a 1 true null undefined\n");
  assertEquals(logged("a", "b"), "a b\n", "strings are not quoted");
  assertEquals(logged({ a: "b" }, ["c"]), "{ a: 'b' } [ 'c' ]\n");
  assertEquals(logged(-0, 10n, Symbol("s")), "-0 10n Symbol(s)\n");
  assertEquals(logged("é\u{1f600}\0"), "é\u{1f600}\0\n");
  assertEquals(logged(1, "%s", 2), "1 %s 2\n", "only the first argument is a format");
});

test("formats", () => {
  const cases = [
    [["%s", "x"], "x"],
    [["%s-%s", "x", "y"], "x-y"],
    [["%s", 1.5], "1.5"],
    [["%s", Symbol("a")], "Symbol(a)"],
    [["%s", { toString: () => "own" }], "own"],
    [["%s", null], "null"],
    [["%d", "42.9abc"], "42"],
    [["%d", 1.9], "1"],
    [["%i", -7.9], "-7"],
    [["%i", "x"], "NaN"],
    [["%d", Symbol()], "NaN"],
    [["%f", "1.50x"], "1.5"],
    [["%f", Symbol()], "NaN"],
    [["%j", { a: [1] }], '{"a":[1]}'],
    [["%j", undefined], "undefined"],
    [["%o", { a: "x" }], "{ a: 'x' }"],
    [["%O", ["x"]], "[ 'x' ]"],
    [["%c!", "color: red"], "!"],
    [["100%", 1], "100% 1"],
    [["%% %s", 1], "% 1"],
    [["%%s", 1], "%s 1"],
    [["%x %s", 1], "%x 1"],
    [["%s %s", 1], "1 %s"],
    [["%s"], "%s"],
    [["100%%"], "100%%"],
    [["a%sb", "1", "2", { c: 3 }], "a1b 2 { c: 3 }"],
    [["%", 1], "% 1"],
  ];
  for (const [args, wanted] of cases) assertEquals(logged(...args), `${wanted}\n`, args[0]);
  const loop = {};
  loop.loop = loop;
  assertEquals(logged("%j", loop), "[Circular]\n");
});

test("a guest's toString may throw through %s", () => {
  assertThrows(
    () =>
      console.log("%s", {
        toString() {
          throw new RangeError();
        },
      }),
    RangeError,
  );
  assertEquals(output(1), "");
});

test("groups", () => {
  console.group("outer");
  console.log("a\nb");
  console.groupCollapsed();
  console.warn({ x: 1 });
  console.groupEnd();
  console.log("c");
  console.groupEnd();
  console.groupEnd();
  console.log("d");
  assertEquals(output(1), "outer\n  a\n  b\n  c\nd\n");
  assertEquals(output(2), "    { x: 1 }\n");
  console.group();
  shared.resetConsole();
  assertEquals(logged("e"), "e\n");
});

test("assert", () => {
  console.assert(true, "no");
  console.assert(1);
  assertEquals(output(2), "");
  console.assert(false);
  console.assert();
  console.assert(0, "why %s", "x", 1);
  console.assert(null, { a: 1 }, "b");
  assertEquals(
    output(2),
    "Assertion failed\nAssertion failed\nAssertion failed: why x 1\nAssertion failed { a: 1 } b\n",
  );
});

test("count", () => {
  console.count();
  console.count();
  console.count("y");
  console.count(undefined);
  console.countReset();
  console.count("default");
  assertEquals(output(1), "default: 1\ndefault: 2\ny: 1\ndefault: 3\ndefault: 1\n");
  console.countReset("none");
  assertEquals(output(2), "Count for 'none' does not exist\n");
});

test("time", () => {
  console.time();
  console.time();
  assertEquals(output(2), "Timer 'default' already exists\n");
  console.timeLog(undefined, "so far", { a: 1 });
  assert(/^default: \d+\.\d{3}ms so far \{ a: 1 \}\n$/.test(output(1)));
  console.timeEnd();
  assert(/^default: \d+\.\d{3}ms\n$/.test(output(1)));
  console.timeEnd();
  console.timeLog("x");
  assertEquals(output(2), "Timer 'default' does not exist\nTimer 'x' does not exist\n");
});

test("trace", () => {
  console.trace("here %d", 3);
  const text = output(2);
  assert(text.startsWith("Trace: here 3\n    at "), text);
  assert(text.includes("console.js"));
  assert(!text.includes("platform/42-"), "it begins with the caller");
});

test("dir", () => {
  console.dir("text");
  console.dir({ a: { b: { c: { d: {} } } } }, { depth: 0 });
  console.dir({ a: { b: { c: { d: 1 } } } }, { depth: null });
  assertEquals(output(1), "'text'\n{ a: [Object] }\n{\n  a: { b: { c: { d: 1 } } }\n}\n");
});

test("table", () => {
  console.table([
    { a: 1, b: "x" },
    { a: 2, c: true },
  ]);
  assertEquals(
    output(1),
    "┌─────────┬───┬─────┬──────┐\n" +
      "│ (index) │ a │ b   │ c    │\n" +
      "├─────────┼───┼─────┼──────┤\n" +
      "│ 0       │ 1 │ 'x' │      │\n" +
      "│ 1       │ 2 │     │ true │\n" +
      "└─────────┴───┴─────┴──────┘\n",
  );
  console.table(["x", "y"]);
  assertEquals(
    output(1),
    "┌─────────┬────────┐\n│ (index) │ Values │\n├─────────┼────────┤\n│ 0       │ 'x'    │\n│ 1       │ 'y'    │\n" +
      "└─────────┴────────┘\n",
  );
  console.table([{ a: 1, b: 2 }], ["b"]);
  assert(!output(1).includes(" a "));
  console.table(5);
  assertEquals(output(1), "5\n");
  console.table(new Map([["k", 1]]));
  assert(output(1).includes("│ 'k'     │ 1      │"));
});

test("the object", () => {
  assertEquals(Object.prototype.toString.call(console), "[object console]");
  const parent = Object.getPrototypeOf(console);
  assertEquals([Reflect.ownKeys(parent), Object.getPrototypeOf(parent)], [[], Object.prototype]);
  const { log } = console;
  log("no this");
  assertEquals(output(1), "no this\n");
  const methods = [
    "assert",
    "clear",
    "count",
    "countReset",
    "debug",
    "dir",
    "dirxml",
    "error",
    "group",
    "groupCollapsed",
    "groupEnd",
    "info",
    "log",
    "table",
    "time",
    "timeEnd",
    "timeLog",
    "trace",
    "warn",
  ];
  assertEquals(Object.keys(console).sort(), methods);
  for (const name of methods) {
    assertEquals([console[name].name, console[name].length], [name, 0]);
    assertThrows(() => new console[name](), TypeError);
  }
});
