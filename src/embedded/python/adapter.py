"""The Python end of a call: finds handlers, decodes inputs, encodes results, reports what went wrong.

Every entry gives `bytes` for a value (JSON text) and None for anything else, of which `report()` then gives the JSON text of
one object:

    {"kind": "exception", "type": ..., "value": ..., "traceback": ...}
    {"kind": "adapter_error", "message": ...}
    {"kind": "exit", "exit_code": 0}           the guest ended itself; an exception that did has an exit_code, too
    {"kind": "repr", "repr": ...}              a value of inline code that JSON can't hold
    {"kind": "buffers", "buffers": [{"id": ..., "metadata": {...}}]}

What a guest could replace (modules, builtins) is looked up once, before any guest runs; the builtins here are a copy (adapter.js).
"""

import array as _array_module
import builtins
import linecache
import os
import posix
import sys
from ast import Expr, Expression, PyCF_ALLOW_TOP_LEVEL_AWAIT, PyCF_ONLY_AST
from asyncio import ensure_future
from asyncio.events import _set_running_loop
from atexit import _run_exitfuncs
from importlib import import_module
from importlib._bootstrap_external import FileFinder, _NamespacePath
from importlib.machinery import ModuleSpec, PathFinder
from inspect import CO_COROUTINE, isawaitable, signature
from io import BytesIO, StringIO
from json import JSONDecoder
from json.encoder import c_make_encoder, encode_basestring, encode_basestring_ascii
from posixpath import abspath, dirname, isdir
from re import compile as re_compile
from textwrap import dedent
from tokenize import detect_encoding
from traceback import StackSummary, TracebackException, extract_tb
from types import CoroutineType, TracebackType

import pyodide.ffi
from _pyodide._base import should_quiet
from _pyodide._importhook import jsfinder

_INTERNAL = (
    "<aardvark>",
    "<frozen importlib",
    "/_pyodide/_base.py",
    "/importlib/__init__.py",
    "/asyncio/base_events.py",
)
_PLAIN = frozenset((dict, list, str, int, float, bool, type(None), tuple))
_CELL, _COMMAND, _FILE, _STDIN = range(4)  # aard_source_kind
_LIMIT_SHOWN = 200  # characters of a value that a message repeats

_builtins = builtins.__dict__
_INPUT = "__aardvark_input"
_streams = (sys.stdout, sys.stderr)
_main = sys.modules["__main__"].__dict__
_main_at_first = dict(_main)  # what is not of any step of this guest

for _stream in _streams:
    _stream.reconfigure(line_buffering=True)
sys.set_int_max_str_digits(0)

_loop = aardvark_loop  # noqa: F821 - loop.py's names, put here by adapter.js
_NothingLeft = _loop["NothingLeft"]
_end_pending = _loop["end_pending"]
_forget_pending = _loop["forget_pending"]
_is_pending = _loop["is_pending"]
_end_javascript = _loop["end_javascript"]
_renew_loop = _loop["renew"]
_LoopState = _loop["_State"]
_network = aardvark_network  # noqa: F821 - network.py's names
_system = aardvark_system  # noqa: F821 - system.py's names
_callbacks = aardvark_callbacks  # noqa: F821 - callbacks.py's names


class _State:
    loop = _loop["install"]()  # of all calls
    javascript = False  # whether there is any
    awaited = False  # whether the call under way has turned the loop
    report = b""
    buffers = ()
    mounted = False  # there has been a bundle
    program = False  # what is under way is a whole program
    session = False  # there has been a cell


# ---- JSON ------------------------------------------------------------------------------------------------------


def _refuse_constant(name):
    raise ValueError(f"{name} is not JSON")


_decoder = JSONDecoder(parse_constant=_refuse_constant)
_scan = _decoder.scan_once


def _loads(text):
    if text[0] == "\ufeff":
        raise ValueError("it begins with a byte order mark (BOM), which JSON does not have; leave that out")
    if text[0] not in " \t\r\n":
        value, end = _scan(text, 0)
        if end == len(text):
            return value
    return _decoder.decode(text)


