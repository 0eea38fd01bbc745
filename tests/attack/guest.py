# A hostile guest in Python, made by its seed: functions of random modules of the standard library called with odd arguments,
# wild reads, writes and calls through ctypes, recursion, allocation bombs; with `js` granted also JavaScript's builtins.
def attack(seed, kinds):
    import importlib
    import random as random_module
    import sys

    rng = random_module.Random(seed)
    chance = lambda p: rng.random() < p
    pick = rng.choice
    size = lambda most: int(most ** rng.random())

    def attempt(what, *args):
        try:
            return what(*args)
        except MemoryError:
            raise
        except Exception:
            return None

    try:
        import js
        from pyodide.ffi import create_proxy, to_js
    except Exception:
        js = None

    # ---- odd values ------------------------------------------------------------------------------------------------

    nesting = 0

    def reenter():
        nonlocal nesting
        if nesting > 4:
            return None
        nesting += 1
        try:
            return attempt(pick(actions))
        finally:
            nesting -= 1

    def hook(result):
        def called(*args, **kw):
            if chance(0.5):
                reenter()
            if chance(0.02):
                while True:
                    pass
            if chance(0.1):
                raise pick([ValueError, KeyboardInterrupt, SystemExit, StopIteration, GeneratorExit, RecursionError])("hook")
            return result

        return called

    def hooked():
        names = {
            "__len__": pick([0, 3, 2**31, -1]), "__index__": pick([0, 1, 2**63, -5]), "__int__": 5, "__float__": 0.5, "__bool__": True,
            "__iter__": iter(range(3)), "__next__": 1, "__getitem__": 1, "__contains__": True, "__call__": 1, "__hash__": 1, "__eq__": True,
            "__lt__": True, "__repr__": "r", "__str__": "s", "__bytes__": b"b", "__format__": "f", "__enter__": 1, "__exit__": True,
            "__fspath__": "/tmp/x", "__add__": 1, "__del__": None, "__get__": 1, "__set__": None, "__getattr__": 1, "__await__": iter([]),
            "read": pick([b"", b"x", "x", 5]), "readline": b"x\n", "write": 1, "fileno": pick([0, 1, 5, -1]), "close": None,
            "__reduce__": (list, ()), "__sizeof__": 5, "__instancecheck__": True, "keys": ["a"],
        }
        return attempt(lambda: type("Hooked", pick([(), (int,), (str,), (list,), (dict,), (Exception,)]),
                                    {name: hook(result) for name, result in names.items() if chance(0.4)})())

    def deep(wrap, most=200000):
        value = None
        for _ in range(size(most)):
            value = wrap(value)
        return value

    def nested():
        a, b = pick(["()", "[]", "{}", ("(?:", ")"), ("(?=", ")"), ("-", ""), ("lambda:", ""), ("f'{", "}'"), ("not ", ""), ("a.", "b")])
        depth = size(200000)
        return a * depth + pick(["1", "", "x"]) + (b * depth if chance(0.8) else "")

    def cyclic():
        a = [1]
        a.append({"a": a})
        return a

    makers = [
        lambda: pick([0, -1, 1, 2**31, 2**63, -(2**63), 2**64, 10**400, 0.0, -0.0, float("nan"), float("inf"), 1e308, 1j, True, None]),
        lambda: 1 << size(10**7),
        lambda: pick(["", "a", "\ud800", "\0", "\u0301\u0316", "é", "%s", "{0}", "/tmp/x", "utf-8", "idna", "__class__"]) * size(10**6),
        lambda: pick([b"", b"\0", b"a", b"\xff"]) * size(10**6),
        lambda: bytearray(size(10**6)),
        lambda: memoryview(bytearray(size(10**5))),
        lambda: rng.randbytes(size(10**5)),
        nested,
        cyclic,
        hooked,
        lambda: deep(lambda x: [x]),
        lambda: deep(lambda x: (x,)),
        lambda: deep(lambda x: {"a": x}),
        lambda: list(range(size(10**5))),
        lambda: {i: i for i in range(size(1000))},
        lambda: {1, "a"},
        lambda: iter(int, 1),
        lambda: (i for i in range(10)),
        lambda: lambda *a: reenter(),
        lambda: object(),
        lambda: pick([int, str, list, type, object, Exception, BaseException]),
        lambda: sys,
        lambda: any_function(),
        lambda: open("/tmp/x", pick(["w", "wb", "a+"])),
        lambda: slice(None, None, -1),
        lambda: range(10**18),
    ]
    value = lambda: attempt(pick(makers))

    # ---- what there is ---------------------------------------------------------------------------------------------

    # What only waits, or ends the guest, has its turn among the templates.
    boring = {"time.sleep", "os._exit", "os.abort", "sys.exit", "signal.pause", "faulthandler._sigsegv", "builtins.input"}
    modules = sorted(name for name in sys.stdlib_module_names if not name.startswith(("idlelib", "antigravity", "this", "turtle")))

    def any_function():
        for _ in range(10):
            name = pick(modules) if chance(0.7) else pick(list(sys.modules))
            module = attempt(importlib.import_module, name)
            names = attempt(lambda: sorted(vars(module)))
            if not names:
                continue
            found = attempt(lambda: vars(module)[pick(names)])
            if chance(0.4) and isinstance(found, type):
                found = attempt(lambda: getattr(found, pick(dir(found))))
            if callable(found) and f"{name}.{getattr(found, '__name__', '')}" not in boring:
                return found
        return len

    def call_any():
        f = any_function()
        args = [value() for _ in range(rng.randrange(5))]
        result = attempt(f, *args)
        if chance(0.3) and result is not None:
            method = attempt(lambda: getattr(result, pick(dir(result))))
            if callable(method):
                attempt(method, *[value() for _ in range(rng.randrange(3))])

    # ---- through the floor -----------------------------------------------------------------------------------------

    def address():
        return pick([0, 4, 1024, 4096, id(object()), id(sys), id(type), rng.randrange(1 << 20), rng.randrange(1 << 25), 2**31, 2**32 - 8])

    def wild():
        import ctypes

        what = rng.randrange(5)
        if what == 0:
            ctypes.memset(address(), rng.randrange(256), size(1 << 20))
        elif what == 1:
            ctypes.memmove(address(), address(), size(1 << 20))
        elif what == 2:
            ctypes.string_at(address(), size(1 << 22))
        elif what == 3:
            kinds = [ctypes.c_int, ctypes.c_double, ctypes.c_longlong, ctypes.c_char_p, None]
            f = ctypes.CFUNCTYPE(pick(kinds), *[pick(kinds[:4]) for _ in range(rng.randrange(4))])(rng.randrange(20000))
            f(*[rng.randrange(1 << 20) for _ in range(rng.randrange(4))])
        else:
            ctypes.cast(address(), ctypes.POINTER(ctypes.c_uint32))[rng.randrange(1 << 12)] = rng.randrange(1 << 32)

    def code():
        def f(x):
            return [x + 1 for x in range(3)]

        made = f.__code__.replace(co_code=rng.randbytes(len(f.__code__.co_code)))
        type(f)(made, {})(1)

    def recursion():
        what = rng.randrange(6)
        if what == 0:
            f = lambda: f()
            f()
        elif what == 1:
            sys.setrecursionlimit(10**6)
            f = lambda x: [f(x) for _ in (1,)]
            f(1)
        elif what == 2:
            compile(nested(), "x", "eval")
        elif what == 3:
            import json
            json.loads(nested())
        elif what == 4:
            import re
            re.compile(nested())
        else:
            repr(deep(lambda x: [x]))

    def bomb():
        kept = []
        make = pick([lambda: bytearray(1 << 20), lambda: [None] * 1000, lambda: "x" * 100000, dict, lambda: object(), lambda: kept[:]])
        while True:
            kept.append(make())

    def tasks():
        import asyncio

        async def storm(n):
            await asyncio.sleep(pick([0, 0.001]))
            reenter()
            if n:
                asyncio.ensure_future(storm(n - 1))

        for _ in range(size(1000)):
            asyncio.ensure_future(storm(3))

    def traps():
        import gc
        import signal

        pick([lambda: sys.settrace(hook(None)), lambda: sys.setprofile(hook(None)), lambda: gc.callbacks.append(hook(None)),
              lambda: signal.signal(signal.SIGINT, hook(None)), lambda: sys.meta_path.insert(0, hooked()),
              lambda: setattr(sys, pick(["stdout", "stderr", "excepthook", "displayhook"]), hooked()),
              lambda: sys.modules.__setitem__(pick(list(sys.modules)), hooked()),
              lambda: sys.addaudithook(hook(None)), lambda: gc.set_threshold(1)])()

    # ---- through the wall ------------------------------------------------------------------------------------------

    def odd_js():
        return pick([lambda: value(), lambda: js.Array.new(size(10**5)), lambda: js.Object.new(), lambda: to_js({"a": [1, 2]}),
                     lambda: create_proxy(hook(1)), lambda: create_proxy(hooked()), lambda: js.ArrayBuffer.new(size(10**6)),
                     lambda: js.Uint8Array.new(size(10**6)), lambda: js.Proxy.new(js.Object.new(), js.Object.new()), lambda: js])()

    def call_js():
        owner = attempt(lambda: getattr(js, pick(dir(js)))) if chance(0.9) else js
        f = owner if chance(0.3) else attempt(lambda: getattr(owner, pick(dir(owner))))
        args = [attempt(odd_js) for _ in range(rng.randrange(4))]
        attempt(f.new if chance(0.3) else f, *args)

    def js_template():
        pick([
            lambda: js.RegExp.new("(?=" * size(10**5) + "a" + ")" * size(10**5)),
            lambda: js.JSON.parse(nested()),
            lambda: js.structuredClone(odd_js(), to_js({"transfer": []})),
            lambda: js.Array.new(10**9).fill(0),
            lambda: js.encodeURIComponent("\u1234" * size(10**7)),
            lambda: js.Intl.DateTimeFormat.new("de").format(js.Date.new(0)),
            lambda: js.String.new("\u0301\u0316" * size(10**5)).normalize("NFD"),
            lambda: [js.Array.new(1000).fill(0) for _ in iter(int, 1)],
        ])()

    actions = [call_any, call_any, call_any, wild, code, recursion, bomb, tasks, traps, lambda: print(value()),
               lambda: [x for x in iter(int, 1)], lambda: pick(list(templates.values()))()]
    if js is not None:
        actions += [call_js, call_js, js_template]
    templates = {"A2": recursion, "A5": bomb, "A7": wild, "B": code, "C": tasks, "js": js_template if js is not None else call_any}

    wanted = [templates[kind] for kind in kinds.split() if kind in templates]
    if wanted:
        return pick(wanted)()
    for _ in range(1 + rng.randrange(60)):
        if chance(0.9):
            (call_js if js is not None and chance(0.5) else call_any)()
        else:
            attempt(pick(actions))
    if chance(0.5):
        pick(list(templates.values()))()
    return None
