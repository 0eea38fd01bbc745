"""What asyncio's event loops do: every case gives in CPython what it gives here, with JavaScript and without.

`names` lists the cases; `run` gives null for one that ends as expected, else what it gave."""

import asyncio
import concurrent.futures
import contextlib
import contextvars
import io
import unittest
import warnings

CASES = {}


def case(want):
    def add(function):
        CASES[function.__name__] = (function, want)
        return function

    return add


def names():
    return list(CASES)


def run(name):
    function, want = CASES[name]
    asyncio.set_event_loop_policy(None)
    asyncio.set_event_loop(None)
    try:
        got = function()
    except BaseException as error:
        got = told(error)
    return None if got == want else {"got": got, "want": want}


def told(error):
    return f"{type(error).__name__}: {error}"


def refused(function, *args):
    try:
        return function(*args)
    except Exception as error:
        return told(error)


# ---- loops come and go ----------------------------------------------------------------------------------------------


@case([True, False, False, True, "RuntimeError: Event loop is closed"])
def a_new_loop():
    loop = asyncio.new_event_loop()
    out = [isinstance(loop, asyncio.SelectorEventLoop), loop.is_running(), loop.is_closed()]
    loop.close()
    loop.close()
    return [*out, loop.is_closed(), refused(loop.run_forever)]


@case([3, 4])
def a_policy_of_ones_own():
    class Policy(asyncio.DefaultEventLoopPolicy):
        def new_event_loop(self):
            loop = super().new_event_loop()
            loop.mine = 3
            return loop

    asyncio.set_event_loop_policy(Policy())

    async def main():
        return asyncio.get_running_loop().mine

    return [asyncio.run(main()), asyncio.run(asyncio.sleep(0, 4))]


@case(["RuntimeError: no running event loop", True, "RuntimeError: no running event loop"])
def the_running_loop():
    async def main():
        return asyncio.get_running_loop() is asyncio.get_event_loop()

    return [refused(asyncio.get_running_loop), asyncio.run(main()), refused(asyncio.get_running_loop)]


@case("RuntimeError: There is no current event loop in thread 'MainThread'.")
def no_loop_after_run():
    asyncio.run(asyncio.sleep(0))
    return refused(asyncio.get_event_loop)


@case([True, 5])
def the_loop_that_was_set():
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    out = [asyncio.get_event_loop() is loop, loop.run_until_complete(asyncio.sleep(0, 5))]
    loop.close()
    return out


@case(
    [
        "RuntimeError: asyncio.run() cannot be called from a running event loop",
        "RuntimeError: This event loop is already running",
        "RuntimeError: Cannot run the event loop while another loop is running",
        "RuntimeError: Cannot close a running event loop",
    ]
)
def one_loop_in_another():
    async def main():
        loop, other = asyncio.get_running_loop(), asyncio.new_event_loop()
        inner = [asyncio.sleep(0) for _ in range(3)]
        out = [
            refused(asyncio.run, inner[0]),
            refused(loop.run_until_complete, inner[1]),
            refused(other.run_until_complete, inner[2]),
            refused(loop.close),
        ]
        for coroutine in inner:
            coroutine.close()
        other.close()
        return out

    return asyncio.run(main())


@case(["ValueError: a coroutine was expected, got 5", "RuntimeError: Event loop stopped before Future completed."])
def what_can_not_be_run():
    loop = asyncio.new_event_loop()
    future = loop.create_future()
    loop.call_soon(loop.stop)
    out = [refused(asyncio.run, 5), refused(loop.run_until_complete, future)]
    loop.close()
    return out


@case(["one", "two", "stopped"])
def run_forever_and_stop():
    out = []
    loop = asyncio.new_event_loop()
    loop.call_later(0.001, out.append, "one")
    loop.call_later(0.002, out.append, "two")
    loop.call_later(0.003, loop.stop)
    loop.run_forever()
    loop.close()
    return [*out, "stopped"]


