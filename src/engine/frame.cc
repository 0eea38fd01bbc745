// Host functions: the guest calls C.
#include <cmath>
#include <cstring>

#include "engine/vm.hh"

namespace aard {

void call_host(const v8::FunctionCallbackInfo<v8::Value> &info)
{
    auto *entry = static_cast<const aard__host_entry *>(info.Data().As<v8::External>()->Value());
    aard__frame frame{info, info.GetIsolate(), false};
    aard__vm *vm = vm_of(frame.isolate);
    if (vm->ended.load()) { // a builtin that calls us again and again never looks
        frame.isolate->ThrowException(v8::Undefined(frame.isolate));
        return;
    }
    if (vm->ahead && !vm->harmless(entry)) {
        vm->spoilt = true;
        frame.isolate->TerminateExecution();
        return;
    }
    size_t scratch = vm->scratch.size();
    entry->call(&frame, vm->user);
    while (vm->scratch.size() > scratch) {
        aard__buf_free(&vm->scratch.back());
        vm->scratch.pop_back();
    }
}

} // namespace aard

namespace {

v8::Local<v8::Value> argument(const aard__frame *frame, size_t index)
{
    return frame->info[static_cast<int>(index)]; // undefined beyond the last
}

void encode(aard__frame *frame, void *)
{
    v8::Local<v8::Value> value = argument(frame, 0);
    if (!value->IsString()) return;
    v8::Local<v8::String> text = value.As<v8::String>();
    if (text->Length() > aard::kSlice) { // V8 writes it without looking whether the call was ended
        aard__buf *bytes = aard__frame_scratch(frame);
        aard::append_utf8(frame->isolate, text, bytes);
        if (bytes->failed)
            aard__frame_throw(frame, "RangeError", "out of memory");
        else if (!aard__frame_ended(frame))
            aard__frame_return_array_buffer(frame, bytes->data, bytes->len);
        return;
    }
    int len = text->Utf8Length(frame->isolate);
    uint8_t *into = aard__frame_return_new_buffer(frame, static_cast<size_t>(len));
    text->WriteUtf8(frame->isolate, reinterpret_cast<char *>(into), len, nullptr,
                    v8::String::NO_NULL_TERMINATION | v8::String::REPLACE_INVALID_UTF8);
}

// As String::WriteUtf8, of a string that V8 would take long for.
void encode_slices(aard__frame *frame, v8::Local<v8::String> text, uint8_t *data, size_t room, double *counts)
{
    constexpr int kUnits = 8192;
    uint16_t units[kUnits];
    aard__buf *bytes = aard__frame_scratch(frame);
    int length = text->Length(), at = 0;
    size_t written = 0;
    for (int step = kUnits; at < length && step > 0 && !aard__frame_ended(frame);) {
        int count = text->Write(frame->isolate, units, at, std::min(step, length - at),
                                v8::String::NO_NULL_TERMINATION);
        if ((units[count - 1] & 0xfc00) == 0xd800 && at + count < length) { // its trail comes next
            count = count > 1 ? count - 1 : text->Write(frame->isolate, units, at, 2, v8::String::NO_NULL_TERMINATION);
            if (count == 2 && step == 1 && (units[1] & 0xfc00) != 0xdc00) count = 1;
        }
        aard__buf_clear(bytes);
        aard::append_units(units, count, bytes);
        if (bytes->failed || bytes->len > room - written) {
            step /= 2; // the last characters that fit
            continue;
        }
        memcpy(data + written, bytes->data, bytes->len);
        written += bytes->len;
        at += count;
    }
    counts[0] = at;
    counts[1] = static_cast<double>(written);
}

void encode_into(aard__frame *frame, void *)
{
    uint8_t *data, *counts;
    size_t len, counts_len;
    if (!argument(frame, 0)->IsString() || !aard__frame_bytes(frame, 1, &data, &len) ||
        !aard__frame_bytes(frame, 2, &counts, &counts_len) || counts_len < 2 * sizeof(double))
        return;
    v8::Local<v8::String> text = argument(frame, 0).As<v8::String>();
    double both[2];
    if (text->Length() > aard::kSlice) {
        encode_slices(frame, text, data, len, both);
    } else {
        int read = 0, room = static_cast<int>(std::min(len, static_cast<size_t>(INT32_MAX)));
        both[1] = text->WriteUtf8(frame->isolate, reinterpret_cast<char *>(data), room, &read,
                                  v8::String::NO_NULL_TERMINATION | v8::String::REPLACE_INVALID_UTF8);
        both[0] = read;
    }
    memcpy(counts, both, sizeof both);
}

void realm_is_gone(aard__frame *frame, void *)
{
    frame->info.GetReturnValue().Set(!aard::realm_of(frame->isolate->GetCurrentContext()));
}

// The bytes of a copy count as the guest's buffers do: a string that stands in a value a thousand times is in them a
// thousand times.  However much a guest may have, V8 writes and reads the bytes without looking whether it was ended.
constexpr size_t kMostCloned = size_t(1) << 30;

class CloneDelegate : public v8::ValueSerializer::Delegate {
  public:
    explicit CloneDelegate(v8::Isolate *isolate) : isolate_(isolate), vm_(aard::vm_of(isolate)) {}
    void *ReallocateBufferMemory(void *old, size_t size, size_t *actual) override
    {
        bool may = !vm_->ended.load() && size <= kMostCloned && vm_->buffers->take(size);
        void *grown = may ? aard::allocate_for_run(size) : nullptr;
        full_ = !grown;
        if (may && !grown) vm_->buffers->give(size);
        if (!grown) return nullptr;
        if (old) memcpy(grown, old, std::min(size, size_));
        FreeBufferMemory(old);
        *actual = size_ = size;
        return grown;
    }
    void FreeBufferMemory(void *bytes) override
    {
        if (bytes) vm_->buffers->give(size_);
        aard::free_for_run(bytes);
    }
    void ThrowDataCloneError(v8::Local<v8::String> message) override
    {
        v8::Local<v8::Context> context = isolate_->GetCurrentContext();
        if (full_) {
            isolate_->ThrowException(
                v8::Exception::RangeError(aard::string(isolate_, "there is no memory for a copy that large")));
            return;
        }
        v8::Local<v8::Value> error = v8::Exception::Error(message);
        // Defined, not set: a guest may have given Error.prototype a setter.
        error.As<v8::Object>()
            ->CreateDataProperty(context, aard::string(isolate_, "name"), aard::string(isolate_, "DataCloneError"))
            .FromMaybe(false);
        isolate_->ThrowException(error);
    }

