/* V8 behind a C header: the only door to it.  No policy and no product logic live behind this door, only conversion.
 *
 * Words: a *vm* is a V8 isolate (heap, one thread at a time); a *realm* is a V8 context (globals, prototypes) in a vm;
 * a *ref* keeps a guest value alive; a *frame* is one call of the guest into C.
 *
 * Threads: everything needs the vm entered (aard__vm_enter) by the calling thread, except what says "any thread". */
#ifndef AARD_ENGINE_ENGINE_H
#define AARD_ENGINE_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "engine/native/watch.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct aard__vm aard__vm;
typedef struct aard__realm aard__realm;
typedef struct aard__host_entry aard__host_entry;
typedef struct aard__ref aard__ref;
typedef struct aard__frame aard__frame;
typedef struct aard__wasm aard__wasm;
typedef struct aard__script aard__script;
typedef struct aard__snapshot aard__snapshot;

/* ---- the process ----------------------------------------------------------------------------------------- */

/* Starts V8 once per process, with fixed flags; later calls give the first one's result.  Any thread. */
aard_error *aard__engine_start(void);

/* The same for a process that is to fork with its guests (base/process.h), as the first thing of the library that it calls.
 * V8 runs by the same flags, so that code caches and snapshots are shared with processes that have threads.  Errors: busy (the
 * engine has started), unsupported (a V8 whose random numbers can't be made new in a child). */
aard_error *aard__engine_start_template(void);

/* What compiled code depends on besides its source: V8 version, flags, CPU features.  Static storage. */
const char *aard__engine_code_key(void);

/* While on, WebAssembly functions are compiled when they are first called, and at once as well as they can be: what a
 * module then holds is the best code for all that was used, which aard__wasm_serialize keeps.  Turn it off before that.
 * For the whole process.  Turning it on gives false, and changes nothing, while there is a vm; turning it off gives false
 * where the engine can't go back to what it was, so that its code would fit no other process. */
bool aard__engine_record_code(bool on);

/* ---- vms ------------------------------------------------------------------------------------------------- */

typedef struct aard__vm_options {
    size_t js_heap_max;  /* bytes; 0 = V8's own default */
    size_t buffers_max;  /* bytes of ArrayBuffers; 0 = no limit */
    size_t memories_max; /* bytes of WebAssembly's memories, which count as ArrayBuffers unless: */
    bool memories_apart;
    void *user;                     /* handed to every host function */
    const aard__snapshot *snapshot; /* where the engine uses this one, its realms are copies of number `realm` in it */
    size_t realm;
    /* Called where code was to be made and may not be: from a string, or, `wasm`, of WebAssembly.  May be NULL. */
    void (*code_refused)(void *user, bool wasm);
    bool renewed;    /* realms come and go */
    bool deep_stack; /* for C code, which recurses by limits of its own: WebAssembly has no other stack for it */
} aard__vm_options;

aard_error *aard__vm_new(const aard__vm_options *options, aard__vm **out);
/* Not entered; frees its realms and refs too.  False for a abandoned vm that can't be freed: what it has been given must stay
 * as well. */
bool aard__vm_free(aard__vm *vm);
void *aard__vm_user(aard__vm *vm);
bool aard__vm_copies(const aard__vm *vm); /* whether its realms are copies */
void aard__vm_copy_no_more(aard__vm *vm); /* realms made from now on are empty */

/* Locks the vm for the calling thread; blocks while another has it.  Pairs nest. */
void aard__vm_enter(aard__vm *vm);
void aard__vm_leave(aard__vm *vm);

/* Runs `work` with the vm entered, on a stack that is its own: only so can a guest be left that V8 itself can't stop, or
 * that V8 would abort the process for.  False where that has been done: the vm is abandoned then, nothing but aard__vm_free and
 * what says "any thread" may be called for it, and what `work` had on its stack is as it was.  Errors: no_memory. */
aard_error *aard__vm_run(aard__vm *vm, void (*work)(void *user), void *user, bool *finished);

/* Calls what the host has given; false where it threw a C++ exception. */
bool aard__call_guarded(void (*call)(void *user), void *user);

/* From within `work`: runs `host`, which is not the guest's, on the stack that aard__vm_run was called on. */
void aard__vm_call_host(aard__vm *vm, void (*host)(void *user), void *user);

