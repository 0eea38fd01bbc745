// What C holds of a guest's values.
#include <new>

#include "engine/vm.hh"

namespace aard {

aard__ref *make_ref(aard__vm *vm, v8::Local<v8::Value> value)
{
    auto *ref = new (std::nothrow) aard__ref{vm, vm->refs.size(), v8::Global<v8::Value>(vm->isolate, value)};
    if (ref) vm->refs.push_back(ref);
    return ref;
}

} // namespace aard

extern "C" {

void aard__ref_free(aard__ref *ref)
{
    if (!ref) return;
    auto &refs = ref->vm->refs;
    refs[ref->index] = refs.back();
    refs[ref->index]->index = ref->index;
    refs.pop_back();
    delete ref;
}

bool aard__ref_bytes(aard__ref *ref, uint8_t **data, size_t *len)
{
    v8::Isolate *isolate = ref->vm->isolate;
    v8::HandleScope handles(isolate);
    v8::Local<v8::Value> value = ref->value.Get(isolate);
    v8::Local<v8::ArrayBuffer> buffer;
    size_t offset = 0;
    if (value->IsArrayBuffer()) {
        buffer = value.As<v8::ArrayBuffer>();
        *len = buffer->ByteLength();
    } else if (value->IsWasmMemoryObject()) {
        buffer = value.As<v8::WasmMemoryObject>()->Buffer();
        *len = buffer->ByteLength();
    } else if (value->IsArrayBufferView()) {
        buffer = value.As<v8::ArrayBufferView>()->Buffer();
        offset = value.As<v8::ArrayBufferView>()->ByteOffset();
        *len = value.As<v8::ArrayBufferView>()->ByteLength();
    } else {
        return false;
    }
    *data = static_cast<uint8_t *>(buffer->Data()) + offset;
    return true;
}

} // extern "C"
