// JSON text of small plain values, straight into a buffer: V8's own writer makes a string of it first, a character at a
// time.  What is not small or not plain is left to it.
#include "base/json.h"
#include "engine/vm.hh"

namespace {

constexpr int kMostItems = 16; // of one container: V8 is quicker at visiting many
constexpr int kMostDepth = 3;

// Where the text goes, and how long it may become there.
struct Target {
    aard__buf *buf;
    size_t most;
};

bool put(v8::Local<v8::Context> context, v8::Local<v8::Value> value, int depth, const Target &target);

// A string that stands for itself between two quotes.
bool put_string(v8::Isolate *isolate, v8::Local<v8::String> text, const Target &target)
{
    aard__buf *out = target.buf;
    auto units = static_cast<size_t>(text->Length());
    if (!text->IsOneByte() || units + 2 > target.most || out->len > target.most - units - 2) return false;
    if (!aard__buf_reserve(out, units + 2)) return false;
    char *at = out->data + out->len;
    text->WriteOneByte(isolate, reinterpret_cast<uint8_t *>(at) + 1, 0, static_cast<int>(units),
                       v8::String::NO_NULL_TERMINATION);
    if (aard__json_plain(at + 1, units) < units) return false;
    at[0] = at[units + 1] = '"';
    out->len += units + 2;
    return true;
}

bool put_array(v8::Local<v8::Context> context, v8::Local<v8::Array> array, int depth, const Target &target)
{
    aard__buf *out = target.buf;
    uint32_t length = array->Length();
    if (length > kMostItems) return false;
    aard__buf_putc(out, '[');
    for (uint32_t i = 0; i < length; i++) {
        v8::Local<v8::Value> item;
        if (i) aard__buf_putc(out, ',');
        if (!array->Get(context, i).ToLocal(&item) || !put(context, item, depth, target)) return false;
    }
    aard__buf_putc(out, ']');
    return true;
}

bool put_object(v8::Local<v8::Context> context, v8::Local<v8::Object> object, int depth, const Target &target)
{
    aard__buf *out = target.buf;
    v8::Local<v8::Array> names;
    auto filter = static_cast<v8::PropertyFilter>(v8::ONLY_ENUMERABLE | v8::SKIP_SYMBOLS);
    if (!object->GetOwnPropertyNames(context, filter, v8::KeyConversionMode::kConvertToString).ToLocal(&names) ||
        names->Length() > kMostItems)
        return false;
    aard__buf_putc(out, '{');
    for (uint32_t i = 0; i < names->Length(); i++) {
        v8::Local<v8::Value> name, value;
        if (i) aard__buf_putc(out, ',');
        if (!names->Get(context, i).ToLocal(&name) || !name->IsString() ||
            !put_string(context->GetIsolate(), name.As<v8::String>(), target))
            return false;
        aard__buf_putc(out, ':');
        if (!object->Get(context, name).ToLocal(&value) || !put(context, value, depth, target)) return false;
    }
    aard__buf_putc(out, '}');
    return true;
}

bool put(v8::Local<v8::Context> context, v8::Local<v8::Value> value, int depth, const Target &target)
{
    aard__buf *out = target.buf;
    if (value->IsString()) return put_string(context->GetIsolate(), value.As<v8::String>(), target);
    if (value->IsInt32())
        aard__buf_printf(out, "%d", value.As<v8::Int32>()->Value());
    else if (value->IsBoolean())
        aard__buf_puts(out, value->IsTrue() ? "true" : "false");
    else if (value->IsNull())
        aard__buf_puts(out, "null");
    else if (depth == kMostDepth || value->IsProxy())
        return false;
    else if (value->IsArray())
        return put_array(context, value.As<v8::Array>(), depth + 1, target);
    else
        return value->IsObject() && !value->IsFunction() &&
               put_object(context, value.As<v8::Object>(), depth + 1, target);
    return true;
}

} // namespace

extern "C" bool aard__frame_json(const aard__frame *frame, size_t index, size_t most, aard__buf *out)
{
    v8::TryCatch catcher(frame->isolate);
    v8::HandleScope handles(frame->isolate);
    size_t before = out->len;
    bool done = put(frame->isolate->GetCurrentContext(), frame->info[static_cast<int>(index)], 0, {out, most}) &&
                !out->failed;
    if (!done && !out->failed) out->len = before;
    if (catcher.HasTerminated()) catcher.ReThrow();
    return done;
}
