// WritableStream, its writer and its controller (Streams Standard).
"use strict";

(function (host, shared) {
  shared.writableStreams = shared.once(() => {
    const { ReflectApply, RangeError, TypeError } = shared.primordials;
    const { requireArguments } = shared;

    const parts = shared.streamParts();
    const { Deferred, Queue, enqueueWithSize, failed, invoke, markHandled, rejectedWith, resolvedWith, settled, upon } = parts;
    const internal = {};
    const CLOSE = {}; // in the queue: the end

    class StreamState {
      object = null;
      state = "writable"; // then "erroring", "errored" or "closed"
      error = undefined;
      writer = null;
      controller = null;
      requests = new Queue(); // of Deferred
      inFlightWrite = null;
      inFlightClose = null;
      closeRequest = null;
      pendingAbort = null; // { deferred, reason, wasErroring }
      backpressure = false;
    }
    class ControllerState {
      object = null;
      stream;
      queue = new Queue();
      started = false;
      abortController = null;
      write;
      close;
      abort;
      size;
      mark;
      constructor(stream, write, close, abort, size, mark) {
        this.stream = stream;
        this.write = write;
        this.close = close;
        this.abort = abort;
        this.size = size;
        this.mark = mark;
      }
    }
    class WriterState {
      stream = null;
      ready = null;
      readyPending = false;
      closed = null;
      closedPending = false;
    }

    // ---- streams -----------------------------------------------------------------------------------------------------

    const isLocked = (stream) => stream.writer !== null;
    const closeQueuedOrInFlight = (stream) => stream.closeRequest !== null || stream.inFlightClose !== null;
    const hasInFlight = (stream) => stream.inFlightWrite !== null || stream.inFlightClose !== null;

    const abort = (stream, reason) => {
      if (stream.state === "closed" || stream.state === "errored") return resolvedWith(undefined);
      signalAbort(stream.controller, reason);
      if (stream.state === "closed" || stream.state === "errored") return resolvedWith(undefined);
      if (stream.pendingAbort !== null) return stream.pendingAbort.deferred.promise;
      const wasErroring = stream.state === "erroring";
      const deferred = new Deferred();
      stream.pendingAbort = { __proto__: null, deferred, reason: wasErroring ? undefined : reason, wasErroring };
      if (!wasErroring) startErroring(stream, reason);
      return deferred.promise;
    };
    const close = (stream) => {
      if (stream.state === "closed" || stream.state === "errored")
        return rejectedWith(new TypeError(`the stream is ${stream.state} and can't be closed`));
      const deferred = new Deferred();
      stream.closeRequest = deferred;
      if (stream.writer !== null && stream.backpressure && stream.state === "writable") resolveReady(stream.writer);
      const c = stream.controller;
      c.queue.push(CLOSE, 0);
      advance(c);
      return deferred.promise;
    };
    const dealWithRejection = (stream, error) => {
      if (stream.state === "writable") startErroring(stream, error);
      else finishErroring(stream);
    };
    const startErroring = (stream, reason) => {
      stream.state = "erroring";
      stream.error = reason;
      if (stream.writer !== null) rejectReady(stream.writer, reason);
      if (!hasInFlight(stream) && stream.controller.started) finishErroring(stream);
    };
    const finishErroring = (stream) => {
      stream.state = "errored";
      const c = stream.controller;
      c.queue.reset();
      const { error, pendingAbort } = stream;
      while (stream.requests.length > 0) stream.requests.shift().reject(error);
      if (pendingAbort === null) {
        rejectCloseAndClosed(stream);
        return;
      }
      stream.pendingAbort = null;
      if (pendingAbort.wasErroring) {
        pendingAbort.deferred.reject(error);
        rejectCloseAndClosed(stream);
        return;
      }
      const done = c.abort(pendingAbort.reason);
      clear(c);
      upon(
        done,
        () => {
          pendingAbort.deferred.resolve(undefined);
          rejectCloseAndClosed(stream);
        },
        (reason) => {
          pendingAbort.deferred.reject(reason);
          rejectCloseAndClosed(stream);
        },
      );
    };
    const rejectCloseAndClosed = (stream) => {
      if (stream.closeRequest !== null) {
        stream.closeRequest.reject(stream.error);
        stream.closeRequest = null;
      }
      if (stream.writer !== null) rejectClosed(stream.writer, stream.error);
    };
    const finishInFlightClose = (stream) => {
      stream.inFlightClose.resolve(undefined);
      stream.inFlightClose = null;
      if (stream.state === "erroring") {
        stream.error = undefined;
        if (stream.pendingAbort !== null) {
          stream.pendingAbort.deferred.resolve(undefined);
          stream.pendingAbort = null;
        }
      }
      stream.state = "closed";
      if (stream.writer !== null) resolveClosed(stream.writer);
    };
    const finishInFlightCloseWithError = (stream, error) => {
      stream.inFlightClose.reject(error);
      stream.inFlightClose = null;
      if (stream.pendingAbort !== null) {
        stream.pendingAbort.deferred.reject(error);
        stream.pendingAbort = null;
      }
      dealWithRejection(stream, error);
    };
    const updateBackpressure = (stream, backpressure) => {
      if (stream.writer !== null && backpressure !== stream.backpressure) {
        if (backpressure) {
          stream.writer.ready = new Deferred();
          stream.writer.readyPending = true;
        } else resolveReady(stream.writer);
      }
      stream.backpressure = backpressure;
    };

    // ---- writers -----------------------------------------------------------------------------------------------------

    const resolveReady = (writer) => {
      writer.ready.resolve(undefined);
      writer.readyPending = false;
    };
    const rejectReady = (writer, error) => {
      if (writer.readyPending) {
        writer.ready.reject(error);
        markHandled(writer.ready.promise);
      } else writer.ready = failed(error);
      writer.readyPending = false;
    };
    const resolveClosed = (writer) => {
      writer.closed.resolve(undefined);
      writer.closedPending = false;
    };
    const rejectClosed = (writer, error) => {
      if (writer.closedPending) {
        writer.closed.reject(error);
        markHandled(writer.closed.promise);
      } else writer.closed = failed(error);
      writer.closedPending = false;
    };
    const acquire = (stream) => {
      if (isLocked(stream)) throw new TypeError("the stream is locked: it has a writer already");
      const writer = new WriterState();
      writer.stream = stream;
      stream.writer = writer;
      const { state } = stream;
      if (state === "writable" && !closeQueuedOrInFlight(stream) && stream.backpressure) {
        writer.ready = new Deferred();
        writer.readyPending = true;
      } else if (state === "erroring" || state === "errored") writer.ready = failed(stream.error);
      else writer.ready = settled(undefined);
      if (state === "writable" || state === "erroring") {
        writer.closed = new Deferred();
        writer.closedPending = true;
      } else writer.closed = state === "closed" ? settled(undefined) : failed(stream.error);
      return writer;
    };
    const release = (writer) => {
      const { stream } = writer;
      const error = released();
      rejectReady(writer, error);
      rejectClosed(writer, error);
      stream.writer = null;
      writer.stream = null;
    };
    const released = () => new TypeError("the writer has been released, and so has no stream any more");
    const writerDesiredSize = ({ stream }) => {
      if (stream.state === "errored" || stream.state === "erroring") return null;
      return stream.state === "closed" ? 0 : desiredSize(stream.controller);
    };
    const closeWithErrors = (writer) => {
      const { stream } = writer;
      if (closeQueuedOrInFlight(stream) || stream.state === "closed") return resolvedWith(undefined);
      if (stream.state === "errored") return rejectedWith(stream.error);
      return close(stream);
    };
    const write = (writer, chunk) => {
      const { stream } = writer;
      const c = stream.controller;
      const size = chunkSize(c, chunk);
      if (stream !== writer.stream) return rejectedWith(released());
      if (stream.state === "errored") return rejectedWith(stream.error);
      if (closeQueuedOrInFlight(stream) || stream.state === "closed")
        return rejectedWith(new TypeError("the stream is closing or closed, and takes no more chunks"));
      if (stream.state === "erroring") return rejectedWith(stream.error);
      const deferred = new Deferred();
      stream.requests.push(deferred, 0);
      controllerWrite(c, chunk, size);
      return deferred.promise;
    };

    // ---- controllers -------------------------------------------------------------------------------------------------

    const clear = (c) => {
      c.write = c.close = c.abort = c.size = null;
    };
    const desiredSize = (c) => c.mark - c.queue.total;
    const signalAbort = (c, reason) => {
      const { AbortController } = shared.abort();
      c.abortController ??= new AbortController();
      shared.abort().signalAbort(shared.abort().signalOf(c.abortController), reason);
    };
    const chunkSize = (c, chunk) => {
      if (c.size === null) return 1;
      try {
        return c.size(chunk);
      } catch (error) {
        errorIfNeeded(c, error);
        return 1;
      }
    };
    const errorIfNeeded = (c, error) => {
      if (c.stream.state === "writable") fail(c, error);
    };
    const fail = (c, error) => {
      clear(c);
      startErroring(c.stream, error);
    };
    const controllerWrite = (c, chunk, size) => {
      try {
        enqueueWithSize(c.queue, chunk, size);
      } catch (error) {
        errorIfNeeded(c, error);
        return;
      }
      const { stream } = c;
      if (!closeQueuedOrInFlight(stream) && stream.state === "writable") updateBackpressure(stream, desiredSize(c) <= 0);
      advance(c);
    };
    const advance = (c) => {
      const { stream } = c;
      if (!c.started || stream.inFlightWrite !== null) return;
      if (stream.state === "erroring") {
        finishErroring(stream);
        return;
      }
      if (c.queue.length === 0) return;
      const chunk = c.queue.first.value;
      if (chunk === CLOSE) processClose(c);
      else processWrite(c, chunk);
    };
    const processClose = (c) => {
      const { stream } = c;
      stream.inFlightClose = stream.closeRequest;
      stream.closeRequest = null;
      c.queue.shift();
      const done = c.close();
      clear(c);
      upon(
        done,
        () => finishInFlightClose(stream),
        (error) => finishInFlightCloseWithError(stream, error),
      );
    };
    const processWrite = (c, chunk) => {
      const { stream } = c;
      stream.inFlightWrite = stream.requests.shift();
      upon(
        c.write(chunk),
        () => {
          stream.inFlightWrite.resolve(undefined);
          stream.inFlightWrite = null;
          const { state } = stream;
          c.queue.shift();
          if (!closeQueuedOrInFlight(stream) && state === "writable") updateBackpressure(stream, desiredSize(c) <= 0);
          advance(c);
        },
        (error) => {
          if (stream.state === "writable") clear(c);
          stream.inFlightWrite.reject(error);
          stream.inFlightWrite = null;
          dealWithRejection(stream, error);
        },
      );
    };
    const setUp = (stream, start, write_, close_, abort_, mark, size) => {
      const c = new ControllerState(stream, write_, close_, abort_, size, mark);
      stream.controller = c;
      updateBackpressure(stream, desiredSize(c) <= 0);
      upon(
        start(),
        () => {
          c.started = true;
          advance(c);
        },
        (error) => {
          c.started = true;
          dealWithRejection(stream, error);
        },
      );
      return c;
    };

    // ---- what guests have ----------------------------------------------------------------------------------------------

    let expose;
    class WritableStreamDefaultController {
      #state;
      constructor() {
        if (arguments[0] !== internal) throw shared.illegalConstructor();
        this.#state = arguments[1];
      }
      get signal() {
        const c = this.#state;
        c.abortController ??= new (shared.abort().AbortController)();
        return shared.abort().signalOf(c.abortController);
      }
      error(e = undefined) {
        if (this.#state.stream.state === "writable") fail(this.#state, e);
      }
      static {
        expose = (c) => (c.object ??= new WritableStreamDefaultController(internal, c));
      }
    }

    let streamOf, isWritable, newWriter;
    class WritableStreamDefaultWriter {
      #writer;
      constructor(stream) {
        requireArguments(arguments.length, 1, "WritableStreamDefaultWriter");
        this.#writer = stream === internal ? arguments[1] : acquire(streamOf(stream));
      }
      get closed() {
        try {
          return this.#writer.closed.promise;
        } catch (error) {
          return rejectedWith(error);
        }
      }
      get desiredSize() {
        if (this.#writer.stream === null) throw released();
        return writerDesiredSize(this.#writer);
      }
      get ready() {
        try {
          return this.#writer.ready.promise;
        } catch (error) {
          return rejectedWith(error);
        }
      }
      abort(reason = undefined) {
        try {
          return this.#writer.stream === null ? rejectedWith(released()) : abort(this.#writer.stream, reason);
        } catch (error) {
          return rejectedWith(error);
        }
      }
      close() {
        try {
          const { stream } = this.#writer;
          if (stream === null) return rejectedWith(released());
          if (closeQueuedOrInFlight(stream)) return rejectedWith(new TypeError("the stream is closing already"));
          return close(stream);
        } catch (error) {
          return rejectedWith(error);
        }
      }
      releaseLock() {
        if (this.#writer.stream !== null) release(this.#writer);
      }
      write(chunk = undefined) {
        try {
          return this.#writer.stream === null ? rejectedWith(released()) : write(this.#writer, chunk);
        } catch (error) {
          return rejectedWith(error);
        }
      }
      static {
        newWriter = (stream) => new WritableStreamDefaultWriter(internal, acquire(stream));
      }
    }

    const resolved = () => resolvedWith(undefined);
    const setUpFromSink = (stream, sink, mark, size) => {
      const methods = shared.dictionary(sink, "WritableStream");
      const of = (name) => parts.optionalFunction(methods[name], `WritableStream: ${name}`);
      const abort_ = of("abort");
      const close_ = of("close");
      const start = of("start");
      if (methods.type !== undefined) throw new RangeError("WritableStream: the type of a sink must be left out");
      const write_ = of("write");
      const controller = () => expose(stream.controller);
      setUp(
        stream,
        start === undefined ? resolved : () => resolvedWith(ReflectApply(start, sink, [controller()])),
        write_ === undefined ? resolved : (chunk) => invoke(write_, sink, [chunk, controller()]),
        close_ === undefined ? resolved : () => invoke(close_, sink, []),
        abort_ === undefined ? resolved : (reason) => invoke(abort_, sink, [reason]),
        mark,
        size,
      );
    };

    class WritableStream {
      #stream;
      constructor(underlyingSink = undefined, strategy = undefined) {
        if (underlyingSink === internal) {
          this.#stream = strategy;
          return;
        }
        const given = parts.readStrategy(strategy, "WritableStream");
        if (underlyingSink !== undefined && !parts.isObject(underlyingSink))
          throw new TypeError("WritableStream: the sink is no object");
        this.#stream = new StreamState();
        this.#stream.object = this;
        setUpFromSink(this.#stream, underlyingSink, parts.markOf(given, 1), parts.sizeOf(given));
      }
      get locked() {
        return isLocked(this.#stream);
      }
      abort(reason = undefined) {
        try {
          if (isLocked(this.#stream)) return rejectedWith(new TypeError("WritableStream.abort: the stream is locked"));
          return abort(this.#stream, reason);
        } catch (error) {
          return rejectedWith(error);
        }
      }
      close() {
        try {
          if (isLocked(this.#stream)) return rejectedWith(new TypeError("WritableStream.close: the stream is locked"));
          if (closeQueuedOrInFlight(this.#stream))
            return rejectedWith(new TypeError("WritableStream.close: the stream is closing already"));
          return close(this.#stream);
        } catch (error) {
          return rejectedWith(error);
        }
      }
      getWriter() {
        return newWriter(this.#stream);
      }
      static {
        isWritable = (value) => parts.isObject(value) && #stream in value;
        streamOf = (value) => {
          if (!isWritable(value)) throw new TypeError("this is not a WritableStream");
          return value.#stream;
        };
      }
    }
    // One of the platform's own: its algorithms give promises.
    const create = (start, write_, close_, abort_, mark, size) => {
      const stream = new StreamState();
      stream.object = new WritableStream(internal, stream);
      setUp(stream, start, write_, close_, abort_, mark, size);
      return stream;
    };
    const classes = { __proto__: null, WritableStream, WritableStreamDefaultController, WritableStreamDefaultWriter };
    shared.shapeInterfaces(classes);
    return {
      ...classes,
      __proto__: null,
      abort,
      acquire,
      closeQueuedOrInFlight,
      closeWithErrors,
      create,
      errorIfNeeded,
      isLocked,
      isWritable,
      release,
      streamOf,
      write,
      writerDesiredSize,
    };
  });
  shared.defineInterfaces(shared.writableStreams, "WritableStream", "WritableStreamDefaultController", "WritableStreamDefaultWriter");
});
