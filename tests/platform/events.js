// Event, CustomEvent and EventTarget, by the DOM Standard.
"use strict";

const collect = (target, type, log, name, options) => target.addEventListener(type, () => void log.push(name), options);

test("a new event", () => {
  const event = new Event("x", { bubbles: true, cancelable: 1, composed: "y" });
  assertEquals([event.type, event.bubbles, event.cancelable, event.composed], ["x", true, true, true]);
  assertEquals([event.target, event.srcElement, event.currentTarget, event.eventPhase], [null, null, null, 0]);
  assertEquals(
    [event.defaultPrevented, event.returnValue, event.cancelBubble, event.isTrusted],
    [false, true, false, false],
  );
  assertEquals(event.composedPath(), []);
  assertEquals(typeof event.timeStamp, "number");
  assert(event.timeStamp <= performance.now());
  assertEquals(new Event(undefined).type, "undefined");
  assertEquals(new Event("x", null).bubbles, false);
});

test("constructors refuse", () => {
  assertThrows(() => new Event(), TypeError);
  assertThrows(() => new Event("x", 1), TypeError);
  assertThrows(() => Event("x"), TypeError);
  assertThrows(() => new Event(Symbol()), TypeError);
  assertThrows(() => new CustomEvent(), TypeError);
});

test("isTrusted can't be forged", () => {
  const event = new Event("x");
  const property = Object.getOwnPropertyDescriptor(event, "isTrusted");
  assertEquals([property.configurable, property.enumerable, property.set], [false, true, undefined]);
  assertEquals("isTrusted" in Event.prototype, false);
});

test("constants", () => {
  for (const [i, name] of ["NONE", "CAPTURING_PHASE", "AT_TARGET", "BUBBLING_PHASE"].entries()) {
    assertEquals(Event[name], i);
    assertEquals(new Event("x")[name], i);
  }
});

test("while it is dispatched", () => {
  const target = new EventTarget();
  const event = new Event("x");
  let seen;
  target.addEventListener("x", function (given) {
    seen = [
      this === target,
      given === event,
      given.target,
      given.currentTarget,
      given.eventPhase,
      given.composedPath(),
    ];
  });
  assertEquals(target.dispatchEvent(event), true);
  assertEquals(seen, [true, true, target, target, 2, [target]]);
  assertEquals([event.target, event.currentTarget, event.eventPhase], [target, null, 0]);
});

test("order, and capture before the rest", () => {
  const target = new EventTarget();
  const log = [];
  collect(target, "x", log, 1);
  collect(target, "x", log, 2, { capture: true });
  collect(target, "x", log, 3);
  collect(target, "x", log, 4, true);
  collect(target, "y", log, 5);
  target.dispatchEvent(new Event("x"));
  assertEquals(log, [2, 4, 1, 3]);
});

test("a listener is added once", () => {
  const target = new EventTarget();
  let calls = 0;
  const listener = () => calls++;
  target.addEventListener("x", listener);
  target.addEventListener("x", listener, { passive: true, once: true });
  target.dispatchEvent(new Event("x"));
  target.dispatchEvent(new Event("x"));
  assertEquals(calls, 2);
  target.addEventListener("x", listener, true);
  target.dispatchEvent(new Event("x"));
  assertEquals(calls, 4);
});

test("removal", () => {
  const target = new EventTarget();
  let calls = 0;
  const listener = () => calls++;
  target.addEventListener("x", listener, true);
  target.removeEventListener("x", listener);
  target.removeEventListener("y", listener, true);
  target.dispatchEvent(new Event("x"));
  assertEquals(calls, 1);
  target.removeEventListener("x", listener, { capture: true });
  target.dispatchEvent(new Event("x"));
  assertEquals(calls, 1);
  target.removeEventListener("x", null);
});

