// AbortController and AbortSignal, by the DOM Standard.
"use strict";

test("a controller and its signal", () => {
  const controller = new AbortController();
  const { signal } = controller;
  assertEquals(controller.signal === signal, true);
  assertEquals([signal.aborted, signal.reason, signal.onabort], [false, undefined, null]);
  signal.throwIfAborted();
  let events = [];
  signal.addEventListener("abort", (event) => events.push(event));
  controller.abort();
  assertEquals(signal.aborted, true);
  assertError(signal.reason, "AbortError");
  assertEquals(events.length, 1);
  assertEquals([events[0].type, events[0].isTrusted, events[0].target === signal], ["abort", true, true]);
  assertEquals([events[0].bubbles, events[0].cancelable], [false, false]);
  controller.abort("again");
  assertEquals(events.length, 1);
  assertError(signal.reason, "AbortError");
  assertThrows(() => signal.throwIfAborted(), "AbortError");
});

test("reasons", () => {
  const reason = { why: 1 };
  const controller = new AbortController();
  controller.abort(reason);
  assert(controller.signal.reason === reason);
  let thrown;
  try {
    controller.signal.throwIfAborted();
  } catch (error) {
    thrown = error;
  }
  assert(thrown === reason);
  const none = new AbortController();
  none.abort(undefined);
  assertError(none.signal.reason, "AbortError");
  const empty = new AbortController();
  empty.abort(null);
  assertEquals(empty.signal.reason, null);
});

test("onabort", () => {
  const controller = new AbortController();
  const log = [];
  const { signal } = controller;
  signal.onabort = () => log.push("replaced");
  signal.addEventListener("abort", () => log.push("listener"));
  const handler = function (event) {
    log.push("handler", this === signal, event.type);
  };
  signal.onabort = handler;
  assert(signal.onabort === handler);
  controller.abort();
  assertEquals(log, ["handler", true, "abort", "listener"], "it keeps its place");
  const other = new AbortController();
  other.signal.onabort = () => log.push("no");
  other.signal.onabort = null;
  assertEquals(other.signal.onabort, null);
  other.signal.onabort = 5;
  assertEquals(other.signal.onabort, null);
  other.abort();
  assertEquals(log.length, 4);
});

test("AbortSignal.abort", () => {
  const signal = AbortSignal.abort();
  assertEquals(signal.aborted, true);
  assertError(signal.reason, "AbortError");
  assertEquals(AbortSignal.abort("r").reason, "r");
  assert(signal instanceof AbortSignal && signal instanceof EventTarget);
});

test("AbortSignal.timeout", async () => {
  const signal = AbortSignal.timeout(5);
  assertEquals(signal.aborted, false);
  await new Promise((resolve) => (signal.onabort = resolve));
  assertEquals(signal.aborted, true);
  assertError(signal.reason, "TimeoutError");
  for (const bad of [-1, NaN, Infinity, 2 ** 53, "x", undefined])
    assertThrows(() => AbortSignal.timeout(bad), TypeError);
  assertThrows(() => AbortSignal.timeout(), TypeError);
  AbortSignal.timeout(2 ** 53 - 1);
  AbortSignal.timeout("1e9");
  AbortSignal.timeout(-0.5);
});

test("AbortSignal.any", () => {
  const a = new AbortController();
  const b = new AbortController();
  const any = AbortSignal.any([a.signal, b.signal]);
  const log = [];
  any.onabort = () => log.push(["any", a.signal.aborted, b.signal.aborted, any.reason]);
  b.signal.onabort = () => log.push(["b", any.aborted]);
  b.abort("b");
  assertEquals(
    log,
    [
      ["b", true],
      ["any", false, true, "b"],
    ],
    "aborted together, its own listeners after the source's",
  );
  a.abort("a");
  assertEquals([any.reason, log.length], ["b", 2]);
});

test("AbortSignal.any of aborted ones, of none, of each other", () => {
  assertEquals(AbortSignal.any([new AbortController().signal, AbortSignal.abort(1), AbortSignal.abort(2)]).reason, 1);
  const none = AbortSignal.any([]);
  assertEquals(none.aborted, false);
  const controller = new AbortController();
  const nested = AbortSignal.any([AbortSignal.any([controller.signal]), none]);
  controller.abort("deep");
  assertEquals([nested.aborted, nested.reason], [true, "deep"]);
  const any = AbortSignal.any;
  assertEquals(any(new Set([AbortSignal.abort(3)])).reason, 3, "any iterable, and no this");
  for (const bad of [undefined, null, 1, "s", {}, [1], [{}], [null]])
    assertThrows(() => AbortSignal.any(bad), TypeError);
  assertThrows(() => AbortSignal.any(), TypeError);
});

test("an exception in a handler is reported", () => {
  const controller = new AbortController();
  controller.signal.onabort = () => {
    throw new Error("in onabort");
  };
  controller.abort();
  assert(output(2).includes("Uncaught Error: in onabort"));
});

test("no way to make a signal by hand", () => {
  assertThrows(() => new AbortSignal(), TypeError);
  assertThrows(() => new AbortSignal({}), TypeError);
  assertThrows(() => AbortController(), TypeError);
  assertThrows(() => AbortSignal.prototype.aborted, TypeError);
  assertThrows(() => AbortController.prototype.abort.call({}), TypeError);
});
