// FinalizationRegistry keeps the shape of the built-in.
"use strict";

test("the constructor and its prototype", () => {
  assertEquals(typeof FinalizationRegistry, "function");
  assertEquals([FinalizationRegistry.name, FinalizationRegistry.length], ["FinalizationRegistry", 1]);
  assertEquals(Object.getPrototypeOf(FinalizationRegistry) === Function.prototype, true);
  assertEquals(FinalizationRegistry.prototype.constructor === FinalizationRegistry, true);
  assertEquals(Object.prototype.toString.call(new FinalizationRegistry(() => {})), "[object FinalizationRegistry]");
  const descriptor = Object.getOwnPropertyDescriptor(FinalizationRegistry, "prototype");
  assertEquals([descriptor.writable, descriptor.enumerable, descriptor.configurable], [false, false, false]);
  assertEquals(Object.getOwnPropertyDescriptor(globalThis, "FinalizationRegistry").enumerable, false);
});

test("what it refuses", () => {
  assertThrows(() => FinalizationRegistry(() => {}), TypeError);
  assertThrows(() => new FinalizationRegistry(), TypeError);
  assertThrows(() => new FinalizationRegistry({}), TypeError);
});

test("registries work, those of subclasses too", () => {
  class Mine extends FinalizationRegistry {}
  for (const registry of [new FinalizationRegistry(() => {}), new Mine(() => {})]) {
    const token = {};
    registry.register({}, 1, token);
    assertEquals(registry.unregister(token), true);
    assertEquals(registry.unregister(token), false);
  }
  assertEquals(new Mine(() => {}) instanceof Mine, true);
});
