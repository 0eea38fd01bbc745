// fetch, Request and Response (Fetch Standard), over requests that the host makes and checks.
"use strict";

(function (host, shared) {
  const classes = shared.once(() => {
    const { JSONStringify, Promise, RangeError, RegExpPrototypeExec, StringPrototypeToUpperCase, TypeError } = shared.primordials;
    const { dictionary, requireArguments, toUSVString } = shared;
    const isObject = (value) => (typeof value === "object" && value !== null) || typeof value === "function";

    // ---- Request and Response ------------------------------------------------------------------------------------------

    const { create: newHeaders, guardAs, addRaw, isToken, pairsOf: headerPairs } = shared.headers();
    const { parse, hasCredentials, serialize } = shared.urlParser();
    const { AbortController, isAbortSignal, addAbortAlgorithm, isAborted, reasonOf } = shared.abort();
    const { cloned, extract, incomingBody, isStreamed, mixBody, moved, setType, takeBytes } = shared.bodies();
    const normalized = /^(?:delete|get|head|options|post|put)$/i;
    const closed = /^(?:connect|trace|track)$/i;
    let stateOfRequest, stateOfResponse, newResponse, isRequest, isResponse;

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
          body: null,
          cache: options.cache === undefined ? (from?.cache ?? "default") : `${options.cache}`,
          credentials: options.credentials === undefined ? (from?.credentials ?? "same-origin") : `${options.credentials}`,
          mode: options.mode === undefined ? (from?.mode ?? "cors") : `${options.mode}`,
          keepalive: !!(options.keepalive ?? from?.keepalive),
        };
        if (signal !== undefined && signal !== null && !isAbortSignal(signal))
          throw new TypeError("Request: signal is not an AbortSignal");
        state.signal = signal === undefined && from ? from.signal : (signal ?? new AbortController().signal);
        const { duplex } = options;
        if (duplex !== undefined && `${duplex}` !== "half") throw new TypeError("Request: duplex is \"half\" or left out");
        const extracted = extract(body);
        const inherits = extracted === null && from !== null && from.body !== null && (body === undefined || body === null);
        if ((extracted !== null || inherits) && (state.method === "GET" || state.method === "HEAD"))
          throw new TypeError(`Request: a ${state.method} has no body`);
        if (extracted !== null && isStreamed(extracted) && duplex === undefined)
          throw new TypeError("Request: a body that is a stream needs duplex: \"half\"");
        setType(state.headers, extracted);
        if (extracted !== null) state.body = extracted.body;
        else if (inherits) state.body = moved(from.body, "Request");
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
      get duplex() {
        void this.#state;
        return "half";
      }
      get signal() {
        return this.#state.signal;
      }
      clone() {
        const body = cloned(this.#state.body, "Request");
        const copy = new Request(this.#state.text, { __proto__: null, signal: this.#state.signal });
        copy.#state = { __proto__: null, ...this.#state, body, headers: newHeaders("request", this.#state.headers) };
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
      body: null,
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
        state.body = extracted.body;
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
        const body = cloned(this.#state.body, "Response");
        return newResponse({ ...this.#state, body, headers: newHeaders("none", this.#state.headers) });
      }
      static {
        isResponse = (value) => isObject(value) && #state in value;
        stateOfResponse = (response) => response.#state;
        newResponse = (state) => {
          const response = new Response();
          response.#state = { __proto__: null, ...state };
          return response;
        };
      }
    }
    mixBody(Response, stateOfResponse);

    const nothing = () => {};
    const responseOf = (head, incoming) => {
      const headers = newHeaders("none");
      for (let i = 0; i < head.headers.length; i++) addRaw(headers, head.headers[i][0], head.headers[i][1]);
      guardAs(headers, "immutable");
      const { status, statusText, url, redirected } = head;
      const bodiless = hasNoBody(status);
      if (bodiless) incoming.pull(nothing, nothing, nothing);
      return newResponse({ type: "basic", url, redirected, status, statusText, headers, body: bodiless ? null : incomingBody(incoming) });
    };

    // Sends what `bytes` are, or nothing, and gives a promise of the response.
    const sendBytes = (state, bytes) =>
      new Promise((resolve, reject) => {
        const pairs = headerPairs(state.headers);
        const onHead = (head, error) => {
          if (error !== undefined) reject(error);
          else resolve(responseOf(head, incoming));
        };
        const incoming = shared.requests.stream(state.method, state.text, pairs, state.redirect, bytes, onHead);
        addAbortAlgorithm(state.signal, () => {
          incoming.stop(reasonOf(state.signal));
          reject(reasonOf(state.signal));
        });
      });
    const send = async (request) => {
      const state = stateOfRequest(request);
      if (isAborted(state.signal)) throw reasonOf(state.signal);
      const local = shared.localResource(state.url, state.text, state.method);
      if (local !== null) return localResponse(state, local);
      const bytes = state.body === null ? null : await takeBytes(state.body, "fetch");
      if (isAborted(state.signal)) throw reasonOf(state.signal);
      return await sendBytes(state, bytes);
    };
    const localResponse = (state, { body, type, status, statusText }) => {
      const headers = newHeaders("none");
      if (type !== "") addRaw(headers, "content-type", type);
      if (shared.blobs().isBlob(body)) addRaw(headers, "content-length", `${body.size}`);
      guardAs(headers, "immutable");
      const own = { type: "basic", url: state.text, redirected: false, status, statusText, headers };
      return newResponse({ ...own, body: state.method === "HEAD" ? null : extract(body).body });
    };

    // ---- what a host asks of a handler: JSON on both sides ------------------------------------------------------------

    const requestOf = (given) => {
      const { url, method, headers, body } = typeof given === "string" ? { __proto__: null, url: given } : dictionary(given, "the request");
      const at = parse(toUSVString(url ?? "/"), parse("http://localhost/", null));
      if (at === null) throw new TypeError(`the request's URL is invalid: ${shared.inspect(url)}`);
      const content = body === undefined || body === null || typeof body === "string" ? body : fromBase64(body.base64);
      const own = { __proto__: null, method, headers: headers ?? undefined, body: content };
      return new Request(serialize(at), own);
    };
    const fromBase64 = (text) => {
      const binary = typeof text === "string" ? host.base64Decode(text) : null;
      if (binary === null) throw new TypeError("the request's body is neither a string nor { base64 }");
      return shared.bytes.ofBinary(binary);
    };
    // { value: what JSON can hold, bytes: of a body that is no text, else null }
    const answerOf = async (response) => {
      const state = stateOfResponse(response);
      const { status, statusText, headers } = state;
      const all = [];
      for (let pairs = headerPairs(headers), i = 0; i < pairs.length; i++)
        shared.define(all, i, [pairs[i][0], pairs[i][1]], true);
      const bytes = state.body === null ? null : await takeBytes(state.body, "Response");
      const text = bytes === null ? null : host.decodeUtf8(bytes, true, true);
      const isText = bytes === null || typeof text === "string";
      const value = { __proto__: null, status, statusText, headers: all, body: isText ? text : null };
      return { __proto__: null, value, bytes: isText ? null : bytes };
    };

    const made = shared.shapeInterfaces({ __proto__: null, Request, Response });
    return { __proto__: null, ...made, answerOf, isResponse, requestOf, send };
  });
  shared.fetchHandlers = classes;
  shared.defineInterfaces(classes, "Request", "Response");

  const { requireArguments } = shared;
  const operations = {
    async fetch(input, init = undefined) {
      requireArguments(arguments.length, 1, "fetch");
      const { Request, send } = classes();
      return await send(new Request(input, init)); // `await`: no look at a `then` that a guest may have changed
    },
  };
  shared.defineOperation(operations.fetch);
});