/* Any thread: makes the running script end as soon as it can, and everything after it until the cancel. */
void aard__vm_terminate(aard__vm *vm);
void aard__vm_terminate_cancel(aard__vm *vm);
bool aard__vm_terminating(aard__vm *vm);

/* Any thread, while aard__vm_run has not returned, of a vm that was ended some time ago: leaves the run at the next
 * instruction of V8's own, which is in something that never looks whether it was ended.  May be repeated; takes a real-time
 * signal that nobody else has a handler for.  The vm can't be freed then. */
void aard__vm_force(aard__vm *vm);

/* Any thread: has `interrupted` called with the vm's user, between two steps of the running script; it must not run any.
 * Not at all where that ends before, or is cancelled. */
void aard__vm_interrupt(aard__vm *vm, void (*interrupted)(void *user));
void aard__vm_interrupt_cancel(aard__vm *vm);

/* Whether the vm's heap was full: it is no good any more.  Whether a buffer was refused since this was last asked. */
bool aard__vm_heap_full(const aard__vm *vm);
/* Whether that was its stack, used up by a recursion of the engine's own that has no limit. */
bool aard__vm_stack_ended(const aard__vm *vm);
bool aard__vm_buffer_refused(aard__vm *vm);

/* Counts vms abandoned mid-execution, and those of them that could not be freed.  Any thread. */
typedef struct aard__abandoned {
    uint64_t abandoned, unfreeable;
} aard__abandoned;
aard__abandoned aard__engine_abandoned(void);

/* Runs what is due: platform tasks, then microtasks.  True while work is still under way on other threads. */
bool aard__vm_pump(aard__vm *vm);

/* Between these two, code runs in `realm` that may be thrown away as if it had not run: nothing of the vm's other realms
 * runs, and a host function that `harmless` does not take ends it.  False where one has. */
void aard__vm_begin_ahead(aard__vm *vm, aard__realm *realm, bool (*harmless)(const aard__host_entry *entry));
bool aard__vm_end_ahead(aard__vm *vm);

/* Whether the realm has drawn a number (Math.random) since it was watched, with which copies of it would be alike.  Both begin
 * its numbers anew.  The vm entered. */
void aard__realm_watch_random(aard__realm *realm);
bool aard__realm_has_drawn(aard__realm *realm);

typedef struct aard__heap {
    size_t used, total, limit, external; /* bytes */
} aard__heap;
void aard__vm_heap(aard__vm *vm, aard__heap *out);
/* Between two calls, while nobody waits: collects garbage where V8 has begun to, or soon would, in a call then. */
void aard__vm_tidy(aard__vm *vm);
void aard__vm_collect(aard__vm *vm); /* all garbage, at once */

/* ---- values ---------------------------------------------------------------------------------------------- */

typedef enum aard__kind {
    AARD__UNDEFINED,
    AARD__NULL,
    AARD__BOOL,
    AARD__NUMBER,
    AARD__STRING, /* UTF-8; lone surrogates become U+FFFD on the way out */
    AARD__BYTES,  /* in: copied into a new Uint8Array; out: never (ask for a ref, then aard__ref_bytes) */
    AARD__REF
} aard__kind;

/* A value on its way in or out.  In: everything is borrowed.  Out: a ref is the caller's, a string is in the result. */
typedef struct aard__value {
    aard__kind kind;
    bool boolean;
    double number;
    const char *data; /* string, bytes */
    size_t len;
    aard__ref *ref;
} aard__value;

#define AARD__VALUE_NUMBER(n) ((aard__value){.kind = AARD__NUMBER, .number = (n)})
#define AARD__VALUE_BOOL(b) ((aard__value){.kind = AARD__BOOL, .boolean = (b)})
#define AARD__VALUE_STRING(d, l) ((aard__value){.kind = AARD__STRING, .data = (d), .len = (l)})
#define AARD__VALUE_BYTES(d, l) ((aard__value){.kind = AARD__BYTES, .data = (const char *)(d), .len = (l)})
#define AARD__VALUE_REF(r) ((aard__value){.kind = AARD__REF, .ref = (r)})

typedef enum aard__status {
    AARD__OK,
    AARD__THREW,      /* thrown_* are filled */
    AARD__TERMINATED, /* by aard__vm_terminate */
} aard__status;

