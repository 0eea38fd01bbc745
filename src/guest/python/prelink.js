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

  // A module that imports functions of these signatures as "e"."0", "e"."1" and so on, and puts them into the table "e"."t"
  // from `base` on.
  const wrapper = (signatures, base) => {
    const types = new Map();
    const typeBytes = [];
    const importBytes = [];
    const elements = [0, 65];
    number(signatures.length + 1, importBytes);
    importBytes.push(1, 101, 1, 116, 1, 112, 0, 0);
    for (let rest = base; ; rest >>= 7) {
      const last = rest < 64;
      elements.push(last ? rest : (rest & 127) | 128);
      if (last) break;
    }
    elements.push(11);
    number(signatures.length, elements);
    signatures.forEach((signature, index) => {
      let type = types.get(signature);
      if (type === undefined) {
        types.set(signature, (type = types.size));
        typeBytes.push(96, signature.length - 1);
        for (let i = 1; i < signature.length; i++) typeBytes.push(TYPES[signature[i]]);
        if (signature[0] === "v") typeBytes.push(0);
        else typeBytes.push(1, TYPES[signature[0]]);
      }
      const name = String(index);
      importBytes.push(1, 101, name.length);
      for (let i = 0; i < name.length; i++) importBytes.push(name.charCodeAt(i));
      importBytes.push(0);
      number(type, importBytes);
      number(index, elements);
    });
    const count = [];
    number(types.size, count);
    return new Uint8Array([
      ...[0, 97, 115, 109, 1, 0, 0, 0],
      ...section(1, count.concat(typeBytes)),
      ...section(2, importBytes),
      ...section(9, [1].concat(elements)),
    ]);
  };

  const waiting = new Map(); // functions that stand-ins are for, by their slots

  // A function of JavaScript as one of WebAssembly, which a table takes.
  const translate = (found) => {
    const type = [96];
    number(found.sig.length - 1, type);
    for (let i = 1; i < found.sig.length; i++) type.push(TYPES[found.sig[i]]);
    type.push(...(found.sig[0] === "v" ? [0] : [1, TYPES[found.sig[0]]]));
    const bytes = [0, 97, 115, 109, 1, 0, 0, 0].concat(
      section(1, [1].concat(type)),
      section(2, [1, 1, 101, 1, 102, 0, 0]),
      section(7, [1, 1, 102, 0, 0]),
    );
    const module = new WebAssembly.Module(new Uint8Array(bytes));
    return new WebAssembly.Instance(module, { e: { f: found } }).exports.f;
  };

  // What a stand-in calls first (src/prelink/stand_ins.h).
  const put = (slot) => {
    const found = waiting.get(slot);
    if (found === undefined) return; // it was called by somebody who had kept it
    table.set(slot, host.allow(() => translate(found)));
    waiting.delete(slot);
  };
  put.sig = "vi";

  const standIn = (name, found) => {
    const place = find(`js ${name}`);
    if (place === undefined) return undefined;
    waiting.set(-place, found);
    functions.set(found, -place);
    return -place;
  };

  // Gives every JavaScript function that C has the address of its table slot: that of its stand-in, or one by a module for
  // all that have none.
  const wrap = (GOT) => {
    const signatures = [];
    const putAt = find("js ");
    if (putAt !== undefined && table.get(-putAt) === null) table.set(-putAt, translate(put));
    const e = { t: table };
    const base = table.length;
    for (const name in GOT) {
      const entry = GOT[name];
      const found = entry.value === 0 ? imports[name] : undefined;
      if (typeof found !== "function" || found.stub || !found.sig) continue;
      let slot = functions.get(found) ?? standIn(name, found);
      if (slot === undefined) {
        slot = base + signatures.length;
        e[signatures.length] = found;
        signatures.push(found.sig);
        functions.set(found, slot);
      }
      entry.value = slot;
    }
    if (signatures.length === 0) return;
    table.grow(signatures.length);
    new WebAssembly.Instance(new WebAssembly.Module(wrapper(signatures, base)), { e });
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