class _Unfit(Exception):
    """A value that JSON can't hold."""


def _unfit(value):
    raise _Unfit


def _make_encoder(encode_string=encode_basestring):
    return c_make_encoder({}, _unfit, encode_string, None, ":", ",", False, False, False)


_encode_value = _make_encoder()


def _dumps(value):
    """JSON text as bytes; raises whatever the encoder raises for a value it can't take."""
    global _encode_value
    try:
        text = "".join(_encode_value(value, 0))
    except BaseException:
        _encode_value = _make_encoder()  # the old one still remembers the containers it was in
        raise
    try:
        return text.encode()
    except UnicodeEncodeError:  # lone surrogates travel as escapes
        return "".join(_make_encoder(encode_basestring_ascii)(value, 0)).encode()


def _path(steps):
    text = "$"
    for key in steps:
        if isinstance(key, str) and key.isidentifier():
            text += f".{key}"
        else:
            text += f"[{_shorten(repr(key))}]"
    return _shorten(text)


def _finite(number):
    return number == number and number not in (float("inf"), float("-inf"))


def _unfit_scalar(value):
    """Why JSON can't hold a value that is no container; None when it can."""
    if isinstance(value, float) and not _finite(value):
        return f"{value!r} is not a JSON number"
    if isinstance(value, (str, bool, int, float, type(None))):
        return None
    return f"{type(value).__name__} is not a JSON type"


def _unfit_key(key):
    if not isinstance(key, (str, int, float, bool, type(None))):
        return f"the key {_shorten(repr(key))} of type {type(key).__name__} is not a JSON key"
    if isinstance(key, float) and not _finite(key):
        return f"the key {key!r} is not a JSON key"
    return None


def _children(container):
    return iter(container.items() if isinstance(container, dict) else enumerate(container))


def _find_unfit(root):
    """Where the first value is that JSON can't hold, and why: (path, reason) or None.  Walks without recursion."""
    steps = []  # the keys from the root to the value at hand
    open_containers = [(None, iter([("", root)]))]  # innermost last
    open_ids = set()
    while open_containers:
        container, children = open_containers[-1]
        for key, value in children:
            if container is not None and (reason := _unfit_key(key)):
                return _path(steps[1:]), reason
            steps.append(key)
            if isinstance(value, (dict, list, tuple)):
                if id(value) in open_ids:
                    return _path(steps[1:]), "it contains itself"
                open_ids.add(id(value))
                open_containers.append((value, _children(value)))
                break
            if reason := _unfit_scalar(value):
                return _path(steps[1:]), reason
            steps.pop()
        else:
            open_containers.pop()
            open_ids.discard(id(container))
            if steps:
                steps.pop()
    return None


def _shorten(text):
    return text if len(text) <= _LIMIT_SHOWN else text[:_LIMIT_SHOWN] + "..."


# ---- reports ---------------------------------------------------------------------------------------------------


def report():
    told, _State.report = _State.report, b""
    return told


def _tell(**fields):
    _State.report = _dumps(fields)


def _refuse(message):
    _tell(kind="adapter_error", message=message)


# What an exception is, whatever its class makes of attributes.
_type_name = type.__dict__["__name__"].__get__
_traceback_of = BaseException.__dict__["__traceback__"].__get__
_with_traceback = BaseException.with_traceback
_print_exception = sys.__excepthook__


def _safely(function, value):
    try:
        return str(function(value))
    except BaseException as error:
        return f"<{function.__name__}() raised {_type_name(type(error))}>"


def _guest_frames(error):
    tb = _traceback_of(error)
    while tb is not None and any(part in tb.tb_frame.f_code.co_filename for part in _INTERNAL):
        tb = tb.tb_next
    last = at = tb
    while at is not None:
        if at.tb_frame.f_code.co_filename != "<aardvark>":
            last = at
        at = at.tb_next
    if last is not None:
        last.tb_next = None
    return tb


