// URLSearchParams and application/x-www-form-urlencoded (URL Standard).
"use strict";

(function (host, shared) {
  const { ArrayPrototypeSort, ReflectApply, ReflectGetOwnPropertyDescriptor, ReflectOwnKeys } = shared.primordials;
  const { ReflectSetPrototypeOf, StringPrototypeIncludes, StringPrototypeIndexOf, StringPrototypeSlice } =
    shared.primordials;
  const { SymbolIterator, SymbolToStringTag, TypeError } = shared.primordials;
  const { list, requireArguments, toUSVString } = shared;

  shared.urlSearchParams = shared.once(() => {
    const { formSet, percentEncode, percentDecode, split } = shared.urlHost();

    const decodeForm = (text) => {
      let spaced = text;
      if (StringPrototypeIncludes(text, "+")) {
        const parts = split(text, "+");
        spaced = parts[0];
        for (let i = 1; i < parts.length; i++) spaced += ` ${parts[i]}`;
      }
      return percentDecode(spaced);
    };
    const newPair = (name, value) => ({ __proto__: null, name, value });
    const parseForm = (text) => {
      const pairs = list();
      const parts = split(text, "&");
      for (let i = 0; i < parts.length; i++) {
        if (parts[i] === "") continue;
        const equals = StringPrototypeIndexOf(parts[i], "=");
        const name = equals < 0 ? parts[i] : StringPrototypeSlice(parts[i], 0, equals);
        const value = equals < 0 ? "" : StringPrototypeSlice(parts[i], equals + 1);
        pairs[pairs.length] = newPair(decodeForm(name), decodeForm(value));
      }
      return pairs;
    };
    const serializeForm = (pairs) => {
      let out = "";
      for (let i = 0; i < pairs.length; i++) {
        const { name, value } = pairs[i];
        out += `${i ? "&" : ""}${percentEncode(name, formSet, true)}=${percentEncode(value, formSet, true)}`;
      }
      return out;
    };

    // A sequence of pairs of strings, or a record of strings.
    const pairsOf = (init) => {
      const pairs = list();
      const iterate = init[SymbolIterator];
      if (iterate !== undefined && iterate !== null) {
        for (const item of { [SymbolIterator]: () => ReflectApply(iterate, init, []) }) {
          if ((typeof item !== "object" || item === null) && typeof item !== "function")
            throw new TypeError("URLSearchParams: an item of the sequence is not a pair");
          const pair = list();
          for (const part of item) pair[pair.length] = toUSVString(part);
          if (pair.length !== 2) throw new TypeError("URLSearchParams: an item of the sequence is not a pair");
          pairs[pairs.length] = newPair(pair[0], pair[1]);
        }
        return pairs;
      }
      for (let keys = ReflectOwnKeys(init), i = 0; i < keys.length; i++) {
        if (!ReflectGetOwnPropertyDescriptor(init, keys[i])?.enumerable) continue;
        const name = toUSVString(keys[i]);
        const value = toUSVString(init[keys[i]]);
        let at = 0; // two keys may be the same USVString; the later value stands at the earlier place
        while (at < pairs.length && pairs[at].name !== name) at++;
        pairs[at] = newPair(name, value);
      }
      return pairs;
    };

    let attach, pairsOfParams, next;

    class URLSearchParams {
      #pairs = list();
      #update = null; // tells the URL that this belongs to
      constructor(init = "") {
        if ((typeof init === "object" && init !== null) || typeof init === "function") {
          this.#pairs = pairsOf(init);
          return;
        }
        const text = toUSVString(init);
        this.#pairs = parseForm(text[0] === "?" ? StringPrototypeSlice(text, 1) : text);
      }
      get size() {
        return this.#pairs.length;
      }
      append(name, value) {
        void this.#pairs;
        requireArguments(arguments.length, 2, "URLSearchParams.append");
        const pair = newPair(toUSVString(name), toUSVString(value));
        this.#pairs[this.#pairs.length] = pair;
        this.#changed();
      }
      delete(name, value = undefined) {
        void this.#pairs;
        requireArguments(arguments.length, 1, "URLSearchParams.delete");
        const key = toUSVString(name);
        const wanted = value === undefined ? undefined : toUSVString(value);
        this.#keep((pair) => pair.name !== key || (wanted !== undefined && pair.value !== wanted));
        this.#changed();
      }
      get(name) {
        void this.#pairs;
        requireArguments(arguments.length, 1, "URLSearchParams.get");
        const key = toUSVString(name);
        const pairs = this.#pairs;
        for (let i = 0; i < pairs.length; i++) if (pairs[i].name === key) return pairs[i].value;
        return null;
      }
      getAll(name) {
        void this.#pairs;
        requireArguments(arguments.length, 1, "URLSearchParams.getAll");
        const key = toUSVString(name);
        const pairs = this.#pairs;
        const values = [];
        for (let i = 0; i < pairs.length; i++)
          if (pairs[i].name === key) shared.define(values, values.length, pairs[i].value, true);
        return values;
      }
      has(name, value = undefined) {
        void this.#pairs;
        requireArguments(arguments.length, 1, "URLSearchParams.has");
        const key = toUSVString(name);
        const wanted = value === undefined ? undefined : toUSVString(value);
        const pairs = this.#pairs;
        for (let i = 0; i < pairs.length; i++)
          if (pairs[i].name === key && (wanted === undefined || pairs[i].value === wanted)) return true;
        return false;
      }
      set(name, value) {
        void this.#pairs;
        requireArguments(arguments.length, 2, "URLSearchParams.set");
        const key = toUSVString(name);
        const text = toUSVString(value);
        let found = false;
        this.#keep((pair) => {
          if (pair.name !== key) return true;
          if (found) return false;
          found = true;
          pair.value = text;
          return true;
        });
        if (!found) this.#pairs[this.#pairs.length] = newPair(key, text);
        this.#changed();
      }
      sort() {
        ArrayPrototypeSort(this.#pairs, (a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
        this.#changed();
      }
      forEach(callback, thisArg = undefined) {
        void this.#pairs;
        requireArguments(arguments.length, 1, "URLSearchParams.forEach");
        if (typeof callback !== "function") throw new TypeError("URLSearchParams.forEach: no function given");
        for (let i = 0; i < this.#pairs.length; i++) {
          const { name, value } = this.#pairs[i];
          ReflectApply(callback, thisArg, [value, name, this]);
        }
      }
      entries() {
        return new Iterator(this, (pair) => [pair.name, pair.value]);
      }
      keys() {
        return new Iterator(this, (pair) => pair.name);
      }
      values() {
        return new Iterator(this, (pair) => pair.value);
      }
      toString() {
        return serializeForm(this.#pairs);
      }
      // Keeps the same list: iterators that are under way look into it.
      #keep(wanted) {
        const pairs = this.#pairs;
        let end = 0;
        for (let i = 0; i < pairs.length; i++) if (wanted(pairs[i])) pairs[end++] = pairs[i];
        pairs.length = end;
      }
      #changed() {
        if (this.#update) ReflectApply(this.#update, undefined, [serializeForm(this.#pairs)]);
      }
      static {
        // A new object for the query of a URL; `replace` gives it another query.
        attach = (query, update) => {
          const params = new URLSearchParams();
          const replace = (text) => void (params.#pairs = parseForm(text));
          replace(query);
          params.#update = update;
          return { __proto__: null, params, replace };
        };
        pairsOfParams = (params) => params.#pairs;
      }
    }
    shared.define(URLSearchParams.prototype, SymbolIterator, URLSearchParams.prototype.entries, false);
    shared.shapeInterfaces({ __proto__: null, URLSearchParams });

    class Iterator {
      #params;
      #pick;
      #at = 0;
      constructor(params, pick) {
        void pairsOfParams(params);
        this.#params = params;
        this.#pick = pick;
      }
      static {
        next = {
          next() {
            const pairs = pairsOfParams(this.#params);
            if (this.#at >= pairs.length) return { value: undefined, done: true };
            const pick = this.#pick;
            return { value: pick(pairs[this.#at++]), done: false };
          },
        }.next;
      }
    }
    // No way back to the class from what guests get: its instances have %IteratorPrototype% as their parent's parent.
    const { prototype } = Iterator;
    delete prototype.constructor;
    shared.define(prototype, "next", next, true);
    shared.primordials.ReflectDefineProperty(prototype, SymbolToStringTag, {
      __proto__: null,
      value: "URLSearchParams Iterator",
      configurable: true,
    });
    ReflectSetPrototypeOf(prototype, shared.IteratorPrototype);

    shared.inspectors.add(URLSearchParams.prototype, (params) => {
      if (!shared.hasBrand(pairsOfParams, params)) return undefined;
      const pairs = pairsOfParams(params);
      return {
        items: (out, format) => {
          for (let i = 0; i < pairs.length; i++)
            out[out.length] = `${format(pairs[i].name)} => ${format(pairs[i].value)}`;
        },
      };
    });
    const eachPair = (params, callback) => {
      const pairs = pairsOfParams(params);
      for (let i = 0; i < pairs.length; i++) callback(pairs[i].name, pairs[i].value);
    };
    return { __proto__: null, URLSearchParams, attach, eachPair };
  });

  shared.defineInterfaces(shared.urlSearchParams, "URLSearchParams");
});
