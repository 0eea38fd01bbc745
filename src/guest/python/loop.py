"""The event loop of guests that have no JavaScript.

Pyodide's own loop hands its callbacks to JavaScript and comes back when that calls.  This one is turned by whoever waits:
the adapter for a call, or the guest itself in `asyncio.run`, which may be nested.
"""

import asyncio
import time
from asyncio.tasks import _swap_current_task
from collections import deque
from heapq import heappop, heappush
from select import select

from pyodide.webloop import WebLoop

_LONGEST_PAUSE = 86400.0  # seconds
_network = aardvark_network  # noqa: F821 - network.py's names, put here by adapter.js


class NothingLeft(RuntimeError):
    """What is awaited can't come: no callback and no timer is left."""

    def __init__(self):
        super().__init__("this waits for something that can never come: no timer, task or request is left")


def _pause(seconds):
    select((), (), (), seconds)


def sleep(seconds, /):
    """time.sleep() that lets the host's thread sleep too."""
    if seconds is None:
        raise TypeError("'NoneType' object cannot be interpreted as an integer")
    if seconds < 0:
        raise ValueError("sleep length must be non-negative")
    if seconds != seconds:
        raise ValueError("Invalid value NaN (not a number)")
    _pause(seconds)


def _seen(_future):
    """Marks a future as one whose exception somebody looks at."""


class HostLoop(WebLoop):
    def __init__(self):
        super().__init__()
        self._soon = deque()
        self._later = []  # (when, number, handle), a heap
        self._number = 0
        self._stopping = False
        self.requests = _network["Pending"]()

    def call_soon(self, callback, *args, context=None):
        handle = asyncio.Handle(callback, args, self, context=context)
        self._soon.append(handle)
        return handle

    call_soon_threadsafe = call_soon

    def call_at(self, when, callback, *args, context=None):
        handle = asyncio.TimerHandle(when, callback, args, self, context=context)
        self._number += 1
        heappush(self._later, (when, self._number, handle))
        return handle

    def call_later(self, delay, callback, *args, context=None):
        if delay <= 0:
            return self.call_soon(callback, *args, context=context)
        return self.call_at(self.time() + delay, callback, *args, context=context)

    def _run_handle(self, handle):
        self._install_asyncgen_hooks()
        try:
            handle._run()
        except SystemExit as end:
            if not self._system_exit_handler:
                raise
            self._system_exit_handler(end.code)
        except KeyboardInterrupt:
            if not self._keyboard_interrupt_handler:
                raise
            self._keyboard_interrupt_handler()

    def _turn(self):
        """Runs what is due; gives the seconds until something will be, or None where nothing is left but requests."""
        soon, later = self._soon, self._later
        if self.requests:
            self.requests.take()
        if later:
            now = self.time()
            while later and later[0][0] <= now:
                soon.append(heappop(later)[2])
        for _ in range(len(soon)):
            if not soon:  # a nested turn took them
                break
            handle = soon.popleft()
            if not handle._cancelled:
                self._run_handle(handle)
        while later and later[0][2]._cancelled:
            heappop(later)
        if soon:
            return 0
        return max(0.0, later[0][0] - self.time()) if later else None

    def _turn_until(self, done):
        task = _swap_current_task(self, None)
        try:
            while not done():
                wait = self._turn()
                if done():
                    break
                if self.requests:
                    _network["wait"](_LONGEST_PAUSE if wait is None else wait)
                elif wait is None:
                    raise NothingLeft
                elif wait:
                    _pause(min(wait, _LONGEST_PAUSE))
        finally:
            _swap_current_task(self, task)

    def run_until_complete(self, future):
        future = asyncio.ensure_future(future, loop=self)
        future.add_done_callback(_seen)
        self._turn_until(future.done)
        return future.result()

    def run_forever(self):
        self._stopping = False
        try:
            self._turn_until(lambda: self._stopping)
        except NothingLeft:
            pass

    def stop(self):
        self._stopping = True


def run(main, *, debug=None, loop_factory=None):
    """asyncio.run(), which may be called wherever the guest is, inside of a coroutine too."""
    if not asyncio.iscoroutine(main):
        raise ValueError(f"a coroutine was expected, got {main!r}")
    return asyncio.get_running_loop().run_until_complete(main)


def install():
    """Makes a loop of this kind the one that runs."""
    loop = HostLoop()
    asyncio.get_event_loop_policy().set_event_loop(loop)
    asyncio.run = run
    time.sleep = sleep
    return loop
