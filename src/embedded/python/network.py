"""Requests of Python guests, made by the host through the device /dev/network (network.js).

The standard library's `http.client` (and so `urllib.request`), Pyodide's `pyodide.http` and urllib3 (and so requests) are
adapted to it when they are imported.
"""

import os
import sys
from importlib.machinery import ModuleSpec, PathFinder
from json import dumps, loads

_DEVICE = "/dev/network"
_REDIRECTS = {"follow": 0, "error": 1, "manual": 2}


# ---- the device -----------------------------------------------------------------------------------------------------


class Answer:
    """What came of a request: `head` as src/net/net.h has it, and the body."""

    __slots__ = ("body", "head")

    def __init__(self, head, body):
        self.head = head
        self.body = body

    def check(self):
        """Raises the OSError that a failure is; gives itself for an answer."""
        reason = self.head.get("reason")
        if reason is None:
            return self
        message = f"{self.head['message']} ({reason})"
        if reason == "name_not_found":
            import socket

            raise socket.gaierror(socket.EAI_NONAME, message)
        if reason == "timed_out":
            raise TimeoutError(message)
        if reason in ("connection_failed", "tls_failed", "bad_response"):
            raise ConnectionError(message)
        raise PermissionError(message)

    def headers(self):
        """The headers that hold for the body as it is here."""
        if not self.head["decoded"]:
            return self.head["headers"]
        return [pair for pair in self.head["headers"] if pair[0].lower() not in ("content-encoding", "content-length")]


def _message(fields, body=b""):
    head = dumps(fields).encode()
    return b"".join((len(head).to_bytes(4, "little"), head, body))


def _lines(headers):
    lines = []
    for name, value in headers:
        if "\n" in name or "\n" in value:
            raise ValueError(f"a header has a line break in it: {name!r}")
        lines.append(f"{name}: {value}\n")
    return "".join(lines)


def start(method, url, headers=(), body=None, redirects="follow", timeout=None, flags=0):
    """Starts a request; gives the descriptor to read its answer from."""
    fields = {
        "method": method,
        "url": url,
        "headers": _lines(headers),
        "redirects": _REDIRECTS[redirects],
        "timeout": max(1, timeout * 1000) if timeout else 0,
        "body": body is not None,
    }
    door = os.open(_DEVICE, os.O_RDWR | flags)
    try:
        os.write(door, _message(fields, b"" if body is None else body))
    except BaseException:
        os.close(door)
        raise
    return door


def _read(door, length):
    parts = []
    while length > 0:
        part = os.read(door, length)
        if not part:
            break
        parts.append(part)
        length -= len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def finish(door):
    """The answer behind a descriptor, which is closed; raises BlockingIOError where it is still to come."""
    try:
        length = int.from_bytes(_read(door, 4), "little")
        head = loads(_read(door, length))
        parts = []
        while part := os.read(door, 1 << 20):
            parts.append(part)
    except BlockingIOError:
        raise
    except BaseException:
        os.close(door)
        raise
    os.close(door)
    return Answer(head, b"".join(parts))


def request(method, url, headers=(), body=None, redirects="follow", timeout=None):
    """Makes a request and waits for it."""
    return finish(start(method, url, headers, body, redirects, timeout))


# ---- requests that a loop waits for ---------------------------------------------------------------------------------


class Pending:
    """The requests under way of one event loop."""

    def __init__(self):
        self._futures = {}  # by their descriptors

    def __len__(self):
        return len(self._futures)

    def add(self, door, future):
        self._futures[door] = future
        future.add_done_callback(lambda _: self._forget(door))

    def _forget(self, door):
        if self._futures.pop(door, None) is not None:
            try:
                os.close(door)
            except OSError:  # a guest has closed it
                pass

    def take(self):
        """Gives the answers that have come to who waits for them."""
        for door, future in list(self._futures.items()):
            if future.done():
                continue
            try:
                answer = finish(door)
            except BlockingIOError:
                continue
            except OSError as error:
                del self._futures[door]
                future.set_exception(error)
            else:
                del self._futures[door]
                future.set_result(answer)


async def request_soon(loop, method, url, headers=(), body=None, redirects="follow"):
    """Makes a request and lets others run meanwhile."""
    door = start(method, url, headers, body, redirects, flags=os.O_NONBLOCK)
    future = loop.create_future()
    loop.requests.add(door, future)
    return await future


# ---- http.client ----------------------------------------------------------------------------------------------------

_OURS = ("accept-encoding", "content-length", "transfer-encoding")  # headers that the host writes itself