  private:
    v8::Isolate *isolate_;
    aard__vm *vm_;
    size_t size_ = 0; // of the bytes at hand
    bool full_ = false;
};

// The buffers of the transfer list; false (with an exception) for anything in it that can't be transferred.
bool transfers(aard__frame *frame, CloneDelegate &delegate, std::vector<v8::Local<v8::ArrayBuffer>> &out)
{
    if (!argument(frame, 1)->IsArray()) return true;
    v8::Isolate *isolate = frame->isolate;
    v8::Local<v8::Context> context = isolate->GetCurrentContext();
    v8::Local<v8::Array> list = argument(frame, 1).As<v8::Array>();
    v8::Local<v8::Set> seen = v8::Set::New(isolate);
    for (uint32_t i = 0; i < list->Length() && !aard__frame_ended(frame); i++) {
        v8::Local<v8::Value> item;
        if (!list->Get(context, i).ToLocal(&item)) return false;
        size_t before = seen->Size();
        if (seen->Add(context, item).IsEmpty()) return false;
        bool repeated = seen->Size() == before;
        if (repeated || !item->IsArrayBuffer() || !item.As<v8::ArrayBuffer>()->IsDetachable()) {
            delegate.ThrowDataCloneError(
                aard::string(isolate, repeated ? "an ArrayBuffer stands twice in the transfer list"
                                               : "a value in the transfer list is not a transferable ArrayBuffer"));
            return false;
        }
        out.push_back(item.As<v8::ArrayBuffer>());
    }
    return true;
}

// Reading the value has run the guest's getters: what was true of the buffers before need not be any more.
bool still_transferable(v8::Isolate *isolate, CloneDelegate &delegate,
                        const std::vector<v8::Local<v8::ArrayBuffer>> &moved)
{
    for (const v8::Local<v8::ArrayBuffer> &buffer : moved) {
        if (buffer->IsDetachable() && !buffer->WasDetached()) continue;
        delegate.ThrowDataCloneError(
            aard::string(isolate, "an ArrayBuffer of the transfer list can't be transferred any more"));
        return false;
    }
    return true;
}

// Reads a copy out of `bytes`, which takes the buffers in `moved` away from whoever had them.
void read_clone(aard__frame *frame, const std::pair<uint8_t *, size_t> &bytes,
                const std::vector<v8::Local<v8::ArrayBuffer>> &moved)
{
    v8::Isolate *isolate = frame->isolate;
    v8::Local<v8::Context> context = isolate->GetCurrentContext();
    v8::ValueDeserializer deserializer(isolate, bytes.first, bytes.second);
    for (uint32_t i = 0; i < moved.size(); i++) {
        std::shared_ptr<v8::BackingStore> store = moved[i]->GetBackingStore();
        moved[i]->Detach();
        deserializer.TransferArrayBuffer(i, v8::ArrayBuffer::New(isolate, std::move(store)));
    }
    v8::Local<v8::Value> copy;
    if (!deserializer.ReadHeader(context).IsNothing() && deserializer.ReadValue(context).ToLocal(&copy))
        frame->info.GetReturnValue().Set(copy);
}

void is_promise(aard__frame *frame, void *) { aard__frame_return_bool(frame, argument(frame, 0)->IsPromise()); }

void structured_clone(aard__frame *frame, void *)
{
    v8::Isolate *isolate = frame->isolate;
    CloneDelegate delegate(isolate);
    v8::ValueSerializer serializer(isolate, &delegate);
    std::vector<v8::Local<v8::ArrayBuffer>> moved;
    serializer.WriteHeader();
    if (!transfers(frame, delegate, moved)) return;
    for (uint32_t i = 0; i < moved.size(); i++) serializer.TransferArrayBuffer(i, moved[i]);
    if (serializer.WriteValue(isolate->GetCurrentContext(), argument(frame, 0)).IsNothing()) return;
    if (!still_transferable(isolate, delegate, moved)) return;
    std::pair<uint8_t *, size_t> bytes = serializer.Release();
    read_clone(frame, bytes, moved);
    delegate.FreeBufferMemory(bytes.first);
}

} // namespace

