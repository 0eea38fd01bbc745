// Stands in a prelinked glue in place of Emscripten's own start of dynamic linking.  Nothing is made before somebody asks
// for it by name: `find` gives minus the table slot of a function, the address of an object, or undefined.  `allow` calls
// what has to make code after the start.
//
// Objects of WebAssembly are made only when `resume` is called, right before the code is instantiated: so a start-up
// snapshot can hold everything up to there.
(host) => {
  const { find } = host;
  const TYPES = { i: 127, p: 127, j: 126, f: 125, d: 124, e: 111 };
  const functions = new WeakMap(); // the slot of each function that JavaScript has seen
  let imports; // by name: all that modules loaded later are linked to
  let table;

  // A function or an address; undefined for an unknown name.
  const symbol = (name) => {
    const place = find(name);
    if (place === undefined || place >= 0) return place;
    const found = table.get(-place);
    functions.set(found, -place);
    return found;
  };

  // What `name` stands for, looked up where an object does not have it and kept there.
  const answer = (object, nameOf) => {
    const fallback = Object.getPrototypeOf(object);
    const handler = {
      has: (target, key) => key in fallback || (typeof key === "string" && find(nameOf(key)) !== undefined),
      get(target, key) {
        const value = typeof key === "string" ? symbol(nameOf(key)) : undefined;
        if (value === undefined) return fallback[key];
        Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
        return value;
      },
    };
    Object.setPrototypeOf(object, new Proxy(Object.create(null), handler));
  };

  const start = (exports, wasmImports, Module, wasmTable) => {
    imports = wasmImports;
    table = wasmTable;
    for (const name in exports) {
      const place = find(name);
      if (place < 0) functions.set(exports[name], -place);
    }
    answer(imports, (name) => name);
    answer(Module, (name) => (name[0] === "_" ? name.slice(1) : ""));
  };

  const global = (name) => new WebAssembly.Global({ value: "i32", mutable: true }, Math.abs(find(name) ?? 0));

  const number = (value, bytes) => {
    for (; value > 127; value >>>= 7) bytes.push((value & 127) | 128);
    bytes.push(value);
  };

  const section = (id, body) => {
    const bytes = [id];
    number(body.length, bytes);
    return bytes.concat(body);
  };

  // Not table.set(), of which the guard is told (guard.js): calling the function itself does what its thunk did.
  const setSlot = (table, slot, found) => Reflect.apply(WebAssembly.Table.prototype.set, table, [slot, found]);

  const waiting = new Map(); // functions that thunks are for, by their slots

  const letters = (text) => [text.length, ...[...text].map((letter) => TYPES[letter])];

  // A function of JavaScript as one of WebAssembly, which a table takes: what a small module exports that imports it.
  const translate = (found) => {
    const { sig } = found;
    const type = [96, ...letters(sig.slice(1)), ...letters(sig[0] === "v" ? "" : sig[0])];
    const bytes = [0, 97, 115, 109, 1, 0, 0, 0].concat(
      section(1, [1].concat(type)),
      section(2, [1, 1, 101, 1, 102, 0, 0]),
      section(7, [1, 1, 102, 0, 0]),
    );
    const module = new WebAssembly.Module(new Uint8Array(bytes));
    return new WebAssembly.Instance(module, { e: { f: found } }).exports.f;
  };

  // What a thunk calls first (src/prelink/thunks.h).
  const put = (slot) => {
    const found = waiting.get(slot);
    if (found === undefined) return; // it was called by somebody who had kept it
    setSlot(table, slot, host.allow(() => translate(found)));
    waiting.delete(slot);
  };
  put.sig = "vi";

  const thunk = (name, found) => {
    const place = find(`js ${name}`);
    if (place === undefined) return undefined;
    waiting.set(-place, found);
    functions.set(found, -place);
    return -place;
  };

  const addSlot = (found) => {
    const slot = table.grow(1);
    table.set(slot, translate(found));
    functions.set(found, slot);
    return slot;
  };

  // Gives every JavaScript function that C has the address of its table slot: that of its thunk, or one of its own where
  // it has none.
  const wrap = (GOT) => {
    const putAt = find("js ");
    if (putAt !== undefined && table.get(-putAt) === null) table.set(-putAt, translate(put));
    for (const name in GOT) {
      const entry = GOT[name];
      const found = entry.value === 0 ? imports[name] : undefined;
      if (typeof found !== "function" || found.stub || !found.sig) continue;
      entry.value = functions.get(found) ?? thunk(name, found) ?? addSlot(found);
    }
  };

  const late = [];

  const later = (type, assign, ...args) => {
    late.push(() => assign(new WebAssembly[type](...args)));
  };

  const memory = (make) => {
    late.push(make);
  };

  host.resume = () => {
    for (const make of late.splice(0)) make();
  };

  return { functions, global, later, memory, start, wrap };
}
