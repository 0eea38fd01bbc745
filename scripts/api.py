#!/usr/bin/env python3
"""The public interface as its headers declare it: a list to compare releases by, and bindings for Python's ctypes.

    scripts/api.py list   [INCLUDE]    every function, callback, structure and number, one a line
    scripts/api.py ctypes [INCLUDE]    a Python module that binds all of it (docs/bindings.md)

INCLUDE is the directory of aardvark.h; default: the one beside this script.  Needs Python 3.8 and nothing else.
"""

import pathlib
import re
import sys

# ---- headers: comments, directives and macros ------------------------------------------------------------------


def strip_comments(text):
    return re.sub(r"/\*.*?\*/", " ", text, flags=re.S)


def split_arguments(text):
    """What is between the outermost commas."""
    parts, depth, part = [], 0, ""
    for c in text:
        depth += (c in "({[") - (c in ")}]")
        if c == "," and depth == 0:
            parts.append(part.strip())
            part = ""
        else:
            part += c
    return [*parts, part.strip()] if part.strip() or parts else []


def closing(text, at):
    """The place of the bracket that closes the one at `at`."""
    depth = 0
    for i in range(at, len(text)):
        depth += (text[i] in "({[") - (text[i] in ")}]")
        if depth == 0:
            return i
    raise SystemExit("api.py: a bracket is not closed: " + text[at : at + 60])


class Preprocessor:
    """As much of C's as the headers use: conditions on names, constants, and lists of X(...)."""

    def __init__(self, include):
        self.include = include
        self.seen = set()  # headers
        self.macros = {}  # name: (parameters or None, body)

    def expand(self, text):
        out, at = "", 0
        for match in iter(lambda: re.compile(r"\w+").search(text, at), None):
            out += text[at : match.start()]
            at = match.end()
            parameters, body = self.macros.get(match[0], (None, None))
            opens = re.compile(r"\s*\(").match(text, at)
            if body is None or (parameters is not None and not opens):
                out += match[0]
            elif parameters is None:
                out += self.expand(body)
            else:
                at = closing(text, opens.end() - 1) + 1
                given = dict(zip(parameters, split_arguments(text[opens.end() : at - 1])))
                out += self.expand(re.sub(r"\w+", lambda name: given.get(name[0], name[0]), body))
        return out + text[at:]

    def define(self, line):
        match = re.match(r"#\s*define\s+(\w+)(\(([^)]*)\))?\s*(.*)", line)
        parameters = None if match[2] is None else [p.strip() for p in match[3].split(",")]
        self.macros[match[1]] = (parameters, match[4])

    def condition(self, word, rest):
        if word == "if":
            return False  # `defined(__GNUC__)`, for attributes
        return (rest.strip() in self.macros) == (word == "ifdef")

    def run(self, name):
        """The text of a header and of those it includes, each once, without directives and with macros expanded."""
        if name in self.seen:
            return ""
        self.seen.add(name)
        out, shown, text = "", [], (self.include / name).read_text()
        for line in strip_comments(text).replace("\\\n", " ").split("\n"):
            directive = re.match(r"\s*#\s*(\w+)\s*(.*)", line)
            if not directive:
                out += self.expand(line) + "\n" if all(shown) else ""
            elif directive[1] in ("if", "ifdef", "ifndef"):
                shown.append(self.condition(directive[1], directive[2]))
            elif directive[1] == "else":
                shown[-1] = not shown[-1]
            elif directive[1] == "endif":
                shown.pop()
            elif directive[1] == "include" and directive[2].startswith("<aardvark"):
                out += self.run(directive[2].strip("<>"))
            elif directive[1] == "define" and all(shown):
                self.define(line.strip())
            elif directive[1] == "undef" and all(shown):
                self.macros.pop(directive[2].strip(), None)
        return out


# ---- declarations ------------------------------------------------------------------------------------------------


class Parameter:
    """A parameter, or a member of a structure."""

    def __init__(self, text):
        match = re.match(r"(.*?[\s*])(\w+)((?:\[\w+\])?)$", " ".join(text.split()))
        self.type, self.name, self.array = match[1].strip(), match[2], match[3]


