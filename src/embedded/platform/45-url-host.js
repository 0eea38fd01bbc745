// Hosts of URLs (URL Standard, "Host parsing" and "Host serializing"), and percent-encoding.
"use strict";

(function (host, shared) {
  const { MathFloor, RegExpPrototypeExec, StringFromCharCode, StringPrototypeCharCodeAt } = shared.primordials;
  const { NumberPrototypeToString, StringPrototypeCodePointAt, StringPrototypeEndsWith } = shared.primordials;
  const { StringPrototypeIncludes, StringPrototypeIndexOf } = shared.primordials;
  const { StringPrototypeSlice, StringPrototypeToLowerCase, StringPrototypeToUpperCase, Uint8Array } =
    shared.primordials;
  const { list } = shared;

  shared.urlHost = shared.once(() => {
    // ---- percent-encoding -------------------------------------------------------------------------------------

    // A set is a string of the ASCII characters above U+001F that are encoded; controls and non-ASCII always are.
    const c0Set = "\x7f";
    const fragmentSet = c0Set + ' "<>`';
    const querySet = c0Set + ' "#<>';
    const specialQuerySet = querySet + "'";
    const pathSet = querySet + "?^`{}";
    const userinfoSet = pathSet + "/:;=@[\\]|";
    const componentSet = userinfoSet + "$%&+,";
    const formSet = componentSet + "!'()~";

    const tables = { __proto__: null };
    const tableOf = (set) => {
      if (tables[set]) return tables[set];
      const table = new Uint8Array(128);
      for (let i = 0; i < 128; i++) table[i] = i < 0x20 || StringPrototypeIncludes(set, StringFromCharCode(i)) ? 1 : 0;
      return (tables[set] = table);
    };
    const byteText = (byte) =>
      `%${byte < 16 ? "0" : ""}${StringPrototypeToUpperCase(NumberPrototypeToString(byte, 16))}`;
    const encodeCodePoint = (c) => {
      if (c < 0x80) return byteText(c);
      if (c < 0x800) return byteText(0xc0 | (c >> 6)) + byteText(0x80 | (c & 0x3f));
      if (c < 0x10000)
        return byteText(0xe0 | (c >> 12)) + byteText(0x80 | ((c >> 6) & 0x3f)) + byteText(0x80 | (c & 0x3f));
      return (
        byteText(0xf0 | (c >> 18)) +
        byteText(0x80 | ((c >> 12) & 0x3f)) +
        byteText(0x80 | ((c >> 6) & 0x3f)) +
        byteText(0x80 | (c & 0x3f))
      );
    };
    // UTF-8 percent-encodes a USVString.
    const percentEncode = (text, set, plusForSpace) => {
      const table = tableOf(set);
      let out = "";
      let start = 0;
      for (let i = 0; i < text.length; i++) {
        const unit = StringPrototypeCharCodeAt(text, i);
        if (unit < 0x80 && table[unit] === 0) continue;
        out += StringPrototypeSlice(text, start, i);
        const c = unit < 0x80 ? unit : StringPrototypeCodePointAt(text, i);
        out += plusForSpace && c === 0x20 ? "+" : encodeCodePoint(c);
        if (c > 0xffff) i++;
        start = i + 1;
      }
      return start === 0 ? text : out + StringPrototypeSlice(text, start);
    };

    const hexValue = (c) =>
      c >= 0x30 && c <= 0x39 ? c - 0x30 : c >= 0x41 && c <= 0x46 ? c - 0x37 : c >= 0x61 && c <= 0x66 ? c - 0x57 : -1;
    const percentDecodeBytes = (text) => {
      const buffer = host.encode(text);
      const bytes = new Uint8Array(buffer);
      const { length } = bytes;
      let end = 0;
      for (let i = 0; i < length; i++) {
        const high = bytes[i] === 0x25 && i + 2 < length ? hexValue(bytes[i + 1]) : -1;
        const low = high < 0 ? -1 : hexValue(bytes[i + 2]);
        bytes[end++] = low < 0 ? bytes[i] : high * 16 + low;
        if (low >= 0) i += 2;
      }
      return new Uint8Array(buffer, 0, end);
    };
    // Percent-decodes a USVString and then decodes it as UTF-8 without BOM.
    const percentDecode = (text) =>
      StringPrototypeIncludes(text, "%") ? host.decodeUtf8(percentDecodeBytes(text), false, true) : text;

    // ---- IPv4 -------------------------------------------------------------------------------------------------

    const split = (text, mark) => {
      const out = list();
      for (let start = 0; ;) {
        const end = StringPrototypeIndexOf(text, mark, start);
        out[out.length] = end < 0 ? StringPrototypeSlice(text, start) : StringPrototypeSlice(text, start, end);
        if (end < 0) return out;
        start = end + 1;
      }
    };
    const matches = (expression, text) => RegExpPrototypeExec(expression, text) !== null;
    const decimal = /^[0-9]+$/;
    const hexNumber = /^0[xX][0-9a-fA-F]*$/;
    const octal = /^0[0-7]*$/;

    // NaN for what is no number.
    const parseIPv4Number = (text) => {
      if (matches(hexNumber, text)) return text.length === 2 ? 0 : +text;
      if (text.length > 1 && text[0] === "0") return matches(octal, text) ? +`0o${text}` : NaN;
      return matches(decimal, text) ? +text : NaN;
    };
    const endsInNumber = (text) => {
      const parts = split(text, ".");
      if (parts[parts.length - 1] === "") {
        if (parts.length === 1) return false;
        parts.length--;
      }
      const last = parts[parts.length - 1];
      return matches(decimal, last) || matches(hexNumber, last);
    };
    const parseIPv4 = (text) => {
      const parts = split(text, ".");
      if (parts[parts.length - 1] === "" && parts.length > 1) parts.length--;
      if (parts.length > 4) return null;
      let address = 0;
      for (let i = 0; i < parts.length; i++) {
        const number = parts[i] === "" ? NaN : parseIPv4Number(parts[i]);
        const last = i === parts.length - 1;
        if (!(number < (last ? 256 ** (5 - parts.length) : 256))) return null;
        address += last ? number : number * 256 ** (3 - i);
      }
      const byte = (n) => MathFloor(address / 256 ** n) % 256;
      return `${byte(3)}.${byte(2)}.${byte(1)}.${byte(0)}`;
    };

    // ---- IPv6 -------------------------------------------------------------------------------------------------

    // The dotted decimal end of an address: fills two pieces; false for what is none.
    const parseEmbeddedIPv4 = (text, from, pieces, piece) => {
      const parts = split(StringPrototypeSlice(text, from), ".");
      if (parts.length !== 4 || piece > 6) return false;
      for (let i = 0; i < 4; i++) {
        if (!matches(decimal, parts[i]) || parts[i].length > 3) return false;
        if ((parts[i].length > 1 && parts[i][0] === "0") || +parts[i] > 255) return false;
        pieces[piece + (i >> 1)] = pieces[piece + (i >> 1)] * 256 + +parts[i];
      }
      return true;
    };
    const parseIPv6 = (text) => {
      const pieces = list();
      for (let i = 0; i < 8; i++) pieces[i] = 0;
      let piece = 0;
      let compress = -1;
      let i = 0;
      if (text[0] === ":") {
        if (text[1] !== ":") return null;
        i = 2;
        compress = ++piece;
      }
      while (i < text.length) {
        if (piece === 8) return null;
        if (text[i] === ":") {
          if (compress >= 0) return null;
          i++;
          compress = ++piece;
          continue;
        }
        const start = i;
        let value = 0;
        for (let digit; i < start + 4 && i < text.length; i++) {
          digit = hexValue(StringPrototypeCharCodeAt(text, i));
          if (digit < 0) break;
          value = value * 16 + digit;
        }
        if (text[i] === ".") {
          if (i === start || !parseEmbeddedIPv4(text, start, pieces, piece)) return null;
          piece += 2;
          break;
        }
        if (text[i] === ":") {
          if (++i === text.length) return null;
        } else if (i < text.length) {
          return null;
        }
        pieces[piece++] = value;
      }
      if (compress >= 0) {
        for (let swaps = piece - compress, to = 7; to !== 0 && swaps > 0; to--, swaps--) {
          const from = compress + swaps - 1;
          const other = pieces[to];
          pieces[to] = pieces[from];
          pieces[from] = other;
        }
      } else if (piece !== 8) {
        return null;
      }
      return serializeIPv6(pieces);
    };
    const serializeIPv6 = (pieces) => {
      let best = -1; // the first longest run of at least two zeros
      let bestLength = 1;
      for (let i = 0; i < 8; i++) {
        let end = i;
        while (end < 8 && pieces[end] === 0) end++;
        if (end - i > bestLength) {
          best = i;
          bestLength = end - i;
        }
        if (end > i) i = end - 1;
      }
      let out = "[";
      for (let i = 0; i < 8; i++) {
        if (i === best) {
          out += i === 0 ? "::" : ":";
          i += bestLength - 1;
          continue;
        }
        out += NumberPrototypeToString(pieces[i], 16) + (i < 7 ? ":" : "");
      }
      return `${out}]`;
    };

    // ---- domains ----------------------------------------------------------------------------------------------

    const forbiddenHost = /[\0\t\n\r #/:<>?@[\\\]^|]/;
    const forbiddenDomain = /[\0-\x20#%/:<>?@[\\\]^|\x7f]/;
    const plainASCII = /^[\0-\x7f]*$/;

    // "domain to ASCII", not strict: what is ASCII already is taken as it is, Punycode or not.
    const domainToASCII = (domain) =>
      matches(plainASCII, domain) ? StringPrototypeToLowerCase(domain) : host.domainToAscii(domain);

    // The serialized host, or null for failure.
    const parseHost = (text, isOpaque) => {
      if (text[0] === "[") {
        if (!StringPrototypeEndsWith(text, "]")) return null;
        return parseIPv6(StringPrototypeSlice(text, 1, text.length - 1));
      }
      if (isOpaque) return matches(forbiddenHost, text) ? null : percentEncode(text, c0Set);
      const ascii = domainToASCII(percentDecode(text));
      if (ascii === null || ascii === "" || matches(forbiddenDomain, ascii)) return null;
      return endsInNumber(ascii) ? parseIPv4(ascii) : ascii;
    };

    return {
      __proto__: null,
      c0Set,
      fragmentSet,
      querySet,
      specialQuerySet,
      pathSet,
      userinfoSet,
      formSet,
      percentEncode,
      percentDecode,
      percentDecodeBytes,
      parseHost,
      split,
      matches,
    };
  });
});
