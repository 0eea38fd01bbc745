// Realms: running scripts and calling functions, and what comes out of them.
#include <algorithm>
#include <cstring>
#include <mutex>
#include <new>

#include "base/process.h"
#include "base/utf8.h"
#include "engine/vm.hh"

namespace {

// Source text that V8 reads in place.
class LastingSource : public v8::String::ExternalOneByteStringResource {
  public:
    LastingSource(const char *data, size_t len) : data_(data), len_(len) {}
    const char *data() const override { return data_; }
    size_t length() const override { return len_; }
    void Dispose() override {} // shared by all vms

  private:
    const char *data_;
    size_t len_;
};

v8::MaybeLocal<v8::String> source_string(v8::Isolate *isolate, const aard__source *source)
{
    if (!source->lasting || !aard__ascii(source->data, source->len))
        return aard::string(isolate, source->data, source->len);
    return v8::String::NewExternalOneByte(isolate, aard::lasting_source(source->data, source->len));
}

constexpr int kMostThrown = 1 << 20; // bytes of each text of an exception

// A property of an error as a string, without ever failing; getters of the guest may run and may throw.
void append_property(aard__realm *realm, v8::Local<v8::Object> object, const char *name, aard__buf *out)
{
    v8::Isolate *isolate = realm->vm->isolate;
    v8::Local<v8::Context> context = realm->context.Get(isolate);
    v8::TryCatch catcher(isolate);
    v8::Local<v8::Value> value;
    if (!realm->vm->ended.load() && object->Get(context, aard::string(isolate, name)).ToLocal(&value) &&
        value->IsString())
        aard::append_utf8(isolate, value.As<v8::String>(), out, kMostThrown);
}

// Where a script's last line begins: an error behind its end is in nothing that anybody wrote.
struct End {
    int lines = 1;
    const char *last;
    explicit End(const aard__source *source) : last(source->data)
    {
        const char *end = source->data + source->len;
        for (const char *c = source->data; c < end; c++)
            if (*c == '\n') lines++, last = c + 1;
    }
};

// A syntax error's stack has no frames: say where it is.  `source`, which may be null, is what V8 has another name and
// another end for.
void add_place(v8::Local<v8::Context> context, v8::Local<v8::Message> message, const aard__source *source,
               aard__result *result)
{
    static const char at[] = "\n    at ";
    if (message.IsEmpty() || !result->thrown_stack.len ||
        memmem(result->thrown_stack.data, result->thrown_stack.len, at, sizeof at - 1))
        return;
    v8::Local<v8::Value> name = message->GetScriptResourceName();
    int line = message->GetLineNumber(context).FromMaybe(0),
        column = message->GetStartColumn(context).FromMaybe(-1) + 1;
    if ((!source && !name->IsString()) || line < 1) return; // none of a stack that was too deep to parse
    aard__buf_puts(&result->thrown_stack, at);
    if (source)
        aard__buf_puts(&result->thrown_stack, source->name);
    else
        aard::append_utf8(context->GetIsolate(), name.As<v8::String>(), &result->thrown_stack);
    if (source && line > End(source).lines) {
        End end(source);
        size_t len = source->len - static_cast<size_t>(end.last - source->data);
        aard__buf_printf(&result->thrown_stack, ":%d:%zu", end.lines, len + 1);
        if (len > 200) return;
        aard__buf_puts(&result->thrown_stack, "\n      ");
        aard__buf_append(&result->thrown_stack, end.last, len);
        return;
    }
    aard__buf_printf(&result->thrown_stack, ":%d:%d", line, column);
    v8::Local<v8::String> text;
    if (!message->GetSourceLine(context).ToLocal(&text) || text->Length() > 200) return;
    aard__buf_puts(&result->thrown_stack, "\n      ");
    aard::append_utf8(context->GetIsolate(), text, &result->thrown_stack);
}

// WebAssembly.compileStreaming of a realm that no guest has been in.
v8::Local<v8::Value> find_streaming(v8::Isolate *isolate, v8::Local<v8::Context> context)
{
    v8::Context::Scope scope(context);
    v8::Local<v8::Value> wasm, function;
    if (!context->Global()->Get(context, aard::string(isolate, "WebAssembly")).ToLocal(&wasm) || !wasm->IsObject() ||
        !wasm.As<v8::Object>()->Get(context, aard::string(isolate, "compileStreaming")).ToLocal(&function))
        return {};
    return function;
}

// What waits for another thread in the list that all isolates of the process share.
void remove_waiting(v8::Isolate *isolate, v8::Local<v8::Context> context)
{
    v8::Context::Scope scope(context);
    v8::Local<v8::Value> atomics;
    if (context->Global()->Get(context, aard::string(isolate, "Atomics")).ToLocal(&atomics) && atomics->IsObject())
        atomics.As<v8::Object>()->Delete(context, aard::string(isolate, "waitAsync")).FromMaybe(false);
}

} // namespace

