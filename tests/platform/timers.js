// Timers and microtasks, by HTML's "Timers" and "Microtask queuing".
"use strict";

const settled = (ms) => sleep(ms);

// For what comes soon, on a machine that is busy later; and a little longer, for what must not come after it.
const until = async (condition) => {
  for (let i = 0; i < 400 && !condition(); i++) await sleep(5);
  await sleep(10);
};

test("a timeout runs once, with its arguments and the global as this", async () => {
  let seen;
  const id = setTimeout(
    function (...args) {
      seen = [this === globalThis, ...args];
    },
    1,
    "a",
    2,
  );
  assertEquals([typeof id, id > 0, Number.isInteger(id)], ["number", true, true]);
  assertEquals(seen, undefined, "never at once");
  await settled(5);
  assertEquals(seen, [true, "a", 2]);
});

test("ids are distinct", () => {
  const ids = new Set([setTimeout(() => {}), setInterval(() => {}), setTimeout(() => {}), setTimeout(() => {}, 1)]);
  assertEquals(ids.size, 4);
});

test("order: by deadline, then by creation", async () => {
  const log = [];
  setTimeout(() => log.push("10"), 10);
  setTimeout(() => log.push("5"), 5);
  setTimeout(() => log.push("0a"), 0);
  setTimeout(() => log.push("0b"));
  setTimeout(() => log.push("0c"), -7);
  await settled(15);
  assertEquals(log, ["0a", "0b", "0c", "5", "10"]);
});

test("many timers come in order", async () => {
  const delays = [];
  for (let i = 0; i < 300; i++) delays.push((i * 7919) % 23);
  const log = [];
  const ids = delays.map((delay, i) => setTimeout(() => log.push([delay, i]), delay));
  for (let i = 0; i < 300; i += 3) clearTimeout(ids[i]);
  await until(() => log.length >= 200);
  assertEquals(log.length, 200);
  assert(
    log.every(([, i]) => i % 3 !== 0),
    "none of those that were cleared",
  );
  // All were made within a few milliseconds, so only neighbours may differ from the order of delays.
  assert(log.every(([delay], i) => i === 0 || delay > log[i - 1][0] - 5));
});

test("microtasks run between two timers", async () => {
  const log = [];
  setTimeout(() => {
    log.push("t1");
    queueMicrotask(() => log.push("m1"));
    Promise.resolve().then(() => log.push("p1"));
  });
  setTimeout(() => log.push("t2"));
  await settled(5);
  assertEquals(log, ["t1", "m1", "p1", "t2"]);
});

test("delays are converted to a long", async () => {
  const log = [];
  for (const delay of [2 ** 31, Infinity, NaN, "x", {}, undefined, null, 2 ** 32, "1", true, -1, [1]])
    setTimeout(() => log.push(delay), delay);
  await until(() => log.length >= 12);
  assertEquals(log.length, 12);
  const id = setTimeout(() => log.push("late"), 2 ** 31 - 1);
  await settled(5);
  assertEquals(log.length, 12);
  clearTimeout(id);
  assertThrows(() => setTimeout(() => {}, Symbol()), TypeError);
  assertThrows(() => setTimeout(() => {}, 1n), TypeError);
});

test("handlers that are no functions are refused", () => {
  for (const bad of ["code()", undefined, null, 1, {}]) {
    assertThrows(() => setTimeout(bad), TypeError, `${bad}`);
    assertThrows(() => setInterval(bad), TypeError, `${bad}`);
  }
  assertThrows(() => setTimeout(), TypeError);
});

test("clearing", async () => {
  const log = [];
  clearTimeout(setTimeout(() => log.push(1)));
  clearInterval(setTimeout(() => log.push(2)));
  clearTimeout(setInterval(() => log.push(3)));
  const other = setTimeout(() => log.push("never"), 2);
  setTimeout(() => clearTimeout(`${other}`), 0);
  for (const nothing of [undefined, null, 0, -1, 1e9, "x", NaN, {}]) (clearTimeout(nothing), clearInterval(nothing));
  clearTimeout();
  const id = setTimeout(() => log.push("ran"));
  await settled(8);
  clearTimeout(id);
  assertEquals(log, ["ran"]);
});

