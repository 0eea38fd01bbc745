// Requests that are under way: what fetch and XMLHttpRequest have the host do, and check.
"use strict";

(function (host, shared) {
  const { JSONParse, Map, MapPrototypeDelete, MapPrototypeGet, MapPrototypeSet, StringPrototypeSlice, TypeError, Uint8Array } =
    shared.primordials;
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
});
