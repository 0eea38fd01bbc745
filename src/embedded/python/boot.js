// Boots Pyodide 0.29 on a realm of ours, without its own loader: the module settings, the files and the streams come from
// the host.  Fills `shared.python` with what the C side calls.
(host, shared) => {
  "use strict";
  const { guard, makeHostFs } = shared;
  const SHARED_LIBRARIES = "/usr/lib"; // pyodide._package_loader.DSO_DIR
  const ALLOCATOR_STATE_BYTES = 512 + 2 ** 18;
  const ALLOCATOR_STATE_AT = 1020;
  const PYMEM_DOMAIN_MEM = 1; // Include/cpython/pymem.h
  const PYMEM_DOMAIN_OBJ = 2;
  const STDLIB = 0; // file number of the standard library's archive

  const environment = Object.freeze({
    IN_BUN: false,
    IN_DENO: false,
    IN_NODE: false,
    IN_SAFARI: false,
    IN_SHELL: false,
    IN_BROWSER: true,
    IN_BROWSER_MAIN_THREAD: false,
    IN_BROWSER_WEB_WORKER: true,
    IN_NODE_COMMONJS: false,
    IN_NODE_ESM: false,
  });

  class Unregistered {
    register() {}
    unregister() {}
  }

  const encoder = new TextEncoder();
  const linker = { find: host.symbol, allow: (makes) => (guard.closed ? shared.makeCode(makes) : makes()) };
  const writeLine = (fd) => (line) => host.write(fd, encoder.encode(`${line}\n`));

  const makeConfig = () => ({
    indexURL: "/",
    packageBaseUrl: "/",
    packageCacheDir: "/",
    cdnUrl: "/",
    fullStdLib: false,
    jsglobals: globalThis,
    args: [],
    env: { HOME: "/home/pyodide", PYTHONINSPECT: "1", PYTHONHASHSEED: "0", PYTHONDONTWRITEBYTECODE: "1" },
    packages: [],
    enableRunUntilComplete: true,
    checkAPIVersion: true,
  });

  // Python reads its version from the module, whose memory an image fills later; the standard library's place depends on it.
  const placeStdlib = (Module) => {
    const version = shared.image ? shared.image.version : Module.HEAPU32[Module._Py_Version >>> 2];
    const major = version >>> 24;
    const minor = (version >>> 16) & 255;
    Module.API.pyVersionTuple = [major, minor, (version >>> 8) & 255];
    Module.API.sitePackages = `/lib/python${major}.${minor}/site-packages`;
    Module.FS.mkdirTree(Module.API.sitePackages);
    shared.hostFs = makeHostFs(Module);
    shared.files = shared.makeFiles(Module);
    shared.hostFs.place("/lib", `python${major}${minor}.zip`, STDLIB);
  };

  // Seconds and microseconds behind select()'s last argument; nothing to watch is a way to sleep.  One that is cut short
  // makes Python look for signals.
  const sleepInHost = (env) => {
    const real = env.__syscall__newselect;
    env.__syscall__newselect = (count, ...rest) => {
      const timeout = rest[3] >>> 2;
      if (count !== 0 || timeout === 0) return real(count, ...rest);
      const time = new Int32Array(env.memory.buffer, timeout << 2, 2);
      return host.sleep(time[0] * 1e3 + time[1] / 1e3) ? -shared.errno.EINTR : 0;
    };
    env.__syscall__newselect.sig = real.sig;
  };

  // Guests are in UTC, whatever the host is.  What Emscripten makes of a zone without a name is no name.
  const useUtc = (env) => {
    const { sig } = env._tzset_js;
    env._tzset_js = (timezone, daylight, standard, summer) => {
      const heap = new DataView(env.memory.buffer);
      const name = encoder.encode("UTC\0");
      heap.setInt32(timezone >>> 0, 0, true);
      heap.setInt32(daylight >>> 0, 0, true);
      for (const at of [standard, summer]) new Uint8Array(env.memory.buffer).set(name, at >>> 0);
    };
    env._tzset_js.sig = sig;
  };

  // Emscripten's clocks of processor time run while the guest sleeps.
  const CPU_CLOCKS = [2, 3]; // of WASI: the process's and the thread's
  const countProcessorTime = (wasi, env) => {
    const real = wasi.clock_time_get;
    wasi.clock_time_get = (clock, precision, at) => {
      if (!CPU_CLOCKS.includes(clock)) return real(clock, precision, at);
      new DataView(env.memory.buffer).setBigInt64(at >>> 0, BigInt(Math.round(host.processorTime() * 1e6)), true);
      return 0;
    };
    wasi.clock_time_get.sig = real.sig;
  };

  const PAGE = 65536;
  const MOST_MEMORY = 65535 * PAGE; // what Emscripten itself would allow

  // A glue that is not prelinked wants a shared memory to sleep with, which guests have not; it does without (prelink/glue.c).
  const unshared = (work) => {
    if (!globalThis.WebAssembly) return work(); // while a snapshot is made, of a prelinked one
    const { Memory } = WebAssembly;
    WebAssembly.Memory = function ({ shared: wanted, ...rest }) {
      return new Memory(rest);
    };
    try {
      return work();
    } finally {
      WebAssembly.Memory = Memory;
    }
  };

  // Python's memory is the guest's heap.
  const limitMemory = () => {
    const pages = Math.floor(Math.min(host.heapLimit(), MOST_MEMORY) / PAGE);
    if (pages === 0 || settings.wasmMemory) return;
    const initial = (settings.INITIAL_MEMORY ?? 320 * PAGE) / PAGE; // Emscripten's default
    if (initial > pages) throw new RangeError(`the heap limit is below the ${initial * PAGE} bytes that Python starts with`);
    settings.wasmMemory = new WebAssembly.Memory({ initial, maximum: pages });
  };

  // The engine keeps the limit; here it is only asked for what it will give, and noted that there was no more.
  const growWithinLimit = (env) => {
    const { sig } = env.emscripten_resize_heap;
    env.emscripten_resize_heap = (bytes) => {
      const most = Math.floor(Math.min(host.heapLimit() || MOST_MEMORY, MOST_MEMORY) / PAGE) * PAGE;
      const wanted = bytes >>> 0;
      const have = env.memory.buffer.byteLength;
      const generous = Math.max(wanted, Math.min(have * 1.2, wanted + 1536 * PAGE));
      const grown = wanted <= most && settings.growMemory(Math.min(most, Math.ceil(generous / PAGE) * PAGE));
      if (!grown) host.memoryRefused();
      return grown ? 1 : 0;
    };
    env.emscripten_resize_heap.sig = sig;
  };

  // A stop may have come when the memory had grown and Emscripten's views of it had not been made anew: growing by nothing
  // makes them.  They are made one after the other, HEAPU64 last.
  shared.renewViews = () => {
    if (settings.HEAPU64.buffer !== shared.memory.buffer && !settings.growMemory(shared.memory.buffer.byteLength)) {
      throw new Error("the guest's memory can't be looked at");
    }
  };

  // Python looks at this when it is told to look for signals; the host tells it when a call is to end.
  const listenForSignals = (Module) => {
    Module.Py_EmscriptenSignalBuffer = new Uint8Array(1);
    shared.signals = { buffer: Module.Py_EmscriptenSignalBuffer, listening: Module._Py_EMSCRIPTEN_SIGNAL_HANDLING };
  };

  // Pyodide's code asks for its instance long before it is there: what came of the question is in `asked` until then.
  const ask = (settings) => (imports, done) => {
    const { env } = imports;
    const sentinel = Symbol("no value");
    imports.sentinel = {
      create_sentinel: () => sentinel,
      is_sentinel: (value) => (value === sentinel ? 1 : 0),
    };
    const random = (at, length) => {
      host.random(new Uint8Array(env.memory.buffer, at >>> 0, length >>> 0));
      return 0;
    };
    env.getentropy = random;
    if (imports.wasi_snapshot_preview1.random_get) imports.wasi_snapshot_preview1.random_get = random;
    sleepInHost(env);
    useUtc(env);
    countProcessorTime(imports.wasi_snapshot_preview1, env);
    growWithinLimit(env);
    if (!shared.grantsJavaScript) guard.wrap(env, () => settings.error, () => shared.raiseDenied());
    shared.refuseSockets(env);
    asked = { imports, done };
    return {};
  };

  const answer = () => {
    const { imports, done } = asked;
    asked = undefined;
    const module = host.wasmModule();
    const unknown = shared.image ? [] : guard.unknown(module);
    if (unknown.length > 0) throw new Error(`pyodide.asm.wasm imports what the guard does not know: ${unknown}`);
    shared.memory = imports.env.memory;
    const instance = new WebAssembly.Instance(module, imports);
    shared.tables = [imports.env.__indirect_function_table, ...guard.tablesOf(instance)];
    done(instance, module);
  };

  const setTimes = (FS, time, wanted) => {
    for (const first of Object.values(FS.nameTable)) {
      for (let node = first; node; node = node.name_next) {
        if (wanted(node)) node.atime = node.mtime = node.ctime = time;
      }
    }
  };

  // Files and directories that were there before the guest: they are as old as the guest.  A copy of a guest is a guest of its
  // own: what the start of the other has made is as old as the copy.
  let born;
  let started;
  const renewTimes = (FS) => setTimes(FS, (born = Date.now()), () => true);
  shared.started = () => (started ??= Date.now());
  shared.renewCopiedTimes = (FS) => setTimes(FS, Date.now(), ({ mtime }) => mtime >= born && mtime <= started);

  // Python's objects get their memory from allocator.wat, where prelinking has added that to the module.  It is part of the
  // state that an image has.
  const useAllocator = (Module) => {
    const functions = ["malloc", "calloc", "realloc", "free"].map((name) => linker.find(`aardvark_${name}`));
    if (functions.includes(undefined)) return;
    const state = Module._calloc(ALLOCATOR_STATE_BYTES, 1);
    const allocator = Module._malloc(4 * (1 + functions.length)); // PyMemAllocatorEx
    Module.HEAPU32.set([state, ...functions.map((slot) => -slot)], allocator >>> 2);
    Module.HEAPU32[ALLOCATOR_STATE_AT >>> 2] = state;
    for (const domain of [PYMEM_DOMAIN_MEM, PYMEM_DOMAIN_OBJ]) Module._PyMem_SetAllocator(domain, allocator);
    Module._free(allocator);
  };

  // Whatever is asked of it, it gives itself; as a string it is empty.
  const anything = new Proxy(() => {}, {
    get: (target, name) => (name === Symbol.toPrimitive ? () => "" : anything),
    apply: () => anything,
  });

  // The glue's last step looks up Python objects for Pyodide's JavaScript interface.  A guest whose JavaScript nobody can
  // reach has no use for them, and looking them up would write to hundreds of pages of the image.
  const withoutPython = (Module, step) => {
    const { API } = Module;
    const { rawRun, runPythonInternal } = API;
    const initialize = Module._init_pyodide_proxy;
    API.rawRun = () => [0, ""];
    API.runPythonInternal = () => anything;
    API._pyodide = anything;
    Module._init_pyodide_proxy = () => {};
    step();
    API.rawRun = rawRun;
    API.runPythonInternal = runPythonInternal;
    Module._init_pyodide_proxy = initialize;
  };

  // What Pyodide knows of packages, for guests that ask pyodide_js: an image does not have it, and few of them ask.
  const lendPackageIndex = (API) => {
    let index;
    const read = () => {
      if (index) return index;
      const lockfile = JSON.parse(host.lockFile());
      const packages = Object.entries(lockfile.packages);
      const unvendored = packages.filter(([, { package_type: type }]) => type === "cpython_module").map(([name]) => name);
      index = {
        lockfile,
        lockfile_info: lockfile.info,
        lockfile_packages: lockfile.packages,
        lockfile_unvendored_stdlibs_and_test: unvendored,
        lockfile_unvendored_stdlibs: unvendored.filter((name) => name !== "test"),
        _import_name_to_package_name: new Map(packages.flatMap(([name, { imports }]) => imports.map((one) => [one, name]))),
      };
      return index;
    };
    const names = ["lockfile", "lockfile_info", "lockfile_packages", "lockfile_unvendored_stdlibs_and_test"];
    for (const name of [...names, "lockfile_unvendored_stdlibs", "_import_name_to_package_name"]) {
      const set = (value) => Object.defineProperty(API, name, { value, writable: true });
      Object.defineProperty(API, name, { get: () => read()[name], set, configurable: true, enumerable: true });
    }
    API.packageIndexReady = Promise.resolve();
  };

  const LOOK_AGAIN = 10; // milliseconds, while other threads of the engine work, which end the wait when they are done

  // For loop.py, which can't ask for these by a device: in a system call Python can't be called back.  They are getters, as
  // a function that Python has held could not be captured.
  //
  // A round of JavaScript's own loop; gives the milliseconds until there is more to do, -1 where nothing waits.
  const turnJavaScript = () => {
    host.pump();
    const next = shared.runTimers(host.now());
    const working = host.pump();
    return working && !(next >= 0 && next < LOOK_AGAIN) ? LOOK_AGAIN : next;
  };
  // Ends what waits to run in JavaScript, and gives how much that was.
  const endJavaScript = () => {
    host.pump();
    const count = shared.pendingTimers();
    shared.clearAllTimers();
    return count;
  };

  let asked;
  let begun; // the module, once it is ready
  let API;
  let settings;

  // The text of the image to start from (adapter.js's capture()).
  shared.useImage = (text) => {
    shared.image = shared.readImage(text);
  };

  // The first half of a start, up to where the WebAssembly has to be there; it is in the start-up snapshot of Python
  // guests.  A guest that starts from nothing needs the lock file's text and the sources of the adapter.
  shared.beginPython = (createModule, lockFile, loopSource, adapterSource, networkSource, systemSource, callbacksSource) => {
    // What JavaScript lets go of must not change a Python that has been reset since.
    if (!shared.grantsJavaScript) globalThis.FinalizationRegistry = Unregistered;
    shared.loopSource = loopSource;
    shared.networkSource = networkSource;
    shared.systemSource = systemSource;
    shared.callbacksSource = callbacksSource;
    shared.adapterSource = adapterSource;
    const config = makeConfig();
    API = { config, runtimeEnv: environment };
    if (lockFile !== undefined) API.lockFilePromise = Promise.resolve(lockFile);
    settings = {
      noImageDecoding: true,
      noAudioDecoding: true,
      noWasmDecoding: false,
      preRun: [
        (Module) => {
          for (const path of ["/home", "/app", "/session"]) Module.FS.mkdirTree(path);
          // Pyodide's working directory is its home, and programs for it say so.
          Module.FS.symlink("/session", config.env.HOME);
        },
        placeStdlib,
        shared.makeDevices,
        shared.makeNetworkDevice,
        (Module) => Module.FS.chdir("/session"),
        (Module) => Object.assign(Module.ENV, config.env),
      ],
      print: writeLine(1),
      printErr: writeLine(2),
      onExit(code) {
        settings.exitCode = code;
      },
      thisProgram: "/usr/bin/python",
      arguments: [],
      API,
      prelink: linker,
      locateFile: (name) => `/${name}`,
      placeLibrary: shared.libraries.place,
    };
    settings.instantiateWasm = ask(settings);
    // A glue that is not prelinked makes its memory now.
    if (shared.image) settings.INITIAL_MEMORY = shared.image.memoryBytes;
    limitMemory();
    begun = unshared(() => createModule(settings));
  };

  // The second half.  With an image the interpreter is in the state that was captured, and only the JavaScript around it is
  // new.
  shared.finishPython = async () => {
    const { image } = shared;
    if (!image) settings.onRuntimeInitialized = () => useAllocator(settings);
    if (image) {
      host.startClock(image.now);
      settings.noInitialRun = true;
      settings.INITIAL_MEMORY = image.memoryBytes;
    }
    limitMemory();
    renewTimes(settings.FS);
    linker.resume?.();
    answer();
    const Module = await begun;
    shared.mountDirectories(Module);
    shared.serveFiles = shared.sessionFiles(Module);
    if (settings.exitCode !== undefined) throw new Error(`Python ended while it started, with ${settings.exitCode}`);
    if (image) {
      shared.mountOverlay(Module);
      shared.libraries.replay(Module, image.libraries);
      shared.rest.restore(Module, image.rest);
      host.mapImage(shared.memory);
    }
    const finalize = () => API.finalizeBootstrap(image?.hiwire, shared.references.deserialize(API));
    if (image && !shared.grantsJavaScript) withoutPython(Module, finalize);
    else finalize();
    API.sitepackages = API.sitePackages;
    API.dsodir = SHARED_LIBRARIES;
    API.defaultLdLibraryPath = [API.dsodir, API.sitepackages];
    if (image && shared.grantsJavaScript) lendPackageIndex(API);
    if (!image) {
      API._pyodide.set_excepthook();
      await API.packageIndexReady;
    }
    if (shared.grantsJavaScript) {
      shared.carryErrors(Module, API);
      Object.defineProperty(API, "turned", { get: turnJavaScript });
      Object.defineProperty(API, "ended", { get: endJavaScript });
    }
    const write = (fd) => ({
      write(bytes) {
        host.write(fd, bytes);
        return bytes.length;
      },
    });
    API.initializeStreams(() => null, () => {}, () => {});
    API.public_api.setStdin({ read: (bytes) => host.stdin(bytes), isatty: false });
    API.public_api.setStdout(write(1));
    API.public_api.setStderr(write(2));
    listenForSignals(Module);
    shared.module = Module;
    shared.pyodide = API.public_api;
    shared.nameLoadedPackages();
  };
}
