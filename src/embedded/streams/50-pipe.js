// What connects streams (Streams Standard): pipeTo, and tee for chunks and for bytes.
"use strict";

(function (host, shared) {
  shared.streamPipes = shared.once(() => {
    const { TypeError, TypedArrayPrototypeGetBuffer, TypedArrayPrototypeGetByteLength } = shared.primordials;
    const { TypedArrayPrototypeGetByteOffset, Uint8Array } = shared.primordials;

    const { Deferred, chain, forward, markHandled, nothing, resolvedWith, then, upon } = shared.streamParts();
    const core = shared.readableCore();
    const { ReadRequest } = core;

    // ---- pipeTo ------------------------------------------------------------------------------------------------------

    class Pipe {
      source;
      dest;
      reader;
      writer;
      options;
      shuttingDown = false;
      currentWrite = resolvedWith(undefined);
      result = new Deferred();
      onAbort = null;
      constructor(source, dest, options) {
        this.source = source;
        this.dest = dest;
        this.options = options;
        this.reader = core.acquire(source);
        this.writer = shared.writableStreams().acquire(dest);
        source.disturbed = true;
      }
    }
    const waitForWrites = (pipe) => {
      const before = pipe.currentWrite;
      return chain(before, () => (before === pipe.currentWrite ? resolvedWith(undefined) : waitForWrites(pipe)));
    };
    const finish = (pipe, isError, error) => {
      shared.writableStreams().release(pipe.writer);
      core.release(pipe.reader);
      if (pipe.onAbort !== null) shared.abort().removeAbortAlgorithm(pipe.options.signal, pipe.onAbort);
      if (isError) pipe.result.reject(error);
      else pipe.result.resolve(undefined);
    };
    const shutdown = (pipe, action, isError, error) => {
      if (pipe.shuttingDown) return;
      pipe.shuttingDown = true;
      const rest = () => {
        if (action === null) finish(pipe, isError, error);
        else
          upon(
            action(),
            () => finish(pipe, isError, error),
            (other) => finish(pipe, true, other),
          );
      };
      const { dest } = pipe;
      if (dest.state === "writable" && !shared.writableStreams().closeQueuedOrInFlight(dest))
        upon(waitForWrites(pipe), rest, rest);
      else rest();
    };
    const abortPipe = (pipe) => {
      const { source, dest, options } = pipe;
      const error = shared.abort().reasonOf(options.signal);
      shutdown(
        pipe,
        () => {
          const first =
            options.preventAbort || dest.state !== "writable" ? resolvedWith(undefined) : shared.writableStreams().abort(dest, error);
          const second =
            options.preventCancel || source.state !== "readable" ? resolvedWith(undefined) : core.cancel(source, error);
          markHandled(second);
          return chain(first, () => second);
        },
        true,
        error,
      );
    };
    const watch = (pipe) => {
      const { source, dest, options, reader, writer } = pipe;
      const { abort, closeQueuedOrInFlight, closeWithErrors } = shared.writableStreams();
      const sourceFailed = (error) => shutdown(pipe, options.preventAbort ? null : () => abort(dest, error), true, error);
      const destFailed = (error) => shutdown(pipe, options.preventCancel ? null : () => core.cancel(source, error), true, error);
      const sourceClosed = () => shutdown(pipe, options.preventClose ? null : () => closeWithErrors(writer), false, undefined);
      if (source.state === "errored") sourceFailed(source.error);
      else upon(reader.closed.promise, nothing, sourceFailed);
      if (dest.state === "errored") destFailed(dest.error);
      else upon(writer.closed.promise, nothing, destFailed);
      if (source.state === "closed") sourceClosed();
      else upon(reader.closed.promise, sourceClosed, nothing);
      if (closeQueuedOrInFlight(dest) || dest.state === "closed") destFailed(new TypeError("the stream that is piped to is closing or closed"));
    };
    const step = (pipe) => {
      if (pipe.shuttingDown) return;
      const again = () => step(pipe);
      upon(
        pipe.writer.ready.promise,
        () => {
          if (pipe.shuttingDown) return;
          const request = new ReadRequest(
            (chunk) => {
              pipe.currentWrite = then(shared.writableStreams().write(pipe.writer, chunk), undefined, nothing);
              upon(resolvedWith(undefined), again, again);
            },
            nothing,
            nothing,
          );
          core.read(pipe.reader, request);
        },
        nothing,
      );
    };
    const pipeTo = (source, dest, options) => {
      const pipe = new Pipe(source, dest, options);
      if (options.signal !== undefined) {
        const { addAbortAlgorithm, isAborted } = shared.abort();
        if (isAborted(options.signal)) {
          abortPipe(pipe);
          return pipe.result.promise;
        }
        pipe.onAbort = () => abortPipe(pipe);
        addAbortAlgorithm(options.signal, pipe.onAbort);
      }
      watch(pipe);
      step(pipe);
      return pipe.result.promise;
    };

    // ---- tee ---------------------------------------------------------------------------------------------------------

    // The two branches of a stream, and what has been said of each.
    class Tee {
      stream;
      reader;
      reading = false;
      again1 = false;
      again2 = false;
      canceled1 = false;
      canceled2 = false;
      reason1 = undefined;
      reason2 = undefined;
      branch1 = null;
      branch2 = null;
      cancel = new Deferred();
      constructor(stream) {
        this.stream = stream;
        this.reader = core.acquire(stream);
      }
    }
    const cancelBranch = (tee, second, reason) => {
      if (second) {
        tee.canceled2 = true;
        tee.reason2 = reason;
      } else {
        tee.canceled1 = true;
        tee.reason1 = reason;
      }
      if (tee.canceled1 && tee.canceled2) forward(core.cancel(tee.stream, [tee.reason1, tee.reason2]), tee.cancel);
      return tee.cancel.promise;
    };
    const unlessBothCanceled = (tee) => {
      if (!tee.canceled1 || !tee.canceled2) tee.cancel.resolve(undefined);
    };
    const resolved = () => resolvedWith(undefined);
    const soon = (steps) => upon(resolvedWith(undefined), steps, nothing);

    const teeChunks = (stream, create, copy) => {
      const { close, enqueue, fail } = shared.defaultControllers();
      const tee = new Tee(stream);
      const pull = () => {
        if (tee.reading) {
          tee.again1 = true;
          return resolvedWith(undefined);
        }
        tee.reading = true;
        const request = new ReadRequest(
          (chunk) =>
            soon(() => {
              tee.again1 = false;
              const second = tee.canceled2 ? undefined : copy(chunk);
              if (!tee.canceled1) enqueue(tee.branch1.controller, chunk);
              if (!tee.canceled2) enqueue(tee.branch2.controller, second);
              tee.reading = false;
              if (tee.again1) pull();
            }),
          () => {
            tee.reading = false;
            if (!tee.canceled1) close(tee.branch1.controller);
            if (!tee.canceled2) close(tee.branch2.controller);
            unlessBothCanceled(tee);
          },
          () => {
            tee.reading = false;
          },
        );
        core.read(tee.reader, request);
        return resolvedWith(undefined);
      };
      tee.branch1 = create(resolved, pull, (reason) => cancelBranch(tee, false, reason), 1);
      tee.branch2 = create(resolved, pull, (reason) => cancelBranch(tee, true, reason), 1);
      upon(tee.reader.closed.promise, nothing, (error) => {
        fail(tee.branch1.controller, error);
        fail(tee.branch2.controller, error);
        unlessBothCanceled(tee);
      });
      return tee;
    };

    const copyOfChunk = (chunk) => {
      const length = TypedArrayPrototypeGetByteLength(chunk);
      const copy = shared.byteControllers().cloned(TypedArrayPrototypeGetBuffer(chunk), TypedArrayPrototypeGetByteOffset(chunk), length);
      return new Uint8Array(copy);
    };
    const watchReader = (tee) => {
      const { reader } = tee;
      const { fail } = shared.byteControllers();
      upon(reader.closed.promise, nothing, (error) => {
        if (tee.reader !== reader) return;
        fail(tee.branch1.controller, error);
        fail(tee.branch2.controller, error);
        unlessBothCanceled(tee);
      });
    };
    const useReader = (tee, byob) => {
      if (tee.reader.byob === byob) return;
      core.release(tee.reader);
      tee.reader = byob ? shared.byteControllers().acquire(tee.stream) : core.acquire(tee.stream);
      watchReader(tee);
    };
    // The copy of a chunk for the other branch; null where that failed, and so has everything.
    const copyOrFail = (tee, chunk) => {
      try {
        return copyOfChunk(chunk);
      } catch (error) {
        const { fail } = shared.byteControllers();
        fail(tee.branch1.controller, error);
        fail(tee.branch2.controller, error);
        forward(core.cancel(tee.stream, error), tee.cancel);
        return null;
      }
    };
    const goOn = (tee) => {
      tee.reading = false;
      if (tee.again1) pullBytes(tee, false);
      else if (tee.again2) pullBytes(tee, true);
    };
    const pullForDefault = (tee) => {
      const { close, enqueue, respond } = shared.byteControllers();
      useReader(tee, false);
      const request = new ReadRequest(
        (chunk) =>
          soon(() => {
            tee.again1 = tee.again2 = false;
            let copy = chunk;
            if (!tee.canceled1 && !tee.canceled2) copy = copyOrFail(tee, chunk);
            if (copy === null) return;
            if (!tee.canceled1) enqueue(tee.branch1.controller, chunk);
            if (!tee.canceled2) enqueue(tee.branch2.controller, copy);
            goOn(tee);
          }),
        () => {
          const c1 = tee.branch1.controller;
          const c2 = tee.branch2.controller;
          tee.reading = false;
          if (!tee.canceled1) close(c1);
          if (!tee.canceled2) close(c2);
          if (c1.pending.length > 0) respond(c1, 0);
          if (c2.pending.length > 0) respond(c2, 0);
          unlessBothCanceled(tee);
        },
        () => {
          tee.reading = false;
        },
      );
      core.read(tee.reader, request);
    };
    const pullForByob = (tee, view, second) => {
      const { close, enqueue, read, respond, respondWithNewView } = shared.byteControllers();
      useReader(tee, true);
      const own = second ? tee.branch2 : tee.branch1;
      const other = second ? tee.branch1 : tee.branch2;
      const ownCanceled = () => (second ? tee.canceled2 : tee.canceled1);
      const otherCanceled = () => (second ? tee.canceled1 : tee.canceled2);
      const request = new ReadRequest(
        (chunk) =>
          soon(() => {
            tee.again1 = tee.again2 = false;
            let copy = null;
            if (!otherCanceled()) {
              copy = copyOrFail(tee, chunk);
              if (copy === null) return;
            }
            if (!ownCanceled()) respondWithNewView(own.controller, chunk);
            if (copy !== null) enqueue(other.controller, copy);
            goOn(tee);
          }),
        (chunk) => {
          tee.reading = false;
          const mine = ownCanceled();
          const others = otherCanceled();
          if (!mine) close(own.controller);
          if (!others) close(other.controller);
          if (chunk !== undefined) {
            if (!mine) respondWithNewView(own.controller, chunk);
            if (!others && other.controller.pending.length > 0) respond(other.controller, 0);
          }
          if (!mine || !others) tee.cancel.resolve(undefined);
        },
        () => {
          tee.reading = false;
        },
      );
      read(tee.reader, view, 1, request);
    };
    const pullBytes = (tee, second) => {
      if (tee.reading) {
        if (second) tee.again2 = true;
        else tee.again1 = true;
        return resolvedWith(undefined);
      }
      tee.reading = true;
      const { byobRequest, requestView } = shared.byteControllers();
      const request = byobRequest((second ? tee.branch2 : tee.branch1).controller);
      if (request === null) pullForDefault(tee);
      else pullForByob(tee, requestView(request), second);
      return resolvedWith(undefined);
    };
    const teeBytes = (stream, create) => {
      const tee = new Tee(stream);
      tee.branch1 = create(
        resolved,
        () => pullBytes(tee, false),
        (reason) => cancelBranch(tee, false, reason),
      );
      tee.branch2 = create(
        resolved,
        () => pullBytes(tee, true),
        (reason) => cancelBranch(tee, true, reason),
      );
      watchReader(tee);
      return tee;
    };

    return { __proto__: null, pipeTo, teeBytes, teeChunks };
  });
});
