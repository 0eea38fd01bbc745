"""The host's callbacks: `await name(key=value)`, `await invoke("name", key=value)`, and the same without `await`.

Invocations that wait for their answers are futures in `pending`; the loop (loop.py) takes what has come. What is asked of the
host goes through /dev/aardvark (devices.js).
"""

import builtins
import posix
from asyncio.events import get_running_loop

EXPORTED = ("CallbackError", "errors", "invoke", "invoke_sync", "list_callbacks")
_GLOBALS = ("CallbackError", "invoke", "invoke_sync", "list_callbacks")

pending = {}  # futures by the numbers of invocations
dumps = loads = None  # adapter.py's
_installed = {}  # what has been put into the guest's builtins
_guest_builtins = builtins.__dict__


def _ask(message):
    device = posix.open("/dev/aardvark", posix.O_RDWR)
    try:
        posix.write(device, message)
        answer = part = posix.read(device, 1 << 16)
        while len(part) == 1 << 16:
            part = posix.read(device, 1 << 16)
            answer += part
        return answer
    finally:
        posix.close(device)


# ---- errors -----------------------------------------------------------------------------------------------------


class CallbackError(Exception):
    """What the host says went wrong; `except aardvark.errors.NAME` catches those of a type."""

    type = "CallbackError"
    callback = None

    def __str__(self):
        return Exception.__str__(self)


# Types that Python has, too: such an error is one of those as well.
_KNOWN = (
    ArithmeticError, AssertionError, AttributeError, BufferError, ConnectionError, EOFError, FileExistsError,
    FileNotFoundError, IndexError, KeyError, LookupError, MemoryError, NameError, NotImplementedError, OSError,
    OverflowError, PermissionError, RuntimeError, TimeoutError, TypeError, ValueError, ZeroDivisionError,
)  # fmt: skip
_bases = {known.__name__: known for known in _KNOWN}
_bases |= {"CallbackTimeout": TimeoutError, "InvalidArguments": ValueError, "UnknownCallback": LookupError}
_classes = {"CallbackError": CallbackError}


class _Errors:
    """The classes of errors by the names of their types."""

    __slots__ = ()

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        known = _classes.get(name)
        if known is None:
            bases = (CallbackError, _bases[name]) if name in _bases else (CallbackError,)
            known = _classes[name] = type(name, bases, {"__module__": "aardvark", "type": name})
        return known


errors = _Errors()
CallbackError.__module__ = "aardvark"


def _error(name, given):
    kind, message = given
    error = getattr(errors, kind)(message)
    error.callback = name
    return error


# ---- invoking ---------------------------------------------------------------------------------------------------


def _start(name, arguments):
    if not isinstance(name, str):
        raise TypeError("the name of a callback must be a string")
    answer = _ask(b"i" + name.encode("utf-8", "replace") + b"\0" + dumps(arguments))
    if not answer:
        raise RuntimeError(f"'{name}' can't be invoked: no call is under way, or memory is out")
    return answer


def _value(name, answer):
    value = loads(answer[1:].decode())
    if answer[:1] == b"!":
        raise _error(name, value)
    return value


async def _invoke(name, arguments):
    answer = _start(name, arguments)
    if answer[:1] != b"#":
        return _value(name, answer)
    number = int(answer[1:])
    future = pending[number] = get_running_loop().create_future()
    try:
        failed, value = await future
    finally:
        if pending.pop(number, None) is not None:
            _ask(b"x%d" % number)
    if failed:
        raise _error(name, value)
    return value


def _invoke_sync(name, arguments):
    answer = _start(name, arguments)
    if answer[:1] == b"#":
        number = int(answer[1:])
        try:
            answer = _ask(b"s%d" % number)
        except BaseException:
            _ask(b"x%d" % number)
            raise
    return _value(name, answer)


def wait(ms):
    """Waits so long, or until something has come, and gives answers to who awaits them; False where nothing would ever come."""
    answers = _ask(b"a%f" % ms)
    if answers == b"idle":
        return False
    for number, failed, value in loads(answers.decode()):
        future = pending.pop(number, None)
        if future is not None and not future.done():
            future.set_result((failed, value))
    return True


def invoke(name, /, *args, **kwargs):
    """Invokes a callback of the host; await it."""
    return _invoke(name, _arguments(name, args, kwargs))


def invoke_sync(name, /, *args, **kwargs):
    """Invokes a callback of the host, and waits here for its answer."""
    return _invoke_sync(name, _arguments(name, args, kwargs))


def _arguments(name, args, kwargs):
    """One object of all arguments; those without a name get theirs from the schema's properties, in their order."""
    if not args:
        return kwargs
    names = _parameters(name)
    if len(args) > len(names):
        raise TypeError(f"{name}() takes {len(names)} positional arguments, and was given {len(args)}; give the others by name")
    arguments = dict(zip(names, args))
    for key in kwargs:
        if key in arguments:
            raise TypeError(f"{name}() got multiple values for argument '{key}'")
    return arguments | kwargs


def _parameters(name):
    for one in list_callbacks():
        if one["name"] == name:
            properties = one["schema"].get("properties") if isinstance(one["schema"], dict) else None
            return list(properties or ())
    return ()


def list_callbacks():
    """The host's callbacks: a list of {"name": …, "description": …, "schema": …}."""
    return loads(_ask(b"l").decode())


class Callback:
    """A function of the host; what it gives is to be awaited, and `sync()` gives its value."""

    def __init__(self, name, description):
        self.__name__ = self.__qualname__ = name
        self.__doc__ = description

    def __call__(self, /, *args, **kwargs):
        return _invoke(self.__name__, _arguments(self.__name__, args, kwargs))

    def sync(self, /, *args, **kwargs):
        return _invoke_sync(self.__name__, _arguments(self.__name__, args, kwargs))

    def __repr__(self):
        return f"<callback {self.__name__}>"


Callback.__module__ = "aardvark"


def uninstall():
    """Takes those away that a guest had from which this one was captured."""
    for name, value in _installed.items():
        if _guest_builtins.get(name) is value:
            del _guest_builtins[name]
    _installed.clear()


def install():
    """Puts the host's callbacks into the guest's builtins. What is there of a name already stays: then there is only invoke()."""
    all_callbacks = list_callbacks()
    for name in _GLOBALS:
        _installed[name] = globals()[name]
    for one in all_callbacks:
        _installed[one["name"]] = Callback(one["name"], one["description"])
    for name in [name for name in _installed if name in _guest_builtins]:
        del _installed[name]
    _guest_builtins.update(_installed)
    return b""
