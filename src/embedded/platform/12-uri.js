// encodeURI and encodeURIComponent of long texts, in slices.  The engine's own make all of the result beside the heap, up to nine
// bytes for each character of the text, before they find that the heap has no room for it.
"use strict";

(function (host, shared) {
  const { StringPrototypeCharCodeAt, StringPrototypeSlice } = shared.primordials;
  const SLICE = 1 << 16;
  const own = { __proto__: null, encodeURI, encodeURIComponent };

  const encode = (encodeSlice, text) => {
    let out = "";
    for (let start = 0; start < text.length;) {
      let end = start + SLICE;
      // Not between the two halves of a character.
      if (end < text.length && (StringPrototypeCharCodeAt(text, end - 1) & 0xfc00) === 0xd800) end--;
      out += encodeSlice(StringPrototypeSlice(text, start, end));
      start = end;
    }
    return out;
  };
  const methods = {
    encodeURI(uri) {
      const text = `${uri}`;
      return text.length > SLICE ? encode(own.encodeURI, text) : own.encodeURI(text);
    },
    encodeURIComponent(uriComponent) {
      const text = `${uriComponent}`;
      return text.length > SLICE ? encode(own.encodeURIComponent, text) : own.encodeURIComponent(text);
    },
  };
  shared.define(globalThis, "encodeURI", methods.encodeURI, false);
  shared.define(globalThis, "encodeURIComponent", methods.encodeURIComponent, false);
});
