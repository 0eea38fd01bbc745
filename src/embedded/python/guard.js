// What stands between Python's WebAssembly and the functions of Pyodide's glue that it imports.
//
// A guest without the capability "js" must not reach a JavaScript object: whatever would do something with one raises
// PermissionError in Python once the guard is closed.  What changes the JavaScript side of Pyodide in a way that a reset
// can't undo is allowed, and noted: such a guest is not reset in place.
(host, shared) => {
  "use strict";
  const words = (text) => text.trim().split(/\s+/);

  // With what they give when they fail, which tells Python to look for the exception.
  const denied = {
    error: words(`
      JsProxy_GetAttr_js JsvArray_Get JsvArray_Delete JsvPromise_Resolve create_promise_handles JsModule_GetAll_js
      JsObjMap_GetIter_js JsObjMap_subscript_js JsMap_GetIter_js JsProxy_GetIter_js JsProxy_GetAsyncIter_js
      JsProxy_subscript_js JsvArray_slice JsArray_repeat_js JsException_new_helper JsProxy_Dir_js JsProxy_to_weakref_js
      JsvObject_toString JsvObject_Entries JsvObject_Keys JsvObject_Values create_once_callable JsBuffer_DecodeString_js
      JsvFunction_Construct JsvFunction_CallBound get_async_js_call_done_callback JsvFunction_Call_OneArg pyproxy_new_ex
      pyproxy_new _python2js_buffer_inner JsvObject_CallMethod JsvObject_CallMethod_NoArgs JsvObject_CallMethod_OneArg
      JsvObject_CallMethod_TwoArgs JsvMap_New JsvLiteralMap_New JsvSet_New python2js__default_converter_js
      python2js__eager_converter_js _JsArray_PostProcess_helper JsvArray_New JsArray_reversed_iterator JsvObject_New
      my_dict_converter proxy_cache_get _pyproxyGen_make_result _pyproxy_get_buffer_result array_to_js
      _python2js_cache_lookup syncifyHandler handle_next_result_js JsvArray_ShallowCopy wrap_generator
      wrap_async_generator python2js_custom__create_jscontext`),
    null: words(`js2python_immutable_js js2python_js js2python_convert Jsv_constructorName get_length_string
      JsDoubleProxy_unwrap_js pyproxy_AsPyObject`),
    negative: words(`_agen_handle_result_js JsvArray_Set JsvBuffer_assignToPtr JsObjMap_length_js
      JsObjMap_ass_subscript_js JsObjMap_contains_js JsvArray_slice_assign JsArray_inplace_repeat_js get_length_helper
      JsvArray_Insert JsArray_index_js JsProxy_DelAttr_js JsProxy_SetAttr_js JsArray_reverse_js JsArray_count_js
      JsMap_clear_js JsvBuffer_assignFromPtr JsvBuffer_writeToFile JsvBuffer_readFromFile JsvBuffer_intoFile
      JsvObject_SetAttr JsvMap_Set JsvSet_Add _python2js_add_to_cache _JsObject_Set_js _JsArray_PushEntry_helper
      destroy_proxies_js JsvArray_Push jslib_init_js jslib_init_buffers_js`),
    // These have no way to fail; what they would have done is left out.
    nothing: words(`destroy_proxy destroy_proxies raw_call_js JsBuffer_get_info destroy_jsarray_entries JsvArray_Extend gc_register_proxies
      proxy_cache_set _python2js_addto_postprocess_list _python2js_handle_postprocess_list JsvPromise_Syncify_handleError
      emscripten_asm_const_int JsProxy_Bool_js Jsv_to_bool Jsv_less_than Jsv_less_than_equal Jsv_equal Jsv_not_equal
      Jsv_greater_than Jsv_greater_than_equal set_pyodide_module pyodide_js_init`),
  };

  const notUndone = words(`
    emscripten_promise_create emscripten_promise_resolve
    emscripten_promise_destroy emscripten_runtime_keepalive_push emscripten_runtime_keepalive_pop
    _emscripten_runtime_keepalive_clear ffi_closure_free_js _setitimer_js
    _emscripten_system _emscripten_lookup_name getaddrinfo getnameinfo getprotobyname set_suspender saveState
    restoreState __syscall_accept4 __syscall_bind __syscall_connect __syscall_getpeername __syscall_getsockname
    __syscall_getsockopt __syscall_listen __syscall_pipe __syscall_recvfrom __syscall_recvmsg __syscall_sendmsg
    __syscall_sendto __syscall_socket`);

  // Like these, and what they do makes code: a wrapper around a function, or a library.
  const making = words("_dlopen_js _dlsym_js ffi_closure_alloc_js ffi_prep_closure_loc_js");

  const never = words("_emscripten_dlopen_js"); // nobody waits for a library

  // Of WASI, and what else has no prefix of its own.
  const plain = words(`args_get args_sizes_get clock_res_get clock_time_get environ_get environ_sizes_get fd_close
    fd_fdstat_get fd_pread fd_pwrite fd_read fd_seek fd_sync fd_write proc_exit random_get getentropy`);

  const referring = words("JsProxy_compute_typeflags __hiwire_deduplicate_set __hiwire_deduplicate_delete");

  const harmless = words(`
    capture_stderr restore_stderr new_error fail_test __assert_fail JsvError_Throw hiwire_invalid_ref_js
    is_comlink_proxy JsvArray_Check pyproxy_Check JsvFunction_Check can_run_sync_js JsvPromise_Check Jsv_typeof JsvGenerator_Check JsvAsyncGenerator_Check throw_no_gil
    JsvUTF8ToString JsvNoValue_Check JsvNum_fromInt JsvNum_fromDouble JsvNum_fromDigits _python2js_ucs1 _python2js_ucs2
    _python2js_ucs4 get_suspender exit _Py_emscripten_runtime _Py_CheckEmscriptenSignals_Helper
    _PyEM_InitTrampoline_js _PyEM_GetCountArgsPtr _PyEM_TrampolineCall_JS ffi_call_js __hiwire_deduplicate_new
    __hiwire_deduplicate_get _tzset_js _abort_js _munmap_js
    _msync_js _mmap_js emscripten_date_now emscripten_get_now _timegm_js _mktime_js _localtime_js _gmtime_js
    _emscripten_get_progname __call_sighandler emscripten_get_heap_max emscripten_resize_heap`);

  const known = new Set([
    ...Object.values(denied).flat(),
    ...[...notUndone, ...making, ...never, ...plain, ...referring, ...harmless],
  ]);

  // What a refusal was about, in the words of Pyodide's interface.
  const subjects = [
    [/^pyproxy|destroy_prox|gc_register|proxy_cache/, "pyodide.ffi.create_proxy"],
    [/^create_once_callable/, "pyodide.ffi.create_once_callable"],
    [/python2js|^Jsv(Array|LiteralMap|Map|Set|Object)_New|^_JsArray_P|^_JsObject_Set|^array_to_js/, "pyodide.ffi.to_js"],
    [/[Pp]romise|syncify/, "a promise of JavaScript"],
    [/[Bb]uffer/, "a buffer of JavaScript"],
    [/dlopen/, "a native library"],
  ];
  const tell = (name) => {
    const [, subject = "an object of JavaScript"] = subjects.find(([pattern]) => pattern.test(name)) ?? [];
    host.violation("capability_denied", "js", subject);
  };

  // The functions of JavaScript that the glue would link with by name are many more than Python imports.
  const mayLink = (env, name) => {
    const found = env[name];
    if (typeof found !== "function" || known.has(name) || name.startsWith("__syscall_")) return true;
    return /^\d+$/.test(found.name); // one of WebAssembly
  };

  const mayMake = {
    ffi_closure_alloc_js: () => true,
    ffi_prep_closure_loc_js: () => true,
    // The name is behind the second argument; of an unknown name the glue tells that it is unknown.
    _dlsym_js(env, args) {
      const Module = shared.module;
      const library = Module.LDSO.loadedLibsByHandle[args[0] >>> 0];
      if (!library) return false;
      const name = Module.UTF8ToString(args[1]);
      if (library.exports === env && !mayLink(env, name)) {
        host.violation("capability_denied", "js", name);
        args[1] = Module.HEAPU8.indexOf(0, args[1] >>> 0);
      }
      return true;
    },
    _dlopen_js: () => true,
  };

  // C hands over the bytes of a library, which it has read before, and which are the guest's by now.  Without them the glue
  // reads the file itself (files.js).
  const fromItsFile = (handle, load) => {
    const { HEAPU32, UTF8ToString } = shared.module;
    const at = (handle >>> 2) + 7;
    const [data, size] = HEAPU32.subarray(at, at + 2);
    HEAPU32[at] = HEAPU32[at + 1] = 0;
    const result = load();
    shared.module.HEAPU32.set([data, size], at);
    const name = UTF8ToString(handle + 36);
    if (!result && data && !shared.files.isLibrary(name)) host.violation("capability_denied", "codegen", name);
    return result;
  };

  // Tables that Pyodide's module makes for itself; it exports them where it is prelinked (src/prelink/wasm.h).
  const ownTables = ({ exports }) => Object.keys(exports).filter((name) => name.startsWith("aardvark table ")).sort();

  // As CPython's dlopen() says it; Emscripten says what its JavaScript threw, and believes later that it has the library.
  const loadLibrary = (handle, load) => {
    const { UTF8ToString, LDSO, FS, PATH } = shared.module;
    const name = PATH.normalize(UTF8ToString(handle + 36));
    const known = Object.hasOwn(LDSO.loadedLibsByName, name);
    const result = load();
    if (result) return result;
    const library = LDSO.loadedLibsByName[name];
    if (!known && library) {
      delete LDSO.loadedLibsByName[name];
      for (const number in LDSO.loadedLibsByHandle) if (LDSO.loadedLibsByHandle[number] === library) delete LDSO.loadedLibsByHandle[number];
    }
    const { exists, object } = FS.analyzePath(name.includes("/") ? name : `/usr/lib/${name}`);
    if (!exists) setError(`${name}: cannot open shared object file: No such file or directory`);
    else if (FS.isDir(object.mode)) setError(`${name}: cannot read file data: Is a directory`);
    else if (guard.closed && !shared.files.isLibrary(name)) setError(`${name}: the host has not granted the capability 'codegen'`);
    return result;
  };

  const setError = (text) => {
    const { stackSave, stackRestore, stringToUTF8OnStack, ___dl_seterr: set } = shared.module;
    const stack = stackSave();
    set(stringToUTF8OnStack(text), 0);
    stackRestore(stack);
  };

  const guard = {
    closed: false,
    noted: false, // something was done that a reset can't undo
    referenced: false, // Python may hold other JavaScript objects than it did
    deduplicated: undefined, // Pyodide's map of the JavaScript objects that Python holds

    // `raise` sets Python's exception; `errorValue` gives what stands for a JavaScript value then.
    wrap(env, errorValue, raise) {
      const put = (names, make) => {
        for (const name of names) {
          const real = env[name];
          env[name] = make(real, name);
          env[name].sig = real.sig;
        }
      };
      const refusing = (answer) => (real, name) =>
        (...args) => {
          if (!guard.closed) return real(...args);
          tell(name);
          raise();
          return answer();
        };
      put(denied.error, refusing(errorValue));
      put(denied.null, refusing(() => 0));
      put(denied.negative, refusing(() => -1));
      put(denied.nothing, (real) => (...args) => (guard.closed ? 0 : real(...args)));
      const noting = (real) => (...args) => {
        guard.noted = true;
        return real(...args);
      };
      put(notUndone, noting);
      put(never, (real, name) => (...args) => {
        if (!guard.closed) return real(...args);
        tell(name);
      });
      put(making, (real, name) => (...args) => {
        guard.noted = true;
        if (!guard.closed) {
          const library = name === "_dlopen_js" && shared.module;
          return library ? loadLibrary(args[0] >>> 0, () => real(...args)) : real(...args);
        }
        if (!mayMake[name]?.(env, args)) return 0;
        return shared.makeCode(() => {
          const handle = args[0] >>> 0;
          if (name === "_dlopen_js") return loadLibrary(handle, () => fromItsFile(handle, () => real(...args)));
          return real(...args);
        });
      });
      put(referring, (real) => (...args) => {
        if (guard.closed && args[0] === errorValue()) return -1;
        guard.referenced = true;
        return real(...args);
      });
      // What C has the address of besides: a guest finds it in the function table.
      put(Object.keys(env).filter((name) => name.startsWith("emscripten_gl") && env[name].sig && !env[name].stub), noting);
      put(["__hiwire_deduplicate_new"], (real) => () => (guard.deduplicated = real()));
    },

    tablesOf: (instance) => ownTables(instance).map((name) => instance.exports[name]),

    // Whoever changes the function table from JavaScript does what a reset can't undo.
    watchTable(table) {
      for (const name of ["set", "grow"]) {
        const real = table[name];
        const value = (...args) => {
          guard.noted = true;
          return Reflect.apply(real, table, args);
        };
        Object.defineProperty(table, name, { value });
      }
    },

    // The imports of a module that stand in none of the lists.
    unknown: (module) => {
      return WebAssembly.Module.imports(module)
        .filter(({ module: from, name, kind }) => from === "env" && kind === "function" && !known.has(name))
        .map(({ name }) => name)
        .filter((name) => !name.startsWith("__syscall_"));
    },
  };
  shared.guard = guard;
  shared.grantsJavaScript = host.grantsJavaScript();
}