def parameters_of(text):
    return [] if text.strip() in ("void", "") else [Parameter(p) for p in split_arguments(text)]


def members_of(text):
    """`uint64_t a, b` is two."""
    for line in filter(str.strip, text.split(";")):
        first, *others = split_arguments(line)
        member = Parameter(first)
        yield member
        base = member.type.rstrip("* ")
        yield from (Parameter(base + " " + other) for other in others)


class Api:
    def __init__(self):
        self.functions = {}  # name: (result, parameters)
        self.callbacks = {}  # the same
        self.structures = {}  # name: members; None = opaque
        self.enums = {}  # name: {constant: number}
        self.version = ""

    def add_enum(self, name, body):
        numbers, number = {}, -1
        for item in split_arguments(body):
            constant, _, value = (part.strip() for part in item.partition("="))
            number = int(value, 0) if value else number + 1
            numbers[constant] = number
        self.enums[name] = numbers

    def add(self, text):
        text = " ".join(text.split())
        if match := re.match(r"typedef enum (\w+) \{(.*)\} \1$", text):
            self.add_enum(match[1], match[2].strip().rstrip(","))
        elif match := re.match(r"typedef struct (\w+) \{(.*)\} \1$", text):
            self.structures[match[1]] = list(members_of(match[2]))
        elif match := re.match(r"typedef struct (\w+) \1$", text):
            self.structures.setdefault(match[1], None)
        elif match := re.match(r"typedef (.*?)\(\*(\w+)\)\((.*)\)$", text):
            self.callbacks[match[2]] = (match[1].strip(), parameters_of(match[3]))
        elif match := re.match(r"(.*?[\s*])(\w+)\((.*)\)$", text):
            self.functions[match[2]] = (match[1].strip(), parameters_of(match[3]))
        elif text:
            raise SystemExit("api.py: this declaration is not understood: " + text)

    def read(self, include):
        preprocessor = Preprocessor(include)
        text, at = preprocessor.run("aardvark.h"), 0
        for match in iter(lambda: re.compile(r"[{;]").search(text, at), None):
            end = match.start()
            if match[0] == "{":
                end = text.index(";", closing(text, end))
            self.add(text[at:end])
            at = end + 1
        self.version = preprocessor.macros["AARD_VERSION_STRING"][1].strip('"')
        return self


# ---- the list ------------------------------------------------------------------------------------------------------


def declared(kind, pointer=""):
    return kind + pointer if kind.endswith("*") else kind + " " + pointer


def shown(name, signature, form="{}"):
    result, parameters = signature
    inside = ", ".join(declared(p.type) + p.name for p in parameters) or "void"
    return declared(result) + form.format(name) + "(" + inside + ")"


def print_list(api):
    lines = [shown(name, signature) for name, signature in api.functions.items()]
    lines.sort(key=lambda line: re.search(r"(\w+)\(", line)[1])
    lines += sorted("typedef " + shown(name, signature, "(*{})") for name, signature in api.callbacks.items())
    for name, members in sorted(api.structures.items()):
        if members is None:
            lines.append("struct " + name)
        else:
            lines += [f"struct {name} {i}: {declared(m.type)}{m.name}{m.array}" for i, m in enumerate(members)]
    for name, numbers in sorted(api.enums.items()):
        lines += [f"enum {name}: {constant} = {number}" for constant, number in numbers.items()]
    print("\n".join(lines))


# ---- ctypes ----------------------------------------------------------------------------------------------------------

SIMPLE = {
    "bool": "c_bool", "int": "c_int", "unsigned": "c_uint", "double": "c_double", "size_t": "c_size_t", "char": "c_char",
    "uint8_t": "c_uint8", "int64_t": "c_int64", "uint64_t": "c_uint64", "uint32_t": "c_uint32",
}  # fmt: skip

PROLOGUE = '''"""Aardvark {version} for ctypes, made from its headers by scripts/api.py: do not edit.

Every function of the library by its own name.  One that returns an error raises Error here.  `load` opens the library;
nothing can be called before.  Objects that the library makes are freed by its own functions, as in C.
"""

import ctypes
import enum
from ctypes import POINTER, c_bool, c_char, c_char_p, c_double, c_int, c_int64, c_size_t, c_uint, c_uint8, c_uint32
from ctypes import c_uint64, c_void_p

VERSION = "{version}"


class Error(Exception):
    """An aard_error: `code` is an aard_error_code, `args[0]` the message."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


'''

