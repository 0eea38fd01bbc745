// The basic URL parser and the URL serializer (URL Standard, "URL parsing", "URL serializing").  Each state of the
// standard's machine is a function of its name; the comments are few because the standard is the comment.
"use strict";

(function (host, shared) {
  const { RegExpPrototypeExec, StringPrototypeCharCodeAt, StringPrototypeEndsWith } = shared.primordials;
  const { StringPrototypeIncludes, StringPrototypeIndexOf, StringPrototypeSlice, StringPrototypeToLowerCase } =
    shared.primordials;
  const { list } = shared;

  shared.urlParser = shared.once(() => {
    const { c0Set, fragmentSet, querySet, specialQuerySet, pathSet, userinfoSet, percentEncode, parseHost, matches } =
      shared.urlHost();

    const ports = { __proto__: null, ftp: 21, file: null, http: 80, https: 443, ws: 80, wss: 443 };
    const isSpecial = (url) => ports[url.scheme] !== undefined;

    const EOF = -1;
    const HASH = 0x23;
    const SLASH = 0x2f;
    const COLON = 0x3a;
    const QUESTION = 0x3f;
    const AT = 0x40;
    const OPEN = 0x5b;
    const BACKSLASH = 0x5c;
    const CLOSE = 0x5d;
    const alpha = (c) => (c | 0x20) >= 0x61 && (c | 0x20) <= 0x7a;
    const digit = (c) => c >= 0x30 && c <= 0x39;
    const endsAuthority = (c, url) =>
      c === EOF || c === SLASH || c === QUESTION || c === HASH || (c === BACKSLASH && isSpecial(url));
    const slashOf = (c, url) => c === SLASH || (c === BACKSLASH && isSpecial(url));

    const driveLetter = /^[A-Za-z][:|]$/;
    const normalDriveLetter = /^[A-Za-z]:$/;
    const startsWithDriveLetter = /^[A-Za-z][:|](?:[/\\?#]|$)/;
    const singleDot = /^(?:\.|%2e)$/i;
    const doubleDot = /^(?:\.|%2e){2}$/i;

    const newRecord = () => ({
      __proto__: null,
      scheme: "",
      username: "",
      password: "",
      host: null, // serialized
      port: null,
      opaque: false, // the path is opaque: a string
      path: list(),
      query: null,
      fragment: null,
    });
    const copyPath = (path) => {
      const copy = list();
      for (let i = 0; i < path.length; i++) copy[i] = path[i];
      return copy;
    };
    const append = (path, segment) => void (path[path.length] = segment);
    const shorten = (url) => {
      const { path } = url;
      if (url.scheme === "file" && path.length === 1 && matches(normalDriveLetter, path[0])) return;
      if (path.length) path.length--;
    };
    const takeAuthority = (url, base) => {
      url.username = base.username;
      url.password = base.password;
      url.host = base.host;
      url.port = base.port;
    };
    const takePath = (url, base) => {
      url.opaque = base.opaque;
      url.path = base.opaque ? base.path : copyPath(base.path);
      url.query = base.query;
    };
    const startQuery = (m) => {
      m.url.query = "";
      m.state = query;
    };
    const startFragment = (m) => {
      m.url.fragment = "";
      m.state = fragment;
    };
    // From `m.at` to the first character that one of `ends` is, or to the end.
    const upTo = (m, ends) => {
      let end = m.at;
      while (end < m.input.length && !ends(StringPrototypeCharCodeAt(m.input, end))) end++;
      const text = StringPrototypeSlice(m.input, m.at, end);
      m.at = end - 1;
      return text;
    };

    // What a state gives: nothing to go on, FAILURE, or DONE (only with a state override).
    const FAILURE = 1;
    const DONE = 2;

    const schemeStart = (m, c) => {
      if (alpha(c)) {
        m.buffer += StringPrototypeToLowerCase(m.input[m.at]);
        m.state = scheme;
      } else if (!m.override) {
        m.state = noScheme;
        m.at--;
      } else {
        return FAILURE;
      }
    };
    const scheme = (m, c) => {
      const { url } = m;
      if (alpha(c) || digit(c) || c === 0x2b || c === 0x2d || c === 0x2e) {
        m.buffer += StringPrototypeToLowerCase(m.input[m.at]);
        return;
      }
      if (c !== COLON) {
        if (m.override) return FAILURE;
        m.buffer = "";
        m.state = noScheme;
        m.at = -1;
        return;
      }
      if (m.override) return overrideScheme(m);
      url.scheme = m.buffer;
      m.buffer = "";
      if (url.scheme === "file") m.state = file;
      else if (isSpecial(url) && m.base && m.base.scheme === url.scheme) m.state = specialRelativeOrAuthority;
      else if (isSpecial(url)) m.state = specialAuthoritySlashes;
      else if (m.input[m.at + 1] === "/") {
        m.state = pathOrAuthority;
        m.at++;
      } else {
        url.opaque = true;
        url.path = "";
        m.state = opaquePath;
      }
    };
    const overrideScheme = (m) => {
      const { url, buffer } = m;
      if (isSpecial(url) !== (ports[buffer] !== undefined)) return DONE;
      if ((hasCredentials(url) || url.port !== null) && buffer === "file") return DONE;
      if (url.scheme === "file" && (url.host === null || url.host === "")) return DONE;
      url.scheme = buffer;
      if (url.port === ports[buffer]) url.port = null;
      return DONE;
    };
    const noScheme = (m, c) => {
      const { base, url } = m;
      if (base === null || (base.opaque && c !== HASH)) return FAILURE;
      if (base.opaque) {
        url.scheme = base.scheme;
        takePath(url, base);
        startFragment(m);
      } else {
        m.state = base.scheme === "file" ? file : relative;
        m.at--;
      }
    };
    const specialRelativeOrAuthority = (m, c) => {
      if (c === SLASH && m.input[m.at + 1] === "/") {
        m.state = specialAuthorityIgnoreSlashes;
        m.at++;
      } else {
        m.state = relative;
        m.at--;
      }
    };
    const pathOrAuthority = (m, c) => {
      if (c === SLASH) {
        m.state = authority;
      } else {
        m.state = path;
        m.at--;
      }
    };
    const relative = (m, c) => {
      const { base, url } = m;
      url.scheme = base.scheme;
      if (slashOf(c, url)) {
        m.state = relativeSlash;
        return;
      }
      takeAuthority(url, base);
      takePath(url, base);
      if (c === QUESTION) startQuery(m);
      else if (c === HASH) startFragment(m);
      else if (c !== EOF) {
        url.query = null;
        shorten(url);
        m.state = path;
        m.at--;
      }
    };
    const relativeSlash = (m, c) => {
      if (isSpecial(m.url) && (c === SLASH || c === BACKSLASH)) {
        m.state = specialAuthorityIgnoreSlashes;
      } else if (c === SLASH) {
        m.state = authority;
      } else {
        takeAuthority(m.url, m.base);
        m.state = path;
        m.at--;
      }
    };
    const specialAuthoritySlashes = (m, c) => {
      m.state = specialAuthorityIgnoreSlashes;
      if (c === SLASH && m.input[m.at + 1] === "/") m.at++;
      else m.at--;
    };
    const specialAuthorityIgnoreSlashes = (m, c) => {
      if (c === SLASH || c === BACKSLASH) return;
      m.state = authority;
      m.at--;
    };

    const authority = (m, c) => {
      const { url } = m;
      if (c === AT) {
        if (m.seenAt) m.buffer = `%40${m.buffer}`;
        m.seenAt = true;
        const colon = m.seenPassword ? -1 : StringPrototypeIndexOf(m.buffer, ":");
        if (m.seenPassword) {
          url.password += percentEncode(m.buffer, userinfoSet);
        } else if (colon < 0) {
          url.username += percentEncode(m.buffer, userinfoSet);
        } else {
          m.seenPassword = true;
          url.username += percentEncode(StringPrototypeSlice(m.buffer, 0, colon), userinfoSet);
          url.password += percentEncode(StringPrototypeSlice(m.buffer, colon + 1), userinfoSet);
        }
        m.buffer = "";
      } else if (endsAuthority(c, url)) {
        if (m.seenAt && m.buffer === "") return FAILURE;
        m.at -= m.buffer.length + 1;
        m.buffer = "";
        m.state = hostState;
      } else {
        m.buffer += upTo(m, (unit) => unit === AT || endsAuthority(unit, url));
      }
    };
    const hostState = (m, c) => {
      const { url } = m;
      if (m.override && url.scheme === "file") {
        m.at--;
        m.state = fileHost;
      } else if (c === COLON && !m.inBrackets) {
        if (m.buffer === "" || m.override === hostname) return FAILURE;
        if (!setHost(m)) return FAILURE;
        m.state = port;
      } else if (endsAuthority(c, url)) {
        m.at--;
        if (m.buffer === "") {
          if (isSpecial(url)) return FAILURE;
          if (m.override && (hasCredentials(url) || url.port !== null)) return FAILURE;
        }
        if (!setHost(m)) return FAILURE;
        m.state = pathStart;
        if (m.override) return DONE;
      } else {
        if (c === OPEN) m.inBrackets = true;
        if (c === CLOSE) m.inBrackets = false;
        m.buffer += m.input[m.at];
      }
    };
    const hostname = (m, c) => hostState(m, c); // the same, told apart where it is the override
    const setHost = (m) => {
      const parsed = parseHost(m.buffer, !isSpecial(m.url));
      if (parsed === null) return false;
      m.url.host = parsed;
      m.buffer = "";
      return true;
    };
    const port = (m, c) => {
      const { url } = m;
      if (digit(c)) {
        m.buffer += m.input[m.at];
        return;
      }
      if (!endsAuthority(c, url) && !m.override) return FAILURE;
      if (m.buffer !== "") {
        const number = +m.buffer;
        if (number > 65535) return FAILURE;
        url.port = number === ports[url.scheme] ? null : number;
        m.buffer = "";
        if (m.override) return DONE;
      }
      if (m.override) return FAILURE;
      m.state = pathStart;
      m.at--;
    };

    const file = (m, c) => {
      const { base, url } = m;
      url.scheme = "file";
      url.host = "";
      if (c === SLASH || c === BACKSLASH) {
        m.state = fileSlash;
      } else if (base && base.scheme === "file") {
        url.host = base.host;
        takePath(url, base);
        if (c === QUESTION) startQuery(m);
        else if (c === HASH) startFragment(m);
        else if (c !== EOF) {
          url.query = null;
          if (!matches(startsWithDriveLetter, StringPrototypeSlice(m.input, m.at))) shorten(url);
          else url.path = list();
          m.state = path;
          m.at--;
        }
      } else {
        m.state = path;
        m.at--;
      }
    };
    const fileSlash = (m, c) => {
      const { base, url } = m;
      if (c === SLASH || c === BACKSLASH) {
        m.state = fileHost;
        return;
      }
      if (base && base.scheme === "file") {
        url.host = base.host;
        const rest = StringPrototypeSlice(m.input, m.at);
        if (!matches(startsWithDriveLetter, rest) && base.path.length && matches(normalDriveLetter, base.path[0]))
          append(url.path, base.path[0]);
      }
      m.state = path;
      m.at--;
    };
    const fileHost = (m, c) => {
      const { url } = m;
      if (c !== EOF && c !== SLASH && c !== BACKSLASH && c !== QUESTION && c !== HASH) {
        m.buffer += m.input[m.at];
        return;
      }
      m.at--;
      if (!m.override && matches(driveLetter, m.buffer)) {
        m.state = path; // the buffer goes along
        return;
      }
      if (m.buffer === "") {
        url.host = "";
      } else {
        if (!setHost(m)) return FAILURE;
        if (url.host === "localhost") url.host = "";
      }
      if (m.override) return DONE;
      m.state = pathStart;
    };

    const pathStart = (m, c) => {
      const { url } = m;
      if (isSpecial(url)) {
        m.state = path;
        if (c !== SLASH && c !== BACKSLASH) m.at--;
      } else if (!m.override && c === QUESTION) {
        startQuery(m);
      } else if (!m.override && c === HASH) {
        startFragment(m);
      } else if (c !== EOF) {
        m.state = path;
        if (c !== SLASH) m.at--;
      } else if (m.override && url.host === null) {
        append(url.path, "");
      }
    };
    const path = (m, c) => {
      const { url } = m;
      const slash = slashOf(c, url);
      const ends = (unit) => slashOf(unit, url) || (!m.override && (unit === QUESTION || unit === HASH));
      if (c !== EOF && !ends(c)) {
        m.buffer += percentEncode(upTo(m, ends), pathSet);
        return;
      }
      if (matches(doubleDot, m.buffer)) {
        shorten(url);
        if (!slash) append(url.path, "");
      } else if (matches(singleDot, m.buffer)) {
        if (!slash) append(url.path, "");
      } else {
        if (url.scheme === "file" && url.path.length === 0 && matches(driveLetter, m.buffer))
          m.buffer = `${m.buffer[0]}:`;
        append(url.path, m.buffer);
      }
      m.buffer = "";
      if (c === QUESTION) startQuery(m);
      if (c === HASH) startFragment(m);
    };
    const opaquePath = (m, c) => {
      const { url } = m;
      if (c === QUESTION) startQuery(m);
      else if (c === HASH) startFragment(m);
      else if (c !== EOF) {
        const text = upTo(m, (unit) => unit === QUESTION || unit === HASH);
        const more = m.at + 1 < m.input.length;
        // Only the last space before a query or fragment is encoded.
        if (more && StringPrototypeEndsWith(text, " "))
          url.path += `${percentEncode(StringPrototypeSlice(text, 0, text.length - 1), c0Set)}%20`;
        else url.path += percentEncode(text, c0Set);
      }
    };
    const query = (m, c) => {
      const { url } = m;
      if (c === HASH && !m.override) startFragment(m);
      else if (c !== EOF) {
        const text = upTo(m, (unit) => unit === HASH && !m.override);
        url.query += percentEncode(text, isSpecial(url) ? specialQuerySet : querySet);
      }
    };
    const fragment = (m, c) => {
      if (c !== EOF)
        m.url.fragment += percentEncode(
          upTo(m, () => false),
          fragmentSet,
        );
    };

    const outer = /^[\0- ]*([^]*?)[\0- ]*$/;
    const tabOrNewline = /[\t\n\r]/;
    const withoutTabs = (text) => {
      if (!matches(tabOrNewline, text)) return text;
      let out = "";
      for (let i = 0; i < text.length; i++) if (!StringPrototypeIncludes("\t\n\r", text[i])) out += text[i];
      return out;
    };
    const trim = (text) => {
      const first = StringPrototypeCharCodeAt(text, 0);
      const last = StringPrototypeCharCodeAt(text, text.length - 1);
      return first <= 0x20 || last <= 0x20 ? RegExpPrototypeExec(outer, text)[1] : text;
    };

    const run = (input, base, url, override) => {
      const m = {
        __proto__: null,
        input: withoutTabs(input),
        at: 0,
        buffer: "",
        state: override ?? schemeStart,
        override,
        url,
        base,
        seenAt: false,
        inBrackets: false,
        seenPassword: false,
      };
      for (; ; m.at++) {
        const c = m.at < m.input.length ? StringPrototypeCharCodeAt(m.input, m.at) : EOF;
        const outcome = m.state(m, c);
        if (outcome) return outcome === DONE;
        if (m.at >= m.input.length) return true;
      }
    };

    const hasCredentials = (url) => url.username !== "" || url.password !== "";
    const pathText = (url) => {
      if (url.opaque) return url.path;
      let out = "";
      for (let i = 0; i < url.path.length; i++) out += `/${url.path[i]}`;
      return out;
    };

    return {
      __proto__: null,
      // The record of a USVString, or null for failure.
      parse: (input, base) => {
        const url = newRecord();
        return run(trim(input), base, url, undefined) ? url : null;
      },
      // Changes `url` by one of `states`; false for failure, which may leave it half changed only where the
      // standard does so too.
      modify: (url, input, state) => run(input, null, url, state),
      states: { __proto__: null, schemeStart, host: hostState, hostname, port, pathStart, query, fragment },
      isSpecial,
      hasCredentials,
      pathText,
      hostText: (url) => (url.host === null ? "" : url.port === null ? url.host : `${url.host}:${url.port}`),
      serialize: (url) => {
        let out = `${url.scheme}:`;
        if (url.host !== null) {
          out += "//";
          if (hasCredentials(url)) {
            out += url.username;
            if (url.password !== "") out += `:${url.password}`;
            out += "@";
          }
          out += url.host;
          if (url.port !== null) out += `:${url.port}`;
        } else if (!url.opaque && url.path.length > 1 && url.path[0] === "") {
          out += "/.";
        }
        out += pathText(url);
        if (url.query !== null) out += `?${url.query}`;
        if (url.fragment !== null) out += `#${url.fragment}`;
        return out;
      },
    };
  });
});
