// Exceptions of every kind, for tests/test_isolate_javascript.c.
const inner = (value) => value.absent.field;

export function plain(value) {
  return inner(value);
}
export async function rejected(value) {
  await null;
  throw new RangeError(`no ${value}`);
}
export class Custom extends Error {
  get name() {
    return "Custom";
  }
}
export const custom = () => {
  throw new Custom("own");
};
export const caused = () => {
  throw new Error("outer", { cause: new Error("inner") });
};
export const aggregate = () => Promise.any([Promise.reject(new Error("one")), Promise.reject(2)]);
export const recurse = (value) => recurse(value) + 1;
export const thrown = (source) => {
  throw thrownValues[source]();
};
const failing = (message) => () => {
  throw new Error(message);
};
const thrownValues = {
  string: () => "text",
  number: () => 42,
  nan: () => NaN,
  undefined: () => undefined,
  null: () => null,
  symbol: () => Symbol("mark"),
  bigint: () => 12n,
  object: () => ({ a: 1 }),
  bare: () => Object.create(null),
  array: () => [1, 2],
  function: () => function named() {},
  like: () => ({ name: "Like", message: "an error", stack: "made up" }),
  name: () => Object.defineProperty(new Error("m"), "name", { get: failing("name") }),
  message: () => Object.defineProperty(new Error("m"), "message", { get: failing("message") }),
  stack: () => Object.defineProperty(new Error("m"), "stack", { get: failing("stack") }),
  numbers: () => Object.assign(new Error("m"), { name: 1, message: 2, stack: 3 }),
  objects: () => Object.assign(new Error("m"), { name: {}, message: { toString: failing("no") }, stack: [] }),
  proxy: () =>
    new Proxy({}, new Proxy({}, { get: () => failing("trap") })),
  revoked: () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    return proxy;
  },
  surrogate: () => new Error("lone \ud800 and \u{1f600} and \0 nul"),
  long: () => new Error("x".repeat(2000000)),
};
export const hostile = (kind) => hostileValues[kind]();
const hostileValues = {
  thenGetter: () => ({ get then() { throw new Error("then"); } }),
  thenThrows: () => ({ then() { throw new Error("called"); } }),
  tagGetter: () => ({ get [Symbol.toStringTag]() { throw new Error("tag"); } }),
  getter: () => ({ a: { get b() { throw new Error("b"); } } }),
  toJSON: () => ({ toJSON() { throw new Error("toJSON"); } }),
  toJSONProxy: () => ({ toJSON() { throw new Proxy({}, { getPrototypeOf() { throw 1; }, has: () => true }); } }),
  proxy: () => new Proxy({}, { ownKeys() { throw new Error("keys"); } }),
  revoked: () => thrownValues.revoked(),
  length: () => Object.defineProperty(new Uint8Array(2), "byteLength", { value: 1e9 }),
};
export const loose = () => {
  setTimeout(() => {
    throw new Error("in a timer");
  }, 0);
  Promise.reject(new Error("unhandled"));
  return new Promise((resolve) => setTimeout(() => resolve("went on"), 5));
};
