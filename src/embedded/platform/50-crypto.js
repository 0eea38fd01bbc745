// crypto (Web Cryptography): random values, random UUIDs and digests.
"use strict";

(function (host, shared) {
  const { ArrayBufferIsView, StringPrototypeToUpperCase, TypedArrayPrototypeGetByteLength } = shared.primordials;
  const { TypedArrayPrototypeGetToStringTag, TypeError } = shared.primordials;
  const { newDOMException, requireArguments } = shared;
  const internal = {};

  const integerArrays = {
    __proto__: null,
    Int8Array: true,
    Uint8Array: true,
    Uint8ClampedArray: true,
    Int16Array: true,
    Uint16Array: true,
    Int32Array: true,
    Uint32Array: true,
    BigInt64Array: true,
    BigUint64Array: true,
  };
  const digests = { __proto__: null, "SHA-1": true, "SHA-256": true, "SHA-384": true, "SHA-512": true };

  const build = shared.once(() => {
    const algorithmName = (algorithm) => {
      let name = algorithm;
      if ((typeof algorithm === "object" && algorithm !== null) || typeof algorithm === "function") {
        name = algorithm.name;
        if (name === undefined) throw new TypeError("SubtleCrypto.digest: the algorithm has no name");
      }
      return StringPrototypeToUpperCase(`${name}`);
    };
    class SubtleCrypto {
      #brand;
      constructor() {
        if (arguments[0] !== internal) throw shared.illegalConstructor();
      }
      async digest(algorithm, data) {
        void this.#brand;
        requireArguments(arguments.length, 2, "SubtleCrypto.digest");
        const name = algorithmName(algorithm);
        if (!host.isBytes(data))
          throw new TypeError("SubtleCrypto.digest: the data is neither an ArrayBuffer nor a view of one");
        if (!digests[name]) throw newDOMException("SubtleCrypto.digest: unknown algorithm", "NotSupportedError");
        return host.digest(name, data);
      }
    }
    class Crypto {
      #subtle = new SubtleCrypto(internal);
      constructor() {
        if (arguments[0] !== internal) throw shared.illegalConstructor();
      }
      get subtle() {
        return this.#subtle;
      }
      getRandomValues(array) {
        void this.#subtle;
        requireArguments(arguments.length, 1, "Crypto.getRandomValues");
        if (!ArrayBufferIsView(array)) throw new TypeError("Crypto.getRandomValues: the argument is not a typed array");
        const tag = TypedArrayPrototypeGetToStringTag(array);
        if (tag === undefined || !integerArrays[tag])
          throw newDOMException("the array is not of integers", "TypeMismatchError");
        if (TypedArrayPrototypeGetByteLength(array) > 65536)
          throw newDOMException("at most 65536 random bytes can be had at once", "QuotaExceededError");
        host.random(array);
        return array;
      }
      randomUUID() {
        void this.#subtle;
        return host.randomUuid();
      }
    }
    const classes = shared.shapeInterfaces({ __proto__: null, Crypto, SubtleCrypto });
    return { __proto__: null, ...classes, crypto: new Crypto(internal) };
  });

  shared.defineInterfaces(build, "Crypto", "SubtleCrypto");
  shared.defineAttribute("crypto", () => build().crypto, false);
});
