// What all streams are made of (Streams Standard): promises that no guest can have changed, queues, and the strategies.
//
// A stream, its controller and its reader or writer are each an object of the platform's own, a "state", which guests never
// see; what they see has it in a private field.  States have all their fields from the beginning, so that nothing is looked up
// in a prototype.
"use strict";

(function (host, shared) {
  shared.streamParts = shared.once(() => {
    const { Number, Promise, PromisePrototypeThen, RangeError, ReflectApply, TypeError } = shared.primordials;
    const { requireArguments } = shared;

    // ---- promises ------------------------------------------------------------------------------------------------

    class Deferred {
      promise;
      resolve;
      reject;
      constructor() {
        this.promise = new Promise((resolve, reject) => {
          this.resolve = resolve;
          this.reject = reject;
        });
      }
    }
    const nothing = () => {};
    const resolvedWith = (value) => new Promise((resolve) => resolve(value));
    const rejectedWith = (error) => new Promise((resolve, reject) => reject(error));
    // Rejections of it are nobody's business.
    const markHandled = (promise) => void PromisePrototypeThen(promise, undefined, nothing);
    // Neither of the two may throw.
    const upon = (promise, fulfilled, rejected) => void PromisePrototypeThen(promise, fulfilled, rejected);
    const then = PromisePrototypeThen;
    const settled = (value) => {
      const deferred = new Deferred();
      deferred.resolve(value);
      return deferred;
    };
    const failed = (error) => {
      const deferred = new Deferred();
      deferred.reject(error);
      markHandled(deferred.promise);
      return deferred;
    };
    // What becomes of `promise` becomes of `deferred`.  Not by resolving it with the promise, which would look for a `then`
    // that a guest may have changed.
    const forward = (promise, deferred) => upon(promise, deferred.resolve, deferred.reject);
    // Like then(promise, steps, rejected) of steps that give a promise.
    const chain = (promise, steps, rejected) => {
      const deferred = new Deferred();
      const goOn = (by) => (value) => {
        try {
          forward(by(value), deferred);
        } catch (error) {
          deferred.reject(error);
        }
      };
      upon(promise, goOn(steps), rejected === undefined ? deferred.reject : goOn(rejected));
      return deferred.promise;
    };
    // Calls what a guest gave; it may give anything, or throw.
    const invoke = (method, self, args) => {
      try {
        return resolvedWith(ReflectApply(method, self, args));
      } catch (error) {
        return rejectedWith(error);
      }
    };

    // ---- queues ------------------------------------------------------------------------------------------------

    class Node {
      value;
      size;
      next = null;
      constructor(value, size) {
        this.value = value;
        this.size = size;
      }
    }
    class Queue {
      first = null;
      last = null;
      length = 0;
      total = 0; // of the sizes
      push(value, size) {
        const node = new Node(value, size);
        if (this.last === null) this.first = node;
        else this.last.next = node;
        this.last = node;
        this.length++;
        this.total += size;
      }
      shift() {
        const node = this.first;
        this.first = node.next;
        if (this.first === null) this.last = null;
        this.length--;
        this.total -= node.size;
        if (this.total < 0) this.total = 0; // rounding
        return node.value;
      }
      reset() {
        this.first = this.last = null;
        this.length = this.total = 0;
      }
    }
    const enqueueWithSize = (queue, value, size) => {
      if (typeof size !== "number" || !(size >= 0) || size === Infinity)
        throw new RangeError(`a chunk's size must be a finite number that is not negative, not ${shared.inspect(size)}`);
      queue.push(value, size);
    };

    // ---- what guests give ----------------------------------------------------------------------------------------

    const isObject = (value) => (typeof value === "object" && value !== null) || typeof value === "function";
    const optionalFunction = (value, where) => {
      if (value !== undefined && typeof value !== "function") throw new TypeError(`${where} is not a function`);
      return value;
    };
    const toCount = (value, where) => {
      const number = +value;
      const whole = number < 0 ? -Math_floor(-number) : Math_floor(number);
      if (!(whole >= 0 && whole <= 2 ** 53 - 1)) throw new TypeError(`${where} is out of range`);
      return whole;
    };
    const Math_floor = shared.primordials.MathFloor;
    // Web IDL's conversion of a QueuingStrategy.
    const readStrategy = (value, where) => {
      const options = shared.dictionary(value, where);
      const { highWaterMark } = options;
      const mark = highWaterMark === undefined ? undefined : +highWaterMark;
      return { __proto__: null, highWaterMark: mark, size: optionalFunction(options.size, `${where}: size`) };
    };
    const markOf = (strategy, whenAbsent) => {
      const mark = strategy.highWaterMark;
      if (mark === undefined) return whenAbsent;
      if (!(mark >= 0)) throw new RangeError(`the highWaterMark must be a number that is not negative, not ${mark}`);
      return mark;
    };
    const sizeOf = ({ size }) => (size === undefined ? () => 1 : (chunk) => +ReflectApply(size, undefined, [chunk]));

    return {
      __proto__: null,
      Deferred,
      Queue,
      enqueueWithSize,
      chain,
      failed,
      forward,
      invoke,
      isObject,
      markHandled,
      markOf,
      nothing,
      optionalFunction,
      readStrategy,
      rejectedWith,
      resolvedWith,
      settled,
      sizeOf,
      then,
      toCount,
      upon,
    };
  });

  const strategies = shared.once(() => {
    const { Number, TypeError } = shared.primordials;
    const { requireArguments } = shared;
    const { byteLength, count } = {
      byteLength: { size: (chunk) => chunk.byteLength }.size,
      count: { size: () => 1 }.size,
    };
    const readMark = (init, where) => {
      const { highWaterMark } = shared.dictionary(init, where);
      if (highWaterMark === undefined) throw new TypeError(`${where}: highWaterMark is required`);
      return Number(highWaterMark);
    };
    class ByteLengthQueuingStrategy {
      #mark;
      constructor(init) {
        requireArguments(arguments.length, 1, "ByteLengthQueuingStrategy");
        this.#mark = readMark(init, "ByteLengthQueuingStrategy");
      }
      get highWaterMark() {
        return this.#mark;
      }
      get size() {
        void this.#mark;
        return byteLength;
      }
    }
    class CountQueuingStrategy {
      #mark;
      constructor(init) {
        requireArguments(arguments.length, 1, "CountQueuingStrategy");
        this.#mark = readMark(init, "CountQueuingStrategy");
      }
      get highWaterMark() {
        return this.#mark;
      }
      get size() {
        void this.#mark;
        return count;
      }
    }
    return shared.shapeInterfaces({ __proto__: null, ByteLengthQueuingStrategy, CountQueuingStrategy });
  });
  shared.defineInterfaces(strategies, "ByteLengthQueuingStrategy", "CountQueuingStrategy");
});