class _Socket:
    """In a connection's place: takes a request as http.client writes it, gives the answer as it reads it."""

    def __init__(self, connection, scheme):
        self._connection = connection
        self._scheme = scheme
        self._sent = []
        self._answer = None

    def sendall(self, data):
        self._sent.append(bytes(data))

    def perform(self):
        text = b"".join(self._sent)
        if self._answer is not None or not text:
            return
        self._sent.clear()
        head, _, body = text.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        method, target, _ = first.split(" ", 2)
        headers = [tuple(part.strip() for part in line.split(":", 1)) for line in lines]
        names = {name.lower(): value.lower() for name, value in headers}
        if "chunked" in names.get("transfer-encoding", ""):
            body = _dechunk(body)
        kept = [pair for pair in headers if not self._is_ours(*pair)]
        has_body = "content-length" in names or "transfer-encoding" in names
        timeout = self._connection.timeout
        timeout = timeout if isinstance(timeout, (int, float)) else None
        url = f"{self._scheme}://{self._place()}{target}"
        answer = request(method, url, kept, body if has_body else None, "manual", timeout).check()
        self._answer = self._as_http(answer, method)

    def _place(self):
        host, port = self._connection.host, self._connection.port
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    def _is_ours(self, name, value):
        name, value = name.lower(), value.lower()
        if name == "host":
            host = self._connection.host.lower()
            return value in (host, f"[{host}]", self._place().lower())
        return name in _OURS or (name == "connection" and value in ("close", "keep-alive"))

    @staticmethod
    def _as_http(answer, method):
        head = answer.head
        bodiless = method == "HEAD" or head["status"] in (204, 304)
        left_out = ("transfer-encoding", "connection", *(() if bodiless else ("content-length",)))
        lines = [f"HTTP/1.1 {head['status']} {head['statusText']}"]
        lines += [f"{name}: {value}" for name, value in answer.headers() if name.lower() not in left_out]
        if not bodiless:
            lines.append(f"Content-Length: {len(answer.body)}")
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + answer.body

    def makefile(self, mode, *args, **kwargs):
        from io import BytesIO

        self.perform()
        answer, self._answer = self._answer, None
        return BytesIO(answer or b"")

    def settimeout(self, timeout):
        pass

    def setsockopt(self, *args):
        pass

    def shutdown(self, how):
        pass

    def close(self):
        pass


def _dechunk(data):
    parts = []
    while data:
        size, _, data = data.partition(b"\r\n")
        length = int(size.split(b";")[0] or b"0", 16)
        if length == 0:
            break
        parts.append(data[:length])
        data = data[length + 2 :]
    return b"".join(parts)


def _adapt_http_client(module):
    connection = module.HTTPConnection
    connect_itself = connection.connect

    def connect(self):
        if self._create_connection is not module.socket.create_connection:  # the guest's own, most often a test's
            connect_itself(self)
            return
        self.sock = _Socket(self, "https" if isinstance(self, module.HTTPSConnection) else "http")
        if not self._tunnel_host:
            return
        try:
            self._tunnel()
        except OSError as error:
            self.close()
            message = "Tunnel connection failed: the host makes requests itself, and not through a proxy of the guest's"
            raise type(error)(message) from error

    send_request = connection._send_request

    def _send_request(self, *args, **kwargs):
        send_request(self, *args, **kwargs)
        if isinstance(self.sock, _Socket):
            self.sock.perform()

    connection.connect = connect
    connection._send_request = _send_request
    if hasattr(module, "HTTPSConnection"):
        module.HTTPSConnection.connect = connect
        return

    class HTTPSConnection(connection):
        """An HTTPConnection whose host makes the connection a TLS one; there is no ssl module for a context."""

        default_port = 443

        def __init__(self, host, port=None, *, timeout=module.socket._GLOBAL_DEFAULT_TIMEOUT, source_address=None, context=None, blocksize=8192):
            super().__init__(host, port, timeout, source_address, blocksize=blocksize)

    HTTPSConnection.__module__ = "http.client"
    HTTPSConnection.__qualname__ = "HTTPSConnection"
    module.HTTPSConnection = HTTPSConnection
    module._create_https_context = lambda http_version: None
    module.__all__.append("HTTPSConnection")


# ---- pyodide.http ---------------------------------------------------------------------------------------------------


class _Error(Exception):
    """What stands for a JavaScript error where Pyodide expects one."""

    def __init__(self, name, message=""):
        super().__init__(f"{name}: {message}")
        self.name = name
        self.message = str(message)


def _failure_of(answer):
    reason = answer.head["reason"]
    name = "TimeoutError" if reason == "timed_out" else "NetworkError"
    return _Error(name, f"{answer.head['message']} ({reason})")


def _as_bytes(value):
    if value is None or isinstance(value, bytes):
        return value
    return value.encode() if isinstance(value, str) else bytes(value)


def _pairs(headers):
    items = headers.items() if hasattr(headers, "items") else headers or ()
    return [(str(name), str(value)) for name, value in items]


