// Blob and File (File API), and FormData (XMLHttpRequest Standard).
"use strict";

(function (host, shared) {
  const { ArrayBuffer, ArrayBufferIsView, ArrayBufferPrototypeGetByteLength, DataViewPrototypeGetBuffer } =
    shared.primordials;
  const { DataViewPrototypeGetByteLength, DataViewPrototypeGetByteOffset, DateNow, MathMax, MathMin } =
    shared.primordials;
  const { RegExpPrototypeExec, StringPrototypeSlice, StringPrototypeToLowerCase, SymbolIterator, TypeError } =
    shared.primordials;
  const { TypedArrayPrototypeGetBuffer, TypedArrayPrototypeGetByteLength, TypedArrayPrototypeGetByteOffset } =
    shared.primordials;
  const { TypedArrayPrototypeGetToStringTag, Uint8Array } = shared.primordials;
  const { dictionary, hasBrand, list, requireArguments, toUSVString } = shared;
  const setBytes = shared.primordials.uncurryThis(Uint8Array.prototype.set);
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
  shared.bytes = { __proto__: null, bytesOf, copyOf, encode, lengthOf };

  shared.blobs = shared.once(() => {
    const plain = /^[ -~]*$/;
    let isBlob, blobBytes, create, isFile;
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
    return { __proto__: null, ...classes, isBlob, isFile, blobBytes, create };
  });
  shared.defineInterfaces(shared.blobs, "Blob", "File");

  shared.formData = shared.once(() => {
    const { Blob, File, isBlob, isFile, blobBytes } = shared.blobs();
    let pairsOf, isFormData;

    const entry = (name, value, hasName, fileName) => {
      const pair = list();
      pair[0] = toUSVString(name);
      if (!isBlob(value)) {
        if (hasName) throw new TypeError("FormData: only a Blob has a file name");
        pair[1] = toUSVString(value);
      } else if (isFile(value) && !hasName) {
        pair[1] = value;
      } else {
        const parts = [];
        shared.define(parts, 0, value, true);
        pair[1] = new File(parts, hasName ? toUSVString(fileName) : "blob", { __proto__: null, type: value.type });
      }
      return pair;
    };

    class FormData {
      #pairs = list();
      append(name, value, filename = undefined) {
        void this.#pairs;
        requireArguments(arguments.length, 2, "FormData.append");
        this.#pairs[this.#pairs.length] = entry(name, value, arguments.length > 2, filename);
      }
      delete(name) {
        void this.#pairs;
        requireArguments(arguments.length, 1, "FormData.delete");
        this.#keep(toUSVString(name), null);
      }
      get(name) {
        void this.#pairs;
        requireArguments(arguments.length, 1, "FormData.get");
        const key = toUSVString(name);
        for (let i = 0; i < this.#pairs.length; i++) if (this.#pairs[i][0] === key) return this.#pairs[i][1];
        return null;
      }
      getAll(name) {
        void this.#pairs;
        requireArguments(arguments.length, 1, "FormData.getAll");
        const key = toUSVString(name);
        const values = [];
        for (let i = 0; i < this.#pairs.length; i++)
          if (this.#pairs[i][0] === key) shared.define(values, values.length, this.#pairs[i][1], true);
        return values;
      }
      has(name) {
        return this.get(name) !== null;
      }
      set(name, value, filename = undefined) {
        void this.#pairs;
        requireArguments(arguments.length, 2, "FormData.set");
        const pair = entry(name, value, arguments.length > 2, filename);
        this.#keep(pair[0], pair);
      }
      // The pairs of other names, with `pair` at the place of the first one that goes, or at the end.
      #keep(name, pair) {
        const kept = list();
        let waiting = pair;
        for (let i = 0; i < this.#pairs.length; i++) {
          if (this.#pairs[i][0] !== name) kept[kept.length] = this.#pairs[i];
          else if (waiting !== null) {
            kept[kept.length] = waiting;
            waiting = null;
          }
        }
        if (waiting !== null) kept[kept.length] = waiting;
        this.#pairs = kept;
      }
      static {
        pairsOf = (data) => data.#pairs;
        isFormData = (value) => isObject(value) && #pairs in value;
      }
    }
    shared.shapePairs(FormData, pairsOf);
    shared.shapeInterfaces({ __proto__: null, FormData });

    const breaks = /\r\n?|\n/;
    const special = /["\r\n]/;
    const replace = (text, pattern, by) => {
      let out = "";
      let rest = text;
      for (let found; (found = RegExpPrototypeExec(pattern, rest)) !== null; ) {
        out += StringPrototypeSlice(rest, 0, found.index) + by(found[0]);
        rest = StringPrototypeSlice(rest, found.index + found[0].length);
      }
      return out + rest;
    };
    const escape = (name) => replace(name, special, (c) => (c === '"' ? "%22" : c === "\r" ? "%0D" : "%0A"));
    // multipart/form-data: { bytes, type }
    const multipart = (data) => {
      const boundary = `----aardvark-${host.randomUuid()}`;
      const parts = list();
      const pairs = pairsOf(data);
      for (let i = 0; i < pairs.length; i++) {
        const value = pairs[i][1];
        const head = `--${boundary}\r\nContent-Disposition: form-data; name="${escape(pairs[i][0])}"`;
        if (typeof value === "string") {
          parts[parts.length] = encode(`${head}\r\n\r\n${replace(value, breaks, () => "\r\n")}`);
        } else {
          const type = value.type === "" ? "application/octet-stream" : value.type;
          parts[parts.length] = encode(`${head}; filename="${escape(value.name)}"\r\nContent-Type: ${type}\r\n\r\n`);
          parts[parts.length] = blobBytes(value);
        }
        parts[parts.length] = encode("\r\n");
      }
      parts[parts.length] = encode(`--${boundary}--\r\n`);
      return { __proto__: null, bytes: join(parts), type: `multipart/form-data; boundary=${boundary}` };
    };
    return { __proto__: null, FormData, Blob, isFormData, multipart };
  });
  shared.defineInterfaces(shared.formData, "FormData");
});
