// FormData (XMLHttpRequest Standard), and the two forms in which bodies hold it: read and written.
"use strict";

(function (host, shared) {
  shared.formData = shared.once(() => {
    const { RegExpPrototypeExec, StringPrototypeIndexOf, StringPrototypeSlice, StringPrototypeToLowerCase, TypeError } =
      shared.primordials;
    const { TypedArrayPrototypeGetBuffer, TypedArrayPrototypeGetByteOffset, Uint8Array } = shared.primordials;
    const { list, replaceAll, requireArguments, toUSVString } = shared;
    const { copyOf, encode, join, lengthOf } = shared.bytes;
    const isObject = (value) => (typeof value === "object" && value !== null) || typeof value === "function";

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
      constructor(form = undefined) {
        if (form !== undefined) throw new TypeError("FormData: there are no forms here; leave the argument out");
      }
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
    const escape = (name) => replaceAll(name, special, (c) => (c === '"' ? "%22" : c === "\r" ? "%0D" : "%0A"));
    // multipart/form-data: { bytes, type }
    const multipart = (data) => {
      const boundary = `----aardvark-${host.randomUuid()}`;
      const parts = list();
      const pairs = pairsOf(data);
      for (let i = 0; i < pairs.length; i++) {
        const value = pairs[i][1];
        const head = `--${boundary}\r\nContent-Disposition: form-data; name="${escape(pairs[i][0])}"`;
        if (typeof value === "string") {
          parts[parts.length] = encode(`${head}\r\n\r\n${replaceAll(value, breaks, () => "\r\n")}`);
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

    // ---- reading ---------------------------------------------------------------------------------------------------

    const malformed = () => new TypeError("formData: the body is not what multipart/form-data is");
    const part = (bytes, from, to) =>
      new Uint8Array(TypedArrayPrototypeGetBuffer(bytes), TypedArrayPrototypeGetByteOffset(bytes) + from, to - from);
    // Bytes are told apart as text of one character each, which keeps their places.
    const parameterOf = (line, name) => {
      const found = RegExpPrototypeExec(name === "name" ? /[;\s]name="([^"]*)"/i : /[;\s]filename="([^"]*)"/i, line);
      if (found === null) return undefined;
      const raw = host.decodeUtf8(shared.bytes.ofBinary(found[1]), false, true);
      return replaceAll(raw, /%(?:22|0A|0D)/i, (c) => (c === "%22" ? '"' : c[2] === "D" || c[2] === "d" ? "\r" : "\n"));
    };
    const readPart = (data, head, content) => {
      const lines = /^([^:\r\n]+):[ \t]*([^\r\n]*)$/gm;
      let disposition;
      let type = "text/plain";
      for (let found; (found = RegExpPrototypeExec(lines, head)) !== null; ) {
        const name = StringPrototypeToLowerCase(found[1]);
        if (name === "content-disposition") disposition = found[2];
        else if (name === "content-type") type = found[2];
      }
      if (disposition === undefined || RegExpPrototypeExec(/^form-data(?:;|$)/i, disposition) === null) throw malformed();
      const name = parameterOf(disposition, "name");
      const fileName = parameterOf(disposition, "filename");
      if (name === undefined) throw malformed();
      if (fileName === undefined) return add(data, name, host.decodeUtf8(content, false, true));
      const parts = [];
      shared.define(parts, 0, copyOf(content), true);
      return add(data, name, new File(parts, fileName, { __proto__: null, type }));
    };
    const add = (data, name, value) => {
      const pair = list();
      pair[0] = name;
      pair[1] = value;
      const pairs = pairsOf(data);
      pairs[pairs.length] = pair;
    };
    const parseMultipart = (bytes, boundary) => {
      const data = new FormData();
      const text = host.decodeSingleByte(bytes, "x-user-defined", false); // a byte above 0x7f is some one character
      const mark = `--${boundary}`;
      let at = StringPrototypeSlice(text, 0, mark.length) === mark ? 0 : StringPrototypeIndexOf(text, `\r\n${mark}`, 0) + 2;
      if (at === 1) throw malformed();
      for (at += mark.length; ; ) {
        if (StringPrototypeSlice(text, at, at + 2) === "--") return data;
        if (StringPrototypeSlice(text, at, at + 2) !== "\r\n") throw malformed();
        const headEnd = StringPrototypeIndexOf(text, "\r\n\r\n", at);
        const end = StringPrototypeIndexOf(text, `\r\n${mark}`, headEnd < 0 ? text.length : headEnd + 2);
        if (headEnd < 0 || end < 0) throw malformed();
        readPart(data, latin1(part(bytes, at + 2, headEnd)), part(bytes, headEnd + 4, end < headEnd + 4 ? headEnd + 4 : end));
        at = end + 2 + mark.length;
      }
    };
    const latin1 = (bytes) => {
      let text = "";
      for (let i = 0; i < lengthOf(bytes); i++) text += shared.primordials.StringFromCharCode(bytes[i]);
      return text;
    };
    const parseUrlEncoded = (bytes) => {
      const data = new FormData();
      const params = new (shared.urlSearchParams().URLSearchParams)(host.decodeUtf8(bytes, false, true));
      shared.urlSearchParams().eachPair(params, (name, value) => add(data, name, value));
      return data;
    };
    return { __proto__: null, FormData, Blob, isFormData, multipart, parseMultipart, parseUrlEncoded };
  });
  shared.defineInterfaces(shared.formData, "FormData");
});
