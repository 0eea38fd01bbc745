// ES modules.  Finding them is the caller's; V8's part is linking and evaluation.
#include <cstring>
#include <new>

#include "engine/vm.hh"

namespace {

void throw_error(v8::Isolate *isolate, const std::string &message)
{
    v8::Local<v8::String> text;
    if (!aard::string(isolate, message.data(), message.size()).ToLocal(&text)) text = v8::String::Empty(isolate);
    isolate->ThrowException(v8::Exception::TypeError(text));
}

aard__module *owner(aard__realm *realm, v8::Local<v8::Module> module)
{
    for (auto &entry : realm->modules)
        if (entry.second->module == module) return entry.second.get();
    return nullptr;
}

v8::MaybeLocal<v8::Module> compile(aard__realm *realm, const std::string &name, const char *source, size_t len)
{
    v8::Isolate *isolate = realm->vm->isolate;
    auto known = realm->modules.find(name);
    if (known != realm->modules.end()) return known->second->module.Get(isolate);
    v8::Local<v8::String> text, label;
    v8::Local<v8::Module> module;
    if (!aard::string(isolate, source, len).ToLocal(&text) ||
        !aard::string(isolate, name.data(), name.size()).ToLocal(&label))
        return {};
    v8::ScriptOrigin origin(isolate, label, 0, 0, false, -1, v8::Local<v8::Value>(), false, false, true);
    auto entry = std::make_unique<aard__module>();
    size_t code_len = 0;
    const void *code = realm->code ? realm->code->get(realm->vm->user, name.c_str(), &code_len, &entry->code_wanted)
                                   : nullptr;
    auto *cached = code ? new v8::ScriptCompiler::CachedData(static_cast<const uint8_t *>(code),
                                                             static_cast<int>(code_len))
                        : nullptr;
    v8::ScriptCompiler::Source compiled(text, origin, cached);
    auto options = cached ? v8::ScriptCompiler::kConsumeCodeCache : v8::ScriptCompiler::kNoCompileOptions;
    if (!v8::ScriptCompiler::CompileModule(isolate, &compiled, options).ToLocal(&module)) return {};
    entry->module.Reset(isolate, module);
    entry->name = name;
    entry->source = source;
    realm->modules[name] = std::move(entry);
    return module;
}

v8::MaybeLocal<v8::Module> resolve_from(aard__realm *realm, const std::string &specifier, const std::string &referrer)
{
    v8::Isolate *isolate = realm->vm->isolate;
    aard__buf name = AARD__BUF_INIT;
    const char *source = nullptr;
    size_t len = 0;
    bool found = realm->find && realm->find(realm->vm->user, specifier.c_str(), referrer.c_str(), &name, &source, &len);
    std::string text(name.data ? name.data : "", name.len);
    aard__buf_free(&name);
    if (!found) {
        throw_error(isolate, text.empty() ? "cannot find the module '" + specifier + "'" : text);
        return {};
    }
    return compile(realm, text, source, len);
}

std::string utf8(v8::Isolate *isolate, v8::Local<v8::Value> value)
{
    v8::String::Utf8Value text(isolate, value);
    return *text ? std::string(*text, static_cast<size_t>(text.length())) : std::string();
}

v8::MaybeLocal<v8::Module> resolve(v8::Local<v8::Context> context, v8::Local<v8::String> specifier,
                                   v8::Local<v8::FixedArray>, v8::Local<v8::Module> referrer)
{
    // V8 aborts when this gives nothing without an exception of its own.  One that V8 has thrown in here already belongs to
    // the catcher around the whole entry: it must be caught and thrown anew.
    v8::Isolate *isolate = context->GetIsolate();
    aard__realm *realm = aard::realm_of(context);
    v8::TryCatch catcher(isolate);
    v8::Local<v8::Module> module;
    aard__module *from = realm ? owner(realm, referrer) : nullptr;
    if (realm && resolve_from(realm, utf8(isolate, specifier), from ? from->name : "").ToLocal(&module)) return module;
    if (!catcher.HasCaught() || catcher.HasTerminated()) throw_error(isolate, "the module was not loaded");
    catcher.ReThrow();
    return {};
}

// Links and evaluates; gives the evaluation's promise.
v8::MaybeLocal<v8::Promise> evaluate(v8::Local<v8::Context> context, v8::Local<v8::Module> module)
{
    v8::Local<v8::Value> value;
    if (module->InstantiateModule(context, resolve).IsNothing() || !module->Evaluate(context).ToLocal(&value) ||
        !value->IsPromise())
        return {};
    return value.As<v8::Promise>();
}

bool is_plain_script(v8::Local<v8::Context> context, v8::Local<v8::Module> module)
{
    v8::Local<v8::Array> exported;
    return module->GetModuleRequests()->Length() == 0 &&
           module->GetModuleNamespace().As<v8::Object>()->GetOwnPropertyNames(context).ToLocal(&exported) &&
           exported->Length() == 0;
}

void give_namespace(const v8::FunctionCallbackInfo<v8::Value> &info) { info.GetReturnValue().Set(info.Data()); }

// What import() does once the module is found: in a task of its own, because the module that asks may be the very one that
// is asked for, or one that waits for it, and V8 aborts the process over a module that is evaluated while it is.
void evaluate_found(const v8::FunctionCallbackInfo<v8::Value> &info)
{
    v8::Isolate *isolate = info.GetIsolate();
    v8::Local<v8::Context> context = isolate->GetCurrentContext();
    aard__realm *realm = aard::realm_of(context);
    auto entry = realm ? realm->modules.find(utf8(isolate, info.Data())) : decltype(realm->modules.end()){};
    if (!realm || entry == realm->modules.end()) return;
    v8::Local<v8::Module> module = entry->second->module.Get(isolate);
    v8::Local<v8::Promise> evaluation, imported;
    v8::Local<v8::Function> give;
    if (module->GetStatus() == v8::Module::kEvaluating)
        throw_error(isolate, "the module '" + entry->first + "' is being evaluated");
    else if (evaluate(context, module).ToLocal(&evaluation) &&
             v8::Function::New(context, give_namespace, module->GetModuleNamespace()).ToLocal(&give) &&
             evaluation->Then(context, give).ToLocal(&imported))
        info.GetReturnValue().Set(imported);
}

v8::Local<v8::Value> name_of(aard__realm *realm, v8::Local<v8::Module> module)
{
    aard__module *entry = owner(realm, module);
    v8::Local<v8::String> name;
    if (!entry || !aard::string(realm->vm->isolate, entry->name.data(), entry->name.size()).ToLocal(&name))
        return v8::String::Empty(realm->vm->isolate);
    return name;
}

} // namespace

