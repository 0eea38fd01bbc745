// The shape of the global object by Web IDL, and what a guest can't reach or break.
"use strict";

const interfaces = {
  AbortController: 0,
  AbortSignal: 0,
  Blob: 0,
  ByteLengthQueuingStrategy: 1,
  CompressionStream: 1,
  CountQueuingStrategy: 1,
  DecompressionStream: 1,
  ReadableByteStreamController: 0,
  ReadableStream: 0,
  ReadableStreamBYOBReader: 1,
  ReadableStreamBYOBRequest: 0,
  ReadableStreamDefaultController: 0,
  ReadableStreamDefaultReader: 1,
  TextDecoderStream: 0,
  TextEncoderStream: 0,
  TransformStream: 0,
  TransformStreamDefaultController: 0,
  WritableStream: 0,
  WritableStreamDefaultController: 0,
  WritableStreamDefaultWriter: 1,
  Crypto: 0,
  CryptoKey: 0,
  CustomEvent: 1,
  DOMException: 0,
  Event: 1,
  EventTarget: 0,
  File: 2,
  FormData: 0,
  Headers: 0,
  MessageChannel: 0,
  MessageEvent: 1,
  MessagePort: 0,
  Navigator: 0,
  Performance: 0,
  ProgressEvent: 1,
  Request: 1,
  Response: 0,
  SubtleCrypto: 0,
  TextDecoder: 0,
  TextEncoder: 0,
  URL: 1,
  URLSearchParams: 0,
  XMLHttpRequest: 0,
  XMLHttpRequestEventTarget: 0,
  XMLHttpRequestUpload: 0,
};
const operations = {
  atob: 1,
  btoa: 1,
  clearInterval: 0,
  clearTimeout: 0,
  fetch: 1,
  queueMicrotask: 1,
  reportError: 1,
  setInterval: 1,
  setTimeout: 1,
  structuredClone: 1,
};
const attributes = ["crypto", "navigator", "performance", "self"];

test("interfaces", () => {
  for (const name in interfaces) {
    const constructor = globalThis[name];
    const property = Object.getOwnPropertyDescriptor(globalThis, name);
    assertEquals([property.writable, property.enumerable, property.configurable], [true, false, true], name);
    assertEquals([constructor.name, constructor.length], [name, interfaces[name]]);
    const { prototype } = constructor;
    assertEquals(Object.getOwnPropertyDescriptor(constructor, "prototype").writable, false, name);
    assertEquals(
      Object.getOwnPropertyDescriptor(prototype, Symbol.toStringTag),
      { value: name, writable: false, enumerable: false, configurable: true },
      name,
    );
    assertEquals(Object.getOwnPropertyDescriptor(prototype, "constructor").enumerable, false, name);
    for (const key of Reflect.ownKeys(prototype)) {
      if (key === "constructor" || typeof key === "symbol") continue;
      const member = Object.getOwnPropertyDescriptor(prototype, key);
      assertEquals(member.enumerable, true, `${name}.prototype.${key}`);
      if (typeof member.value === "function") assertThrows(() => new member.value(), TypeError, `new ${name}.${key}`);
      const promised = key === "closed" || key === "ready"; // Web IDL: their getters reject
      if (promised) member.get.call({}).then(undefined, () => {});
      else if (member.get) assertThrows(() => member.get.call({}), TypeError, `${name}.${key} of another object`);
    }
  }
});

test("operations", () => {
  for (const name in operations) {
    const property = Object.getOwnPropertyDescriptor(globalThis, name);
    assertEquals([property.writable, property.enumerable, property.configurable], [true, true, true], name);
    assertEquals([property.value.name, property.value.length], [name, operations[name]]);
    assertThrows(() => new property.value(() => {}), TypeError, `new ${name}`);
    assertEquals("prototype" in property.value, false, name);
  }
});

test("attributes", () => {
  for (const name of attributes) {
    const property = Object.getOwnPropertyDescriptor(globalThis, name);
    assertEquals([property.get.name, property.enumerable, property.configurable], [`get ${name}`, true, true], name);
    assert(globalThis[name] === globalThis[name], name);
  }
});

