// structuredClone (HTML, "Structured data").
"use strict";

(function (host, shared) {
  const { TypeError } = shared.primordials;
  const { newDOMException, dictionary, requireArguments } = shared;
  const isPrimitive = (value) => typeof value !== "object" && typeof value !== "function" && typeof value !== "symbol";

  shared.structuredClone = (value, options, where) => {
    const { transfer } = dictionary(options, where);
    // What can't be told from its copy needs none.
    if (transfer === undefined && (value === null || isPrimitive(value))) return value;
    const moved = [];
    if (transfer !== undefined && (typeof transfer !== "object" || transfer === null))
      throw new TypeError(`${where}: the transfer option is no sequence`);
    if (transfer !== undefined) for (const item of transfer) shared.define(moved, moved.length, item, true);
    if (shared.isDOMException(value)) return copyException(value);
    try {
      return host.structuredClone(value, moved);
    } catch (error) {
      if (error?.name !== "DataCloneError") throw error;
      throw newDOMException(`${where}: ${error.message}`, "DataCloneError");
    }
  };
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
