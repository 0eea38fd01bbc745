// What values look like in console.log and as value_repr.
"use strict";

const show = (value, options) => shared.inspect(value, options);
const shows = (value, wanted, what) => assertEquals(show(value), wanted, what);

test("primitives", () => {
  shows("text", "text", "a string by itself");
  assertEquals(show("text", { quoted: true }), "'text'");
  shows(1, "1");
  shows(-0, "-0");
  shows(NaN, "NaN");
  shows(123n, "123n");
  shows(true, "true");
  shows(null, "null");
  shows(undefined, "undefined");
  shows(Symbol("a b"), "Symbol(a b)");
  shows(Symbol(), "Symbol()");
});

test("strings inside of containers", () => {
  shows(["a"], "[ 'a' ]");
  shows(["it's"], `[ "it's" ]`);
  shows([`it's "x"`], '[ `it\'s "x"` ]');
  shows(["`'\""], "[ '`\\'\"' ]");
  shows(["\n\t\\\x00\x7f\b"], "[ '\\n\\t\\\\\\x00\\x7F\\b' ]");
  shows(["\ud800x\u{1f600}é"], "[ '\\ud800x\u{1f600}é' ]");
  assert(
    show(["x".repeat(10010)]).endsWith("'... 10 more characters ]") || show(["x".repeat(10010)]).includes("10 more"),
  );
});

test("objects", () => {
  shows({}, "{}");
  shows({ a: 1, b: "x", "c-d": null, 5: [], é: 1 }, "{ '5': [], a: 1, b: 'x', 'c-d': null, 'é': 1 }");
  shows({ [Symbol("s")]: 1 }, "{ [Symbol(s)]: 1 }");
  shows(Object.create(null), "[Object: null prototype] {}");
  shows(Object.assign(Object.create(null), { a: 1 }), "[Object: null prototype] { a: 1 }");
  shows(
    new (class Foo {
      x = 1;
    })(),
    "Foo { x: 1 }",
  );
  shows(new (class Foo {})(), "Foo {}");
  shows(new (class extends Map {})(), "Map(0) {}");
  shows({ [Symbol.toStringTag]: "T", a: 1 }, "Object [T] { a: 1, [Symbol(Symbol.toStringTag)]: 'T' }");
  shows(Object.defineProperty({}, "hidden", { value: 1 }), "{}");
});

test("getters are not invoked", () => {
  let calls = 0;
  const object = {
    get a() {
      return calls++;
    },
    set b(value) {
      calls++;
    },
    get c() {
      return calls++;
    },
    set c(value) {
      calls++;
    },
    get constructor() {
      return calls++;
    },
    get [Symbol.toStringTag]() {
      return `${calls++}`;
    },
  };
  shows(
    {
      get a() {
        return calls++;
      },
      set b(v) {},
      get c() {
        return 1;
      },
      set c(v) {},
    },
    "{ a: [Getter], b: [Setter], c: [Getter/Setter] }",
  );
  show(object);
  show(Object.create(object));
  show(
    Object.defineProperty([], 0, {
      get() {
        return calls++;
      },
      enumerable: true,
    }),
  );
  assertEquals(calls, 0);
});

test("arrays", () => {
  shows([], "[]");
  shows(Object.defineProperty([1], 1, { get: () => 2, enumerable: true }), "[ 1, [Getter] ]");
  shows([1, , 3], "[ 1, <1 empty item>, 3 ]");
  shows(new Array(5), "[ <5 empty items> ]");
  shows([, , 1], "[ <2 empty items>, 1 ]");
  shows(Object.assign([1], { extra: 2 }), "[ 1, extra: 2 ]");
  shows(new (class List extends Array {})(), "List(0) []");
  shows([undefined, null, [[]]], "[ undefined, null, [ [] ] ]");
  const sparse = [];
  sparse[4e9] = 1;
  shows(sparse, "[ <4000000000 empty items>, 1 ]");
  assert(show(new Array(200).fill(7)).includes("... 100 more items"));
  shows(Array.from({ length: 30 }, (_, i) => i * 1000).length, "30");
  assert(show(Array.from({ length: 60 }, (_, i) => i * 1000)).split("\n").length < 12, "short items share lines");
});