/* How an entry into the guest ended.  Reusable; freed with aard__result_free. */
typedef struct aard__result {
    aard__status status;
    size_t most;       /* set by the caller: bytes that a string value may have; 0 = any */
    bool too_long;     /* it has more: there is no value */
    bool keep_thrown;  /* set by the caller: what was thrown is wanted itself */
    aard__ref *thrown; /* that; freed by the next entry, unless it is taken; may be NULL */
    aard__value value;
    aard__buf text;         /* a string value's bytes */
    aard__buf thrown_type;  /* the error's `name`, "" for a value that is no error */
    aard__buf thrown_text;  /* its `message`, or the value as a string */
    aard__buf thrown_stack; /* its `stack`, "" where there is none */
} aard__result;

void aard__result_free(aard__result *result);
void aard__ref_free(aard__ref *ref); /* NULL is fine; the vm entered */

/* The bytes behind an ArrayBuffer, a view of one, or a WebAssembly.Memory; false for another value.  Good until the
 * guest runs again. */
bool aard__ref_bytes(aard__ref *ref, uint8_t **data, size_t *len);

/* ---- realms ---------------------------------------------------------------------------------------------- */

/* In a vm whose realms are copies: a copy of its snapshot's.  A realm has its own queue of microtasks. */
aard_error *aard__realm_new(aard__vm *vm, aard__realm **out);
/* For good: what waits in its queue of microtasks is dropped, and what would go there.  V8 alone may still come back to it,
 * for the callbacks of a FinalizationRegistry, which ask realmIsGone.  Not while code of any realm of the vm runs. */
void aard__realm_free(aard__realm *realm);

/* Part `index` of the realm's snapshot; NULL where there is none, or memory is out. */
aard__ref *aard__realm_part(aard__realm *realm, size_t index);

/* Whether code may be made from strings (eval, new Function); wasm compilation by the guest is the same switch's.  May be
 * changed while the guest runs. */
void aard__realm_allow_codegen(aard__realm *realm, bool allow);

/* A script to run. */
typedef struct aard__source {
    const char *name; /* stands in stack traces */
    const char *data; /* UTF-8 */
    size_t len;
    bool lasting;      /* `data` outlives the vm and is never changed: V8 may read it in place */
    bool eager;        /* every function in it is compiled at once */
    const void *cache; /* compiled code made earlier by `make_cache`; may be NULL, may be stale */
    size_t cache_len;
    aard__buf *make_cache; /* where not NULL: gets the compiled code after the run */
    aard__script **keep;   /* where not NULL: gets the script, so that its code can be had later */
} aard__source;

/* The code of a kept script, with every function that has been compiled by now; and the end of keeping it. */
void aard__script_code(aard__script *script, aard__buf *out);
void aard__script_free(aard__script *script); /* the vm entered; before the vm is freed */

/* Runs a classic script.  `want_ref`: an object result comes out as a ref, otherwise it is undefined. */
void aard__realm_run(aard__realm *realm, const aard__source *source, bool want_ref, aard__result *result);

/* Runs inline code as consoles do: `await` may stand at its top level, `let`, `const` and classes may be declared again by
 * later inline code, and the result is the value of the last statement that has one.  Where something is awaited, `*awaited`
 * is a promise of an object whose ".repl_result" is that value; else NULL.  Code that parses only as a script is run as one. */
void aard__realm_run_inline(aard__realm *realm, const aard__source *source, aard__ref **awaited, aard__result *result);

/* The promise rejections that nothing handles, oldest first, into `result` as if thrown; false when there are none. */
bool aard__realm_next_rejection(aard__realm *realm, aard__result *result);

/* Calls `function` (a ref) with `this` undefined. */
void aard__ref_call(aard__realm *realm, aard__ref *function, const aard__value *args, size_t count, bool want_ref,
                    aard__result *result);

/* object[name]; an object comes out as a ref. */
void aard__ref_get(aard__realm *realm, aard__ref *object, const char *name, aard__result *result);

/* True once the promise in `ref` is settled; `result` then holds its value, or its reason as if thrown.  Marks it handled.
 * A value that is no promise counts as settled with itself. */
bool aard__promise_settled(aard__realm *realm, aard__ref *ref, bool want_ref, aard__result *result);

