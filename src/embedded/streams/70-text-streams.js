// TextEncoderStream and TextDecoderStream (Encoding Standard).
"use strict";

(function (host, shared) {
  const build = shared.once(() => {
    const { StringPrototypeCharCodeAt, StringPrototypeSlice, Uint8Array } = shared.primordials;

    const { create } = shared.transformStreams();

    // A surrogate at the end of a chunk waits for the other one.
    const newEncoder = () => {
      let pending = "";
      const isHigh = (text) => {
        const unit = StringPrototypeCharCodeAt(text, text.length - 1);
        return unit >= 0xd800 && unit < 0xdc00;
      };
      const transform = (chunk, put) => {
        let text = pending + `${chunk}`;
        pending = "";
        if (text.length > 0 && isHigh(text)) {
          pending = StringPrototypeSlice(text, -1);
          text = StringPrototypeSlice(text, 0, -1);
        }
        if (text.length > 0) put(new Uint8Array(host.encode(text)));
      };
      const flush = (put) => {
        if (pending !== "") put(new Uint8Array(host.encode("\ufffd")));
      };
      return create(transform, flush);
    };

    class TextEncoderStream {
      #transform = newEncoder();
      get encoding() {
        void this.#transform;
        return "utf-8";
      }
      get readable() {
        return this.#transform.readable;
      }
      get writable() {
        return this.#transform.writable;
      }
    }

    const newDecoder = (decoder, decode) => {
      const pass = (text, put) => {
        if (text !== "") put(text);
      };
      return create(
        (chunk, put) => pass(decode(decoder, chunk, true), put),
        (put) => pass(decode(decoder, new Uint8Array(0), false), put),
      );
    };

    class TextDecoderStream {
      #decoder;
      #transform;
      constructor(label = "utf-8", options = undefined) {
        const { TextDecoder, decodeChunk } = shared.textCoding();
        this.#decoder = new TextDecoder(label, options);
        this.#transform = newDecoder(this.#decoder, decodeChunk);
      }
      get encoding() {
        return shared.textCoding().describe(this.#decoder).encoding;
      }
      get fatal() {
        return shared.textCoding().describe(this.#decoder).fatal;
      }
      get ignoreBOM() {
        return shared.textCoding().describe(this.#decoder).ignoreBOM;
      }
      get readable() {
        return this.#transform.readable;
      }
      get writable() {
        return this.#transform.writable;
      }
    }
    return shared.shapeInterfaces({ __proto__: null, TextDecoderStream, TextEncoderStream });
  });
  shared.defineInterfaces(build, "TextDecoderStream", "TextEncoderStream");
});