test("depth", () => {
  const deep = { a: { b: { c: { d: 1 } } }, l: [[[[1]]]] };
  shows(deep, "{ a: { b: { c: [Object] } }, l: [ [ [Array] ] ] }");
  assertEquals(show(deep, { depth: 0 }), "{ a: [Object], l: [Array] }");
  assertEquals(show({ x: new (class Foo {})() }, { depth: 0 }), "{ x: [Foo] }");
  assertEquals(show({ x: new Map(), y: /r/, z() {} }, { depth: 0 }), "{ x: [Map], y: /r/, z: [Function: z] }");
  let nest = {};
  for (let i = 0; i < 20000; i++) nest = { nest };
  assert(show(nest, { depth: Infinity }).includes("nest: [Object]"), "there is an end to it");
});

test("cycles", () => {
  const self = { a: 1 };
  self.self = self;
  shows(self, "<ref *1> { a: 1, self: [Circular *1] }");
  const a = {};
  const b = { a };
  a.b = b;
  a.a = a;
  shows({ a }, "{ a: <ref *1> { b: { a: [Circular *1] }, a: [Circular *1] } }");
  const twice = {};
  shows([twice, twice], "[ {}, {} ]", "the same object twice is no cycle");
  const map = new Map();
  map.set("m", map);
  shows(map, "<ref *1> Map(1) { 'm' => [Circular *1] }");
});

test("long objects are broken into lines", () => {
  const long = { first: "x".repeat(40), second: "y".repeat(40) };
  shows(long, `{\n  first: '${"x".repeat(40)}',\n  second: '${"y".repeat(40)}'\n}`);
  shows({ outer: long }, `{\n  outer: {\n    first: '${"x".repeat(40)}',\n    second: '${"y".repeat(40)}'\n  }\n}`);
  shows({ a: { b: { c: {} } } }, "{ a: { b: { c: {} } } }");
  assertEquals(show({ a: { b: { c: { d: 1 } } } }, { depth: 9 }), "{\n  a: { b: { c: { d: 1 } } }\n}", "four levels");
});

test("functions and classes", () => {
  shows(function f() {}, "[Function: f]");
  shows(() => {}, "[Function (anonymous)]");
  shows(async () => {}, "[AsyncFunction (anonymous)]");
  shows(function* g() {}, "[GeneratorFunction: g]");
  shows(async function* ag() {}, "[AsyncGeneratorFunction: ag]");
  shows(class A {}, "[class A]");
  shows(class {}, "[class (anonymous)]");
  shows(class B extends Map {}, "[class B extends Map]");
  shows(
    Object.assign(function f() {}, { a: 1 }),
    "[Function: f] { a: 1 }",
  );
  shows(Math.max, "[Function: max]");
});

test("built-in containers", () => {
  shows(
    new Map([
      ["a", 1],
      [{ k: 1 }, [2]],
    ]),
    "Map(2) { 'a' => 1, { k: 1 } => [ 2 ] }",
  );
  shows(new Set([1, "x"]), "Set(2) { 1, 'x' }");
  shows(new Map(), "Map(0) {}");
  shows(new WeakMap(), "WeakMap { <items unknown> }");
  shows(new WeakSet(), "WeakSet { <items unknown> }");
  shows(new Uint8Array([1, 2]), "Uint8Array(2) [ 1, 2 ]");
  shows(new Float32Array([1.5, -0]), "Float32Array(2) [ 1.5, -0 ]");
  shows(new BigInt64Array([1n]), "BigInt64Array(1) [ 1n ]");
  shows(new Uint8Array([1, 255]).buffer, "ArrayBuffer { [Uint8Contents]: <01 ff>, byteLength: 2 }");
  assert(show(new ArrayBuffer(60)).includes("... 10 more bytes"));
  assert(show(new DataView(new ArrayBuffer(4), 1)).startsWith("DataView {\n  byteLength: 3,\n  byteOffset: 1,"));
  assert(show(new Uint8Array(101)).includes("... 1 more item"));
  assert(show(new Set(Array(150).keys())).includes("... 50 more items"));
  shows(Promise.resolve(1), "Promise {}");
});

