// crypto, by Web Cryptography.
"use strict";

const hex = (buffer) => [...new Uint8Array(buffer)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
const text = (string) => new TextEncoder().encode(string);

test("getRandomValues fills every kind of integer array and gives it back", () => {
  for (const type of [
    Int8Array,
    Uint8Array,
    Uint8ClampedArray,
    Int16Array,
    Uint16Array,
    Int32Array,
    Uint32Array,
    BigInt64Array,
    BigUint64Array,
  ]) {
    const array = new type(64);
    assert(crypto.getRandomValues(array) === array, type.name);
    assert(
      array.some((item) => item != 0),
      type.name,
    );
  }
});

test("getRandomValues keeps to the view", () => {
  const all = new Uint8Array(300);
  crypto.getRandomValues(all.subarray(100, 200));
  assert(all.subarray(0, 100).every((byte) => byte === 0) && all.subarray(200).every((byte) => byte === 0));
  assert(new Set(all.subarray(100, 200)).size > 30, "a hundred bytes are not all alike");
  assertEquals(crypto.getRandomValues(new Uint8Array(0)).length, 0);
});

test("getRandomValues refuses", () => {
  for (const bad of [new Float32Array(1), new Float64Array(1), new DataView(new ArrayBuffer(1))])
    assertThrows(() => crypto.getRandomValues(bad), "TypeMismatchError");
  for (const bad of [undefined, null, 1, "x", {}, [], new ArrayBuffer(1)])
    assertThrows(() => crypto.getRandomValues(bad), TypeError);
  assertThrows(() => crypto.getRandomValues(), TypeError);
  assertEquals(assertThrows(() => crypto.getRandomValues(new Uint8Array(65537)), "QuotaExceededError").code, 22);
  assertThrows(() => crypto.getRandomValues(new Uint32Array(16385)), "QuotaExceededError");
  assertEquals(crypto.getRandomValues(new Uint32Array(16384)).length, 16384);
  const { getRandomValues } = crypto;
  assertThrows(() => getRandomValues(new Uint8Array(1)), TypeError);
});

test("randomUUID", () => {
  const seen = new Set();
  for (let i = 0; i < 1000; i++) {
    const uuid = crypto.randomUUID();
    assert(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(uuid), uuid);
    seen.add(uuid);
  }
  assertEquals(seen.size, 1000);
  assertThrows(() => crypto.randomUUID.call({}), TypeError);
});

// FIPS 180-4's examples.
test("digests", async () => {
  const cases = {
    "SHA-1": { "": "da39a3ee5e6b4b0d3255bfef95601890afd80709", abc: "a9993e364706816aba3e25717850c26c9cd0d89d" },
    "SHA-256": {
      "": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
      abc: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    },
    "SHA-384": {
      abc: "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7",
    },
    "SHA-512": {
      abc:
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a" +
        "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
    },
  };
  for (const name in cases)
    for (const input in cases[name])
      assertEquals(hex(await crypto.subtle.digest(name, text(input))), cases[name][input], `${name} of "${input}"`);
});

test("digest: names and data", async () => {
  const wanted = hex(await crypto.subtle.digest("SHA-256", text("abc")));
  for (const algorithm of ["sha-256", "Sha-256", { name: "SHA-256" }, { name: "sha-256", more: 1 }])
    assertEquals(hex(await crypto.subtle.digest(algorithm, text("abc"))), wanted);
  const buffer = text("xabcx").buffer;
  assertEquals(hex(await crypto.subtle.digest("SHA-256", new DataView(buffer, 1, 3))), wanted);
  assertEquals(hex(await crypto.subtle.digest("SHA-256", buffer.slice(1, 4))), wanted);
  const result = await crypto.subtle.digest("SHA-1", new Uint8Array());
  assert(result instanceof ArrayBuffer);
  assertEquals(result.byteLength, 20);
  const million = new Uint8Array(1000000).fill(97);
  assertEquals(hex(await crypto.subtle.digest("SHA-1", million)), "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
});

test("digest: the data of the time of the call", async () => {
  const data = text("abc");
  const promise = crypto.subtle.digest("SHA-1", data);
  data.fill(0);
  assertEquals(hex(await promise), "a9993e364706816aba3e25717850c26c9cd0d89d");
});

test("digest refuses by rejecting", async () => {
  const { subtle } = crypto;
  await assertRejects(subtle.digest("MD5", text("")), "NotSupportedError");
  await assertRejects(subtle.digest("", text("")), "NotSupportedError");
  await assertRejects(subtle.digest({ name: "toString" }, text("")), "NotSupportedError");
  await assertRejects(subtle.digest({}, text("")), TypeError);
  await assertRejects(subtle.digest("SHA-1", "text"), TypeError);
  await assertRejects(subtle.digest("SHA-1", null), TypeError);
  await assertRejects(subtle.digest("SHA-1"), TypeError);
  await assertRejects(subtle.digest(), TypeError);
  await assertRejects(subtle.digest.call({}, "SHA-1", text("")), TypeError);
  await assertRejects(
    subtle.digest(
      {
        get name() {
          throw new RangeError();
        },
      },
      text(""),
    ),
    RangeError,
  );
});

test("the objects", () => {
  assert(crypto === globalThis.crypto && crypto instanceof Crypto);
  assert(crypto.subtle === crypto.subtle && crypto.subtle instanceof SubtleCrypto);
  assertThrows(() => new Crypto(), TypeError);
  assertThrows(() => new SubtleCrypto(), TypeError);
  assertEquals([SubtleCrypto.prototype.digest.length, Crypto.prototype.getRandomValues.length], [2, 1]);
});

const bytesOf = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
const hexOf = (buffer) => [...new Uint8Array(buffer)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
const { subtle } = crypto;

test("HMAC, HKDF and PBKDF2 give what their RFCs say", async () => {
  const mac = await subtle.importKey("raw", bytesOf("0b".repeat(20)), { name: "HMAC", hash: "SHA-256" }, true, ["sign", "verify"]);
  const data = new TextEncoder().encode("Hi There"); // RFC 4231
  const signature = await subtle.sign("HMAC", mac, data);
  assertEquals(hexOf(signature), "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  assertEquals([await subtle.verify("HMAC", mac, signature, data), await subtle.verify("HMAC", mac, signature, signature)], [true, false]);
  const ikm = await subtle.importKey("raw", bytesOf("0b".repeat(22)), "HKDF", false, ["deriveBits"]); // RFC 5869
  const hkdf = { name: "HKDF", hash: "SHA-256", salt: bytesOf("000102030405060708090a0b0c"), info: bytesOf("f0f1f2f3f4f5f6f7f8f9") };
  assertEquals(
    hexOf(await subtle.deriveBits(hkdf, ikm, 336)),
    "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
  );
  const password = await subtle.importKey("raw", new TextEncoder().encode("password"), "PBKDF2", false, ["deriveBits", "deriveKey"]);
  const pbkdf2 = { name: "PBKDF2", hash: "SHA-1", salt: new TextEncoder().encode("salt"), iterations: 4096 }; // RFC 6070
  assertEquals(hexOf(await subtle.deriveBits(pbkdf2, password, 160)), "4b007901b765489abead49d926f721d065a429c1");
  const derived = await subtle.deriveKey(pbkdf2, password, { name: "AES-GCM", length: 128 }, true, ["encrypt"]);
  assertEquals(hexOf(await subtle.exportKey("raw", derived)), "4b007901b765489abead49d926f721d0");
  await assertRejects(subtle.deriveBits(pbkdf2, mac, 8), "InvalidAccessError");
  await assertRejects(subtle.exportKey("raw", ikm), "NotSupportedError");
});

test("AES seals, encrypts and tells what was changed", async () => {
  const raw = bytesOf("feffe9928665731c6d6a8f9467308308"); // the test cases of GCM's authors, number 4
  const key = await subtle.importKey("raw", raw, "AES-GCM", true, ["encrypt", "decrypt"]);
  const gcm = { name: "AES-GCM", iv: bytesOf("cafebabefacedbaddecaf888"), additionalData: bytesOf("feedfacedeadbeeffeedfacedeadbeefabaddad2") };
  const text = bytesOf("d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39");
  const sealed = await subtle.encrypt(gcm, key, text);
  assertEquals(hexOf(sealed).slice(-32), "5bc94fbc3221a5db94fae95ae7121a47");
  assertEquals(hexOf(await subtle.decrypt(gcm, key, sealed)), hexOf(text));
  await assertRejects(subtle.decrypt({ ...gcm, additionalData: text }, key, sealed), "OperationError");
  const big = new Uint8Array(3 << 20).fill(7); // more than one slice
  assertEquals(hexOf(new Uint8Array(await subtle.decrypt(gcm, key, await subtle.encrypt(gcm, key, big))).subarray(-2)), "0707");
  const cbc = await subtle.generateKey({ name: "AES-CBC", length: 256 }, true, ["encrypt", "decrypt"]);
  const algorithm = { name: "AES-CBC", iv: new Uint8Array(16) };
  assertEquals(hexOf(await subtle.decrypt(algorithm, cbc, await subtle.encrypt(algorithm, cbc, text))), hexOf(text));
  await assertRejects(subtle.encrypt({ name: "AES-CBC", iv: new Uint8Array(15) }, cbc, text), "OperationError");
  await assertRejects(subtle.encrypt({ name: "AES-CTR", counter: new Uint8Array(16), length: 64 }, cbc, text), "NotSupportedError");
});

test("pairs of keys sign, verify, and go out and in", async () => {
  const rows = [
    [{ name: "ECDSA", namedCurve: "P-256" }, { name: "ECDSA", hash: "SHA-256" }, 64],
    [{ name: "ECDSA", namedCurve: "P-521" }, { name: "ECDSA", hash: "SHA-512" }, 132],
    [{ name: "Ed25519" }, { name: "Ed25519" }, 64],
    [{ name: "RSASSA-PKCS1-v1_5", hash: "SHA-256", modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) }, { name: "RSASSA-PKCS1-v1_5" }, 256],
    [{ name: "RSA-PSS", hash: "SHA-384", modulusLength: 1024, publicExponent: new Uint8Array([1, 0, 1]) }, { name: "RSA-PSS", saltLength: 20 }, 128],
  ];
  const data = new TextEncoder().encode("to be signed");
  for (const [made, used, size] of rows) {
    const { publicKey, privateKey } = await subtle.generateKey(made, true, ["sign", "verify"]);
    assertEquals([publicKey.type, privateKey.type, publicKey.usages, privateKey.usages], ["public", "private", ["verify"], ["sign"]], made.name);
    const signature = await subtle.sign(used, privateKey, data);
    assertEquals(signature.byteLength, size, made.name);
    for (const format of ["jwk", "pkcs8"]) {
      const again = await subtle.importKey(format, await subtle.exportKey(format, privateKey), made, false, ["sign"]);
      await assertRejects(subtle.exportKey(format, again), "InvalidAccessError");
      assert(await subtle.verify(used, publicKey, await subtle.sign(used, again, data), data), `${made.name} as ${format}`);
    }
    for (const format of ["jwk", "spki"]) {
      const again = await subtle.importKey(format, await subtle.exportKey(format, publicKey), made, true, ["verify"]);
      assertEquals([await subtle.verify(used, again, signature, data), await subtle.verify(used, again, signature, signature)], [true, false]);
    }
  }
  await assertRejects(subtle.importKey("pkcs8", new Uint8Array(9), { name: "Ed25519" }, true, ["sign"]), "DataError");
  await assertRejects(subtle.importKey("raw", new Uint8Array(32), { name: "Ed25519" }, true, ["sign"]), "SyntaxError");
});

test("a JSON Web Token of another's is verified", async () => {
  // RFC 7515, A.3
  const jwk = { kty: "EC", crv: "P-256", x: "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", y: "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0" };
  const key = await subtle.importKey("jwk", jwk, { name: "ECDSA", namedCurve: "P-256" }, true, ["verify"]);
  const text = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
  const signature = "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
  const bytes = Uint8Array.from(atob(signature.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
  assert(await subtle.verify({ name: "ECDSA", hash: "SHA-256" }, key, bytes, new TextEncoder().encode(text)));
  await assertRejects(subtle.importKey("jwk", { ...jwk, y: jwk.x }, { name: "ECDSA", namedCurve: "P-256" }, true, ["verify"]), "DataError");
});
