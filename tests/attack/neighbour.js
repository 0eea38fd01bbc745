// The neighbour of hostile guests: calls of it must be right and on time, whatever they do.
export const echo = (x) => x;

const hot = (f, times) => {
  let s = 0;
  for (let i = 0; i < times; i++) s = (s + f(i)) | 0;
  return s;
};

let shared; // where guests may share memory at all
try {
  shared = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }).buffer;
} catch {
  // They may not.
}

// Work of every tier and of what all isolates of a process share; each is true.
const works = [
  () => hot((i) => i % 7, 70000) === 210000,
  () => hot((i) => [i].map((x) => x % 7)[0], 7000) === 21000,
  () => hot((i) => Math.round(i * 0.5 + 0.25) - Math.floor(i / 2), 1000) === 500,
  () => hot((i) => `${i}`.length, 10000) === 38890,
  () => { const o = {}; for (let i = 0; i < 3000; i++) o[`k${i % 50}`] = i; return Object.keys(o).length === 50; },
  () => new Float64Array(1000).fill(0.5).reduce((a, b) => a + b) === 500,
  () => Array.from({ length: 500 }, (_, i) => (i * 7919) % 500).sort((a, b) => a - b)[499] === 499,
  () => "a1b22c333".replace(/\d+/g, (d) => `<${d.length}>`) === "a<1>b<2>c<3>",
  () => JSON.stringify(JSON.parse('{"a":[1,2,{"b":null}]}')) === '{"a":[1,2,{"b":null}]}',
  () => new Intl.DateTimeFormat("en-US", { timeZone: "UTC" }).format(new Date(0)) === "1/1/1970",
  () => new Date(0).toLocaleDateString("en-US", { calendar: "hebrew", timeZone: "UTC" }).includes("5730"),
  () => new Date(0).toLocaleDateString("en-US", { calendar: "islamic-umalqura", timeZone: "UTC" }).length > 5,
  () => "a".localeCompare("b") === -1 && "\u00e4".normalize("NFD").length === 2 && "İ".toLocaleLowerCase("tr") === "i",
  () => new Intl.NumberFormat("de").format(1234.5) === "1.234,5",
  () => (2n ** 200n % 1000n) === 376n,
  () => [...(function* () { for (let i = 0; i < 100; i++) yield i; })()].length === 100,
  () => structuredClone(new Map([[1, { a: new Date(5) }]])).get(1).a.getTime() === 5,
  () => new TextDecoder().decode(new TextEncoder().encode("äöü")) === "äöü",
  () => { try { const f = () => f() + 1; return f(); } catch (e) { return e instanceof RangeError; } },
  () => { const s = "xy".repeat(5000); let t = ""; for (let i = 0; i < 100; i++) t += s; return t.indexOf("z") === -1; },
  () => new URL("http://h/../a?b#c").pathname === "/a",
  () => { const b = new ArrayBuffer(8); structuredClone(b, { transfer: [b] }); return b.byteLength === 0; },
  () => shared === undefined || Atomics.notify(new Int32Array(shared), 0) === 0,
  () => shared === undefined || !Atomics.waitAsync || Atomics.waitAsync(new Int32Array(shared), 0, 1).value === "not-equal",
  () => new Uint8Array(new ArrayBuffer(1 << 20)).length === 1 << 20,
];

export const work = (n) => works[n % works.length]();
