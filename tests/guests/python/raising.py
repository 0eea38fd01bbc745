"""Exceptions of every kind, for tests/test_isolate_python.c."""

import asyncio


def inner(value):
    return value["absent"]


def plain(value):
    return inner(value)


def chained(value):
    try:
        inner({})
    except KeyError as error:
        raise ValueError("second") from error


def during(value):
    try:
        inner({})
    except KeyError:
        raise RuntimeError("while handling")


def suppressed(value):
    try:
        inner({})
    except KeyError:
        raise RuntimeError("alone") from None


class Mute(Exception):
    def __str__(self):
        raise TypeError("no text")

    __repr__ = __str__


def mute(value):
    raise Mute()


class Looping(Exception):
    def __str__(self):
        while True:
            pass


def looping(value):
    raise Looping()


def leave(value):
    raise SystemExit(value)


def interrupt(value):
    raise KeyboardInterrupt


async def leave_later(value):
    await asyncio.sleep(0)
    raise SystemExit(value)


async def interrupt_later(value):
    await asyncio.sleep(0)
    raise KeyboardInterrupt


async def cancel_self(value):
    asyncio.current_task().cancel()
    await asyncio.sleep(1)


def recurse(value):
    return recurse(value)


def exhaust(value):
    return [None] * (1 << 29)


def group(value):
    raise ExceptionGroup("several", [ValueError("one"), KeyError("two")])


def noted(value):
    error = ValueError("with a note")
    error.add_note("the note")
    raise error


def surrogate(value):
    raise ValueError("lone \ud800 and \U0001f600 and \0 nul")


def long_text(value):
    raise ValueError("x" * 2_000_000)


def stop(value):
    raise StopIteration(4)


def assertion(value):
    assert value == "never", "an assertion's text"


def own_type(value):
    class Ünïcode(Exception):
        pass

    raise Ünïcode("ä")


def syntax(value):
    import broken_syntax  # noqa: F401


def in_import(value):
    import raises_at_import  # noqa: F401