@case([1, 2, True, "RuntimeError: Runner is closed"])
def a_runner_keeps_its_loop():
    var = contextvars.ContextVar("var", default=0)

    async def add():
        var.set(var.get() + 1)
        return var.get()

    with asyncio.Runner() as runner:
        loop = runner.get_loop()
        out = [runner.run(add()), runner.run(add()), runner.get_loop() is loop]
    return [*out, refused(runner.get_loop)]


@case([True, 3])
def a_loop_by_its_class():
    with asyncio.Runner(loop_factory=asyncio.EventLoop) as runner:
        return [type(runner.get_loop()) is asyncio.SelectorEventLoop, runner.run(asyncio.sleep(0, 3))]


# ---- what is left behind --------------------------------------------------------------------------------------------


@case(["started", "cancelled", "generator closed"])
def run_ends_what_is_left():
    out = []

    async def left():
        out.append("started")
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            out.append("cancelled")
            raise

    async def values():
        try:
            yield 1
            yield 2
        finally:
            out.append("generator closed")

    async def main():
        task = asyncio.create_task(left())
        generator = values()
        await anext(generator)
        await asyncio.sleep(0)
        return task, generator

    kept = asyncio.run(main())
    del kept
    return out


@case("unhandled exception during asyncio.run() shutdown, ValueError")
def a_task_that_fails_when_it_is_ended():
    told = []

    async def left():
        try:
            await asyncio.sleep(60)
        finally:
            raise ValueError

    async def main():
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: told.append(context))
        loop.left = asyncio.create_task(left())
        await asyncio.sleep(0)

    asyncio.run(main())
    [context] = told
    return f"{context['message']}, {type(context['exception']).__name__}"


# ---- errors that nobody reads ---------------------------------------------------------------------------------------


@case([["Task exception was never retrieved", "ZeroDivisionError", "future"]])
def a_task_that_fails_unseen():
    told = []

    async def bad():
        1 / 0

    async def main():
        asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
        task = asyncio.create_task(bad())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        del task

    asyncio.run(main())
    return [
        [context["message"], type(context["exception"]).__name__, *sorted(set(context) & {"future"})]
        for context in told
    ]


@case([0, 0, 0, 0])
def a_task_that_somebody_looks_at():
    told = []

    async def bad():
        1 / 0

    async def settled():
        task = asyncio.create_task(bad())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return task

    async def main():
        asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
        counts = []
        task = await settled()
        task.exception()
        del task
        counts.append(len(told))
        task = await settled()
        with contextlib.suppress(ZeroDivisionError):
            await task
        del task
        counts.append(len(told))
        await asyncio.gather(bad(), bad(), return_exceptions=True)
        counts.append(len(told))
        done, _ = await asyncio.wait([asyncio.create_task(bad())])
        done.pop().exception()
        counts.append(len(told))
        return counts

    return asyncio.run(main())


@case("Task exception was never retrieved\nfuture: <Task finished name='unseen' coro=<")
def what_is_told_of_it():
    async def bad():
        1 / 0

    async def main():
        asyncio.create_task(bad(), name="unseen")
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    err = io.StringIO()
    with contextlib.redirect_stderr(err):
        asyncio.run(main())
    return err.getvalue()[:78]


@case([["Exception in callback", "ZeroDivisionError", True], "after"])
def a_callback_that_fails():
    told = []
    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda _, context: told.append(context))
    loop.call_soon(lambda: 1 / 0)
    after = loop.run_until_complete(asyncio.sleep(0, "after"))
    loop.close()
    [context] = told
    return [[context["message"][:21], type(context["exception"]).__name__, "handle" in context], after]


@case([None, True, ["mine"], "TypeError: A callable object or None is expected, got 5"])
def exception_handlers():
    loop = asyncio.new_event_loop()
    out = [loop.get_exception_handler()]
    told = []

    def handler(_, context):
        told.append(context["message"])

    loop.set_exception_handler(handler)
    out.append(loop.get_exception_handler() is handler)
    loop.call_exception_handler({"message": "mine"})
    loop.close()
    return [*out, told, refused(loop.set_exception_handler, 5)]


