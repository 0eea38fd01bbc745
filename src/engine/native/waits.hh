// V8's own threads, which wait for isolates.
#ifndef AARD_ENGINE_NATIVE_WAITS_HH
#define AARD_ENGINE_NATIVE_WAITS_HH

namespace v8 {
class Isolate;
}

namespace aard {

// From the second on none of V8's threads waits for the isolate's own; the third when there is no such isolate any more.
void watch_waits();
void let_nobody_wait(const v8::Isolate *isolate);
void forget_waits(const v8::Isolate *isolate);

} // namespace aard

#endif
