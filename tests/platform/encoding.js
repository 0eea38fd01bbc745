// TextEncoder and TextDecoder, by the Encoding Standard.
"use strict";

const bytes = (...values) => new Uint8Array(values);
const decode = (values, label, options) => new TextDecoder(label, options).decode(bytes(...values));

test("labels", () => {
  const labels = {
    "utf-8": [
      "unicode-1-1-utf-8",
      "unicode11utf8",
      "unicode20utf8",
      "utf-8",
      "utf8",
      "x-unicode20utf8",
      "UTF-8",
      "Utf8",
    ],
    "utf-16le": ["csunicode", "iso-10646-ucs-2", "ucs-2", "unicode", "unicodefeff", "utf-16", "utf-16le", "UTF-16"],
    "utf-16be": ["unicodefffe", "utf-16be"],
    "windows-1252": [
      "ansi_x3.4-1968",
      "ascii",
      "cp1252",
      "cp819",
      "csisolatin1",
      "ibm819",
      "iso-8859-1",
      "iso-ir-100",
      "iso8859-1",
      "iso88591",
      "iso_8859-1",
      "iso_8859-1:1987",
      "l1",
      "latin1",
      "us-ascii",
      "windows-1252",
      "x-cp1252",
      "Latin1",
    ],
  };
  for (const name in labels) {
    for (const label of labels[name]) {
      assertEquals(new TextDecoder(label).encoding, name, label);
      assertEquals(new TextDecoder(`\t\n\f\r ${label} `).encoding, name, `${label} in blanks`);
    }
  }
  assertEquals(new TextDecoder().encoding, "utf-8");
  assertEquals(new TextDecoder(undefined).encoding, "utf-8");
});

test("unknown labels are RangeErrors", () => {
  for (const label of ["", "utf-9", "utf-8\0", "\u000butf-8", "\u00a0utf-8", "toString", "__proto__", null, 8, "utf‐8"])
    assertThrows(() => new TextDecoder(label), RangeError, `${label}`);
});

test("attributes", () => {
  const plain = new TextDecoder();
  assertEquals(plain.fatal, false);
  assertEquals(plain.ignoreBOM, false);
  const other = new TextDecoder("utf-16", { fatal: 1, ignoreBOM: "yes" });
  assertEquals(other.fatal, true);
  assertEquals(other.ignoreBOM, true);
  assertEquals(new TextDecoder("utf-8", null).fatal, false);
  assertThrows(() => new TextDecoder("utf-8", 1), TypeError);
  assertThrows(() => TextDecoder(), TypeError);
  assertEquals(new TextEncoder().encoding, "utf-8");
});

test("utf-8: well-formed", () => {
  assertEquals(decode([]), "");
  assertEquals(decode([0x61, 0, 0x62]), "a\0b");
  assertEquals(decode([0xc3, 0xa9]), "é");
  assertEquals(decode([0xe2, 0x82, 0xac]), "€");
  assertEquals(decode([0xf0, 0x9f, 0x98, 0x80]), "\u{1f600}");
  assertEquals(decode([0xf4, 0x8f, 0xbf, 0xbf]), "\u{10ffff}");
  assertEquals(decode([0xef, 0xbf, 0xbe]), "\ufffe");
  assertEquals(decode([0xed, 0x9f, 0xbf]), "\ud7ff");
});

