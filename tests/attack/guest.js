// A hostile guest in JavaScript, made by its seed: builtins found by a walk over every global and prototype, called with odd
// arguments, in between templates of the kinds of attack that have once succeeded.  Same seed, same guest.
// `kinds` names the templates it may take, as "A0 A3"; "" = all, and random calls.
(seed, kinds) => {
  "use strict";
  let state = seed >>> 0;
  const random = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const int = (n) => Math.floor(random() * n);
  const chance = (p) => random() < p;
  const pick = (list) => list[int(list.length)];
  const size = (most) => Math.floor(most ** random()); // small ones as often as large ones
  const attempt = (what) => {
    try {
      return what();
    } catch {
      return undefined;
    }
  };

  // ---- what there is ------------------------------------------------------------------------------------------------

  const roots = () => [
    globalThis,
    ...[
      () => (function* () { yield 1; })(),
      () => (async function* () { yield 1; })(),
      () => [][Symbol.iterator](),
      () => new Map()[Symbol.iterator](),
      () => new Set()[Symbol.iterator](),
      () => "a"[Symbol.iterator](),
      () => "a".matchAll(/a/g),
      () => new Intl.Segmenter("en").segment("a"),
      () => new Intl.Segmenter("en").segment("a")[Symbol.iterator](),
      () => Iterator.from([1]).map((x) => x),
      () => new Headers({ a: "b" }),
      () => new URLSearchParams("a=b").entries(),
      () => new AbortController().signal,
      () => new MessageChannel().port1,
      () => (async () => 1)(),
      () => new Proxy({}, {}),
    ].map(attempt),
  ];

  // [function, its owner] of everything that can be reached.
  const walk = () => {
    const seen = new Set();
    const found = [];
    const queue = roots().map((object) => [object, 0]);
    while (queue.length > 0 && found.length < 4000) {
      const [object, depth] = queue.shift();
      if ((typeof object !== "object" && typeof object !== "function") || object === null || seen.has(object)) continue;
      seen.add(object);
      if (depth > 5) continue;
      queue.push([attempt(() => Object.getPrototypeOf(object)), depth + 1]);
      for (const key of attempt(() => Reflect.ownKeys(object)) ?? []) {
        const property = attempt(() => Object.getOwnPropertyDescriptor(object, key));
        if (!property) continue;
        for (const value of [property.value, property.get, property.set]) {
          if (typeof value === "function") found.push([value, object]);
          if (value !== undefined) queue.push([value, depth + 1]);
        }
      }
    }
    return found;
  };
  let functions;
  const anyFunction = () => pick((functions ??= walk()));

  // ---- odd values ---------------------------------------------------------------------------------------------------

  const numbers = [0, -0, 1, -1, 2, 0.5, NaN, Infinity, -Infinity, 127, 255, 65536, 2 ** 29 - 24, 2 ** 30, 2 ** 31 - 1,
    -(2 ** 31), 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1, 2 ** 53, -(2 ** 53), 1e21, 1e308, 5e-324];
  const marks = ["\u0301\u0316", "\u0f71\u0f72\u0f74", "\u0300\u0323\u0345", "\u3099\u309a", "\u1100\u1161\u11a8"];
  const locales = ["de", "en-US", "ja-u-ca-japanese", "ar-u-nu-arab", "th-u-ca-buddhist", "bo", "zh-u-co-pinyin", "fa-u-ca-persian",
    "he-u-ca-hebrew", "und", "i-default", "x", "zh-u-ca-chinese", "am-u-ca-ethiopic", "ko-u-ca-dangi", "ar-u-ca-islamic-umalqura"];
  const openers = [["(?=", ")"], ["(?:", ")"], ["(", ")"], ["(?!", ")"], ["(?<=", ")"], ["(?<!", ")"], ["(?i:", ")"],
    ["(?:a|", ")"], ["(?:", ")*"], ["(?:", "){2}"], ["(?:", ")??"], ["[[", "]]"], ["[a--[", "]]"], ["[", "]"], ["{", "}"],
    ['{"a":', "}"], ["<", ">"], ["((", "))"]];
  const nested = () => {
    const [open, shut] = pick(openers);
    const depth = size(3e5);
    return open.repeat(depth) + pick(["a", "", "1", "\u0301"]) + (chance(0.8) ? shut.repeat(depth) : "");
  };
  const ropes = () => {
    let s = pick(["ab", "\u1234", "x".repeat(100)]);
    const one = chance(0.5);
    for (let i = size(2e5); i > 0; i--) s = one ? s + "xyz" : "xyz" + s;
    return s;
  };
  const strings = [
    () => "",
    () => String.fromCharCode(int(65536)),
    () => "\ud800",
    () => pick(["a", "\u1234", "\0", "%", "\udc00", "é", "😀"]).repeat(size(2e6)),
    () => pick(["a", "\u1234", "\0"]).repeat(size(2 ** 29 - 24)),
    () => pick(["a", "", "가"]) + pick(marks).repeat(size(1e6)),
    () => nested(),
    () => ropes(),
    () => pick(locales),
    () => `http://${pick(["h", "[::1]", "é.com"])}/${pick(["a/", "../", "%"]).repeat(size(1e5))}`,
    () => pick(["length", "constructor", "__proto__", "then", "next", "toString", "0", "-1", "4294967295"]),
    () => pick(["utf-8", "utf-16le", "SHA-512", "AES-GCM", "raw", "2020-01-01T00:00:00Z", "[1,[2]]", "NFKD"]),
  ];
  const buffers = [];
  const buffer = () => {
    if (buffers.length > 0 && chance(0.5)) return pick(buffers);
    const made = attempt(() =>
      pick([
        () => new ArrayBuffer(size(1 << 22)),
        () => new ArrayBuffer(1 << 16),
        () => new ArrayBuffer(size(1 << 16), { maxByteLength: 1 << 20 }),
        () => new ArrayBuffer(2 ** 33),
        () => new SharedArrayBuffer(size(1 << 16)),
        () => new WebAssembly.Memory({ initial: 1, maximum: 10, shared: chance(0.5) }).buffer,
      ])(),
    );
    if (made) buffers.push(made);
    return made;
  };
  const arrays = [Uint8Array, Int32Array, Float64Array, BigInt64Array, Uint8ClampedArray, Uint16Array, BigUint64Array, DataView];
  const view = () => attempt(() => (chance(0.5) ? new (pick(arrays))(buffer()) : new (pick(arrays))(buffer(), int(8) * 8, int(100))));

  const deep = (wrap, most = 2e5) => {
    let value = 1;
    for (let i = size(most); i > 0; i--) value = wrap(value);
    return value;
  };
  const cyclic = () => {
    const a = [1];
    const o = { a };
    a.push(o, a);
    return o;
  };
  let nesting = 0;
  // Comes back into the engine from where it asked for a value only.
  const reenter = () => {
    if (nesting > 4) return undefined;
    nesting++;
    try {
      return pick([...actions, () => callAny(), () => templates[pick(Object.keys(templates))]?.()])();
    } finally {
      nesting--;
    }
  };
  const trap = (result) => function () {
    attempt(() => chance(0.7) && reenter());
    if (chance(0.05)) for (;;);
    if (chance(0.1)) throw value();
    return result;
  };
  const hooked = () => ({
    get a() { return trap(1)(); },
    get length() { return trap(pick(numbers))(); },
    valueOf: trap(pick(numbers)),
    toString: trap("a"),
    toJSON: trap("j"),
    [Symbol.toPrimitive]: trap(pick([1, "1", 1n])),
    get [Symbol.species]() { return trap(pick([Array, Uint8Array, ArrayBuffer, Promise, RegExp]))(); },
    get constructor() { return trap({ [Symbol.species]: function (n) { trap()(); return buffer() ?? new ArrayBuffer(n); } })(); },
    [Symbol.iterator]: trap({ next: trap({ value: 1, done: chance(0.5) }), return: trap({}) }),
    get then() { return chance(0.3) ? trap((resolve) => resolve(1))() : undefined; },
    next: trap({ value: 1, done: chance(0.5) }),
    exec: trap(null),
    get flags() { return trap("gy")(); },
    get maxByteLength() { return trap(1 << 20)(); },
    get transfer() { return trap([buffer()])(); },
    get signal() { return trap(undefined)(); },
    get stream() { return trap(true)(); },
    get calendar() { return trap("gregory")(); },
    handleEvent: trap(1),
  });
  const proxied = () => new Proxy(pick([[], {}, () => 1, class {}, hooked()]), Object.fromEntries(
    ["get", "set", "has", "ownKeys", "getPrototypeOf", "apply", "construct", "getOwnPropertyDescriptor", "defineProperty",
      "deleteProperty"].filter(() => chance(0.4)).map((name) => [name, trap(pick([[], {}, true, undefined]))])));
  const objects = [
    () => [],
    () => [1, , 3],
    () => new Array(size(1e6)).fill(pick([1, "x", {}])),
    () => Object.assign([], { length: 2 ** 32 - 1 }),
    () => ({ length: pick(numbers), 0: 1 }),
    () => deep((x) => [x]),
    () => deep((x) => ({ a: x })),
    () => deep((x) => new Proxy(Object(x), {})),
    () => deep((x) => Object.create(Object(x)), 2e4),
    () => deep((x) => (typeof x === "function" ? x : () => 1).bind(null), 2e5),
    () => deep((x) => new Error("e", { cause: x }), 2e4),
    () => cyclic(),
    () => hooked(),
    () => proxied(),
    () => buffer(),
    () => view(),
    () => new Map([[1, hooked()]]),
    () => new Set([1, "a"]),
    () => new Date(pick(numbers)),
    () => new RegExp(pick(["a", "(a+)+$", "(?:a|b)*c", "\\p{L}", "[\\s\\S]"]), pick(["", "g", "y", "iu", "gv"])),
    () => Promise.resolve(1),
    () => Promise.reject(1),
    () => (function* () { for (;;) yield trap(1)(); })(),
    () => (async function* () { for (;;) yield trap(1)(); })(),
    () => function () { return trap(1).call(this); },
    () => class extends Array { static get [Symbol.species]() { return trap(Uint8Array)(); } },
    () => anyFunction()[0],
    () => anyFunction()[1],
    () => Symbol(),
    () => Symbol.iterator,
    () => new WeakRef({}),
    () => new FinalizationRegistry(trap(1)),
    () => ({ transfer: [buffer()] }),
    () => ({ timeZone: "Asia/Tokyo", dateStyle: "full", calendar: pick(["chinese", "hebrew", "islamic"]), numeric: true }),
    () => globalThis,
  ];
  const value = () => {
    const r = random();
    if (r < 0.2) return pick(numbers);
    if (r < 0.25) return pick([0n, -1n, 2n ** 64n, () => 2n ** BigInt(size(1e6))]);
    if (r < 0.45) return attempt(pick(strings));
    if (r < 0.5) return pick([null, undefined, true, false]);
    return attempt(pick(objects));
  };

  // ---- what it does ---------------------------------------------------------------------------------------------------

  const callAny = () => {
    const [f, owner] = anyFunction();
    const args = Array.from({ length: int(5) }, value);
    return attempt(() => (chance(0.25) ? Reflect.construct(f, args) : Reflect.apply(f, chance(0.4) ? owner : value(), args)));
  };
  const asm = (b) =>
    (function (stdlib, foreign, heap) {
      "use asm";
      var a = new stdlib.Uint8Array(heap);
      function f() { return a[0] | 0; }
      return f;
    })(globalThis, {}, b);
  const hot = (what, times = 200000) => {
    let s = 0;
    const f = (x) => { s = (s + what(x)) | 0; };
    for (let i = 0; i < times; i++) f(i);
    return s;
  };
  const actions = [
    () => { const b = buffer(); structuredClone(b, { transfer: [b] }); },
    () => buffer().transfer(int(100)),
    () => buffer().resize(int(1 << 20)),
    () => asm(chance(0.5) ? (buffers[0] ?? buffer()) : buffer()),
    () => buffers.forEach((b) => attempt(() => asm(b))),
    () => buffers.forEach((b) => attempt(() => b.transfer())),
    () => { const kept = []; for (;;) kept.push(new Array(1000)); },
    () => { const f = () => f() + 1; f(); },
    () => { const [, owner] = anyFunction(); owner[pick(Reflect.ownKeys(owner))] = value(); },
    () => Object.setPrototypeOf(anyFunction()[1], value()),
    () => setTimeout(trap(1), int(5)),
    () => queueMicrotask(trap(1)),
    () => Promise.resolve(hooked()),
    () => hot((x) => x * 2, 20000),
    () => console.log(value()),
  ];

  // At some depth of the guest's own stack.
  const atDepth = (what) => {
    const go = (n) => (n > 0 ? go(n - 1) + 0 : attempt(what) && 0);
    let depth = pick([0, 10, 1000, 5000, 7000]);
    if (chance(0.3)) {
      const all = () => { try { return all() + 1; } catch { return 1; } };
      depth = Math.max(0, all() - pick([5, 20, 50, 100, 300, 1000]));
    }
    attempt(() => go(depth));
  };

  const bombs = [
    (a, i) => a.push({ x: a.length }),
    (a, i) => a.push([i, i + 0.5]),
    (a, i) => a.push("x".repeat(1000) + i),
    (a, i) => a.push(() => i),
    (a, i) => a.push(new Array(100).fill(i)),
    (a, i) => a.push(new Map([[i, i]])),
    (a, i) => a.push(BigInt(i) ** 20n),
    (a, i) => a.push(new Float64Array(10)),
    (a, i) => a.push(Promise.resolve(i)),
    (a, i) => a.push(/a+/.exec("aaa")),
    (a, i) => a.push(Symbol(i)),
    (a, i) => a.push(new Proxy({}, {})),
    (a, i) => a.push({ [`k${i}`]: i }),
    (a, i) => (a[`k${i}`] = i),
    (a, i) => a.push(new Error(i)),
    (a, i) => a.push(new Intl.NumberFormat(pick(locales))),
    (a, i) => a.push(new Date(i).toISOString()),
  ];
  const big = () => pick(["\u1234", "a", "é", "\u0301", "%41"]).repeat(pick([2 ** 22, 2 ** 24, 2 ** 26, 2 ** 27, 2 ** 28]));

  const templates = {
    // An ordinary bomb, in code that is compiled by every tier meanwhile.
    A0() {
      const bomb = pick(bombs);
      const a = [];
      const form = int(8);
      if (form === 0) for (let i = 0; ; i++) bomb(a, i);
      if (form === 1) for (;;) [1, 2, 3].forEach((x, i) => bomb(a, i));
      if (form === 2) for (let i = 0; ; i++) { bomb(a, i); if (i % 1000 === 0) hot((x) => x % 7, 1000); }
      if (form === 3) { const g = (function* () { for (let i = 0; ; i++) yield bomb(a, i); })(); for (const x of g) if (x < 0) break; }
      for (;;) a.push({ x: a.length });
    },
    // What was checked before guest code ran is not so any more afterwards.
    A1() {
      const b = new ArrayBuffer(pick([1 << 16, 1 << 20, 100]), chance(0.3) ? { maxByteLength: 1 << 20 } : undefined);
      const change = pick([() => asm(b), () => asm(b), () => asm(b), () => b.transfer(), () => structuredClone(b, { transfer: [b] }), () => b.resize(int(1 << 20)),
        () => b.resize(0), () => new WebAssembly.Memory({ initial: 1 }).grow(1)]);
      const once = () => { attempt(change); return 1; };
      const lure = { get a() { return once(); }, get b() { return once(); }, get transfer() { once(); return [b]; }, valueOf: once,
        toString: () => `${once()}`, [Symbol.toPrimitive]: once, get stream() { return once(); }, get length() { return once(); },
        [Symbol.iterator]: function* () { once(); yield b; }, get fatal() { return once(); } };
      const plain = pick([{ get a() { return once(); } }, [1, { get x() { return once(); } }], new Map([[1, { get a() { return once(); } }]])]);
      const array = () => new (pick([Uint8Array, Int32Array, Float64Array]))(b, 0, chance(0.5) ? int(12) : undefined);
      attempt(pick([
        () => structuredClone(plain, { transfer: [b] }),
        () => structuredClone(plain, { transfer: [new ArrayBuffer(8), b, new MessageChannel().port1] }),
        () => structuredClone({ b, plain, array: array() }, { transfer: [b] }),
        () => structuredClone([plain, b], lure),
        () => structuredClone(lure, lure),
        () => new MessageChannel().port1.postMessage(plain, [b]),
        () => new MessageChannel().port1.postMessage(plain, { transfer: [b] }),
        () => new MessageChannel().port1.postMessage(plain, { transfer: { [Symbol.iterator]: function* () { yield b; once(); yield b; } } }),
        () => array().set(lure, lure),
        () => array().fill(lure, lure, lure),
        () => array().subarray(lure, lure),
        () => array().copyWithin(lure, lure, lure),
        () => array().slice(lure),
        () => array().sort(once),
        () => array().map(once),
        () => array().toLocaleString(lure),
        () => array().with(lure, lure),
        () => array().indexOf(1, lure),
        () => Atomics.store(new Int32Array(b), lure, lure),
        () => Atomics.compareExchange(new Int32Array(b), lure, lure, lure),
        () => new DataView(b, lure, lure),
        () => new DataView(b).setFloat64(lure, lure),
        () => new Uint8Array(b, lure, lure),
        () => b.slice(lure, lure),
        () => b.resize(lure),
        () => b.transfer(lure),
        () => new TextDecoder().decode(array(), lure),
        () => new TextDecoder("utf-8", lure).decode(b, lure),
        () => new TextEncoder().encodeInto(lure, new Uint8Array(b)),
        () => crypto.getRandomValues(new Proxy(array(), {})),
        () => crypto.subtle.digest({ get name() { once(); return "SHA-512"; } }, b),
        () => new Blob([array(), lure, b]),
        () => String.fromCharCode.apply(null, new Proxy(array(), { get: (t, k) => (once(), Reflect.get(t, k)) })),
        () => new Response(array(), lure),
        () => JSON.stringify(array(), lure),
        () => new Uint8Array(lure),
      ]));
    },
    // Recursion in the engine's own code, at any depth of the stack.
    A2() {
      atDepth(() => {
        const text = nested();
        return pick([
          () => new RegExp(text, pick(["", "u", "v", "i"])).test("aaa"),
          () => "a".match(new RegExp(text)),
          () => JSON.parse(text),
          () => JSON.stringify(deep((x) => [x])),
          () => String(deep((x) => [x])),
          () => deep((x) => [x]).flat(Infinity),
          () => structuredClone(deep((x) => ({ a: x }))),
          () => ropes().charCodeAt(5),
          () => ropes() === ropes(),
          () => /b/.test(ropes()),
          () => deep((x) => new Proxy(Object(x), {})).a,
          () => deep((x) => (typeof x === "function" ? x : () => 1).bind(null))(),
          () => new Intl.Locale(`en-u-${"ca-".repeat(size(1e5))}x`),
          () => new Intl.NumberFormat("en", { style: "unit", unit: `meter-per-${text}` }),
          () => new Date(text),
          () => Object.keys(deep((x) => Object.create(Object(x)), 1e5)),
          () => { for (const k in deep((x) => Object.create(Object(x)), 1e5)) return k; },
          () => BigInt(`0x${"f".repeat(size(1e6))}`) ** 3n,
          () => encodeURIComponent(ropes()),
          () => new URL(`http://h/${text}`),
          () => text.normalize("NFD").localeCompare(text),
          () => Array.prototype.concat.call(...deep((x) => [x], 1e4)),
          () => console.log(deep((x) => [x])),
          () => deep((x) => [x]).toLocaleString("de"),
          () => Promise.resolve(deep((x) => ({ then: (r) => r(x) }), 1e4)),
          () => new Function(`return ${text}`),
        ])();
      });
    },
    // Ended within what the whole process shares: ICU's caches, the list of futexes, the code of WebAssembly, the allocators.
    A3() {
      const a = [];
      const shared = attempt(() => new Int32Array(new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }).buffer));
      // Functions of the engine that call functions of the engine, and never look whether they are to stop.
      if (chance(0.5)) {
        const memory = attempt(() => new WebAssembly.Memory({ initial: 1, maximum: 100 }));
        const called = attempt(pick([
          () => Atomics.notify.bind(null, shared, 0, 1),
          () => Atomics.notify.bind(null, shared, 0, 1),
          () => Atomics.waitAsync.bind(null, shared, 0, 0, 1),
          () => Date.prototype.toLocaleString.bind(new Date(int(1e12)), pick(locales), { dateStyle: "full" }),
          () => Intl.DateTimeFormat.prototype.formatToParts.bind(new Intl.DateTimeFormat(pick(locales)), int(1e12)),
          () => Intl.DateTimeFormat.bind(null, pick(locales), undefined),
          () => Intl.Collator.bind(null, pick(locales), undefined),
          () => Intl.NumberFormat.bind(null, pick(locales), undefined),
          () => memory.grow.bind(memory, 0),
          () => Reflect.construct.bind(null, ArrayBuffer, [size(1 << 22)]),
          () => "a".localeCompare.bind(pick(marks).repeat(int(100)), pick(marks).repeat(int(100)), pick(locales)),
        ]));
        for (;;) new Uint8Array(pick([1e4, 8e6]))[pick(["forEach", "some", "map"])](called);
      }
      const kept = chance(0.7);
      const fill = chance(0.5) ? () => a.push(new Array(500).fill(1)) : () => 0;
      const step = chance(0.3) ? () => Atomics.waitAsync(shared, int(16), 0, pick([1, 1000, Infinity])) : pick([
        () => new Intl.DateTimeFormat(pick(locales), { dateStyle: "full", timeZone: pick(["Asia/Tokyo", "Europe/Berlin", "UTC"]) }),
        () => new Intl.DateTimeFormat(pick(locales)).formatToParts(new Date(int(1e12))),
        () => new Date(int(1e12)).toLocaleString(pick(locales), { calendar: pick(["chinese", "hebrew", "islamic-umalqura", "dangi"]) }),
        () => new Intl.Collator(pick(locales)),
        () => pick(marks).repeat(1000).localeCompare(pick(marks).repeat(1000), pick(locales)),
        () => ("a" + pick(marks).repeat(size(1e6))).normalize(pick(["NFD", "NFKC", "NFC"])),
        () => new Intl.Segmenter(pick(locales)).segment(pick(marks).repeat(10000)),
        () => new Intl.DisplayNames(pick(locales), { type: "region" }).of("DE"),
        () => new Intl.PluralRules(pick(locales)).select(int(100)),
        () => new Intl.RelativeTimeFormat(pick(locales)).format(1, "day"),
        () => new Intl.ListFormat(pick(locales)).format(["a", "b"]),
        () => Intl.supportedValuesOf(pick(["calendar", "timeZone", "currency"])),
        () => Atomics.waitAsync(shared, int(16), 0, pick([1, 1000, Infinity])),
        () => Atomics.waitAsync(new Int32Array(new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }).buffer), 0, 0),
        () => Atomics.notify(shared, int(16)),
        () => new WebAssembly.Memory({ initial: 1, maximum: 100 }).grow(int(3)),
        () => new ArrayBuffer(size(1 << 24)),
        () => new Array(size(1e6)).fill(0),
        () => new RegExp(`a${a.length}|b`).test("b"),
      ]);
      for (;;) {
        const made = chance(0.05) ? attempt(step) : step();
        if (kept) a.push(made);
        fill();
      }
    },
    // The heap is filled in steps, between which the engine's own tasks run.
    async A4() {
      const a = [];
      const bomb = pick(bombs);
      const steps = pick([100, 1000, 10000, 100000]);
      const fill = () => { for (let i = 0; i < steps; i++) bomb(a, i); };
      if (chance(0.4)) setInterval(fill, int(3));
      if (chance(0.3)) {
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = () => { fill(); port2.postMessage(1); };
        port2.postMessage(1);
      }
      if (chance(0.2)) new FinalizationRegistry(fill).register({}, 1);
      for (;;) {
        fill();
        await pick([() => new Promise((resolve) => setTimeout(resolve, int(4))), () => null])();
      }
    },
    // One step that takes much memory at once.
    A5() {
      const s = big();
      const steps = [() => encodeURIComponent(s), () => btoa(s), () => s.toUpperCase(), () => s.localeCompare(s + "a"), () => escape(s),
        () => s.normalize("NFD"), () => JSON.stringify(s), () => [...s], () => s.split(""), () => s.replace(/./g, "$&$&"),
        () => s.padEnd(2 ** 29), () => new TextEncoder().encode(s), () => structuredClone(s), () => JSON.parse(`"${s}"`),
        () => s.toLocaleLowerCase("tr"), () => decodeURIComponent(s), () => new Blob([s]), () => new URL(`http://h/${s}`),
        () => new RegExp(s), () => Symbol(s), () => ({ [s]: 1 }), () => s.isWellFormed(), () => atob(s), () => console.log(s),
        () => new Intl.Segmenter().segment(s), () => s.at(-1) + s, () => BigInt(`0x${"f".repeat(s.length)}`), () => Array.from(s)];
      for (let i = 0; i < 4; i++) attempt(pick(steps));
    },
    // Host functions that work in one piece.
    A8() {
      const bytes = attempt(() => new Uint8Array(pick([2 ** 20, 2 ** 24, 2 ** 26, 2 ** 28])));
      for (;;) attempt(pick([() => new TextDecoder().decode(bytes), () => crypto.subtle.digest("SHA-512", bytes),
        () => structuredClone(0, { transfer: Array.from({ length: size(60000) }, () => new ArrayBuffer(1)) }),
        () => crypto.getRandomValues(bytes), () => new Blob([bytes, bytes]).arrayBuffer(), () => new URL("http://h").pathname]));
    },
  };

  const wanted = kinds ? kinds.split(" ").filter((kind) => templates[kind]) : [];
  if (wanted.length > 0) return templates[pick(wanted)]();
  const steps = 1 + int(200);
  for (let i = 0; i < steps; i++) {
    if (chance(0.02)) {
      const name = pick(Object.keys(templates));
      if (name === "A4") return templates.A4();
      attempt(templates[name]);
    } else if (chance(0.1)) {
      attempt(pick(actions));
    } else {
      callAny();
    }
  }
  if (chance(0.5)) return templates[pick(Object.keys(templates))]();
  return chance(0.2) ? value() : undefined;
}
