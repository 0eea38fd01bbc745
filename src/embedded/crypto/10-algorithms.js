// Web Cryptography: the algorithms and what each wants, normalized from what guests give.
"use strict";

(function (host, shared) {
  shared.cryptoAlgorithms = shared.once(() => {
    const { MathFloor, StringPrototypeToUpperCase, TypeError } = shared.primordials;
    const { list, newDOMException } = shared;

    const isObject = (value) => (typeof value === "object" && value !== null) || typeof value === "function";
    const names = { __proto__: null };
    const known = list();
    const all =
      "SHA-1 SHA-256 SHA-384 SHA-512 HMAC AES-GCM AES-CBC HKDF PBKDF2 ECDSA Ed25519 RSASSA-PKCS1-v1_5 RSA-PSS";
    for (let rest = /[^ ]+/g, found; (found = shared.primordials.RegExpPrototypeExec(rest, all)) !== null; ) {
      known[known.length] = found[0];
      names[StringPrototypeToUpperCase(found[0])] = found[0];
    }
    // What is signed, encrypted or derived by which.
    const operations = {
      __proto__: null,
      digest: /^SHA-/,
      sign: /^(?:HMAC|ECDSA|Ed25519|RSA)/,
      verify: /^(?:HMAC|ECDSA|Ed25519|RSA)/,
      encrypt: /^AES-/,
      decrypt: /^AES-/,
      deriveBits: /^(?:HKDF|PBKDF2)$/,
      importKey: /^(?:HMAC|AES-|HKDF|PBKDF2|ECDSA|Ed25519|RSA)/,
      generateKey: /^(?:HMAC|AES-|ECDSA|Ed25519|RSA)/,
    };
    const unsupported = (operation, name) =>
      newDOMException(`SubtleCrypto.${operation}: the algorithm '${name}' is not supported`, "NotSupportedError");

    const bytesFrom = (value, where) => {
      const bytes = shared.bytes.bytesOf(value);
      if (bytes === null) throw new TypeError(`${where} is neither an ArrayBuffer nor a view of one`);
      return shared.bytes.copyOf(bytes);
    };
    const wholeNumber = (value, most, where) => {
      const number = +value;
      const whole = number < 0 ? -MathFloor(-number) : MathFloor(number);
      if (!(whole >= 0 && whole <= most)) throw new TypeError(`${where} is not an integer from 0 to ${most}`);
      return whole;
    };
    const required = (given, member, name) => {
      const value = given[member];
      if (value === undefined) throw new TypeError(`${name}: ${member} is missing`);
      return value;
    };
    const hashOf = (given, name) => normalize(required(given, "hash", name), "digest").name;

    // The members that an operation needs of an algorithm, converted.
    const readers = {
      __proto__: null,
      HMAC(given, operation, out) {
        if (operation === "sign" || operation === "verify") return;
        out.hash = hashOf(given, "HMAC");
        out.length = given.length === undefined ? undefined : wholeNumber(given.length, 2 ** 32 - 1, "HMAC: length");
      },
      "AES-GCM"(given, operation, out) {
        if (operation === "generateKey") out.length = wholeNumber(required(given, "length", out.name), 65535, "AES-GCM: length");
        if (operation !== "encrypt" && operation !== "decrypt") return;
        out.iv = bytesFrom(required(given, "iv", out.name), "AES-GCM: iv");
        const { additionalData, tagLength } = given;
        out.aside = additionalData === undefined ? new shared.primordials.Uint8Array(0) : bytesFrom(additionalData, "AES-GCM: additionalData");
        out.tagLength = tagLength === undefined ? 128 : wholeNumber(tagLength, 255, "AES-GCM: tagLength");
      },
      "AES-CBC"(given, operation, out) {
        if (operation === "generateKey") out.length = wholeNumber(required(given, "length", out.name), 65535, "AES-CBC: length");
        if (operation !== "encrypt" && operation !== "decrypt") return;
        out.iv = bytesFrom(required(given, "iv", out.name), "AES-CBC: iv");
        out.aside = new shared.primordials.Uint8Array(0);
        out.tagLength = 0;
      },
      HKDF(given, operation, out) {
        if (operation !== "deriveBits") return;
        out.hash = hashOf(given, "HKDF");
        out.salt = bytesFrom(required(given, "salt", "HKDF"), "HKDF: salt");
        out.info = bytesFrom(required(given, "info", "HKDF"), "HKDF: info");
      },
      PBKDF2(given, operation, out) {
        if (operation !== "deriveBits") return;
        out.hash = hashOf(given, "PBKDF2");
        out.salt = bytesFrom(required(given, "salt", "PBKDF2"), "PBKDF2: salt");
        out.iterations = wholeNumber(required(given, "iterations", "PBKDF2"), 2 ** 32 - 1, "PBKDF2: iterations");
      },
      ECDSA(given, operation, out) {
        if (operation === "sign" || operation === "verify") out.hash = hashOf(given, "ECDSA");
        else out.namedCurve = `${required(given, "namedCurve", "ECDSA")}`;
      },
      Ed25519() {},
      "RSASSA-PKCS1-v1_5"(given, operation, out) {
        if (operation !== "sign" && operation !== "verify") readRsa(given, operation, out);
      },
      "RSA-PSS"(given, operation, out) {
        if (operation === "sign" || operation === "verify")
          out.saltLength = wholeNumber(required(given, "saltLength", "RSA-PSS"), 2 ** 32 - 1, "RSA-PSS: saltLength");
        else readRsa(given, operation, out);
      },
    };
    const readRsa = (given, operation, out) => {
      out.hash = hashOf(given, out.name);
      if (operation !== "generateKey") return;
      out.modulusLength = wholeNumber(required(given, "modulusLength", out.name), 2 ** 32 - 1, "modulusLength");
      out.publicExponent = bytesFrom(required(given, "publicExponent", out.name), "publicExponent");
    };

    const normalize = (algorithm, operation) => {
      const given = isObject(algorithm) ? algorithm : { __proto__: null, name: algorithm };
      if (given.name === undefined) throw new TypeError(`SubtleCrypto.${operation}: the algorithm has no name`);
      const text = `${given.name}`;
      const name = names[StringPrototypeToUpperCase(text)];
      if (name === undefined || shared.primordials.RegExpPrototypeExec(operations[operation], name) === null)
        throw unsupported(operation, text);
      const out = { __proto__: null, name };
      readers[name]?.(given, operation, out);
      return out;
    };
    return { __proto__: null, bytesFrom, isObject, normalize, unsupported, wholeNumber };
  });
});
