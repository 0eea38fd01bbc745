// DOMException (Web IDL, "DOMException").
"use strict";

(function (host, shared) {
  const { ErrorCaptureStackTrace, ErrorPrototype, ReflectDefineProperty, ReflectSetPrototypeOf } = shared.primordials;

  const build = shared.once(() => {
    // The names that still have a legacy code: constant's name, error's name, code.
    const legacy = [
      ["INDEX_SIZE_ERR", "IndexSizeError", 1],
      ["DOMSTRING_SIZE_ERR", "", 2],
      ["HIERARCHY_REQUEST_ERR", "HierarchyRequestError", 3],
      ["WRONG_DOCUMENT_ERR", "WrongDocumentError", 4],
      ["INVALID_CHARACTER_ERR", "InvalidCharacterError", 5],
      ["NO_DATA_ALLOWED_ERR", "", 6],
      ["NO_MODIFICATION_ALLOWED_ERR", "NoModificationAllowedError", 7],
      ["NOT_FOUND_ERR", "NotFoundError", 8],
      ["NOT_SUPPORTED_ERR", "NotSupportedError", 9],
      ["INUSE_ATTRIBUTE_ERR", "InUseAttributeError", 10],
      ["INVALID_STATE_ERR", "InvalidStateError", 11],
      ["SYNTAX_ERR", "SyntaxError", 12],
      ["INVALID_MODIFICATION_ERR", "InvalidModificationError", 13],
      ["NAMESPACE_ERR", "NamespaceError", 14],
      ["INVALID_ACCESS_ERR", "InvalidAccessError", 15],
      ["VALIDATION_ERR", "", 16],
      ["TYPE_MISMATCH_ERR", "TypeMismatchError", 17],
      ["SECURITY_ERR", "SecurityError", 18],
      ["NETWORK_ERR", "NetworkError", 19],
      ["ABORT_ERR", "AbortError", 20],
      ["URL_MISMATCH_ERR", "URLMismatchError", 21],
      ["QUOTA_EXCEEDED_ERR", "QuotaExceededError", 22],
      ["TIMEOUT_ERR", "TimeoutError", 23],
      ["INVALID_NODE_TYPE_ERR", "InvalidNodeTypeError", 24],
      ["DATA_CLONE_ERR", "DataCloneError", 25],
    ];
    const codes = { __proto__: null };

    let isDOMException;
    class DOMException {
      #message;
      #name;
      constructor(message = "", name = "Error") {
        this.#message = `${message}`;
        this.#name = `${name}`;
        if (ErrorCaptureStackTrace) ErrorCaptureStackTrace(this, DOMException);
      }
      get name() {
        return this.#name;
      }
      get message() {
        return this.#message;
      }
      get code() {
        return codes[this.#name] ?? 0;
      }
      static {
        isDOMException = (value) => #name in value;
      }
    }
    ReflectSetPrototypeOf(DOMException.prototype, ErrorPrototype);

    for (let i = 0; i < legacy.length; i++) {
      const constant = legacy[i][0];
      const code = legacy[i][2];
      if (legacy[i][1]) codes[legacy[i][1]] = code;
      ReflectDefineProperty(DOMException, constant, { __proto__: null, value: code, enumerable: true });
      ReflectDefineProperty(DOMException.prototype, constant, { __proto__: null, value: code, enumerable: true });
    }
    shared.shapeInterfaces({ __proto__: null, DOMException });
    return { __proto__: null, DOMException, isDOMException };
  });

  shared.newDOMException = (message, name) => new (build().DOMException)(message, name);
  shared.isDOMException = (value) => typeof value === "object" && value !== null && build().isDOMException(value);
  shared.defineInterfaces(build, "DOMException");
});
