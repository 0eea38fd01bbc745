"""Errors, and what awaits them, on their way between Python and JavaScript.  The expected values are those of Pyodide 0.29.4 in
node, but where a case says otherwise.

`names` lists the cases; `run` gives null for one that ends as expected, else what it gave."""

import asyncio
import contextlib
import io
import os
import sys
import traceback

import js
import pyodide_js
from pyodide.code import run_js
from pyodide.ffi import JsException, create_once_callable, create_proxy

CASES = {}


def case(want):
    def add(function):
        CASES[function.__name__] = (function, want)
        return function

    return add


def names():
    return list(CASES)


async def run(name):
    function, want = CASES[name]
    try:
        got = await function()
    except Exception as error:
        got = f"{type(error).__name__}: {str(error).strip().splitlines()[-1]}"
    return None if got == want else {"got": got, "want": want}


@case(["ValueError", "PythonError", "PythonError", True, True, True])
async def sync_catch_message():
    def bad():
        raise ValueError("hello")

    return run_js(
        "(f)=>{try{f()}catch(e){return [e.type, e.name, e.constructor.name, e.message.includes('ValueError: hello'), e.message.startsWith('Traceback (most'), e instanceof Error]}}"
    )(bad).to_py()


@case(["KeyError", "KeyError: 'k'"])
async def async_catch():
    async def bad():
        raise KeyError("k")

    return (
        await run_js("async (f)=>{try{await f()}catch(e){return [e.type, e.message.split('\\n').at(-2)]}}")(bad)
    ).to_py()


@case(True)
async def round_trip_identity_py_js_py():
    err = ValueError("x")

    def bad():
        raise err

    try:
        run_js("(f)=>f()")(bad)
        r = None
    except ValueError as e:
        r = e is err
    return r


@case([False, "PythonError", "JsException"])
async def round_trip_js_py_js():
    return run_js(
        "(g) => { const e = new TypeError('t'); let r; try { g(() => { throw e }) } catch (x) { r = [x === e, x.constructor.name, x.type] } return r }"
    )(lambda f: f()).to_py()


@case(["JsException", "RangeError: far", "RangeError", "far", True, "RangeError"])
async def js_error_in_python():
    try:
        run_js("() => { throw new RangeError('far') }")()
    except JsException as e:
        r = [
            type(e).__name__,
            str(e),
            e.name,
            e.message,
            hasattr(e, "stack"),
            e.js_error.name if hasattr(e, "js_error") else None,
        ]
    return r


@case(["JsException", "Error: plain"])
async def thrown_string():
    try:
        run_js("() => { throw 'plain' }")()
    except Exception as e:
        r = [type(e).__name__, str(e)]
    return r


@case(["JsException", "Error: A value of type object with tag [object Null] was thrown as an error!"])
async def thrown_null():
    try:
        run_js("() => { throw null }")()
    except Exception as e:
        r = [type(e).__name__, str(e).split("\n")[0]]
    return r


@case(["JsException", "Error: A value of type object with tag [object Object] was thrown as an error!"])
async def thrown_object():
    try:
        run_js("() => { throw {code: 5} }")()
    except Exception as e:
        r = [type(e).__name__, str(e).split("\n")[0]]
    return r


@case(["JsException", "Error: A value of type symbol with tag [object Symbol] was thrown as an error!"])
async def thrown_symbol():
    try:
        run_js("() => { throw Symbol('x') }")()
    except Exception as e:
        r = [type(e).__name__, str(e).split("\n")[0]]
    return r


@case(["JsException", "Own: mine"])
async def thrown_own_class():
    try:
        run_js("() => { class Own extends Error { get name() { return 'Own' } }; throw new Own('mine') }")()
    except Exception as e:
        r = [type(e).__name__, str(e)]
    return r


@case("ValueError")
async def hook_getattr():
    class A:
        def __getattr__(self, n):
            raise ValueError("attr " + n)

    return run_js("(a)=>{try{a.foo; return 'no'}catch(e){return e.type}}")(A())


