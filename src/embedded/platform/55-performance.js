// performance (High Resolution Time), navigator (HTML) and self.
"use strict";

(function (host, shared) {
  const { globalThis, DateNow } = shared.primordials;
  const internal = {};

  const buildPerformance = shared.once(() => {
    class Performance extends shared.events().EventTarget {
      // The wall clock's time of host.now() being 0, kept from the first look at it.
      #origin = DateNow() - host.now();
      constructor() {
        if (arguments[0] !== internal) throw shared.illegalConstructor();
        super();
      }
      now() {
        void this.#origin;
        return host.now();
      }
      get timeOrigin() {
        return this.#origin;
      }
      toJSON() {
        return { timeOrigin: this.#origin };
      }
    }
    shared.shapeInterfaces({ __proto__: null, Performance });
    return { __proto__: null, Performance, performance: new Performance(internal) };
  });
  shared.defineInterfaces(buildPerformance, "Performance");
  shared.defineAttribute("performance", () => buildPerformance().performance, true);

  const buildNavigator = shared.once(() => {
    class Navigator {
      #brand;
      constructor() {
        if (arguments[0] !== internal) throw shared.illegalConstructor();
      }
      get userAgent() {
        void this.#brand;
        return "aardvark";
      }
      get hardwareConcurrency() {
        void this.#brand;
        return 1;
      }
      get language() {
        void this.#brand;
        return "en-US";
      }
    }
    shared.shapeInterfaces({ __proto__: null, Navigator });
    return { __proto__: null, Navigator, navigator: new Navigator(internal) };
  });
  shared.defineInterfaces(buildNavigator, "Navigator");
  shared.defineAttribute("navigator", () => buildNavigator().navigator, false);

  shared.defineAttribute("self", () => globalThis, true);
});
