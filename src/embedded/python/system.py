"""What the standard library says of a machine that a guest does not have: the true value, or an error that says why.

Emscripten makes up what it can't know: addresses for the names of hosts, zeros for times, -1 for commands.
"""

import errno
import os
import posix
import sys
import time

import _socket

_LOCAL = "localhost"


def _install(name, function, *modules):
    function.__name__ = function.__qualname__ = name
    for module in modules:
        if hasattr(module, name):
            setattr(module, name, function)


# ---- processes ------------------------------------------------------------------------------------------------------

_STARTING = ("system", "fork", "execv", "execve")


def _without_processes(name):
    real = getattr(posix, name, None)

    def refuse(*args, **kwargs):
        try:
            real(*args, **kwargs)  # which says what is wrong with the arguments
        except OSError:
            pass
        raise OSError(errno.ENOSYS, f"{os.strerror(errno.ENOSYS)}: a guest has no processes, os.{name} can't start one")

    return refuse


def times():
    """The processor time of the thread that guests run on; there are no children."""
    return posix.times_result((time.process_time(), 0.0, 0.0, 0.0, time.monotonic()))


def getloadavg():
    raise OSError("Load averages are unobtainable")


# ---- names of hosts -------------------------------------------------------------------------------------------------


def _is_address(host):
    for family in (_socket.AF_INET, _socket.AF_INET6):
        try:
            _socket.inet_pton(family, host)
            return True
        except OSError:
            pass
    return False


_real_getaddrinfo = _socket.getaddrinfo


def getaddrinfo(host, port, family=0, type=0, proto=0, flags=0):
    text = host.decode("ascii", "replace") if isinstance(host, (bytes, bytearray)) else host
    if text == _LOCAL:
        host = "127.0.0.1" if family != _socket.AF_INET6 else "::1"
    try:
        return _real_getaddrinfo(host, port, family, type, proto, flags)
    except _socket.gaierror as error:
        if not isinstance(text, str) or text in ("", _LOCAL) or _is_address(text):
            raise
        message = f"a guest can't look up '{text}': the host looks names up itself, for requests over HTTP"
        raise _socket.gaierror(error.errno, message) from None


def gethostbyname(hostname, /):
    return getaddrinfo(hostname, None, _socket.AF_INET)[0][4][0]


def gethostbyname_ex(hostname, /):
    return hostname, [], [gethostbyname(hostname)]


def gethostbyaddr(ip_address, /):
    address = gethostbyname(ip_address)
    if not address.startswith("127."):
        raise _socket.herror(1, f"a guest can't look up who has the address {address}")
    return _LOCAL, [], [address]


def install():
    for name in _STARTING:
        _install(name, _without_processes(name), os, posix)
    _install("times", times, os, posix)
    _install("getloadavg", getloadavg, os, posix)
    sockets = [_socket, *filter(None, [sys.modules.get("socket")])]
    for function in (gethostbyname, gethostbyname_ex, gethostbyaddr):
        _install(function.__name__, function, *sockets)
    _socket.getaddrinfo = getaddrinfo  # socket.getaddrinfo calls this one


# ---- zones ----------------------------------------------------------------------------------------------------------


def adapt_zoneinfo(module):
    """Zones are a package: the standard library has none, and a guest has no machine that would."""
    load = module.load_tzdata

    def load_tzdata(key):
        try:
            return load(key)
        except module.ZoneInfoNotFoundError as error:
            try:
                import tzdata  # noqa: F401
            except ImportError:
                message = (
                    f"No time zone found with key {key}: the package 'tzdata' is not here; stage it (aardvark assets stage"
                    f" --wheel FILE) and name it among the packages of the bundle's manifest"
                )
                raise module.ZoneInfoNotFoundError(message) from error
            raise

    module.load_tzdata = load_tzdata


# ---- what an image has kept -----------------------------------------------------------------------------------------


def renew():
    """Makes what was captured with everybody else's state this guest's own."""
    modules = sys.modules
    if random := modules.get("random"):
        random.seed()
    if tempfile := modules.get("tempfile"):
        tempfile._name_sequence = None
    if uuid := modules.get("uuid"):
        uuid._node = uuid._last_timestamp = None
    if numpy := modules.get("numpy.random"):
        numpy.seed()
    if process := modules.get("multiprocessing.process"):
        process.current_process().authkey = os.urandom(32)
    if logging := modules.get("logging"):
        logging._startTime = time.time_ns()
    for finder in list(sys.path_importer_cache.values()):
        if hasattr(finder, "_path_mtime"):
            finder._path_mtime = -1
