// Streams, as guests use them together; each rule of the standard is web-platform-tests' business (make check-wpt).
"use strict";

const collect = async (stream) => {
  const got = [];
  for await (const chunk of stream) got.push(chunk);
  return got;
};
const textOf = async (stream) => new TextDecoder().decode(await new Response(stream).arrayBuffer());
const countTo = (n) => {
  let i = 0;
  return new ReadableStream({ pull: (c) => (i < n ? c.enqueue(i++) : c.close()) });
};

test("a stream is read, iterated, piped through a transform and teed", async () => {
  const reader = countTo(2).getReader();
  assertEquals([await reader.read(), await reader.read(), await reader.read()], [{ value: 0, done: false }, { value: 1, done: false }, { value: undefined, done: true }]);
  const twice = new TransformStream({ transform: (chunk, c) => (c.enqueue(chunk), c.enqueue(chunk)) });
  assertEquals(await collect(countTo(3).pipeThrough(twice)), [0, 0, 1, 1, 2, 2]);
  const [a, b] = countTo(3).tee();
  assertEquals([await collect(a), await collect(b)], [[0, 1, 2], [0, 1, 2]]);
  assertEquals(await collect(ReadableStream.from(["x", Promise.resolve("y")])), ["x", "y"]);
});

test("a source is asked for no more than there is room for", async () => {
  let pulled = 0;
  const stream = new ReadableStream({ pull: (c) => c.enqueue(pulled++) }, { highWaterMark: 3 });
  await sleep(1);
  assertEquals(pulled, 3);
  await stream.getReader().read();
  await sleep(1);
  assertEquals(pulled, 4);
});

test("bytes are read into memory that the reader brings", async () => {
  const stream = new ReadableStream({ type: "bytes", pull: (c) => (c.enqueue(new Uint8Array([1, 2, 3])), c.close()) });
  const reader = stream.getReader({ mode: "byob" });
  const first = await reader.read(new Uint8Array(2));
  assertEquals([[...first.value], first.done, first.value.buffer.byteLength], [[1, 2], false, 2]);
  assertEquals([...(await reader.read(new Uint8Array(8))).value], [3]);
  assertEquals((await reader.read(new Uint8Array(8))).done, true);
});

test("an error goes through a pipe in both directions", async () => {
  const error = new Error("broken");
  let aborted;
  const sink = new WritableStream({ abort: (reason) => (aborted = reason) });
  await assertRejects(new ReadableStream({ start: (c) => c.error(error) }).pipeTo(sink), Error);
  assert(aborted === error);
  let cancelled;
  const source = new ReadableStream({ pull: (c) => c.enqueue(1), cancel: (reason) => (cancelled = reason) });
  await assertRejects(source.pipeTo(new WritableStream({ write: () => { throw error } })), Error);
  assert(cancelled === error);
});

test("a pipe ends by its signal", async () => {
  const controller = new AbortController();
  const piped = new ReadableStream({ pull: () => sleep(1000) }).pipeTo(new WritableStream(), { signal: controller.signal });
  controller.abort();
  await assertRejects(piped, "AbortError");
});

test("text is encoded and decoded over the ends of chunks", async () => {
  const parts = ["a\ud83d", "\ude00b", "\ud83d"];
  const bytes = ReadableStream.from(parts).pipeThrough(new TextEncoderStream());
  assertEquals(await textOf(bytes), "a\u{1f600}b\ufffd");
  const split = [[0xe2, 0x82], [0xac, 0x21]].map((one) => new Uint8Array(one));
  assertEquals((await collect(ReadableStream.from(split).pipeThrough(new TextDecoderStream()))).join(""), "\u20ac!");
  const bad = ReadableStream.from([new Uint8Array([0xff])]).pipeThrough(new TextDecoderStream("utf-8", { fatal: true }));
  await assertRejects(collect(bad), TypeError);
});

test("data is compressed and decompressed in all formats", async () => {
  const big = new Uint8Array(300000).map((_, i) => (i * i) >> 7);
  for (const format of ["gzip", "deflate", "deflate-raw"]) {
    const packed = new Response(new Response(big).body.pipeThrough(new CompressionStream(format)));
    const bytes = await packed.bytes();
    assert(bytes.length > 0 && bytes.length < big.length, format);
    const back = new Response(bytes).body.pipeThrough(new DecompressionStream(format));
    assertEquals(await new Response(back).bytes(), big, format);
    const cut = new Response(bytes.slice(0, -1)).body.pipeThrough(new DecompressionStream(format));
    await assertRejects(new Response(cut).bytes(), TypeError);
    const more = new Response(new Blob([bytes, "x"])).body.pipeThrough(new DecompressionStream(format));
    await assertRejects(new Response(more).bytes(), TypeError);
  }
  const known = Uint8Array.from(atob("H4sIAAAAAAAAA8tIzcnJVyjPL8pJAQCFEUoNCwAAAA=="), (c) => c.charCodeAt(0));
  assertEquals(await textOf(new Response(known).body.pipeThrough(new DecompressionStream("gzip"))), "hello world");
  await assertRejects(textOf(new Response("no gzip").body.pipeThrough(new DecompressionStream("gzip"))), TypeError);
  assertThrows(() => new CompressionStream("zip"), TypeError);
});