@case("ValueError: in the task")
def run_gives_the_exception():
    async def bad():
        raise ValueError("in the task")

    return refused(asyncio.run, bad())


@case(["SystemExit: 3", "KeyboardInterrupt: "])
def exceptions_that_end_a_program():
    out = []
    for error in (SystemExit(3), KeyboardInterrupt()):

        async def bad(error=error):
            await asyncio.sleep(0)
            raise error

        try:
            asyncio.run(bad())
        except BaseException as caught:
            out.append(told(caught))
    return out


# ---- time and order -------------------------------------------------------------------------------------------------


@case(["soon 1", "soon 2", "at", "later", "last"])
def the_order_of_callbacks():
    out = []
    loop = asyncio.new_event_loop()
    now = loop.time()
    loop.call_later(0.02, out.append, "last")
    loop.call_at(now + 0.004, out.append, "later")
    loop.call_at(now + 0.002, out.append, "at")
    loop.call_later(0.001, out.append, "never").cancel()
    loop.call_soon(out.append, "soon 1")
    loop.call_soon(out.append, "soon 2")
    loop.run_until_complete(asyncio.sleep(0.03))
    loop.close()
    return out


@case(list(range(50)))
def the_order_of_equal_times():
    out = []
    loop = asyncio.new_event_loop()
    when = loop.time() + 0.002
    for i in range(50):
        loop.call_at(when + i * 1e-6, out.append, i)
    loop.run_until_complete(asyncio.sleep(0.004))
    loop.close()
    return out


@case([True, True, "RuntimeError: Event loop is closed"])
def the_loops_clock():
    loop = asyncio.new_event_loop()
    then = loop.time()
    loop.run_until_complete(asyncio.sleep(0.01))
    passed = loop.time() - then
    handle = loop.call_later(5, print)
    out = [passed >= 0.009, 4 < handle.when() - loop.time() <= 5]
    handle.cancel()
    loop.close()
    return [*out, refused(loop.call_soon, print)]


@case(["TimeoutError: ", True, "in time", "shielded"])
def time_outs():
    async def main():
        out = []
        try:
            async with asyncio.timeout(0.002) as scope:
                await asyncio.sleep(60)
        except TimeoutError as error:
            out += [told(error), scope.expired()]
        out.append(await asyncio.wait_for(asyncio.sleep(0, "in time"), 5))
        inner = asyncio.ensure_future(asyncio.sleep(0.005, "shielded"))
        try:
            await asyncio.wait_for(asyncio.shield(inner), 0.001)
        except TimeoutError:
            out.append(await inner)
        return out

    return asyncio.run(main())


# ---- tasks ----------------------------------------------------------------------------------------------------------


@case(["ExceptionGroup: unhandled errors in a TaskGroup (2 sub-exceptions)", ["ValueError", "KeyError"], "cancelled"])
def task_groups():
    out = []

    async def fails(error):
        raise error

    async def waits():
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            out.append("cancelled")
            raise

    async def main():
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(waits())
                group.create_task(fails(ValueError()))
                group.create_task(fails(KeyError()))
        except ExceptionGroup as errors:
            return [told(errors), [type(error).__name__ for error in errors.exceptions]]

    return [*asyncio.run(main()), *out]


@case(["eager", True, "a task", 1])
def eager_tasks():
    out = []

    async def at_once():
        out.append("eager")
        return 1

    async def main():
        asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
        task = asyncio.create_task(at_once())
        out.append(task.done())
        out.append("a task" if isinstance(task, asyncio.Task) else "none")
        out.append(await task)

    asyncio.run(main())
    return out


@case(["outer", "inner", "outer", "callback"])
def context_variables():
    var = contextvars.ContextVar("var", default="outer")
    out = []

    async def inner():
        var.set("inner")
        await asyncio.sleep(0)
        out.append(var.get())

    async def main():
        out.append(var.get())
        await asyncio.create_task(inner())
        out.append(var.get())
        context = contextvars.copy_context()
        context.run(var.set, "callback")
        asyncio.get_running_loop().call_soon(lambda: out.append(var.get()), context=context)
        await asyncio.sleep(0)

    asyncio.run(main())
    return out