class _Stack(StackSummary):
    """Frames of which those at the same place are the same object; its text is made once."""

    def __init__(self, frames, texts):
        super().__init__(frames)
        self.texts = texts

    def format_frame_summary(self, frame_summary, **options):
        text = self.texts.get(id(frame_summary))
        if text is None:
            text = self.texts[id(frame_summary)] = super().format_frame_summary(frame_summary, **options)
        return text


def _format_exception(error, tb):
    """As traceback.format_exception(), which parses the source anew for each frame, also for those it doesn't show:
    a full stack took it tens of milliseconds.  Here the work is done once for each place that frames are at."""
    whole = TracebackException(type(error), error, tb, limit=0, compact=True)  # all but the frames
    parts = [(whole, error, tb)]
    places, first = {}, []
    stacks = []
    limit = getattr(sys, "tracebacklimit", None)
    for part, of, tb in parts:
        stack = []
        while tb is not None and (limit is None or len(stack) < limit):
            place = id(tb.tb_frame.f_code), tb.tb_lasti, tb.tb_lineno
            at = places.setdefault(place, len(first))
            if at == len(first):
                first.append(tb)
            stack.append(at)
            tb = tb.tb_next
        stacks.append(stack)
        if part.__cause__ is not None:
            parts.append((part.__cause__, of.__cause__, of.__cause__.__traceback__))
        if part.__context__ is not None:
            parts.append((part.__context__, of.__context__, of.__context__.__traceback__))
        for inner, one in zip(part.exceptions, of.exceptions) if part.exceptions else ():
            parts.append((inner, one, one.__traceback__))
    chain = None
    for tb in reversed(first):
        line = -1 if tb.tb_lineno is None else tb.tb_lineno
        chain = TracebackType(chain, tb.tb_frame, tb.tb_lasti, line)
    frames, texts = extract_tb(chain, len(first)), {}
    for (part, _, _), stack in zip(parts, stacks):
        part.stack = _Stack([frames[at] for at in stack], texts)
    return "".join(whole.format())


def _printed(error):
    """The traceback as the interpreter prints it where Python's own code can't: it takes no attribute for granted."""
    stderr, sys.stderr = sys.stderr, StringIO()
    try:
        _print_exception(type(error), error, _traceback_of(error))
        return sys.stderr.getvalue()
    except BaseException as second:
        return f"<the traceback could not be made: {_type_name(type(second))}>\n"
    finally:
        sys.stderr = stderr


def _is_exit(error):
    return issubclass(type(error), SystemExit)  # isinstance() would ask the error for its class


def _fail(error):
    frames = _guest_frames(error)
    try:
        text = _format_exception(error, frames)
    except BaseException:
        _with_traceback(error, frames)
        text = _printed(error)
    exits = {"exit_code": _exit_code(error)} if _is_exit(error) else {}
    _tell(kind="exception", type=_type_name(type(error)), value=_safely(str, error), traceback=text, **exits)
    _with_traceback(error, None)


def _exit_code(error):
    """As Py_HandleSystemExit has it."""
    try:
        code = error.code
        if code is None:
            return 0
        if issubclass(type(code), int):
            code = int.__index__(code)  # a guest's own kind of int may compare as it likes
            return code if -(2**31) <= code < 2**31 else -1
    except BaseException:
        pass
    return 1


def _end_by(error):
    """Inline code has raised this: an exit is an end like any other."""
    if not _is_exit(error):
        _fail(error)
        return
    code = _exit_code(error)
    if code == 0:
        _tell(kind="exit", exit_code=0)
        _with_traceback(error, None)
        return
    try:
        if not isinstance(error.code, int):
            print(error.code, file=sys.stderr)
    except BaseException:  # it can't be shown, or a guest closed the stream
        pass
    _fail(error)


# ---- results ---------------------------------------------------------------------------------------------------


def _as_view(value):
    """A memoryview for bytes-like values and numeric arrays (array.array, numpy), else None."""
    if isinstance(value, (bytes, bytearray, memoryview, _array_module.array)) or hasattr(value, "__array_interface__"):
        try:
            return memoryview(value)
        except (TypeError, ValueError):
            return None
    return None