test("a body is a stream, and a stream a body", async () => {
  const r = new Response("hello");
  const again = new Response(r.body, r);
  assertEquals([await again.text(), r.bodyUsed, again.bodyUsed], ["hello", true, true]);
  const streamed = new Response(ReadableStream.from([new Uint8Array([104]), new Uint8Array([105])]));
  const copy = streamed.clone();
  assertEquals([await streamed.text(), await copy.text()], ["hi", "hi"]);
  await assertRejects(new Response(ReadableStream.from(["text"])).text(), TypeError);
  const locked = new Response("x");
  locked.body.getReader();
  await assertRejects(locked.text(), TypeError);
  assertEquals([locked.bodyUsed, new Response().body, await new Response().text()], [false, null, ""]);
  assertEquals((await collect(new Blob(["ab", "c"]).stream())).map((chunk) => [...chunk]), [[97, 98, 99]]);
  assertEquals(await new Blob(["x".repeat(200000)]).stream().getReader().read().then((got) => got.value.length), 65536);
});

test("a request that is made of another takes its body", async () => {
  const request = new Request("https://a.example/", { method: "POST", body: "data", headers: { "x-a": "1" } });
  const copy = new Request("https://b.example/", request);
  assertEquals([copy.url, copy.method, copy.headers.get("x-a"), copy.duplex, await copy.text(), request.bodyUsed], ["https://b.example/", "POST", "1", "half", "data", true]);
  const first = new Request("https://a.example/", { method: "POST", body: "data" });
  const second = new Request(first);
  assertEquals([first.bodyUsed, second.bodyUsed, await second.text()], [true, false, "data"]);
  assertThrows(() => new Request(first), TypeError);
  const body = ReadableStream.from([new Uint8Array([97])]);
  assertThrows(() => new Request("https://a.example/", { method: "POST", body }), TypeError, "without duplex");
  const streamed = new Request("https://a.example/", { method: "POST", body, duplex: "half" });
  assertEquals(await new Request(streamed).text(), "a");
});

test("multipart bodies are read", async () => {
  const sent = new FormData();
  sent.append("a", "1\n2");
  sent.append('n"', "\u00e4");
  sent.append("f", new File([new Uint8Array([0, 255, 13, 10])], "\u00f6.bin", { type: "x/y" }));
  const got = await new Response(sent).formData();
  assertEquals([got.get("a"), got.get('n"'), got.get("f").name, got.get("f").type], ["1\r\n2", "\u00e4", "\u00f6.bin", "x/y"]);
  assertEquals([...(await got.get("f").bytes())], [0, 255, 13, 10]);
  const type = { headers: { "content-type": "multipart/form-data; boundary=b" } };
  assertEquals([...(await new Response("--b--", type).formData())], []);
  await assertRejects(new Response("--b\r\nno", type).formData(), TypeError);
  await assertRejects(new Response("--b", { headers: { "content-type": "multipart/form-data" } }).formData(), TypeError);
  const bom = await new Response(new URLSearchParams("\ufeffa=1")).formData();
  assertEquals([...bom.keys()], ["\ufeffa"]);
});

test("data: and object URLs are fetched without a network", async () => {
  const r = await fetch("data:text/html;charset=utf-8,%3Cb%3E#x");
  assertEquals([r.status, r.headers.get("content-type"), await r.text()], [200, "text/html;charset=utf-8", "<b>"]);
  assertEquals(await (await fetch("data:;base64,aGk=")).text(), "hi");
  await assertRejects(fetch("data:text/plain"), TypeError);
  await assertRejects(fetch("data:;base64,?"), TypeError);
  const url = URL.createObjectURL(new Blob(["blob"], { type: "a/b" }));
  const got = await fetch(url);
  assertEquals([got.headers.get("content-type"), got.headers.get("content-length"), await got.text()], ["a/b", "4", "blob"]);
  URL.revokeObjectURL(url);
  await assertRejects(fetch(url), TypeError);
});

test("streams go on where a guest has replaced what they are made of", async () => {
  const kept = { then: Promise.prototype.then, push: Array.prototype.push, resolve: Promise.resolve };
  Promise.prototype.then = () => { throw new Error("then") };
  Array.prototype.push = () => { throw new Error("push") };
  Promise.resolve = () => { throw new Error("resolve") };
  Object.defineProperty(Array.prototype, 0, { set() { throw new Error("index") }, configurable: true });
  for (const name of ["error", "reader", "bytes", "value"])
    Object.defineProperty(Object.prototype, name, { set() { throw new Error(name) }, configurable: true });
  let text;
  try {
    const through = new Response("abc").body.pipeThrough(new TextDecoderStream()).pipeThrough(new TextEncoderStream());
    const [one, two] = through.tee();
    void two;
    text = await new Response(one).text();
  } finally {
    Promise.prototype.then = kept.then;
    Array.prototype.push = kept.push;
    Promise.resolve = kept.resolve;
    delete Array.prototype[0];
    for (const name of ["error", "reader", "bytes", "value"]) delete Object.prototype[name];
  }
  assertEquals(text, "abc");
});
