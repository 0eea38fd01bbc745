// structuredClone, by HTML's "Structured data".
"use strict";

test("values come out equal", () => {
  const values = [
    1,
    -0,
    NaN,
    "text",
    true,
    null,
    undefined,
    12n,
    [1, [2]],
    { a: { b: 1 } },
    new Date(5),
    new Map([[1, { x: 1 }]]),
    new Set(["s"]),
    new Uint8Array([1, 2]),
    "\ud800",
  ];
  for (const value of values) assertEquals(structuredClone(value), value);
  const expression = structuredClone(/a/gi);
  assertEquals([expression.source, expression.flags, expression.lastIndex], ["a", "gi", 0]);
  assertEquals(structuredClone(Object(1)).valueOf(), 1);
  assertEquals(Object.getPrototypeOf(structuredClone(Object("s"))), String.prototype);
});

test("they are copies", () => {
  const object = { list: [1], buffer: new ArrayBuffer(2) };
  const copy = structuredClone(object);
  assert(copy !== object && copy.list !== object.list && copy.buffer !== object.buffer);
  assertEquals(object.buffer.byteLength, 2);
  class Point {
    x = 1;
    get y() {
      return 2;
    }
  }
  assertEquals(structuredClone(new Point()), { x: 1 });
  assertEquals(
    structuredClone({
      get a() {
        return 5;
      },
    }),
    { a: 5 },
  );
});

test("cycles and shared parts stay", () => {
  const object = { part: {} };
  object.self = object;
  object.again = object.part;
  const copy = structuredClone(object);
  assert(copy.self === copy && copy.again === copy.part && copy !== object);
  const bytes = new Uint8Array(4);
  const views = structuredClone([bytes, new DataView(bytes.buffer)]);
  assert(views[0].buffer === views[1].buffer);
});

test("errors", () => {
  const error = structuredClone(new RangeError("what"));
  assertEquals([error.constructor, error.message, error.name], [RangeError, "what", "RangeError"]);
  const exception = structuredClone(new DOMException("m", "AbortError"));
  assertEquals(
    [exception instanceof DOMException, exception.name, exception.message, exception.code],
    [true, "AbortError", "m", 20],
  );
});

test("what can't be cloned", () => {
  for (const bad of [() => {}, Symbol(), { f() {} }, [Symbol()], new WeakMap(), Promise.resolve()]) {
    const error = assertThrows(() => structuredClone(bad), "DataCloneError");
    assertEquals(error.code, 25);
  }
  assertThrows(() => structuredClone(), TypeError);
  assertThrows(
    () =>
      structuredClone({
        get a() {
          throw new RangeError();
        },
      }),
    RangeError,
  );
});

test("transfer", () => {
  const buffer = new Uint8Array([1, 2, 3]).buffer;
  const copy = structuredClone({ buffer, view: new Uint8Array(buffer, 1) }, { transfer: [buffer] });
  assertEquals(buffer.byteLength, 0);
  assertEquals([...new Uint8Array(copy.buffer)], [1, 2, 3]);
  assert(copy.view.buffer === copy.buffer);
  const other = new ArrayBuffer(4);
  assertEquals(
    structuredClone(1, { transfer: new Set([other]) }),
    1,
    "any iterable; what is not in the value goes too",
  );
  assertEquals(other.byteLength, 0);
  assertEquals(structuredClone(5, { transfer: [] }), 5);
  assertEquals(structuredClone(5, {}), 5);
  assertEquals(structuredClone(5, null), 5);
});

test("transfer refuses", () => {
  const buffer = new ArrayBuffer(1);
  assertThrows(() => structuredClone(buffer, { transfer: [buffer, buffer] }), "DataCloneError");
  assertEquals(buffer.byteLength, 1, "and leaves the buffer alone");
  assertThrows(() => structuredClone(1, { transfer: [{}] }), "DataCloneError");
  assertThrows(() => structuredClone(1, { transfer: [new Uint8Array(1)] }), "DataCloneError");
  structuredClone(buffer, { transfer: [buffer] });
  assertThrows(() => structuredClone(1, { transfer: [buffer] }), "DataCloneError", "detached");
  for (const bad of [null, 1, "s", {}]) assertThrows(() => structuredClone(1, { transfer: bad }), TypeError);
  assertThrows(() => structuredClone(1, 1), TypeError);
});