class XMLHttpRequest:
    """As much of JavaScript's as Pyodide's synchronous functions use."""

    def __init__(self):
        self.status = 0
        self.statusText = self.responseURL = self.responseType = ""
        self.response = self.responseText = ""
        self.timeout = 0
        self._headers = []
        self._answered = []

    @classmethod
    def new(cls):
        return cls()

    def open(self, method, url, asynchronous=True, user=None, password=None):
        if asynchronous:
            raise NotImplementedError("only synchronous requests are made here; use pyfetch for others")
        self._method, self._url = method, url
        self._headers = []

    def setRequestHeader(self, name, value):
        self._headers.append((name, value))

    def overrideMimeType(self, mime):
        pass

    def send(self, body=None):
        answer = request(self._method, self._url, self._headers, _as_bytes(body), timeout=self.timeout / 1000)
        head = answer.head
        if "reason" in head:
            raise _failure_of(answer)
        self.status, self.statusText, self.responseURL = head["status"], head["statusText"], head["url"]
        self._answered = answer.headers()
        if self.responseType == "arraybuffer":
            self.response = answer.body
        else:
            self.response = self.responseText = answer.body.decode("utf-8", "replace")

    def getResponseHeader(self, name):
        found = [value for key, value in self._answered if key.lower() == name.lower()]
        return ", ".join(found) if found else None

    def getAllResponseHeaders(self):
        return "".join(f"{name.lower()}: {value}\r\n" for name, value in self._answered)


class _Signal:
    def __init__(self):
        self.aborted = False
        self.reason = None
        self._callbacks = []

    def on_abort(self, callback):
        self._callbacks.append(callback)
        if self.aborted:
            callback(self.reason)

    def abort(self, reason):
        if self.aborted:
            return
        self.aborted = True
        self.reason = reason or _Error("AbortError", "signal is aborted without reason")
        for callback in self._callbacks:
            callback(self.reason)

    @classmethod
    def any(cls, signals):
        signal = cls()
        for source in signals:
            source.on_abort(signal.abort)
        return signal


class _AbortController:
    def __init__(self):
        self.signal = _Signal()

    @classmethod
    def new(cls):
        return cls()

    def abort(self, reason=None):
        self.signal.abort(reason)


class _Request:
    def __init__(self, url, options=None):
        self.url = url
        self.options = options or {}
        self.method = self.options.get("method", "GET")

    @classmethod
    def new(cls, url, options=None):
        return cls(url, options)


class _Entries:
    """Object.fromEntries(...), which .to_py() makes a dict of."""

    def __init__(self, pairs):
        self._pairs = pairs

    def to_py(self):
        joined = {}
        for name, value in self._pairs:
            name = name.lower()
            joined[name] = f"{joined[name]}, {value}" if name in joined else value
        return joined


class _Object:
    fromEntries = _Entries


class _Headers:
    def __init__(self, pairs):
        self._pairs = pairs

    def entries(self):
        return self._pairs

    def get(self, name):
        return _Entries(self._pairs).to_py().get(name.lower())


class _Buffer:
    """In the place of a JsBuffer; what it holds is Python's already."""

    def __init__(self, data):
        self._data = data
        self.nbytes = self.byteLength = len(data)

    def __len__(self):
        return len(self._data)

    def to_bytes(self):
        return self._data

    def to_memoryview(self):
        return memoryview(self._data)

    def to_string(self, encoding=None):
        return self._data.decode(encoding or "utf-8")

    def to_file(self, file):
        file.write(self._data)

    _into_file = to_file


class _Response:
    type = "basic"

    def __init__(self, answer):
        head = answer.head
        self._answer = answer
        self.url, self.status, self.statusText = head["url"], head["status"], head["statusText"]
        self.ok = 200 <= self.status < 300
        self.redirected = head["redirected"]
        self.headers = _Headers(answer.headers())
        self.bodyUsed = False

    def clone(self):
        return _Response(self._answer)

    def _take(self):
        self.bodyUsed = True
        return self._answer.body

    async def arrayBuffer(self):
        return _Buffer(self._take())

    async def text(self):
        return self._take().decode("utf-8", "replace")


async def _fetch(target, options=None):
    import asyncio

    if isinstance(target, str):
        target = _Request(target)
    settings = {**target.options, **(options or {})}
    signal = settings.get("signal")
    if signal and signal.aborted:
        raise signal.reason
    method = settings.get("method", "GET")
    redirects = settings.get("redirect", "follow")
    if redirects not in _REDIRECTS:
        raise ValueError(f"redirect must be one of {', '.join(_REDIRECTS)}: {redirects!r}")
    loop = asyncio.get_running_loop()
    body = _as_bytes(settings.get("body"))
    task = asyncio.ensure_future(request_soon(loop, method, target.url, _pairs(settings.get("headers")), body, redirects))
    if signal:
        signal.on_abort(lambda _: task.cancel())
    try:
        answer = await task
    except asyncio.CancelledError:
        if signal and signal.aborted and not asyncio.current_task().cancelling():
            raise signal.reason from None
        task.cancel()
        raise
    if "reason" in answer.head:
        raise _failure_of(answer)
    return _Response(answer)