EPILOGUE = '''

def _raise(error, function, arguments):
    if not error:
        return None
    code, message = aard_error_get_code(error), aard_error_message(error).decode()
    aard_error_free(error)
    raise Error(aard_error_code(code), message)


def load(path="libaardvark.so"):
    """Opens the library and binds every function; call it once."""
    library = ctypes.CDLL(path)
    for name, result, arguments in FUNCTIONS:
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
        if result is POINTER(aard_error):
            function.errcheck = _raise
        globals()[name] = function
    return library
'''


class Ctypes:
    def __init__(self, api):
        self.api = api

    def type(self, kind):
        """The ctypes expression for a type of C."""
        stars = kind.count("*")
        base = kind.replace("*", " ").replace("const", " ").split()[-1]
        if base == "void":
            return self.pointer("c_void_p", stars - 1) if stars else "None"
        if base == "char" and stars:  # what is not const is the caller's, for aard_string_free
            return self.pointer("c_char_p" if "const" in kind else "c_void_p", stars - 1)
        if base in SIMPLE:
            return self.pointer(SIMPLE[base], stars)
        if base in self.api.enums:
            return self.pointer("c_int", stars)
        if base in self.api.callbacks or base in self.api.structures:
            return self.pointer(base, stars)
        raise SystemExit(f"api.py: the type '{kind}' is not known")

    def pointer(self, name, stars):
        return "POINTER(" * stars + name + ")" * stars

    def given(self, kind, has_length):
        """What the library gives: text that has a length can have NULs in it, which c_char_p would end at."""
        return "POINTER(c_char)" if kind == "const char *" and has_length else self.type(kind)

    def result(self, kind, parameters):
        return self.given(kind, any(p.type == "size_t *" and p.name == "len" for p in parameters))

    def callback(self, signature):
        result, parameters = signature
        lengths = [p.type == "size_t" and p.name == "len" for p in parameters[1:]] + [False]
        kind = self.type(result)  # ctypes takes no typed pointer from a callback
        return ["c_void_p" if kind.startswith("POINTER") else kind] + [self.given(p.type, lengths[i]) for i, p in enumerate(parameters)]

    def print(self):
        api = self.api
        print(PROLOGUE.format(version=api.version), end="")
        for name, numbers in api.enums.items():
            print(f"\nclass {name}(enum.IntEnum):")
            print("".join(f"    {constant} = {number}\n" for constant, number in numbers.items()))
        print("".join(f"\nclass {name}(ctypes.Structure):\n    pass\n\n" for name in api.structures))
        for name, signature in api.callbacks.items():
            print(f"{name} = ctypes.CFUNCTYPE({', '.join(self.callback(signature))})")
        for name, members in api.structures.items():
            if members is not None:
                print(f"{name}._fields_ = [")
                print("".join(f'    ("{m.name}", {self.member(m)}),\n' for m in members) + "]")
        print("\nFUNCTIONS = [")
        for name, (result, parameters) in api.functions.items():
            print(f'    ("{name}", {self.result(result, parameters)}, [{", ".join(self.type(p.type) for p in parameters)}]),')
        print("]\n")
        for name, numbers in api.enums.items():
            print("".join(f"{constant} = {name}.{constant}\n" for constant in numbers), end="")
        print(EPILOGUE, end="")

    def member(self, m):
        return self.type(m.type) + (" * " + m.array.strip("[]") if m.array else "")


def main(arguments):
    if len(arguments) not in (2, 3) or arguments[1] not in ("list", "ctypes"):
        raise SystemExit(__doc__)
    beside = pathlib.Path(__file__).resolve().parent.parent / "include"
    api = Api().read(pathlib.Path(arguments[2]) if len(arguments) > 2 else beside)
    if arguments[1] == "list":
        print_list(api)
    else:
        Ctypes(api).print()


main(sys.argv)