test("changes of the listeners during dispatch", () => {
  const target = new EventTarget();
  const log = [];
  const last = () => log.push("last");
  target.addEventListener(
    "x",
    () => {
      log.push("first");
      target.removeEventListener("x", last);
      target.addEventListener("x", () => log.push("new"));
    },
    { once: true },
  );
  target.addEventListener("x", last);
  target.dispatchEvent(new Event("x"));
  assertEquals(log, ["first"]);
  target.dispatchEvent(new Event("x"));
  assertEquals(log, ["first", "new"]);
});

test("once", () => {
  const target = new EventTarget();
  let calls = 0;
  target.addEventListener(
    "x",
    () => {
      calls++;
      target.dispatchEvent(new Event("x")); // gone already
    },
    { once: true },
  );
  target.dispatchEvent(new Event("x"));
  assertEquals(calls, 1);
});

test("handleEvent", () => {
  const target = new EventTarget();
  const seen = [];
  const listener = {
    get handleEvent() {
      seen.push("get");
      return function (event) {
        seen.push(this === listener, event.type);
      };
    },
  };
  target.addEventListener("x", listener);
  target.dispatchEvent(new Event("x"));
  target.dispatchEvent(new Event("x"));
  assertEquals(seen, ["get", true, "x", "get", true, "x"]);
  target.addEventListener("y", {});
  target.dispatchEvent(new Event("y"));
  assert(output(2).includes("TypeError"), "a missing handleEvent is reported");
});

test("stopping", () => {
  const target = new EventTarget();
  const log = [];
  target.addEventListener(
    "x",
    (event) => {
      log.push(1);
      event.stopPropagation();
    },
    true,
  );
  target.addEventListener("x", () => log.push(2), true);
  target.addEventListener("x", () => log.push(3));
  target.addEventListener("y", (event) => {
    log.push(4);
    event.stopImmediatePropagation();
  });
  target.addEventListener("y", () => log.push(5));
  const event = new Event("x");
  target.dispatchEvent(event);
  assertEquals(log, [1, 2], "the rest of the phase is still called");
  assertEquals(event.cancelBubble, false, "the flag is cleared afterwards");
  target.dispatchEvent(new Event("y"));
  assertEquals(log, [1, 2, 4]);
  const stopped = new Event("x");
  stopped.cancelBubble = true;
  assertEquals(stopped.cancelBubble, true);
  stopped.cancelBubble = false;
  assertEquals(stopped.cancelBubble, true);
  target.dispatchEvent(stopped);
  assertEquals(log, [1, 2, 4], "stopped beforehand");
});

test("cancelling", () => {
  const target = new EventTarget();
  target.addEventListener("x", (event) => event.preventDefault());
  target.addEventListener("r", (event) => (event.returnValue = false));
  assertEquals(target.dispatchEvent(new Event("x", { cancelable: true })), false);
  assertEquals(target.dispatchEvent(new Event("x")), true);
  assertEquals(target.dispatchEvent(new Event("r", { cancelable: true })), false);
  const event = new Event("none", { cancelable: true });
  event.preventDefault();
  assertEquals([event.defaultPrevented, event.returnValue, target.dispatchEvent(event)], [true, false, false]);
});

test("passive listeners can't cancel", () => {
  const target = new EventTarget();
  target.addEventListener("x", (event) => event.preventDefault(), { passive: true });
  assertEquals(target.dispatchEvent(new Event("x", { cancelable: true })), true);
});

test("an exception is reported and the rest goes on", () => {
  const target = new EventTarget();
  const log = [];
  target.addEventListener("x", () => {
    throw new RangeError("from a listener");
  });
  target.addEventListener("x", () => log.push("next"));
  assertEquals(target.dispatchEvent(new Event("x")), true);
  assertEquals(log, ["next"]);
  assert(/^Uncaught RangeError: from a listener\n    at /.test(output(2)));
});

