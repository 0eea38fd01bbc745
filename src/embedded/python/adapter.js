// Between the C side and Python: calls go straight to CPython's C functions, with no proxies on the way.
//
// Values and reports travel by `host.result`; the functions themselves give C nothing but one of the states below.
(host, shared) => {
  "use strict";
  const { module: Module, pyodide, memory, guard, files, grantsJavaScript } = shared;

  const DONE = 1; // a value or a report was handed over
  const BROKEN = 2; // Python itself failed; the guest can't be used any more

  const VALUE = 0; // kinds of result: JSON text of the value
  const REPORT = 1; // JSON text of anything else the adapter has to say (adapter.py)

  const toUnicode = Module._PyUnicode_FromStringAndSize;
  const call = Module._PyObject_CallOneArg;
  const callNone = Module._PyObject_CallNoArgs;
  const release = Module._Py_DecRef;
  const bytesAt = Module._PyBytes_AsString;
  const bytesSize = Module._PyBytes_Size; // -1 and an error for anything but bytes
  const clearError = Module._PyErr_Clear;

  const names = shared.entryPoints;
  const pointers = { __proto__: null };
  if (shared.image) {
    for (const name of names) pointers[name] = shared.image.pointers[name];
  } else {
    // Builtins of their own, whatever a guest makes of everybody's.
    const __builtins__ = pyodide.runPython("import builtins; dict(vars(builtins))");
    const network = pyodide.toPy({ __name__: "aardvark_network", __builtins__ });
    pyodide.runPython(shared.networkSource, { globals: network, filename: "<aardvark>" });
    const system = pyodide.toPy({ __name__: "aardvark_system", __builtins__ });
    pyodide.runPython(shared.systemSource, { globals: system, filename: "<aardvark>" });
    const callbacks = pyodide.toPy({ __name__: "aardvark_callbacks", __builtins__ });
    pyodide.runPython(shared.callbacksSource, { globals: callbacks, filename: "<aardvark>" });
    const loop = pyodide.toPy({
      __name__: "aardvark_loop",
      __builtins__,
      aardvark_callbacks: callbacks,
      aardvark_network: network,
    });
    pyodide.runPython(shared.loopSource, { globals: loop, filename: "<aardvark>" });
    const globals = pyodide.toPy({
      __name__: "aardvark_adapter",
      __builtins__,
      aardvark_callbacks: callbacks,
      aardvark_loop: loop,
      aardvark_network: network,
      aardvark_system: system,
    });
    pyodide.runPython(shared.adapterSource, { globals, filename: "<aardvark>" });
    for (const name of names) pointers[name] = Module.PyProxy_getPtr(globals.get(name));
  }
  const { resolve, execute, buffer, report, mount } = pointers;
  const handlers = [];
  const baseline = grantsJavaScript ? undefined : shared.makeBaseline(Module, guard);
  let handlersThen = []; // at the checkpoint
  const freedSince = new Set(); // of those; a reset brings them back, to be freed again

  let inputAt = 0;
  let inputRoom = 0;
  let inputThen;
  const encoder = new TextEncoder();

  const broken = () => {
    clearError();
    return BROKEN;
  };

  const give = (kind, object) => host.result(kind, memory.buffer, bytesAt(object), bytesSize(object));

  const giveReport = () => {
    const told = callNone(report);
    if (told === 0) return broken();
    give(REPORT, told);
    release(told);
    return DONE;
  };

  // Bytes are a value; for anything else report() has the rest.
  const settle = (object) => {
    if (object === 0) return broken();
    const isValue = bytesSize(object) >= 0;
    if (isValue) give(VALUE, object);
    else clearError();
    release(object);
    return isValue ? DONE : giveReport();
  };

  const freeHandler = (handler) => {
    release(handlers[handler]);
    handlers[handler] = 0; // Python's own null, which release() takes
  };

  const callWithInput = (callable, length) => {
    const text = toUnicode(inputAt, length);
    if (text === 0) return 0;
    const object = call(callable, text);
    release(text);
    return object;
  };

  shared.python = {
    // Room in the guest's memory for the next input of `length` bytes; 0 when the guest's memory is full.
    reserve(length) {
      if (length > inputRoom || inputRoom > 1 << 20) {
        if (inputAt) Module._PyMem_RawFree(inputAt);
        inputRoom = Math.max(4096, length);
        inputAt = Module._PyMem_RawMalloc(inputRoom);
        if (!inputAt) inputRoom = 0;
      }
      return inputAt;
    },
    // Looks up "module:export"; gives the handler's number, or -1 with a report, or -2 when Python is broken.
    prepare(length) {
      const object = callWithInput(resolve, length);
      if (object === 0) return broken() && -2;
      if (bytesSize(object) >= 0) {
        release(object);
        return giveReport() === DONE ? -1 : -2;
      }
      clearError();
      const free = handlers.indexOf(0);
      if (free < 0) return handlers.push(object) - 1;
      handlers[free] = object;
      return free;
    },
    forget(handler) {
      freeHandler(handler);
      if (handler < handlersThen.length) freedSince.add(handler);
    },
    invoke: (handler, length) => settle(callWithInput(handlers[handler], length)),
    execute: (length) => settle(callWithInput(execute, length)),
    // The input names a buffer of the last report by its number.
    buffer: (length) => settle(callWithInput(buffer, length)),
    // `kept`: Python has seen this very bundle before, in the guest whose memory this one began with.
    mount(entries, kept) {
      while (handlers.length > 0) release(handlers.pop());
      files.rule();
      files.byHost(() => {
        if (shared.mounted) shared.hostFs.unmount("/app");
        shared.hostFs.mount("/app", JSON.parse(entries));
      });
      shared.mounted = true;
      return kept ? DONE : settle(callNone(mount));
    },
    calm: () => settle(callNone(pointers.calm)),
    clear: () => settle(callNone(pointers.clear)),
    renewStdin: () => settle(callNone(pointers.renew_stdin)),
    renew() {
      shared.renewCopiedTimes(Module.FS);
      return settle(callNone(pointers.renewed));
    },
    memory,
    signals: shared.signals,
    // What a reset is to bring back.  Gives where Python's generator of random numbers has its state, 0 for nowhere; -1
    // for a guest that can't be reset.
    checkpoint() {
      if (!baseline) return -1;
      shared.started();
      const object = callNone(pointers.random_state);
      if (object === 0) return broken() && -1;
      const at = Number(new TextDecoder().decode(new Uint8Array(memory.buffer, bytesAt(object), bytesSize(object))));
      release(object);
      handlersThen = handlers.slice();
      freedSince.clear();
      inputThen = { at: inputAt, room: inputRoom };
      baseline.take();
      shared.python.reset(); // the first time takes ten times as long, and is not for a caller to wait for
      return at;
    },
    // After the memory has been put back: true when all the rest could be, too.
    reset() {
      shared.renewViews();
      if (Module.exitCode !== undefined || !baseline?.restore()) return false; // an Emscripten that has ended stays so
      handlers.length = 0;
      handlers.push(...handlersThen);
      inputAt = inputThen.at;
      inputRoom = inputThen.room;
      for (const handler of freedSince) freeHandler(handler);
      return true;
    },
    // What a guest that gets this one's memory needs besides; as JSON.
    capture() {
      if (inputAt) Module._PyMem_RawFree(inputAt);
      inputAt = inputRoom = 0;
      return JSON.stringify({
        memoryBytes: memory.buffer.byteLength,
        version: Module.HEAPU32[Module._Py_Version >>> 2],
        now: host.now(),
        rest: shared.rest.describe(Module),
        libraries: shared.libraries.describe(Module),
        hiwire: shared.references.serialize(Module, pyodide._api),
        pointers,
      });
    },
  };

  // From here on Python gets an exception for what it would do to JavaScript.
  const close = () => {
    shared.raiseDenied = () => callNone(pointers.denied);
    const report = Module.handle_js_error;
    Module.handle_js_error = (error) => {
      const known = error?.pyodide_fatal_error || error instanceof Module._PropagatePythonError;
      if (known || !guard.closed) report(error);
      else raise(error);
    };
    guard.closed = true;
  };

  // An error of JavaScript's own, most often a full stack, becomes one of Python's.
  const raise = (error) => {
    const text = encoder.encode(error instanceof RangeError ? "stack" : `${error}`.slice(0, 500));
    const at = Module._PyMem_RawMalloc(text.length);
    new Uint8Array(memory.buffer).set(text, at);
    const string = toUnicode(at, text.length);
    Module._PyMem_RawFree(at);
    call(pointers.javascript_error, string);
    release(string);
  };

  const must = (name) => {
    if (settle(callNone(pointers[name])) !== DONE) throw new Error("the image's Python does not answer");
  };

  // What runs from here on may be a guest's: the image may have been captured from one, or written by one.
  files.seal();
  host.allowCode(false);
  if (!grantsJavaScript) close();
  // A restored guest must not go on with the random numbers of all the others.
  if (shared.image) must("restored");
  if (host.environment() !== undefined) must("environment");
  if (host.callbacks() !== undefined) must("callbacks");
  if (grantsJavaScript) must("grant");
}
