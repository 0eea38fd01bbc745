// atob and btoa: forgiving-base64 (Infra) and HTML's "Base64 utility methods".
"use strict";

test("btoa", () => {
  assertEquals(btoa(""), "");
  assertEquals(btoa("a"), "YQ==");
  assertEquals(btoa("ab"), "YWI=");
  assertEquals(btoa("abc"), "YWJj");
  assertEquals(btoa("abcd"), "YWJjZA==");
  assertEquals(btoa("\0\xff\x80"), "AP+A");
  assertEquals(btoa("\xfb\xef\xbe\xff\xff\xff"), "++++////");
  assertEquals(btoa(undefined), "dW5kZWZpbmVk");
  assertEquals(btoa(null), "bnVsbA==");
  assertEquals(btoa(12.5), "MTIuNQ==");
  assertEquals(btoa({ toString: () => "xy" }), "eHk=");
});

test("btoa refuses what is above U+00FF", () => {
  for (const text of ["\u0100", "a€", "\u{1f600}", "\ud800", "\xff\u0100"])
    assertThrows(() => btoa(text), "InvalidCharacterError", text);
  assertEquals(assertThrows(() => btoa("€"), "InvalidCharacterError").code, 5);
  assertThrows(() => btoa(), TypeError);
  assertThrows(() => btoa(Symbol()), TypeError);
});

test("atob", () => {
  const cases = {
    "": "",
    "YQ==": "a",
    YQ: "a",
    "YWI=": "ab",
    YWI: "ab",
    YWJj: "abc",
    "AP+A": "\0\xff\x80",
    "++++////": "\xfb\xef\xbe\xff\xff\xff",
    " YQ = = ": "a",
    "\t\n\f\r Y W J j ": "abc",
    YR: "a", // the bits that are left over are thrown away
    "YR==": "a",
    "YWJ=": "ab",
    null: "\x9e\xe9e",
    1234: "\xd7m\xf8",
    " ": "",
  };
  for (const text in cases) assertEquals(atob(text), cases[text], text);
  assertEquals(atob(null), "\x9e\xe9e");
  assertEquals(atob([]), "");
});

test("atob refuses", () => {
  const bad = [
    "a",
    "abcde",
    "=",
    "==",
    "===",
    "====",
    "a=",
    "a==",
    "a===",
    "ab=",
    "abc==",
    "abcd=",
    "abcd==",
    "=abc",
    "ab=c",
    "a=bc",
    "YQ==YQ==",
    "YQ=\u00a0=",
    "\u000bYQ==",
    "YQ-_",
    "YWJj\0",
    "€",
    "Yé==",
    " a",
    "A A A A A",
    undefined,
  ];
  for (const text of bad) assertThrows(() => atob(text), "InvalidCharacterError", `${text}`);
  assertThrows(() => atob(), TypeError);
});

test("there and back", () => {
  let all = "";
  for (let i = 0; i < 256; i++) all += String.fromCharCode(i);
  for (let length = 0; length < 256; length += 5) assertEquals(atob(btoa(all.slice(0, length))), all.slice(0, length));
  const large = all.repeat(4000);
  assert(atob(btoa(large)) === large);
});