def _buffer_metadata(value, view):
    if isinstance(value, (bytes, bytearray)):
        return {"format": "bytes"}
    return {"format": view.format, "itemsize": view.itemsize, "shape": list(view.shape)}


def _encode_result(value):
    """A handler's result: JSON, or a buffer; anything else is refused with its place."""
    try:
        return _dumps(value)
    except (_Unfit, TypeError, ValueError, RecursionError):
        pass
    view = _as_view(value)
    if view is not None:
        _State.buffers = (view.tobytes(),)
        _tell(kind="buffers", buffers=[{"id": "result", "metadata": _buffer_metadata(value, view)}])
        return None
    found = _find_unfit(value)
    if found is None:
        _refuse("the result is nested too deeply to become JSON; flatten it or return a string")
    else:
        _refuse(f"the result can't become JSON: at {found[0]}, {found[1]}")
    return None


def _encode_inline(value):
    """The value of inline code: JSON where that can hold it, else its repr."""
    try:
        return _dumps(value)
    except (_Unfit, TypeError, ValueError, RecursionError):
        _tell(kind="repr", repr=_safely(repr, value))
        return None


def buffer(index):
    return _State.buffers[int(index)]


def _flush():
    for stream in _streams:
        try:
            stream.flush()
        except BaseException:  # a guest closed it; what it wrote before is out already
            pass


def _end_all_pending():
    """What still waits to run when the call's value is there would run in the next one: it is ended, and told of."""
    loop = _State.loop
    if loop.is_running():  # this is within a call
        return
    _set_running_loop(None)
    ended = 0 if loop.is_closed() else _end_pending(loop)
    if _State.javascript:
        ended += _end_javascript() + _forget_pending(loop)
    if ended:
        _ask(b"p%d" % ended)


def _end_call():
    loop = _State.loop
    pending = loop._ready or loop._scheduled or _State.javascript
    if _State.awaited:
        _State.awaited = False
        pending = pending or _is_pending(loop)
    if pending:
        try:
            _end_all_pending()
        except BaseException:  # a limit, which the host knows of
            pass
    if _State.program:
        _State.program = False
        _run_exitfuncs()
    _builtins.pop(_INPUT, None)
    _flush()


# ---- calls -----------------------------------------------------------------------------------------------------


def _await(awaitable, encode):
    loop = _State.loop = _renew_loop(_State.loop)
    _State.awaited = True
    task = loop.create_task(awaitable) if type(awaitable) is CoroutineType else ensure_future(awaitable, loop=loop)
    try:
        return encode(loop.run_call(task))
    except KeyboardInterrupt as interrupt:  # the call is to end while nothing of it runs
        if not task.done():
            task.cancel()
            try:
                loop.run_until_complete(task)
            except BaseException as ended:  # does not take the interrupt's place, and knows where the task was
                interrupt.__traceback__ = ended.__traceback__
        raise
    except _NothingLeft:
        if task.done():  # the guest's own, from a loop in this one
            raise
        _tell(kind="idle")
        return None


def _finish(value, encode):
    if type(value) not in _PLAIN and isawaitable(value):
        return _await(value, encode)
    return encode(value)


def _set_input(text, inline=False):
    """Decodes the call's input and shows it to the guest; False when it is no JSON."""
    if inline or _LoopState.others or _State.javascript:
        _State.loop = _renew_loop(_State.loop)
        if _State.javascript:
            _forget_pending(_State.loop)  # JavaScript may have had a word since the last call
    if not text:
        _builtins.pop(_INPUT, None)
        return True
    try:
        _builtins[_INPUT] = _loads(text)
    except StopIteration as stop:
        _refuse(f"the input is not JSON: there is no value at character {stop.value}")
        return False
    except (ValueError, RecursionError) as error:
        _refuse(f"the input is not JSON: {error}")
        return False
    return True