aard__ref *aard__realm_global(aard__realm *realm); /* NULL when memory is out */

/* ---- ES modules ------------------------------------------------------------------------------------------ */

/* Finds the module that `specifier` means inside `referrer` (a name given out earlier).  Fills `name` (its identity) and
 * source (borrowed until the vm is freed) and gives true; or puts a message into `name` and gives false. */
typedef bool (*aard__module_find)(void *user, const char *specifier, const char *referrer, aard__buf *name,
                                  const char **source, size_t *len);

/* Where compiled code of modules is kept, by their names.  `get` gives NULL for what has none; `wanted`: it may be given to
 * `put` later, with every function that has been compiled by then.  Both are called with the vm entered. */
typedef struct aard__module_code {
    const void *(*get)(void *user, const char *name, size_t *len, bool *wanted);
    void (*put)(void *user, const char *name, const char *source, const void *code,
                size_t len); /* source: as it was found */
} aard__module_code;

/* Uses `store` (static storage) for all modules of the realm; `put` is called when the realm is freed. */
void aard__realm_keep_code(aard__realm *realm, const aard__module_code *store);

/* What `import()` of scripts asks; aard__realm_import sets it too. */
void aard__realm_find_modules(aard__realm *realm, aard__module_find find);

/* Imports the module `name` of `source` and all it imports, static and dynamic.  The value is the namespace object (a
 * ref); evaluation may still be under way (top-level await): `evaluation`, where not NULL, gets its promise as a ref.
 * A source that neither imports nor exports anything is not evaluated: `*is_script` becomes true, there is no value. */
void aard__realm_import(aard__realm *realm, const char *name, const char *source, size_t len, aard__module_find find,
                        aard__ref **evaluation, bool *is_script, aard__result *result);

/* ---- host functions: the guest calls C --------------------------------------------------------------------- */

/* `user` is the vm's. */
typedef void (*aard__host_function)(aard__frame *frame, void *user);

/* One row of a static table; ends with a NULL name. */
struct aard__host_entry {
    const char *name;
    aard__host_function call;
};

/* A new null-prototype object that holds the functions of `tables` (NULL-terminated list; static storage). */
aard__ref *aard__realm_host_object(aard__realm *realm, const aard__host_entry *const *tables);

/* Whether the call has been ended meanwhile: what takes long looks now and then, and returns without a result. */
bool aard__frame_ended(const aard__frame *frame);
/* A buffer for the time of this host function.  Where the run is left meanwhile it is freed with the vm. */
aard__buf *aard__frame_scratch(aard__frame *frame);
/* Whether a string of so many units (of two bytes, `wide`, or one) can be had at all; false, with a RangeError, where not. */
bool aard__frame_fits(aard__frame *frame, size_t units, bool wide);
size_t aard__frame_count(const aard__frame *frame);
bool aard__frame_is_undefined(const aard__frame *frame, size_t index);
bool aard__frame_bool(const aard__frame *frame, size_t index);                   /* truthiness */
double aard__frame_number(const aard__frame *frame, size_t index);               /* NaN for anything but a number */
size_t aard__frame_string_units(const aard__frame *frame, size_t index);         /* in UTF-16; 0 for no string */
bool aard__frame_string(const aard__frame *frame, size_t index, aard__buf *out); /* UTF-8; false for no string */
/* Appends the JSON text of a value that JSON.stringify would keep all of: plain objects and arrays, strings, booleans, null
 * and finite numbers; at most `most` bytes.  False, with nothing appended, where JSON.stringify does it better. */
bool aard__frame_json(const aard__frame *frame, size_t index, size_t most, aard__buf *out);
/* The bytes of an ArrayBuffer or a view, writable, good until the host function returns; false for anything else. */
bool aard__frame_bytes(const aard__frame *frame, size_t index, uint8_t **data, size_t *len);
aard__ref *aard__frame_ref(const aard__frame *frame, size_t index);

