// URL (URL Standard, "API").
"use strict";

(function (host, shared) {
  const { StringPrototypeSlice, TypeError } = shared.primordials;
  const { requireArguments, toUSVString } = shared;

  const build = shared.once(() => {
    const { parse, modify, states, isSpecial, pathText, hostText, serialize } = shared.urlParser();
    const { percentEncode, userinfoSet } = shared.urlHost();
    const { attach } = shared.urlSearchParams();

    // The record of `url` against `base`, null where the one or the other is invalid.
    const resolve = (url, base) => {
      const text = toUSVString(url);
      if (base === undefined) return parse(text, null);
      const parsed = parse(toUSVString(base), null);
      return parsed === null ? null : parse(text, parsed);
    };
    const originOf = (url) => {
      if (url.scheme === "blob") {
        const inner = parse(pathText(url), null);
        return inner && (inner.scheme === "http" || inner.scheme === "https") ? originOf(inner) : "null";
      }
      return isSpecial(url) && url.scheme !== "file" ? `${url.scheme}://${hostText(url)}` : "null";
    };
    const cannotHaveCredentials = (url) => url.host === null || url.host === "" || url.scheme === "file";
    const withoutFirst = (text, mark) => (text[0] === mark ? StringPrototypeSlice(text, 1) : text);
    let fieldsOf;
    const internal = {};

    class URL {
      #record;
      #query = null; // the searchParams object, made when asked for
      constructor(url, base = undefined) {
        if (url === internal) {
          this.#record = base;
          return;
        }
        requireArguments(arguments.length, 1, "URL");
        this.#record = resolve(url, base);
        if (this.#record === null) throw new TypeError(`Invalid URL: ${shared.inspect(`${url}`, { quoted: true })}`);
      }
      static parse(url, base = undefined) {
        requireArguments(arguments.length, 1, "URL.parse");
        const record = resolve(url, base);
        return record === null ? null : new URL(internal, record);
      }
      static canParse(url, base = undefined) {
        requireArguments(arguments.length, 1, "URL.canParse");
        return resolve(url, base) !== null;
      }
      static createObjectURL(obj) {
        requireArguments(arguments.length, 1, "URL.createObjectURL");
        return shared.objectUrls.create(obj);
      }
      static revokeObjectURL(url) {
        requireArguments(arguments.length, 1, "URL.revokeObjectURL");
        shared.objectUrls.revoke(url);
      }
      get href() {
        return serialize(this.#record);
      }
      set href(value) {
        void this.#record;
        const record = parse(toUSVString(value), null);
        if (record === null) throw new TypeError("URL.href: invalid URL");
        this.#record = record;
        this.#refresh();
      }
      get origin() {
        return originOf(this.#record);
      }
      get protocol() {
        return `${this.#record.scheme}:`;
      }
      set protocol(value) {
        modify(this.#record, `${toUSVString(value)}:`, states.schemeStart);
      }
      get username() {
        return this.#record.username;
      }
      set username(value) {
        const text = toUSVString(value);
        if (!cannotHaveCredentials(this.#record)) this.#record.username = percentEncode(text, userinfoSet);
      }
      get password() {
        return this.#record.password;
      }
      set password(value) {
        const text = toUSVString(value);
        if (!cannotHaveCredentials(this.#record)) this.#record.password = percentEncode(text, userinfoSet);
      }
      get host() {
        return hostText(this.#record);
      }
      set host(value) {
        const text = toUSVString(value);
        if (!this.#record.opaque) modify(this.#record, text, states.host);
      }
      get hostname() {
        return this.#record.host ?? "";
      }
      set hostname(value) {
        const text = toUSVString(value);
        if (!this.#record.opaque) modify(this.#record, text, states.hostname);
      }
      get port() {
        return this.#record.port === null ? "" : `${this.#record.port}`;
      }
      set port(value) {
        const text = toUSVString(value);
        if (cannotHaveCredentials(this.#record)) return;
        if (text === "") this.#record.port = null;
        else modify(this.#record, text, states.port);
      }
      get pathname() {
        return pathText(this.#record);
      }
      set pathname(value) {
        const text = toUSVString(value);
        if (this.#record.opaque) return;
        this.#record.path = shared.list();
        modify(this.#record, text, states.pathStart);
      }
      get search() {
        const { query } = this.#record;
        return query === null || query === "" ? "" : `?${query}`;
      }
      set search(value) {
        const text = toUSVString(value);
        this.#record.query = text === "" ? null : "";
        if (text !== "") modify(this.#record, withoutFirst(text, "?"), states.query);
        this.#refresh();
      }
      get searchParams() {
        this.#query ??= attach(this.#record.query ?? "", (text) => {
          this.#record.query = text === "" ? null : text;
        });
        return this.#query.params;
      }
      get hash() {
        const { fragment } = this.#record;
        return fragment === null || fragment === "" ? "" : `#${fragment}`;
      }
      set hash(value) {
        const text = toUSVString(value);
        this.#record.fragment = text === "" ? null : "";
        if (text !== "") modify(this.#record, withoutFirst(text, "#"), states.fragment);
      }
      toString() {
        return serialize(this.#record);
      }
      toJSON() {
        return serialize(this.#record);
      }
      #refresh() {
        if (this.#query) this.#query.replace(this.#record.query ?? "");
      }
      static {
        fieldsOf = (url) => {
          const record = url.#record;
          return {
            __proto__: null,
            href: serialize(record),
            origin: originOf(record),
            protocol: `${record.scheme}:`,
            username: record.username,
            password: record.password,
            host: hostText(record),
            hostname: record.host ?? "",
            port: record.port === null ? "" : `${record.port}`,
            pathname: pathText(record),
            search: url.search,
            searchParams: url.searchParams,
            hash: url.hash,
          };
        };
      }
    }
    shared.inspectors.add(URL.prototype, (url) => {
      if (!shared.hasBrand(fieldsOf, url)) return undefined;
      return { fields: fieldsOf(url) };
    });
    return shared.shapeInterfaces({ __proto__: null, URL });
  });
  shared.defineInterfaces(build, "URL");
});
