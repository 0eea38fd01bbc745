// The host's callbacks, for JavaScript guests: invoke("name", {...}) gives a promise, and so does each callback by its name.
"use strict";

(function (host, shared) {
  const { Error, JSONParse, JSONStringify, Map, MapPrototypeDelete, MapPrototypeGet, MapPrototypeGetSize } = shared.primordials;
  const { MapPrototypeSet, Promise, RangeError, ReflectDefineProperty, StringPrototypeSlice, TypeError } = shared.primordials;
  const { EvalError, ReferenceError, SyntaxError, URIError } = globalThis;

  // An error of the host's has the type that the host gives it.
  const known = { __proto__: null, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError };
  const failureOf = (name, given) => {
    const type = given[0];
    const message = given[1];
    const error = new (known[type] ?? Error)(message);
    ReflectDefineProperty(error, "name", { __proto__: null, value: type, configurable: true, writable: true });
    ReflectDefineProperty(error, "callback", { __proto__: null, value: name, configurable: true, writable: true });
    return error;
  };

  const start = (name, given) => {
    if (typeof name !== "string") throw new TypeError("the name of a callback must be a string");
    const text = JSONStringify(given === undefined ? { __proto__: null } : given);
    if (text === undefined) throw new TypeError(`the arguments of '${name}' can't become JSON`);
    const id = host.callbackStart(name, text);
    if (id === 0) throw new Error(`'${name}' can't be invoked: no call is under way, or memory is out`);
    return id;
  };
  // Its value, or its error thrown, of an answer as C gives it.
  const valueOf = (name, answer) => {
    const value = JSONParse(StringPrototypeSlice(answer, 1));
    if (answer[0] === "!") throw failureOf(name, value);
    return value;
  };

  const waiting = new Map(); // number -> { name, resolve, reject }
  // Hands out the answers that have come; as that of fetch/40-requests.js.
  const deliver = () => {
    const answers = JSONParse(host.callbackTakeAll());
    for (let i = 0; i < answers.length; i++) {
      const answer = answers[i]; // [number, whether it failed, value or error]
      const one = MapPrototypeGet(waiting, answer[0]);
      if (one === undefined) continue;
      MapPrototypeDelete(waiting, answer[0]);
      if (answer[1]) one.reject(failureOf(one.name, answer[2]));
      else one.resolve(answer[2]);
    }
    if (MapPrototypeGetSize(waiting) === 0) shared.deliverInvocations = null;
    return answers.length > 0;
  };
  shared.deliverInvocations = null;

  const invoke = (name, given) =>
    new Promise((resolve, reject) => {
      const id = start(name, given);
      const answer = host.callbackTake(id);
      if (answer !== null) {
        resolve(valueOf(name, answer));
        return;
      }
      MapPrototypeSet(waiting, id, { __proto__: null, name, resolve, reject });
      shared.deliverInvocations = deliver;
    });
  const invokeSync = (name, given) => {
    const id = start(name, given);
    let answer;
    while ((answer = host.callbackTake(id)) === null) if (host.callbackWait(id, -1) !== 0) return undefined; // it is ended
    return valueOf(name, answer);
  };
  const listCallbacks = () => JSONParse(host.callbacks() ?? "[]");

  // What is there of a global name already stays: then there is only invoke().
  const define = (name, value) => {
    if (name in globalThis) return;
    ReflectDefineProperty(value, "name", { __proto__: null, value: name, configurable: true });
    ReflectDefineProperty(globalThis, name, { __proto__: null, value, writable: true, configurable: true });
  };
  const callbackNamed = (name) => {
    const callback = (given) => invoke(name, given);
    callback.sync = (given) => invokeSync(name, given);
    return callback;
  };
  shared.callbacks = { __proto__: null, invoke, invokeSync, listCallbacks };
  // Once a realm has been made for a guest whose host has callbacks.
  shared.installCallbacks = () => {
    define("invoke", invoke);
    define("invokeSync", invokeSync);
    define("listCallbacks", listCallbacks);
    const all = listCallbacks();
    for (let i = 0; i < all.length; i++) define(all[i].name, callbackNamed(all[i].name));
  };
});
