// console (Console Standard): log, info and debug go to stdout, the rest of the loud ones to stderr.
"use strict";

(function (host, shared) {
  const { globalThis, ErrorCaptureStackTrace, Map, MapPrototypeDelete, MapPrototypeGet, MapPrototypeSet } =
    shared.primordials;
  const {
    NumberParseFloat,
    NumberParseInt,
    NumberPrototypeToFixed,
    JSONStringify,
    ReflectDefineProperty,
    ReflectOwnKeys,
  } = shared.primordials;
  const { String, StringPrototypeIncludes, StringPrototypePadEnd, StringPrototypeRepeat } = shared.primordials;
  const {
    ArrayIsArray,
    MathMax,
    MapPrototypeForEach,
    MapPrototypeGetSize,
    SetPrototypeForEach,
    SetPrototypeGetSize,
    StringPrototypeIndexOf,
  } = shared.primordials;
  const { StringPrototypeSlice, SymbolToStringTag } = shared.primordials;
  const { hasBrand, inspect, list } = shared;

  const OUT = 1;
  const ERR = 2;
  let indent = "";
  const counts = new Map();
  const timers = new Map();

  const build = shared.once(() => {
    const print = (fd, text) => {
      if (indent === "") return host.write(fd, `${text}\n`);
      let out = "";
      for (let start = 0; start <= text.length;) {
        const end = StringPrototypeIndexOf(text, "\n", start);
        const stop = end < 0 ? text.length : end;
        out += `${indent}${StringPrototypeSlice(text, start, stop)}\n`;
        start = stop + 1;
      }
      return host.write(fd, out);
    };

    const numeric = (value, parse) => {
      const number = typeof value === "symbol" ? NaN : parse(value);
      return `${number === 0 && 1 / number < 0 ? "-0" : number}`;
    };
    const parseInteger = (value) => NumberParseInt(value, 10);
    const json = (value) => {
      try {
        return JSONStringify(value);
      } catch {
        return "[Circular]";
      }
    };

    // One format specifier applied to a value; undefined for what is none.
    const convert = (specifier, value) => {
      switch (specifier) {
        case "s":
          return String(value);
        case "d":
        case "i":
          return numeric(value, parseInteger);
        case "f":
          return numeric(value, NumberParseFloat);
        case "j":
          return `${json(value)}`;
        case "o":
          return inspect(value, { __proto__: null, depth: 4, quoted: true });
        case "O":
          return inspect(value, { __proto__: null, depth: 2, quoted: true });
        case "c":
          return "";
        default:
          return undefined;
      }
    };

    const format = (args) => {
      if (args.length === 0) return "";
      const first = args[0];
      let next = 1;
      let out = "";
      if (typeof first !== "string") {
        out = inspect(first);
      } else if (args.length === 1 || !StringPrototypeIncludes(first, "%")) {
        out = first;
      } else {
        let start = 0;
        for (let i = 0; i + 1 < first.length; i++) {
          if (first[i] !== "%") continue;
          let text = first[i + 1] === "%" ? "%" : undefined;
          if (text === undefined && next < args.length) {
            text = convert(first[i + 1], args[next]);
            if (text !== undefined) next++;
          }
          if (text === undefined) continue;
          out += StringPrototypeSlice(first, start, i) + text;
          start = i + 2;
          i++;
        }
        out += StringPrototypeSlice(first, start);
      }
      for (; next < args.length; next++) out += ` ${inspect(args[next])}`;
      return out;
    };

    const elapsed = (label) => {
      const started = MapPrototypeGet(timers, label);
      if (started === undefined) {
        print(ERR, `Timer '${label}' does not exist`);
        return undefined;
      }
      const ms = host.now() - started;
      return ms >= 1000 ? `${NumberPrototypeToFixed(ms / 1000, 3)}s` : `${NumberPrototypeToFixed(ms, 3)}ms`;
    };

    // The rows of console.table: [index, value] pairs of anything that has entries.
    const tableRows = (data) => {
      const rows = list();
      const add = (key, value) => (rows[rows.length] = { __proto__: null, key, value });
      if (hasBrand(MapPrototypeGetSize, data))
        MapPrototypeForEach(data, (value, key) => add(inspect(key, { __proto__: null, quoted: true }), value));
      else if (hasBrand(SetPrototypeGetSize, data)) SetPrototypeForEach(data, (value) => add(`${rows.length}`, value));
      else
        for (let keys = ReflectOwnKeys(data), i = 0; i < keys.length; i++)
          if (typeof keys[i] === "string" && !(ArrayIsArray(data) && keys[i] === "length")) add(keys[i], data[keys[i]]);
      return rows;
    };
    const isObject = (value) => typeof value === "object" && value !== null;
    const cell = (value) => inspect(value, { __proto__: null, depth: isObject(value) ? -1 : 0, quoted: true });

    // Header and cells of the table: columns by their title, in the order in which they turned up.
    const tableColumns = (rows, wanted) => {
      const columns = new Map();
      const column = (title) => {
        if (!MapPrototypeGet(columns, title)) MapPrototypeSet(columns, title, list());
        return MapPrototypeGet(columns, title);
      };
      const index = column("(index)");
      const values = list();
      if (wanted) for (let i = 0; i < wanted.length; i++) column(` ${wanted[i]}`);
      for (let i = 0; i < rows.length; i++) {
        const { key, value } = rows[i];
        index[i] = key;
        if (!isObject(value)) {
          values[i] = cell(value);
          continue;
        }
        for (let keys = wanted ?? ReflectOwnKeys(value), k = 0; k < keys.length; k++) {
          if (typeof keys[k] !== "string" || (ArrayIsArray(value) && keys[k] === "length")) continue;
          if (keys[k] in value) column(` ${keys[k]}`)[i] = cell(value[keys[k]]);
        }
      }
      if (values.length) MapPrototypeSet(columns, "Values", values);
      return columns;
    };

    const printTable = (rows, wanted) => {
      const columns = tableColumns(rows, wanted);
      const lines = list();
      for (let i = 0; i < rows.length + 4; i++) lines[i] = "";
      const edges = ["\u250c\u252c\u2510", "\u251c\u253c\u2524", "\u2514\u2534\u2518"];
      let first = true;
      MapPrototypeForEach(columns, (cells, title) => {
        const name = title[0] === " " ? StringPrototypeSlice(title, 1) : title;
        let width = name.length;
        for (let i = 0; i < rows.length; i++) width = MathMax(width, cells[i]?.length ?? 0);
        const bar = StringPrototypeRepeat("\u2500", width + 2);
        const put = (line, text) => (lines[line] += `\u2502 ${StringPrototypePadEnd(text, width)} `);
        lines[0] += (first ? edges[0][0] : edges[0][1]) + bar;
        put(1, name);
        lines[2] += (first ? edges[1][0] : edges[1][1]) + bar;
        for (let i = 0; i < rows.length; i++) put(3 + i, cells[i] ?? "");
        lines[rows.length + 3] += (first ? edges[2][0] : edges[2][1]) + bar;
        first = false;
      });
      let out = "";
      for (let i = 0; i < lines.length; i++) {
        const rule = i === 0 ? edges[0] : i === 2 ? edges[1] : i === lines.length - 1 ? edges[2] : null;
        out += `${i ? "\n" : ""}${lines[i]}${rule ? rule[2] : "\u2502"}`;
      }
      print(OUT, out);
    };

    const methods = {
      log(...data) {
        print(OUT, format(data));
      },
      info(...data) {
        print(OUT, format(data));
      },
      debug(...data) {
        print(OUT, format(data));
      },
      warn(...data) {
        print(ERR, format(data));
      },
      error(...data) {
        print(ERR, format(data));
      },
      trace(...data) {
        const holder = { name: "Trace", message: format(data) };
        ErrorCaptureStackTrace(holder, methods.trace);
        const { stack } = holder;
        print(ERR, typeof stack === "string" ? stack : `Trace: ${holder.message}`);
      },
      assert(condition = false, ...data) {
        if (condition) return;
        const first = data.length && typeof data[0] === "string" ? `Assertion failed: ${data[0]}` : "Assertion failed";
        const skip = typeof data[0] === "string" ? 1 : 0;
        const args = list();
        args[0] = first;
        for (let i = skip; i < data.length; i++) args[args.length] = data[i];
        print(ERR, format(args));
      },
      dir(item = undefined, options = undefined) {
        print(OUT, inspect(item, { __proto__: null, depth: options?.depth === null ? Infinity : options?.depth, quoted: true }));
      },
      dirxml(...data) {
        print(OUT, format(data));
      },
      table(tabularData = undefined, properties = undefined) {
        if (!isObject(tabularData)) return print(OUT, format([tabularData]));
        return printTable(tableRows(tabularData), properties);
      },
      group(...data) {
        if (data.length) print(OUT, format(data));
        indent += "  ";
      },
      groupCollapsed(...data) {
        if (data.length) print(OUT, format(data));
        indent += "  ";
      },
      groupEnd() {
        indent = StringPrototypeSlice(indent, 2);
      },
      clear() {
        indent = "";
      },
      count(label = "default") {
        const name = `${label}`;
        const count = (MapPrototypeGet(counts, name) ?? 0) + 1;
        MapPrototypeSet(counts, name, count);
        print(OUT, `${name}: ${count}`);
      },
      countReset(label = "default") {
        if (!MapPrototypeDelete(counts, `${label}`)) print(ERR, `Count for '${label}' does not exist`);
      },
      time(label = "default") {
        const name = `${label}`;
        if (MapPrototypeGet(timers, name) !== undefined) print(ERR, `Timer '${name}' already exists`);
        else MapPrototypeSet(timers, name, host.now());
      },
      timeLog(label = "default", ...data) {
        const ms = elapsed(`${label}`);
        if (ms !== undefined) print(OUT, `${label}: ${ms}${data.length ? ` ${format(data)}` : ""}`);
      },
      timeEnd(label = "default") {
        const ms = elapsed(`${label}`);
        if (ms === undefined) return;
        MapPrototypeDelete(timers, `${label}`);
        print(OUT, `${label}: ${ms}`);
      },
    };

    // A Web IDL namespace object; the Console Standard wants an empty object between it and Object.prototype.
    const console = { __proto__: {} };
    for (const name in methods) shared.define(console, name, methods[name], true);
    ReflectDefineProperty(console, SymbolToStringTag, { __proto__: null, value: "console", configurable: true });
    return { __proto__: null, console };
  });
  shared.defineInterfaces(build, "console");

  shared.reportError = (error) => {
    host.write(ERR, `Uncaught ${inspect(error, { __proto__: null, quoted: true })}\n`);
  };
  // Forgets what one call has left behind: groups, counters, timers.
  shared.resetConsole = () => {
    indent = "";
  };
});
