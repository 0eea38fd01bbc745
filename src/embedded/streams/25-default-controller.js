// ReadableStreamDefaultController (Streams Standard): the queue between a source of any chunks and the stream's readers.
"use strict";

(function (host, shared) {
  shared.defaultControllers = shared.once(() => {
    const { TypeError } = shared.primordials;

    const { Queue, enqueueWithSize, invoke, resolvedWith } = shared.streamParts();
    const core = shared.readableCore();
    const { callPull, desiredSize, mayEnqueue, shouldPull } = core;

    class ControllerState {
      object = null;
      stream;
      queue = new Queue();
      started = false;
      closeRequested = false;
      pulling = false;
      pullAgain = false;
      mark;
      size;
      pull;
      cancel;
      constructor(stream, pull, cancel, mark, size) {
        this.stream = stream;
        this.pull = pull;
        this.cancel = cancel;
        this.mark = mark;
        this.size = size;
      }
      cancelSteps(reason) {
        this.queue.reset();
        const { cancel } = this;
        clear(this);
        return cancel(reason);
      }
      pullSteps(request) {
        const { queue, stream } = this;
        if (queue.length === 0) {
          core.addRequest(stream, request);
          callPull(this);
          return;
        }
        const chunk = queue.shift();
        if (this.closeRequested && queue.length === 0) {
          clear(this);
          core.close(stream);
        } else callPull(this);
        request.chunk(chunk);
      }
      failSteps(error) {
        fail(this, error);
      }
      releaseSteps() {}
    }

    const clear = (c) => {
      c.pull = c.cancel = c.size = null;
    };
    const hasBackpressure = (c) => !shouldPull(c);
    const close = (c) => {
      if (!mayEnqueue(c)) return;
      c.closeRequested = true;
      if (c.queue.length > 0) return;
      clear(c);
      core.close(c.stream);
    };
    const enqueue = (c, chunk) => {
      if (!mayEnqueue(c)) return;
      if (core.hasDefaultReader(c.stream) && core.waitingReads(c.stream) > 0) core.fulfill(c.stream, chunk, false);
      else {
        try {
          enqueueWithSize(c.queue, chunk, c.size(chunk));
        } catch (error) {
          fail(c, error);
          throw error;
        }
      }
      callPull(c);
    };
    const fail = (c, error) => {
      if (c.stream.state !== "readable") return;
      c.queue.reset();
      clear(c);
      core.fail(c.stream, error);
    };

    let expose;
    class ReadableStreamDefaultController {
      #state;
      constructor() {
        if (arguments[0] !== core.internal) throw shared.illegalConstructor();
        this.#state = arguments[1];
      }
      get desiredSize() {
        return desiredSize(this.#state);
      }
      close() {
        if (!mayEnqueue(this.#state)) throw closed(this.#state, "close");
        close(this.#state);
      }
      enqueue(chunk = undefined) {
        if (!mayEnqueue(this.#state)) throw closed(this.#state, "enqueue");
        enqueue(this.#state, chunk);
      }
      error(e = undefined) {
        fail(this.#state, e);
      }
      static {
        expose = (c) => (c.object ??= new ReadableStreamDefaultController(core.internal, c));
      }
    }
    const closed = (c, what) =>
      new TypeError(`ReadableStreamDefaultController.${what}: the stream is ${c.closeRequested ? "closing or closed" : c.stream.state}`);
    shared.shapeInterfaces({ __proto__: null, ReadableStreamDefaultController });

    // All three give promises; `start` may throw.
    const setUp = (stream, start, pull, cancel, mark, size) =>
      core.startController(stream, new ControllerState(stream, pull, cancel, mark, size), start);
    const resolved = () => resolvedWith(undefined);
    const setUpFromSource = (stream, source, methods, mark, size) => {
      const { start, pull, cancel } = methods;
      const controller = () => expose(stream.controller);
      return setUp(
        stream,
        start === undefined ? resolved : () => resolvedWith( shared.primordials.ReflectApply(start, source, [controller()])),
        pull === undefined ? resolved : () => invoke(pull, source, [controller()]),
        cancel === undefined ? resolved : (reason) => invoke(cancel, source, [reason]),
        mark,
        size,
      );
    };

    return { __proto__: null, ReadableStreamDefaultController, close, desiredSize, enqueue, fail, hasBackpressure, mayEnqueue, setUp, setUpFromSource };
  });
});
