// Handlers of every shape, for tests/test_isolate_javascript.c.
import { twice } from "./lib/twice.js";
import * as nested from "./lib/nested/index.js";
import first, { count, increment } from "/app/lib/counter.js";

export const echo = (value) => value;
export function noParameter() {
  return [__aardvarkInput === undefined ? "nothing" : __aardvarkInput];
}
export function withDefault(value = 7) {
  return [value];
}
export function variadic(...args) {
  return args;
}
export async function quick(value) {
  return value;
}
export async function sleepy(value) {
  const started = performance.now();
  await new Promise((resolve) => setTimeout(resolve, 20));
  await Promise.all([1, 2, 3].map((ms) => new Promise((resolve) => setTimeout(resolve, ms))));
  return { value, slept: performance.now() - started >= 20 };
}
export async function manyTicks(count) {
  for (let i = 0; i < count; i++) await undefined;
  return count;
}
export const thenable = (value) => ({
  then(resolve) {
    setTimeout(() => resolve([value]), 1);
  },
});
export const promised = (value) => new Promise((resolve) => queueMicrotask(() => resolve(value)));
export async function later(value) {
  const module = await import("./lib/late.js");
  return module.late(value);
}
export const imported = (value) => [twice(value), nested.name, first, count];
export const counting = () => {
  increment();
  return count;
};
export const generatorResult = () => [...(function* () { yield 1; yield 2; })()];
export const holder = {
  name: "holder",
  method(value) {
    return [this.name, value];
  },
  deep: { fn: (value) => value },
};
export class Service {
  static own(value) {
    return [this.name, value];
  }
}
export const ownThis = function () {
  return this === undefined;
};
export const constant = 5;
export default function () {
  return "default";
}
export const depthOf = (value) => {
  let depth = 0;
  for (let at = value; at.length; at = at[0]) depth++;
  return depth;
};
export const nestedTo = (depth) => {
  let value = [];
  for (let i = 0; i < depth; i++) value = [value];
  return value;
};
export const typed = () => new Float64Array([1.5, -2]);
export const shifted = () => new Uint16Array(new Uint16Array([1, 2, 3, 4]).buffer, 2, 2);
export const view = () => new DataView(new Uint8Array([1, 2, 3]).buffer, 1);
export const buffer = () => new Uint8Array([1, 2, 3]).buffer;
export const bytes = () => new Uint8Array([0, 1, 255]);
export const noBytes = () => new Uint8Array(0);
export const big64 = () => new BigInt64Array([-1n]);
export const largeBuffer = () => new Uint8Array(10485760).fill(7);
export const detached = () => {
  const { buffer } = new Uint8Array(8);
  const array = new Uint8Array(buffer);
  structuredClone(buffer, { transfer: [buffer] });
  return array;
};
