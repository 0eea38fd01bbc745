// structuredClone (HTML, "Structured data").
"use strict";

(function (host, shared) {
  const { ArrayBufferPrototypeGetByteLength, TypeError, Uint8Array } = shared.primordials;
  const { newDOMException, dictionary, requireArguments } = shared;
  const isPrimitive = (value) => typeof value !== "object" && typeof value !== "function" && typeof value !== "symbol";

  shared.structuredClone = (value, options, where) => {
    const { transfer } = dictionary(options, where);
    // What can't be told from its copy needs none.
    if (transfer === undefined && (value === null || isPrimitive(value))) return value;
    const moved = transfer === undefined ? [] : transferList(transfer, where);
    if (shared.isDOMException(value)) return copyException(value);
    try {
      return host.structuredClone(value, moved);
    } catch (error) {
      if (error?.name !== "DataCloneError") throw error;
      throw newDOMException(`${where}: ${error.message}`, "DataCloneError");
    }
  };
  const transferList = (transfer, where) => {
    if (typeof transfer !== "object" || transfer === null)
      throw new TypeError(`${where}: the transfer option is no sequence`);
    const moved = [];
    for (const item of transfer) {
      if (isDetached(item)) throw newDOMException(`${where}: an ArrayBuffer is detached`, "DataCloneError");
      shared.define(moved, moved.length, item, true);
    }
    return moved;
  };
  // No view can be made of a detached ArrayBuffer.
  const isDetached = (value) =>
    shared.hasBrand(ArrayBufferPrototypeGetByteLength, value) &&
    !shared.hasBrand((buffer) => new Uint8Array(buffer), value);
  const copyException = (value) => {
    const copy = newDOMException(value.message, value.name);
    shared.define(copy, "stack", value.stack, false);
    return copy;
  };

  const { structuredClone } = {
    structuredClone(value, options = undefined) {
      requireArguments(arguments.length, 1, "structuredClone");
      return shared.structuredClone(value, options, "structuredClone");
    },
  };
  shared.defineOperation(structuredClone);
});