// Each error is the longest beginning of a well-formed sequence, and gives one U+FFFD.
test("utf-8: replacement", () => {
  const cases = [
    [[0x80], "\ufffd"],
    [[0xff], "\ufffd"],
    [[0xc0, 0x80], "\ufffd\ufffd"],
    [[0xc1, 0xbf], "\ufffd\ufffd"],
    [[0xc3], "\ufffd"],
    [[0xc3, 0x28], "\ufffd("],
    [[0xe2, 0x82], "\ufffd"],
    [[0xe2, 0x82, 0x28], "\ufffd("],
    [[0xe2, 0x28, 0xa1], "\ufffd(\ufffd"],
    [[0xe0, 0x80, 0x80], "\ufffd\ufffd\ufffd"],
    [[0xe0, 0x9f, 0xbf], "\ufffd\ufffd\ufffd"],
    [[0xed, 0xa0, 0x80], "\ufffd\ufffd\ufffd"],
    [[0xed, 0xbf, 0xbf], "\ufffd\ufffd\ufffd"],
    [[0xf0, 0x80, 0x80, 0x80], "\ufffd\ufffd\ufffd\ufffd"],
    [[0xf0, 0x8f, 0xbf, 0xbf], "\ufffd\ufffd\ufffd\ufffd"],
    [[0xf0, 0x9f, 0x98], "\ufffd"],
    [[0xf0, 0x9f, 0x41], "\ufffdA"],
    [[0xf0, 0x9f, 0x98, 0xf0, 0x9f, 0x98, 0x80], "\ufffd\u{1f600}"],
    [[0xf4, 0x90, 0x80, 0x80], "\ufffd\ufffd\ufffd\ufffd"],
    [[0xf5, 0x80, 0x80, 0x80], "\ufffd\ufffd\ufffd\ufffd"],
    [[0x61, 0xf1, 0x80, 0x80, 0xe1, 0x80, 0xc2, 0x62, 0x80, 0x63], "a\ufffd\ufffd\ufffdb\ufffdc"],
  ];
  for (const [input, wanted] of cases) {
    assertEquals(decode(input), wanted, `${input}`);
    assertThrows(() => decode(input, "utf-8", { fatal: true }), TypeError, `fatal ${input}`);
  }
});

test("utf-8: byte order mark", () => {
  const bom = [0xef, 0xbb, 0xbf];
  assertEquals(decode([...bom, 0x61]), "a");
  assertEquals(decode([...bom, ...bom, 0x61]), "\ufeffa");
  assertEquals(decode([0x61, ...bom]), "a\ufeff");
  assertEquals(decode([...bom, 0x61], "utf-8", { ignoreBOM: true }), "\ufeffa");
  assertEquals(decode(bom), "");
  assertEquals(decode([0xef, 0xbb]), "\ufffd");
  const decoder = new TextDecoder();
  assertEquals(decoder.decode(bytes(...bom, 0x61)), "a");
  assertEquals(decoder.decode(bytes(...bom, 0x61)), "a", "a second text");
});

test("utf-8: chunks", () => {
  const text = "a\u00e9\u20ac\u{1f600}\ufeffz";
  const all = [0xef, 0xbb, 0xbf, ...new TextEncoder().encode(text)];
  for (const size of [1, 2, 3, 4, 5]) {
    const decoder = new TextDecoder("utf-8", { fatal: true });
    let out = "";
    for (let i = 0; i < all.length; i += size)
      out += decoder.decode(bytes(...all.slice(i, i + size)), { stream: true });
    out += decoder.decode();
    assertEquals(out, text, `chunks of ${size}`);
  }
});

test("utf-8: an unfinished sequence at the end of the chunks", () => {
  const decoder = new TextDecoder();
  assertEquals(decoder.decode(bytes(0x61, 0xf0, 0x9f), { stream: true }), "a");
  assertEquals(decoder.decode(bytes(0x98), { stream: true }), "");
  assertEquals(decoder.decode(), "\ufffd");
  assertEquals(decoder.decode(bytes(0x62)), "b");
  assertEquals(decoder.decode(bytes(0xe2, 0x82), { stream: true }), "");
  assertEquals(decoder.decode(bytes(0x41), { stream: true }), "\ufffdA");
  assertEquals(decoder.decode(bytes(0xe2), { stream: true }), "");
  assertEquals(decoder.decode(bytes(), { stream: true }), "");
  assertEquals(decoder.decode(bytes(0x82, 0xac)), "€");
  const fatal = new TextDecoder("utf-8", { fatal: true });
  assertEquals(fatal.decode(bytes(0xe2), { stream: true }), "");
  assertThrows(() => fatal.decode(), TypeError);
  assertEquals(fatal.decode(bytes(0x63)), "c", "after an error");
});

