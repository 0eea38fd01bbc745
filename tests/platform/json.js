// JSON.parse where it differs from the built-in: nowhere but in how deeply a long text may be nested.
"use strict";

test("JSON.parse is as it was", () => {
  const { writable, enumerable, configurable } = Object.getOwnPropertyDescriptor(JSON, "parse");
  assertEquals([writable, enumerable, configurable], [true, false, true]);
  assertEquals([JSON.parse.name, JSON.parse.length], ["parse", 2]);
  assertEquals(JSON.parse('{"a":[1,{"b":null}]}', (key, value) => (key === "b" ? 2 : value)), { a: [1, { b: 2 }] });
  assertEquals(JSON.parse({ toString: () => "[1]" }), [1]);
  assertThrows(() => JSON.parse(Symbol("x")), TypeError);
  assertThrows(() => new JSON.parse("1"), TypeError);
  assertThrows(() => JSON.parse("["), SyntaxError);
});

test("a long text is nested to a limit", () => {
  const long = "x".repeat(2 ** 21);
  assertEquals(JSON.parse(`["${long}"]`)[0].length, 2 ** 21);
  assertEquals(JSON.parse(JSON.stringify(['\\"[[['.repeat(2 ** 20)]))[0].length, 5 * 2 ** 20);
  let deep = JSON.parse("[".repeat(150000) + `"${long}"` + "]".repeat(150000));
  while (Array.isArray(deep)) deep = deep[0];
  assertEquals(deep, long);
  assertThrows(() => JSON.parse("[".repeat(2 ** 21)), RangeError);
  assertThrows(() => JSON.parse('{"a":'.repeat(2 ** 19)), RangeError);
  assertThrows(() => JSON.parse("]".repeat(2 ** 21)), SyntaxError);
});
