// WebAssembly modules: compiled once, shared by the process, kept on disk.

#include <new>

#include "base/clock.h"
#include "engine/vm.hh"

namespace {

// What the streaming callback feeds to V8; there is one compilation at a time on a vm's thread.
struct Feed {
    const uint8_t *bytes;
    size_t len;
    const uint8_t *cache;
    size_t cache_len;
    bool hit;
};

thread_local Feed *feed = nullptr;

aard_error *failed(v8::Isolate *isolate, v8::TryCatch &catcher)
{
    if (!catcher.HasCaught()) return aard__error(AARD_ERR_ENGINE, "the engine did not compile the WebAssembly module");
    v8::String::Utf8Value text(isolate, catcher.Exception());
    return aard__error(AARD_ERR_ENGINE, "the engine refused the WebAssembly module: %s", *text ? *text : "");
}

// Nobody wakes who waits for the engine when the guest is to end.
constexpr uint64_t kLookAgain = 10000000;

// Only the streaming interface takes compiled code; it answers by a promise, possibly from another thread's task.
v8::MaybeLocal<v8::Value> compile_cached(aard__realm *realm, v8::Local<v8::Context> context, Feed *what)
{
    v8::Isolate *isolate = realm->vm->isolate;
    v8::Local<v8::Value> value, argument = v8::Undefined(isolate);
    feed = what;
    bool called = realm->compile_streaming.Get(isolate)->Call(context, argument, 1, &argument).ToLocal(&value);
    if (!called || !value->IsPromise()) {
        feed = nullptr;
        return {};
    }
    v8::Local<v8::Promise> promise = value.As<v8::Promise>();
    aard__poller poller = {};
    aard__engine_watch(&poller);
    while (promise->State() == v8::Promise::kPending && !realm->vm->ended.load())
        if (aard__vm_pump(realm->vm) && promise->State() == v8::Promise::kPending)
            aard__poller_wait(&poller, nullptr, aard__clock_monotonic() + kLookAgain);
    aard__engine_unwatch(&poller);
    aard__poller_rest(&poller);
    feed = nullptr;
    if (promise->State() == v8::Promise::kRejected) isolate->ThrowException(promise->Result());
    if (promise->State() != v8::Promise::kFulfilled) return {};
    return promise->Result();
}

} // namespace

namespace aard {

void wasm_streaming(const v8::FunctionCallbackInfo<v8::Value> &info)
{
    v8::Isolate *isolate = info.GetIsolate();
    std::shared_ptr<v8::WasmStreaming> streaming = v8::WasmStreaming::Unpack(isolate, info.Data());
    if (!feed) { // a guest's own call: there is nothing to stream from
        streaming->Abort(v8::Exception::TypeError(string(isolate, "streaming compilation needs a Response")));
        return;
    }
    Feed *what = feed;
    feed = nullptr;
    what->hit = streaming->SetCompiledModuleBytes(what->cache, what->cache_len);
    streaming->OnBytesReceived(what->bytes, what->len);
    streaming->Finish();
}

} // namespace aard

extern "C" {

aard_error *aard__wasm_compile(aard__realm *realm, const void *bytes, size_t len, const void *cache, size_t cache_len,
                               aard__wasm **out, bool *hit)
{
    aard::Entry entry(realm);
    v8::TryCatch catcher(entry.isolate);
    bool codegen = realm->codegen;
    realm->codegen = true; // this is the host's module, not the guest's
    auto *data = static_cast<const uint8_t *>(bytes);
    Feed what{data, len, static_cast<const uint8_t *>(cache), cache_len, false};
    v8::Local<v8::Value> value;
    v8::Local<v8::WasmModuleObject> module;
    bool done = cache && !realm->compile_streaming.IsEmpty()
                    ? compile_cached(realm, entry.context, &what).ToLocal(&value) && value->IsWasmModuleObject()
                    : v8::WasmModuleObject::Compile(entry.isolate, {data, len}).ToLocal(&module);
    realm->codegen = codegen;
    if (!done) return failed(entry.isolate, catcher);
    if (module.IsEmpty()) module = value.As<v8::WasmModuleObject>();
    auto *wasm = new (std::nothrow) aard__wasm{module->GetCompiledModule()};
    if (!wasm) return aard__error_no_memory();
    if (hit) *hit = what.hit;
    *out = wasm;
    return nullptr;
}

void aard__wasm_free(aard__wasm *wasm) { delete wasm; }

aard__ref *aard__wasm_module(aard__realm *realm, aard__wasm *wasm)
{
    aard::Entry entry(realm);
    v8::TryCatch catcher(entry.isolate);
    v8::Local<v8::WasmModuleObject> module;
    if (!v8::WasmModuleObject::FromCompiledModule(entry.isolate, wasm->module).ToLocal(&module)) return nullptr;
    return aard::make_ref(realm->vm, module);
}

aard_error *aard__wasm_serialize(aard__wasm *wasm, aard__buf *out)
{
    v8::OwnedBuffer bytes = wasm->module.Serialize();
    if (!bytes.size) return aard__error(AARD_ERR_ENGINE, "the engine has no compiled code to save");
    aard__buf_append(out, bytes.buffer.get(), bytes.size);
    return out->failed ? aard__error_no_memory() : nullptr;
}

} // extern "C"