@case("ValueError")
async def hook_setattr():
    class A:
        def __setattr__(self, n, v):
            raise ValueError("attr " + n)

    return run_js("(a)=>{try{a.foo=1; return 'no'}catch(e){return e.type}}")(A())


@case("KeyError")
async def hook_delattr():
    class A:
        def __delattr__(self, n):
            raise KeyError("attr " + n)

    return run_js("(a)=>{try{delete a.foo; return 'no'}catch(e){return e.type}}")(A())


@case("KeyError")
async def hook_has():
    class A:
        def __contains__(self, n):
            raise KeyError("in")

    return run_js("(a)=>{try{return a.has(1)}catch(e){return e.type}}")(A())


@case("KeyError")
async def hook_length():
    class A:
        def __len__(self):
            raise KeyError("len")

    return run_js("(a)=>{try{return a.length}catch(e){return e.type}}")(A())


@case("OSError")
async def hook_get_item():
    class A:
        def __getitem__(self, k):
            raise OSError("item")

    return run_js("(a)=>{try{return a.get(1)}catch(e){return e.type}}")(A())


@case("OSError")
async def hook_set_item():
    class A:
        def __getitem__(self, k):
            raise OSError("item")

        def __setitem__(self, k, v):
            raise OSError("item")

    return run_js("(a)=>{try{return a.set(1, 2)}catch(e){return e.type}}")(A())


@case("OSError")
async def hook_str():
    class A:
        def __repr__(self):
            raise OSError("item")

    return run_js("(a)=>{try{return a.toString()}catch(e){return e.type}}")(A())


@case("OSError")
async def hook_tojs():
    class A:
        def __iter__(self):
            raise OSError("item")

    return run_js("(a)=>{try{return [...a]}catch(e){return e.type}}")(A())


@case([1, "LookupError"])
async def iterator():
    def g():
        yield 1
        raise LookupError("it")

    return run_js("(it)=>{const got=[];try{for(const x of it) got.push(x)}catch(e){got.push(e.type)} return got}")(
        g()
    ).to_py()


@case("JsException:TypeError: in")
async def generator_throw_into():
    def g():
        try:
            yield 1
        except Exception as e:
            yield type(e).__name__ + ":" + str(e)

    return run_js("(it)=>{it.next(); return it.throw(new TypeError('in')).value}")(g())


@case([1, "LookupError"])
async def async_iterator():
    async def g():
        yield 1
        raise LookupError("it")

    return (
        await run_js(
            "async (it)=>{const got=[];try{for await (const x of it) got.push(x)}catch(e){got.push(e.type)} return got}"
        )(g())
    ).to_py()


@case([1, "TypeError: gen"])
async def js_generator_raises_in_python_for():
    got = []
    try:
        for x in run_js("(function*(){yield 1; throw new TypeError('gen')})()"):
            got.append(x)
    except JsException as e:
        got.append(str(e))
    return got


@case([1, "TypeError: gen"])
async def js_async_generator():
    got = []
    try:
        async for x in run_js("(async function*(){yield 1; throw new TypeError('gen')})()"):
            got.append(x)
    except JsException as e:
        got.append(str(e))
    return got


@case(["ValueError", "PythonError"])
async def python_generator_via_js_generator_throw():
    g = run_js("(function*(){try{yield 1}catch(e){yield [e.type, e.constructor.name]}})()")
    next(g)
    return g.throw(ValueError("into")).to_py()


@case(["TypeError", "rej"])
async def await_rejected_promise():
    try:
        await run_js("Promise.reject(new TypeError('rej'))")
    except JsException as e:
        r = [e.name, e.message]
    return r


@case("JsException: ValueError: q")
async def await_rejected_with_python_error():
    err = ValueError("q")

    async def bad():
        raise err

    try:
        await run_js("(f) => f().then(x => x)")(bad)
    except ValueError as e:
        r = [e is err, str(e)]
    return r


