// MessageChannel, MessagePort and MessageEvent, by HTML's "Channel messaging".
"use strict";

test("a message arrives as a task of its own", async () => {
  const { port1, port2 } = new MessageChannel();
  const log = [];
  port1.onmessage = (event) => log.push(event.data);
  port2.postMessage(1);
  port2.postMessage({ a: [2] });
  log.push("sync");
  await null;
  log.push("microtask");
  await sleep(2);
  assertEquals(log, ["sync", "microtask", 1, { a: [2] }]);
});

test("the event", async () => {
  const { port1, port2 } = new MessageChannel();
  let event;
  port2.onmessage = (given) => (event = given);
  port1.postMessage("x");
  await sleep(2);
  assert(event instanceof MessageEvent);
  assertEquals(
    [event.type, event.data, event.origin, event.lastEventId, event.source, event.ports, event.isTrusted],
    ["message", "x", "", "", null, [], true],
  );
  assertEquals(event.target, port2);
});

test("messages wait for start", async () => {
  const { port1, port2 } = new MessageChannel();
  const log = [];
  port2.addEventListener("message", (event) => log.push(event.data));
  port1.postMessage(1);
  await sleep(2);
  assertEquals(log, []);
  port1.postMessage(2);
  port2.start();
  port2.start();
  port1.postMessage(3);
  assertEquals(log, []);
  await sleep(2);
  assertEquals(log, [1, 2, 3]);
});

test("messages come in order with timers and are copies", async () => {
  const { port1, port2 } = new MessageChannel();
  const log = [];
  const data = { a: 1 };
  port1.onmessage = (event) => log.push(event.data.a);
  setTimeout(() => log.push("timer"));
  port2.postMessage(data);
  data.a = 2;
  port2.postMessage(data);
  await sleep(2);
  assertEquals(log, ["timer", 1, 2]);
});

test("transfer", async () => {
  const { port1, port2 } = new MessageChannel();
  const got = [];
  port1.onmessage = (event) => got.push(event.data.byteLength);
  const buffers = [new ArrayBuffer(1), new ArrayBuffer(2), new ArrayBuffer(3)];
  port2.postMessage(buffers[0], [buffers[0]]);
  port2.postMessage(buffers[1], { transfer: [buffers[1]] });
  port2.postMessage(buffers[2]);
  assertEquals(
    buffers.map((buffer) => buffer.byteLength),
    [0, 0, 3],
  );
  assertThrows(() => port2.postMessage(() => {}), "DataCloneError");
  assertThrows(() => port2.postMessage(Symbol()), "DataCloneError");
  assertThrows(() => port2.postMessage(), TypeError);
  await sleep(2);
  assertEquals(got, [1, 2, 3]);
});

test("close", async () => {
  const { port1, port2 } = new MessageChannel();
  const log = [];
  port1.onmessage = (event) => log.push(event.data);
  port2.onmessage = (event) => log.push(event.data);
  port2.postMessage("on its way to a port that is open");
  port1.postMessage("on its way to a port that closes");
  port2.close();
  port1.postMessage("to nobody");
  port2.postMessage("from a closed port");
  await sleep(2);
  assertEquals(log, ["on its way to a port that is open"]);
});

test("no levels of nesting: a thousand messages back and forth are quick", async () => {
  const { port1, port2 } = new MessageChannel();
  const began = performance.now();
  await new Promise((resolve) => {
    let count = 0;
    port1.onmessage = () => (++count < 1000 ? port2.postMessage(0) : resolve());
    port2.postMessage(0);
  });
  assert(performance.now() - began < 4000);
});

test("MessageEvent by hand", () => {
  const event = new MessageEvent("m", { data: 1, origin: "o\ud800", lastEventId: 5, ports: new Set([1]) });
  assertEquals([event.data, event.origin, event.lastEventId, event.ports], [1, "o\ufffd", "5", [1]]);
  assertEquals(new MessageEvent("m").data, null);
  assertThrows(() => new MessageEvent(), TypeError);
  assertThrows(() => new MessagePort(), TypeError);
});
