// inspect(value, options): a value as text for people, in the manner of Node's util.inspect.  Getters are not invoked.
"use strict";

(function (host, shared) {
  const p = shared.primordials;
  const { ArrayIsArray, ReflectGetOwnPropertyDescriptor, ReflectGetPrototypeOf, ReflectOwnKeys } = p;
  const { RegExpPrototypeExec, StringPrototypeSlice, StringPrototypeIncludes, StringPrototypeRepeat } = p;
  const {
    StringPrototypeCharCodeAt,
    StringPrototypePadStart,
    StringPrototypeStartsWith,
    NumberPrototypeToString,
    SymbolPrototypeToString,
  } = p;
  const { list } = shared;

  // How to show what is special about an object, found by the prototypes it has; a function that gives undefined for an
  // object that only looks like one.  Platform classes add theirs: shared.inspectors.
  const inspectors = new p.Map();
  shared.inspectors = { __proto__: null, add: (prototype, show) => p.MapPrototypeSet(inspectors, prototype, show) };
  const add = shared.inspectors.add;

  const build = shared.once(() => {
    const WIDTH = 80;
    const MOST_ITEMS = 100;
    const MOST_CHARS = 10000;
    const MOST_PROTOTYPES = 1000; // a proxy's chain of them may have no end
    const FIT_DEPTH = 2; // an object with more levels than this below it is always broken into lines

    const identifier = /^[A-Za-z_$][\w$]*$/;
    const index = /^(?:0|[1-9]\d{0,9})$/;
    const special = /[\x00-\x1f\x27\\\x7f-\x9f\ud800-\udfff]/;
    const escapes = { __proto__: null, 8: "\\b", 9: "\\t", 10: "\\n", 11: "\\v", 12: "\\f", 13: "\\r", 92: "\\\\" };

    const quote = (text) => {
      if (RegExpPrototypeExec(special, text) === null) return `'${text}'`;
      const mark = !StringPrototypeIncludes(text, "'") ? "'" : !StringPrototypeIncludes(text, '"') ? '"' : "`";
      const usable = mark !== "`" || !(StringPrototypeIncludes(text, "`") || StringPrototypeIncludes(text, "${"));
      const used = usable ? mark : "'";
      let out = used;
      for (let i = 0; i < text.length; i++) {
        const unit = StringPrototypeCharCodeAt(text, i);
        const pair = (unit & 0xfc00) === 0xd800 && (StringPrototypeCharCodeAt(text, i + 1) & 0xfc00) === 0xdc00;
        if (pair) out += text[i] + text[++i];
        else if (text[i] === used) out += `\\${used}`;
        else if (escapes[unit]) out += escapes[unit];
        else if (unit < 0x20 || (unit >= 0x7f && unit <= 0x9f)) out += `\\x${hex(unit, 2)}`;
        else if (unit >= 0xd800 && unit <= 0xdfff) out += `\\u${NumberPrototypeToString(unit, 16)}`;
        else out += text[i];
      }
      return out + used;
    };
    const hex = (number, digits) =>
      StringPrototypePadStart(p.StringPrototypeToUpperCase(NumberPrototypeToString(number, 16)), digits, "0");

    const formatString = (text) => {
      if (text.length <= MOST_CHARS) return quote(text);
      const more = text.length - MOST_CHARS;
      return `${quote(StringPrototypeSlice(text, 0, MOST_CHARS))}... ${more} more character${more > 1 ? "s" : ""}`;
    };
    const formatNumber = (number) => (number === 0 && 1 / number < 0 ? "-0" : `${number}`);

    const formatPrimitive = (value) => {
      switch (typeof value) {
        case "string":
          return formatString(value);
        case "number":
          return formatNumber(value);
        case "bigint":
          return `${value}n`;
        case "symbol":
          return SymbolPrototypeToString(value);
        default:
          return `${value}`;
      }
    };

    const formatKey = (key) => {
      if (typeof key === "symbol") return `[${SymbolPrototypeToString(key)}]`;
      return RegExpPrototypeExec(identifier, key) !== null ? key : quote(key);
    };

    // The value of a data property of `object` or of its prototypes; undefined where it is an accessor.
    const dataProperty = (object, key) => {
      let steps = 0;
      for (let holder = object; holder !== null && steps++ < MOST_PROTOTYPES; holder = ReflectGetPrototypeOf(holder)) {
        const found = ReflectGetOwnPropertyDescriptor(holder, key);
        if (found) return found.value;
      }
      return undefined;
    };

    const tryOr = (read, value) => {
      try {
        return read(value);
      } catch {
        return undefined;
      }
    };

    const boxed = (name, valueOf) => (object) => {
      const value = tryOr(valueOf, object);
      return value === undefined
        ? undefined
        : { __proto__: null, base: `[${name}: ${formatPrimitive(value)}]`, skipIndices: name === "String" };
    };
    add(p.Number.prototype, boxed("Number", p.NumberPrototypeValueOf));
    add(p.String.prototype, boxed("String", p.StringPrototypeValueOf));
    add(p.Boolean.prototype, boxed("Boolean", p.BooleanPrototypeValueOf));
    add(p.BigInt.prototype, boxed("BigInt", p.BigIntPrototypeValueOf));
    add(p.Symbol.prototype, boxed("Symbol", p.SymbolPrototypeValueOf));
    add(p.RegExpPrototype, (object) => {
      const source = tryOr(p.RegExpPrototypeGetSource, object);
      return source === undefined ? undefined : { __proto__: null, base: `/${source}/${tryOr(p.RegExpPrototypeGetFlags, object)}` };
    });
    add(p.DatePrototype, (object) => {
      const time = tryOr(p.DatePrototypeGetTime, object);
      if (time === undefined) return undefined;
      return { __proto__: null, base: time === time ? p.DatePrototypeToISOString(object) : "Invalid Date" };
    });
    add(p.ErrorPrototype, (object, name) => ({ __proto__: null, base: formatError(object, name), isError: true }));
    add(p.Map.prototype, (object) => {
      const size = tryOr(p.MapPrototypeGetSize, object);
      if (size === undefined) return undefined;
      return {
        __proto__: null,
        size,
        items: (out, format) => {
          let shown = 0;
          p.MapPrototypeForEach(object, (value, key) => {
            if (shown++ < MOST_ITEMS) out[out.length] = `${format(key)} => ${format(value)}`;
          });
          addMore(out, shown - MOST_ITEMS);
        },
      };
    });
    add(p.Set.prototype, (object) => {
      const size = tryOr(p.SetPrototypeGetSize, object);
      if (size === undefined) return undefined;
      return {
        __proto__: null,
        size,
        items: (out, format) => {
          let shown = 0;
          p.SetPrototypeForEach(object, (value) => {
            if (shown++ < MOST_ITEMS) out[out.length] = format(value);
          });
          addMore(out, shown - MOST_ITEMS);
        },
      };
    });
    add(p.TypedArrayPrototype, (object) => {
      const tag = p.TypedArrayPrototypeGetToStringTag(object);
      if (tag === undefined) return undefined;
      const size = p.TypedArrayPrototypeGetLength(object);
      return {
        __proto__: null,
        size,
        name: tag,
        brackets: "[]",
        skipIndices: true,
        items: (out) => {
          for (let i = 0; i < size && i < MOST_ITEMS; i++) out[i] = formatPrimitive(object[i]);
          addMore(out, size - MOST_ITEMS);
        },
      };
    });
    add(p.ArrayBufferPrototype, (object) => {
      const size = tryOr(p.ArrayBufferPrototypeGetByteLength, object);
      if (size === undefined) return undefined;
      return {
        __proto__: null,
        items: (out) => {
          const shown = p.MathMin(size, 50);
          const bytes = tryOr(() => new p.Uint8Array(object, 0, shown), object);
          let text = "";
          for (let i = 0; bytes && i < shown; i++)
            text += (i ? " " : "") + StringPrototypePadStart(NumberPrototypeToString(bytes[i], 16), 2, "0");
          if (size > shown) text += ` ... ${size - shown} more byte${size - shown > 1 ? "s" : ""}`;
          out[0] = `[Uint8Contents]: <${text}>`;
          out[1] = `byteLength: ${size}`;
        },
      };
    });
    add(p.DataView.prototype, (object) => {
      const byteLength = tryOr(p.DataViewPrototypeGetByteLength, object);
      if (byteLength === undefined) return undefined;
      return {
        __proto__: null,
        items: (out, format) => {
          out[0] = `byteLength: ${byteLength}`;
          out[1] = `byteOffset: ${p.DataViewPrototypeGetByteOffset(object)}`;
          out[2] = `buffer: ${format(p.DataViewPrototypeGetBuffer(object))}`;
        },
      };
    });
    const unknownItems = () => ({ __proto__: null, items: (out) => void (out[0] = "<items unknown>") });
    add(p.WeakMap.prototype, unknownItems);
    add(p.WeakSet.prototype, unknownItems);

    const addMore = (out, more) => {
      if (more > 0) out[out.length] = `... ${more} more item${more > 1 ? "s" : ""}`;
    };

    // The stack, which begins with the error's name and message as they were when it was made.  Where the class has a
    // name that the error has not taken over, it is put there.
    const formatError = (error, className) => {
      const stack = tryOr((object) => object.stack, error);
      if (typeof stack === "string" && stack) {
        const name = dataProperty(error, "name");
        const renamed =
          className !== null &&
          typeof name === "string" &&
          name !== className &&
          StringPrototypeStartsWith(stack, name) &&
          !StringPrototypeIncludes(stack, className);
        const text = renamed ? className + StringPrototypeSlice(stack, name.length) : stack;
        return StringPrototypeIncludes(text, "\n    at") ? text : `[${text}]`;
      }
      const text = tryOr(p.ErrorPrototypeToString, error);
      return `[${typeof text === "string" && text ? text : className || "Error"}]`;
    };

    const formatFunction = (value, className) => {
      const source = tryOr(p.FunctionPrototypeToString, value) ?? "";
      const name = dataProperty(value, "name");
      const known = typeof name === "string" && name !== "";
      if (RegExpPrototypeExec(/^class\b/, source) !== null) {
        const parent = ReflectGetPrototypeOf(value);
        const parentName = typeof parent === "function" ? dataProperty(parent, "name") : "";
        const suffix = typeof parentName === "string" && parentName ? ` extends ${parentName}` : "";
        return `[class ${known ? name : "(anonymous)"}${suffix}]`;
      }
      const kind = className && className !== "Object" ? className : "Function";
      return known ? `[${kind}: ${name}]` : `[${kind} (anonymous)]`;
    };

    // What the prototypes of an object say: its class's name and its inspector's answer.
    const classify = (object) => {
      let name = null;
      let shown;
      let holder = ReflectGetPrototypeOf(object);
      const nullPrototype = holder === null;
      for (let steps = 0; holder !== null && steps < MOST_PROTOTYPES; holder = ReflectGetPrototypeOf(holder), steps++) {
        if (name === null) {
          const constructor = ReflectGetOwnPropertyDescriptor(holder, "constructor")?.value;
          const given = typeof constructor === "function" ? dataProperty(constructor, "name") : undefined;
          if (typeof given === "string" && given !== "") name = given;
        }
        if (shown === undefined) shown = p.MapPrototypeGet(inspectors, holder)?.(object, name);
      }
      return { __proto__: null, name, shown, nullPrototype };
    };

    const formatProperties = (context, object, out, level, skipIndices, hidden) => {
      const keys = ReflectOwnKeys(object);
      for (let i = 0; i < keys.length; i++) {
        const key = keys[i];
        if (skipIndices && typeof key === "string" && RegExpPrototypeExec(index, key) !== null) continue;
        const property = ReflectGetOwnPropertyDescriptor(object, key);
        if (!property || (!property.enumerable && !(hidden && (key === "cause" || key === "errors")))) continue;
        let text;
        if (property.get) text = property.set ? "[Getter/Setter]" : "[Getter]";
        else if (property.set) text = "[Setter]";
        else text = formatValue(context, property.value, level + 1, true);
        out[out.length] = `${property.enumerable ? formatKey(key) : `[${key}]`}: ${text}`;
      }
    };

    const formatElements = (context, array, out, level) => {
      const { length } = array;
      let holes = 0;
      const flush = () => {
        if (holes) out[out.length] = `<${holes} empty item${holes > 1 ? "s" : ""}>`;
        holes = 0;
      };
      let i = 0;
      for (; i < length && out.length < MOST_ITEMS; i++) {
        const property = ReflectGetOwnPropertyDescriptor(array, `${i}`);
        if (!property) {
          // A sparse array may be four billion long: jump to its next index.
          const next = nextIndex(array, i, length);
          holes = next - i;
          i = next - 1;
          flush();
          continue;
        }
        if (property.get || property.set) out[out.length] = property.get ? "[Getter]" : "[Setter]";
        else out[out.length] = formatValue(context, property.value, level + 1, true);
      }
      addMore(out, length - i);
    };
    const nextIndex = (array, from, length) => {
      for (let i = from + 1; i < from + 64 && i < length; i++)
        if (ReflectGetOwnPropertyDescriptor(array, `${i}`)) return i;
      const keys = ReflectOwnKeys(array); // ascending indices first
      for (let i = 0; i < keys.length; i++) {
        if (typeof keys[i] !== "string" || RegExpPrototypeExec(index, keys[i]) === null) break;
        if (+keys[i] > from) return +keys[i];
      }
      return length;
    };

    // The text of an object whose parts are `out`, on one line where that can be read.
    const assemble = (context, prefix, open, close, out, level, isList) => {
      if (out.length === 0) return `${prefix}${open}${close}`;
      let total = 2 * out.length + prefix.length + open.length + 2 * level + 10;
      let broken = context.deepest - level > FIT_DEPTH || StringPrototypeIncludes(prefix, "\n"); // a stack
      if (context.deepest < level) context.deepest = level;
      let plain = true;
      for (let i = 0; i < out.length; i++) {
        total += out[i].length;
        if (StringPrototypeIncludes(out[i], "\n")) broken = true;
        if (out[i].length > 16 && !StringPrototypeStartsWith(out[i], "... ")) plain = false;
      }
      let line = "";
      if (!broken && total <= WIDTH) {
        for (let i = 0; i < out.length; i++) line += (i ? ", " : "") + out[i];
        return `${prefix}${open} ${line} ${close}`;
      }
      const indent = `\n${StringPrototypeRepeat("  ", level + 1)}`;
      let text = `${prefix}${open}`;
      for (let i = 0; i < out.length; i++) {
        const comma = i + 1 < out.length ? "," : "";
        if (isList && plain && !broken && line !== "" && line.length + out[i].length + 2 * level < WIDTH - 4) {
          line += ` ${out[i]}${comma}`;
          continue;
        }
        if (line !== "") text += indent + line;
        line = out[i] + comma;
      }
      return `${text}${indent}${line}\n${StringPrototypeRepeat("  ", level)}${close}`;
    };

    const isEmpty = (object) => ReflectOwnKeys(object).length === (ArrayIsArray(object) ? 1 : 0) && plainest(object);
    const plainest = (object) => {
      const prototype = ReflectGetPrototypeOf(object);
      return prototype === p.ObjectPrototype || prototype === p.ArrayPrototype;
    };

    const formatObject = (context, object, level) => {
      const { name, shown, nullPrototype } = classify(object);
      const isArray = ArrayIsArray(object);
      const isFunction = typeof object === "function";
      let className = shown?.name && name === null ? shown.name : name;
      if (nullPrototype || className === null)
        className = `[${shown?.name ?? (isFunction ? "Function" : "Object")}: null prototype]`;
      const tag = tryOr((value) => dataProperty(value, p.SymbolToStringTag), object);
      const tagged = typeof tag === "string" && tag && tag !== className ? ` [${tag}]` : "";

      if (context.depth < level && !isEmpty(object)) {
        if (isArray) return `[${className === "Array" ? "Array" : className}]`;
        if (!shown?.base && !isFunction) return `[${className}${tagged}]`;
      }
      const out = list();
      let base = isFunction ? formatFunction(object, className) : (shown?.base ?? "");
      if (shown?.isError && level > 0 && base) base = indented(base, level);
      let open = "{";
      let close = "}";
      let prefix = className === "Object" && !tagged ? "" : `${className}${tagged} `;
      if (isArray) {
        open = "[";
        close = "]";
        prefix = className === "Array" ? "" : `${className}(${object.length}) `;
        formatElements(context, object, out, level);
      } else if (shown?.items) {
        if (shown.brackets) {
          open = "[";
          close = "]";
        }
        prefix = shown.size === undefined ? prefix : `${className}(${shown.size})${tagged} `;
        shown.items(out, (value) => formatValue(context, value, level + 1, true));
      } else if (shown?.fields) {
        for (const key in shown.fields)
          out[out.length] = `${key}: ${formatValue(context, shown.fields[key], level + 1, true)}`;
      }
      formatProperties(context, object, out, level, isArray || shown?.skipIndices, shown?.isError);
      if (base) {
        if (out.length === 0) return base;
        prefix = `${base} `;
      }
      return assemble(context, prefix, open, close, out, level, isArray || shown?.brackets === "[]");
    };

    const indented = (text, level) => {
      const pad = StringPrototypeRepeat("  ", level);
      let out = "";
      for (let i = 0; i < text.length; i++) out += text[i] === "\n" ? `\n${pad}` : text[i];
      return out;
    };

    const formatValue = (context, value, level, nested) => {
      if (value === null || (typeof value !== "object" && typeof value !== "function"))
        return !nested && typeof value === "string" ? value : formatPrimitive(value);
      for (let i = 0; i < context.open.length; i++) {
        if (context.open[i] !== value) continue;
        let reference = p.MapPrototypeGet(context.circular, value);
        if (reference === undefined) {
          reference = p.MapPrototypeGetSize(context.circular) + 1;
          p.MapPrototypeSet(context.circular, value, reference);
        }
        return `[Circular *${reference}]`;
      }
      context.open[context.open.length] = value;
      const outerDeepest = context.deepest;
      context.deepest = 0;
      let text;
      try {
        text = formatObject(context, value, level);
      } catch {
        text = "[Object that throws when looked at]"; // a proxy's traps, or out of stack
      }
      context.open.length--;
      if (context.deepest < outerDeepest) context.deepest = outerDeepest;
      const reference = p.MapPrototypeGet(context.circular, value);
      return reference === undefined ? text : `<ref *${reference}> ${text}`;
    };

    return (value, options) => {
      const context = {
        __proto__: null,
        // Every level is indented anew by each level above it: without an end, a deep value takes for ever.
        depth: p.MathMin(options?.depth ?? 2, 100),
        open: list(), // the objects being shown, outermost first
        circular: new p.Map(),
        deepest: 0, // the level of the deepest object below the one being shown, of those that have parts
      };
      return formatValue(context, value, 0, options?.quoted === true);
    };
  });

  // options.depth: how many levels below the value are shown (default 2, at most 100).
  // options.quoted: quote a string even where it is the value itself.
  shared.inspect = (value, options) => build()(value, options);
});
