// Strings of V8's from UTF-8, and back.
#include <algorithm>

#include "base/utf8.h"
#include "engine/vm.hh"

namespace aard {

v8::Local<v8::String> string(v8::Isolate *isolate, const char *text)
{
    return v8::String::NewFromUtf8(isolate, text).ToLocalChecked();
}

v8::MaybeLocal<v8::String> string(v8::Isolate *isolate, const char *text, size_t len)
{
    if (len > static_cast<size_t>(v8::String::kMaxLength)) return {};
    if (aard__ascii(text, len))
        return v8::String::NewFromOneByte(isolate, reinterpret_cast<const uint8_t *>(text), v8::NewStringType::kNormal,
                                          static_cast<int>(len));
    return v8::String::NewFromUtf8(isolate, text, v8::NewStringType::kNormal, static_cast<int>(len));
}

static void put_utf8(unsigned char **at, uint32_t character)
{
    if (character < 0x80) {
        *(*at)++ = static_cast<unsigned char>(character);
        return;
    }
    int more = character < 0x800 ? 1 : character < 0x10000 ? 2 : 3;
    *(*at)++ = static_cast<unsigned char>((0xff00 >> (more + 1) & 0xff) | character >> 6 * more);
    while (more--) *(*at)++ = static_cast<unsigned char>(0x80 | (character >> 6 * more & 0x3f));
}

void append_units(const uint16_t *units, int count, aard__buf *out, uint16_t *lead)
{
    if (!aard__buf_reserve(out, 3 * (static_cast<size_t>(count) + 1))) return;
    auto *at = reinterpret_cast<unsigned char *>(out->data + out->len);
    uint16_t waiting = lead ? *lead : 0;
    for (int i = 0; i < count; i++) {
        uint16_t unit = units[i];
        bool trail = (unit & 0xfc00) == 0xdc00, pair = waiting && trail;
        if (pair)
            put_utf8(&at, 0x10000u + ((waiting & 0x3ffu) << 10 | (unit & 0x3ffu)));
        else if (waiting)
            put_utf8(&at, 0xfffd);
        waiting = (unit & 0xfc00) == 0xd800 ? unit : 0;
        if (!pair && !waiting) put_utf8(&at, trail ? 0xfffd : unit);
    }
    if (lead)
        *lead = waiting;
    else if (waiting)
        put_utf8(&at, 0xfffd);
    out->len = static_cast<size_t>(reinterpret_cast<char *>(at) - out->data);
}

// V8 can't be interrupted while it writes a string.
static void append_slices(v8::Isolate *isolate, v8::Local<v8::String> string, aard__buf *out, size_t most)
{
    constexpr int kUnits = 8192;
    uint16_t units[kUnits], lead = 0;
    int length = string->Length();
    string->Write(isolate, units, 0, 0,
                  v8::String::NO_NULL_TERMINATION); // flattens it, before anything is allocated here
    size_t start = out->len;
    aard__buf_reserve(out, std::min(static_cast<size_t>(length), most));
    for (int at = 0; at < length && out->len - start < most && !out->failed; at += kUnits) {
        if (at % kSlice == 0 && vm_of(isolate)->ended.load()) return;
        int count = string->Write(isolate, units, at, std::min(kUnits, length - at), v8::String::NO_NULL_TERMINATION);
        append_units(units, count, out, &lead);
    }
    if (lead && out->len - start < most) aard__buf_puts(out, "\xef\xbf\xbd");
}

void append_utf8(v8::Isolate *isolate, v8::Local<v8::String> string, aard__buf *out, int most)
{
    int units = string->Length();
    if (units > kSlice) return append_slices(isolate, string, out, most == INT32_MAX ? SIZE_MAX : most);
    if (units <= most && string->IsOneByte() && aard__buf_reserve(out, static_cast<size_t>(units))) {
        auto *at = reinterpret_cast<uint8_t *>(out->data + out->len);
        string->WriteOneByte(isolate, at, 0, units, v8::String::NO_NULL_TERMINATION);
        if (aard__ascii(out->data + out->len, static_cast<size_t>(units))) {
            out->len += static_cast<size_t>(units);
            return;
        }
    }
    int len = units <= most ? string->Utf8Length(isolate) : most;
    if (!aard__buf_reserve(out, static_cast<size_t>(len) + 1)) return;
    int written = string->WriteUtf8(isolate, out->data + out->len, len, nullptr,
                                    v8::String::NO_NULL_TERMINATION | v8::String::REPLACE_INVALID_UTF8);
    out->len += static_cast<size_t>(written);
}

} // namespace aard
