"""The event loop of Python guests: CPython's own, turned by whoever waits.

Where CPython's would look at files, this one waits in the host: for its next timer, for the answer to a request, and, in a
guest that may use JavaScript, for that, whose own loop goes on meanwhile.
"""

import asyncio
import posix
import time
from asyncio import base_events, events, runners, tasks, unix_events
from functools import wraps
from select import select
from weakref import WeakSet

from pyodide import webloop
from pyodide.webloop import PyodideFuture, PyodideTask

_LONGEST_PAUSE = 86400.0  # seconds
_network = aardvark_network  # noqa: F821 - network.py's names, put here by adapter.js
_callbacks = aardvark_callbacks  # noqa: F821 - callbacks.py's
_invocations = _callbacks["pending"]
_wait_for_answers = _callbacks["wait"]


class NothingLeft(RuntimeError):
    """What is awaited can't come: no callback and no timer is left."""

    def __init__(self):
        super().__init__("this awaits something that can never be resolved: no timer, task or request is left")


class _State:
    javascript = None  # Pyodide's API object, where the guest may use JavaScript
    others = False  # whether there are loops but the one of calls, or another may have been set
    policy = False  # asyncio's, when the loop was renewed, where that tells of another loop that is set


def sleep(seconds, /):
    """time.sleep() that lets the host's thread sleep too."""
    if seconds is None:
        raise TypeError("'NoneType' object cannot be interpreted as an integer")
    if seconds < 0:
        raise ValueError("sleep length must be non-negative")
    if seconds != seconds:
        raise ValueError("Invalid value NaN (not a number)")
    select((), (), (), seconds)


# ---- what the host does (devices.js) --------------------------------------------------------------------------------


def _ask(message):
    device = posix.open("/dev/aardvark", posix.O_RDWR)
    try:
        posix.write(device, message)
        return posix.read(device, 32)
    finally:
        posix.close(device)


def _pause(seconds):
    """Waits so long, or until there may be something to do; without an end where that is None."""
    ms = -1 if seconds is None else min(seconds, _LONGEST_PAUSE) * 1000
    idle = not _wait_for_answers(ms) if _invocations else _ask(b"w%f" % ms) == b"idle"
    if idle:
        raise NothingLeft


def _turn_javascript():
    """Lets JavaScript do what it has to do; gives the seconds until there is more, None where nothing waits."""
    ms = _State.javascript.turned
    return None if ms < 0 else ms / 1000


class _Selector:
    """Where a loop waits."""

    def __init__(self, loop):
        self._loop = loop

    def select(self, timeout):
        loop = self._loop
        if loop.requests:
            loop.requests.take()
        if _State.javascript is not None:
            soon = _turn_javascript()
            if timeout is None or (soon is not None and soon < timeout):
                timeout = soon
        if loop._ready:
            timeout = 0
        if timeout == 0 and not loop.requests and not _invocations:
            return ()
        _pause(timeout)  # even for no time: requests go on then
        if loop.requests:
            loop.requests.take()
        return ()

    def close(self):
        pass


# ---- the loop -------------------------------------------------------------------------------------------------------

# Futures and tasks have JavaScript's `then` besides, as Pyodide's.  All that a task of Pyodide's does more is to count its
# callbacks, for a loop that is not used here.
del PyodideTask.__init__, PyodideTask.add_done_callback
for _class, _name in ((PyodideFuture, "Future"), (PyodideTask, "Task")):
    _class.__name__ = _class.__qualname__ = _name  # in messages


class HostLoop(base_events.BaseEventLoop):
    def __init__(self):
        super().__init__()
        _State.others = True
        self.requests = _network["Pending"]()
        self._selector = _Selector(self)

    def _process_events(self, _events):
        pass

    def _write_to_self(self):
        pass  # there are no other threads that would have to wake it

    def create_future(self):
        return PyodideFuture(loop=self)

    def create_task(self, coro, *, name=None, context=None):
        if self._task_factory is not None:
            return super().create_task(coro, name=name, context=context)
        self._check_closed()
        task = PyodideTask(coro, loop=self, name=name, context=context)
        if task._source_traceback:
            del task._source_traceback[-1]
        try:
            return task
        finally:
            del task  # else an exception's traceback would refer to it

    def run_call(self, task):
        """run_until_complete() for the task of a call.  Nobody else turns this loop until then, and so no callback has to
        tell of the task's end; rounds without timers, requests and JavaScript need nothing of what _run_once() looks at."""
        self._run_forever_setup()
        try:
            ready = self._ready
            while not (task.done() or self._stopping):
                if not ready or self._is_busy():
                    self._run_once()
                    continue
                for _ in range(len(ready)):
                    if not ready:  # a loop within this one took them
                        break
                    handle = ready.popleft()
                    if not handle._cancelled:
                        handle._run()
            if task.done() and not self._stopping and (ready or self._is_busy()):
                self._stopping = True
                self._run_once()  # the round in which the callback would have told
        finally:
            handle = None
            self._run_forever_cleanup()
        if not task.done():
            raise RuntimeError("Event loop stopped before Future completed.")
        return task.result()

    def _is_busy(self):
        return self._scheduled or self.requests or _invocations or self._debug or _State.javascript is not None

    # There are no threads: the work is done when its turn comes, where no loop seems to run, as in another thread.
    def run_in_executor(self, executor, func, *args):
        self._check_closed()
        if self._debug:
            self._check_callback(func, "run_in_executor")
        if executor is None:
            self._check_default_executor()
            executor = self._default_executor
        if executor is not None and not type(executor).__module__.startswith("concurrent.futures."):
            return super().run_in_executor(executor, func, *args)
        future = self.create_future()
        self.call_soon(self._work, future, func, args)
        return future

    def _work(self, future, func, args):
        if future.done():
            return
        events._set_running_loop(None)
        try:
            result = func(*args)
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as error:
            if not future.done():
                future.set_exception(error)
        else:
            if not future.done():
                future.set_result(result)
        finally:
            events._set_running_loop(self)

    async def shutdown_default_executor(self, timeout=None):
        self._executor_shutdown_called = True
        if self._default_executor is not None:
            self._default_executor.shutdown(wait=False)

    # That somebody wanted to is refused, and written down, by the socket.
    async def sock_connect(self, sock, address):
        sock.connect(address)


