// CryptoKey (Web Cryptography), and keys in and out of it: raw bytes, DER encodings and JSON Web Keys.
"use strict";

(function (host, shared) {
  shared.cryptoKeys = shared.once(() => {
    const { JSONParse, JSONStringify, ReflectApply, RegExpPrototypeExec, SymbolIterator, TypeError, Uint8Array } = shared.primordials;
    const { StringPrototypeIndexOf, StringPrototypeSlice, TypedArrayPrototypeGetBuffer } = shared.primordials;
    const { list, newDOMException, replaceAll } = shared;

    const internal = {};
    const { isObject } = shared.cryptoAlgorithms();
    const { copyOf, lengthOf } = shared.bytes;
    const dataError = (message) => newDOMException(message, "DataError");
    const syntaxError = (message) => newDOMException(message, "SyntaxError");

    // What is where: `bytes` are the secret, or the DER encoding.
    let stateOf, newKey, isKey;
    class CryptoKey {
      #state;
      constructor() {
        if (arguments[0] !== internal) throw shared.illegalConstructor();
        this.#state = arguments[1];
      }
      get type() {
        return this.#state.type;
      }
      get extractable() {
        return this.#state.extractable;
      }
      get algorithm() {
        return this.#state.algorithm;
      }
      get usages() {
        return this.#state.usageArray;
      }
      static {
        isKey = (value) => isObject(value) && #state in value;
        stateOf = (value, where) => {
          if (!isKey(value)) throw new TypeError(`SubtleCrypto.${where}: this is not a CryptoKey`);
          return value.#state;
        };
        newKey = (state) => new CryptoKey(internal, state);
      }
    }
    shared.shapeInterfaces({ __proto__: null, CryptoKey });

    // ---- usages --------------------------------------------------------------------------------------------------------

    const USAGES = ["encrypt", "decrypt", "sign", "verify", "deriveKey", "deriveBits", "wrapKey", "unwrapKey"];
    const allowed = {
      __proto__: null,
      secret: { __proto__: null, HMAC: "sign verify", AES: "encrypt decrypt wrapKey unwrapKey", HKDF: "deriveKey deriveBits", PBKDF2: "deriveKey deriveBits" },
      private: "sign",
      public: "verify",
    };
    const includes = (text, word) => StringPrototypeIndexOf(` ${text} `, ` ${word} `) >= 0;
    // The usages in the standard's order, as one text.
    const readUsages = (given, where) => {
      if (!isObject(given) || typeof given[SymbolIterator] !== "function") throw new TypeError(`${where}: the usages are not a sequence`);
      let got = "";
      for (const usage of given) {
        const text = `${usage}`;
        let found = false;
        for (let i = 0; i < USAGES.length; i++) found = found || USAGES[i] === text;
        if (!found) throw new TypeError(`${where}: '${text}' is no usage of a key`);
        got += ` ${text}`;
      }
      let out = "";
      for (let i = 0; i < USAGES.length; i++) if (includes(got, USAGES[i])) out += `${out === "" ? "" : " "}${USAGES[i]}`;
      return out;
    };
    const arrayOf = (usages) => {
      const array = [];
      for (let word = /[^ ]+/g, found; (found = RegExpPrototypeExec(word, usages)) !== null; )
        shared.define(array, array.length, found[0], true);
      return array;
    };
    const both = (usages, permitted) => {
      let out = "";
      for (let i = 0; i < USAGES.length; i++)
        if (includes(usages, USAGES[i]) && includes(permitted, USAGES[i])) out += `${out === "" ? "" : " "}${USAGES[i]}`;
      return out;
    };
    const permittedFor = (name, type) => (type === "secret" ? allowed.secret[StringPrototypeSlice(name, 0, 4) === "AES-" ? "AES" : name] : allowed[type]);
    const checkUsages = (name, type, usages) => {
      if (both(usages, permittedFor(name, type)) !== usages) throw syntaxError(`a ${type} key of ${name} can't have the usages: ${usages}`);
      if (usages === "" && type !== "public") throw syntaxError(`a ${type} key needs a usage`);
    };
    const make = (type, algorithm, extractable, usages, bytes) =>
      newKey({ __proto__: null, type, algorithm, extractable, usages, usageArray: arrayOf(usages), bytes });

    // ---- base64url -----------------------------------------------------------------------------------------------------

    const fromBase64Url = (value) => {
      const isText = typeof value === "string" && RegExpPrototypeExec(/^[\w-]*$/, value) !== null;
      const binary = isText ? host.base64Decode(replaceAll(value, /[-_]/, (c) => (c === "-" ? "+" : "/"))) : null;
      if (binary === null) throw dataError("the key's JWK has a member that is not base64url");
      return shared.bytes.ofBinary(binary);
    };
    const toBase64Url = (bytes) => {
      let binary = "";
      for (let i = 0; i < lengthOf(bytes); i++) binary += shared.primordials.StringFromCharCode(bytes[i]);
      return replaceAll(replaceAll(host.base64Encode(binary), /[+/]/, (c) => (c === "+" ? "-" : "_")), /=+/, () => "");
    };

    // ---- in ----------------------------------------------------------------------------------------------------------------

    const lengths = { __proto__: null, 16: 128, 24: 192, 32: 256 };
    const hashName = (name) => ({ name });
    const BLOCKS = { __proto__: null, "SHA-1": 512, "SHA-256": 512, "SHA-384": 1024, "SHA-512": 1024 };

    const secretAlgorithm = (wanted, bytes) => {
      const { name } = wanted;
      const bits = 8 * lengthOf(bytes);
      if (name === "HMAC") {
        const length = wanted.length ?? bits;
        if (bits === 0 || length > bits || length <= bits - 8) throw dataError("the length of the HMAC key is wrong");
        return { name, hash: hashName(wanted.hash), length };
      }
      if (name === "HKDF" || name === "PBKDF2") return { name };
      const length = lengths[lengthOf(bytes)];
      if (length === undefined) throw dataError(`a key of ${name} has 128, 192 or 256 bits, not ${bits}`);
      return { name, length };
    };
    const isSecret = (name) => RegExpPrototypeExec(/^(?:HMAC|AES-|HKDF|PBKDF2)/, name) !== null;
    const partsOf = (der, isPrivate) => {
      const text = host.keyParts(der, isPrivate);
      if (text === undefined) throw dataError("the key can't be read");
      return JSONParse(text);
    };
    // The `algorithm` of a key pair's key, after a look at whether it is of that kind.
    const pairAlgorithm = (wanted, parts) => {
      const { name } = wanted;
      if (name === "ECDSA") {
        if (parts.kty !== "EC" || parts.crv !== wanted.namedCurve) throw dataError(`the key is not one of the curve ${wanted.namedCurve}`);
        return { name, namedCurve: wanted.namedCurve };
      }
      if (name === "Ed25519") {
        if (parts.crv !== "Ed25519") throw dataError("the key is not one of Ed25519");
        return { name };
      }
      if (parts.kty !== "RSA") throw dataError("the key is not one of RSA");
      const modulus = fromBase64Url(parts.n);
      let modulusLength = 8 * lengthOf(modulus);
      for (let bit = 128; bit > modulus[0]; bit >>= 1) modulusLength--;
      return { name, modulusLength, publicExponent: fromBase64Url(parts.e), hash: hashName(wanted.hash) };
    };
    const importDer = (wanted, der, isPrivate, extractable, usages) => {
      const bytes = host.keyRead(der, isPrivate);
      if (bytes === undefined) throw dataError("the key can't be read");
      const own = new Uint8Array(bytes);
      const algorithm = pairAlgorithm(wanted, partsOf(own, isPrivate));
      return make(isPrivate ? "private" : "public", algorithm, extractable, usages, own);
    };

    const pointOf = (x, y) => {
      const point = new Uint8Array(1 + lengthOf(x) + lengthOf(y));
      point[0] = 4;
      for (let i = 0; i < lengthOf(x); i++) point[1 + i] = x[i];
      for (let i = 0; i < lengthOf(y); i++) point[1 + lengthOf(x) + i] = y[i];
      return point;
    };
    const RSA_PARTS = ["n", "e", "d", "p", "q", "dp", "dq", "qi"];
    const derOfJwk = (wanted, jwk, isPrivate) => {
      const { name } = wanted;
      const kty = name === "ECDSA" ? "EC" : name === "Ed25519" ? "OKP" : "RSA";
      if (jwk.kty !== kty) throw dataError(`the key's kty is not ${kty}`);
      let made;
      if (kty === "OKP") {
        if (jwk.crv !== "Ed25519") throw dataError("the key's crv is not Ed25519");
        fromBase64Url(jwk.x);
        made = host.keyOf("Ed25519", isPrivate, fromBase64Url(isPrivate ? jwk.d : jwk.x));
      } else if (kty === "EC") {
        if (jwk.crv !== wanted.namedCurve) throw dataError(`the key's crv is not ${wanted.namedCurve}`);
        const point = pointOf(fromBase64Url(jwk.x), fromBase64Url(jwk.y));
        made = host.keyOf(wanted.namedCurve, isPrivate, point, isPrivate ? fromBase64Url(jwk.d) : undefined);
      } else {
        const parts = list();
        parts[0] = "RSA";
        parts[1] = isPrivate;
        for (let i = 0; i < (isPrivate ? 8 : 2); i++) parts[i + 2] = fromBase64Url(jwk[RSA_PARTS[i]]);
        made = ReflectApply(host.keyOf, undefined, parts);
      }
      if (made === undefined) throw dataError("the key's JWK holds no key");
      const der = new Uint8Array(made);
      if (kty === "OKP" && isPrivate && partsOf(der, true).x !== jwk.x) throw dataError("the key's JWK has another x than d says");
      return der;
    };
    const checkJwk = (jwk, extractable, usages) => {
      if (jwk.ext === false && extractable) throw dataError("the key's JWK says that it can't be extracted");
      if (jwk.use !== undefined && usages !== "" && jwk.use !== "sig" && jwk.use !== "enc") throw dataError("the key's JWK is for another use");
      if (jwk.key_ops === undefined) return;
      if (both(usages, readUsages(jwk.key_ops, "JWK")) !== usages) throw dataError("the key's JWK does not allow these usages");
    };
    const importJwk = (wanted, jwk, extractable, usages) => {
      if (!isObject(jwk) || shared.bytes.bytesOf(jwk) !== null) throw new TypeError("SubtleCrypto.importKey: a JWK is an object");
      if (isSecret(wanted.name)) {
        if (jwk.kty !== "oct") throw dataError("the key's kty is not oct");
        checkUsages(wanted.name, "secret", usages);
        checkJwk(jwk, extractable, usages);
        const bytes = fromBase64Url(jwk.k);
        return make("secret", secretAlgorithm(wanted, bytes), extractable, usages, bytes);
      }
      const isPrivate = jwk.d !== undefined;
      checkUsages(wanted.name, isPrivate ? "private" : "public", usages);
      checkJwk(jwk, extractable, usages);
      return importDer(wanted, derOfJwk(wanted, jwk, isPrivate), isPrivate, extractable, usages);
    };
    const importRaw = (wanted, bytes, extractable, usages) => {
      const { name } = wanted;
      if (isSecret(name)) {
        checkUsages(name, "secret", usages);
        if ((name === "HKDF" || name === "PBKDF2") && extractable) throw syntaxError(`a key of ${name} can't be extractable`);
        return make("secret", secretAlgorithm(wanted, bytes), extractable, usages, bytes);
      }
      checkUsages(name, "public", usages);
      if (name !== "ECDSA" && name !== "Ed25519") throw newDOMException(`keys of ${name} have no raw form`, "NotSupportedError");
      const der = host.keyOf(name === "ECDSA" ? wanted.namedCurve : name, false, bytes);
      if (der === undefined) throw dataError("the key can't be read");
      return importDer(wanted, new Uint8Array(der), false, extractable, usages);
    };
    const CURVES = { __proto__: null, "P-256": true, "P-384": true, "P-521": true };
    const checkCurve = (wanted) => {
      if (wanted.namedCurve !== undefined && !CURVES[wanted.namedCurve])
        throw newDOMException(`the curve '${wanted.namedCurve}' is not supported`, "NotSupportedError");
    };
    const importKey = (format, data, wanted, extractable, usages) => {
      checkCurve(wanted);
      if (format === "jwk") return importJwk(wanted, data, extractable, usages);
      if (format === "raw") return importRaw(wanted, data, extractable, usages);
      if (isSecret(wanted.name)) throw newDOMException(`keys of ${wanted.name} have no form '${format}'`, "NotSupportedError");
      checkUsages(wanted.name, format === "pkcs8" ? "private" : "public", usages);
      return importDer(wanted, data, format === "pkcs8", extractable, usages);
    };

    // ---- out -----------------------------------------------------------------------------------------------------------------

    const algOf = ({ algorithm: { name, hash, length } }) => {
      const bits = hash === undefined ? "" : StringPrototypeSlice(hash.name, 4);
      if (name === "HMAC") return `HS${bits}`;
      if (name === "RSASSA-PKCS1-v1_5") return `RS${bits}`;
      if (name === "RSA-PSS") return `PS${bits}`;
      return length === undefined ? undefined : `A${length}${StringPrototypeSlice(name, 4)}`;
    };
    const exportJwk = (key) => {
      const out = key.type === "secret" ? { kty: "oct", k: toBase64Url(key.bytes) } : partsOf(key.bytes, key.type === "private");
      const alg = algOf(key);
      if (alg !== undefined) out.alg = alg;
      out.ext = key.extractable;
      out.key_ops = arrayOf(key.usages);
      return JSONParse(JSONStringify(out));
    };
    const exportKey = (format, key) => {
      if (key.algorithm.name === "HKDF" || key.algorithm.name === "PBKDF2")
        throw newDOMException(`keys of ${key.algorithm.name} can't be exported`, "NotSupportedError");
      if (!key.extractable) throw newDOMException("the key is not extractable", "InvalidAccessError");
      if (format === "jwk") return exportJwk(key);
      const wanted = format === "pkcs8" ? "private" : format === "spki" ? "public" : isSecret(key.algorithm.name) ? "secret" : "public";
      if (key.type !== wanted) {
        const kind = isSecret(key.algorithm.name) ? "NotSupportedError" : "InvalidAccessError";
        throw newDOMException(`a ${key.type} key has no form '${format}'`, kind);
      }
      if (format !== "raw" || key.type === "secret") return TypedArrayPrototypeGetBuffer(copyOf(key.bytes));
      const parts = partsOf(key.bytes, false);
      if (parts.kty === "RSA") throw newDOMException("keys of RSA have no raw form", "NotSupportedError");
      const raw = parts.kty === "EC" ? pointOf(fromBase64Url(parts.x), fromBase64Url(parts.y)) : fromBase64Url(parts.x);
      return TypedArrayPrototypeGetBuffer(raw);
    };

    // ---- new -----------------------------------------------------------------------------------------------------------------

    const newSecret = (wanted, extractable, usages) => {
      checkUsages(wanted.name, "secret", usages);
      const bits = wanted.name === "HMAC" ? (wanted.length ?? BLOCKS[wanted.hash]) : wanted.length;
      if (bits === 0 || bits > 1 << 20 || (wanted.name !== "HMAC" && lengths[bits / 8] === undefined))
        throw newDOMException(`a key of ${wanted.name} can't have ${bits} bits`, "OperationError");
      const bytes = new Uint8Array((bits + 7) >> 3);
      host.random(bytes);
      return make("secret", secretAlgorithm(wanted, bytes), extractable, usages, bytes);
    };
    const newPair = (wanted, extractable, usages) => {
      checkCurve(wanted);
      if (both(usages, "sign verify") !== usages) throw syntaxError(`keys of ${wanted.name} can't have the usages: ${usages}`);
      if (!includes(usages, "sign")) throw syntaxError("the private key needs a usage");
      const type = wanted.name === "ECDSA" ? wanted.namedCurve : wanted.name === "Ed25519" ? wanted.name : "RSA";
      const made = host.keyNew(type, wanted.modulusLength, wanted.publicExponent);
      if (made === undefined) throw newDOMException("a key of this size and exponent can't be made", "OperationError");
      const secret = new Uint8Array(made);
      const open = new Uint8Array(host.keyPublic(secret));
      const algorithm = pairAlgorithm(wanted, partsOf(open, false));
      return {
        publicKey: make("public", algorithm, true, both(usages, "verify"), open),
        privateKey: make("private", algorithm, extractable, both(usages, "sign"), secret),
      };
    };
    const generateKey = (wanted, extractable, usages) =>
      isSecret(wanted.name) ? newSecret(wanted, extractable, usages) : newPair(wanted, extractable, usages);

    return { __proto__: null, CryptoKey, exportKey, generateKey, importKey, includes, readUsages, stateOf };
  });
  shared.defineInterfaces(shared.cryptoKeys, "CryptoKey");
});
