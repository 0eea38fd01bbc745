// The harness of tests/platform/*.js.  Its value is a function (native, shared) => control: test_platform.c reads the
// tests' names from `control`, starts each and turns the guest's event loop until its state is known.
"use strict";

(native, shared) => {
  const tests = [];
  const then = Function.prototype.call.bind(Promise.prototype.then); // tests may replace it
  let state = "";

  const show = (value) => shared.inspect(value, { depth: 4, quoted: true });
  class AssertionError extends Error {
    get name() {
      return "AssertionError";
    }
  }
  const fail = (message, what) => {
    throw new AssertionError(what === undefined ? message : `${what}: ${message}`);
  };

  const sameList = (a, b) => a.length === b.length && a.every((item, i) => same(item, b[i]));
  const same = (a, b) => {
    if (Object.is(a, b)) return true;
    if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
    if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false;
    if (ArrayBuffer.isView(a)) return sameList([...a], [...b]);
    if (a instanceof Map || a instanceof Set) return sameList([...a], [...b]);
    if (a instanceof Date) return a.getTime() === b.getTime();
    const keys = Reflect.ownKeys(a);
    return keys.length === Reflect.ownKeys(b).length && keys.every((key) => key in b && same(a[key], b[key]));
  };

  const helpers = {
    test(name, body) {
      tests.push({ name, body });
    },
    assert(condition, what = "condition") {
      if (!condition) fail("is not true", what);
    },
    // Equal like Object.is, and objects by their prototypes and contents.
    assertEquals(got, wanted, what) {
      if (!same(got, wanted)) fail(`got ${show(got)}, wanted ${show(wanted)}`, what);
    },
    // `wanted`: a constructor of errors, or the name of a DOMException.
    assertThrows(body, wanted, what) {
      let value;
      try {
        value = body();
      } catch (error) {
        return helpers.assertError(error, wanted, what);
      }
      return fail(`gave ${show(value)} and threw nothing`, what);
    },
    async assertRejects(promise, wanted, what) {
      let value;
      try {
        value = await promise;
      } catch (error) {
        return helpers.assertError(error, wanted, what);
      }
      return fail(`was fulfilled with ${show(value)}`, what);
    },
    assertError(error, wanted, what) {
      const fits =
        typeof wanted === "string"
          ? error instanceof DOMException && error.name === wanted
          : error !== null && typeof error === "object" && error.constructor === wanted;
      if (!fits) fail(`threw ${show(error)}, not ${typeof wanted === "string" ? wanted : wanted.name}`, what);
      return error;
    },
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    // What the guest has written to stdout (1) or stderr (2) since the last look.
    output: (fd) => native.takeOutput(fd),
    native,
    shared,
  };
  Object.assign(globalThis, helpers);

  return {
    name: (i) => tests[i]?.name ?? "",
    start(i) {
      state = "";
      native.takeOutput(1);
      native.takeOutput(2);
      then(
        (async () => void (await tests[i].body()))(),
        () => (state = "passed"),
        (error) => (state = `failed\n${error instanceof Error ? error.stack : show(error)}`),
      );
    },
    state: () => state,
  };
};
