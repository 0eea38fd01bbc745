// MIME types, parsed and written as the MIME Sniffing Standard says; and which one headers give a body (Fetch Standard).
"use strict";

(function (host, shared) {
  shared.mimeTypes = shared.once(() => {
    const { RegExpPrototypeExec, StringPrototypeIndexOf, StringPrototypeSlice, StringPrototypeToLowerCase } =
      shared.primordials;
    const { list } = shared;

    const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
    const quotable = /^[\t -~\x80-\xff]*$/;
    const outer = /^[\t\n\r ]*([^]*?)[\t\n\r ]*$/;
    const matches = (pattern, text) => RegExpPrototypeExec(pattern, text) !== null;
    const trimmed = (text) => RegExpPrototypeExec(outer, text)[1];
    const endOf = (text, stop, from) => {
      const at = StringPrototypeIndexOf(text, stop, from);
      return at < 0 ? text.length : at;
    };

    // { value, at } of the quoted string that begins at `from`: without its quotes and escapes.
    const quoted = (text, from) => {
      let value = "";
      let at = from + 1;
      for (; at < text.length; at++) {
        const c = text[at];
        if (c === '"') return { __proto__: null, value, at: at + 1 };
        if (c === "\\" && at + 1 < text.length) value += text[++at];
        else value += c;
      }
      return { __proto__: null, value, at };
    };
    const parameter = (text, from, parameters) => {
      let at = from;
      while (at < text.length && text[at] !== ";" && text[at] !== "=") at++;
      const name = StringPrototypeToLowerCase(trimStart(StringPrototypeSlice(text, from, at)));
      if (at >= text.length || text[at] === ";") return at + 1;
      at++;
      let value;
      if (text[at] === '"') {
        const found = quoted(text, at);
        value = found.value;
        at = endOf(text, ";", found.at);
      } else {
        const end = endOf(text, ";", at);
        value = trimEnd(StringPrototypeSlice(text, at, end));
        at = end;
        if (value === "") return at + 1;
      }
      if (name !== "" && matches(token, name) && matches(quotable, value) && valueOf(parameters, name) === undefined) {
        const pair = list();
        pair[0] = name;
        pair[1] = value;
        parameters[parameters.length] = pair;
      }
      return at + 1;
    };
    const trimStart = (text) => RegExpPrototypeExec(/^[\t\n\r ]*([^]*)$/, text)[1];
    const trimEnd = (text) => RegExpPrototypeExec(/^([^]*?)[\t\n\r ]*$/, text)[1];
    const valueOf = (parameters, name) => {
      for (let i = 0; i < parameters.length; i++) if (parameters[i][0] === name) return parameters[i][1];
      return undefined;
    };

    // { essence, parameters: pairs }, or null.
    const parse = (given) => {
      const text = trimmed(given);
      const slash = StringPrototypeIndexOf(text, "/");
      if (slash < 0) return null;
      const type = StringPrototypeSlice(text, 0, slash);
      let at = endOf(text, ";", slash);
      const subtype = trimEnd(StringPrototypeSlice(text, slash + 1, at));
      if (!matches(token, type) || !matches(token, subtype)) return null;
      const parameters = list();
      for (at++; at < text.length; ) at = parameter(text, at, parameters);
      return { __proto__: null, essence: StringPrototypeToLowerCase(`${type}/${subtype}`), parameters };
    };
    const serialize = ({ essence, parameters }) => {
      let out = essence;
      for (let i = 0; i < parameters.length; i++) {
        const value = parameters[i][1];
        if (matches(token, value)) {
          out += `;${parameters[i][0]}=${value}`;
          continue;
        }
        out += `;${parameters[i][0]}="`;
        for (let k = 0; k < value.length; k++) out += value[k] === '"' || value[k] === "\\" ? `\\${value[k]}` : value[k];
        out += '"';
      }
      return out;
    };

    // The values of a header that lists some, apart by commas that are not quoted.
    const split = (text) => {
      const values = list();
      let from = 0;
      for (let at = 0; at <= text.length; ) {
        if (text[at] === '"') {
          at = quoted(text, at).at;
          continue;
        }
        if (at === text.length || text[at] === ",") {
          values[values.length] = trimmed(StringPrototypeSlice(text, from, at));
          from = at + 1;
        }
        at++;
      }
      return values;
    };
    // What a body's Content-Type says it is, or null.
    const ofHeaders = (headerText) => {
      if (headerText === null) return null;
      let mime = null;
      let charset;
      let essence = null;
      for (let values = split(headerText), i = 0; i < values.length; i++) {
        const one = parse(values[i]);
        if (one === null || one.essence === "*/*") continue;
        mime = one;
        const own = valueOf(one.parameters, "charset");
        if (mime.essence !== essence) {
          charset = own;
          essence = mime.essence;
        } else if (own === undefined && charset !== undefined) {
          const pair = list();
          pair[0] = "charset";
          pair[1] = charset;
          mime.parameters[mime.parameters.length] = pair;
        }
      }
      return mime;
    };
    return { __proto__: null, ofHeaders, parse, serialize, valueOf };
  });
});