test("utf-8: what is kept of a chunk is a copy", () => {
  const decoder = new TextDecoder();
  const chunk = bytes(0xe2, 0x82);
  decoder.decode(chunk, { stream: true });
  chunk.fill(0x41);
  assertEquals(decoder.decode(bytes(0xac)), "€");
});

test("utf-16le", () => {
  assertEquals(decode([0x61, 0, 0xac, 0x20], "utf-16le"), "a€");
  assertEquals(decode([0x3d, 0xd8, 0x00, 0xde], "utf-16le"), "\u{1f600}");
  assertEquals(decode([0xff, 0xfe, 0x61, 0], "utf-16le"), "a");
  assertEquals(decode([0xff, 0xfe, 0x61, 0], "utf-16le", { ignoreBOM: true }), "\ufeffa");
  assertEquals(decode([0x61], "utf-16le"), "\ufffd");
  assertEquals(decode([0x61, 0, 0x62], "utf-16le"), "a\ufffd");
  assertEquals(decode([0x3d, 0xd8], "utf-16le"), "\ufffd");
  assertEquals(decode([0x3d, 0xd8, 0x61, 0], "utf-16le"), "\ufffda");
  assertEquals(decode([0x00, 0xde, 0x61, 0], "utf-16le"), "\ufffda");
  assertEquals(decode([0x3d, 0xd8, 0x3d, 0xd8, 0x00, 0xde], "utf-16le"), "\ufffd\u{1f600}");
  assertEquals(decode([0x3d, 0xd8, 0x61], "utf-16le"), "\ufffd", "a lead and half a unit are one error");
  for (const bad of [[0x61], [0x3d, 0xd8], [0x00, 0xde], [0x3d, 0xd8, 0x61, 0]])
    assertThrows(() => decode(bad, "utf-16le", { fatal: true }), TypeError, `${bad}`);
});

test("utf-16be", () => {
  assertEquals(decode([0, 0x61, 0x20, 0xac], "utf-16be"), "a€");
  assertEquals(decode([0xd8, 0x3d, 0xde, 0x00], "utf-16be"), "\u{1f600}");
  assertEquals(decode([0xfe, 0xff, 0, 0x61], "utf-16be"), "a");
  assertEquals(decode([0xff, 0xfe, 0, 0x61], "utf-16be"), "\ufffea");
  assertEquals(decode([0xde, 0x00], "utf-16be"), "\ufffd");
});

test("utf-16: chunks", () => {
  const all = [0xff, 0xfe, 0x61, 0, 0x3d, 0xd8, 0x00, 0xde, 0xff, 0xfe, 0x7a, 0];
  for (const size of [1, 2, 3, 5]) {
    const decoder = new TextDecoder("utf-16le", { fatal: true });
    let out = "";
    for (let i = 0; i < all.length; i += size)
      out += decoder.decode(bytes(...all.slice(i, i + size)), { stream: true });
    assertEquals(out + decoder.decode(), "a\u{1f600}\ufeffz", `chunks of ${size}`);
  }
  const decoder = new TextDecoder("utf-16le");
  assertEquals(decoder.decode(bytes(0x3d, 0xd8, 0x61), { stream: true }), "");
  assertEquals(decoder.decode(), "\ufffd");
});

test("windows-1252", () => {
  const high =
    "\u20ac\u0081\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\u008d\u017d\u008f" +
    "\u0090\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\u009d\u017e\u0178";
  for (let i = 0; i < 256; i++) {
    const wanted = i >= 0x80 && i < 0xa0 ? high[i - 0x80] : String.fromCharCode(i);
    assertEquals(decode([i], "latin1", { fatal: true }), wanted, `byte ${i}`);
  }
  assertEquals(decode([0x63, 0xe9, 0x80], "ascii"), "c\u00e9€");
  assertEquals(decode([0xef, 0xbb, 0xbf], "latin1"), "ï»¿");
  const decoder = new TextDecoder("latin1");
  assertEquals(decoder.decode(bytes(0xc3), { stream: true }) + decoder.decode(bytes(0xa9)), "\u00c3\u00a9");
});

