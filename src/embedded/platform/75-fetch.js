// fetch, Request and Response (Fetch Standard), over requests that the host makes and checks.  A response has come as a whole
// when its promise is fulfilled: there are no streams.
"use strict";

(function (host, shared) {
  const { JSONParse, JSONStringify, Promise, RangeError, ReflectApply, ReflectGetOwnPropertyDescriptor } =
    shared.primordials;
  const { ReflectOwnKeys, RegExpPrototypeExec, StringPrototypeSlice, StringPrototypeToUpperCase, TypeError, Uint8Array } =
    shared.primordials;
  const { Map, MapPrototypeDelete, MapPrototypeGet, MapPrototypeSet, TypedArrayPrototypeGetBuffer } = shared.primordials;
  const { defineOperation, dictionary, list, requireArguments, toUSVString } = shared;
  const { bytesOf, copyOf, encode, lengthOf } = shared.bytes;
  const isObject = (value) => (typeof value === "object" && value !== null) || typeof value === "function";

  // ---- requests that are under way --------------------------------------------------------------------------------

  // What is far beyond what the host takes is not copied out of the guest's heap as a whole, only to be refused.
  const MOST_URL = 65536;
  const MOST_HEADERS = 1 << 20;
  const clip = (text, most) => (text.length > most ? StringPrototypeSlice(text, 0, most + 1) : text);
  // Headers as the host takes them.
  const headerLines = (pairs) => {
    let lines = "";
    for (let i = 0; i < pairs.length; i++) lines += `${pairs[i][0]}: ${pairs[i][1]}\n`;
    return clip(lines, MOST_HEADERS);
  };
  const startRequest = (method, url, headers, redirects, timeout, body) => {
    const id = host.netStart(clip(method, 256), clip(url, MOST_URL), headerLines(headers), redirects, timeout, body ?? undefined);
    if (id === 0) throw new TypeError("too many requests are under way");
    return id;
  };
  const REDIRECTS = { __proto__: null, follow: 0, error: 1, manual: 2 };

  const waiting = new Map(); // number -> what to call with the answer
  let waitingCount = 0;
  const answerOf = (id) => {
    const head = JSONParse(host.netHead(id));
    const answer = { __proto__: null, head, body: head.status === undefined ? null : new Uint8Array(host.netBody(id)) };
    host.netDrop(id);
    return answer;
  };
  // Hands out the answers that have come, and gives whether there were any; the event loop calls it while something is
  // awaited (35-timers.js).
  const deliver = () => {
    let any = false;
    for (let id; (id = host.netNext()) !== 0; ) {
      const callback = MapPrototypeGet(waiting, id);
      if (callback === undefined) continue;
      forget(id);
      any = true;
      callback(answerOf(id));
    }
    return any;
  };
  const forget = (id) => {
    if (MapPrototypeGet(waiting, id) === undefined) return;
    MapPrototypeDelete(waiting, id);
    waitingCount--;
    if (waitingCount === 0) shared.deliverAnswers = null;
  };
  shared.deliverAnswers = null;

  shared.requests = {
    __proto__: null,
    // Gives a number to cancel by; `callback` gets { head, body } from the event loop.
    start(method, url, headers, redirect, timeout, body, callback) {
      const id = startRequest(method, url, headers, REDIRECTS[redirect], timeout, body);
      MapPrototypeSet(waiting, id, callback);
      waitingCount++;
      shared.deliverAnswers = deliver;
      return id;
    },
    cancel(id) {
      forget(id);
      host.netDrop(id);
    },
    // Waits here; null where the call was stopped meanwhile.
    now(method, url, headers, timeout, body) {
      const id = startRequest(method, url, headers, 0, timeout, body);
      return host.netWait(id, -1) ? answerOf(id) : null;
    },
    // For the ledger: the guest wanted what is refused here already.
    refused(method, url) {
      host.netDrop(startRequest(method, url, list(), 0, 0, null));
    },
  };

  // ---- bodies ------------------------------------------------------------------------------------------------------

  const isParams = (value) => {
    const { prototype } = shared.urlSearchParams().URLSearchParams;
    const size = ReflectGetOwnPropertyDescriptor(prototype, "size").get;
    return shared.hasBrand((one) => ReflectApply(size, one, []), value);
  };
  // { bytes, type } of anything that can be a body; null for none.
  const extract = (value) => {
    if (value === undefined || value === null) return null;
    if (typeof value !== "object") return { __proto__: null, bytes: encode(toUSVString(value)), type: "text/plain;charset=UTF-8" };
    const bytes = bytesOf(value);
    if (bytes !== null) return { __proto__: null, bytes: copyOf(bytes), type: null };
    const { isBlob, blobBytes } = shared.blobs();
    if (isBlob(value)) return { __proto__: null, bytes: blobBytes(value), type: value.type === "" ? null : value.type };
    if (shared.formData().isFormData(value)) return shared.formData().multipart(value);
    const type = isParams(value) ? "application/x-www-form-urlencoded;charset=UTF-8" : "text/plain;charset=UTF-8";
    return { __proto__: null, bytes: encode(toUSVString(value)), type };
  };
  shared.extractBody = extract;

  const decode = (bytes) => host.decodeUtf8(bytes, false, false);
  // The methods of the mixin Body for `constructor`, whose instances have the state { bytes, used, headers } in `stateOf`.
  const mixBody = (constructor, stateOf) => {
    const take = (state) => {
      if (state.used) throw new TypeError(`${constructor.name}: the body has been read already`);
      if (state.bytes === null) return new Uint8Array(0);
      state.used = true;
      return state.bytes;
    };
    const mixin = {
      get body() {
        void stateOf(this);
        return null;
      },
      get bodyUsed() {
        return stateOf(this).used;
      },
      async arrayBuffer() {
        return TypedArrayPrototypeGetBuffer(take(stateOf(this)));
      },
      async blob() {
        const state = stateOf(this);
        return shared.blobs().create(take(state), state.headers.get("content-type") ?? "");
      },
      async bytes() {
        return take(stateOf(this));
      },
      async formData() {
        const state = stateOf(this);
        const type = state.headers.get("content-type") ?? "";
        if (RegExpPrototypeExec(/^application\/x-www-form-urlencoded(?:;|$)/i, type) === null)
          throw new TypeError(`${constructor.name}.formData: only application/x-www-form-urlencoded can be read`);
        const data = new (shared.formData().FormData)();
        const params = new (shared.urlSearchParams().URLSearchParams)(decode(take(state)));
        params.forEach((value, name) => data.append(name, value));
        return data;
      },
      async json() {
        return JSONParse(decode(take(stateOf(this))));
      },
      async text() {
        return decode(take(stateOf(this)));
      },
    };
    for (let keys = ReflectOwnKeys(mixin), i = 0; i < keys.length; i++)
      shared.primordials.ReflectDefineProperty(constructor.prototype, keys[i], ReflectGetOwnPropertyDescriptor(mixin, keys[i]));
  };
  const cloneBody = (state, where) => {
    if (state.used) throw new TypeError(`${where}.clone: the body has been read already`);
    return state.bytes === null ? null : copyOf(state.bytes);
  };
  const setType = (headers, extracted) => {
    if (extracted !== null && extracted.type !== null && !headers.has("content-type"))
      headers.set("content-type", extracted.type);
  };

  // ---- Request and Response ------------------------------------------------------------------------------------------

  const classes = shared.once(() => {
    const { create: newHeaders, guardAs, addRaw, isToken, pairsOf: headerPairs } = shared.headers();
    const { parse, hasCredentials, serialize } = shared.urlParser();
    const { AbortController, isAbortSignal, addAbortAlgorithm } = shared.abort();
    const normalized = /^(?:delete|get|head|options|post|put)$/i;
    const closed = /^(?:connect|trace|track)$/i;
    let stateOfRequest, stateOfResponse, newResponse, isRequest;

    const toMethod = (value, url) => {
      const method = `${value}`;
      if (!isToken(method)) throw new TypeError(`Request: '${method}' is no method`);
      if (RegExpPrototypeExec(closed, method) !== null) {
        shared.requests.refused(method, url);
        throw new TypeError(`Request: the method ${method} is not allowed`);
      }
      return RegExpPrototypeExec(normalized, method) === null ? method : StringPrototypeToUpperCase(method);
    };
    const toUrl = (input) => {
      const text = toUSVString(input);
      const url = parse(text, null);
      if (url === null || hasCredentials(url)) {
        shared.requests.refused("GET", text);
        throw new TypeError(url === null ? `Request: '${text}' is no absolute URL` : "Request: the URL holds a user name or password");
      }
      return url;
    };
    const oneOf = (value, words, where) => {
      const text = `${value}`;
      for (let i = 0; i < words.length; i++) if (words[i] === text) return text;
      throw new TypeError(`Request: '${text}' is no ${where}`);
    };

    class Request {
      #state;
      constructor(input, init = undefined) {
        requireArguments(arguments.length, 1, "Request");
        const options = dictionary(init, "Request");
        const from = isRequest(input) ? input.#state : null;
        const url = from ? from.url : toUrl(input);
        const { method, headers, body, redirect, signal } = options;
        const text = from ? from.text : serialize(url);
        const state = {
          __proto__: null,
          url,
          text,
          method: method === undefined ? (from ? from.method : "GET") : toMethod(method, text),
          headers: newHeaders("request", headers === undefined ? from?.headers : headers),
          redirect: redirect === undefined ? (from ? from.redirect : "follow") : oneOf(redirect, ["follow", "error", "manual"], "redirect mode"),
          signal: null,
          bytes: null,
          used: false,
          cache: options.cache === undefined ? (from?.cache ?? "default") : `${options.cache}`,
          credentials: options.credentials === undefined ? (from?.credentials ?? "same-origin") : `${options.credentials}`,
          mode: options.mode === undefined ? (from?.mode ?? "cors") : `${options.mode}`,
          keepalive: !!(options.keepalive ?? from?.keepalive),
        };
        if (signal !== undefined && signal !== null && !isAbortSignal(signal))
          throw new TypeError("Request: signal is not an AbortSignal");
        state.signal = signal === undefined && from ? from.signal : (signal ?? new AbortController().signal);
        const extracted = extract(body);
        const bodied = extracted !== null || (from !== null && body === undefined && from.bytes !== null);
        if (bodied && (state.method === "GET" || state.method === "HEAD"))
          throw new TypeError(`Request: a ${state.method} has no body`);
        setType(state.headers, extracted);
        if (extracted !== null) state.bytes = extracted.bytes;
        else if (bodied) {
          if (from.used) throw new TypeError("Request: the body has been read already");
          state.bytes = from.bytes;
          from.used = true;
        }
        this.#state = state;
      }
      get method() {
        return this.#state.method;
      }
      get url() {
        return this.#state.text;
      }
      get headers() {
        return this.#state.headers;
      }
      get destination() {
        void this.#state;
        return "";
      }
      get referrer() {
        void this.#state;
        return "about:client";
      }
      get referrerPolicy() {
        void this.#state;
        return "";
      }
      get mode() {
        return this.#state.mode;
      }
      get credentials() {
        return this.#state.credentials;
      }
      get cache() {
        return this.#state.cache;
      }
      get redirect() {
        return this.#state.redirect;
      }
      get integrity() {
        void this.#state;
        return "";
      }
      get keepalive() {
        return this.#state.keepalive;
      }
      get signal() {
        return this.#state.signal;
      }
      clone() {
        const bytes = cloneBody(this.#state, "Request");
        const copy = new Request(this.#state.text, { __proto__: null, signal: this.#state.signal });
        copy.#state = { __proto__: null, ...this.#state, bytes, headers: newHeaders("request", this.#state.headers) };
        return copy;
      }
      static {
        isRequest = (value) => isObject(value) && #state in value;
        stateOfRequest = (request) => request.#state;
      }
    }
    mixBody(Request, stateOfRequest);

    const reasonPhrase = /^[\t -~\x80-\xff]*$/;
    const hasNoBody = (status) => status === 101 || status === 204 || status === 205 || status === 304;
    const plainState = () => ({
      __proto__: null,
      type: "default",
      url: "",
      redirected: false,
      status: 200,
      statusText: "",
      headers: newHeaders("none"),
      bytes: null,
      used: false,
    });

    class Response {
      #state = plainState();
      constructor(body = null, init = undefined) {
        const options = dictionary(init, "Response");
        const state = this.#state;
        if (options.status !== undefined) state.status = +options.status | 0;
        if (state.status < 200 || state.status > 599) throw new RangeError("Response: the status is not from 200 to 599");
        if (options.statusText !== undefined) state.statusText = `${options.statusText}`;
        if (RegExpPrototypeExec(reasonPhrase, state.statusText) === null)
          throw new TypeError("Response: the status text has other characters than a reason phrase");
        if (options.headers !== undefined) state.headers = newHeaders("none", options.headers);
        const extracted = extract(body);
        if (extracted === null) return;
        if (hasNoBody(state.status)) throw new TypeError(`Response: a ${state.status} has no body`);
        state.bytes = extracted.bytes;
        setType(state.headers, extracted);
      }
      static error() {
        const response = newResponse({ ...plainState(), type: "error", status: 0 });
        guardAs(response.headers, "immutable");
        return response;
      }
      static redirect(url, status = 302) {
        requireArguments(arguments.length, 1, "Response.redirect");
        const target = parse(toUSVString(url), null);
        if (target === null) throw new TypeError("Response.redirect: this is not an absolute URL");
        if (status !== 301 && status !== 302 && status !== 303 && status !== 307 && status !== 308)
          throw new RangeError("Response.redirect: the status is not that of a redirect");
        const response = newResponse({ ...plainState(), status });
        response.headers.set("location", serialize(target));
        guardAs(response.headers, "immutable");
        return response;
      }
      static json(data, init = undefined) {
        requireArguments(arguments.length, 1, "Response.json");
        const text = JSONStringify(data);
        if (text === undefined) throw new TypeError("Response.json: the value can't become JSON");
        const response = new Response(text, init);
        if (!isObject(init) || init.headers === undefined || !newHeaders("none", init.headers).has("content-type"))
          response.headers.set("content-type", "application/json");
        return response;
      }
      get type() {
        return this.#state.type;
      }
      get url() {
        return this.#state.url;
      }
      get redirected() {
        return this.#state.redirected;
      }
      get status() {
        return this.#state.status;
      }
      get ok() {
        return this.#state.status >= 200 && this.#state.status <= 299;
      }
      get statusText() {
        return this.#state.statusText;
      }
      get headers() {
        return this.#state.headers;
      }
      clone() {
        const bytes = cloneBody(this.#state, "Response");
        return newResponse({ ...this.#state, bytes, headers: newHeaders("none", this.#state.headers) });
      }
      static {
        stateOfResponse = (response) => response.#state;
        newResponse = (state) => {
          const response = new Response();
          response.#state = { __proto__: null, ...state };
          return response;
        };
      }
    }
    mixBody(Response, stateOfResponse);

    const responseOf = ({ head, body }) => {
      const headers = newHeaders("none");
      for (let i = 0; i < head.headers.length; i++) addRaw(headers, head.headers[i][0], head.headers[i][1]);
      guardAs(headers, "immutable");
      const { status, statusText, url, redirected } = head;
      const bytes = hasNoBody(status) && lengthOf(body) === 0 ? null : body;
      return newResponse({ type: "basic", url, redirected, status, statusText, headers, bytes, used: false });
    };

    const send = (request) => {
      const state = stateOfRequest(request);
      if (state.used) throw new TypeError("fetch: the request's body has been read already");
      if (state.signal.aborted) throw state.signal.reason;
      return new Promise((resolve, reject) => {
        const pairs = headerPairs(state.headers);
        const done = (answer) => {
          if (answer.body === null) reject(new TypeError(`fetch failed: ${answer.head.message} (${answer.head.reason})`));
          else resolve(responseOf(answer));
        };
        const id = shared.requests.start(state.method, state.text, pairs, state.redirect, 0, state.bytes, done);
        if (state.bytes !== null) state.used = true;
        addAbortAlgorithm(state.signal, () => {
          shared.requests.cancel(id);
          reject(state.signal.reason);
        });
      });
    };

    const made = shared.shapeInterfaces({ __proto__: null, Request, Response });
    return { __proto__: null, ...made, send };
  });
  shared.defineInterfaces(classes, "Request", "Response");

  const operations = {
    async fetch(input, init = undefined) {
      requireArguments(arguments.length, 1, "fetch");
      const { Request, send } = classes();
      return send(new Request(input, init));
    },
  };
  defineOperation(operations.fetch);
});