test("nothing else was put onto the global object", () => {
  const known = new Set([...Object.keys(interfaces), ...Object.keys(operations), ...attributes, "console"]);
  const ours = new Set([
    "test",
    "assert",
    "assertEquals",
    "assertThrows",
    "assertRejects",
    "assertError",
    "sleep",
    "output",
    "native",
    "shared",
  ]);
  const language = new Set(
    (
      "Object Function Array Number parseFloat parseInt Infinity NaN undefined Boolean String Symbol Date " +
      "Promise RegExp Error AggregateError EvalError RangeError ReferenceError SyntaxError TypeError " +
      "URIError globalThis JSON Math Intl ArrayBuffer Uint8Array Int8Array Uint16Array Int16Array " +
      "Uint32Array Int32Array Float32Array Float64Array Uint8ClampedArray BigUint64Array BigInt64Array " +
      "DataView Map BigInt Set WeakMap WeakSet WeakRef Proxy Reflect FinalizationRegistry decodeURI " +
      "decodeURIComponent encodeURI encodeURIComponent escape unescape eval isFinite isNaN WebAssembly " +
      "Atomics SharedArrayBuffer Iterator SuppressedError DisposableStack AsyncDisposableStack Float16Array"
    ).split(" "),
  );
  for (const key of Reflect.ownKeys(globalThis))
    assert(known.has(key) || ours.has(key) || language.has(key), `the unknown global ${String(key)}`);
});

test("a global that was never touched can be replaced and deleted", () => {
  for (const name of ["MessagePort", "SubtleCrypto"]) {
    const before = globalThis[name];
    globalThis[name] = 5;
    assertEquals(Object.getOwnPropertyDescriptor(globalThis, name), {
      value: 5,
      writable: true,
      enumerable: false,
      configurable: true,
    });
    globalThis[name] = before;
  }
  const kept = Object.getOwnPropertyDescriptor(globalThis, "Performance");
  assertEquals(delete globalThis.Performance, true);
  assertEquals(typeof Performance, "undefined");
  Object.defineProperty(globalThis, "Performance", kept);
});

test("host functions and internals can't be reached", () => {
  const seen = new Set();
  const suspicious = [];
  const internal = [shared, shared.primordials, shared.inspect, shared.runTimers, shared.list];
  const visit = (value, path) => {
    if ((typeof value !== "object" && typeof value !== "function") || value === null || seen.has(value)) return;
    seen.add(value);
    if (internal.includes(value)) suspicious.push(path);
    for (const key of Reflect.ownKeys(value)) {
      if (["shared", "native", "test"].includes(key) && value === globalThis) continue;
      const property = Object.getOwnPropertyDescriptor(value, key);
      for (const kind of ["value", "get", "set"]) visit(property[kind], `${path}.${String(key)}`);
    }
    visit(Object.getPrototypeOf(value), `${path}.__proto__`);
  };
  for (const name of [...Object.keys(interfaces), ...attributes]) void globalThis[name];
  visit(globalThis, "globalThis");
  for (const object of [
    new URL("http://h"),
    new URLSearchParams("a").entries(),
    new Event("x"),
    new AbortController(),
    new MessageChannel(),
    new TextDecoder(),
    crypto.subtle,
    performance,
  ])
    visit(object, "object");
  assertEquals(suspicious, []);
  assert(seen.size > 500, "the walk went somewhere");
});

test("stack traces do not hand out the platform's functions", () => {
  const before = Error.prepareStackTrace;
  let calls = [];
  Error.prepareStackTrace = (error, sites) => {
    calls.push(...sites.map((site) => [site.getFunction(), site.getThis()]));
    return "";
  };
  try {
    for (const body of [
      () => new URL("x"),
      () => new DOMException().stack,
      () => atob("%"),
      () => structuredClone(() => {}),
      () => new TextDecoder("x"),
      () => crypto.getRandomValues(1),
    ]) {
      try {
        void body().stack;
      } catch (error) {
        void error.stack;
      }
    }
  } finally {
    Error.prepareStackTrace = before;
  }
  assert(calls.length > 10);
  assert(calls.every(([f, self]) => f === undefined && (self === undefined || self === globalThis)));
});