namespace aard {

bool begin(aard__realm *realm, aard__result *result)
{
    aard::clear(result);
    if (realm->vm->ended.load()) result->status = AARD__TERMINATED;
    return result->status == AARD__OK;
}

v8::String::ExternalOneByteStringResource *lasting_source(const char *data, size_t len)
{
    static std::mutex lock;
    static auto &known = *new std::map<const char *, std::unique_ptr<LastingSource>>;
    std::lock_guard<std::mutex> hold(lock);
    std::unique_ptr<LastingSource> &one = known[data];
    if (one && one->length() != len)
        (void)one.release(); // another text has come to its place; a vm may remember the old one
    if (!one) one = std::make_unique<LastingSource>(data, len);
    return one.get();
}

aard__realm *realm_of(v8::Local<v8::Context> context)
{
    if (context->GetNumberOfEmbedderDataFields() <= static_cast<uint32_t>(aard::kRealmSlot)) return nullptr;
    return static_cast<aard__realm *>(context->GetAlignedPointerFromEmbedderData(aard::kRealmSlot));
}

void clear(aard__result *result)
{
    result->status = AARD__OK;
    result->too_long = false;
    result->value = aard__value{};
    aard__ref_free(result->thrown);
    result->thrown = nullptr;
    aard__buf_clear(&result->text);
    aard__buf_clear(&result->thrown_type);
    aard__buf_clear(&result->thrown_text);
    aard__buf_clear(&result->thrown_stack);
}

void take_value(aard__realm *realm, v8::Local<v8::Value> value, bool want_ref, aard__result *result)
{
    v8::Isolate *isolate = realm->vm->isolate;
    aard__value &out = result->value;
    if (value->IsNull()) {
        out.kind = AARD__NULL;
    } else if (value->IsBoolean()) {
        out.kind = AARD__BOOL;
        out.boolean = value->BooleanValue(isolate);
    } else if (value->IsNumber()) {
        out.kind = AARD__NUMBER;
        out.number = value.As<v8::Number>()->Value();
    } else if (value->IsString()) {
        result->too_long = result->most && static_cast<size_t>(value.As<v8::String>()->Length()) > result->most;
        if (result->too_long) return;
        append_utf8(isolate, value.As<v8::String>(), &result->text);
        result->too_long = result->most && result->text.len > result->most;
        if (result->too_long) return;
        out.kind = AARD__STRING;
        out.data = result->text.data;
        out.len = result->text.len;
    } else if (want_ref && !value->IsUndefined()) {
        out.ref = make_ref(realm->vm, value);
        if (out.ref) out.kind = AARD__REF;
    }
}

void take_exception(aard__realm *realm, v8::Local<v8::Value> exception, aard__result *result)
{
    v8::Isolate *isolate = realm->vm->isolate;
    v8::Local<v8::Context> context = realm->context.Get(isolate);
    result->status = AARD__THREW;
    if (result->keep_thrown) result->thrown = make_ref(realm->vm, exception);
    if (exception->IsObject()) {
        append_property(realm, exception.As<v8::Object>(), "name", &result->thrown_type);
        append_property(realm, exception.As<v8::Object>(), "message", &result->thrown_text);
        append_property(realm, exception.As<v8::Object>(), "stack", &result->thrown_stack);
        if (realm->vm->ended.load()) result->status = AARD__TERMINATED;
        if (result->status == AARD__TERMINATED || result->thrown_type.len || result->thrown_text.len) return;
    }
    v8::TryCatch catcher(isolate);
    v8::Local<v8::String> text;
    if (exception->ToDetailString(context).ToLocal(&text))
        append_utf8(isolate, text, &result->thrown_text, kMostThrown);
}

void take_caught(aard__realm *realm, v8::TryCatch &catcher, aard__result *result)
{
    take_caught_in(realm, catcher, nullptr, result);
}

void take_caught_in(aard__realm *realm, v8::TryCatch &catcher, const aard__source *source, aard__result *result)
{
    if (realm->vm->ended.load() || catcher.HasTerminated() || !catcher.CanContinue()) {
        result->status = AARD__TERMINATED;
        return;
    }
    if (!catcher.HasCaught()) {
        // V8 gives an empty value without an exception only when it could not make one: a string beyond its limit.
        result->status = AARD__THREW;
        aard__buf_puts(&result->thrown_type, "RangeError");
        aard__buf_puts(&result->thrown_text, "a string is longer than the engine can hold");
        return;
    }
    v8::Local<v8::Value> exception = catcher.Exception();
    v8::Local<v8::Message> message = catcher.Message();
    catcher.Reset();
    take_exception(realm, exception, result);
    add_place(realm->context.Get(realm->vm->isolate), message, source, result);
}

v8::Local<v8::Value> to_local(aard__realm *realm, const aard__value &value)
{
    v8::Isolate *isolate = realm->vm->isolate;
    switch (value.kind) {
    case AARD__NULL: return v8::Null(isolate);
    case AARD__BOOL: return v8::Boolean::New(isolate, value.boolean);
    case AARD__NUMBER: return v8::Number::New(isolate, value.number);
    case AARD__STRING: {
        v8::Local<v8::String> text;
        if (!string(isolate, value.data, value.len).ToLocal(&text)) return {};
        return text;
    }
    case AARD__BYTES: {
        v8::Local<v8::ArrayBuffer> buffer = v8::ArrayBuffer::New(isolate, value.len);
        if (value.len) memcpy(buffer->Data(), value.data, value.len);
        return v8::Uint8Array::New(buffer, 0, value.len);
    }
    case AARD__REF: return value.ref->value.Get(isolate);
    case AARD__UNDEFINED: break;
    }
    return v8::Undefined(isolate);
}

} // namespace aard

