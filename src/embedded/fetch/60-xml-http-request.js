// XMLHttpRequest and ProgressEvent (XMLHttpRequest Standard).  An answer comes as a whole, so there is one progress event.
"use strict";

(function (host, shared) {
  const { JSONParse, RegExpPrototypeExec, StringPrototypeToLowerCase, StringPrototypeToUpperCase } = shared.primordials;
  const { TypedArrayPrototypeGetBuffer } = shared.primordials;
  const { dictionary, newDOMException, requireArguments, toUSVString } = shared;
  const { copyOf, lengthOf } = shared.bytes;

  const build = shared.once(() => {
    const { Event, EventTarget, fireEvent, getEventHandler, setEventHandler } = shared.events();
    const { create: newHeaders, pairsOf, addRaw, isToken } = shared.headers();
    const { parse, serialize } = shared.urlParser();
    const internal = {};

    class ProgressEvent extends Event {
      #lengthComputable;
      #loaded;
      #total;
      constructor(type, eventInitDict = undefined) {
        requireArguments(arguments.length, 1, "ProgressEvent");
        super(type, eventInitDict);
        const { lengthComputable, loaded, total } = dictionary(eventInitDict, "ProgressEvent");
        this.#lengthComputable = !!lengthComputable;
        this.#loaded = +(loaded ?? 0);
        this.#total = +(total ?? 0);
      }
      get lengthComputable() {
        return this.#lengthComputable;
      }
      get loaded() {
        return this.#loaded;
      }
      get total() {
        return this.#total;
      }
    }

    const eventNames = ["loadstart", "progress", "abort", "error", "load", "timeout", "loadend"];
    const defineHandlers = (constructor, names) => {
      for (let i = 0; i < names.length; i++) {
        const name = names[i];
        const key = `on${name}`;
        const holder = {
          get [key]() {
            return getEventHandler(this, name);
          },
          set [key](value) {
            setEventHandler(this, name, value);
          },
        };
        const accessor = shared.primordials.ReflectGetOwnPropertyDescriptor(holder, key);
        shared.primordials.ReflectDefineProperty(constructor.prototype, key, accessor);
      }
    };

    class XMLHttpRequestEventTarget extends EventTarget {
      constructor() {
        if (arguments[0] !== internal) throw shared.illegalConstructor();
        super();
      }
    }
    defineHandlers(XMLHttpRequestEventTarget, eventNames);
    class XMLHttpRequestUpload extends XMLHttpRequestEventTarget {}

    const states = ["UNSENT", "OPENED", "HEADERS_RECEIVED", "LOADING", "DONE"];
    const UNSENT = 0;
    const OPENED = 1;
    const HEADERS_RECEIVED = 2;
    const LOADING = 3;
    const DONE = 4;
    const types = ["", "arraybuffer", "blob", "document", "json", "text"];
    const normalized = /^(?:delete|get|head|options|post|put)$/i;
    const closed = /^(?:connect|trace|track)$/i;
    const charset = /;\s*charset\s*=\s*"?([^";\s]+)/i;

    class XMLHttpRequest extends XMLHttpRequestEventTarget {
      #state = UNSENT;
      #method = "GET";
      #url = "";
      #asynchronous = true;
      #headers = newHeaders("request");
      #sent = false;
      #id = 0;
      #answer = null; // { head, body } of an answer, null while there is none and for a failure
      #answered = null; // its headers
      #type = "";
      #value = undefined; // of `response`, once made
      #timeout = 0;
      #withCredentials = false;
      #mime = null;
      #upload = new XMLHttpRequestUpload(internal);
      constructor() {
        super(internal);
      }
      get readyState() {
        return this.#state;
      }
      get timeout() {
        return this.#timeout;
      }
      set timeout(value) {
        this.#timeout = value >>> 0;
      }
      get withCredentials() {
        return this.#withCredentials;
      }
      set withCredentials(value) {
        this.#withCredentials = !!value;
      }
      get upload() {
        return this.#upload;
      }
      open(method, url, async = true, username = null, password = null) {
        void this.#state;
        requireArguments(arguments.length, 2, "XMLHttpRequest.open");
        const name = `${method}`;
        const text = toUSVString(url);
        if (!isToken(name)) throw newDOMException(`XMLHttpRequest: '${name}' is no method`, "SyntaxError");
        if (RegExpPrototypeExec(closed, name) !== null) {
          shared.requests.refused(name, text);
          throw newDOMException(`XMLHttpRequest: the method ${name} is not allowed`, "SecurityError");
        }
        const record = parse(text, null);
        if (record === null) {
          shared.requests.refused(name, text);
          throw newDOMException(`XMLHttpRequest: '${text}' is no absolute URL`, "SyntaxError");
        }
        if (username !== null && username !== undefined) record.username = toUSVString(username);
        if (password !== null && password !== undefined) record.password = toUSVString(password);
        this.#drop();
        this.#method = RegExpPrototypeExec(normalized, name) === null ? name : StringPrototypeToUpperCase(name);
        this.#url = serialize(record);
        this.#asynchronous = !!async;
        this.#headers = newHeaders("request");
        this.#forget();
        this.#sent = false;
        if (this.#state !== OPENED) this.#become(OPENED);
      }
      setRequestHeader(name, value) {
        void this.#state;
        requireArguments(arguments.length, 2, "XMLHttpRequest.setRequestHeader");
        if (this.#state !== OPENED || this.#sent) throw newDOMException("the request is not open", "InvalidStateError");
        try {
          this.#headers.append(name, value);
        } catch (error) {
          throw newDOMException(error.message, "SyntaxError");
        }
      }
      send(body = null) {
        if (this.#state !== OPENED || this.#sent) throw newDOMException("the request is not open", "InvalidStateError");
        const bodiless = this.#method === "GET" || this.#method === "HEAD";
        const extracted = bodiless ? null : shared.extractBody(body);
        if (extracted !== null && extracted.type !== null && !this.#headers.has("content-type"))
          this.#headers.set("content-type", extracted.type);
        const bytes = extracted === null ? null : extracted.bytes;
        this.#forget();
        const pairs = pairsOf(this.#headers);
        if (!this.#asynchronous) {
          const answer = shared.requests.now(this.#method, this.#url, pairs, this.#timeout, bytes);
          this.#take(answer);
          this.#become(DONE);
          if (this.#answer !== null) return;
          const reason = answer === null ? "stopped" : answer.head.reason;
          const message = `XMLHttpRequest failed: ${answer === null ? "the call was stopped" : answer.head.message} (${reason})`;
          throw newDOMException(message, reason === "timed_out" ? "TimeoutError" : "NetworkError");
        }
        this.#sent = true;
        this.#fire("loadstart");
        if (this.#state !== OPENED || !this.#sent) return;
        this.#id = shared.requests.start(this.#method, this.#url, pairs, "follow", this.#timeout, bytes, (answer) => {
          this.#id = 0;
          this.#take(answer);
          if (this.#answer === null) this.#end(answer.head.reason === "timed_out" ? "timeout" : "error");
          else this.#arrive();
        });
      }
      abort() {
        const pending = this.#sent && (this.#state === OPENED || this.#state === HEADERS_RECEIVED || this.#state === LOADING);
        this.#drop();
        if (pending) {
          this.#forget();
          this.#end("abort");
        }
        if (this.#state === DONE) {
          this.#state = UNSENT;
          this.#forget();
        }
      }
      get responseURL() {
        return this.#answer === null ? "" : this.#answer.head.url;
      }
      get status() {
        return this.#answer === null ? 0 : this.#answer.head.status;
      }
      get statusText() {
        return this.#answer === null ? "" : this.#answer.head.statusText;
      }
      getResponseHeader(name) {
        void this.#state;
        requireArguments(arguments.length, 1, "XMLHttpRequest.getResponseHeader");
        return this.#answered === null ? null : this.#answered.get(name);
      }
      getAllResponseHeaders() {
        let lines = "";
        if (this.#answered === null) return lines;
        const pairs = pairsOf(this.#answered);
        for (let i = 0; i < pairs.length; i++) lines += `${pairs[i][0]}: ${pairs[i][1]}\r\n`;
        return lines;
      }
      overrideMimeType(mime) {
        void this.#state;
        requireArguments(arguments.length, 1, "XMLHttpRequest.overrideMimeType");
        if (this.#state >= LOADING) throw newDOMException("the response is here already", "InvalidStateError");
        this.#mime = `${mime}`;
      }
      get responseType() {
        return this.#type;
      }
      set responseType(value) {
        void this.#state;
        const type = `${value}`;
        for (let i = 0; i < types.length; i++) {
          if (types[i] !== type) continue;
          if (this.#state >= LOADING) throw newDOMException("the response is here already", "InvalidStateError");
          this.#type = type;
        }
      }
      get response() {
        if (this.#type === "" || this.#type === "text") return this.#text();
        if (this.#state !== DONE || this.#answer === null) return null;
        if (this.#value === undefined) this.#value = this.#convert();
        return this.#value;
      }
      get responseText() {
        if (this.#type !== "" && this.#type !== "text")
          throw newDOMException("the response is wanted as something else", "InvalidStateError");
        return this.#text();
      }
      get responseXML() {
        void this.#state;
        return null;
      }
      #text() {
        if (this.#answer === null) return "";
        if (this.#value === undefined) {
          const found = RegExpPrototypeExec(charset, this.#mime ?? this.#answered.get("content-type") ?? "");
          let decoder;
          try {
            decoder = new (shared.textCoding().TextDecoder)(found === null ? "utf-8" : found[1]);
          } catch {
            decoder = new (shared.textCoding().TextDecoder)();
          }
          this.#value = decoder.decode(this.#answer.body);
        }
        return this.#value;
      }
      #convert() {
        const { body } = this.#answer;
        if (this.#type === "arraybuffer") return TypedArrayPrototypeGetBuffer(copyOf(body));
        if (this.#type === "blob")
          return shared.blobs().create(copyOf(body), StringPrototypeToLowerCase(this.#mime ?? this.#answered.get("content-type") ?? ""));
        if (this.#type === "document") return null;
        try {
          return JSONParse(host.decodeUtf8(body, false, false));
        } catch {
          return null;
        }
      }
      #take(answer) {
        if (answer === null || answer.body === null) return;
        this.#answer = answer;
        this.#answered = newHeaders("none");
        const { headers } = answer.head;
        for (let i = 0; i < headers.length; i++) addRaw(this.#answered, headers[i][0], headers[i][1]);
      }
      #arrive() {
        const answer = this.#answer;
        const steps = [HEADERS_RECEIVED, LOADING];
        for (let i = 0; i < 2; i++) {
          this.#become(steps[i]);
          if (this.#answer !== answer) return; // a listener has opened or aborted it
        }
        this.#fire("progress");
        if (this.#answer !== answer) return;
        this.#sent = false;
        this.#become(DONE);
        if (this.#answer !== answer) return;
        this.#fire("load");
        if (this.#answer === answer) this.#fire("loadend");
      }
      #end(event) {
        this.#sent = false;
        this.#become(DONE);
        this.#fire(event);
        this.#fire("loadend");
      }
      #fire(type) {
        const loaded = this.#answer === null ? 0 : lengthOf(this.#answer.body);
        const init = { __proto__: null, lengthComputable: loaded > 0, loaded, total: loaded };
        fireEvent(this, new ProgressEvent(type, init));
      }
      #become(state) {
        this.#state = state;
        fireEvent(this, new Event("readystatechange"));
      }
      #drop() {
        if (this.#id !== 0) shared.requests.cancel(this.#id);
        this.#id = 0;
      }
      #forget() {
        this.#answer = null;
        this.#answered = null;
        this.#value = undefined;
      }
    }
    defineHandlers(XMLHttpRequest, ["readystatechange"]);
    for (let i = 0; i < states.length; i++) {
      const constant = { __proto__: null, value: i, enumerable: true };
      shared.primordials.ReflectDefineProperty(XMLHttpRequest, states[i], constant);
      shared.primordials.ReflectDefineProperty(XMLHttpRequest.prototype, states[i], constant);
    }
    return shared.shapeInterfaces({
      __proto__: null,
      ProgressEvent,
      XMLHttpRequest,
      XMLHttpRequestEventTarget,
      XMLHttpRequestUpload,
    });
  });
  shared.defineInterfaces(build, "ProgressEvent", "XMLHttpRequest", "XMLHttpRequestEventTarget", "XMLHttpRequestUpload");
});
