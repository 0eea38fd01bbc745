// TransformStream and its controller (Streams Standard).
"use strict";

(function (host, shared) {
  shared.transformStreams = shared.once(() => {
    const { RangeError, ReflectApply, TypeError } = shared.primordials;

    const parts = shared.streamParts();
    const { Deferred, chain, invoke, rejectedWith, resolvedWith, then, upon } = parts;
    const { create: createReadable } = shared.readableStreams();
    const chunks = shared.defaultControllers();
    const writables = shared.writableStreams();
    const internal = {};

    class StreamState {
      readable = null;
      writable = null;
      backpressure = false;
      change = null;
      // The controller's.
      object = null;
      transform = null;
      flush = null;
      cancel = null;
      finish = null;
    }

    const setBackpressure = (stream, backpressure) => {
      if (stream.change !== null) stream.change.resolve(undefined);
      stream.change = new Deferred();
      stream.backpressure = backpressure;
    };
    const clear = (stream) => {
      stream.transform = stream.flush = stream.cancel = null;
    };
    const unblockWrite = (stream) => {
      if (stream.backpressure) setBackpressure(stream, false);
    };
    const failWritable = (stream, error) => {
      clear(stream);
      writables.errorIfNeeded(stream.writable.controller, error);
      unblockWrite(stream);
    };
    const fail = (stream, error) => {
      chunks.fail(stream.readable.controller, error);
      failWritable(stream, error);
    };
    const enqueue = (stream, chunk) => {
      const c = stream.readable.controller;
      if (!chunks.mayEnqueue(c)) throw new TypeError("TransformStreamDefaultController.enqueue: the readable side takes no more chunks");
      try {
        chunks.enqueue(c, chunk);
      } catch (error) {
        failWritable(stream, error);
        throw stream.readable.error;
      }
      if (chunks.hasBackpressure(c) !== stream.backpressure) setBackpressure(stream, true);
    };
    const terminate = (stream) => {
      chunks.close(stream.readable.controller);
      failWritable(stream, new TypeError("the transform has been terminated"));
    };
    const perform = (stream, chunk) =>
      then(stream.transform(chunk), undefined, (error) => {
        fail(stream, error);
        throw error;
      });

    const sinkWrite = (stream, chunk) => {
      if (!stream.backpressure) return perform(stream, chunk);
      return chain(stream.change.promise, () => {
        const { writable } = stream;
        if (writable.state === "erroring") throw writable.error;
        return perform(stream, chunk);
      });
    };
    // Ends once, whoever asks first: `steps` gives a promise, `done` and `failed` what follows.
    const finish = (stream, steps, done, failed) => {
      if (stream.finish !== null) return stream.finish.promise;
      stream.finish = new Deferred();
      const { promise, resolve, reject } = stream.finish;
      const result = steps();
      clear(stream);
      upon(
        result,
        () => done(resolve, reject),
        (error) => {
          failed(error);
          reject(error);
        },
      );
      return promise;
    };
    const failReadable = (stream) => (error) => chunks.fail(stream.readable.controller, error);
    const sinkAbort = (stream, reason) =>
      finish(
        stream,
        () => stream.cancel(reason),
        (resolve, reject) => {
          if (stream.readable.state === "errored") return reject(stream.readable.error);
          chunks.fail(stream.readable.controller, reason);
          return resolve(undefined);
        },
        failReadable(stream),
      );
    const sinkClose = (stream) =>
      finish(
        stream,
        () => stream.flush(),
        (resolve, reject) => {
          if (stream.readable.state === "errored") return reject(stream.readable.error);
          chunks.close(stream.readable.controller);
          return resolve(undefined);
        },
        failReadable(stream),
      );
    const sourceCancel = (stream, reason) =>
      finish(
        stream,
        () => stream.cancel(reason),
        (resolve, reject) => {
          if (stream.writable.state === "errored") return reject(stream.writable.error);
          writables.errorIfNeeded(stream.writable.controller, reason);
          unblockWrite(stream);
          return resolve(undefined);
        },
        (error) => {
          writables.errorIfNeeded(stream.writable.controller, error);
          unblockWrite(stream);
        },
      );
    const sourcePull = (stream) => {
      setBackpressure(stream, false);
      return stream.change.promise;
    };

    const initialize = (stream, started, writableMark, writableSize, readableMark, readableSize) => {
      // As late as the standard has it, which makes a promise of this one.
      const start = () => chain(started, () => resolvedWith(undefined));
      stream.writable = writables.create(
        start,
        (chunk) => sinkWrite(stream, chunk),
        () => sinkClose(stream),
        (reason) => sinkAbort(stream, reason),
        writableMark,
        writableSize,
      );
      stream.readable = createReadable(
        start,
        () => sourcePull(stream),
        (reason) => sourceCancel(stream, reason),
        readableMark,
      );
      stream.readable.controller.size = readableSize;
      setBackpressure(stream, true);
    };

    let expose;
    class TransformStreamDefaultController {
      #stream;
      constructor() {
        if (arguments[0] !== internal) throw shared.illegalConstructor();
        this.#stream = arguments[1];
      }
      get desiredSize() {
        return chunks.desiredSize(this.#stream.readable.controller);
      }
      enqueue(chunk = undefined) {
        enqueue(this.#stream, chunk);
      }
      error(reason = undefined) {
        fail(this.#stream, reason);
      }
      terminate() {
        terminate(this.#stream);
      }
      static {
        expose = (stream) => (stream.object ??= new TransformStreamDefaultController(internal, stream));
      }
    }

    const readTransformer = (transformer) => {
      const given = shared.dictionary(transformer, "TransformStream");
      const of = (name) => parts.optionalFunction(given[name], `TransformStream: ${name}`);
      const cancel = of("cancel");
      const flush = of("flush");
      const { readableType } = given;
      const start = of("start");
      const transform = of("transform");
      if (readableType !== undefined) throw new RangeError("TransformStream: readableType must be left out");
      if (given.writableType !== undefined) throw new RangeError("TransformStream: writableType must be left out");
      return { __proto__: null, cancel, flush, start, transform };
    };
    const attempt = (stream, chunk) => {
      try {
        enqueue(stream, chunk);
        return resolvedWith(undefined);
      } catch (error) {
        return rejectedWith(error);
      }
    };
    const resolved = () => resolvedWith(undefined);
    const setMethods = (stream, transformer, { cancel, flush, transform }) => {
      stream.transform =
        transform === undefined ? (chunk) => attempt(stream, chunk) : (chunk) => invoke(transform, transformer, [chunk, expose(stream)]);
      stream.flush = flush === undefined ? resolved : () => invoke(flush, transformer, [expose(stream)]);
      stream.cancel = cancel === undefined ? resolved : (reason) => invoke(cancel, transformer, [reason]);
    };

    class TransformStream {
      #stream = new StreamState();
      constructor(transformer = undefined, writableStrategy = undefined, readableStrategy = undefined) {
        const forWritable = parts.readStrategy(writableStrategy, "TransformStream");
        const forReadable = parts.readStrategy(readableStrategy, "TransformStream");
        if (transformer !== undefined && !parts.isObject(transformer)) throw new TypeError("TransformStream: the transformer is no object");
        const methods = readTransformer(transformer);
        const readableMark = parts.markOf(forReadable, 0);
        const writableMark = parts.markOf(forWritable, 1);
        const started = new Deferred();
        const stream = this.#stream;
        initialize(stream, started.promise, writableMark, parts.sizeOf(forWritable), readableMark, parts.sizeOf(forReadable));
        setMethods(stream, transformer, methods);
        started.resolve(methods.start === undefined ? undefined : ReflectApply(methods.start, transformer, [expose(stream)]));
      }
      get readable() {
        return this.#stream.readable.object;
      }
      get writable() {
        return this.#stream.writable.object;
      }
    }
    // One of the platform's own: `transform` and `flush` are called with `put`, which takes a chunk, and may throw.
    const create = (transform, flush) => {
      const stream = new StreamState();
      const put = (chunk) => enqueue(stream, chunk);
      const promised = (steps) => {
        try {
          return resolvedWith(steps());
        } catch (error) {
          return rejectedWith(error);
        }
      };
      initialize(stream, resolvedWith(undefined), 1, () => 1, 0, () => 1);
      stream.transform = (chunk) => promised(() => transform(chunk, put));
      stream.flush = () => promised(() => flush(put));
      stream.cancel = resolved;
      return { __proto__: null, readable: stream.readable.object, writable: stream.writable.object };
    };

    const classes = { __proto__: null, TransformStream, TransformStreamDefaultController };
    shared.shapeInterfaces(classes);
    return { ...classes, __proto__: null, create };
  });
  shared.defineInterfaces(shared.transformStreams, "TransformStream", "TransformStreamDefaultController");
});