def _misfit(function, arguments, error):
    """Whether the call itself failed, because the handler wants other arguments, and nothing of the handler has run."""
    if error.__traceback__.tb_next is not None:
        return False
    try:
        signature(function).bind(*arguments)
    except TypeError:
        return True
    except ValueError:  # a builtin without a signature
        pass
    return False


def _bind(function, takes_input):
    def invoke(text):
        arguments = ()
        try:
            if not _set_input(text):
                return None
            if takes_input and (text or takes_input is not _OPTIONAL):
                arguments = (_builtins.get(_INPUT),)
            value = function(*arguments)
            if type(value) in _PLAIN:
                return _encode_result(value)
            return _finish(value, _encode_result)
        except BaseException as error:
            if isinstance(error, TypeError) and _misfit(function, arguments, error):
                _refuse(f"a handler is called with the input as its one argument, or with none: {error}")
            else:
                _fail(error)
            return None
        finally:
            _end_call()

    return invoke


_OPTIONAL = "optional"


def _takes_input(function):
    """Whether a handler takes the input; _OPTIONAL where it has a default for when there is none."""
    try:
        parameters = signature(function).parameters.values()
    except (TypeError, ValueError):  # a builtin without a signature
        return True
    for p in parameters:
        if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD, p.VAR_POSITIONAL):
            return True if p.default is p.empty else _OPTIONAL
    return False


def resolve(entrypoint):
    """The callable behind "module:export"; b"" (and a report) where there is none."""
    module_name, _, path = entrypoint.partition(":")
    try:
        target = import_module(module_name)
        for name in path.split("."):
            target = getattr(target, name)
        if callable(target):
            return _bind(target, _takes_input(target))
        _refuse(f"'{path}' of module '{module_name}' is not callable: it is of type {type(target).__name__}")
    except ModuleNotFoundError as error:
        if error.name and (module_name == error.name or module_name.startswith(error.name + ".")):
            _refuse(f"there is no module '{error.name}' in the bundle or the distribution")
        else:
            _fail(error)
    except AttributeError as error:
        if error.obj is not None and error.__traceback__.tb_next is None:
            _refuse(f"module '{module_name}' has no '{path}'")
        else:
            _fail(error)
    except BaseException as error:
        _fail(error)
    _flush()
    return b""


def _set_program(kind, name, arguments):
    """What `python` sets before it runs a program."""
    _State.program = kind != _CELL
    head = {_CELL: "", _COMMAND: "-c", _STDIN: "-"}.get(kind, name)
    sys.argv = [head, *arguments]
    if kind == _CELL:
        return
    place = ""  # the working directory, whatever that is
    if kind == _FILE:
        _main["__file__"] = name
        place = dirname(abspath(name))
    else:
        _main.pop("__file__", None)
    if place not in sys.path and (not place or isdir(place)):
        sys.path.insert(0, place)


def _begin_session():
    """Lets cells import the modules that they write, as the console of `python` does; once: a guest may want it otherwise."""
    _State.session = True
    if "" not in sys.path:
        sys.path.insert(0, "")


def _decode(data, name):
    """The text of a file, by its BOM or the encoding that it declares (PEP 263); refused where `python` refuses it."""
    encoding = "utf-8"
    try:
        encoding = detect_encoding(BytesIO(data).readline)[0]
        if b"# coding".decode(encoding) != "# coding":
            raise SyntaxError(f"encoding problem: {encoding}")
        return data.decode(encoding)
    except SyntaxError as error:
        if not error.msg.startswith("invalid or missing"):  # which says of the first lines what is said below
            raise SyntaxError(error.msg, (name, None, None, None)) from None
    except LookupError:  # it does not give text
        raise SyntaxError(f"encoding problem: {encoding}", (name, None, None, None)) from None
    except ValueError:
        pass
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        message = f"(unicode error) {error}"
        if encoding.startswith("utf-8"):
            message = (
                f"Non-UTF-8 code starting with '\\x{data[error.start]:02x}' on line {line}, but no encoding declared; "
                "see https://peps.python.org/pep-0263/ for details"
            )
        raise SyntaxError(message, (name, line, None, None)) from None