def _adapt_pyodide_http(module):
    module.XMLHttpRequest = XMLHttpRequest


def _adapt_pyxhr(module):
    module.XMLHttpRequest = XMLHttpRequest
    module.JsException = _Error


def _adapt_pyfetch(module):
    module.Request = _Request
    module.AbortController = _AbortController
    module.AbortSignal = _Signal
    module.Object = _Object
    module.JsException = _Error
    module._jsfetch = _fetch
    module.abortSignalAny = _Signal.any
    module.to_js = lambda value, **_: value


# ---- urllib3 --------------------------------------------------------------------------------------------------------


def _make_urllib3_fetch(module):
    """In the place of urllib3's own module of that name, which uses JavaScript."""
    from email.parser import Parser
    from io import BytesIO

    from urllib3.contrib.emscripten.response import EmscriptenResponse

    class _RequestError(Exception):
        def __init__(self, message=None, *, request=None, response=None):
            self.request, self.response, self.message = request, response, message
            super().__init__(message)

    class _StreamingError(_RequestError):
        pass

    class _TimeoutError(_RequestError):
        pass

    def send_request(wanted):
        headers = [pair for pair in _pairs(wanted.headers) if not _is_written_by_host(*pair)]
        body = wanted.body
        if body is not None and not isinstance(body, (bytes, bytearray, memoryview, str)):
            body = body.read() if hasattr(body, "read") else b"".join(_as_bytes(part) for part in body)
        answer = request(wanted.method, wanted.url, headers, _as_bytes(body), "manual", wanted.timeout or None)
        head = answer.head
        if "reason" in head:
            kind = _TimeoutError if head["reason"] == "timed_out" else _RequestError
            raise kind(f"{head['message']} ({head['reason']})", request=wanted)
        lines = "".join(f"{name}: {value}\n" for name, value in answer.headers())
        return EmscriptenResponse(
            status_code=head["status"], headers=dict(Parser().parsestr(lines)), body=answer.body, request=wanted
        )

    def send_streaming_request(wanted):
        response = send_request(wanted)
        response.body = BytesIO(response.body)
        return response

    for value in (_RequestError, _StreamingError, _TimeoutError, send_request, send_streaming_request):
        setattr(module, value.__name__, value)
    module.has_jspi = module.is_in_node = module.is_worker_available = lambda: False
    module.is_cross_origin_isolated = module.is_in_browser_main_thread = lambda: False
    module.streaming_ready = lambda: True


def _is_written_by_host(name, value):
    return name.lower() in _OURS or (name.lower() == "connection" and value.lower() in ("close", "keep-alive"))


# ---- adapting modules when they are imported ------------------------------------------------------------------------


class _Adapting:
    """A module's loader, and what is done to the module afterwards."""

    def __init__(self, loader, adapt):
        self._loader = loader
        self._adapt = adapt

    def create_module(self, spec):
        return self._loader.create_module(spec)

    def exec_module(self, module):
        self._loader.exec_module(module)
        self._adapt(module)

    def __getattr__(self, name):
        return getattr(self._loader, name)


class _Made:
    def __init__(self, make):
        self._make = make

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        self._make(module)


ADAPTED = {"http.client": _adapt_http_client}
_WITHOUT_JAVASCRIPT = {
    "pyodide.http": _adapt_pyodide_http,
    "pyodide.http.pyxhr": _adapt_pyxhr,
    "pyodide.http._pyfetch": _adapt_pyfetch,
}
_MADE = {"urllib3.contrib.emscripten.fetch": _make_urllib3_fetch}


class _Adapter:
    def find_spec(self, name, path=None, target=None):
        if make := _MADE.get(name):
            return ModuleSpec(name, _Made(make))
        adapt = ADAPTED.get(name)
        spec = PathFinder.find_spec(name, path, target) if adapt else None
        if spec is not None and spec.loader is not None:
            spec.loader = _Adapting(spec.loader, adapt)
        return spec


def install():
    """Every guest begins so."""
    ADAPTED.update(_WITHOUT_JAVASCRIPT)
    for name, adapt in ADAPTED.items():
        if module := sys.modules.get(name):
            adapt(module)
    sys.meta_path.insert(0, _Adapter())


def grant_javascript():
    """Pyodide's own functions are what they are where there is JavaScript."""
    for name in _WITHOUT_JAVASCRIPT:
        ADAPTED.pop(name, None)
        sys.modules.pop(name, None)
