// Headers (Fetch Standard), and the iterators that collections of pairs have.
"use strict";

(function (host, shared) {
  const { ArrayPrototypeSort, ReflectApply, ReflectDefineProperty, ReflectGetOwnPropertyDescriptor, ReflectOwnKeys } =
    shared.primordials;
  const { ReflectSetPrototypeOf, RegExpPrototypeExec, StringPrototypeStartsWith, StringPrototypeToLowerCase } =
    shared.primordials;
  const { SymbolIterator, SymbolToStringTag, TypeError } = shared.primordials;
  const { list, requireArguments } = shared;
  const isObject = (value) => (typeof value === "object" && value !== null) || typeof value === "function";

  // Gives `constructor` entries, keys, values, forEach and iteration over the pairs [name, value] that `pairsOf` finds; it
  // is asked anew at every step.
  shared.shapePairs = (constructor, pairsOf) => {
    const { name } = constructor;
    let next;
    class Iterator {
      #source;
      #pick;
      #at = 0;
      constructor(source, pick) {
        void pairsOf(source);
        this.#source = source;
        this.#pick = pick;
      }
      static {
        next = {
          next() {
            const pairs = pairsOf(this.#source);
            if (this.#at >= pairs.length) return { value: undefined, done: true };
            const pick = this.#pick;
            return { value: pick(pairs[this.#at++]), done: false };
          },
        }.next;
      }
    }
    delete Iterator.prototype.constructor;
    shared.define(Iterator.prototype, "next", next, true);
    ReflectDefineProperty(Iterator.prototype, SymbolToStringTag, {
      __proto__: null,
      value: `${name} Iterator`,
      configurable: true,
    });
    ReflectSetPrototypeOf(Iterator.prototype, shared.IteratorPrototype);
    const methods = {
      entries() {
        return new Iterator(this, (pair) => [pair[0], pair[1]]);
      },
      keys() {
        return new Iterator(this, (pair) => pair[0]);
      },
      values() {
        return new Iterator(this, (pair) => pair[1]);
      },
      forEach(callback, thisArg = undefined) {
        void pairsOf(this);
        requireArguments(arguments.length, 1, `${name}.forEach`);
        if (typeof callback !== "function") throw new TypeError(`${name}.forEach: no function given`);
        for (let i = 0; i < pairsOf(this).length; i++) {
          const pair = pairsOf(this)[i];
          ReflectApply(callback, thisArg, [pair[1], pair[0], this]);
        }
      },
    };
    for (const key in methods) shared.define(constructor.prototype, key, methods[key], true);
    shared.define(constructor.prototype, SymbolIterator, methods.entries, false);
  };

  // The pairs of strings that Web IDL makes of a sequence of pairs or a record; `toText` converts each.
  shared.pairsFrom = (init, toText, where) => {
    const pairs = list();
    const iterate = init[SymbolIterator];
    if (iterate !== undefined && iterate !== null) {
      for (const item of { [SymbolIterator]: () => ReflectApply(iterate, init, []) }) {
        const pair = list();
        if (!isObject(item)) throw new TypeError(`${where}: an item of the sequence is not a pair`);
        for (const part of item) pair[pair.length] = toText(part);
        if (pair.length !== 2) throw new TypeError(`${where}: an item of the sequence is not a pair`);
        pairs[pairs.length] = pair;
      }
      return pairs;
    }
    for (let keys = ReflectOwnKeys(init), i = 0; i < keys.length; i++) {
      if (!ReflectGetOwnPropertyDescriptor(init, keys[i])?.enumerable) continue;
      const pair = list();
      pair[0] = toText(keys[i]);
      pair[1] = toText(init[keys[i]]);
      pairs[pairs.length] = pair;
    }
    return pairs;
  };

  shared.headers = shared.once(() => {
    const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
    const badValue = /[\0\r\n]/;
    const wide = /[^\0-\xff]/;
    const outer = /^[\t\n\r ]*([^]*?)[\t\n\r ]*$/;
    const forbidden = {
      __proto__: null,
      "accept-charset": true,
      "accept-encoding": true,
      connection: true,
      "content-length": true,
      expect: true,
      host: true,
      "keep-alive": true,
      proxy: true,
      te: true,
      trailer: true,
      "transfer-encoding": true,
      upgrade: true,
      via: true,
    };
    const isForbidden = (name) =>
      forbidden[name] || StringPrototypeStartsWith(name, "proxy-") || StringPrototypeStartsWith(name, "sec-");

    const toByteString = (value) => {
      const text = `${value}`;
      if (RegExpPrototypeExec(wide, text) !== null) throw new TypeError("Headers: a character is above U+00FF");
      return text;
    };
    const toName = (value) => {
      const text = toByteString(value);
      if (RegExpPrototypeExec(token, text) === null) throw new TypeError(`Headers: '${text}' is no name of a header`);
      return StringPrototypeToLowerCase(text);
    };
    const toValue = (value) => {
      const text = RegExpPrototypeExec(outer, toByteString(value))[1];
      if (RegExpPrototypeExec(badValue, text) !== null) throw new TypeError("Headers: a value has a line break in it");
      return text;
    };

    let create, pairsOf, isHeaders, addRaw, guardAs, iterate;
    class Headers {
      #pairs = list(); // [name, value], names in lower case
      #guard = "none"; // "request": forbidden names are left out; "immutable"
      #sorted = null;
      constructor(init = undefined) {
        if (init !== undefined) this.#fill(init);
      }
      append(name, value) {
        void this.#pairs;
        requireArguments(arguments.length, 2, "Headers.append");
        this.#append(toName(name), toValue(value));
      }
      delete(name) {
        void this.#pairs;
        requireArguments(arguments.length, 1, "Headers.delete");
        const key = toName(name);
        if (this.#mayChange(key)) this.#remove(key);
      }
      get(name) {
        void this.#pairs;
        requireArguments(arguments.length, 1, "Headers.get");
        const key = toName(name);
        let found = null;
        for (let i = 0; i < this.#pairs.length; i++)
          if (this.#pairs[i][0] === key) found = found === null ? this.#pairs[i][1] : `${found}, ${this.#pairs[i][1]}`;
        return found;
      }
      getSetCookie() {
        const values = [];
        for (let i = 0; i < this.#pairs.length; i++)
          if (this.#pairs[i][0] === "set-cookie") shared.define(values, values.length, this.#pairs[i][1], true);
        return values;
      }
      has(name) {
        void this.#pairs;
        requireArguments(arguments.length, 1, "Headers.has");
        const key = toName(name);
        for (let i = 0; i < this.#pairs.length; i++) if (this.#pairs[i][0] === key) return true;
        return false;
      }
      set(name, value) {
        void this.#pairs;
        requireArguments(arguments.length, 2, "Headers.set");
        const key = toName(name);
        const text = toValue(value);
        if (!this.#mayChange(key)) return;
        this.#remove(key);
        this.#append(key, text);
      }
      #mayChange(name) {
        if (this.#guard === "immutable") throw new TypeError("Headers: these can't be changed");
        return this.#guard !== "request" || !isForbidden(name);
      }
      #append(name, value) {
        if (!this.#mayChange(name)) return;
        this.#add(name, value);
      }
      #add(name, value) {
        const pair = list();
        pair[0] = name;
        pair[1] = value;
        this.#pairs[this.#pairs.length] = pair;
        this.#sorted = null;
      }
      #remove(name) {
        const kept = list();
        for (let i = 0; i < this.#pairs.length; i++)
          if (this.#pairs[i][0] !== name) kept[kept.length] = this.#pairs[i];
        this.#pairs = kept;
        this.#sorted = null;
      }
      #fill(init) {
        if (!isObject(init)) throw new TypeError("Headers: the argument is neither a sequence nor a record");
        const own = isHeaders(init) && init[SymbolIterator] === iterate; // a guest may have given it another iteration
        const pairs = own ? init.#pairs : shared.pairsFrom(init, toByteString, "Headers");
        for (let i = 0; i < pairs.length; i++) this.#append(toName(pairs[i][0]), toValue(pairs[i][1]));
      }
      #sort() {
        const sorted = list();
        for (let i = 0; i < this.#pairs.length; i++) {
          const name = this.#pairs[i][0];
          const value = this.#pairs[i][1];
          let at = 0;
          while (at < sorted.length && (sorted[at][0] !== name || name === "set-cookie")) at++;
          const pair = list();
          pair[0] = name;
          pair[1] = at < sorted.length ? `${sorted[at][1]}, ${value}` : value;
          sorted[at] = pair;
        }
        return ArrayPrototypeSort(sorted, (a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0));
      }
      static {
        isHeaders = (value) => isObject(value) && #pairs in value;
        create = (guard, init) => {
          const headers = new Headers();
          headers.#guard = guard;
          if (init !== undefined) headers.#fill(init);
          return headers;
        };
        pairsOf = (headers) => (headers.#sorted ??= headers.#sort());
        addRaw = (headers, name, value) => headers.#add(StringPrototypeToLowerCase(name), value);
        guardAs = (headers, guard) => void (headers.#guard = guard);
      }
    }
    shared.shapePairs(Headers, pairsOf);
    iterate = Headers.prototype[SymbolIterator];
    shared.shapeInterfaces({ __proto__: null, Headers });
    shared.inspectors.add(Headers.prototype, (headers) => {
      if (!isHeaders(headers)) return undefined;
      const pairs = pairsOf(headers);
      return {
        items: (out, format) => {
          for (let i = 0; i < pairs.length; i++) out[out.length] = `${format(pairs[i][0])} => ${format(pairs[i][1])}`;
        },
      };
    });
    const isToken = (text) => RegExpPrototypeExec(token, text) !== null;
    return { __proto__: null, Headers, create, pairsOf, isHeaders, addRaw, guardAs, isToken };
  });
  shared.defineInterfaces(shared.headers, "Headers");
});