// Replaces every method of the built-in prototypes by one that throws, and looks at what still works.
test("a guest that breaks the built-ins does not break the platform", async () => {
  const stderr = [];
  const kept = [];
  const target = new EventTarget();
  const decoder = new TextDecoder();
  const data = new TextEncoder().encode("text é");
  const { log } = console;
  log({ warm: [1, new Map([[1, 2]]), new Set([3])] }, new Error("x"));
  void [URL, MessageChannel, crypto, performance, AbortController];
  output(1);
  const prototypes = [
    Array,
    Map,
    Set,
    WeakMap,
    String,
    Number,
    RegExp,
    Promise,
    Function,
    Uint8Array,
    Error,
    Date,
    Symbol,
  ].map((constructor) => constructor.prototype);
  prototypes.push(
    Object.getPrototypeOf(Uint8Array.prototype),
    Reflect,
    Object,
    JSON,
    Math,
    Array,
    String,
    Number,
    Object.getPrototypeOf([].values()),
    Object.getPrototypeOf(new Map().entries()),
  );
  const ownKeys = Reflect.ownKeys;
  const describe = Reflect.getOwnPropertyDescriptor;
  const define = Reflect.defineProperty;
  const results = {};
  const done = new Promise((resolve) => {
    let pending = 2;
    const one = () => --pending || resolve();
    results.timer = one;
    results.channel = one;
  });
  const broken = () => {
    throw new EvalError("a broken built-in was used");
  };
  let text, out, url, reported, clone, counted;
  for (let i = 0; i < prototypes.length; i++) {
    const keys = ownKeys(prototypes[i]);
    for (let k = 0; k < keys.length; k++) {
      const key = keys[k];
      const property = describe(prototypes[i], key);
      if (key === "constructor" || !property.configurable || typeof property.value !== "function") continue;
      kept[kept.length] = [prototypes[i], key, property];
    }
  }
  for (let i = 0; i < kept.length; i++)
    define(kept[i][0], kept[i][1], { value: broken, writable: true, configurable: true });
  define(Object.prototype, "get", { value: broken, configurable: true, writable: true });
  define(Array.prototype, 0, { set: broken, get: broken, configurable: true });
  try {
    log("%s %o", "a", { a: [1, { b: "c" }], m: new Map() }, -0);
    console.group("g");
    console.count();
    console.groupEnd();
    out = output(1);
    text = decoder.decode(data) + new TextDecoder("latin1").encoding;
    const parsed = new URL("../x y?a=1#f", "http://u:p@Ex.com:80/a/b/c");
    parsed.searchParams.append("b", "é");
    url = parsed.href;
    setTimeout(results.timer, 0);
    const cleared = setTimeout(broken, 0);
    clearTimeout(cleared);
    const channel = new MessageChannel();
    channel.port1.onmessage = results.channel;
    channel.port2.postMessage({ a: 1 });
    clone = structuredClone({ a: 1 }).a;
    const controller = new AbortController();
    target.addEventListener("x", () => counted++, { signal: controller.signal });
    target.addEventListener(
      "x",
      () => {
        counted = 1;
        controller.abort();
      },
      { once: true, capture: true },
    );
    target.dispatchEvent(new Event("x"));
    reportError(new Error("reported"));
    reported = output(2);
    crypto.getRandomValues(new Uint32Array(1));
    crypto.randomUUID();
    performance.now();
    queueMicrotask(() => (stderr.micro = true));
    btoa(atob("YQ=="));
  } finally {
    delete Object.prototype.get;
    delete Array.prototype[0];
    for (let i = 0; i < kept.length; i++) define(kept[i][0], kept[i][1], kept[i][2]);
  }
  await done;
  assertEquals(out, "a { a: [ 1, { b: 'c' } ], m: Map(0) {} } -0\ng\n  default: 1\n");
  assertEquals(text, "text éwindows-1252");
  assertEquals(url, "http://u:p@ex.com/a/x%20y?a=1&b=%C3%A9#f");
  assertEquals([clone, counted, stderr.micro], [1, 1, true]);
  assert(reported.startsWith("Uncaught Error: reported\n    at "), reported);
});

test("code can't be made from strings", () => {
  assertThrows(() => (0, eval)("1"), EvalError);
  assertThrows(() => new Function("return 1"), EvalError);
});
