// crypto (Web Cryptography): random values, random UUIDs, and subtle.
"use strict";

(function (host, shared) {
  const build = shared.once(() => {
    const { ArrayBufferIsView, TypedArrayPrototypeGetByteLength } = shared.primordials;
    const { TypedArrayPrototypeGetToStringTag, TypeError, Uint8Array } = shared.primordials;
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
    const FORMATS = { __proto__: null, raw: true, spki: true, pkcs8: true, jwk: true };

    const { bytesFrom, normalize, wholeNumber } = shared.cryptoAlgorithms();
    const failed = (what) => newDOMException(`SubtleCrypto.${what}: it can't be done with this key and these data`, "OperationError");
    const made = (buffer, what) => {
      if (buffer === undefined) throw failed(what);
      return buffer;
    };
    const formatOf = (value, where) => {
      const format = `${value}`;
      if (!FORMATS[format]) throw new TypeError(`SubtleCrypto.${where}: '${format}' is no format of keys`);
      return format;
    };
    // The key's state, after a look at whether it may be used so.
    const keyFor = (key, algorithm, usage) => {
      const state = shared.cryptoKeys().stateOf(key, usage);
      if (state.algorithm.name !== algorithm.name)
        throw newDOMException(`SubtleCrypto.${usage}: the key is one of ${state.algorithm.name}`, "InvalidAccessError");
      if (!shared.cryptoKeys().includes(state.usages, usage))
        throw newDOMException(`SubtleCrypto.${usage}: the key is not for that`, "InvalidAccessError");
      return state;
    };
    // The host's words for hash and padding of a signature.
    const hashFor = (algorithm, key) => algorithm.hash ?? key.algorithm.hash?.name ?? "";
    const saltFor = ({ name, saltLength }) => (name === "RSASSA-PKCS1-v1_5" ? -1 : name === "RSA-PSS" ? saltLength : -2);
    const hmac = (key, data, what) => made(host.hmac(key.algorithm.hash.name, key.bytes, data), what);
    const sameBytes = (a, b) => {
      const length = TypedArrayPrototypeGetByteLength(a);
      let different = length === TypedArrayPrototypeGetByteLength(b) ? 0 : 1;
      for (let i = 0; i < length; i++) different |= a[i] ^ b[i];
      return different === 0;
    };
    const cipher = (algorithm, key, data, encrypts, what) => {
      const { name, iv, aside, tagLength } = algorithm;
      if (name === "AES-CBC" && TypedArrayPrototypeGetByteLength(iv) !== 16)
        throw newDOMException(`SubtleCrypto.${what}: the iv of AES-CBC has 16 bytes`, "OperationError");
      const fits = tagLength === 32 || tagLength === 64 || (tagLength >= 96 && tagLength <= 128 && tagLength % 8 === 0);
      if (name === "AES-GCM" && !fits)
        throw newDOMException(`SubtleCrypto.${what}: a tag can't have ${tagLength} bits`, "OperationError");
      return made(host.aes(name, encrypts, key.bytes, iv, data, aside, tagLength / 8), what);
    };
    const derive = (algorithm, key, bits) => {
      const { name, hash, salt, info, iterations } = algorithm;
      if (bits === null || bits % 8 !== 0)
        throw newDOMException("SubtleCrypto.deriveBits: the length is not a multiple of 8", "OperationError");
      if (name === "HKDF") return made(host.hkdf(hash, key.bytes, salt, info, bits / 8), "deriveBits");
      if (iterations === 0) throw newDOMException("SubtleCrypto.deriveBits: there are no iterations", "OperationError");
      return made(host.pbkdf2(hash, key.bytes, salt, iterations, bits / 8), "deriveBits");
    };
    // How many bits a key of an algorithm is derived of.
    const lengthOfDerived = ({ name, length, hash }) => {
      if (name !== "HMAC") return length;
      return length ?? (hash === "SHA-384" || hash === "SHA-512" ? 1024 : 512);
    };
    const asBytes = (buffer) => new Uint8Array(buffer);

    class SubtleCrypto {
      #brand;
      constructor() {
        if (arguments[0] !== internal) throw shared.illegalConstructor();
      }
      async digest(algorithm, data) {
        void this.#brand;
        requireArguments(arguments.length, 2, "SubtleCrypto.digest");
        const { name } = normalize(algorithm, "digest");
        return host.digest(name, bytesFrom(data, "SubtleCrypto.digest: the data"));
      }
      async encrypt(algorithm, key, data) {
        void this.#brand;
        requireArguments(arguments.length, 3, "SubtleCrypto.encrypt");
        const wanted = normalize(algorithm, "encrypt");
        const bytes = bytesFrom(data, "SubtleCrypto.encrypt: the data");
        return cipher(wanted, keyFor(key, wanted, "encrypt"), bytes, true, "encrypt");
      }
      async decrypt(algorithm, key, data) {
        void this.#brand;
        requireArguments(arguments.length, 3, "SubtleCrypto.decrypt");
        const wanted = normalize(algorithm, "decrypt");
        const bytes = bytesFrom(data, "SubtleCrypto.decrypt: the data");
        return cipher(wanted, keyFor(key, wanted, "decrypt"), bytes, false, "decrypt");
      }
      async sign(algorithm, key, data) {
        void this.#brand;
        requireArguments(arguments.length, 3, "SubtleCrypto.sign");
        const wanted = normalize(algorithm, "sign");
        const bytes = bytesFrom(data, "SubtleCrypto.sign: the data");
        const state = keyFor(key, wanted, "sign");
        if (wanted.name === "HMAC") return hmac(state, bytes, "sign");
        return made(host.keySign(hashFor(wanted, state), saltFor(wanted), state.bytes, bytes), "sign");
      }
      async verify(algorithm, key, signature, data) {
        void this.#brand;
        requireArguments(arguments.length, 4, "SubtleCrypto.verify");
        const wanted = normalize(algorithm, "verify");
        const given = bytesFrom(signature, "SubtleCrypto.verify: the signature");
        const bytes = bytesFrom(data, "SubtleCrypto.verify: the data");
        const state = keyFor(key, wanted, "verify");
        if (wanted.name === "HMAC") return sameBytes(asBytes(hmac(state, bytes, "verify")), given);
        return host.keyVerify(hashFor(wanted, state), saltFor(wanted), state.bytes, given, bytes);
      }
      async generateKey(algorithm, extractable, keyUsages) {
        void this.#brand;
        requireArguments(arguments.length, 3, "SubtleCrypto.generateKey");
        const usages = shared.cryptoKeys().readUsages(keyUsages, "SubtleCrypto.generateKey");
        return shared.cryptoKeys().generateKey(normalize(algorithm, "generateKey"), !!extractable, usages);
      }
      async importKey(format, keyData, algorithm, extractable, keyUsages) {
        void this.#brand;
        requireArguments(arguments.length, 5, "SubtleCrypto.importKey");
        const form = formatOf(format, "importKey");
        const usages = shared.cryptoKeys().readUsages(keyUsages, "SubtleCrypto.importKey");
        const wanted = normalize(algorithm, "importKey");
        const data = form === "jwk" ? keyData : bytesFrom(keyData, "SubtleCrypto.importKey: the key");
        return shared.cryptoKeys().importKey(form, data, wanted, !!extractable, usages);
      }
      async exportKey(format, key) {
        void this.#brand;
        requireArguments(arguments.length, 2, "SubtleCrypto.exportKey");
        const form = formatOf(format, "exportKey");
        return shared.cryptoKeys().exportKey(form, shared.cryptoKeys().stateOf(key, "exportKey"));
      }
      async deriveBits(algorithm, baseKey, length = null) {
        void this.#brand;
        requireArguments(arguments.length, 2, "SubtleCrypto.deriveBits");
        const bits = length === null || length === undefined ? null : wholeNumber(length, 2 ** 32 - 1, "SubtleCrypto.deriveBits: length");
        const wanted = normalize(algorithm, "deriveBits");
        return derive(wanted, keyFor(baseKey, wanted, "deriveBits"), bits);
      }
      async deriveKey(algorithm, baseKey, derivedKeyType, extractable, keyUsages) {
        void this.#brand;
        requireArguments(arguments.length, 5, "SubtleCrypto.deriveKey");
        const usages = shared.cryptoKeys().readUsages(keyUsages, "SubtleCrypto.deriveKey");
        const wanted = normalize(algorithm, "deriveBits");
        const type = normalize(derivedKeyType, "generateKey");
        const bits = derive(wanted, keyFor(baseKey, wanted, "deriveKey"), lengthOfDerived(type) ?? null);
        return shared.cryptoKeys().importKey("raw", asBytes(bits), type, !!extractable, usages);
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