def _show_lines(text, name):
    """Makes tracebacks and `inspect` find the source.  Its lines end where Python's do."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    lines = [line + "\n" for line in text.split("\n")] if "\n" in text else [text + "\n"]
    linecache.cache[name] = (len(text), None, lines, name)


# An assignment to a name, or a statement that begins with a word.
_is_no_expression = re_compile(r"[A-Za-z_]\w*\s*[-+*/%&|^@]?=(?!=)|(?:import|from|del|pass|assert|raise|global)\b").match


def _compile(source, name, dedents):
    """The code of all statements but a last expression, and the code of that, each None where there is none.

    A trailing semicolon takes the last expression's value away, and common indentation does no harm, as in Pyodide's
    CodeRunner.  That one reads every source with the tokenizer, and walks over all of its tree twice, in Python.
    """
    flags = PyCF_ALLOW_TOP_LEVEL_AWAIT
    if dedents and source[:1].isspace():
        source = dedent(source)
    if not (";" in source or "\n" in source or "\r" in source or "\f" in source):
        # One line is one statement: whether it is an expression shows without its tree, which takes half of the time.
        if _is_no_expression(source):
            return compile(source, name, "exec", flags), None
        try:
            return None, compile(source, name, "eval", flags)
        except SyntaxError:  # it is something else, or wrong, which is told below
            pass
    tree = compile(source, name, "exec", flags | PyCF_ONLY_AST)
    body = tree.body
    value = None
    if body and type(body[-1]) is Expr and not (";" in source and should_quiet(source)):
        value = compile(Expression(body.pop().value), name, "eval", flags)
    return compile(tree, name, "exec", flags) if body else None, value


def execute(request):
    try:
        call = _loads(request)
        if not _set_input(call["input"], inline=True):
            return None
        text, name, kind = call["source"], call["name"], _CELL
        if len(call) > 3:
            kind = call.get("kind", _CELL)
            if kind != _CELL or "arguments" in call:
                _set_program(kind, name, call.get("arguments", ()))
            if "bytes" in call:  # each is a character
                text = _decode(text.encode("latin-1"), name)
        if kind == _CELL and not _State.session:
            _begin_session()
        _show_lines(text, name)
        statements, value = _compile(text, name, kind < _FILE)
        if (statements and statements.co_flags & CO_COROUTINE) or (value and value.co_flags & CO_COROUTINE):
            return _await(_run_async(statements, value), _encode_inline)
        if statements:
            eval(statements, _main)
        return _finish(eval(value, _main) if value else None, _encode_inline)
    except BaseException as error:
        _end_by(error)
        return None
    finally:
        _end_call()


async def _run_async(statements, value):
    if statements:
        awaitable = eval(statements, _main)
        if statements.co_flags & CO_COROUTINE:
            await awaitable
    if not value:
        return None
    result = eval(value, _main)
    if value.co_flags & CO_COROUTINE:
        result = await result
    return await result if isawaitable(result) else result


def _is_from_app(module):
    """Whether a module's file, or a namespace package's directory, is the bundle's; never runs code of the module."""
    if not isinstance(module, type(sys)):
        return False
    names = vars(module)
    places = [names.get("__file__"), *(names.get("__path__") or ())]
    return any(isinstance(place, str) and place.startswith("/app/") for place in places)


def mount():
    """Makes what was just mounted at /app importable and forgets what was imported from there before."""
    if _State.mounted:  # to look at every module is to write to hundreds of pages
        for name, module in list(sys.modules.items()):
            if _is_from_app(module):
                del sys.modules[name]
    _State.mounted = True
    if "/app" not in sys.path:
        sys.path.insert(0, "/app")
    _invalidate_finders()
    for name in [name for name in linecache.cache if isinstance(name, str) and name.startswith("/app/")]:
        del linecache.cache[name]
    return b""