_given_up = WeakSet()  # tasks that wait, though they were cancelled, for what can never come


def _cancel(loop, waiting):
    for task in waiting:
        task.cancel()
    loop.run_until_complete(asyncio.gather(*waiting, return_exceptions=True))
    for task in waiting:
        if not task.cancelled() and (error := task.exception()) is not None:
            message = "unhandled exception in a task that was ended with its call"
            loop.call_exception_handler({"message": message, "exception": error, "task": task})


def is_pending(loop):
    """Whether anything may still wait to run; that nothing does is told at a glance."""
    return bool(
        loop._ready
        or loop._scheduled
        or loop._closed
        or loop._asyncgens.data
        or tasks._scheduled_tasks.data
        or tasks._eager_tasks
        or events._get_running_loop()
    )


def _give_up(task):
    _given_up.add(task)
    task._log_destroy_pending = False
    try:
        task.get_coro().close()
    except BaseException:  # it does not even end so
        pass


def end_pending(loop):
    """Ends what still waits to run, as asyncio.run() does, and gives how much that was."""
    waiting = asyncio.all_tasks(loop) - set(_given_up)
    try:
        if waiting:
            _cancel(loop, waiting)
        if loop._asyncgens:
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop._asyncgens_shutdown_called = False
    except NothingLeft:
        for task in waiting:
            if not task.done():
                _give_up(task)
    return len(waiting) + forget_pending(loop)


def forget_pending(loop):
    """Drops every callback, and gives the number of those that were no task's or future's."""
    handles = [handle for handle in (*loop._ready, *loop._scheduled) if not handle._cancelled]
    own = [handle for handle in handles if not _is_of_future(handle)]
    for handle in handles:
        handle.cancel()
    loop._ready.clear()
    loop._scheduled.clear()
    loop._timer_cancelled_count = 0
    return len(own)


def _is_of_future(handle):
    owner = getattr(handle._callback, "__self__", None)
    return any(isinstance(value, asyncio.Future) for value in (owner, *handle._args))


def renew(loop):
    """Gives the loop for the next call, whatever the last one has done to it."""
    events._set_running_loop(None)
    if _State.others or loop._closed or events._event_loop_policy is not _State.policy:
        if loop.is_closed():
            loop = HostLoop()
        try:
            asyncio.set_event_loop(loop)
        except Exception:  # what a guest broke of asyncio, or below, is for its own awaits to meet
            pass
        policy = events._event_loop_policy
        _State.policy = policy if type(policy) is asyncio.DefaultEventLoopPolicy else False  # a guest's own tells nothing
        _State.others = False
    loop._stopping = False
    return loop


def _notice(set_event_loop):
    """A policy's set_event_loop() that says that it was called."""

    @wraps(set_event_loop)
    def noticed(self, loop):
        _State.others = True
        set_event_loop(self, loop)

    return noticed


def end_javascript():
    """Ends what waits to run in JavaScript, and gives how much that was."""
    return _State.javascript.ended


def grant_javascript(api):
    _State.javascript = api


def install():
    """Makes this the loop that asyncio makes, whatever it is asked for, and gives the one for calls."""
    for module in (asyncio, unix_events):
        module.SelectorEventLoop = module.EventLoop = HostLoop
    webloop.WebLoop = HostLoop
    webloop.WebLoopPolicy = asyncio.DefaultEventLoopPolicy
    unix_events._UnixDefaultEventLoopPolicy._loop_factory = HostLoop
    policy = events.BaseDefaultEventLoopPolicy
    policy.set_event_loop = _notice(policy.set_event_loop)
    asyncio.set_event_loop_policy(asyncio.DefaultEventLoopPolicy())
    events._set_running_loop(None)
    asyncio.run = runners.run
    time.sleep = sleep
    return renew(HostLoop())
