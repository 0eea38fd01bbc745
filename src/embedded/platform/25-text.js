// TextEncoder and TextDecoder (Encoding Standard), for UTF-8, UTF-16 and windows-1252.
"use strict";

(function (host, shared) {
  const { ArrayBufferPrototypeGetByteLength, Float64Array, RangeError, RegExpPrototypeExec } = shared.primordials;
  const { StringPrototypeToLowerCase, TypedArrayPrototypeGetToStringTag, TypeError, Uint8Array } = shared.primordials;
  const { dictionary, requireArguments } = shared;

  const build = shared.once(() => {
    const encodings = {
      __proto__: null,
      "utf-8": "unicode-1-1-utf-8 unicode11utf8 unicode20utf8 utf-8 utf8 x-unicode20utf8",
      "utf-16be": "unicodefffe utf-16be",
      "utf-16le": "csunicode iso-10646-ucs-2 ucs-2 unicode unicodefeff utf-16 utf-16le",
      "windows-1252":
        "ansi_x3.4-1968 ascii cp1252 cp819 csisolatin1 ibm819 iso-8859-1 iso-ir-100 iso8859-1 iso88591 " +
        "iso_8859-1 iso_8859-1:1987 l1 latin1 us-ascii windows-1252 x-cp1252",
    };
    const findLabels = shared.once(() => {
      const labels = { __proto__: null };
      for (const name in encodings) {
        const word = /[^ ]+/g;
        for (let found; (found = RegExpPrototypeExec(word, encodings[name])) !== null;) labels[found[0]] = name;
      }
      return labels;
    });
    const trimmed = /^[\t\n\f\r ]*([^]*?)[\t\n\f\r ]*$/;
    const getEncoding = (label) => {
      const name = findLabels()[StringPrototypeToLowerCase(RegExpPrototypeExec(trimmed, label)[1])];
      if (name === undefined) throw new RangeError(`TextDecoder: no encoding here has the label "${label}"`);
      return name;
    };

    const counts = new Float64Array(2);

    class TextEncoder {
      #brand;
      get encoding() {
        void this.#brand;
        return "utf-8";
      }
      encode(input = "") {
        void this.#brand;
        return new Uint8Array(host.encode(`${input}`));
      }
      encodeInto(source, destination) {
        void this.#brand;
        requireArguments(arguments.length, 2, "TextEncoder.encodeInto");
        const text = `${source}`;
        if (typeof destination !== "object" || !isUint8Array(destination))
          throw new TypeError("TextEncoder.encodeInto: the destination is no Uint8Array");
        counts[0] = counts[1] = 0;
        host.encodeInto(text, destination, counts);
        return { read: counts[0], written: counts[1] };
      }
    }
    const isUint8Array = (value) => value !== null && TypedArrayPrototypeGetToStringTag(value) === "Uint8Array";

    class TextDecoder {
      #encoding;
      #fatal;
      #ignoreBOM;
      #streaming = false; // the last call said stream: true
      #seenBOM = false;
      #pending = null; // bytes at the end of the last chunk that wait for more
      constructor(label = "utf-8", options = undefined) {
        this.#encoding = label === "utf-8" ? label : getEncoding(`${label}`);
        const { fatal, ignoreBOM } = dictionary(options, "TextDecoder");
        this.#fatal = !!fatal;
        this.#ignoreBOM = !!ignoreBOM;
      }
      get encoding() {
        return this.#encoding;
      }
      get fatal() {
        return this.#fatal;
      }
      get ignoreBOM() {
        return this.#ignoreBOM;
      }
      decode(input = undefined, options = undefined) {
        if (!this.#streaming && options === undefined) return this.#convert(input ?? none(input), this.#ignoreBOM);
        const { stream } = dictionary(options, "TextDecoder.decode");
        return this.#decodeChunk(input ?? none(input), !!stream);
      }
      #decodeChunk(input, stream) {
        if (!this.#streaming) {
          this.#pending = null;
          this.#seenBOM = false;
        }
        const bytes = host.joinBytes(this.#pending, input);
        if (bytes === undefined) throw notBytes();
        this.#streaming = stream;
        this.#pending = null;
        const length = ArrayBufferPrototypeGetByteLength(bytes);
        const tail = stream ? host.decodeTail(bytes, this.#encoding) : 0;
        if (tail) this.#pending = new Uint8Array(bytes, length - tail, tail);
        if (length === tail) return "";
        const ignoreBOM = this.#ignoreBOM || this.#seenBOM;
        this.#seenBOM = true;
        return this.#convert(new Uint8Array(bytes, 0, length - tail), ignoreBOM);
      }
      #convert(bytes, ignoreBOM) {
        const text =
          this.#encoding === "utf-8"
            ? host.decodeUtf8(bytes, this.#fatal, ignoreBOM)
            : this.#encoding === "windows-1252"
              ? host.decodeWindows1252(bytes)
              : host.decodeUtf16(bytes, this.#encoding === "utf-16be", this.#fatal, ignoreBOM);
        if (typeof text === "string") return text;
        if (text === undefined) throw notBytes();
        throw new TypeError(`TextDecoder.decode: the data is not valid ${this.#encoding}`);
      }
    }
    const empty = new Uint8Array(0);
    const none = (input) => {
      if (input === null) throw notBytes();
      return empty;
    };
    const notBytes = () => new TypeError("TextDecoder.decode: the input is neither an ArrayBuffer nor a view of one");

    return shared.shapeInterfaces({ __proto__: null, TextEncoder, TextDecoder });
  });
  shared.textDecoder = () => build().TextDecoder;
  shared.defineInterfaces(build, "TextEncoder", "TextDecoder");
});
