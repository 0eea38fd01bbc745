// JavaScript objects that Python refers to, by their numbers in Pyodide's table: written down when a guest is captured,
// and put back when another one starts from the image.
//
// A capture can keep what every guest has: Pyodide's own objects, which have fixed places, and what can be reached from
// the global object, by its path.  Anything else is refused with an error that names it.
(host, shared) => {
  "use strict";
  const DEPTH = 3; // of paths
  const NO_VALUE = 6; // the last of the references that Pyodide makes itself and never frees

  const describe = (value) => {
    if (typeof value === "string") return `the string ${JSON.stringify(value.slice(0, 60))}`;
    if (typeof value === "function") return `the function '${String(value.name).slice(0, 60)}'`;
    if (typeof value !== "object") return `the ${typeof value} ${String(value)}`;
    try {
      const name = Object.getPrototypeOf(value)?.constructor?.name;
      return `an object of type ${typeof name === "string" && name ? name.slice(0, 60) : "Object"}`;
    } catch {
      return "an object";
    }
  };

  const refuse = (index, value) => {
    throw new Error(
      `Python holds ${describe(value)} of JavaScript (reference ${index}), which no other guest would have; ` +
        "delete what refers to it (a proxy, a callback, something from the modules js or pyodide_js) first",
    );
  };

  // Objects to paths, by data properties only: looking must not run anything.
  const pathsFrom = (root) => {
    const paths = new Map([[root, []]]);
    let level = [root];
    for (let depth = 0; depth < DEPTH && level.length > 0; depth++) {
      const next = [];
      for (const object of level) {
        for (const [name, property] of Object.entries(Object.getOwnPropertyDescriptors(object))) {
          const { value } = property;
          if ((typeof value !== "object" && typeof value !== "function") || value === null || paths.has(value)) continue;
          paths.set(value, [...paths.get(object), name]);
          next.push(value);
        }
      }
      level = next;
    }
    return paths;
  };

  const follow = (root, path) => {
    let object = root;
    for (const name of path) object = object?.[name];
    return object;
  };

  // Past the end of the table is where a look fails.
  const entry = (look, index) => {
    try {
      return { value: look(index) };
    } catch {
      return undefined;
    }
  };

  const checkFixed = (Module, expected) => {
    for (let i = 0; i < expected.length; i++) {
      const found = entry(Module.__hiwire_get, i);
      const marker = i === expected.length - 1; // an empty object, made anew by each look
      const right = marker ? typeof found?.value === "object" && found.value !== null : found?.value === expected[i];
      if (!right) refuse(i, found?.value);
    }
  };

  const serialize = (Module, API) => {
    const expected = API.getExpectedKeys();
    checkFixed(Module, expected);
    const root = API.config.jsglobals;
    let paths;
    const hiwireKeys = [];
    for (let i = expected.length; ; i++) {
      const found = entry(Module.__hiwire_get, i);
      if (!found) break;
      const { value } = found;
      if (value === null || value === undefined) hiwireKeys.push(null);
      else if (value === API) hiwireKeys.push({ API: true });
      else if (value === API.abortSignalAny) hiwireKeys.push({ abortSignalAny: true });
      else {
        paths ??= pathsFrom(root);
        const path = paths.get(value);
        if (!path) refuse(i, value);
        hiwireKeys.push({ serialized: path });
      }
    }
    const immortalKeys = [];
    for (let i = NO_VALUE + 1; ; i++) {
      const found = entry(Module.__hiwire_immortal_get, i);
      if (!found) break;
      if (typeof found.value !== "string") refuse(i, found.value);
      immortalKeys.push(found.value);
    }
    return { hiwireKeys, immortalKeys };
  };

  // What finalizeBootstrap asks for each `serialized`.
  const deserialize = (API) => (path) => {
    const value = follow(API.config.jsglobals, path);
    if (value === null || value === undefined) {
      throw new Error(`the image refers to '${path.join(".")}' of JavaScript, which this guest does not have`);
    }
    return value;
  };

  shared.references = { serialize, deserialize };
}
