// The core of readable streams (Streams Standard): their state, what readers have in common, and the default reader.
"use strict";

(function (host, shared) {
  shared.readableCore = shared.once(() => {
    const { TypeError } = shared.primordials;
    const { requireArguments } = shared;

    const { Deferred, Queue, failed, markHandled, rejectedWith, resolvedWith, settled, then, upon } = shared.streamParts();
    const internal = {};

    class StreamState {
      object = null; // what guests have
      state = "readable";
      error = undefined;
      reader = null;
      controller = null; // has cancelSteps, failSteps, pullSteps and releaseSteps
      disturbed = false;
    }
    class ReaderState {
      object = null;
      stream = null;
      closed = null;
      requests = new Queue(); // of ReadRequest
      byob = false;
    }
    // What becomes of a read: one of the three is called, once.
    class ReadRequest {
      chunk;
      close;
      error;
      constructor(chunk, close, error) {
        this.chunk = chunk;
        this.close = close;
        this.error = error;
      }
    }

    const isLocked = (stream) => stream.reader !== null;
    const hasDefaultReader = (stream) => stream.reader !== null && !stream.reader.byob;
    const waitingReads = (stream) => stream.reader.requests.length;
    const addRequest = (stream, request) => stream.reader.requests.push(request, 0);
    const fulfill = (stream, chunk, done) => {
      const request = stream.reader.requests.shift();
      if (done) request.close(chunk);
      else request.chunk(chunk);
    };
    const takeRequests = (reader) => {
      const taken = reader.requests;
      reader.requests = new Queue();
      return taken;
    };
    const failRequests = (reader, error) => {
      for (const taken = takeRequests(reader); taken.length > 0; ) taken.shift().error(error);
    };

    const close = (stream) => {
      stream.state = "closed";
      const { reader } = stream;
      if (reader === null) return;
      reader.closed.resolve(undefined);
      if (!reader.byob) for (const taken = takeRequests(reader); taken.length > 0; ) taken.shift().close(undefined);
    };
    const fail = (stream, error) => {
      stream.state = "errored";
      stream.error = error;
      const { reader } = stream;
      if (reader === null) return;
      reader.closed.reject(error);
      markHandled(reader.closed.promise);
      failRequests(reader, error);
    };
    const cancel = (stream, reason) => {
      stream.disturbed = true;
      if (stream.state === "closed") return resolvedWith(undefined);
      if (stream.state === "errored") return rejectedWith(stream.error);
      close(stream);
      const { reader } = stream;
      if (reader !== null && reader.byob)
        for (const taken = takeRequests(reader); taken.length > 0; ) taken.shift().close(undefined);
      return then(stream.controller.cancelSteps(reason), () => undefined);
    };

    // ---- controllers: both kinds have these --------------------------------------------------------------------

    const desiredSize = (c) => {
      if (c.stream.state === "errored") return null;
      return c.stream.state === "closed" ? 0 : c.mark - c.queue.total;
    };
    const mayEnqueue = (c) => !c.closeRequested && c.stream.state === "readable";
    const shouldPull = (c) => {
      if (!mayEnqueue(c) || !c.started) return false;
      if (isLocked(c.stream) && waitingReads(c.stream) > 0) return true;
      return desiredSize(c) > 0;
    };
    const callPull = (c) => {
      if (!shouldPull(c)) return;
      if (c.pulling) {
        c.pullAgain = true;
        return;
      }
      c.pulling = true;
      upon(
        c.pull(),
        () => {
          c.pulling = false;
          if (!c.pullAgain) return;
          c.pullAgain = false;
          callPull(c);
        },
        (error) => c.failSteps(error),
      );
    };
    // `start` gives a promise, or throws.
    const startController = (stream, c, start) => {
      stream.controller = c;
      upon(
        start(),
        () => {
          c.started = true;
          callPull(c);
        },
        (error) => c.failSteps(error),
      );
      return c;
    };

    // ---- readers -----------------------------------------------------------------------------------------------

    const attach = (reader, stream) => {
      reader.stream = stream;
      stream.reader = reader;
      if (stream.state === "readable") reader.closed = new Deferred();
      else if (stream.state === "closed") reader.closed = settled(undefined);
      else reader.closed = failed(stream.error);
    };
    const released = () => new TypeError("the reader has been released, and so has no stream any more");
    const release = (reader) => {
      const { stream } = reader;
      if (stream.state === "readable") {
        reader.closed.reject(released());
        markHandled(reader.closed.promise);
      } else reader.closed = failed(released());
      stream.controller.releaseSteps();
      stream.reader = null;
      reader.stream = null;
    };
    const releaseWithRequests = (reader) => {
      release(reader);
      failRequests(reader, released());
    };
    const acquire = (stream) => {
      if (isLocked(stream)) throw new TypeError("the stream is locked: it has a reader already");
      const reader = new ReaderState();
      attach(reader, stream);
      return reader;
    };
    const read = (reader, request) => {
      const { stream } = reader;
      stream.disturbed = true;
      if (stream.state === "closed") request.close(undefined);
      else if (stream.state === "errored") request.error(stream.error);
      else stream.controller.pullSteps(request);
    };
    const readPromise = (begin) => {
      const { promise, resolve, reject } = new Deferred();
      begin(
        new ReadRequest(
          (value) => resolve({ value, done: false }),
          (value) => resolve({ value, done: true }),
          reject,
        ),
      );
      return promise;
    };

    // Both kinds of readers have these.
    const closedOf = (reader) => reader.closed.promise;
    const cancelOf = (reader, reason) =>
      reader.stream === null ? rejectedWith(released()) : cancel(reader.stream, reason);

    let streamOf; // of what guests have; a TypeError where it is none.  Set by 60-readable.js
    const setStreamOf = (given) => void (streamOf = given);

    let defaultReader;
    class ReadableStreamDefaultReader {
      #reader;
      constructor(stream) {
        requireArguments(arguments.length, 1, "ReadableStreamDefaultReader");
        this.#reader = stream === internal ? arguments[1] : acquire(streamOf(stream));
      }
      get closed() {
        try {
          return closedOf(this.#reader);
        } catch (error) {
          return rejectedWith(error);
        }
      }
      cancel(reason = undefined) {
        try {
          return cancelOf(this.#reader, reason);
        } catch (error) {
          return rejectedWith(error);
        }
      }
      read() {
        try {
          const reader = this.#reader;
          if (reader.stream === null) return rejectedWith(released());
          return readPromise((request) => read(reader, request));
        } catch (error) {
          return rejectedWith(error);
        }
      }
      releaseLock() {
        if (this.#reader.stream !== null) releaseWithRequests(this.#reader);
      }
      static {
        defaultReader = (stream) => new ReadableStreamDefaultReader(internal, acquire(stream));
      }
    }
    shared.shapeInterfaces({ __proto__: null, ReadableStreamDefaultReader });

    return {
      __proto__: null,
      ReadRequest,
      ReadableStreamDefaultReader,
      ReaderState,
      StreamState,
      acquire,
      addRequest,
      attach,
      callPull,
      cancel,
      cancelOf,
      close,
      closedOf,
      defaultReader,
      desiredSize,
      fail,
      failRequests,
      fulfill,
      hasDefaultReader,
      internal,
      isLocked,
      mayEnqueue,
      read,
      readPromise,
      release: releaseWithRequests,
      released,
      setStreamOf,
      shouldPull,
      startController,
      streamOf: (value) => streamOf(value),
      takeRequests,
      waitingReads,
    };
  });
});