test("one byte a character", () => {
  const rows = [
    ["ibm866", "8fe0a8a2a5e2", "Привет"],
    ["iso-8859-2", "5a61bff3b3e62067eab66cb1206a61bcf1", "Zażółć gęślą jaźń"],
    ["iso-8859-3", "e6f8b6bcfefd", "ĉĝĥĵŝŭ"],
    ["iso-8859-4", "d3baf1bbba", "Ķēņģē"],
    ["iso-8859-5", "bfe0d8d2d5e2", "Привет"],
    ["iso-8859-6", "e5d1cdc8c7", "مرحبا"],
    ["iso-8859-7", "cae1ebe7ecddf1e1", "Καλημέρα"],
    ["iso-8859-8", "f9ece5ed", "שלום"],
    ["logical", "f9ece5ed", "שלום"],
    ["l6", "def3b6", "Þóķ"],
    ["iso-8859-13", "41e869fb", "Ačiū"],
    ["iso-8859-14", "f0fe", "ŵŷ"],
    ["l9", "a4bc", "€Œ"],
    ["iso-8859-16", "de6172e3", "Țară"],
    ["KOI8-R", "f0d2c9d7c5d4", "Привет"],
    ["koi8-u", "b7a7", "Її"],
    ["mac", "866e958dbf648e", "Ünïçødé"],
    ["tis-620", "cac7d1cab4d5", "สวัสดี"],
    ["cp1250", "50f8ed6c699a209e6c759d6f75e86bfd", "Příliš žluťoučký"],
    ["windows-1251", "cff0e8e2e5f22c20ece8f0", "Привет, мир"],
    ["windows-1253", "cae1ebe7ecddf1e1", "Καλημέρα"],
    ["latin5", "dd7374616e62756cf0", "İstanbulğ"],
    ["windows-1255", "f9ece5ed", "שלום"],
    ["windows-1256", "e3d1cdc8c7", "مرحبا"],
    ["windows-1257", "41e869fb", "Ačiū"],
    ["windows-1258", "d0e3e2", "Đăâ"],
    ["x-mac-ukrainian", "8ff0e8e2b4f2", "Привіт"],
  ];
  for (const [label, hex, text] of rows) {
    const data = Uint8Array.from(hex.match(/../g), (two) => parseInt(two, 16));
    assertEquals(new TextDecoder(label, { fatal: true }).decode(data), text, label);
    const decoder = new TextDecoder(label);
    assertEquals([...data].map((byte) => decoder.decode(bytes(byte), { stream: true })).join(""), text, label);
    assertEquals(decode([0x41, 0, 0x7f], label), "A\0\x7f", label);
  }
  assertEquals(decode([0x80, 0xff], "x-user-defined"), "\uf780\uf7ff");
  assertEquals(decode([0x41, 0xa5], "iso-8859-3"), "A\ufffd");
  assertThrows(() => decode([0x41, 0xa5], "iso-8859-3", { fatal: true }), TypeError);
  assertEquals(new TextDecoder("logical").encoding, "iso-8859-8-i");
  const long = new Uint8Array(3 << 20).fill(0xcf);
  assertEquals(new TextDecoder("windows-1251").decode(long).length, 3 << 20);
});