test("dispatching again", () => {
  const target = new EventTarget();
  const event = new Event("x");
  let error;
  target.addEventListener("x", () => {
    try {
      target.dispatchEvent(event);
    } catch (thrown) {
      error = thrown;
    }
  });
  target.dispatchEvent(event);
  assertError(error, "InvalidStateError");
  target.dispatchEvent(event);
  assertThrows(() => target.dispatchEvent({ type: "x" }), TypeError);
  assertThrows(() => target.dispatchEvent(null), TypeError);
  assertThrows(() => target.dispatchEvent(), TypeError);
});

test("other events from within", () => {
  const outer = new EventTarget();
  const inner = new EventTarget();
  const log = [];
  outer.addEventListener("x", (event) => {
    inner.dispatchEvent(new Event("y"));
    log.push(event.currentTarget === outer);
    outer.dispatchEvent(new Event("z"));
  });
  outer.addEventListener("z", () => log.push("z"));
  inner.addEventListener("y", () => log.push("y"));
  outer.dispatchEvent(new Event("x"));
  assertEquals(log, ["y", true, "z"]);
});

test("signal", () => {
  const target = new EventTarget();
  const controller = new AbortController();
  let calls = 0;
  target.addEventListener("x", () => calls++, { signal: controller.signal });
  target.addEventListener(
    "x",
    () => {
      calls++;
      controller.abort();
    },
    { signal: controller.signal },
  );
  target.addEventListener("x", () => calls++, { signal: controller.signal });
  target.dispatchEvent(new Event("x"));
  assertEquals(calls, 2);
  target.dispatchEvent(new Event("x"));
  assertEquals(calls, 2);
  target.addEventListener("x", () => calls++, { signal: controller.signal });
  target.dispatchEvent(new Event("x"));
  assertEquals(calls, 2, "aborted beforehand");
  assertThrows(() => target.addEventListener("x", () => {}, { signal: null }), TypeError);
  assertThrows(() => target.addEventListener("x", () => {}, { signal: {} }), TypeError);
});

test("what listeners may be", () => {
  const target = new EventTarget();
  target.addEventListener("x", null);
  target.addEventListener("x", undefined);
  for (const bad of [1, "f", true, Symbol()]) assertThrows(() => target.addEventListener("x", bad), TypeError);
  assertThrows(() => target.addEventListener("x"), TypeError);
  assertThrows(() => target.removeEventListener("x"), TypeError);
  assertThrows(() => EventTarget.prototype.addEventListener.call({}, "x", () => {}), TypeError);
});

test("initEvent", () => {
  const event = new Event("x", { cancelable: true });
  event.preventDefault();
  event.initEvent("y", true);
  assertEquals([event.type, event.bubbles, event.cancelable, event.defaultPrevented], ["y", true, false, false]);
  const target = new EventTarget();
  target.addEventListener("y", (given) => given.initEvent("z"));
  target.dispatchEvent(event);
  assertEquals(event.type, "y", "nothing while it is dispatched");
  assertThrows(() => event.initEvent(), TypeError);
});

test("CustomEvent", () => {
  const detail = { a: 1 };
  const event = new CustomEvent("x", { detail, cancelable: true });
  assert(event instanceof Event);
  assertEquals([event.detail === detail, event.cancelable], [true, true]);
  assertEquals(new CustomEvent("x").detail, null);
  event.initCustomEvent("y", true, false, 7);
  assertEquals([event.type, event.bubbles, event.detail], ["y", true, 7]);
  assertEquals(Object.prototype.toString.call(event), "[object CustomEvent]");
});

test("subclasses", () => {
  class Counter extends EventTarget {
    count = 0;
    add() {
      this.count++;
      this.dispatchEvent(new Event("added"));
    }
  }
  class Named extends Event {
    get type() {
      return "other";
    }
  }
  const counter = new Counter();
  let seen = 0;
  counter.addEventListener("added", () => seen++);
  counter.add();
  assertEquals([seen, counter.count], [1, 1]);
  counter.dispatchEvent(new Named("added"));
  assertEquals(seen, 2, "an overridden type is not looked at");
});
