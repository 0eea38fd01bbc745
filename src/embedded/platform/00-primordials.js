// The built-ins that the platform itself uses, taken before a guest could replace them, and the ways in which the other
// platform files put things onto the global object.
//
// Every file here is a script whose value is a function (host, shared): `host` holds the native functions, `shared` is
// how the files and the loader hand each other what no guest may see.  All of them are strict code: V8 hides strict
// functions from Error.prepareStackTrace.
"use strict";

(function (host, shared) {
  const { bind, call } = Function.prototype;
  // uncurryThis(f)(self, ...args) is f.call(self, ...args), whatever happens to Function.prototype.call later.
  const uncurryThis = bind.bind(call);
  const getterOf = (object, key) => uncurryThis(Reflect.getOwnPropertyDescriptor(object, key).get);
  const TypedArray = Reflect.getPrototypeOf(Uint8Array);
  const { getOwnPropertyDescriptor, setPrototypeOf } = Reflect;
  // Descriptors without a prototype: a guest may have put a `get` onto Object.prototype.
  const describe = (object, key) => {
    const descriptor = getOwnPropertyDescriptor(object, key);
    if (descriptor) setPrototypeOf(descriptor, null);
    return descriptor;
  };

  const primordials = {
    __proto__: null,
    uncurryThis,
    globalThis,

    Array,
    ArrayIsArray: Array.isArray,
    ArrayPrototype: Array.prototype,
    ArrayBuffer,
    ArrayBufferIsView: ArrayBuffer.isView,
    ArrayBufferPrototype: ArrayBuffer.prototype,
    ArrayBufferPrototypeGetByteLength: getterOf(ArrayBuffer.prototype, "byteLength"),
    BigIntPrototypeValueOf: uncurryThis(BigInt.prototype.valueOf),
    BigInt,
    Boolean,
    BooleanPrototypeValueOf: uncurryThis(Boolean.prototype.valueOf),
    DataView,
    DataViewPrototypeGetByteLength: getterOf(DataView.prototype, "byteLength"),
    DataViewPrototypeGetByteOffset: getterOf(DataView.prototype, "byteOffset"),
    DataViewPrototypeGetBuffer: getterOf(DataView.prototype, "buffer"),
    DateNow: Date.now,
    DatePrototype: Date.prototype,
    DatePrototypeGetTime: uncurryThis(Date.prototype.getTime),
    DatePrototypeToISOString: uncurryThis(Date.prototype.toISOString),
    Error,
    ErrorCaptureStackTrace: Error.captureStackTrace,
    ErrorPrototype: Error.prototype,
    ErrorPrototypeToString: uncurryThis(Error.prototype.toString),
    Float64Array,
    FunctionPrototype: Function.prototype,
    FunctionPrototypeToString: uncurryThis(Function.prototype.toString),
    JSONParse: JSON.parse,
    JSONStringify: JSON.stringify,
    Map,
    MapPrototypeDelete: uncurryThis(Map.prototype.delete),
    MapPrototypeForEach: uncurryThis(Map.prototype.forEach),
    MapPrototypeGet: uncurryThis(Map.prototype.get),
    MapPrototypeGetSize: getterOf(Map.prototype, "size"),
    MapPrototypeSet: uncurryThis(Map.prototype.set),
    MathFloor: Math.floor,
    MathMax: Math.max,
    MathMin: Math.min,
    Number,
    NumberParseFloat: parseFloat,
    NumberParseInt: parseInt,
    NumberPrototypeToFixed: uncurryThis(Number.prototype.toFixed),
    NumberPrototypeToString: uncurryThis(Number.prototype.toString),
    NumberPrototypeValueOf: uncurryThis(Number.prototype.valueOf),
    ObjectPrototype: Object.prototype,
    Promise,
    PromisePrototype: Promise.prototype,
    PromisePrototypeThen: uncurryThis(Promise.prototype.then),
    PromiseReject: Promise.reject.bind(Promise),
    PromiseResolve: Promise.resolve.bind(Promise),
    RangeError,
    ReflectApply: Reflect.apply,
    ReflectDefineProperty: Reflect.defineProperty,
    ReflectGetOwnPropertyDescriptor: describe,
    ReflectGetPrototypeOf: Reflect.getPrototypeOf,
    ReflectOwnKeys: Reflect.ownKeys,
    ReflectSetPrototypeOf: Reflect.setPrototypeOf,
    RegExpPrototype: RegExp.prototype,
    // The built-in itself: unlike `test`, `match` and `replace` it looks up nothing a guest could have replaced.
    RegExpPrototypeExec: uncurryThis(RegExp.prototype.exec),
    RegExpPrototypeGetFlags: getterOf(RegExp.prototype, "flags"),
    RegExpPrototypeGetSource: getterOf(RegExp.prototype, "source"),
    Set,
    SetPrototypeAdd: uncurryThis(Set.prototype.add),
    SetPrototypeDelete: uncurryThis(Set.prototype.delete),
    SetPrototypeForEach: uncurryThis(Set.prototype.forEach),
    SetPrototypeGetSize: getterOf(Set.prototype, "size"),
    String,
    StringFromCharCode: String.fromCharCode,
    ArrayPrototypeSort: uncurryThis(Array.prototype.sort),
    StringPrototypeCharCodeAt: uncurryThis(String.prototype.charCodeAt),
    StringPrototypeCodePointAt: uncurryThis(String.prototype.codePointAt),
    StringPrototypeEndsWith: uncurryThis(String.prototype.endsWith),
    StringPrototypeIncludes: uncurryThis(String.prototype.includes),
    StringPrototypeIndexOf: uncurryThis(String.prototype.indexOf),
    StringPrototypePadEnd: uncurryThis(String.prototype.padEnd),
    StringPrototypePadStart: uncurryThis(String.prototype.padStart),
    StringPrototypeRepeat: uncurryThis(String.prototype.repeat),
    StringPrototypeSlice: uncurryThis(String.prototype.slice),
    StringPrototypeStartsWith: uncurryThis(String.prototype.startsWith),
    StringPrototypeToLowerCase: uncurryThis(String.prototype.toLowerCase),
    StringPrototypeToUpperCase: uncurryThis(String.prototype.toUpperCase),
    StringPrototypeValueOf: uncurryThis(String.prototype.valueOf),
    Symbol,
    SymbolIterator: Symbol.iterator,
    SymbolToStringTag: Symbol.toStringTag,
    SymbolPrototypeToString: uncurryThis(Symbol.prototype.toString),
    SymbolPrototypeValueOf: uncurryThis(Symbol.prototype.valueOf),
    TypedArrayPrototype: TypedArray.prototype,
    TypedArrayPrototypeSet: uncurryThis(TypedArray.prototype.set),
    TypedArrayPrototypeGetBuffer: getterOf(TypedArray.prototype, "buffer"),
    TypedArrayPrototypeGetByteLength: getterOf(TypedArray.prototype, "byteLength"),
    TypedArrayPrototypeGetByteOffset: getterOf(TypedArray.prototype, "byteOffset"),
    TypedArrayPrototypeGetLength: getterOf(TypedArray.prototype, "length"),
    TypedArrayPrototypeGetToStringTag: getterOf(TypedArray.prototype, Symbol.toStringTag),
    TypeError,
    Uint8Array,
    WeakMap,
    WeakSet,
    WeakMapPrototypeGet: uncurryThis(WeakMap.prototype.get),
    WeakMapPrototypeSet: uncurryThis(WeakMap.prototype.set),
  };
  shared.primordials = primordials;
  shared.arrayTypes = {
    __proto__: null,
    Int8Array,
    Uint8Array,
    Uint8ClampedArray,
    Int16Array,
    Uint16Array,
    Int32Array,
    Uint32Array,
    Float32Array,
    Float64Array,
    BigInt64Array,
    BigUint64Array,
  };

  const { ReflectDefineProperty, ReflectGetOwnPropertyDescriptor, ReflectOwnKeys, ReflectSetPrototypeOf } = primordials;
  const { SymbolIterator, SymbolToStringTag, globalThis: global } = primordials;

  // An array without a prototype: reading and writing its elements never reaches what guests may have put there.
  const list = () => {
    const array = [];
    ReflectSetPrototypeOf(array, null);
    return array;
  };

  const define = (object, key, value, enumerable) =>
    ReflectDefineProperty(object, key, { __proto__: null, value, writable: true, enumerable, configurable: true });

  const makeEnumerable = (object, hidden) => {
    for (let keys = ReflectOwnKeys(object), i = 0; i < keys.length; i++)
      if (typeof keys[i] === "string" && !hidden[keys[i]])
        ReflectDefineProperty(object, keys[i], { __proto__: null, enumerable: true });
  };
  const hiddenOfPrototype = { __proto__: null, constructor: true };
  const hiddenOfConstructor = { __proto__: null, length: true, name: true, prototype: true };

  // Gives classes the shape that Web IDL wants of interfaces: class syntax makes methods non-enumerable.
  const shapeInterface = (constructor) => {
    makeEnumerable(constructor.prototype, hiddenOfPrototype);
    makeEnumerable(constructor, hiddenOfConstructor);
    const tag = { __proto__: null, value: constructor.name, configurable: true };
    ReflectDefineProperty(constructor.prototype, SymbolToStringTag, tag);
  };
  const shapeInterfaces = (classes) => {
    for (const name in classes) shapeInterface(classes[name]);
    return classes;
  };

  // Operations of the global object, which are enumerable, unlike interfaces.
  const defineOperation = (operation) => define(global, operation.name, operation, true);

  // A global that is made when it is first touched.  `make` gives the value; until then the property is an accessor.
  const defineLazy = (name, make) => {
    const accessor = {
      __proto__: null,
      get: () => {
        const value = make();
        // `make` of one name may have defined this one already; a guest may have put its own in its place.
        const now = ReflectGetOwnPropertyDescriptor(global, name);
        if (now && now.get === accessor.get) define(global, name, value, false);
        return value;
      },
      set: (value) => void define(global, name, value, false),
      enumerable: false,
      configurable: true,
    };
    ReflectDefineProperty(global, name, accessor);
  };

  // Interfaces that `build`, called when the first of them is touched, gives as an object of classes.
  const defineInterfaces = (build, ...names) => {
    for (let i = 0; i < names.length; i++) {
      const name = names[i];
      defineLazy(name, () => build()[name]);
    }
  };

  // A read-only attribute of the global object, or, where Web IDL says [Replaceable], one that assignment replaces.
  const defineAttribute = (name, read, replaceable) => {
    const holder = {
      get [name]() {
        return read();
      },
      set [name](value) {
        define(global, name, value, true);
      },
    };
    const accessor = ReflectGetOwnPropertyDescriptor(holder, name);
    if (!replaceable) accessor.set = undefined;
    ReflectDefineProperty(global, name, accessor);
  };

  // Calls `make` once, when first needed.
  const once = (make) => {
    let made = false;
    let value;
    return () => {
      if (!made) {
        value = make();
        made = true;
      }
      return value;
    };
  };

  // What Web IDL's USVString conversion does: lone surrogates become U+FFFD.
  const { RegExpPrototypeExec, StringPrototypeCharCodeAt, StringPrototypeSlice } = primordials;
  const surrogate = /[\ud800-\udfff]/;
  const toUSVString = (value) => {
    const text = `${value}`;
    if (RegExpPrototypeExec(surrogate, text) === null) return text;
    let out = "";
    let start = 0;
    for (let i = 0; i < text.length; i++) {
      const unit = StringPrototypeCharCodeAt(text, i);
      if (unit < 0xd800 || unit > 0xdfff) continue;
      if (unit < 0xdc00 && i + 1 < text.length && (StringPrototypeCharCodeAt(text, i + 1) & 0xfc00) === 0xdc00) {
        i++;
        continue;
      }
      out += StringPrototypeSlice(text, start, i) + "\ufffd";
      start = i + 1;
    }
    return out + StringPrototypeSlice(text, start);
  };

  // String.prototype.replaceAll, with a pattern that is not global and a function, and nothing that a guest can have changed.
  const replaceAll = (text, pattern, by) => {
    let out = "";
    let rest = text;
    for (let found; (found = RegExpPrototypeExec(pattern, rest)) !== null; ) {
      out += StringPrototypeSlice(rest, 0, found.index) + by(found[0]);
      rest = StringPrototypeSlice(rest, found.index + found[0].length);
    }
    return out + rest;
  };

  const requireArguments = (got, wanted, where) => {
    if (got < wanted)
      throw new primordials.TypeError(`${where}: ${wanted} argument${wanted > 1 ? "s" : ""} required, ${got} given`);
  };

  // Whether `read`, which looks at private state or an internal slot of its argument, finds it there.
  const hasBrand = (read, value) => {
    try {
      read(value);
      return true;
    } catch {
      return false;
    }
  };

  // Web IDL's iterator objects: their prototype's parent is %IteratorPrototype%.
  const IteratorPrototype = primordials.ReflectGetPrototypeOf(primordials.ReflectGetPrototypeOf([][SymbolIterator]()));

  const AsyncIteratorPrototype = primordials.ReflectGetPrototypeOf(
    primordials.ReflectGetPrototypeOf(async function* () {}.prototype),
  );

  shared.AsyncIteratorPrototype = AsyncIteratorPrototype;
  shared.list = list;
  shared.once = once;
  shared.define = define;
  shared.shapeInterfaces = shapeInterfaces;
  shared.defineInterfaces = defineInterfaces;
  shared.defineOperation = defineOperation;
  shared.defineAttribute = defineAttribute;
  shared.hasBrand = hasBrand;
  shared.toUSVString = toUSVString;
  shared.replaceAll = replaceAll;
  shared.requireArguments = requireArguments;
  shared.IteratorPrototype = IteratorPrototype;
  shared.illegalConstructor = () => new primordials.TypeError("Illegal constructor");
});
