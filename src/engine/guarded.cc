// The one file with exceptions: what the host's C++ throws out of a callback must not unwind V8's frames, nor leave an isolate
// in use for ever.
#include <cxxabi.h>

#include "engine/engine.h"

extern "C" bool aard__call_guarded(void (*call)(void *user), void *user)
{
    try {
        call(user);
        return true;
    } catch (abi::__forced_unwind &) {
        throw; // the thread is being cancelled
    } catch (...) {
        return false;
    }
}
