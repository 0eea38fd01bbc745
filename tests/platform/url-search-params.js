// URLSearchParams, by the URL Standard.
"use strict";

const of = (init) => new URLSearchParams(init);

test("parsing", () => {
  const cases = {
    "": [],
    "?": [],
    "??": [["?", ""]],
    a: [["a", ""]],
    "a=": [["a", ""]],
    "=a": [["", "a"]],
    "=": [["", ""]],
    "&": [],
    "&&a=1&&": [["a", "1"]],
    "?a=1": [["a", "1"]],
    "a=1&a=2": [
      ["a", "1"],
      ["a", "2"],
    ],
    "a=b=c": [["a", "b=c"]],
    "a+b=c+d": [["a b", "c d"]],
    "a%2Bb=%26": [["a+b", "&"]],
    "%": [["%", ""]],
    "%zz=%4": [["%zz", "%4"]],
    "a=%C3%A9": [["a", "é"]],
    "a=%ff": [["a", "\ufffd"]],
    "a=%f0%9f%98%80": [["a", "\u{1f600}"]],
    "é=€": [["é", "€"]],
    "a=%EF%BB%BFx": [["a", "\ufeffx"]],
    "a=\ud800": [["a", "\ufffd"]],
    "a;b=c": [["a;b", "c"]],
    "a\0=b": [["a\0", "b"]],
    "%61=%62": [["a", "b"]],
    "a=#x": [["a", "#x"]],
  };
  for (const text in cases) assertEquals([...of(text)], cases[text], text);
});

test("serializing", () => {
  const text = (...pairs) => of(pairs).toString();
  assertEquals(text(), "");
  assertEquals(text(["a", "b c"]), "a=b+c");
  assertEquals(text(["", ""]), "=");
  assertEquals(text(["a&=", "+%"]), "a%26%3D=%2B%25");
  assertEquals(text(["é", "\u{1f600}"]), "%C3%A9=%F0%9F%98%80");
  assertEquals(text(["*-._", "~!'()"]), "*-._=%7E%21%27%28%29");
  assertEquals(text(["09azAZ", "/?:@"]), "09azAZ=%2F%3F%3A%40");
  assertEquals(text(["\ud800", "\n\r"]), "%EF%BF%BD=%0A%0D");
  assertEquals(`${of("a=1")}`, "a=1");
});

test("from sequences", () => {
  assertEquals(
    [...of([["a", 1], new Set(["b", null])])],
    [
      ["a", "1"],
      ["b", "null"],
    ],
  );
  assertEquals([...of(new Map([["a", "b"]]))], [["a", "b"]]);
  assertEquals(
    [...of(of("x=1&x=2"))],
    [
      ["x", "1"],
      ["x", "2"],
    ],
  );
  assertEquals(
    [
      ...of(
        (function* () {
          yield ["g", "h"];
        })(),
      ),
    ],
    [["g", "h"]],
  );
  for (const bad of [[["a"]], [["a", "b", "c"]], ["ab"], [1], [null], [[Symbol(), "x"]], { [Symbol.iterator]: 1 }])
    assertThrows(() => of(bad), TypeError);
});

test("from records", () => {
  assertEquals(
    [...of({ a: 1, b: undefined, 5: "x" })],
    [
      ["5", "x"],
      ["a", "1"],
      ["b", "undefined"],
    ],
  );
  assertEquals([...of({ "\ud800": 1, "\ufffd": 2 })], [["\ufffd", "2"]]);
  assertEquals([...of(Object.defineProperty({ a: 1 }, "hidden", { value: 2 }))], [["a", "1"]]);
  assertEquals([...of(Object.create({ inherited: 1 }))], []);
  assertThrows(() => of({ [Symbol("s")]: 1 }), TypeError);
  assertEquals([...of(Object.assign(() => {}, { f: 1 }))], [["f", "1"]]);
  assertEquals([...of(5)], [["5", ""]]);
  assertEquals([...of(null)], [["null", ""]]);
  assertEquals([...of(undefined)], []);
});

