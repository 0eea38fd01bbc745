// TextEncoder and TextDecoder (Encoding Standard), for UTF-8, UTF-16 and all encodings of one byte a character.
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
      ibm866: "866 cp866 csibm866 ibm866",
      "iso-8859-10": "csisolatin6 iso-8859-10 iso-ir-157 iso8859-10 iso885910 l6 latin6",
      "iso-8859-13": "iso-8859-13 iso8859-13 iso885913",
      "iso-8859-14": "iso-8859-14 iso8859-14 iso885914",
      "iso-8859-15": "csisolatin9 iso-8859-15 iso8859-15 iso885915 iso_8859-15 l9",
      "iso-8859-16": "iso-8859-16",
      "iso-8859-2": "csisolatin2 iso-8859-2 iso-ir-101 iso8859-2 iso88592 iso_8859-2 iso_8859-2:1987 l2 latin2",
      "iso-8859-3": "csisolatin3 iso-8859-3 iso-ir-109 iso8859-3 iso88593 iso_8859-3 iso_8859-3:1988 l3 latin3",
      "iso-8859-4": "csisolatin4 iso-8859-4 iso-ir-110 iso8859-4 iso88594 iso_8859-4 iso_8859-4:1988 l4 latin4",
      "iso-8859-5": "csisolatincyrillic cyrillic iso-8859-5 iso-ir-144 iso8859-5 iso88595 iso_8859-5 iso_8859-5:1988",
      "iso-8859-6":
        "arabic asmo-708 csiso88596e csiso88596i csisolatinarabic ecma-114 iso-8859-6 iso-8859-6-e " +
        "iso-8859-6-i iso-ir-127 iso8859-6 iso88596 iso_8859-6 iso_8859-6:1987",
      "iso-8859-7":
        "csisolatingreek ecma-118 elot_928 greek greek8 iso-8859-7 iso-ir-126 iso8859-7 iso88597 " +
        "iso_8859-7 iso_8859-7:1987 sun_eu_greek",
      "iso-8859-8":
        "csiso88598e csisolatinhebrew hebrew iso-8859-8 iso-8859-8-e iso-ir-138 iso8859-8 iso88598 " +
        "iso_8859-8 iso_8859-8:1988 visual",
      "iso-8859-8-i": "csiso88598i iso-8859-8-i logical",
      "koi8-r": "cskoi8r koi koi8 koi8-r koi8_r",
      "koi8-u": "koi8-ru koi8-u",
      macintosh: "csmacintosh mac macintosh x-mac-roman",
      "windows-1250": "cp1250 windows-1250 x-cp1250",
      "windows-1251": "cp1251 windows-1251 x-cp1251",
      "windows-1252":
        "ansi_x3.4-1968 ascii cp1252 cp819 csisolatin1 ibm819 iso-8859-1 iso-ir-100 iso8859-1 iso88591 " +
        "iso_8859-1 iso_8859-1:1987 l1 latin1 us-ascii windows-1252 x-cp1252",
      "windows-1253": "cp1253 windows-1253 x-cp1253",
      "windows-1254":
        "cp1254 csisolatin5 iso-8859-9 iso-ir-148 iso8859-9 iso88599 iso_8859-9 iso_8859-9:1989 l5 latin5 " +
        "windows-1254 x-cp1254",
      "windows-1255": "cp1255 windows-1255 x-cp1255",
      "windows-1256": "cp1256 windows-1256 x-cp1256",
      "windows-1257": "cp1257 windows-1257 x-cp1257",
      "windows-1258": "cp1258 windows-1258 x-cp1258",
      "windows-874": "dos-874 iso-8859-11 iso8859-11 iso885911 tis-620 windows-874",
      "x-mac-cyrillic": "x-mac-cyrillic x-mac-ukrainian",
      "x-user-defined": "x-user-defined",
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
          throw new TypeError("TextEncoder.encodeInto: the destination is not a Uint8Array");
        counts[0] = counts[1] = 0;
        host.encodeInto(text, destination, counts);
        return { read: counts[0], written: counts[1] };
      }
    }
    const isUint8Array = (value) => value !== null && TypedArrayPrototypeGetToStringTag(value) === "Uint8Array";

    const isUtf16 = (encoding) => encoding === "utf-16le" || encoding === "utf-16be";

    let decodeChunk, describe;
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
      static {
        decodeChunk = (decoder, input, stream) => decoder.#decodeChunk(input ?? none(input), stream);
        describe = (decoder) => ({
          __proto__: null,
          encoding: decoder.#encoding,
          fatal: decoder.#fatal,
          ignoreBOM: decoder.#ignoreBOM,
        });
      }
      #convert(bytes, ignoreBOM) {
        const text =
          this.#encoding === "utf-8"
            ? host.decodeUtf8(bytes, this.#fatal, ignoreBOM)
            : isUtf16(this.#encoding)
              ? host.decodeUtf16(bytes, this.#encoding === "utf-16be", this.#fatal, ignoreBOM)
              : host.decodeSingleByte(bytes, this.#encoding, this.#fatal);
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

    const classes = shared.shapeInterfaces({ __proto__: null, TextEncoder, TextDecoder });
    return { __proto__: null, ...classes, decodeChunk, describe };
  });
  shared.textCoding = build;
  shared.defineInterfaces(build, "TextEncoder", "TextDecoder");
});
