// JSON.parse: the built-in, except that a long text can't be nested without end.  The engine takes fifty bytes and more beside
// its heap for each level that is open.
"use strict";

(function (host, shared) {
  const { JSONParse, RangeError } = shared.primordials;
  const LONG = 1 << 20;
  const DEEPEST = 200000; // what nests more deeply nothing else can walk through

  const isTooDeep = (text) => {
    let depth = 0;
    let quoted = false;
    for (let i = 0; i < text.length; i++) {
      const c = text[i];
      if (c === '"') quoted = !quoted;
      else if (quoted) {
        if (c === "\\") i++;
      } else if (c === "[" || c === "{") {
        if (++depth > DEEPEST) return true;
      } else if (c === "]" || c === "}") depth--;
    }
    return false;
  };

  const { parse } = {
    parse(text, reviver) {
      const given = `${text}`;
      if (given.length > LONG && isTooDeep(given)) throw new RangeError("JSON.parse: the text is nested too deeply");
      return JSONParse(given, reviver);
    },
  };
  shared.define(JSON, "parse", parse, false);
  shared.primordials.JSONParse = parse;
});
