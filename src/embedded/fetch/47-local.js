// What is fetched without a network: data: URLs (Fetch Standard, "data: URL processor") and object URLs (File API).
"use strict";

(function (host, shared) {
  const { Map, MapPrototypeDelete, MapPrototypeGet, MapPrototypeSet, RegExpPrototypeExec, StringPrototypeIndexOf } =
    shared.primordials;
  const { StringPrototypeSlice, TypeError } = shared.primordials;

  const withoutFragment = (text) => {
    const at = StringPrototypeIndexOf(text, "#");
    return at < 0 ? text : StringPrototypeSlice(text, 0, at);
  };
  const refused = (what) => new TypeError(`fetch failed: ${what}`);

  const bytesOfBase64 = (text) => {
    const binary = host.base64Decode(text);
    if (binary === null) throw refused("the data: URL is not base64");
    return shared.bytes.ofBinary(binary);
  };
  const ofData = (text) => {
    const comma = StringPrototypeIndexOf(text, ",");
    if (comma < 0) throw refused("the data: URL has no comma");
    let type = StringPrototypeSlice(text, 5, comma);
    let body = shared.urlHost().percentDecodeBytes(StringPrototypeSlice(text, comma + 1));
    const base64 = RegExpPrototypeExec(/;[ ]*base64[ ]*$/i, type);
    if (base64 !== null) {
      type = StringPrototypeSlice(type, 0, base64.index);
      body = bytesOfBase64(host.decodeUtf8(body, false, true));
    }
    const { parse, serialize } = shared.mimeTypes();
    const mime = parse(type[0] === ";" ? `text/plain${type}` : type) ?? parse("text/plain;charset=US-ASCII");
    return { __proto__: null, body, type: serialize(mime), status: 200, statusText: "OK" };
  };

  const objects = shared.once(() => new Map());
  const ofObject = (text, method) => {
    const blob = MapPrototypeGet(objects(), text);
    if (blob === undefined || method !== "GET") throw refused("there is no object of this URL, or the method is not GET");
    return { __proto__: null, body: blob, type: shared.blobs().blobType(blob), status: 200, statusText: "OK" };
  };
  // { body, type, status, statusText } of a URL that needs no network, or null.
  shared.localResource = (url, text, method) => {
    if (url.scheme === "data") return ofData(withoutFragment(text));
    if (url.scheme === "blob") return ofObject(withoutFragment(text), method);
    return null;
  };
  shared.objectUrls = {
    __proto__: null,
    create(blob) {
      if (!shared.blobs().isBlob(blob)) throw new TypeError("URL.createObjectURL: this is not a Blob");
      const url = `blob:null/${host.randomUuid()}`;
      MapPrototypeSet(objects(), url, blob);
      return url;
    },
    revoke: (url) => void MapPrototypeDelete(objects(), withoutFragment(`${url}`)),
  };
});
