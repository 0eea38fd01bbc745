// performance, navigator and self.
"use strict";

test("performance.now", async () => {
  const before = performance.now();
  assertEquals(typeof before, "number");
  await sleep(3);
  const after = performance.now();
  assert(after - before >= 2.9 && after - before < 20000, `${after - before}`);
  let last = 0;
  for (let i = 0; i < 1000; i++) {
    const now = performance.now();
    assert(now >= last);
    last = now;
  }
});

test("performance.timeOrigin", () => {
  assert(Math.abs(performance.timeOrigin + performance.now() - Date.now()) < 1000);
  assertEquals(performance.timeOrigin, performance.timeOrigin);
  assertEquals(performance.toJSON(), { timeOrigin: performance.timeOrigin });
});

test("performance is an EventTarget of its own interface", () => {
  assert(performance instanceof Performance && performance instanceof EventTarget);
  assertThrows(() => new Performance(), TypeError);
  assertThrows(() => Performance.prototype.now.call({}), TypeError);
  assertEquals(Object.prototype.toString.call(performance), "[object Performance]");
});

test("navigator does not pass for a browser's or another runtime's", () => {
  assertEquals([navigator.userAgent, navigator.hardwareConcurrency, navigator.language], ["aardvark", 1, "en-US"]);
  assert(navigator === globalThis.navigator && navigator instanceof Navigator);
  assertThrows(() => new Navigator(), TypeError);
  assertThrows(() => Navigator.prototype.userAgent, TypeError);
  for (const name of ["process", "Deno", "Bun", "window", "document", "WorkerGlobalScope", "importScripts", "require"])
    assertEquals(typeof globalThis[name], "undefined", name);
});

test("self", () => {
  assert(self === globalThis);
  const property = Object.getOwnPropertyDescriptor(globalThis, "self");
  assertEquals(
    [typeof property.get, typeof property.set, property.enumerable, property.configurable],
    ["function", "function", true, true],
  );
});

test("replaceable attributes are replaced by assignment", () => {
  const before = Object.getOwnPropertyDescriptor(globalThis, "performance");
  globalThis.performance = { mine: true };
  assertEquals(Object.getOwnPropertyDescriptor(globalThis, "performance"), {
    value: { mine: true },
    writable: true,
    enumerable: true,
    configurable: true,
  });
  Object.defineProperty(globalThis, "performance", before);
  assertThrows(() => (globalThis.navigator = 1), TypeError);
  assertThrows(() => (globalThis.crypto = 1), TypeError);
});
