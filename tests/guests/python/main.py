"""Handlers of every shape, for tests/test_isolate_python.c."""

import array
import asyncio
import builtins
import functools
import time


def echo(value):
    return value


def from_builtins():
    return {"seen": getattr(builtins, "__aardvark_input", "nothing")}


def with_default(value=7):
    return [value]


def with_varargs(*args):
    return list(args)


def keyword_only(*, option=3):
    return option


def two_defaults(first, second="second"):
    return [first, second]


class Service:
    def __init__(self, name="service"):
        self.name = name

    def method(self, value):
        return {self.name: value}

    @staticmethod
    def static(value):
        return value

    @classmethod
    def of_class(cls, value):
        return [cls.__name__, value]

    def __call__(self, value):
        return {"called": value}


service = Service()
partial = functools.partial(two_defaults, second="bound")
from_lambda = lambda value: [value]  # noqa: E731
builtin = len
constant = 5


class DictOfOne(dict):
    def __init__(self, value):
        super().__init__(one=value)


async def quick(value):
    return value


async def sleepy(value):
    started = time.monotonic()
    await asyncio.sleep(0.02)
    await asyncio.gather(*(asyncio.sleep(0.01) for _ in range(5)))
    return {"value": value, "slept": time.monotonic() - started >= 0.03}


async def many_sleeps(count):
    for _ in range(count):
        await asyncio.sleep(0)
    return count


async def failing(value):
    await asyncio.sleep(0.001)
    raise LookupError(f"no {value}")


async def tasks(value):
    async def work(n):
        await asyncio.sleep(0.001 * (3 - n))
        return n

    return [await task for task in [asyncio.ensure_future(work(n)) for n in range(3)]]


class Awaitable:
    def __await__(self):
        yield from asyncio.sleep(0.001).__await__()
        return "awaited"


def awaitable(value):
    return Awaitable()


def evaluate(source):
    """Whatever an expression gives, made inside of the guest."""
    return eval(source)


def nested(depth):
    value = []
    for _ in range(depth):
        value = [value]
    return value


def nested_dicts(depth):
    value = {}
    for _ in range(depth):
        value = {"k": value}
    return value


def depth_of(value):
    depth = 0
    while value:
        value = value[0] if isinstance(value, list) else value["k"]
        depth += 1
    return depth


def size_of(value):
    return [len(value), hash(value) == hash("x" * len(value))]


def kinds(value):
    return [[type(item).__name__, repr(item)] for item in value]


def numbers():
    return array.array("d", [1.5, -2.0, 0.0])


def matrix():
    return memoryview(bytes(range(6))).cast("B", (2, 3))


def every_other():
    return memoryview(b"a-b-c-")[::2]


def large():
    return bytes(bytearray(range(256)) * 40960)