@case("rej")
async def then_onrejected_python():
    p = run_js("Promise.reject(new TypeError('rej'))")
    res = await p.then(lambda x: 1, lambda e: e.message)
    return res


@case("zd 5")
async def then_python_raises():
    p = run_js("Promise.resolve(5)")

    def bad(x):
        raise ZeroDivisionError("zd %d" % x)

    try:
        await p.then(create_proxy(bad))
    except ZeroDivisionError as e:
        r = str(e)
    except Exception as e:
        r = [type(e).__name__, str(e)]
    return r


@case("ZeroDivisionError")
async def catch_of_a_coroutine():
    async def bad():
        raise ZeroDivisionError("zd")

    return await run_js("(f)=>f().catch(e=>e.type)")(bad)


@case("JsException: ZeroDivisionError: zd")
async def finally_after_a_python_error():
    async def bad():
        raise ZeroDivisionError("zd")

    out = []
    try:
        await run_js("(f, o)=>f().finally(()=>o(1))")(bad, create_proxy(out.append))
    except ZeroDivisionError as e:
        out.append(str(e))
    return out


@case(["fulfilled:1", "rejected:ZeroDivisionError", "fulfilled:3"])
async def promise_all():
    async def ok(x):
        await asyncio.sleep(0.01)
        return x

    async def bad():
        raise ZeroDivisionError("zd")

    return (
        await run_js(
            "async (a,b)=>{const r = await Promise.allSettled([a(1),b(),a(3)]); return r.map(x=>x.status+':'+(x.value??x.reason.type))}"
        )(ok, bad)
    ).to_py()


@case(["ran", 3])
async def timer_callback():
    out = []
    f = asyncio.get_running_loop().create_future()

    def cb():
        out.append("ran")
        f.set_result(3)

    js.setTimeout(create_once_callable(cb), 5)
    out.append(await f)
    return out


@case("IndexError")
async def array_callback():
    def bad(*a):
        raise IndexError("cb")

    return run_js("(f)=>{try{[1,2].map(f)}catch(e){return e.type}}")(create_proxy(bad))


@case("back cb")
async def sort_callback():
    def bad(*a):
        raise IndexError("cb")

    try:
        run_js("(f)=>[2,1].sort(f)")(create_proxy(bad))
    except IndexError as e:
        r = "back " + str(e)
    return r


@case("ki")
async def replace_callback_keyboardinterrupt():
    def bad(*a):
        raise KeyboardInterrupt

    try:
        run_js("(f)=>'abc'.replace(/b/, f)")(create_proxy(bad))
    except KeyboardInterrupt as e:
        r = "ki"
    return r


@case(4)
async def systemexit():
    def bad(*a):
        raise SystemExit(4)

    try:
        run_js("(f)=>f()")(bad)
    except SystemExit as e:
        r = e.code
    return r


@case("SystemExit")
async def systemexit_caught_in_js():
    def bad(*a):
        raise SystemExit(4)

    return run_js("(f)=>{try{f()}catch(e){return e.type}}")(bad)


@case("TypeError: getter")
async def proxy_get_of_js_hostile_getter():
    o = run_js("({get x() { throw new TypeError('getter') }})")
    try:
        o.x
    except JsException as e:
        r = str(e)
    return r


@case(["JsException"])
async def proxy_trap_throws():
    o = run_js("new Proxy({}, {get(t,k) { if (k === 'y') throw new TypeError('trap ' + String(k)); }, has(){throw 1}})")
    r = []
    try:
        o.y
    except Exception as e:
        r.append(type(e).__name__)
    return r


@case("TypeError")
async def setitem_js():
    m = run_js("new Proxy(new Map(), {})")
    try:
        js.Object.freeze(js.Array.new(1, 2)).push(4)
    except JsException as e:
        r = e.name
    return r


@case("EvalError: ctor")
async def js_throws_in_constructor():
    C = run_js("(class C { constructor(){ throw new EvalError('ctor') } })")
    try:
        C.new()
    except JsException as e:
        r = str(e)
    return r


