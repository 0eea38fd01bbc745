// Calls that V8 and ICU make of others, and of themselves where their libraries let others step in between: to be led here.
// Only theirs: what the host calls stays as it is.
#ifndef AARD_ENGINE_REDIRECT_HH
#define AARD_ENGINE_REDIRECT_HH

#include <cstddef>

namespace aard {

struct Redirection {
    const char *name; // of the symbol
    void *to;
    void **before; // where not null, gets what was called before, for `to` to call; without one it is not redirected
};

// All that is wanted is redirected at once, since the tables are long; before any other thread calls it.  What a library does
// not call so stays as it is.
void redirect(const Redirection *all, size_t count);
void redirect_now();

template <typename Function> void *address(Function *function) { return reinterpret_cast<void *>(function); }
template <typename Function> void **place_of(Function **before) { return reinterpret_cast<void **>(before); }

} // namespace aard

#endif
