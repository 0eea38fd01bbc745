// FinalizationRegistry: the built-in, except that callbacks end with their realm.  The engine would still run them, in the
// middle of what a later realm does, for as long as the registry itself is not collected.
"use strict";

(function (host, shared) {
  const { ReflectApply, ReflectDefineProperty, TypeError } = shared.primordials;
  const { construct } = Reflect;
  const Native = globalThis.FinalizationRegistry;

  const ending = (callback) => (held) => {
    if (!host.realmIsGone()) ReflectApply(callback, undefined, [held]);
  };
  const { FinalizationRegistry } = {
    FinalizationRegistry: function (cleanupCallback) {
      if (new.target === undefined) throw new TypeError("Constructor FinalizationRegistry requires 'new'");
      if (typeof cleanupCallback !== "function") throw new TypeError("FinalizationRegistry: cleanup must be callable");
      return construct(Native, [ending(cleanupCallback)], new.target);
    },
  };
  const hidden = (value) => ({ __proto__: null, value, writable: false, enumerable: false, configurable: false });
  ReflectDefineProperty(FinalizationRegistry, "prototype", hidden(Native.prototype));
  shared.define(Native.prototype, "constructor", FinalizationRegistry, false);
  shared.define(globalThis, "FinalizationRegistry", FinalizationRegistry, false);
});
