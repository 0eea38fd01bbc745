// The JavaScript end of a call: decodes the input, calls the handler, encodes the result, reports what went wrong.
//
// A value is returned as its JSON text, or handed over by `host.json`.  Other answers travel by `host.result`, and DONE is returned: kind 0 is a buffer's
// bytes, kind 1 a report, JSON text of
//   {"kind": "exception", "type", "value", "traceback"} | {"kind": "adapter_error", "message"} |
//   {"kind": "repr", "repr"} | {"kind": "buffers", "value"?, "buffers": [{"id", "metadata"}]}
(host, shared) => {
  "use strict";
  const {
    Array: { isArray },
    ArrayBuffer: { isView },
    JSON: { parse, stringify },
    Number: { isFinite },
    Error,
    Object: { defineProperty, freeze, getPrototypeOf, keys, prototype: objectPrototype },
    Proxy,
    RangeError,
    Set,
    String,
    Uint8Array,
    globalThis: global,
  } = globalThis;
  const { apply, defineProperty: tryToDefine, isExtensible } = Reflect;
  const { list } = shared;
  // A descriptor without a prototype, and the built-in that a regular expression is matched by, whatever a guest has made of both.
  const { ReflectGetOwnPropertyDescriptor: ownProperty, RegExpPrototypeExec: exec } = shared.primordials;
  const { captureStackTrace } = Error;
  const join = Array.prototype.join;
  const { endsWith, includes, indexOf, slice, split, toLowerCase } = String.prototype;
  const { decode } = TextDecoder.prototype;
  const decoder = new TextDecoder();
  const plainKey = /^[A-Za-z_$][\w$]*$/;
  const tagOf = Object.prototype.toString;
  const { add: setAdd, delete: setDelete, has: setHas } = Set.prototype;
  const arrayName = ownProperty(getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag).get;
  const inputs = "__aardvarkInput";

  const VALUE = 0;
  const REPORT = 1;
  const DONE = 1;

  const tell = (fields) => {
    host.result(REPORT, stringify(fields));
    return DONE;
  };
  const refuse = (message) => tell({ __proto__: null, kind: "adapter_error", message });

  const typeName = (value) => {
    if (value === null || (typeof value !== "object" && typeof value !== "function")) return typeof value;
    if (typeof value === "function") return "function";
    const tag = apply(tagOf, value, []);
    return apply(slice, tag, [8, -1]);
  };

  // A value that JSON can't hold, and where it is.  Known by its brand: `instanceof` would ask a guest's Proxy.
  class Unfit {
    #message;
    constructor(path, reason) {
      this.#message = `the result can't become JSON: at ${path}, ${reason}`;
    }
    static messageOf(error) {
      return typeof error === "object" && error !== null && #message in error ? error.#message : undefined;
    }
  }
  const isRangeError = (error) => {
    try {
      return error instanceof RangeError;
    } catch {
      return false;
    }
  };

  const step = (key) => (exec(plainKey, key) !== null ? `.${key}` : `[${stringify(key)}]`);

  // What JSON.stringify would silently turn into {} or null.
  const lossy = new Set([
    "Map", "Set", "WeakMap", "WeakSet", "WeakRef", "Promise", "RegExp", "Error", "ArrayBuffer", "DataView", "Generator",
    "Symbol", "BigInt64Array", "BigUint64Array", "Number", "String", "Boolean",
  ]);
  const hasLossy = lossy.has.bind(lossy);

  const pathOf = (path) => {
    let text = "$";
    for (let i = 0; i < path.length; i++) text += typeof path[i] === "number" ? `[${path[i]}]` : step(path[i]);
    return text;
  };

  // Whether JSON.stringify keeps all of a value: only plain containers, strings, booleans, nulls and finite numbers.
  const isPlain = (value, depth) => {
    switch (typeof value) {
      case "string":
      case "boolean":
        return true;
      case "number":
        return isFinite(value);
      case "object":
        break;
      default:
        return false;
    }
    if (value === null) return true;
    if (depth === 0 || value.toJSON !== undefined) return false;
    if (isArray(value)) {
      for (let i = 0; i < value.length; i++) if (!isPlain(value[i], depth - 1)) return false;
      return true;
    }
    const prototype = getPrototypeOf(value);
    if (prototype !== objectPrototype && prototype !== null) return false;
    const names = keys(value);
    for (let i = 0; i < names.length; i++) if (!isPlain(value[names[i]], depth - 1)) return false;
    return true;
  };

  // JSON text of a value with no loss, or DONE where that has been handed over: undefined is null, a BigInt keeps its digits,
  // anything else that JSON lacks is refused.
  const encode = (root) => {
    if (isPlain(root, 100)) return host.json(root) ? DONE : stringify(root);
    const parts = list();
    let count = 0;
    const put = (text) => {
      parts[count++] = text;
    };
    const path = list();
    const above = new Set();
    const fail = (reason) => {
      throw new Unfit(pathOf(path), reason);
    };
    const scalar = (value) => {
      switch (typeof value) {
        case "string":
          return stringify(value);
        case "number":
          return isFinite(value) ? `${value}` : fail(`${value} is not a JSON number`);
        case "boolean":
          return value ? "true" : "false";
        case "undefined":
          return "null";
        case "bigint":
          return String(value);
        case "object":
          return value === null ? "null" : undefined;
        default:
          return fail(`${typeof value} is not a JSON type`);
      }
    };
    const walk = (given, key) => {
      let value = given;
      let text = scalar(value);
      if (text === undefined && typeof value.toJSON === "function") {
        value = apply(value.toJSON, value, [key]);
        text = scalar(value);
      }
      if (text !== undefined) {
        put(text);
        return;
      }
      if (apply(setHas, above, [value])) fail("it contains itself");
      const prototype = getPrototypeOf(value);
      if (prototype !== objectPrototype && prototype !== null && !isArray(value)) {
        const name = typeName(value);
        if (isView(value) || hasLossy(name)) fail(`${name} is not a JSON type`);
        // What such an object holds, it holds where JSON does not look: a Response, a class with private fields.
        if (keys(value).length === 0) fail(`${classOf(value) ?? name} is not a JSON type`);
      }
      apply(setAdd, above, [value]);
      if (isArray(value)) {
        put("[");
        for (let i = 0; i < value.length; i++) {
          if (i) put(",");
          path[path.length] = i;
          walk(value[i], String(i));
          path.length--;
        }
        put("]");
      } else {
        put("{");
        const names = keys(value);
        for (let i = 0; i < names.length; i++) {
          put(`${i ? "," : ""}${stringify(names[i])}:`);
          path[path.length] = names[i];
          walk(value[names[i]], names[i]);
          path.length--;
        }
        put("}");
      }
      apply(setDelete, above, [value]);
    };
    walk(root, "");
    return apply(join, parts, [""]);
  };

  let buffers = list();

  const bytesOf = (value) => {
    if (isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
    return new Uint8Array(value);
  };
  const formatOf = (value) => {
    if (!isView(value)) return "ArrayBuffer";
    const name = apply(arrayName, value, []) ?? "DataView";
    return name === "Uint8Array" ? "bytes" : name;
  };

  // A stack without the adapter's own frames.
  const guestFrames = (stack) => {
    const lines = apply(split, stack, ["\n"]);
    let text = lines[0];
    for (let i = 1; i < lines.length; i++) {
      if (!apply(includes, lines[i], ["javascript/adapter.js:"])) text += `\n${lines[i]}`;
      else if (apply(endsWith, lines[i], [" {"])) text += " {"; // an error's fields follow
    }
    return text;
  };

  const isObject = (value) => (typeof value === "object" && value !== null) || typeof value === "function";

  // What `read` gives as a string, or undefined where that fails: a guest's getters may do anything.
  const attempt = (read) => {
    try {
      const value = read();
      return value === undefined || value === null ? undefined : String(value);
    } catch {
      return undefined;
    }
  };

  const MOST_PROTOTYPES = 1000; // a proxy's chain of them may have no end

  // The name of the class of an object, by data properties alone.
  const classOf = (object) => {
    let holder = getPrototypeOf(object);
    for (let steps = 0; holder !== null && steps < MOST_PROTOTYPES; holder = getPrototypeOf(holder), steps++) {
      const value = ownProperty(holder, "constructor")?.value;
      const name = typeof value === "function" ? ownProperty(value, "name")?.value : undefined;
      if (typeof name === "string" && name !== "") return name;
    }
    return undefined;
  };

  // Names that say nothing of a class that has another.
  const isGeneral = Set.prototype.has.bind(
    new Set(["Error", "AggregateError", "EvalError", "RangeError", "ReferenceError", "SyntaxError", "TypeError", "URIError"]),
  );

  // The class that was thrown, or the name that an error was given.
  const typeOfThrown = (error) => {
    if (!isObject(error)) return "Error";
    const name = typeof error === "object" ? attempt(() => error.name) : undefined;
    if (name && !isGeneral(name)) return name;
    return attempt(() => classOf(error)) || name || "Error";
  };

  // What was thrown, as a console shows it: with its cause, its errors and its own fields.  `place` is the stack of a syntax
  // error, which has no frames of its own.
  const describe = (error, place) => {
    const shown =
      attempt(() => guestFrames(shared.inspect(error, { __proto__: null, depth: 2, quoted: false }))) ??
      "<a thrown value that can't be shown>";
    const hasMessage = isObject(error) && attempt(() => "message" in error || "stack" in error) === "true";
    const value = hasMessage ? attempt(() => error.message ?? "") : undefined;
    const framed = place === undefined || apply(includes, shown, ["\n    at "]);
    return {
      __proto__: null,
      kind: "exception",
      type: typeOfThrown(error),
      value: value ?? shown,
      traceback: framed ? shown : place,
    };
  };

  const fail = (error, place) => tell(describe(error, place));

  // What a handler of requests gave.
  class Answer {
    #value;
    #bytes; // of a body that is no text
    #wrong; // why there is none
    constructor(value, bytes, wrong) {
      this.#value = value;
      this.#bytes = bytes;
      this.#wrong = wrong;
    }
    static settle(answer) {
      if (answer.#wrong !== undefined) return refuse(answer.#wrong);
      if (answer.#bytes === null) return encode(answer.#value);
      buffers = list();
      buffers[0] = answer.#bytes;
      const told = list();
      told[0] = { __proto__: null, id: "body", metadata: { __proto__: null, format: "bytes" } };
      return tell({ __proto__: null, kind: "buffers", value: answer.#value, buffers: told });
    }
    static is = (value) => typeof value === "object" && value !== null && #wrong in value;
  }
  const { is: isAnswer, settle: settleAnswer } = Answer;

  // Calls the method `fetch` of a default export as Workers do, with a Request of what is given, the environment and a context.
  const serve = async (owner, given) => {
    const { answerOf, isResponse, requestOf } = shared.fetchHandlers();
    const waits = list();
    const context = {
      waitUntil(promise) {
        waits[waits.length] = promise;
      },
      passThroughOnException() {},
    };
    const got = await owner.fetch(requestOf(given), environment(), context);
    if (!isResponse(got)) return new Answer(null, null, `fetch of the default export gave ${typeName(got)}, not a Response`);
    const { value, bytes } = await answerOf(got);
    for (let i = 0; i < waits.length; i++) {
      try {
        await waits[i];
      } catch (error) {
        shared.reportError(error);
      }
    }
    return new Answer(value, bytes, undefined);
  };

  const settleHandler = (value) => {
    try {
      if (isAnswer(value)) return settleAnswer(value);
      if (typeof value === "object" && host.isBytes(value)) {
        buffers = list();
        buffers[0] = bytesOf(value);
        const told = list(); // a guest's toJSON of arrays is not asked
        told[0] = { __proto__: null, id: "result", metadata: { __proto__: null, format: formatOf(value) } };
        return tell({ __proto__: null, kind: "buffers", buffers: told });
      }
      return encode(value);
    } catch (error) {
      const message = Unfit.messageOf(error);
      if (message !== undefined) return refuse(message);
      if (isRangeError(error)) return refuse("the result is nested too deeply or too large to become JSON");
      return fail(error);
    }
  };

  const settleInline = (value) => {
    try {
      return encode(value);
    } catch {
      try {
        return tell({ __proto__: null, kind: "repr", repr: shared.inspect(value, { __proto__: null, depth: 4, quoted: true }) });
      } catch (error) {
        return fail(error);
      }
    }
  };

  // A promise is one even where a guest has taken `then` from it.
  const isThenable = (value) =>
    isObject(value) &&
    (typeof value.then === "function" || (getPrototypeOf(value) !== objectPrototype && host.isPromise(value)));

  // `await` and not `then`: what a guest has done to promises is thrown in here.
  const waitFor = async (promise, finish) => {
    let value;
    try {
      value = await promise;
    } catch (error) {
      return fail(error);
    }
    return finish(value);
  };

  // Gives an answer, or a promise of one.
  const settle = (value, finish) => {
    let waits;
    try {
      waits = isThenable(value);
    } catch (error) {
      return fail(error);
    }
    if (!waits) return finish(value);
    return waitFor(value, finish);
  };

  const handlers = list();
  const addHandler = (handler) => {
    handlers[handlers.length] = handler;
    return handlers.length - 1;
  };
  const scripts = new Map();
  const scriptOf = scripts.get.bind(scripts);
  const keepScript = scripts.set.bind(scripts);
  let running; // the module that the script has

  const guard = (steps, finish) => {
    let value;
    try {
      value = steps();
    } catch (error) {
      return fail(error);
    }
    return settle(value, finish);
  };

  const BOM = "it begins with a byte order mark (BOM), which JSON does not have; leave that out";

  // Properties of the global object that come with calls.  Reflect gives false where a guest has made that impossible.
  const setGlobal = (name, value) => {
    const now = ownProperty(global, name);
    const fixed = now !== undefined && !now.configurable;
    return tryToDefine(global, name, { __proto__: null, value, ...(fixed ? null : free) });
  };
  const free = { __proto__: null, writable: true, enumerable: true, configurable: true };
  const whyNot = (name) =>
    isExtensible(global)
      ? `the guest has put '${name}' onto the global object that can't be replaced`
      : `the guest has frozen the global object, so that '${name}' can't be set`;

  // The input is read by an accessor: a guest that freezes the global object keeps it.
  let input;
  const inputAccessor = { __proto__: null, get: () => input, set: (value) => void (input = value), configurable: true };
  const hasInput = () => {
    try {
      return inputs in global && global[inputs] === input; // quicker than asking for the accessor
    } catch {
      return false;
    }
  };
  const placeInput = () => hasInput() || tryToDefine(global, inputs, inputAccessor);
  placeInput();

  // Gives false, with a report, where the input is no JSON.
  const takeInput = (text) => {
    input = undefined;
    if (text === undefined) return true;
    try {
      input = parse(text);
      return true;
    } catch (error) {
      refuse(`the input is not JSON: ${text[0] === "\ufeff" ? BOM : error.message}`);
      return false;
    }
  };
  // For code that has no other way to its input.
  const setInput = (text) => {
    if (!takeInput(text)) return false;
    if (placeInput() || text === undefined) return true;
    refuse(`inline code can't be given its input: ${whyNot(inputs)}; reset the isolate`);
    return false;
  };

  // `aardvark.host`: the functions of the host by their names, lower case; each takes a value and gives one, both JSON.
  const callHost = (name, value, called) => {
    const failure = (type, message) => {
      const error = new Error(message);
      defineProperty(error, "name", { __proto__: null, value: type, configurable: true, writable: true });
      captureStackTrace(error, called);
      return error;
    };
    const answer = host.callHost(name, stringify(value) ?? "null");
    const text = apply(slice, answer, [1]);
    if (answer[0] === "=") return parse(text);
    if (answer[0] === "!") throw failure("HostError", text);
    throw failure("PermissionError", `the host has not granted the capability '${name}'`);
  };
  const functions = new Proxy(freeze({ __proto__: null }), {
    __proto__: null,
    get(target, name) {
      if (typeof name !== "string" || name === "then") return undefined;
      const called = (value) => callHost(apply(toLowerCase, name, []), value, called);
      return called;
    },
  });
  const environment = () => {
    const pairs = parse(host.environment() ?? "[]");
    const all = { __proto__: null };
    for (let i = 0; i < pairs.length; i++) {
      const end = apply(indexOf, pairs[i], ["="]);
      all[apply(slice, pairs[i], [0, end])] = apply(slice, pairs[i], [end + 1]);
    }
    return freeze(all);
  };
  // What the call is given: arguments, environment, standard input.
  const given = {
    __proto__: null,
    host: functions,
    invoke: shared.callbacks.invoke,
    invokeSync: shared.callbacks.invokeSync,
    listCallbacks: shared.callbacks.listCallbacks,
    get argv() {
      return parse(host.arguments());
    },
    get env() {
      return environment();
    },
    stdin() {
      const bytes = new Uint8Array(host.stdinLeft());
      host.stdin(bytes);
      return apply(decode, decoder, [bytes]);
    },
  };
  defineProperty(global, "aardvark", {
    __proto__: null,
    value: freeze(given),
    configurable: true,
    writable: true,
  });

  // Whether this is the default export of a module that answers requests.
  const isServer = (value) =>
    typeof value === "object" && value !== null && attempt(() => typeof value.fetch === "function") === "true";

  shared.javascript = {
    // The C side has imported the module; gives the handler's number, or -1 with a report.
    bind(namespace, name, where) {
      let owner;
      let target = namespace;
      try {
        for (let parts = apply(split, name, ["."]), i = 0; i < parts.length; i++) {
          owner = target === namespace ? undefined : target;
          target = target[parts[i]];
        }
      } catch {
        target = undefined;
      }
      const served = name === "default" ? target : name === "default.fetch" ? owner : undefined;
      if (isServer(served)) return addHandler((given) => serve(served, given));
      if (typeof target === "function") return addHandler((given) => apply(target, owner, [given]));
      refuse(
        target === undefined
          ? `module '${where}' has no export '${name}'`
          : `export '${name}' of module '${where}' is not callable: it is of type ${typeName(target)}`,
      );
      return -1;
    },
    // Gives whether a classic script has still to run: one that declares names could not do so twice.  Undefined, with a
    // report, where it can't run at all.
    beforeScript(where) {
      const known = scriptOf(where);
      const module = (running = known ?? { exports: {} });
      const missing = !setGlobal("module", module) ? "module" : !setGlobal("exports", module.exports) ? "exports" : undefined;
      if (known !== undefined) return false;
      if (missing === undefined) return true;
      refuse(`script '${where}' can't run: ${whyNot(missing)}; reset the isolate`);
      return undefined;
    },
    // The handler is what the script put into `module.exports`, or `found`, what its global scope has by that name.
    bindScript(name, where, found) {
      if (scriptOf(where) === undefined) keepScript(where, ownProperty(global, "module")?.value ?? running);
      const exported = scriptOf(where)?.exports;
      const target = exported?.[name] ?? found ?? (name === "default" ? exported : undefined);
      if (typeof target === "function") return addHandler(target);
      refuse(`script '${where}' defines no function '${name}'`);
      return -1;
    },
    forget(index) {
      handlers[index] = undefined;
    },
    invoke(index, text) {
      if (!takeInput(text)) return DONE;
      placeInput();
      const handler = handlers[index];
      return guard(() => handler(input), settleHandler);
    },
    // `awaits`: the code itself does, and the value is a promise of what V8 wraps its value in.
    finishInline: (value, awaits) =>
      awaits ? waitFor(value, (wrapped) => settle(wrapped[".repl_result"], settleInline)) : settle(value, settleInline),
    setInput,
    fail: (error, place) => fail(error, place),
    dropBuffers() {
      buffers = list();
    },
    buffer(index) {
      const bytes = buffers[index];
      host.result(VALUE, bytes, 0, bytes.byteLength);
      return DONE;
    },
  };
}
