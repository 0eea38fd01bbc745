// Bytes, wherever guests have them; and Blob and File (File API).
"use strict";

(function (host, shared) {
  const { ArrayBuffer, ArrayBufferIsView, ArrayBufferPrototypeGetByteLength, DataViewPrototypeGetBuffer } =
    shared.primordials;
  const { DataViewPrototypeGetByteLength, DataViewPrototypeGetByteOffset, DateNow, MathMax, MathMin } =
    shared.primordials;
  const { RegExpPrototypeExec, StringPrototypeCharCodeAt, StringPrototypeToLowerCase, SymbolIterator, TypeError } =
    shared.primordials;
  const { TypedArrayPrototypeGetBuffer, TypedArrayPrototypeGetByteLength, TypedArrayPrototypeGetByteOffset } =
    shared.primordials;
  const { TypedArrayPrototypeGetToStringTag, Uint8Array } = shared.primordials;
  const { dictionary, hasBrand, list, requireArguments, toUSVString } = shared;
  const { TypedArrayPrototypeSet: setBytes } = shared.primordials;
  const isObject = (value) => (typeof value === "object" && value !== null) || typeof value === "function";

  // The bytes of an ArrayBuffer or a view as a Uint8Array over the same memory; null for anything else.
  const bytesOf = (value) => {
    if (!isObject(value)) return null;
    if (!ArrayBufferIsView(value))
      return hasBrand(ArrayBufferPrototypeGetByteLength, value) ? new Uint8Array(value) : null;
    return TypedArrayPrototypeGetToStringTag(value) === undefined
      ? new Uint8Array(DataViewPrototypeGetBuffer(value), DataViewPrototypeGetByteOffset(value), DataViewPrototypeGetByteLength(value))
      : new Uint8Array(TypedArrayPrototypeGetBuffer(value), TypedArrayPrototypeGetByteOffset(value), TypedArrayPrototypeGetByteLength(value));
  };
  const lengthOf = TypedArrayPrototypeGetByteLength;
  // In slices: the engine can be stopped between two of them only.
  const SLICE = 1 << 24;
  const put = (into, bytes, at) => {
    const length = lengthOf(bytes);
    if (length <= SLICE) return setBytes(into, bytes, at);
    const buffer = TypedArrayPrototypeGetBuffer(bytes);
    const offset = TypedArrayPrototypeGetByteOffset(bytes);
    for (let from = 0; from < length; from += SLICE)
      setBytes(into, new Uint8Array(buffer, offset + from, MathMin(SLICE, length - from)), at + from);
  };
  const copyOf = (bytes) => {
    const copy = new Uint8Array(lengthOf(bytes));
    put(copy, bytes, 0);
    return copy;
  };
  const encode = (text) => new Uint8Array(host.encode(text));
  const join = (parts) => {
    let length = 0;
    for (let i = 0; i < parts.length; i++) length += lengthOf(parts[i]);
    const all = new Uint8Array(length);
    for (let i = 0, at = 0; i < parts.length; at += lengthOf(parts[i++])) put(all, parts[i], at);
    return all;
  };
  // Of characters up to U+00FF, a byte each.
  const ofBinary = (text) => {
    const bytes = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) bytes[i] = StringPrototypeCharCodeAt(text, i);
    return bytes;
  };
  shared.bytes = { __proto__: null, bytesOf, copyOf, encode, join, lengthOf, ofBinary };

  // A stream of bytes that stay as they are, a copy of a piece at a time.
  const PIECE = 1 << 16;
  const streamOfBytes = (bytes) => {
    const { enqueue, close } = shared.byteControllers();
    const { resolvedWith } = shared.streamParts();
    const resolved = () => resolvedWith(undefined);
    const buffer = TypedArrayPrototypeGetBuffer(bytes);
    const offset = TypedArrayPrototypeGetByteOffset(bytes);
    const length = lengthOf(bytes);
    let at = 0;
    const pull = () => {
      const count = MathMin(PIECE, length - at);
      if (count > 0) enqueue(stream.controller, copyOf(new Uint8Array(buffer, offset + at, count)));
      at += count;
      if (at === length) finish();
      return resolvedWith(undefined);
    };
    const finish = () => {
      close(stream.controller);
      // Somebody's memory may still wait to be filled.
      if (stream.controller.pending.length > 0) shared.byteControllers().respond(stream.controller, 0);
    };
    const stream = shared.readableStreams().createBytes(resolved, pull, resolved);
    return stream;
  };
  shared.streamOfBytes = streamOfBytes;

  shared.blobs = shared.once(() => {
    const plain = /^[ -~]*$/;
    let isBlob, blobBytes, blobType, create, isFile;
    const internal = {};
    const clamp = (value, size, whenAbsent) => {
      if (value === undefined) return whenAbsent;
      const number = value | 0 || +value || 0;
      return number < 0 ? MathMax(size + number, 0) : MathMin(number, size);
    };
    const typeFrom = (value) => {
      const text = `${value}`;
      return RegExpPrototypeExec(plain, text) === null ? "" : StringPrototypeToLowerCase(text);
    };

    class Blob {
      #bytes;
      #type;
      constructor(blobParts = undefined, options = undefined) {
        if (blobParts === internal) {
          this.#bytes = options.bytes;
          this.#type = options.type;
          return;
        }
        const parts = list();
        if (blobParts !== undefined) {
          if (!isObject(blobParts) || typeof blobParts[SymbolIterator] !== "function")
            throw new TypeError("Blob: the parts are not a sequence");
          for (const part of blobParts)
            parts[parts.length] = isBlob(part) ? part.#bytes : (bytesOf(part) ?? encode(toUSVString(part)));
        }
        const { type } = dictionary(options, "Blob");
        this.#bytes = join(parts);
        this.#type = type === undefined ? "" : typeFrom(type);
      }
      get size() {
        return lengthOf(this.#bytes);
      }
      get type() {
        return this.#type;
      }
      slice(start = undefined, end = undefined, contentType = undefined) {
        const size = lengthOf(this.#bytes);
        const from = clamp(start, size, 0);
        const to = MathMax(clamp(end, size, size), from);
        const bytes = new Uint8Array(TypedArrayPrototypeGetBuffer(this.#bytes), from, to - from);
        return create(copyOf(bytes), contentType === undefined ? "" : typeFrom(contentType));
      }
      stream() {
        return streamOfBytes(this.#bytes).object;
      }
      async arrayBuffer() {
        return TypedArrayPrototypeGetBuffer(copyOf(this.#bytes));
      }
      async bytes() {
        return copyOf(this.#bytes);
      }
      async text() {
        return host.decodeUtf8(this.#bytes, false, false);
      }
      static {
        isBlob = (value) => isObject(value) && #bytes in value;
        blobBytes = (blob) => blob.#bytes;
        blobType = (blob) => blob.#type;
        create = (bytes, type) => new Blob(internal, { __proto__: null, bytes, type });
      }
    }
    class File extends Blob {
      #name;
      #lastModified;
      constructor(fileBits, fileName, options = undefined) {
        requireArguments(arguments.length, 2, "File");
        super(fileBits, options);
        this.#name = toUSVString(fileName);
        const { lastModified } = dictionary(options, "File");
        this.#lastModified = lastModified === undefined ? DateNow() : +lastModified || 0;
      }
      get name() {
        return this.#name;
      }
      get lastModified() {
        return this.#lastModified;
      }
      static {
        isFile = (value) => isObject(value) && #name in value;
      }
    }
    const classes = shared.shapeInterfaces({ __proto__: null, Blob, File });
    return { __proto__: null, ...classes, isBlob, isFile, blobBytes, blobType, create };
  });
  shared.defineInterfaces(shared.blobs, "Blob", "File");
});
