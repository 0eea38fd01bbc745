// MessageChannel, MessagePort and MessageEvent (HTML, "Channel messaging"), within one realm.
"use strict";

(function (host, shared) {
  const { SymbolIterator } = shared.primordials;
  const internal = {};

  const build = shared.once(() => {
    const { dictionary, list, requireArguments } = shared;
    const { Event, EventTarget, fireEvent, getEventHandler, setEventHandler } = shared.events();

    class MessageEvent extends Event {
      #data = null;
      #origin = "";
      #lastEventId = "";
      #source = null;
      #ports = [];
      constructor(type, eventInitDict = undefined) {
        requireArguments(arguments.length, 1, "MessageEvent");
        super(type, eventInitDict);
        const { data, origin, lastEventId, source, ports } = dictionary(eventInitDict, "MessageEvent");
        if (data !== undefined) this.#data = data;
        if (origin !== undefined) this.#origin = shared.toUSVString(origin);
        if (lastEventId !== undefined) this.#lastEventId = `${lastEventId}`;
        if (source !== undefined) this.#source = source;
        if (ports !== undefined) this.#ports = [...ports];
      }
      get data() {
        return this.#data;
      }
      get origin() {
        return this.#origin;
      }
      get lastEventId() {
        return this.#lastEventId;
      }
      get source() {
        return this.#source;
      }
      get ports() {
        return this.#ports;
      }
    }

    let newPort, entangle;
    class MessagePort extends EventTarget {
      #other = null;
      #started = false;
      #closed = false;
      #waiting = list(); // messages that came before start()
      constructor() {
        if (arguments[0] !== internal) throw shared.illegalConstructor();
        super();
      }
      postMessage(message, options = undefined) {
        void this.#other;
        requireArguments(arguments.length, 1, "MessagePort.postMessage");
        const wanted = options?.[SymbolIterator] === undefined ? options : { __proto__: null, transfer: options };
        const data = shared.structuredClone(message, wanted, "MessagePort.postMessage");
        const port = this.#other;
        if (port === null) return;
        if (port.#started) port.#queue(data);
        else port.#waiting[port.#waiting.length] = data;
      }
      start() {
        if (this.#started) return;
        this.#started = true;
        for (let i = 0; i < this.#waiting.length; i++) this.#queue(this.#waiting[i]);
        this.#waiting = list();
      }
      close() {
        const port = this.#other;
        this.#closed = true;
        this.#other = null;
        if (port) port.#other = null;
      }
      get onmessage() {
        void this.#other;
        return getEventHandler(this, "message");
      }
      set onmessage(value) {
        void this.#other;
        setEventHandler(this, "message", value);
        this.start();
      }
      get onmessageerror() {
        void this.#other;
        return getEventHandler(this, "messageerror");
      }
      set onmessageerror(value) {
        void this.#other;
        setEventHandler(this, "messageerror", value);
      }
      #queue(data) {
        shared.runAfter(0, () => {
          if (!this.#closed) fireEvent(this, new MessageEvent("message", { __proto__: null, data }));
        });
      }
      static {
        newPort = () => new MessagePort(internal);
        entangle = (a, b) => {
          a.#other = b;
          b.#other = a;
        };
      }
    }

    class MessageChannel {
      #port1 = newPort();
      #port2 = newPort();
      constructor() {
        entangle(this.#port1, this.#port2);
      }
      get port1() {
        return this.#port1;
      }
      get port2() {
        return this.#port2;
      }
    }
    return shared.shapeInterfaces({ __proto__: null, MessageEvent, MessagePort, MessageChannel });
  });
  shared.defineInterfaces(build, "MessageChannel", "MessageEvent", "MessagePort");
});