def _invalidate_finders():
    """importlib.invalidate_caches(), but for archives elsewhere, which have not changed.

    That would read the standard library's directory anew, and import `importlib.metadata` to empty a cache that it can't
    have filled: nine tenths of what a bundle costs.
    """
    for path, finder in list(sys.path_importer_cache.items()):
        if finder is None or path.startswith("/app") or not path.startswith("/"):
            del sys.path_importer_cache[path]
        elif type(finder) is FileFinder:
            finder.invalidate_caches()
    _NamespacePath._epoch += 1
    if metadata := sys.modules.get("importlib.metadata"):
        metadata.MetadataPathFinder.invalidate_caches()
    for finder in sys.meta_path:
        if finder is not PathFinder and (invalidate := getattr(finder, "invalidate_caches", None)):
            invalidate()


# ---- the guest as a whole --------------------------------------------------------------------------------------


def restored():
    """Makes what was captured with everybody else's state this guest's own, and its host's."""
    _callbacks["uninstall"]()
    return renewed()


def renewed():
    """The same in a process of its own, where the host is the one that it was."""
    _system["renew"]()
    if _main.keys() != _main_at_first.keys():  # steps were captured, too
        _main_at_first.clear()
        _main_at_first.update(_main)
    return b""


def calm():
    """A signal that came when the call before had ended already is nobody's."""
    try:
        for _ in range(1000):  # looks for signals
            pass
    except BaseException:
        pass
    return b""


def clear():
    """Takes away the names that steps have defined.  What ends with them may run code, which may define others: once."""
    try:
        for again in (False, True):
            if again and _main.keys() == _main_at_first.keys():
                break
            gone = dict(_main)
            _main.clear()
            _main.update(_main_at_first)
            del gone  # here objects end, while `__main__` is whole
        _State.session = False
        return b"null"
    except BaseException as error:
        _fail(error)
        return None
    finally:
        _end_call()


def renew_stdin():
    """The call at hand has a standard input, or the one before had: nothing of that may be left."""
    stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    stdin.buffer.raw.name = "<stdin>"
    sys.stdin = sys.__stdin__ = stdin
    return b""


def environment():
    for pair in _loads(_ask(b"e").decode()):
        name, _, value = pair.partition("=")
        os.environ[name] = value
    return b""


def random_state():
    """The address of the C object behind the module `random`, in digits; 0 where it is not loaded."""
    if tempfile := sys.modules.get("tempfile"):
        tempfile._name_sequence = None
    random = sys.modules.get("random")
    return str(id(random._inst) if random else 0).encode()


# ---- the host ---------------------------------------------------------------------------------------------------


def _ask(message):
    """What the host answers (boot.js)."""
    device = posix.open("/dev/aardvark", posix.O_RDWR)
    try:
        posix.write(device, message)
        parts = []
        while part := posix.read(device, 1 << 16):
            parts.append(part)
        return b"".join(parts)
    finally:
        posix.close(device)


class HostError(Exception):
    """What a function of the host says went wrong."""


class _Host:
    """The functions of the host: host.NAME(value) gives its answer; both are JSON."""

    __slots__ = ()

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(f"the host has no function '{name}'", name=name, obj=self)

        def function(value=None, /):
            answer = _ask(f"c{name.lower()}\0".encode() + _dumps_value(value))
            kind, text = answer[:1], answer[1:].decode()
            if kind == b"=":
                return _loads(text)
            if kind == b"!":
                raise HostError(text)
            raise PermissionError(f"the host has not granted the capability '{name}'")

        function.__name__ = function.__qualname__ = name
        return function


def _dumps_value(value):
    try:
        return _dumps(value)
    except (_Unfit, TypeError, ValueError, RecursionError):
        path, reason = _find_unfit(value) or ("$", "it is nested too deeply")
        raise TypeError(f"the argument can't become JSON: at {path}, {reason}") from None