@case(True)
async def nested_thrice():
    def a(n):
        if n == 0:
            raise ValueError("deep")
        return call(a, n - 1)

    call = run_js("(f, n) => f(n)")
    try:
        a(5)
    except ValueError as e:
        r = len(traceback.extract_tb(e.__traceback__)) >= 6
    return r


@case(["ValueError", "x"])
async def last_exc():
    def bad():
        raise ValueError("x")

    run_js("(f)=>{try{f()}catch(e){}}")(bad)
    return [type(sys.last_exc).__name__, str(sys.last_value)]


@case("ValueError: ä€😀")
async def unicode():
    def bad():
        raise ValueError("ä€😀")

    return run_js("(f)=>{try{f()}catch(e){return e.message.trim().split('\\n').at(-1)}}")(bad)


@case(["", True])
async def stderr_not_touched():
    def bad():
        raise ValueError("q")

    b = io.StringIO()
    with contextlib.redirect_stderr(b):
        m = run_js("(f)=>{try{f()}catch(e){return e.message}}")(bad)
    return [m, "ValueError" in b.getvalue()]


@case(["str_raises.<locals>.E", "main.str_raises.<locals>.E: <exception str() failed>"])
async def str_raises():
    class E(Exception):
        def __str__(self):
            raise RuntimeError("no")

    def bad():
        raise E()

    return run_js("(f)=>{try{f()}catch(e){return [e.type, e.message.trim().split('\\n').at(-1)]}}")(bad).to_py()


# Node gives "inner undefined": one capture of stderr ends the other.
@case(["str_raises_in_js.<locals>.E", "main.str_raises_in_js.<locals>.E: inner ZeroDivisionError"])
async def str_raises_in_js():
    class E(Exception):
        def __str__(self):
            return run_js("(f)=>{try{f()}catch(e){return 'inner ' + e.type}}")(lambda: 1 / 0)

    def bad():
        raise E()

    return run_js("(f)=>{try{f()}catch(e){return [e.type, e.message.trim().split('\\n').at(-1)]}}")(bad).to_py()


@case(True)
async def cause_through_js():
    def bad():
        try:
            1 / 0
        except ZeroDivisionError as e:
            raise ValueError("outer") from e

    return run_js(
        "(f)=>{try{f()}catch(e){return e.message.includes('direct cause') && e.message.includes('ZeroDivisionError')}}"
    )(bad)


@case(["JsException", "TypeError: tt"])
async def js_error_as_cause():
    try:
        try:
            run_js("() => { throw new TypeError('tt') }")()
        except JsException as e:
            raise ValueError("o") from e
    except ValueError as v:
        r = [type(v.__cause__).__name__, str(v.__cause__)]
    return r


@case(["TypeError: made", True])
async def raise_js_error_from_python():
    e = js.TypeError.new("made")
    try:
        raise e
    except JsException as x:
        r = [str(x), x == e]
    return r


@case([False, "PythonError", "JsException", True])
async def raise_js_error_into_js():
    e = js.TypeError.new("made")

    def bad():
        raise e

    return run_js(
        "(f, e)=>{try{f()}catch(x){return [x === e, x.constructor.name, x.type, x.message.includes('TypeError: made')]}}"
    )(bad, e).to_py()


@case(["x"])
async def event_target():
    t = js.EventTarget.new() if hasattr(js, "EventTarget") else None
    out = []
    t.addEventListener("x", create_proxy(lambda e: out.append(e.type)))
    t.dispatchEvent(js.Event.new("x"))
    return out


@case(["mt"])
async def queuemicrotask():
    out = []
    f = asyncio.get_running_loop().create_future()
    js.queueMicrotask(create_once_callable(lambda: f.set_exception(ValueError("mt"))))
    try:
        await f
    except ValueError as e:
        out.append(str(e))
    return out


@case("Object has already been destro")
async def destroyed_proxy():
    p = create_proxy(lambda: 1)
    p.destroy()
    return run_js("(p)=>{try{p()}catch(e){return e.message.slice(0,30)}}")(p)


