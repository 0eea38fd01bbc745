// Requests that are under way: what fetch and XMLHttpRequest have the host do, and check.
"use strict";

(function (host, shared) {
  const { JSONParse, Map, MapPrototypeDelete, MapPrototypeGet, MapPrototypeSet, StringPrototypeSlice, TypeError, Uint8Array } =
    shared.primordials;
  const { TypedArrayPrototypeGetByteLength } = shared.primordials;
  const { list } = shared;

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
  const startRequest = (method, url, headers, redirects, timeout, body, streams) => {
    const lines = headerLines(headers);
    const id = host.netStart(clip(method, 256), clip(url, MOST_URL), lines, redirects, timeout, body ?? undefined, streams);
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
      any = true;
      if (!isStream(callback)) {
        forget(id);
        callback(answerOf(id));
      } else callback.news();
    }
    return any;
  };
  const keep = (id, callback) => {
    MapPrototypeSet(waiting, id, callback);
    waitingCount++;
    shared.deliverAnswers = deliver;
  };
  const forget = (id) => {
    if (MapPrototypeGet(waiting, id) === undefined) return;
    MapPrototypeDelete(waiting, id);
    waitingCount--;
    if (waitingCount === 0) shared.deliverAnswers = null;
  };
  shared.deliverAnswers = null;

  // An answer whose body comes piece by piece.  `onHead` gets its head; then `pull` gives a piece to one of three functions.
  // So much is fetched before anybody asks: a guest that leaves small bodies unread keeps no connection.
  const AHEAD = 1 << 18;
  const failure = (head) => new TypeError(`fetch failed: ${head.message} (${head.reason})`);
  const GONE = '{"message":"the call that made the request has ended","reason":"call_ended"}';
  let isStream;
  class Incoming {
    #id;
    #onHead;
    #pieces = list(); // from #first on
    #first = 0;
    #bytes = 0; // in them
    #waiting = null; // the functions of a pull that nothing was here for
    #ended = false;
    #error = undefined; // why there is no more
    constructor(id, onHead) {
      this.#id = id;
      this.#onHead = onHead;
      keep(id, this);
    }
    news() {
      const onHead = this.#onHead;
      this.#onHead = null;
      if (onHead === null) return this.#go();
      const head = JSONParse(host.netHead(this.#id));
      if (head.status === undefined) this.#end(failure(head));
      else this.#fill();
      return onHead(head, this.#error);
    }
    pull(chunk, end, fail) {
      this.#waiting = { __proto__: null, chunk, end, fail };
      this.#go();
    }
    // Nobody wants the rest; whoever waits for it gets `error`.
    stop(error) {
      this.#pieces = list();
      this.#first = this.#bytes = 0;
      this.#onHead = null;
      if (!this.#ended) this.#end(error);
      this.#go();
    }
    #go() {
      this.#fill();
      const functions = this.#waiting;
      if (functions === null) return undefined;
      if (this.#first < this.#pieces.length) {
        this.#waiting = null;
        return functions.chunk(this.#shift());
      }
      if (!this.#ended) return undefined;
      this.#waiting = null;
      return this.#error === undefined ? functions.end() : functions.fail(this.#error);
    }
    #shift() {
      const piece = this.#pieces[this.#first];
      this.#pieces[this.#first++] = undefined;
      this.#bytes -= TypedArrayPrototypeGetByteLength(piece);
      if (this.#first === this.#pieces.length) {
        this.#pieces = list();
        this.#first = 0;
      }
      return piece;
    }
    #fill() {
      while (!this.#ended && this.#bytes < AHEAD) {
        const piece = host.netTake(this.#id);
        if (piece === null) this.#end(undefined);
        else if (piece === undefined) this.#end(failure(JSONParse(host.netHead(this.#id) ?? GONE)));
        else {
          const bytes = new Uint8Array(piece);
          const length = TypedArrayPrototypeGetByteLength(bytes);
          if (length === 0) return; // the host will tell
          this.#pieces[this.#pieces.length] = bytes;
          this.#bytes += length;
        }
      }
    }
    #end(error) {
      this.#ended = true;
      this.#error = error;
      forget(this.#id);
      host.netDrop(this.#id);
    }
    static {
      isStream = (value) => typeof value === "object" && #waiting in value;
    }
  }

  shared.requests = {
    __proto__: null,
    stream: (method, url, headers, redirect, body, onHead) =>
      new Incoming(startRequest(method, url, headers, REDIRECTS[redirect], 0, body, true), onHead),
    // Gives a number to cancel by; `callback` gets { head, body } from the event loop.
    start(method, url, headers, redirect, timeout, body, callback) {
      const id = startRequest(method, url, headers, REDIRECTS[redirect], timeout, body, false);
      keep(id, callback);
      return id;
    },
    cancel(id) {
      forget(id);
      host.netDrop(id);
    },
    // Waits here; null where the call was stopped meanwhile.
    now(method, url, headers, timeout, body) {
      const id = startRequest(method, url, headers, 0, timeout, body, false);
      return host.netWait(id, -1) ? answerOf(id) : null;
    },
    // For the ledger: the guest wanted what is refused here already.
    refused(method, url) {
      host.netDrop(startRequest(method, url, list(), 0, 0, null, false));
    },
  };
});
