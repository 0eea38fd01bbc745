// Event, CustomEvent and EventTarget (DOM, "Events"), for targets that have no parent.
"use strict";

(function (host, shared) {
  const { ReflectApply, ReflectDefineProperty, ReflectGetOwnPropertyDescriptor, TypeError } = shared.primordials;
  const { list, requireArguments } = shared;
  const isObject = (value) => (typeof value === "object" && value !== null) || typeof value === "function";
  // A Web IDL dictionary: undefined and null are the empty one, other primitives are errors.
  const dictionary = (value, where) => {
    if (value === undefined || value === null) return { __proto__: null };
    if (!isObject(value)) throw new TypeError(`${where}: the options are no object`);
    return value;
  };
  shared.dictionary = dictionary;

  const build = shared.once(() => {
    const NONE = 0;
    const AT_TARGET = 2;
    let isEvent, eventIsDispatching, setTrusted, beginDispatch, endDispatch, stopped, setPassive, typeOf, isTrusted;
    let fireEvent, getEventHandler, setEventHandler;

    class Event {
      #type;
      #bubbles = false;
      #cancelable = false;
      #composed = false;
      #target = null;
      #phase = NONE;
      #stop = false;
      #stopImmediate = false;
      #canceled = false;
      #passive = false;
      #dispatching = false;
      #trusted = false;
      #time = host.now();
      constructor(type, eventInitDict = undefined) {
        requireArguments(arguments.length, 1, "Event");
        const init = dictionary(eventInitDict, "Event");
        this.#type = `${type}`;
        this.#bubbles = !!init.bubbles;
        this.#cancelable = !!init.cancelable;
        this.#composed = !!init.composed;
        ReflectDefineProperty(this, "isTrusted", isTrusted);
      }
      get type() {
        return this.#type;
      }
      get target() {
        return this.#target;
      }
      get srcElement() {
        return this.#target;
      }
      get currentTarget() {
        return this.#dispatching ? this.#target : null;
      }
      composedPath() {
        return this.#dispatching ? [this.#target] : [];
      }
      get eventPhase() {
        return this.#phase;
      }
      stopPropagation() {
        this.#stop = true;
      }
      get cancelBubble() {
        return this.#stop;
      }
      set cancelBubble(value) {
        if (value) this.#stop = true;
        else void this.#stop;
      }
      stopImmediatePropagation() {
        this.#stop = true;
        this.#stopImmediate = true;
      }
      get bubbles() {
        return this.#bubbles;
      }
      get cancelable() {
        return this.#cancelable;
      }
      get returnValue() {
        return !this.#canceled;
      }
      set returnValue(value) {
        if (!value) this.preventDefault();
        else void this.#canceled;
      }
      preventDefault() {
        if (this.#cancelable && !this.#passive) this.#canceled = true;
      }
      get defaultPrevented() {
        return this.#canceled;
      }
      get composed() {
        return this.#composed;
      }
      get timeStamp() {
        return this.#time;
      }
      initEvent(type, bubbles = false, cancelable = false) {
        requireArguments(arguments.length, 1, "Event.initEvent");
        const name = `${type}`;
        if (this.#dispatching) return;
        this.#type = name;
        this.#bubbles = !!bubbles;
        this.#cancelable = !!cancelable;
        this.#stop = this.#stopImmediate = this.#canceled = this.#trusted = false;
        this.#target = null;
      }
      static {
        isEvent = (value) => isObject(value) && #type in value;
        eventIsDispatching = (event) => event.#dispatching;
        setTrusted = (event, trusted) => void (event.#trusted = trusted);
        typeOf = (event) => event.#type;
        setPassive = (event, passive) => void (event.#passive = passive);
        stopped = (event, immediate) => (immediate ? event.#stopImmediate : event.#stop);
        beginDispatch = (event, target) => {
          event.#dispatching = true;
          event.#target = target;
          event.#phase = AT_TARGET;
        };
        endDispatch = (event) => {
          event.#dispatching = event.#stop = event.#stopImmediate = false;
          event.#phase = NONE;
          return !event.#canceled;
        };
        // [LegacyUnforgeable]: an accessor of each event itself.
        const holder = {
          get isTrusted() {
            return this.#trusted;
          },
        };
        isTrusted = ReflectGetOwnPropertyDescriptor(holder, "isTrusted");
        isTrusted.configurable = false;
      }
    }
    const phases = ["NONE", "CAPTURING_PHASE", "AT_TARGET", "BUBBLING_PHASE"];
    for (let i = 0; i < phases.length; i++) {
      ReflectDefineProperty(Event, phases[i], { __proto__: null, value: i, enumerable: true });
      ReflectDefineProperty(Event.prototype, phases[i], { __proto__: null, value: i, enumerable: true });
    }

    class CustomEvent extends Event {
      #detail = null;
      constructor(type, eventInitDict = undefined) {
        requireArguments(arguments.length, 1, "CustomEvent");
        super(type, eventInitDict);
        const detail = dictionary(eventInitDict, "CustomEvent").detail;
        if (detail !== undefined) this.#detail = detail;
      }
      get detail() {
        return this.#detail;
      }
      initCustomEvent(type, bubbles = false, cancelable = false, detail = null) {
        requireArguments(arguments.length, 1, "CustomEvent.initCustomEvent");
        void this.#detail;
        if (eventIsDispatching(this)) return;
        initEvent(this, type, bubbles, cancelable);
        this.#detail = detail;
      }
    }
    const initEvent = shared.primordials.uncurryThis(Event.prototype.initEvent);

    const readOptions = (options, withMore) => {
      const out = { __proto__: null, capture: false, once: false, passive: false, signal: null };
      if (!isObject(options)) {
        out.capture = !!options;
        return out;
      }
      out.capture = !!options.capture;
      if (!withMore) return out;
      out.once = !!options.once;
      out.passive = !!options.passive;
      const signal = options.signal;
      if (signal !== undefined) {
        if (!shared.abort().isAbortSignal(signal)) throw new TypeError("addEventListener: signal is not an AbortSignal");
        out.signal = signal;
      }
      return out;
    };

    const checkListener = (callback, where) => {
      if (callback !== null && callback !== undefined && !isObject(callback))
        throw new TypeError(`${where}: the listener is neither a function nor an object`);
      return callback ?? null;
    };

    const callListener = (listener, event, target) => {
      try {
        const callback = listener.callback;
        if (typeof callback === "function") {
          ReflectApply(callback, target, [event]);
        } else {
          const handle = callback.handleEvent;
          if (typeof handle !== "function") throw new TypeError("the listener's handleEvent is not a function");
          ReflectApply(handle, callback, [event]);
        }
      } catch (error) {
        shared.reportError(error);
      }
    };

    class EventTarget {
      #listeners = list();
      #handlers = null; // of event handler attributes, by type
      addEventListener(type, callback, options = undefined) {
        requireArguments(arguments.length, 2, "addEventListener");
        this.#add(`${type}`, checkListener(callback, "addEventListener"), readOptions(options, true));
      }
      removeEventListener(type, callback, options = undefined) {
        requireArguments(arguments.length, 2, "removeEventListener");
        const name = `${type}`;
        const wanted = checkListener(callback, "removeEventListener");
        const { capture } = readOptions(options, false);
        this.#remove((one) => one.type === name && one.callback === wanted && one.capture === capture);
      }
      dispatchEvent(event) {
        requireArguments(arguments.length, 1, "dispatchEvent");
        void this.#listeners;
        if (!isEvent(event)) throw new TypeError("dispatchEvent: the argument is not an Event");
        if (eventIsDispatching(event))
          throw shared.newDOMException("the event is being dispatched already", "InvalidStateError");
        setTrusted(event, false);
        return this.#dispatch(event);
      }
      #add(type, callback, { capture, once, passive, signal }) {
        if (callback === null || (signal && signal.aborted)) return;
        for (let i = 0; i < this.#listeners.length; i++) {
          const one = this.#listeners[i];
          if (one.type === type && one.callback === callback && one.capture === capture) return;
        }
        const listener = { __proto__: null, type, callback, capture, once, passive, removed: false };
        this.#listeners[this.#listeners.length] = listener;
        if (signal) shared.abort().addAbortAlgorithm(signal, () => this.#remove((one) => one === listener));
      }
      #remove(matches) {
        const kept = list();
        for (let i = 0; i < this.#listeners.length; i++) {
          if (matches(this.#listeners[i])) this.#listeners[i].removed = true;
          else kept[kept.length] = this.#listeners[i];
        }
        this.#listeners = kept;
      }
      #dispatch(event) {
        beginDispatch(event, this);
        if (!stopped(event, false)) this.#invoke(event, true);
        if (!stopped(event, false)) this.#invoke(event, false);
        return endDispatch(event);
      }
      #invoke(event, capture) {
        // Listeners that are added meanwhile are not called: #add appends, so the length is taken first.
        const all = this.#listeners;
        const count = all.length;
        const type = typeOf(event);
        for (let i = 0; i < count; i++) {
          const listener = all[i];
          if (listener.removed || listener.type !== type || listener.capture !== capture) continue;
          if (listener.once) this.#remove((one) => one === listener);
          if (listener.passive) setPassive(event, true);
          callListener(listener, event, this);
          setPassive(event, false);
          if (stopped(event, true)) return;
        }
      }
      static {
        // Dispatches an event that the platform itself made.
        fireEvent = (target, event) => {
          setTrusted(event, true);
          return target.#dispatch(event);
        };
        getEventHandler = (target, type) => target.#handlers?.[type]?.callback ?? null;
        setEventHandler = (target, type, value) => {
          const handlers = (target.#handlers ??= { __proto__: null });
          const callback = isObject(value) ? value : null;
          let handler = handlers[type];
          if (callback === null) {
            if (handler) target.#remove((one) => one.callback === handler.listener);
            handlers[type] = undefined;
          } else if (handler) {
            handler.callback = callback;
          } else {
            handler = handlers[type] = { __proto__: null, callback, listener: null };
            handler.listener = (event) => {
              if (typeof handler.callback !== "function") return;
              if (ReflectApply(handler.callback, target, [event]) === false) event.preventDefault();
            };
            target.#add(type, handler.listener, readOptions(false, false));
          }
        };
      }
    }

    const classes = shared.shapeInterfaces({ __proto__: null, Event, CustomEvent, EventTarget });
    return { __proto__: null, ...classes, fireEvent, getEventHandler, setEventHandler };
  });
  shared.events = build;
  shared.defineInterfaces(build, "Event", "CustomEvent", "EventTarget");
});