test("what decode takes", () => {
  const buffer = bytes(0x61, 0x62, 0x63, 0x64).buffer;
  const decoder = new TextDecoder();
  assertEquals(decoder.decode(buffer), "abcd");
  assertEquals(decoder.decode(new Uint8Array(buffer, 1, 2)), "bc");
  assertEquals(decoder.decode(new DataView(buffer, 2)), "cd");
  assertEquals(decoder.decode(new Uint16Array(buffer)), "abcd");
  assertEquals(decoder.decode(), "");
  assertEquals(decoder.decode(undefined), "");
  assertEquals(decoder.decode(undefined, { stream: false }), "");
  for (const bad of [null, 1, "abc", [97], {}, Symbol.iterator]) {
    assertThrows(() => decoder.decode(bad), TypeError);
    assertThrows(() => decoder.decode(bad, { stream: true }), TypeError);
  }
  assertThrows(() => decoder.decode(buffer, 1), TypeError);
  structuredClone(buffer, { transfer: [buffer] });
  assertEquals(decoder.decode(buffer), "", "a detached buffer");
});

test("a large text", () => {
  const text = "0123456789abcdef€".repeat(100000);
  const data = new TextEncoder().encode(text);
  assertEquals(data.length, 1900000);
  assert(new TextDecoder().decode(data) === text);
});

test("encode", () => {
  const encoder = new TextEncoder();
  assertEquals(encoder.encode(), bytes());
  assertEquals(encoder.encode(undefined), bytes());
  assertEquals(encoder.encode(""), bytes());
  assertEquals(encoder.encode("a\0€"), bytes(0x61, 0, 0xe2, 0x82, 0xac));
  assertEquals(encoder.encode("\u{1f600}"), bytes(0xf0, 0x9f, 0x98, 0x80));
  assertEquals(encoder.encode("\ud800"), bytes(0xef, 0xbf, 0xbd));
  assertEquals(encoder.encode("\udc00x"), bytes(0xef, 0xbf, 0xbd, 0x78));
  assertEquals(encoder.encode("\ud83d\ud83d\ude00"), bytes(0xef, 0xbf, 0xbd, 0xf0, 0x9f, 0x98, 0x80));
  assertEquals(encoder.encode(null), bytes(0x6e, 0x75, 0x6c, 0x6c));
  assertEquals(encoder.encode(12), bytes(0x31, 0x32));
  assertThrows(() => encoder.encode(Symbol()), TypeError);
});

test("encodeInto", () => {
  const encoder = new TextEncoder();
  const into = (text, size) => {
    const target = new Uint8Array(size + 1).fill(0x2a);
    const { read, written } = encoder.encodeInto(text, target.subarray(0, size));
    assertEquals(target[size], 0x2a, "the byte behind");
    return [read, written, ...target.subarray(0, written)];
  };
  assertEquals(into("abc", 5), [3, 3, 0x61, 0x62, 0x63]);
  assertEquals(into("abc", 2), [2, 2, 0x61, 0x62]);
  assertEquals(into("", 2), [0, 0]);
  assertEquals(into("abc", 0), [0, 0]);
  assertEquals(into("a€", 3), [1, 1, 0x61]);
  assertEquals(into("a€", 4), [2, 4, 0x61, 0xe2, 0x82, 0xac]);
  assertEquals(into("\u{1f600}", 3), [0, 0]);
  assertEquals(into("\u{1f600}a", 4), [2, 4, 0xf0, 0x9f, 0x98, 0x80]);
  assertEquals(into("\ud83d", 3), [1, 3, 0xef, 0xbf, 0xbd]);
  assertEquals(into("\ud83d", 2), [0, 0]);
  assertEquals(into("é\udc00é", 7), [3, 7, 0xc3, 0xa9, 0xef, 0xbf, 0xbd, 0xc3, 0xa9]);
  assertThrows(() => encoder.encodeInto("a"), TypeError);
  assertThrows(() => encoder.encodeInto("a", new ArrayBuffer(4)), TypeError);
  assertThrows(() => encoder.encodeInto("a", new Uint16Array(4)), TypeError);
  assertThrows(() => encoder.encodeInto("a", null), TypeError);
  assertEquals(encoder.encodeInto("abc", new (class extends Uint8Array {})(2)), { read: 2, written: 2 });
});
