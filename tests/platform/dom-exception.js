// DOMException, by Web IDL.
"use strict";

test("defaults and conversions", () => {
  const plain = new DOMException();
  assertEquals([plain.name, plain.message, plain.code], ["Error", "", 0]);
  const other = new DOMException(12, undefined);
  assertEquals([other.name, other.message], ["Error", "12"]);
  assertEquals(new DOMException("m", null).name, "null");
  assertThrows(() => DOMException(), TypeError);
});

test("names and codes", () => {
  const codes = {
    IndexSizeError: 1,
    HierarchyRequestError: 3,
    WrongDocumentError: 4,
    InvalidCharacterError: 5,
    NoModificationAllowedError: 7,
    NotFoundError: 8,
    NotSupportedError: 9,
    InUseAttributeError: 10,
    InvalidStateError: 11,
    SyntaxError: 12,
    InvalidModificationError: 13,
    NamespaceError: 14,
    InvalidAccessError: 15,
    TypeMismatchError: 17,
    SecurityError: 18,
    NetworkError: 19,
    AbortError: 20,
    URLMismatchError: 21,
    QuotaExceededError: 22,
    TimeoutError: 23,
    InvalidNodeTypeError: 24,
    DataCloneError: 25,
    EncodingError: 0,
    NotReadableError: 0,
    OperationError: 0,
    toString: 0,
  };
  for (const name in codes) assertEquals(new DOMException("", name).code, codes[name], name);
});

test("constants", () => {
  const constants = { INDEX_SIZE_ERR: 1, DOMSTRING_SIZE_ERR: 2, VALIDATION_ERR: 16, ABORT_ERR: 20, DATA_CLONE_ERR: 25 };
  for (const name in constants) {
    for (const holder of [DOMException, DOMException.prototype]) {
      const property = Object.getOwnPropertyDescriptor(holder, name);
      assertEquals(property, { value: constants[name], writable: false, enumerable: true, configurable: false }, name);
    }
  }
  assertEquals(Object.keys(DOMException).length, 25);
});

test("it is an error", () => {
  const error = new DOMException("what", "AbortError");
  assert(error instanceof Error);
  assert(error instanceof DOMException);
  assertEquals(Object.getPrototypeOf(DOMException.prototype), Error.prototype);
  assertEquals(Object.getPrototypeOf(DOMException), Function.prototype);
  assertEquals(`${error}`, "AbortError: what");
  assertEquals(Object.prototype.toString.call(error), "[object DOMException]");
  assert(error.stack.startsWith("AbortError: what\n    at "), "stack");
  assert(error.stack.includes("dom-exception.js"), "the stack names the place");
  assert(!error.stack.includes("platform/10-"), "the stack begins with the caller");
  assertEquals(Object.keys(error), []);
});

test("attributes are read-only and checked", () => {
  const error = new DOMException("a", "b");
  assertThrows(() => (error.name = "c"), TypeError);
  assertThrows(() => (error.code = 1), TypeError);
  assertThrows(() => DOMException.prototype.name, TypeError);
  assertThrows(() => Reflect.get(DOMException.prototype, "message", new Error()), TypeError);
});