namespace aard {

void put_module_code(aard__realm *realm)
{
    v8::Isolate *isolate = realm->vm->isolate;
    for (auto &one : realm->modules) {
        v8::Local<v8::Module> module = one.second->module.Get(isolate);
        if (!one.second->code_wanted || module->GetStatus() != v8::Module::kEvaluated) continue;
        std::unique_ptr<v8::ScriptCompiler::CachedData> made(
            v8::ScriptCompiler::CreateCodeCache(module->GetUnboundModuleScript()));
        if (made)
            realm->code->put(realm->vm->user, one.first.c_str(), one.second->source, made->data,
                             static_cast<size_t>(made->length));
    }
}

v8::MaybeLocal<v8::Promise> import_dynamically(v8::Local<v8::Context> context, v8::Local<v8::Data>,
                                               v8::Local<v8::Value> referrer, v8::Local<v8::String> specifier,
                                               v8::Local<v8::FixedArray>)
{
    v8::Isolate *isolate = context->GetIsolate();
    v8::EscapableHandleScope handles(isolate);
    aard__realm *realm = realm_of(context);
    v8::Local<v8::Promise::Resolver> found;
    if (!realm || !v8::Promise::Resolver::New(context).ToLocal(&found)) return {};
    v8::TryCatch catcher(isolate);
    v8::Local<v8::Module> module;
    v8::Local<v8::Function> go_on;
    v8::Local<v8::Promise> imported;
    if (resolve_from(realm, utf8(isolate, specifier), utf8(isolate, referrer)).ToLocal(&module) &&
        v8::Function::New(context, evaluate_found, name_of(realm, module)).ToLocal(&go_on) &&
        !found->Resolve(context, v8::Undefined(isolate)).IsNothing() &&
        found->GetPromise()->Then(context, go_on).ToLocal(&imported))
        return handles.Escape(imported);
    if (catcher.HasTerminated()) {
        catcher.ReThrow();
        return {};
    }
    if (catcher.HasCaught()) found->Reject(context, catcher.Exception()).FromMaybe(false);
    return handles.Escape(found->GetPromise());
}

} // namespace aard

extern "C" void aard__realm_find_modules(aard__realm *realm, aard__module_find find) { realm->find = find; }

extern "C" void aard__realm_keep_code(aard__realm *realm, const aard__module_code *store) { realm->code = store; }

extern "C" void aard__realm_import(aard__realm *realm, const char *name, const char *source, size_t len,
                                   aard__module_find find, aard__ref **evaluation, bool *is_script,
                                   aard__result *result)
{
    aard::Entry entry(realm);
    aard::clear(result);
    *is_script = false;
    if (realm->vm->ended.load()) {
        result->status = AARD__TERMINATED;
        return;
    }
    realm->find = find;
    v8::TryCatch catcher(entry.isolate);
    v8::Local<v8::Module> module;
    v8::Local<v8::Promise> promise;
    if (!compile(realm, name, source, len).ToLocal(&module) ||
        module->InstantiateModule(entry.context, resolve).IsNothing()) {
        aard::take_caught(realm, catcher, result);
        return;
    }
    if (module->GetStatus() == v8::Module::kInstantiated && is_plain_script(entry.context, module)) {
        *is_script = true;
        realm->modules.erase(name);
        return;
    }
    if (!evaluate(entry.context, module).ToLocal(&promise)) {
        aard::take_caught(realm, catcher, result);
        return;
    }
    if (evaluation) *evaluation = aard::make_ref(realm->vm, promise);
    aard::take_value(realm, module->GetModuleNamespace(), true, result);
}