extern "C" {

void aard__result_free(aard__result *result)
{
    aard__buf_free(&result->text);
    aard__buf_free(&result->thrown_type);
    aard__buf_free(&result->thrown_text);
    aard__buf_free(&result->thrown_stack);
}

aard_error *aard__realm_new(aard__vm *vm, aard__realm **out)
{
    v8::HandleScope handles(vm->isolate);
    std::unique_ptr<aard__realm> realm(new (std::nothrow) aard__realm);
    if (!realm) return aard__error_no_memory();
    realm->vm = vm;
    realm->microtasks = v8::MicrotaskQueue::New(vm->isolate, v8::MicrotasksPolicy::kExplicit);
    v8::Local<v8::Context> context;
    if (vm->from_snapshot) {
        if (!v8::Context::FromSnapshot(vm->isolate, vm->number, {}, nullptr, {}, realm->microtasks.get())
                 .ToLocal(&context))
            context.Clear();
    } else {
        context = v8::Context::New(vm->isolate, nullptr, {}, {}, {}, realm->microtasks.get());
    }
    if (context.IsEmpty()) return aard__error(AARD_ERR_ENGINE, "the engine could not make a realm");
    realm->context.Reset(vm->isolate, context);
    context->SetAlignedPointerInEmbedderData(aard::kRealmSlot, realm.get());
    v8::Local<v8::Value> streaming = find_streaming(vm->isolate, context);
    if (!streaming.IsEmpty() && streaming->IsFunction())
        realm->compile_streaming.Reset(vm->isolate, streaming.As<v8::Function>());
    remove_waiting(vm->isolate, context);
    vm->realms.push_back(realm.get());
    *out = realm.release();
    return nullptr;
}

aard__ref *aard__realm_part(aard__realm *realm, size_t index)
{
    aard::Entry entry(realm);
    v8::Local<v8::Value> parts = entry.context->GetEmbedderData(aard::kPartsSlot), part;
    if (!parts->IsArray() || index >= parts.As<v8::Array>()->Length() ||
        !parts.As<v8::Array>()->Get(entry.context, static_cast<uint32_t>(index)).ToLocal(&part))
        return nullptr;
    return aard::make_ref(realm->vm, part);
}

void aard__realm_free(aard__realm *realm)
{
    if (!realm) return;
    aard__vm *vm = realm->vm;
    {
        v8::HandleScope handles(vm->isolate);
        v8::Local<v8::Context> context = realm->context.Get(vm->isolate);
        if (realm->code && !vm->ended.load()) aard::put_module_code(realm);
        context->SetAlignedPointerInEmbedderData(aard::kRealmSlot, nullptr);
        context->DetachGlobal(); // takes its queue away: what would go there from now on is dropped
    }
    auto &realms = vm->realms;
    realms.erase(std::remove(realms.begin(), realms.end(), realm), realms.end());
    delete realm;
}

void aard__realm_allow_codegen(aard__realm *realm, bool allow)
{
    aard::Entry entry(realm);
    realm->codegen = allow;
    entry.context->AllowCodeGenerationFromStrings(allow);
}

void aard__realm_run(aard__realm *realm, const aard__source *source, bool want_ref, aard__result *result)
{
    aard::Entry entry(realm);
    if (!aard::begin(realm, result)) return;
    v8::TryCatch catcher(entry.isolate);
    v8::Local<v8::String> name, text;
    v8::Local<v8::UnboundScript> script;
    v8::Local<v8::Value> value;
    if (!aard::string(entry.isolate, source->name, strlen(source->name)).ToLocal(&name) ||
        !source_string(entry.isolate, source).ToLocal(&text)) {
        aard::take_caught(realm, catcher, result);
        return;
    }
    v8::ScriptOrigin origin(entry.isolate, name);
    auto *cached = source->cache ? new v8::ScriptCompiler::CachedData(static_cast<const uint8_t *>(source->cache),
                                                                      static_cast<int>(source->cache_len))
                                 : nullptr;
    v8::ScriptCompiler::Source compiled(text, origin, cached);
    auto options = cached          ? v8::ScriptCompiler::kConsumeCodeCache
                   : source->eager ? v8::ScriptCompiler::kEagerCompile
                                   : v8::ScriptCompiler::kNoCompileOptions;
    if (!v8::ScriptCompiler::CompileUnboundScript(entry.isolate, &compiled, options).ToLocal(&script) ||
        !script->BindToCurrentContext()->Run(entry.context).ToLocal(&value)) {
        aard::take_caught(realm, catcher, result);
        return;
    }
    aard::take_value(realm, value, want_ref, result);
    if (source->keep)
        *source->keep = new (std::nothrow)
            aard__script{realm->vm, v8::Global<v8::UnboundScript>(entry.isolate, script)};
    if (source->make_cache) {
        std::unique_ptr<v8::ScriptCompiler::CachedData> made(v8::ScriptCompiler::CreateCodeCache(script));
        if (made) aard__buf_append(source->make_cache, made->data, static_cast<size_t>(made->length));
    }
}

void aard__script_code(aard__script *script, aard__buf *out)
{
    v8::HandleScope handles(script->vm->isolate);
    std::unique_ptr<v8::ScriptCompiler::CachedData> made(
        v8::ScriptCompiler::CreateCodeCache(script->script.Get(script->vm->isolate)));
    if (made) aard__buf_append(out, made->data, static_cast<size_t>(made->length));
}

void aard__script_free(aard__script *script) { delete script; }

bool aard__realm_next_rejection(aard__realm *realm, aard__result *result)
{
    if (realm->rejections.empty()) return false;
    aard::Entry entry(realm);
    aard::clear(result);
    v8::Local<v8::Value> value = realm->rejections.front().value.Get(entry.isolate);
    realm->rejections.erase(realm->rejections.begin());
    aard::take_exception(realm, value, result);
    return true;
}

void aard__ref_call(aard__realm *realm, aard__ref *function, const aard__value *args, size_t count, bool want_ref,
                    aard__result *result)
{
    aard::Entry entry(realm);
    if (!aard::begin(realm, result)) return;
    v8::TryCatch catcher(entry.isolate);
    constexpr size_t kMost = 8;
    v8::Local<v8::Value> locals[kMost];
    v8::Local<v8::Value> value = function->value.Get(entry.isolate);
    bool ready = value->IsFunction() && count <= kMost;
    for (size_t i = 0; ready && i < count; i++) {
        locals[i] = aard::to_local(realm, args[i]);
        ready = !locals[i].IsEmpty();
    }
    v8::Local<v8::Value> returned;
    if (!ready || !value.As<v8::Function>()
                       ->Call(entry.context, v8::Undefined(entry.isolate), static_cast<int>(count), locals)
                       .ToLocal(&returned)) {
        aard::take_caught(realm, catcher, result);
        return;
    }
    aard::take_value(realm, returned, want_ref, result);
}

void aard__ref_get(aard__realm *realm, aard__ref *object, const char *name, aard__result *result)
{
    aard::Entry entry(realm);
    if (!aard::begin(realm, result)) return;
    v8::TryCatch catcher(entry.isolate);
    v8::Local<v8::Value> holder = object->value.Get(entry.isolate), value;
    v8::Local<v8::String> key;
    if (!holder->IsObject() || !aard::string(entry.isolate, name, strlen(name)).ToLocal(&key)) return;
    if (!holder.As<v8::Object>()->Get(entry.context, key).ToLocal(&value)) {
        aard::take_caught(realm, catcher, result);
        return;
    }
    aard::take_value(realm, value, true, result);
}

bool aard__promise_settled(aard__realm *realm, aard__ref *ref, bool want_ref, aard__result *result)
{
    aard::Entry entry(realm);
    v8::Local<v8::Value> value = ref->value.Get(entry.isolate);
    if (!value->IsPromise()) {
        aard::clear(result);
        aard::take_value(realm, value, want_ref, result);
        return true;
    }
    v8::Local<v8::Promise> promise = value.As<v8::Promise>();
    promise->MarkAsHandled();
    if (promise->State() == v8::Promise::kPending) return false;
    aard::clear(result);
    if (promise->State() == v8::Promise::kFulfilled) {
        aard::take_value(realm, promise->Result(), want_ref, result);
        return true;
    }
    auto &list = realm->rejections;
    list.erase(
        std::remove_if(list.begin(), list.end(), [&](const aard__rejection &one) { return one.promise == promise; }),
        list.end());
    aard::take_exception(realm, promise->Result(), result);
    return true;
}

aard__ref *aard__realm_global(aard__realm *realm)
{
    aard::Entry entry(realm);
    return aard::make_ref(realm->vm, entry.context->Global());
}

} // extern "C"

AARD__PROCESS_KEEPS(sources, "texts that V8 reads in place", "known lock");
