// ReadableByteStreamController (Streams Standard): the queue of bytes between a source and a stream's readers, some of which
// bring the memory that is to be filled ("pull into").
"use strict";

(function (host, shared) {
  shared.byteControllers = shared.once(() => {
    const { ArrayBuffer, ArrayBufferIsView, ArrayBufferPrototypeGetByteLength, DataView, DataViewPrototypeGetBuffer } =
      shared.primordials;
    const { DataViewPrototypeGetByteLength, DataViewPrototypeGetByteOffset, MathMin, RangeError, ReflectApply, TypeError } =
      shared.primordials;
    const { TypedArrayPrototypeGetBuffer, TypedArrayPrototypeGetByteLength, TypedArrayPrototypeGetByteOffset } =
      shared.primordials;
    const { TypedArrayPrototypeGetLength, TypedArrayPrototypeGetToStringTag, Uint8Array } = shared.primordials;
    const { requireArguments } = shared;
    const { TypedArrayPrototypeSet: setBytes } = shared.primordials;
    const { arrayTypes } = shared;

    // ---- memory ----------------------------------------------------------------------------------------------------

    const isDetached = (buffer) => !shared.hasBrand((one) => new Uint8Array(one), buffer);
    // The same bytes in another ArrayBuffer; the given one is detached.
    const transfer = (buffer) => {
      try {
        return host.structuredClone(buffer, [buffer]);
      } catch {
        throw new TypeError("the buffer can't be transferred");
      }
    };
    const lengthOf = ArrayBufferPrototypeGetByteLength;
    // { buffer, offset, length, type, unit } of a view.
    const viewOf = (view) => {
      const tag = TypedArrayPrototypeGetToStringTag(view);
      if (tag === undefined)
        return { __proto__: null, buffer: DataViewPrototypeGetBuffer(view), offset: DataViewPrototypeGetByteOffset(view), length: DataViewPrototypeGetByteLength(view), type: DataView, unit: 1 };
      const length = TypedArrayPrototypeGetByteLength(view);
      const type = arrayTypes[tag];
      return { __proto__: null, buffer: TypedArrayPrototypeGetBuffer(view), offset: TypedArrayPrototypeGetByteOffset(view), length, type, unit: type.BYTES_PER_ELEMENT };
    };
    const sizeOfView = (view) => {
      // A detached DataView has no length.
      try {
        return viewOf(view);
      } catch {
        return null;
      }
    };
    const copyBytes = (to, at, from, offset, count) => setBytes(new Uint8Array(to), new Uint8Array(from, offset, count), at);
    const cloned = (buffer, offset, length) => {
      const copy = new ArrayBuffer(length);
      copyBytes(copy, 0, buffer, offset, length);
      return copy;
    };

    const { Queue, invoke, rejectedWith, resolvedWith, toCount } = shared.streamParts();
    const core = shared.readableCore();
    const { ReadRequest, callPull, desiredSize, internal, mayEnqueue } = core;

    class Piece {
      buffer;
      offset;
      length;
      constructor(buffer, offset, length) {
        this.buffer = buffer;
        this.offset = offset;
        this.length = length;
      }
    }
    class PullInto {
      buffer;
      bufferLength;
      offset;
      length;
      filled = 0;
      minimum;
      unit;
      type;
      reader; // "default", "byob" or "none"
      constructor(buffer, offset, length, minimum, unit, type, reader) {
        this.buffer = buffer;
        this.bufferLength = lengthOf(buffer);
        this.offset = offset;
        this.length = length;
        this.minimum = minimum;
        this.unit = unit;
        this.type = type;
        this.reader = reader;
      }
    }
    class ControllerState {
      object = null;
      stream;
      queue = new Queue(); // of Piece; total counts bytes
      pending = new Queue(); // of PullInto
      request = null; // what guests have of the first of them
      started = false;
      closeRequested = false;
      pulling = false;
      pullAgain = false;
      mark;
      pull;
      cancel;
      autoAllocate;
      constructor(stream, pull, cancel, mark, autoAllocate) {
        this.stream = stream;
        this.pull = pull;
        this.cancel = cancel;
        this.mark = mark;
        this.autoAllocate = autoAllocate;
      }
      cancelSteps(reason) {
        clearPending(this);
        this.queue.reset();
        const { cancel } = this;
        clear(this);
        return cancel(reason);
      }
      pullSteps(request) {
        if (this.queue.total > 0) {
          fillRequest(this, request);
          return;
        }
        if (this.autoAllocate !== undefined) {
          let buffer;
          try {
            buffer = new ArrayBuffer(this.autoAllocate);
          } catch (error) {
            request.error(error);
            return;
          }
          this.pending.push(new PullInto(buffer, 0, this.autoAllocate, 1, 1, Uint8Array, "default"), 0);
        }
        core.addRequest(this.stream, request);
        callPull(this);
      }
      failSteps(error) {
        fail(this, error);
      }
      releaseSteps() {
        if (this.pending.length === 0) return;
        const first = this.pending.shift();
        first.reader = "none";
        this.pending.reset();
        this.pending.push(first, 0);
      }
    }

    const clear = (c) => {
      c.pull = c.cancel = null;
    };
    const dropRequest = (c) => {
      if (c.request === null) return;
      endRequest(c.request);
      c.request = null;
    };
    const clearPending = (c) => {
      dropRequest(c);
      c.pending.reset();
    };
    const hasByobReader = (stream) => stream.reader !== null && stream.reader.byob;
    const fail = (c, error) => {
      if (c.stream.state !== "readable") return;
      clearPending(c);
      c.queue.reset();
      clear(c);
      core.fail(c.stream, error);
    };
    const closeIfDrained = (c) => {
      if (c.queue.total === 0 && c.closeRequested) {
        clear(c);
        core.close(c.stream);
      } else callPull(c);
    };

    const close = (c) => {
      if (!mayEnqueue(c)) return;
      if (c.queue.total > 0) {
        c.closeRequested = true;
        return;
      }
      if (c.pending.length > 0) {
        const first = c.pending.first.value;
        if (first.filled % first.unit !== 0) {
          const error = new TypeError("the stream is closed where a part of an element is still missing");
          fail(c, error);
          throw error;
        }
      }
      clear(c);
      core.close(c.stream);
    };

    const push = (c, buffer, offset, length) => c.queue.push(new Piece(buffer, offset, length), length);
    const pushClone = (c, buffer, offset, length) => {
      let copy;
      try {
        copy = cloned(buffer, offset, length);
      } catch (error) {
        fail(c, error);
        throw error;
      }
      push(c, copy, 0, length);
    };
    const pushDetached = (c, first) => {
      if (first.filled > 0) pushClone(c, first.buffer, first.offset, first.filled);
      c.pending.shift();
    };

    const enqueue = (c, chunk) => {
      const { stream } = c;
      if (!mayEnqueue(c)) return;
      const { buffer, offset, length } = viewOf(chunk);
      if (isDetached(buffer)) throw new TypeError("the chunk's buffer is detached");
      const moved = transfer(buffer);
      if (c.pending.length > 0) {
        const first = c.pending.first.value;
        if (isDetached(first.buffer)) throw new TypeError("the buffer of the request that is under way is detached");
        dropRequest(c);
        first.buffer = transfer(first.buffer);
        if (first.reader === "none") pushDetached(c, first);
      }
      if (core.hasDefaultReader(stream)) {
        while (core.waitingReads(stream) > 0 && c.queue.total > 0) fillRequest(c, stream.reader.requests.shift());
        if (core.waitingReads(stream) === 0) push(c, moved, offset, length);
        else {
          if (c.pending.length > 0) c.pending.shift();
          core.fulfill(stream, new Uint8Array(moved, offset, length), false);
        }
      } else if (hasByobReader(stream)) {
        push(c, moved, offset, length);
        const filled = fillPending(c);
        while (filled.length > 0) commit(c.stream, filled.shift());
      } else push(c, moved, offset, length);
      callPull(c);
    };

    const fillRequest = (c, request) => {
      const { buffer, offset, length } = c.queue.shift();
      closeIfDrained(c);
      request.chunk(new Uint8Array(buffer, offset, length));
    };
    // Whether the queue had what the first pull-into needs at least.
    const fill = (c, into) => {
      const most = MathMin(c.queue.total, into.length - into.filled);
      const reached = into.filled + most;
      let left = most;
      let ready = false;
      const aligned = reached - (reached % into.unit);
      if (aligned >= into.minimum) {
        left = aligned - into.filled;
        ready = true;
      }
      while (left > 0) {
        const piece = c.queue.first.value;
        const count = MathMin(left, piece.length);
        copyBytes(into.buffer, into.offset + into.filled, piece.buffer, piece.offset, count);
        if (piece.length === count) c.queue.shift();
        else {
          piece.offset += count;
          piece.length -= count;
          c.queue.first.size -= count;
          c.queue.total -= count;
        }
        into.filled += count;
        left -= count;
      }
      return ready;
    };
    const fillPending = (c) => {
      const filled = new Queue();
      while (c.pending.length > 0 && c.queue.total > 0) {
        const into = c.pending.first.value;
        if (!fill(c, into)) break;
        dropRequest(c);
        c.pending.shift();
        filled.push(into, 0);
      }
      return filled;
    };
    const convert = (into) => new into.type(transfer(into.buffer), into.offset, into.filled / into.unit);
    const commit = (stream, into) => {
      const done = stream.state === "closed";
      const view = convert(into);
      core.fulfill(stream, view, into.reader === "default" ? false : done);
    };

    // ---- reading into memory that the reader brings ----------------------------------------------------------------

    const pullInto = (c, view, minimum, request) => {
      const { stream } = c;
      const { buffer, offset, length, type, unit } = viewOf(view);
      let moved;
      try {
        moved = transfer(buffer);
      } catch (error) {
        request.error(error);
        return;
      }
      const into = new PullInto(moved, offset, length, minimum * unit, unit, type, "byob");
      if (c.pending.length > 0) {
        c.pending.push(into, 0);
        core.addRequest(stream, request);
        return;
      }
      if (stream.state === "closed") {
        request.close(new type(into.buffer, into.offset, 0));
        return;
      }
      if (c.queue.total > 0) {
        if (fill(c, into)) {
          const filled = convert(into);
          closeIfDrained(c);
          request.chunk(filled);
          return;
        }
        if (c.closeRequested) {
          const error = new TypeError("the stream ends before the element does");
          fail(c, error);
          request.error(error);
          return;
        }
      }
      c.pending.push(into, 0);
      core.addRequest(stream, request);
      callPull(c);
    };

    const respond = (c, count) => {
      const first = c.pending.first.value;
      if (c.stream.state === "closed") {
        if (count !== 0) throw new TypeError("the stream is closed: only 0 bytes can be responded with");
      } else {
        if (count === 0) throw new TypeError("0 bytes can be responded with only where the stream is closed");
        if (first.filled + count > first.length) throw new RangeError("more bytes than the view has room for");
      }
      first.buffer = transfer(first.buffer);
      respondInternal(c, count);
    };
    const respondWithNewView = (c, view) => {
      const first = c.pending.first.value;
      const { buffer, offset, length } = viewOf(view);
      if (c.stream.state === "closed") {
        if (length !== 0) throw new TypeError("the stream is closed: the view must be empty");
      } else if (length === 0) throw new TypeError("the view may be empty only where the stream is closed");
      if (first.offset + first.filled !== offset) throw new RangeError("the view does not begin where the request does");
      if (first.bufferLength !== lengthOf(buffer)) throw new RangeError("the view's buffer is not as long as the request's");
      if (first.filled + length > first.length) throw new RangeError("the view is longer than the request");
      first.buffer = transfer(buffer);
      respondInternal(c, length);
    };
    const respondInternal = (c, count) => {
      const first = c.pending.first.value;
      dropRequest(c);
      if (c.stream.state === "closed") respondClosed(c, first);
      else respondReadable(c, count, first);
      callPull(c);
    };
    const respondClosed = (c, first) => {
      if (first.reader === "none") c.pending.shift();
      if (!hasByobReader(c.stream)) return;
      const filled = new Queue();
      while (filled.length < core.waitingReads(c.stream)) filled.push(c.pending.shift(), 0);
      while (filled.length > 0) commit(c.stream, filled.shift());
    };
    const respondReadable = (c, count, first) => {
      first.filled += count;
      if (first.reader === "none") {
        pushDetached(c, first);
        const ready = fillPending(c);
        while (ready.length > 0) commit(c.stream, ready.shift());
        return;
      }
      if (first.filled < first.minimum) return;
      c.pending.shift();
      const rest = first.filled % first.unit;
      if (rest > 0) pushClone(c, first.buffer, first.offset + first.filled - rest, rest);
      first.filled -= rest;
      const ready = fillPending(c);
      commit(c.stream, first);
      while (ready.length > 0) commit(c.stream, ready.shift());
    };

    // ---- what guests have ------------------------------------------------------------------------------------------

    let newRequest, endRequest, requestView;
    class ReadableStreamBYOBRequest {
      #controller;
      #view;
      constructor() {
        if (arguments[0] !== internal) throw shared.illegalConstructor();
        this.#controller = arguments[1];
        this.#view = arguments[2];
      }
      get view() {
        return this.#view;
      }
      respond(bytesWritten) {
        void this.#view;
        requireArguments(arguments.length, 1, "ReadableStreamBYOBRequest.respond");
        const count = toCount(bytesWritten, "ReadableStreamBYOBRequest.respond: bytesWritten");
        if (this.#controller === null) throw spent();
        if (isDetached(viewOf(this.#view).buffer)) throw new TypeError("ReadableStreamBYOBRequest.respond: the view's buffer is detached");
        respond(this.#controller, count);
      }
      respondWithNewView(view) {
        void this.#view;
        requireArguments(arguments.length, 1, "ReadableStreamBYOBRequest.respondWithNewView");
        if (!ArrayBufferIsView(view)) throw new TypeError("ReadableStreamBYOBRequest.respondWithNewView: this is not a view");
        if (this.#controller === null) throw spent();
        const given = sizeOfView(view);
        if (given === null || isDetached(given.buffer))
          throw new TypeError("ReadableStreamBYOBRequest.respondWithNewView: the view's buffer is detached");
        respondWithNewView(this.#controller, view);
      }
      static {
        newRequest = (controller, view) => new ReadableStreamBYOBRequest(internal, controller, view);
        requestView = (request) => request.#view;
        endRequest = (request) => {
          request.#controller = null;
          request.#view = null;
        };
      }
    }
    const spent = () => new TypeError("this request has been answered already");

    let expose;
    class ReadableByteStreamController {
      #state;
      constructor() {
        if (arguments[0] !== internal) throw shared.illegalConstructor();
        this.#state = arguments[1];
      }
      get byobRequest() {
        return byobRequest(this.#state);
      }
      get desiredSize() {
        return desiredSize(this.#state);
      }
      close() {
        mustBeOpen(this.#state, "close");
        close(this.#state);
      }
      enqueue(chunk) {
        void this.#state;
        requireArguments(arguments.length, 1, "ReadableByteStreamController.enqueue");
        if (!ArrayBufferIsView(chunk)) throw new TypeError("ReadableByteStreamController.enqueue: the chunk is not a view");
        const given = sizeOfView(chunk);
        if (given === null || given.length === 0) throw new TypeError("ReadableByteStreamController.enqueue: the chunk is empty");
        mustBeOpen(this.#state, "enqueue");
        enqueue(this.#state, chunk);
      }
      error(e = undefined) {
        fail(this.#state, e);
      }
      static {
        expose = (c) => (c.object ??= new ReadableByteStreamController(internal, c));
      }
    }
    const mustBeOpen = (c, what) => {
      if (!mayEnqueue(c))
        throw new TypeError(`ReadableByteStreamController.${what}: the stream is ${c.closeRequested ? "closing" : c.stream.state}`);
    };
    const byobRequest = (c) => {
      if (c.request === null && c.pending.length > 0) {
        const first = c.pending.first.value;
        const view = new Uint8Array(first.buffer, first.offset + first.filled, first.length - first.filled);
        c.request = newRequest(c, view);
      }
      return c.request;
    };

    // ---- readers ---------------------------------------------------------------------------------------------------

    const acquire = (stream) => {
      if (core.isLocked(stream)) throw new TypeError("the stream is locked: it has a reader already");
      if (!(stream.controller instanceof ControllerState)) throw new TypeError("the stream is not one of bytes");
      const reader = new core.ReaderState();
      reader.byob = true;
      core.attach(reader, stream);
      return reader;
    };
    const read = (reader, view, minimum, request) => {
      const { stream } = reader;
      stream.disturbed = true;
      if (stream.state === "errored") request.error(stream.error);
      else pullInto(stream.controller, view, minimum, request);
    };
    const checkRead = (reader, view, options) => {
      if (!ArrayBufferIsView(view)) throw new TypeError("ReadableStreamBYOBReader.read: this is not a view");
      const { min } = shared.dictionary(options, "ReadableStreamBYOBReader.read");
      const minimum = min === undefined ? 1 : toCount(min, "ReadableStreamBYOBReader.read: min");
      const given = sizeOfView(view);
      if (given === null || given.length === 0) throw new TypeError("ReadableStreamBYOBReader.read: the view is empty");
      if (isDetached(given.buffer)) throw new TypeError("ReadableStreamBYOBReader.read: the view's buffer is detached");
      if (minimum === 0) throw new TypeError("ReadableStreamBYOBReader.read: min is 0");
      const room = given.type === DataView ? given.length : TypedArrayPrototypeGetLength(view);
      if (minimum > room) throw new RangeError("ReadableStreamBYOBReader.read: min is larger than the view");
      if (reader.stream === null) throw core.released();
      return minimum;
    };

    let byobReader;
    class ReadableStreamBYOBReader {
      #reader;
      constructor(stream) {
        requireArguments(arguments.length, 1, "ReadableStreamBYOBReader");
        this.#reader = stream === internal ? arguments[1] : acquire(core.streamOf(stream));
      }
      get closed() {
        try {
          return core.closedOf(this.#reader);
        } catch (error) {
          return rejectedWith(error);
        }
      }
      cancel(reason = undefined) {
        try {
          return core.cancelOf(this.#reader, reason);
        } catch (error) {
          return rejectedWith(error);
        }
      }
      read(view, options = undefined) {
        try {
          const reader = this.#reader;
          requireArguments(arguments.length, 1, "ReadableStreamBYOBReader.read");
          const minimum = checkRead(reader, view, options);
          return core.readPromise((request) => read(reader, view, minimum, request));
        } catch (error) {
          return rejectedWith(error);
        }
      }
      releaseLock() {
        if (this.#reader.stream !== null) core.release(this.#reader);
      }
      static {
        byobReader = (stream) => new ReadableStreamBYOBReader(internal, acquire(stream));
      }
    }
    const classes = { __proto__: null, ReadableByteStreamController, ReadableStreamBYOBReader, ReadableStreamBYOBRequest };
    shared.shapeInterfaces(classes);

    const setUp = (stream, start, pull, cancel, mark, autoAllocate) =>
      core.startController(stream, new ControllerState(stream, pull, cancel, mark, autoAllocate), start);
    const resolved = () => resolvedWith(undefined);
    const setUpFromSource = (stream, source, methods, mark, autoAllocate) => {
      const { start, pull, cancel } = methods;
      if (autoAllocate === 0) throw new TypeError("ReadableStream: autoAllocateChunkSize is 0");
      const controller = () => expose(stream.controller);
      return setUp(
        stream,
        start === undefined ? resolved : () => resolvedWith( ReflectApply(start, source, [controller()])),
        pull === undefined ? resolved : () => invoke(pull, source, [controller()]),
        cancel === undefined ? resolved : (reason) => invoke(cancel, source, [reason]),
        mark,
        autoAllocate,
      );
    };
    const isByteController = (c) => c instanceof ControllerState;

    return {
      ...classes,
      __proto__: null,
      ReadRequest,
      acquire,
      byobReader,
      byobRequest,
      close,
      cloned,
      enqueue,
      fail,
      isByteController,
      read,
      requestView,
      respond,
      respondWithNewView,
      setUp,
      setUpFromSource,
      viewOf,
    };
  });
});