test("append, get, getAll, has", () => {
  const params = of();
  params.append("a", 1);
  params.append("a", "2");
  params.append("b", "\udc00");
  assertEquals([params.get("a"), params.get("b"), params.get("c")], ["1", "\ufffd", null]);
  assertEquals([params.getAll("a"), params.getAll("c")], [["1", "2"], []]);
  assertEquals(
    [params.has("a"), params.has("c"), params.has("a", 2), params.has("a", "3")],
    [true, false, true, false],
  );
  assertEquals(params.has("a", undefined), true);
  assertEquals(params.size, 3);
});

test("set", () => {
  const params = of("a=1&b=2&a=3&c=4&a=5");
  params.set("a", "x");
  assertEquals(params.toString(), "a=x&b=2&c=4");
  params.set("d", "y");
  assertEquals(params.toString(), "a=x&b=2&c=4&d=y");
});

test("delete", () => {
  const params = of("a=1&b=2&a=3&a=1");
  params.delete("a", "1");
  assertEquals(params.toString(), "b=2&a=3");
  params.delete("a", undefined);
  assertEquals(params.toString(), "b=2");
  params.delete("none");
  assertEquals(params.size, 1);
});

test("sort is by code units and stable", () => {
  const params = of([
    ["ﬃ", "1"],
    ["\u{1f308}", "2"],
    ["z", "3"],
    ["a", "4"],
    ["z", "5"],
    ["a", "6"],
    ["", "7"],
  ]);
  params.sort();
  assertEquals([...params.values()], ["7", "4", "6", "3", "5", "2", "1"]);
});

test("iteration", () => {
  const params = of("a=1&b=2");
  assertEquals([...params.keys()], ["a", "b"]);
  assertEquals([...params.values()], ["1", "2"]);
  assertEquals(
    [...params.entries()],
    [
      ["a", "1"],
      ["b", "2"],
    ],
  );
  assert(params[Symbol.iterator] === params.entries);
  const iterator = params.entries();
  assertEquals(Object.prototype.toString.call(iterator), "[object URLSearchParams Iterator]");
  assert(iterator[Symbol.iterator]() === iterator);
  const prototype = Object.getPrototypeOf(iterator);
  assertEquals(Object.getPrototypeOf(prototype), Object.getPrototypeOf(Object.getPrototypeOf([].values())));
  assertEquals(Reflect.ownKeys(prototype), ["next", Symbol.toStringTag]);
  assertThrows(() => prototype.next.call({}), TypeError);
  assertEquals(iterator.next(), { value: ["a", "1"], done: false });
  assertEquals(
    [iterator.next().done, iterator.next(), iterator.next().done],
    [false, { value: undefined, done: true }, true],
  );
});

test("iteration is live", () => {
  const params = of("a=1&b=2&c=3");
  const seen = [];
  for (const [name] of params) {
    seen.push(name);
    params.delete(name);
  }
  assertEquals(seen, ["a", "c"]);
  const each = [];
  const other = of("a=1&b=2");
  other.forEach(
    function (value, name, self) {
      each.push(name, value, self === other, this.x);
      if (name === "a") other.append("c", "3");
    },
    { x: 9 },
  );
  assertEquals(each, ["a", "1", true, 9, "b", "2", true, 9, "c", "3", true, 9]);
});

test("arguments", () => {
  const params = of();
  for (const [name, least] of Object.entries({ append: 2, delete: 1, get: 1, getAll: 1, has: 1, set: 2, forEach: 1 })) {
    assertEquals(params[name].length, least, name);
    assertThrows(() => params[name](...Array(least - 1).fill("x")), TypeError, name);
    assertThrows(() => params[name].call({}, "x", "y"), TypeError, name);
  }
  assertThrows(() => params.forEach(1), TypeError);
  assertThrows(() => URLSearchParams(), TypeError);
  assertEquals(URLSearchParams.length, 0);
});
