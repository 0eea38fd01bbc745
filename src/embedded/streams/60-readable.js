// ReadableStream, as guests have it (Streams Standard): made of a source, or from what can be iterated; iterated, piped, teed.
"use strict";

(function (host, shared) {
  shared.readableStreams = shared.once(() => {
    const { ReflectApply, ReflectDefineProperty, ReflectSetPrototypeOf, RangeError } = shared.primordials;
    const { Symbol, SymbolIterator, TypeError } = shared.primordials;
    const { requireArguments } = shared;
    const { asyncIterator } = Symbol;
    const { AsyncIteratorPrototype } = shared;

    const parts = shared.streamParts();
    const { Deferred, chain, invoke, isObject, markHandled, rejectedWith, resolvedWith, then, toCount } = parts;
    const core = shared.readableCore();
    const chunks = shared.defaultControllers();
    const bytes = shared.byteControllers();
    const { ReadRequest, internal } = core;

    // ---- asynchronous iteration ------------------------------------------------------------------------------------------

    const END = {};
    class Iteration {
      reader;
      preventCancel;
      ongoing = null;
      finished = false;
      constructor(reader, preventCancel) {
        this.reader = reader;
        this.preventCancel = preventCancel;
      }
    }
    const readNext = (reader) => {
      const { promise, resolve, reject } = new Deferred();
      const request = new ReadRequest(
        (value) => resolve({ __proto__: null, value }),
        () => {
          core.release(reader);
          resolve(END);
        },
        (error) => {
          core.release(reader);
          reject(error);
        },
      );
      core.read(reader, request);
      return promise;
    };
    const nextSteps = (iteration) => {
      if (iteration.finished) return resolvedWith({ value: undefined, done: true });
      return then(
        readNext(iteration.reader),
        (got) => {
          iteration.ongoing = null;
          if (got !== END) return { value: got.value, done: false };
          iteration.finished = true;
          return { value: undefined, done: true };
        },
        (error) => {
          iteration.ongoing = null;
          iteration.finished = true;
          throw error;
        },
      );
    };
    const returnSteps = (iteration, value) => {
      if (iteration.finished) return resolvedWith({ value, done: true });
      iteration.finished = true;
      const { reader } = iteration;
      const result = iteration.preventCancel ? resolvedWith(undefined) : core.cancel(reader.stream, value);
      core.release(reader);
      return then(result, () => ({ value, done: true }));
    };
    const inTurn = (iteration, steps) =>
      (iteration.ongoing = iteration.ongoing === null ? steps() : chain(iteration.ongoing, steps, steps));

    let iterate;
    class Iterator {
      #iteration;
      constructor(iteration) {
        this.#iteration = iteration;
      }
      next() {
        try {
          const iteration = this.#iteration;
          return inTurn(iteration, () => nextSteps(iteration));
        } catch (error) {
          return rejectedWith(error);
        }
      }
      return(value = undefined) {
        try {
          const iteration = this.#iteration;
          return inTurn(iteration, () => returnSteps(iteration, value));
        } catch (error) {
          return rejectedWith(error);
        }
      }
      static {
        iterate = (stream, preventCancel) => new Iterator(new Iteration(core.acquire(stream), preventCancel));
      }
    }
    delete Iterator.prototype.constructor;
    shared.define(Iterator.prototype, "next", Iterator.prototype.next, true);
    shared.define(Iterator.prototype, "return", Iterator.prototype.return, true);
    ReflectDefineProperty(Iterator.prototype.return, "length", { __proto__: null, value: 1 });
    ReflectSetPrototypeOf(Iterator.prototype, AsyncIteratorPrototype);

    // ---- from what can be iterated -----------------------------------------------------------------------------------------

    const iteratorOf = (value) => {
      let method = value[asyncIterator];
      const isAsync = method !== undefined && method !== null;
      if (!isAsync) method = value[SymbolIterator];
      if (typeof method !== "function") throw new TypeError("ReadableStream.from: the argument can't be iterated");
      const iterator = ReflectApply(method, value, []);
      if (!isObject(iterator)) throw new TypeError("ReadableStream.from: the iterator is no object");
      return { __proto__: null, iterator, next: iterator.next, isAsync };
    };
    const resultOf = (result) => {
      if (!isObject(result)) throw new TypeError("ReadableStream.from: the iterator gave no object");
      return result;
    };
    const resolved = () => resolvedWith(undefined);
    const from = (value) => {
      const { iterator, next, isAsync } = iteratorOf(value);
      const step = () => {
        if (isAsync) return invoke(next, iterator, []);
        try {
          const result = resultOf(ReflectApply(next, iterator, []));
          const done = !!result.done;
          return then(resolvedWith(result.value), (given) => ({ __proto__: null, done, value: given }));
        } catch (error) {
          return rejectedWith(error);
        }
      };
      const pull = () =>
        then(step(), (result) => {
          if (resultOf(result).done) chunks.close(stream.controller);
          else chunks.enqueue(stream.controller, result.value);
        });
      const cancel = (reason) => {
        let method;
        try {
          method = iterator.return;
        } catch (error) {
          return rejectedWith(error);
        }
        if (method === undefined || method === null) return resolvedWith(undefined);
        return then(invoke(method, iterator, [reason]), (result) => void resultOf(result));
      };
      const stream = create(resolved, pull, cancel, 0);
      return stream.object;
    };

    // ---- the class -----------------------------------------------------------------------------------------------------------

    const setUpFromSource = (stream, source, strategy) => {
      const given = shared.dictionary(source, "ReadableStream");
      const auto = given.autoAllocateChunkSize;
      const autoAllocate = auto === undefined ? undefined : toCount(auto, "ReadableStream: autoAllocateChunkSize");
      const of = (name) => parts.optionalFunction(given[name], `ReadableStream: ${name}`);
      const methods = { __proto__: null, cancel: of("cancel"), pull: of("pull"), start: of("start") };
      const { type } = given;
      if (type !== undefined && `${type}` !== "bytes") throw new TypeError("ReadableStream: the type of a source is \"bytes\" or left out");
      if (type === undefined) {
        const size = parts.sizeOf(strategy);
        chunks.setUpFromSource(stream, source, methods, parts.markOf(strategy, 1), size);
        return;
      }
      if (strategy.size !== undefined) throw new RangeError("ReadableStream: a stream of bytes has no size function");
      bytes.setUpFromSource(stream, source, methods, parts.markOf(strategy, 0), autoAllocate);
    };
    const readOptions = (options, where) => {
      const given = shared.dictionary(options, where);
      const preventAbort = !!given.preventAbort;
      const preventCancel = !!given.preventCancel;
      const preventClose = !!given.preventClose;
      const { signal } = given;
      if (signal !== undefined && !shared.abort().isAbortSignal(signal)) throw new TypeError(`${where}: signal is not an AbortSignal`);
      return { __proto__: null, preventAbort, preventCancel, preventClose, signal };
    };
    const pipeThrough = (stream, transform, options) => {
      const where = "ReadableStream.pipeThrough";
      if (!isObject(transform)) throw new TypeError(`${where}: the transform is no object`);
      const { readable } = transform;
      if (!isReadable(readable)) throw new TypeError(`${where}: readable is not a ReadableStream`);
      const { isWritable, isLocked, streamOf: writableOf } = shared.writableStreams();
      const { writable } = transform;
      if (!isWritable(writable)) throw new TypeError(`${where}: writable is not a WritableStream`);
      const given = readOptions(options, where);
      if (core.isLocked(stream)) throw new TypeError(`${where}: the stream is locked`);
      const dest = writableOf(writable);
      if (isLocked(dest)) throw new TypeError(`${where}: the writable is locked`);
      markHandled(shared.streamPipes().pipeTo(stream, dest, given));
      return readable;
    };

    let isReadable, streamOf;
    class ReadableStream {
      #stream;
      constructor(underlyingSource = undefined, strategy = undefined) {
        if (underlyingSource === internal) {
          this.#stream = strategy;
          return;
        }
        const given = parts.readStrategy(strategy, "ReadableStream");
        if (underlyingSource !== undefined && !isObject(underlyingSource))
          throw new TypeError("ReadableStream: the source is no object");
        this.#stream = new core.StreamState();
        this.#stream.object = this;
        setUpFromSource(this.#stream, underlyingSource, given);
      }
      static from(asyncIterable) {
        requireArguments(arguments.length, 1, "ReadableStream.from");
        if (typeof asyncIterable !== "string" && !isObject(asyncIterable))
          throw new TypeError("ReadableStream.from: the argument can't be iterated");
        return from(asyncIterable);
      }
      get locked() {
        return core.isLocked(this.#stream);
      }
      cancel(reason = undefined) {
        try {
          if (core.isLocked(this.#stream)) return rejectedWith(new TypeError("ReadableStream.cancel: the stream is locked"));
          return core.cancel(this.#stream, reason);
        } catch (error) {
          return rejectedWith(error);
        }
      }
      getReader(options = undefined) {
        void this.#stream;
        const { mode } = shared.dictionary(options, "ReadableStream.getReader");
        if (mode === undefined) return core.defaultReader(this.#stream);
        if (`${mode}` !== "byob") throw new TypeError("ReadableStream.getReader: the mode is \"byob\" or left out");
        return bytes.byobReader(this.#stream);
      }
      pipeThrough(transform, options = undefined) {
        void this.#stream;
        requireArguments(arguments.length, 1, "ReadableStream.pipeThrough");
        return pipeThrough(this.#stream, transform, options);
      }
      pipeTo(destination, options = undefined) {
        try {
          void this.#stream;
          requireArguments(arguments.length, 1, "ReadableStream.pipeTo");
          const { isWritable, isLocked, streamOf: writableOf } = shared.writableStreams();
          if (!isWritable(destination)) throw new TypeError("ReadableStream.pipeTo: the destination is not a WritableStream");
          const given = readOptions(options, "ReadableStream.pipeTo");
          const dest = writableOf(destination);
          if (core.isLocked(this.#stream)) throw new TypeError("ReadableStream.pipeTo: the stream is locked");
          if (isLocked(dest)) throw new TypeError("ReadableStream.pipeTo: the destination is locked");
          return shared.streamPipes().pipeTo(this.#stream, dest, given);
        } catch (error) {
          return rejectedWith(error);
        }
      }
      tee() {
        const tee = teeOf(this.#stream);
        return [tee.branch1.object, tee.branch2.object];
      }
      values(options = undefined) {
        void this.#stream;
        return iterate(this.#stream, !!shared.dictionary(options, "ReadableStream.values").preventCancel);
      }
      static {
        isReadable = (value) => isObject(value) && #stream in value;
        streamOf = (value) => {
          if (!isReadable(value)) throw new TypeError("this is not a ReadableStream");
          return value.#stream;
        };
      }
    }
    core.setStreamOf(streamOf);
    const expose = (stream) => {
      stream.object = new ReadableStream(internal, stream);
      return stream;
    };
    // Streams of the platform's own: `start`, `pull` and `cancel` give promises.
    const create = (start, pull, cancel, mark) => {
      const stream = expose(new core.StreamState());
      chunks.setUp(stream, start, pull, cancel, mark, () => 1);
      return stream;
    };
    const createBytes = (start, pull, cancel) => {
      const stream = expose(new core.StreamState());
      bytes.setUp(stream, start, pull, cancel, 0, undefined);
      return stream;
    };
    // `copy`: makes the chunks of the second branch of those of the first, where they are not to be the same.
    const teeOf = (stream, copy) =>
      bytes.isByteController(stream.controller)
        ? shared.streamPipes().teeBytes(stream, createBytes)
        : shared.streamPipes().teeChunks(stream, create, copy ?? same);
    const same = (chunk) => chunk;

    const { ReadableStreamDefaultReader } = core;
    const { ReadableStreamDefaultController } = chunks;
    const { ReadableByteStreamController, ReadableStreamBYOBReader, ReadableStreamBYOBRequest } = bytes;
    shared.shapeInterfaces({ __proto__: null, ReadableStream });
    shared.define(ReadableStream.prototype, asyncIterator, ReadableStream.prototype.values, false);
    return {
      __proto__: null,
      ReadableByteStreamController,
      ReadableStream,
      ReadableStreamBYOBReader,
      ReadableStreamBYOBRequest,
      ReadableStreamDefaultController,
      ReadableStreamDefaultReader,
      create,
      createBytes,
      isReadable,
      streamOf,
      teeOf,
    };
  });
  shared.defineInterfaces(
    shared.readableStreams,
    "ReadableStream",
    "ReadableStreamDefaultReader",
    "ReadableStreamBYOBReader",
    "ReadableStreamDefaultController",
    "ReadableByteStreamController",
    "ReadableStreamBYOBRequest",
  );
});