@case(["CancelledError: why", True, "worker", False])
def cancelling():
    async def main():
        task = asyncio.create_task(asyncio.sleep(60), name="worker")
        await asyncio.sleep(0)
        task.cancel("why")
        try:
            await task
        except asyncio.CancelledError as error:
            current = asyncio.current_task()
            return [told(error), task.cancelled(), task.get_name(), current is task]

    return asyncio.run(main())


@case([[0, 1, 4], "locked", ["a", "b"], 3])
def primitives():
    async def main():
        queue, lock, event = asyncio.Queue(1), asyncio.Lock(), asyncio.Event()

        async def feed():
            for i in range(3):
                await queue.put(i * i)
            event.set()

        task = asyncio.create_task(feed())
        got = [await queue.get() for _ in range(3)]
        await event.wait()
        await task
        async with lock:
            state = "locked" if lock.locked() else "open"
        named = [await first for first in asyncio.as_completed([asyncio.sleep(0.004, "b"), asyncio.sleep(0.001, "a")])]
        semaphore = asyncio.Semaphore(3)
        return [got, state, named, semaphore._value]

    return asyncio.run(main())


@case(["worked", "ValueError: in a thread", 7, "done by mine", "RuntimeError: Executor shutdown has been called"])
def executors():
    class Mine(concurrent.futures.Executor):
        def submit(self, function, /, *args, **keywords):
            future = concurrent.futures.Future()
            future.set_result(function(*args, **keywords))
            return future

    def fails():
        raise ValueError("in a thread")

    async def main():
        loop = asyncio.get_running_loop()
        out = [await loop.run_in_executor(None, str.lower, "WORKED")]
        try:
            await asyncio.to_thread(fails)
        except ValueError as error:
            out.append(told(error))
        out.append(await asyncio.to_thread(lambda: asyncio.run(asyncio.sleep(0.001, 7))))
        out.append(await loop.run_in_executor(Mine(), "done by {}".format, "mine"))
        await loop.shutdown_default_executor()
        try:
            await loop.run_in_executor(None, print)
        except RuntimeError as error:
            out.append(told(error))
        return out

    return asyncio.run(main())


@case([3, 0, 0, ["set up", "test", "clean", "torn down"]])
def async_cases_of_unittest():
    out = []

    class Test(unittest.IsolatedAsyncioTestCase):
        async def asyncSetUp(self):
            out.append("set up")
            self.addAsyncCleanup(self.clean)
            self.loop = asyncio.get_running_loop()

        async def clean(self):
            out.append("torn down")

        async def asyncTearDown(self):
            out.append("clean")

        async def test_one(self):
            await asyncio.sleep(0.001)
            self.assertIs(self.loop, asyncio.get_running_loop())
            out.append("test")

        async def test_two(self):
            with self.assertRaises(TimeoutError):
                await asyncio.wait_for(asyncio.sleep(60), 0.001)

        def test_three(self):
            self.assertEqual(asyncio.get_event_loop(), self.loop)

    suite = unittest.defaultTestLoader.loadTestsFromTestCase(Test)
    result = unittest.TextTestRunner(io.StringIO()).run(suite)
    return [result.testsRun, len(result.errors), len(result.failures), out[:4]]


@case(["RuntimeWarning: coroutine 'sleep' was never awaited"])
def a_coroutine_that_nobody_awaits():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        asyncio.sleep(0)
    return [f"{warning.category.__name__}: {warning.message}" for warning in caught]


@case(["debug", True, 1])
def debug_mode():
    async def main():
        loop = asyncio.get_running_loop()
        task = asyncio.create_task(asyncio.sleep(0, 1))
        return ["debug", loop.get_debug(), await task]

    return asyncio.run(main(), debug=True)
