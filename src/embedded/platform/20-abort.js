// AbortController and AbortSignal (DOM, "Aborting ongoing activities").
"use strict";

(function (host, shared) {
  const { MathFloor, MathMax, ReflectApply, Set, SetPrototypeAdd, SetPrototypeDelete, SetPrototypeForEach, TypeError } =
    shared.primordials;
  const { list, newDOMException, requireArguments } = shared;
  const build = shared.once(() => {
    const internal = {}; // what only the platform can hand to the constructor
    const MAX_SAFE = 2 ** 53 - 1;
    let create, signalAbort, isAbortSignal, addAbortAlgorithm, removeAbortAlgorithm, isAborted, reasonOf, signalOf;
    const { Event, EventTarget, fireEvent, getEventHandler, setEventHandler } = shared.events();

    class AbortSignal extends EventTarget {
      #aborted = false;
      #reason = undefined;
      #algorithms = list();
      #dependent = false;
      #sources = null; // of a dependent signal
      #dependents = null;
      constructor() {
        if (arguments[0] !== internal) throw shared.illegalConstructor();
        super();
      }
      static abort(reason = undefined) {
        const signal = create();
        signal.#aborted = true;
        signal.#reason = reason === undefined ? abortError() : reason;
        return signal;
      }
      static timeout(milliseconds) {
        requireArguments(arguments.length, 1, "AbortSignal.timeout");
        const number = +milliseconds;
        if (!(number > -1 && number <= MAX_SAFE))
          throw new TypeError("AbortSignal.timeout: the milliseconds are not an integer from 0 to 2^53 - 1");
        const signal = create();
        shared.runAfter(MathMax(0, MathFloor(number)), () =>
          signalAbort(signal, newDOMException("signal timed out", "TimeoutError")),
        );
        return signal;
      }
      static any(signals) {
        requireArguments(arguments.length, 1, "AbortSignal.any");
        if ((typeof signals !== "object" || signals === null) && typeof signals !== "function")
          throw new TypeError("AbortSignal.any: the argument is not a sequence");
        const given = list();
        for (const signal of signals) {
          if (!isAbortSignal(signal)) throw new TypeError("AbortSignal.any: an item is not an AbortSignal");
          given[given.length] = signal;
        }
        const result = create();
        for (let i = 0; i < given.length; i++) {
          if (!given[i].#aborted) continue;
          result.#aborted = true;
          result.#reason = given[i].#reason;
          return result;
        }
        result.#dependent = true;
        result.#sources = new Set();
        for (let i = 0; i < given.length; i++) {
          if (given[i].#dependent) SetPrototypeForEach(given[i].#sources, (source) => result.#follow(source));
          else result.#follow(given[i]);
        }
        return result;
      }
      get aborted() {
        return this.#aborted;
      }
      get reason() {
        return this.#reason;
      }
      throwIfAborted() {
        if (this.#aborted) throw this.#reason;
      }
      get onabort() {
        void this.#aborted;
        return getEventHandler(this, "abort");
      }
      set onabort(value) {
        void this.#aborted;
        setEventHandler(this, "abort", value);
      }
      #follow(source) {
        SetPrototypeAdd(this.#sources, source);
        SetPrototypeAdd((source.#dependents ??= new Set()), this);
      }
      #forget(dependent) {
        if (this.#dependents) SetPrototypeDelete(this.#dependents, dependent);
      }
      #run() {
        if (this.#sources) SetPrototypeForEach(this.#sources, (source) => source.#forget(this));
        const algorithms = this.#algorithms;
        this.#algorithms = list();
        for (let i = 0; i < algorithms.length; i++) ReflectApply(algorithms[i], undefined, []);
        fireEvent(this, new Event("abort"));
      }
      static {
        create = () => new AbortSignal(internal);
        signalAbort = (signal, reason) => {
          if (signal.#aborted) return;
          signal.#aborted = true;
          signal.#reason = reason === undefined ? abortError() : reason;
          const also = list();
          if (signal.#dependents) {
            SetPrototypeForEach(signal.#dependents, (dependent) => {
              if (dependent.#aborted) return;
              dependent.#aborted = true;
              dependent.#reason = signal.#reason;
              also[also.length] = dependent;
            });
            signal.#dependents = null;
          }
          signal.#run();
          for (let i = 0; i < also.length; i++) also[i].#run();
        };
        isAbortSignal = (value) => typeof value === "object" && value !== null && #aborted in value;
        addAbortAlgorithm = (signal, algorithm) => {
          if (!signal.#aborted) signal.#algorithms[signal.#algorithms.length] = algorithm;
        };
        removeAbortAlgorithm = (signal, algorithm) => {
          const kept = list();
          for (let i = 0; i < signal.#algorithms.length; i++)
            if (signal.#algorithms[i] !== algorithm) kept[kept.length] = signal.#algorithms[i];
          signal.#algorithms = kept;
        };
        isAborted = (signal) => signal.#aborted;
        reasonOf = (signal) => signal.#reason;
      }
    }
    const abortError = () => newDOMException("signal is aborted without reason", "AbortError");

    class AbortController {
      #signal = create();
      get signal() {
        return this.#signal;
      }
      abort(reason = undefined) {
        signalAbort(this.#signal, reason);
      }
      static {
        signalOf = (controller) => controller.#signal;
      }
    }

    const classes = shared.shapeInterfaces({ __proto__: null, AbortSignal, AbortController });
    const algorithms = { __proto__: null, addAbortAlgorithm, removeAbortAlgorithm, signalAbort };
    return { __proto__: null, ...classes, ...algorithms, isAbortSignal, isAborted, reasonOf, signalOf };
  });
  shared.abort = build;
  shared.defineInterfaces(build, "AbortSignal", "AbortController");
});
