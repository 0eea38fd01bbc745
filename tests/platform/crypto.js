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