extern "C" {

const aard__host_entry aard__engine_host[] = {
    {"structuredClone", structured_clone}, {"encode", encode}, {"encodeInto", encode_into}, {"isPromise", is_promise},
    {"realmIsGone", realm_is_gone},        {nullptr, nullptr},
};

aard__ref *aard__realm_host_object(aard__realm *realm, const aard__host_entry *const *tables)
{
    aard::Entry entry(realm);
    v8::Local<v8::Object> object = v8::Object::New(entry.isolate, v8::Null(entry.isolate), nullptr, nullptr, 0);
    for (; *tables; tables++) {
        for (const aard__host_entry *row = *tables; row->name; row++) {
            v8::Local<v8::Function> function;
            v8::Local<v8::External> data = v8::External::New(entry.isolate, const_cast<aard__host_entry *>(row));
            if (!v8::Function::New(entry.context, aard::call_host, data, 0, v8::ConstructorBehavior::kThrow)
                     .ToLocal(&function) ||
                !object->Set(entry.context, aard::string(entry.isolate, row->name), function).FromMaybe(false))
                return nullptr;
        }
    }
    return aard::make_ref(realm->vm, object);
}

bool aard__frame_ended(const aard__frame *frame) { return aard::vm_of(frame->isolate)->ended.load(); }

aard__buf *aard__frame_scratch(aard__frame *frame)
{
    aard__vm *vm = aard::vm_of(frame->isolate);
    vm->scratch.push_back(AARD__BUF_INIT);
    return &vm->scratch.back();
}

bool aard__frame_fits(aard__frame *frame, size_t units, bool wide)
{
    aard__vm *vm = aard::vm_of(frame->isolate);
    size_t most = vm->heap_max ? vm->heap_max / (wide ? 2 : 1) : SIZE_MAX;
    if (units <= static_cast<size_t>(v8::String::kMaxLength) && units <= most) return true;
    if (units > most) vm->buffers->refuse();
    aard__frame_throw(frame, "RangeError",
                      units > most ? "a string is larger than the guest's heap"
                                   : "a string is longer than the engine can hold");
    return false;
}

size_t aard__frame_count(const aard__frame *frame) { return static_cast<size_t>(frame->info.Length()); }

bool aard__frame_is_undefined(const aard__frame *frame, size_t index) { return argument(frame, index)->IsUndefined(); }

bool aard__frame_bool(const aard__frame *frame, size_t index)
{
    return argument(frame, index)->BooleanValue(frame->isolate);
}

double aard__frame_number(const aard__frame *frame, size_t index)
{
    v8::Local<v8::Value> value = argument(frame, index);
    return value->IsNumber() ? value.As<v8::Number>()->Value() : std::nan("");
}

size_t aard__frame_string_units(const aard__frame *frame, size_t index)
{
    v8::Local<v8::Value> value = argument(frame, index);
    return value->IsString() ? static_cast<size_t>(value.As<v8::String>()->Length()) : 0;
}

bool aard__frame_string(const aard__frame *frame, size_t index, aard__buf *out)
{
    v8::Local<v8::Value> value = argument(frame, index);
    if (!value->IsString()) return false;
    aard::append_utf8(frame->isolate, value.As<v8::String>(), out);
    return true;
}

bool aard__frame_bytes(const aard__frame *frame, size_t index, uint8_t **data, size_t *len)
{
    v8::Local<v8::Value> value = argument(frame, index);
    if (value->IsArrayBufferView()) {
        auto view = value.As<v8::ArrayBufferView>();
        *len = view->ByteLength();
        *data = static_cast<uint8_t *>(view->Buffer()->Data()) + view->ByteOffset();
        return true;
    }
    if (value->IsArrayBuffer()) {
        *len = value.As<v8::ArrayBuffer>()->ByteLength();
        *data = static_cast<uint8_t *>(value.As<v8::ArrayBuffer>()->Data());
        return true;
    }
    return false;
}

aard__ref *aard__frame_ref(const aard__frame *frame, size_t index)
{
    return aard::make_ref(aard::vm_of(frame->isolate), argument(frame, index));
}

void aard__frame_return_bool(aard__frame *frame, bool value) { frame->info.GetReturnValue().Set(value); }

void aard__frame_return_number(aard__frame *frame, double value) { frame->info.GetReturnValue().Set(value); }

void aard__frame_return_null(aard__frame *frame) { frame->info.GetReturnValue().SetNull(); }

static void return_string(aard__frame *frame, v8::MaybeLocal<v8::String> maybe)
{
    v8::Local<v8::String> text;
    if (maybe.ToLocal(&text))
        frame->info.GetReturnValue().Set(text);
    else
        aard__frame_throw(frame, "RangeError", "a string is longer than the engine can hold");
}

void aard__frame_return_utf8(aard__frame *frame, const char *data, size_t len)
{
    return_string(frame, aard::string(frame->isolate, data, len));
}

void aard__frame_return_latin1(aard__frame *frame, const uint8_t *data, size_t len)
{
    if (len > static_cast<size_t>(v8::String::kMaxLength)) return return_string(frame, {});
    return_string(frame,
                  v8::String::NewFromOneByte(frame->isolate, data, v8::NewStringType::kNormal, static_cast<int>(len)));
}

void aard__frame_return_utf16(aard__frame *frame, const uint16_t *data, size_t units)
{
    if (units > static_cast<size_t>(v8::String::kMaxLength)) return return_string(frame, {});
    return_string(
        frame, v8::String::NewFromTwoByte(frame->isolate, data, v8::NewStringType::kNormal, static_cast<int>(units)));
}

uint8_t *aard__frame_return_new_buffer(aard__frame *frame, size_t len)
{
    v8::Local<v8::ArrayBuffer> buffer = v8::ArrayBuffer::New(frame->isolate, len);
    frame->info.GetReturnValue().Set(buffer);
    return static_cast<uint8_t *>(buffer->Data());
}

void aard__frame_return_array_buffer(aard__frame *frame, const void *data, size_t len)
{
    uint8_t *into = aard__frame_return_new_buffer(frame, len);
    if (len) memcpy(into, data, len);
}

void aard__frame_return_ref(aard__frame *frame, aard__ref *ref)
{
    frame->info.GetReturnValue().Set(ref->value.Get(frame->isolate));
}

void aard__frame_throw(aard__frame *frame, const char *type, const char *message)
{
    v8::Local<v8::String> text;
    if (!aard::string(frame->isolate, message, strlen(message)).ToLocal(&text))
        text = v8::String::Empty(frame->isolate);
    v8::Local<v8::Value> error = !strcmp(type, "TypeError")    ? v8::Exception::TypeError(text)
                                 : !strcmp(type, "RangeError") ? v8::Exception::RangeError(text)
                                                               : v8::Exception::Error(text);
    frame->isolate->ThrowException(error);
    frame->threw = true;
}

bool aard__frame_threw(const aard__frame *frame) { return frame->threw; }

} // extern "C"