test("an interval repeats until it is cleared", async () => {
  let count = 0;
  const id = setInterval(
    (step) => {
      count += step;
      if (count === 3) clearInterval(id);
    },
    1,
    1,
  );
  await until(() => count >= 3);
  assertEquals(count, 3);
});

test("an interval that was held up does not catch up in a burst", async () => {
  let count = 0;
  const id = setInterval(() => count++, 2);
  const until = performance.now() + 20;
  while (performance.now() < until);
  await settled(1);
  assert(count <= 2, `ran ${count} times`);
  clearInterval(id);
});

test("nested timeouts are held back from the sixth level on", async () => {
  const times = [];
  await new Promise((resolve) => {
    const next = () => {
      times.push(performance.now());
      if (times.length < 10) setTimeout(next, 0);
      else resolve();
    };
    setTimeout(next, 0);
  });
  const late = times.at(-1) - times[5];
  assert(late >= 15.9, `four levels took ${late} ms`);
});

test("an exception is reported, and the loop goes on", async () => {
  let after = false;
  setTimeout(() => {
    throw new TypeError("in a timer");
  });
  setTimeout(() => (after = true));
  await settled(5);
  assertEquals(after, true);
  const text = output(2);
  assert(text.startsWith("Uncaught TypeError: in a timer\n    at "), text);
  assert(text.includes("timers.js"));
  let count = 0;
  const id = setInterval(() => {
    if (++count === 2) clearInterval(id);
    throw 7;
  }, 1);
  await until(() => count >= 2);
  assertEquals([count, output(2)], [2, "Uncaught 7\nUncaught 7\n"]);
});

test("runTimers and clearAllTimers, as the host sees them", () => {
  shared.clearAllTimers();
  assertEquals(shared.runTimers(performance.now()), -1);
  let ran = 0;
  const id = setTimeout(() => ran++, 1000);
  setTimeout(() => ran++, 2000);
  const now = performance.now();
  const wait = shared.runTimers(now);
  assert(wait > 990 && wait <= 1000, `${wait}`);
  assertEquals(ran, 0);
  assert(shared.runTimers(now + 5000) === 0, "one task a call");
  assertEquals(ran, 1);
  clearTimeout(id);
  assertEquals(shared.runTimers(now + 5000), 0, "what comes of it is not known yet");
  assertEquals(ran, 2);
  assertEquals(shared.runTimers(now + 5000), -1);
  setTimeout(() => ran++, 0);
  shared.clearAllTimers();
  assertEquals(shared.runTimers(now + 5000), -1);
  assertEquals(ran, 2);
});

test("queueMicrotask", async () => {
  const log = [];
  queueMicrotask(function () {
    log.push("a", this === undefined, arguments.length);
  });
  Promise.resolve().then(() => log.push("p"));
  queueMicrotask(() => log.push("b"));
  log.push("sync");
  await null;
  await null;
  assertEquals(log, ["sync", "a", true, 0, "p", "b"]);
  for (const bad of [undefined, null, 1, "f", {}]) assertThrows(() => queueMicrotask(bad), TypeError);
  assertThrows(() => queueMicrotask(), TypeError);
});

test("an exception in a microtask is reported", async () => {
  queueMicrotask(() => {
    throw new RangeError("in a microtask");
  });
  await settled(1);
  assert(output(2).startsWith("Uncaught RangeError: in a microtask\n    at "));
});

test("reportError", () => {
  reportError(new Error("told"));
  reportError("a string");
  reportError(undefined);
  reportError({ a: 1 });
  const text = output(2);
  assert(text.startsWith("Uncaught Error: told\n    at "));
  assert(text.endsWith("Uncaught 'a string'\nUncaught undefined\nUncaught { a: 1 }\n"), text);
  assertThrows(() => reportError(), TypeError);
});