@case(["ModuleNotFoundError", "ModuleNotFoundError: No module named 'nonexisting_zz'"])
async def modulenotfound_note():
    def bad():
        import nonexisting_zz

    return run_js("(f)=>{try{f()}catch(e){return [e.type, e.message.trim().split('\\n').at(-1)]}}")(bad).to_py()


@case(["ZeroDivisionError", "ZeroDivisionError: division by zero"])
async def runpython_raises_in_js():
    return run_js("(p)=>{try{p.runPython('1/0')}catch(e){return [e.type, e.message.trim().split('\\n').at(-1)]}}")(
        pyodide_js
    ).to_py()


@case(["ZeroDivisionError", "ZeroDivisionError: division by zero"])
async def runpythonasync_raises_in_js():
    return (
        await run_js(
            "async (p)=>{try{await p.runPythonAsync('1/0')}catch(e){return [e.type, e.message.trim().split('\\n').at(-1)]}}"
        )(pyodide_js)
    ).to_py()


@case(7)
async def ensure_future_of_promise():
    t = asyncio.ensure_future(run_js("new Promise((r)=>setTimeout(()=>r(7),5))"))
    return await t


@case([1, 2, 3])
async def gather_promises():
    return await asyncio.gather(
        run_js("Promise.resolve(1)"), asyncio.sleep(0.01, 2), run_js("new Promise((r)=>setTimeout(()=>r(3),5))")
    )


@case("timeout")
async def wait_for_promise():
    try:
        await asyncio.wait_for(run_js("new Promise(()=>{})"), 0.02)
    except TimeoutError:
        r = "timeout"
    return r


@case(6)
async def coroutine_to_js_awaited():
    async def f():
        await asyncio.sleep(0.01)
        return 5

    return await run_js("async (c)=> (await c) + 1")(f())


@case(4)
async def future_then():
    f = asyncio.get_running_loop().create_future()
    g = f.then(lambda x: x + 1)
    f.set_result(3)
    return await g


@case(2)
async def task_then_chain():
    async def a():
        return 1

    async def b(x):
        return x + 1

    return await asyncio.ensure_future(a()).then(b).finally_(lambda: None)


# Values that throw when they are looked at, of which node's Pyodide makes a fatal error.
HOSTILE = [
    "new Proxy({}, { get() { throw 1 }, has() { throw 2 }, getPrototypeOf() { throw 3 }, ownKeys() { throw 4 } })",
    "new Proxy(new Error('x'), { get() { throw 1 } })",
    "new Proxy(function () {}, { get() { throw 1 }, apply() { throw 2 } })",
    "{ get message() { throw 1 }, get stack() { throw 2 } }",
    "Object.defineProperty(new Error('x'), 'stack', { get() { throw null } })",
    "Object.assign(new Error('x'), { stack: 5, message: Symbol('m') })",
    "{ toString: null, valueOf: null }",
    "{ toString() { throw this } }",
    "Object.create(null)",
    "undefined",
    "10n",
    "function () {}",
    "[1, 2]",
]


@case([True] * len(HOSTILE))
async def thrown_values_that_do_not_like_to_be_looked_at():
    r = []
    for text in HOSTILE:
        try:
            run_js("() => { throw (%s) }" % text)()
        except Exception as e:
            r.append(isinstance(e, JsException))
    return r


@case([True, True])
async def descriptor_2_may_be_closed_or_another_file():
    def bad():
        raise ValueError("x")

    message = run_js("(f) => { try { f() } catch (e) { return e.message } }")
    saved = os.dup(2)
    try:
        os.close(2)
        r = ["ValueError: x" in message(bad)]
        file = os.open("/tmp/two", os.O_RDWR | os.O_CREAT)
        if file != 2:
            os.dup2(file, 2)
            os.close(file)
        message(bad)
        os.write(2, b"kept")
        os.lseek(2, 0, os.SEEK_SET)
        r.append(os.read(2, 100) == b"kept")
    finally:
        os.dup2(saved, 2)
        os.close(saved)
    return r