/* Results; the last one counts, none means undefined. */
void aard__frame_return_bool(aard__frame *frame, bool value);
void aard__frame_return_number(aard__frame *frame, double value);
void aard__frame_return_null(aard__frame *frame);
void aard__frame_return_utf8(aard__frame *frame, const char *data, size_t len); /* must be well-formed */
void aard__frame_return_latin1(aard__frame *frame, const uint8_t *data, size_t len);
void aard__frame_return_utf16(aard__frame *frame, const uint16_t *data, size_t units);
void aard__frame_return_array_buffer(aard__frame *frame, const void *data, size_t len); /* copied */
/* A new ArrayBuffer of zeros, to be filled before the host function returns. */
uint8_t *aard__frame_return_new_buffer(aard__frame *frame, size_t len);
void aard__frame_return_ref(aard__frame *frame, aard__ref *ref);

/* Throws an error of a built-in type ("Error", "TypeError", "RangeError"); return from the host function after it. */
void aard__frame_throw(aard__frame *frame, const char *type, const char *message);
bool aard__frame_threw(const aard__frame *frame);

/* ---- start-up snapshots ------------------------------------------------------------------------------------ */

enum { AARD__SNAPSHOT_MOST_PARTS = 32 };

/* What a snapshot refers to outside of itself: the same, in the same order, where it is made and where it is used. */
typedef struct aard__snapshot_world {
    const aard__host_entry *const *tables; /* NULL-terminated list; static storage */
    const aard__source *sources;           /* texts that are not copied into the snapshot: `data` and `len` count */
    size_t source_count;
} aard__snapshot_world;

/* A realm of a snapshot. */
typedef struct aard__snapshot_realm {
    /* Fills it and gives refs to its parts, at most AARD__SNAPSHOT_MOST_PARTS. */
    aard_error *(*fill)(aard__realm *realm, void *user, aard__ref **parts, size_t *count);
    void *user; /* what host functions get meanwhile */
} aard__snapshot_realm;

/* What snapshots depend on: the build of V8 and its flags.  Static storage. */
const char *aard__snapshot_key(void);

/* Makes a snapshot in a vm of its own.  Not while the engine has one: that is busy. */
aard_error *aard__snapshot_make(const aard__snapshot_world *world, const aard__snapshot_realm *realms, size_t count,
                                aard__buf *out);

/* Takes what aard__snapshot_make gave, in this process or another; `data`, aligned to 16 bytes, is used in place.  V8 aborts
 * the process over a snapshot that does not fit: one of another engine is refused here. */
aard_error *aard__snapshot_open(const aard__snapshot_world *world, const void *data, size_t len, aard__snapshot **out);
void aard__snapshot_free(aard__snapshot *snapshot); /* not while the engine has it */

/* From now on all vms of the process start from `snapshot`, or, where that is NULL, from V8's own.  All of them, whether
 * their realms are copies or not: V8 lets vms share what is read-only without asking where it came from.  False, and nothing
 * changes, while there is a vm. */
bool aard__engine_use_snapshot(const aard__snapshot *snapshot);
bool aard__engine_idle(void); /* whether there is no vm now */

/* The table of host functions that need V8 itself:
 *   structuredClone(value, transferList[])   a deep copy; throws an Error whose `name` is "DataCloneError"
 *   encodeInto(string, Uint8Array, counts)   as TextEncoder.encodeInto; counts, a Float64Array(2), gets read, written
 *   encode(string) -> ArrayBuffer            UTF-8, lone surrogates as U+FFFD
 *   isPromise(value)                         whether it is a promise of V8's own, whatever its prototype
 *   realmIsGone()                            whether the realm whose function this is has been freed
 *   setPromiseHook / gc are not offered. */
extern const aard__host_entry aard__engine_host[];

/* ---- wasm ------------------------------------------------------------------------------------------------ */

/* Compiles a module, from `cache` (what aard__wasm_serialize gave) where that fits and may be NULL; `*hit` (may be NULL)
 * tells whether it did.  The result may be shared by all vms of the process. */
aard_error *aard__wasm_compile(aard__realm *realm, const void *bytes, size_t len, const void *cache, size_t cache_len,
                               aard__wasm **out, bool *hit);
void aard__wasm_free(aard__wasm *wasm);                             /* any thread */
aard__ref *aard__wasm_module(aard__realm *realm, aard__wasm *wasm); /* a WebAssembly.Module of this realm */
aard_error *aard__wasm_serialize(aard__wasm *wasm, aard__buf *out);

#ifdef __cplusplus
}
#endif

#endif
