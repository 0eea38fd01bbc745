/* The engine of the process, V8: one for all isolates. */
#ifndef AARDVARK_ENGINE_H
#define AARDVARK_ENGINE_H

#include <stdbool.h>

#include <aardvark/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Whether the library handles SIGSEGV, for the faults of guests' WebAssembly; default true.  A handler that was
 * installed before still receives all other faults.  So does one that is installed later: the next call of a guest
 * that can run WebAssembly puts the library's in front of it.  If a handler is installed while another thread is in
 * such a call, and does not forward faults that are not its own to the previous handler, a guest's fault ends the
 * process.  False leaves the signal to the host.  Guests then run some 15 % slower, and what
 * aard_distribution_prepare made in a process with the handler is of no use to one without.  Before the first
 * isolate.  Any thread.  Errors: busy (the engine has started already). */
AARD_API AARD_NODISCARD aard_error *aard_engine_set_fault_handler(bool on);

#ifdef __cplusplus
}
#endif

#endif