class _HostModule:
    """Finds the module `aardvark`, where nobody else has one."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        return ModuleSpec(name, _HostModule, origin="built-in") if name == "aardvark" else None

    @staticmethod
    def create_module(spec):
        return None

    @staticmethod
    def exec_module(module):
        module.host = _Host()
        module.HostError = HostError
        for name in _callbacks["EXPORTED"]:
            setattr(module, name, _callbacks[name])


HostError.__module__ = "aardvark"
sys.meta_path.append(_HostModule)

# ---- capabilities -----------------------------------------------------------------------------------------------

_JAVASCRIPT = ("js", "pyodide_js")
_CLOSED = "the host has not granted the capability 'js'"


def _is_import():
    """Whether a finder was asked for an import, and not by who only wants to know what there is."""
    frame = sys._getframe(2)  # _find_spec() of importlib
    return frame.f_back is not None and frame.f_back.f_code.co_name == "_find_and_load_unlocked"


class _ClosedModules:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name.partition(".")[0] in _JAVASCRIPT and _is_import():
            _ask(b"d" + name.encode("utf-8", "replace"))
            raise ModuleNotFoundError(f"the module '{name}' is closed: {_CLOSED}", name=name)
        return None


# Modules of the standard library that Pyodide has as packages, by what is imported.
_PACKAGED = {
    name: name.strip("_").replace("_", "-")
    for name in ("lzma", "_lzma", "sqlite3", "_sqlite3", "ssl", "_ssl", "test", "pydoc_data", "_pydecimal")
}


class _PackagedModules:
    """Finds none of them: it is asked last, and says what to do."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        package = _PACKAGED.get(name)
        if package is None or not _is_import():
            return None
        raise ModuleNotFoundError(
            f"No module named '{name}': Pyodide has it as a package, '{package}', which is in full distributions (aardvark "
            f"assets stage --variant full --archive FILE); name it among the packages of the bundle's manifest",
            name=name,
        )


sys.meta_path.append(_PackagedModules)


_proxies = {}
_ffi = {}  # functions of pyodide.ffi that make objects of JavaScript


def _closed_function(name):
    def closed(*args, **kwargs):
        _ask(b"dpyodide.ffi." + name.encode())
        raise PermissionError(f"pyodide.ffi.{name} makes an object of JavaScript: {_CLOSED}")

    closed.__name__ = closed.__qualname__ = name
    closed.__module__ = "pyodide.ffi"
    return closed


def _close_javascript():
    """How every guest begins: without the modules that lead to JavaScript, and on a loop that needs none."""
    for name in ("create_proxy", "create_once_callable", "to_js"):
        _ffi[name] = getattr(pyodide.ffi, name)
        setattr(pyodide.ffi, name, _closed_function(name))
    for name in _JAVASCRIPT:
        _proxies[name] = jsfinder.jsproxies.pop(name)
    for name in list(sys.modules):
        if name.partition(".")[0] in _JAVASCRIPT:
            _proxies[f"module {name}"] = sys.modules.pop(name)
    sys.meta_path.insert(0, _ClosedModules)


def grant():
    """Gives the guest what the capability "js" promises; one that was captured may have it already."""
    if not _proxies:
        return b""
    sys.meta_path.remove(_ClosedModules)
    for name, proxy in _proxies.items():
        kind, _, module = name.partition(" ")
        if module:
            sys.modules[module] = proxy
        else:
            jsfinder.jsproxies[kind] = proxy
    _proxies.clear()
    for name, function in _ffi.items():
        setattr(pyodide.ffi, name, function)
    _network["grant_javascript"]()
    _loop["grant_javascript"](jsfinder.jsproxies["pyodide_js"]._api)
    _State.javascript = True
    return b""


def denied():
    raise PermissionError(f"JavaScript can't be reached from here: {_CLOSED}")


def javascript_error(text):
    if text == "stack":
        raise RecursionError("the stack is full")
    raise RuntimeError(text)


_callbacks["dumps"] = _dumps_value
_callbacks["loads"] = _loads
callbacks = _callbacks["install"]
_close_javascript()
_network["ADAPTED"]["zoneinfo._common"] = _system["adapt_zoneinfo"]
_network["install"]()
_system["install"]()
