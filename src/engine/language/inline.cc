// Inline code, as consoles run it: V8's REPL mode.
//
// It parses a script in which `await` may stand at the top level, gives the completion value, and lets `let`, `const` and
// classes be declared again.  V8 has no public function for it; its inspector, and so the consoles of Chrome and Node.js,
// use the one below, which both lines of libnode that there are export under the same name (its types are in that name).
// Weak: with a library that has it no longer, code that needs it gets a clear error, and nothing else changes.
#include <cstring>

#include "base/utf8.h"
#include "engine/vm.hh"

namespace v8 {
namespace debug {

enum class EvaluateGlobalMode { kDefault, kDisableBreaks, kDisableBreaksAndThrowOnSideEffect };

__attribute__((weak)) MaybeLocal<Value> EvaluateGlobal(Isolate *isolate, Local<String> source, EvaluateGlobalMode mode,
                                                       bool repl);

} // namespace debug
} // namespace v8

namespace {

// The promise that such a script gives is fulfilled with an object that has the value under this name: so that a value
// which is a promise itself stays one.
constexpr char kValue[] = ".repl_result";

// Whether the character (UTF-8) may stand in the comment that names a script: no white space, no quotes, and above all
// nothing that ends a line.
bool may_name(const char *at, size_t len)
{
    static const char *const spaces[] = {"\xc2\xa0", "\xe1\x9a", "\xe2\x80", "\xe2\x81", "\xe3\x80", "\xef\xbb"};
    auto first = static_cast<unsigned char>(*at);
    if (len < 2) return len == 1 && first > ' ' && first < 0x7f && first != '"' && first != '\'';
    for (const char *space : spaces)
        if (!memcmp(at, space, 2)) return false;
    return true;
}

// V8 gives such scripts no name but that of a comment; what can't be there is written as in URLs.
void put_name(const char *name, aard__buf *out)
{
    aard__buf_puts(out, "\n//# sourceURL=");
    for (size_t left = strlen(name), len; left; name += len, left -= len) {
        len = aard__utf8_sequence(name, left);
        if (may_name(name, len)) {
            aard__buf_append(out, name, len);
            continue;
        }
        len = len ? len : 1;
        for (size_t i = 0; i < len; i++) aard__buf_printf(out, "%%%02X", static_cast<unsigned char>(name[i]));
    }
}

v8::MaybeLocal<v8::String> named_text(v8::Isolate *isolate, const aard__source *source)
{
    v8::MaybeLocal<v8::String> text;
    aard__buf all = AARD__BUF_INIT;
    aard__buf_append(&all, source->data, source->len);
    put_name(source->name, &all);
    if (!all.failed) text = aard::string(isolate, all.data, all.len);
    aard__buf_free(&all);
    return text;
}

// Compiles without running: as a classic script, or as a module.
bool compiles(v8::Isolate *isolate, const aard__source *source, bool as_module)
{
    v8::TryCatch catcher(isolate);
    v8::Local<v8::String> text;
    v8::Local<v8::UnboundScript> script;
    v8::Local<v8::Module> module;
    if (!aard::string(isolate, source->data, source->len).ToLocal(&text)) return false;
    v8::ScriptOrigin origin(isolate, v8::String::Empty(isolate), 0, 0, false, -1, v8::Local<v8::Value>(), false, false,
                            as_module);
    v8::ScriptCompiler::Source compiled(text, origin);
    return as_module ? v8::ScriptCompiler::CompileModule(isolate, &compiled).ToLocal(&module)
                     : v8::ScriptCompiler::CompileUnboundScript(isolate, &compiled).ToLocal(&script);
}

void refuse_module_syntax(const aard__source *source, aard__result *result)
{
    static const char text[] = "import and export declarations and import.meta belong into modules of a bundle; inline code "
                               "imports by: const {name} = await import('./file.js')";
    aard::clear(result);
    result->status = AARD__THREW;
    aard__buf_puts(&result->thrown_type, "SyntaxError");
    aard__buf_puts(&result->thrown_text, text);
    aard__buf_printf(&result->thrown_stack, "SyntaxError: %s\n    at %s", text, source->name);
}

// The promise of a script that has run so far.
void take_outcome(aard__realm *realm, v8::Local<v8::Promise> promise, aard__ref **awaited, aard__result *result)
{
    v8::Isolate *isolate = realm->vm->isolate;
    v8::Local<v8::Context> context = realm->context.Get(isolate);
    if (promise->State() != v8::Promise::kFulfilled) {
        *awaited = aard::make_ref(realm->vm, promise);
        return;
    }
    v8::TryCatch catcher(isolate);
    v8::Local<v8::Value> holder = promise->Result(), value;
    if (!holder->IsObject() || !holder.As<v8::Object>()->Get(context, aard::string(isolate, kValue)).ToLocal(&value))
        aard::take_caught(realm, catcher, result);
    else
        aard::take_value(realm, value, true, result);
}

} // namespace

extern "C" void aard__realm_run_inline(aard__realm *realm, const aard__source *source, aard__ref **awaited,
                                       aard__result *result)
{
    *awaited = nullptr;
    if (!v8::debug::EvaluateGlobal) {
        aard__realm_run(realm, source, true, result);
        return;
    }
    aard::Entry entry(realm);
    if (!aard::begin(realm, result)) return;
    v8::TryCatch catcher(entry.isolate);
    v8::Local<v8::String> text;
    v8::Local<v8::Value> promise;
    if (!named_text(entry.isolate, source).ToLocal(&text)) {
        aard::take_caught(realm, catcher, result);
        return;
    }
    if (v8::debug::EvaluateGlobal(entry.isolate, text, v8::debug::EvaluateGlobalMode::kDefault, true)
            .ToLocal(&promise)) {
        if (promise->IsPromise()) take_outcome(realm, promise.As<v8::Promise>(), awaited, result);
        return;
    }
    // Nothing has run.  What may be a name in a script only (`var await`) is one.
    bool ended = catcher.HasTerminated() || !catcher.HasCaught();
    if (!ended && compiles(entry.isolate, source, false)) {
        catcher.Reset();
        aard__realm_run(realm, source, true, result);
    } else if (!ended && compiles(entry.isolate, source, true)) {
        refuse_module_syntax(source, result);
    } else {
        aard::take_caught_in(realm, catcher, source, result);
    }
}