test("other built-ins", () => {
  shows(/a\/b/gi, "/a\\/b/gi");
  shows(new Date(0), "1970-01-01T00:00:00.000Z");
  shows(new Date(NaN), "Invalid Date");
  shows(Object(1), "[Number: 1]");
  shows(Object(-0), "[Number: -0]");
  shows(Object("ab"), "[String: 'ab']");
  shows(Object(true), "[Boolean: true]");
  shows(Object(1n), "[BigInt: 1n]");
  shows(Object(Symbol("x")), "[Symbol: Symbol(x)]");
  shows(Math, "Object [Math] {}");
});

test("look-alikes are no containers", () => {
  for (const make of [Map, Set, Date, RegExp, ArrayBuffer, DataView, Number, String, Uint8Array, WeakMap])
    assertEquals(typeof show(Object.create(make.prototype)), "string", make.name);
  shows(Object.create(Map.prototype), "Map {}");
});

test("errors", () => {
  const error = new TypeError("what");
  assert(show(error).startsWith("TypeError: what\n    at "), show(error));
  assertEquals(show(error), error.stack);
  error.stack = "TypeError: what";
  shows(error, "[TypeError: what]", "no stack");
  shows([error], "[ [TypeError: what] ]");
  shows(Object.assign(error, { code: 5 }), "[TypeError: what] { code: 5 }");
  const none = new Error("x");
  none.stack = undefined;
  shows(none, "[Error: x]");
  const cause = new Error("outer", { cause: "inner" });
  assert(show(cause).endsWith("{\n  [cause]: 'inner'\n}"), show(cause));
  class Own extends Error {}
  assert(show(new Own("m")).startsWith("Own: m\n"), "the class's name where the error has none of its own");
  const many = new AggregateError([new Error("one")], "all");
  assert(show(many).includes("[errors]: [\n"), "errors of an AggregateError");
  const nested = show({ e: new Error("deep") }).split("\n");
  assert(nested[1].startsWith("  e: Error: deep"), nested[1]);
  assert(nested[2].startsWith("      at "), nested[2]);
});

test("platform objects", () => {
  assert(show(new URL("http://u:p@h:1/p?q=1#f")).includes("href: 'http://u:p@h:1/p?q=1#f'"));
  shows(new URLSearchParams("a=1&b=x"), "URLSearchParams { 'a' => '1', 'b' => 'x' }");
  shows(new URLSearchParams(), "URLSearchParams {}");
  assert(show(new DOMException("m", "AbortError")).startsWith("AbortError: m\n    at "));
  shows(Object.create(URL.prototype), "URL {}");
});

test("proxies and hostile objects throw nothing", () => {
  const fail = () => {
    throw new Error("trap");
  };
  const traps = {};
  for (const name of ["get", "has", "ownKeys", "getPrototypeOf", "getOwnPropertyDescriptor"]) traps[name] = fail;
  shows(new Proxy({}, traps), "[Object that throws when looked at]");
  shows([new Proxy([], traps)], "[ [Object that throws when looked at] ]");
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  assertEquals(typeof show(proxy), "string");
  let endless;
  endless = new Proxy({}, { getPrototypeOf: () => endless });
  assertEquals(typeof show(endless), "string", "an endless chain of prototypes");
  const odd = Object.create({ constructor: new Proxy(function () {}, traps) });
  assertEquals(typeof show(odd), "string");
});
