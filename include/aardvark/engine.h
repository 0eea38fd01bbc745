/* The engine of the process, V8: one for all isolates. */
#ifndef AARDVARK_ENGINE_H
#define AARDVARK_ENGINE_H

#include <stdbool.h>
#include <stddef.h>

#include <aardvark/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What V8 does besides what guests make it do: compiling hot code better, parts of collections. */
typedef enum aard_engine_threads {
    AARD_ENGINE_BACKGROUND_THREAD = 0, /* on one thread for all isolates, started when there is something to do */
    AARD_ENGINE_SINGLE_THREADED = 1    /* on the thread that calls: V8 starts none.  Guests run slower */
} aard_engine_threads;

/* Who handles the faults of guests' WebAssembly: aard_engine_set_fault_handler says what that means. */
typedef enum aard_engine_faults {
    AARD_ENGINE_FAULTS_AS_SET = 0, /* as aard_engine_set_fault_handler says; the library where nobody has called it */
    AARD_ENGINE_FAULTS_HANDLED = 1,
    AARD_ENGINE_FAULTS_LEFT = 2 /* the host, if anybody */
} aard_engine_faults;

typedef struct aard_engine_options {
    size_t struct_size; /* sizeof(aard_engine_options) of the caller */
    aard_engine_threads threads;
    aard_engine_faults faults;
} aard_engine_options;

/* Starts the engine.  NULL selects the defaults.  Without this call the first isolate starts it, with the defaults.  It stays
 * until the process ends, and so do these effects on the process as a whole:
 * - SIGSEGV gets the library's handler, unless it is left to the host; faults that are not a guest's go on to the handler
 *   that was there before.
 * - The highest real-time signal that nobody handles gets a handler when a run has to be ended that does not listen; it
 *   is sent to the one thread that runs the guest.
 * - ICU takes its memory by functions of the library (u_setMemoryFunctions; malloc's underneath) where nothing has been
 *   allocated by ICU yet; its default time zone and locale become UTC and en_US.
 * - Calls that V8 and ICU make of the C library are led through the library.  Those of the host are not.
 * - V8 reserves address space, which is no memory: 128 MiB (V8 11: 512) for each isolate's code, and 10 GiB for a guest's
 *   WebAssembly where faults are handled.  With RLIMIT_AS or vm.max_map_count too low for another isolate, making it is
 *   an error.
 * - V8's flags are set.  A host that uses V8 itself, or sets its flags, can't share the process.
 * - A thread is started when V8 has background work, if not single-threaded; another one watches the limits of calls.
 *
 * What aard_distribution_prepare made in a process with other options is of no use to this one: guests start
 * slower until it has been prepared in one like it.  Any thread.
 * Errors: busy (it has started with other options already), engine (too little address space), forked,
 * invalid_argument. */
AARD_API AARD_NODISCARD aard_error *aard_engine_start(const aard_engine_options *options);

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
