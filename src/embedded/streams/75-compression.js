// CompressionStream and DecompressionStream (Compression Standard), by the host's zlib.  What zlib remembers of a stream is in
// memory of the guest's, which goes as the guest's memory does.
"use strict";

(function (host, shared) {
  const build = shared.once(() => {
    const { ArrayBuffer, Float64Array, TypedArrayPrototypeGetByteLength, TypeError, Uint8Array } = shared.primordials;
    const { TypedArrayPrototypeGetBuffer } = shared.primordials;
    const { requireArguments } = shared;
    const FORMATS = { __proto__: null, deflate: 0, "deflate-raw": 1, gzip: 2 };
    const ROOM = 1 << 16; // of output at once: the engine can be stopped between two calls only
    const ENDED = 1;
    const WRONG = -1;

    const { create } = shared.transformStreams();
    const counts = new Float64Array(2); // bytes taken, bytes given

    const begin = (compresses, format, where) => {
      const kind = FORMATS[format];
      if (kind === undefined) throw new TypeError(`${where}: the format '${format}' is not one of deflate, deflate-raw and gzip`);
      const state = new ArrayBuffer(host.zlibSize(compresses));
      host.zlibBegin(state, compresses, kind);
      return state;
    };
    // Works on `bytes` until they are used up; gives whether the compressed data has ended.
    const run = (state, bytes, finish, put, where) => {
      const length = TypedArrayPrototypeGetByteLength(bytes);
      let room = null;
      for (let at = 0; ; ) {
        room ??= new Uint8Array(ROOM);
        const status = host.zlibRun(state, bytes, at, room, finish, counts);
        if (status === WRONG) throw new TypeError(`${where}: the data is not compressed so, or is damaged`);
        at += counts[0];
        if (counts[1] > 0) {
          put(shared.bytes.copyOf(new Uint8Array(TypedArrayPrototypeGetBuffer(room), 0, counts[1])));
        }
        if (status === ENDED) {
          if (at < length) throw new TypeError(`${where}: there is more after the end of the compressed data`);
          return true;
        }
        if (at >= length && counts[1] < ROOM) return false;
      }
    };
    const newTransform = (compresses, format, where) => {
      const state = begin(compresses, `${format}`, where);
      let ended = false;
      const transform = (chunk, put) => {
        const bytes = shared.bytes.bytesOf(chunk);
        if (bytes === null) throw new TypeError(`${where}: a chunk is neither an ArrayBuffer nor a view of one`);
        if (TypedArrayPrototypeGetByteLength(bytes) === 0) return;
        if (ended) throw new TypeError(`${where}: there is more after the end of the compressed data`);
        ended = run(state, bytes, false, put, where);
      };
      const flush = (put) => {
        if (!ended) ended = run(state, new Uint8Array(0), true, put, where);
        if (!ended) throw new TypeError(`${where}: the compressed data is not complete`);
      };
      return create(transform, flush);
    };

    class CompressionStream {
      #transform;
      constructor(format) {
        requireArguments(arguments.length, 1, "CompressionStream");
        this.#transform = newTransform(true, format, "CompressionStream");
      }
      get readable() {
        return this.#transform.readable;
      }
      get writable() {
        return this.#transform.writable;
      }
    }
    class DecompressionStream {
      #transform;
      constructor(format) {
        requireArguments(arguments.length, 1, "DecompressionStream");
        this.#transform = newTransform(false, format, "DecompressionStream");
      }
      get readable() {
        return this.#transform.readable;
      }
      get writable() {
        return this.#transform.writable;
      }
    }
    return shared.shapeInterfaces({ __proto__: null, CompressionStream, DecompressionStream });
  });
  shared.defineInterfaces(build, "CompressionStream", "DecompressionStream");
});
