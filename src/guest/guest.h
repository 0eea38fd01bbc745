/* A guest: one vm with one realm, booted for a language, with an adapter that makes the calls.
 *
 * A public isolate owns one guest at a time and replaces it when it is broken; everything here belongs to the thread that
 * has entered the guest's vm. */
#ifndef AARD_GUEST_GUEST_H
#define AARD_GUEST_GUEST_H

#include <aardvark/isolate.h>
#include <pthread.h>

#include "base/poller.h"
#include "budget/budget.h"
#include "callbacks/invocations.h"
#include "engine/engine.h"
#include "guest/open_files.h"
#include "guest/session_files.h"
#include "guest/streams.h"
#include "net/net.h"
#include "outcome/outcome.h"
#include "policy/filesystem.h"
#include "settings/context.h"
#include "warm/image.h"
#include "warm/overlay.h"

typedef struct aard__guest aard__guest;

/* Where a call stands. */
typedef enum aard__state {
    AARD__PENDING = 0, /* something is awaited: poll */
    AARD__DONE = 1,    /* the guest's answer is in `result` or `report`, or the outcome is a failure already */
    AARD__BROKEN = 2   /* the guest can't be used any more; the outcome says why */
} aard__state;

/* What a language does its own way.  Failures go to `outcome`, answers to guest->call. */
typedef struct aard__language_ops {
    aard_error *(*boot)(aard__guest *guest);   /* on a realm with the guest platform; what is in snapshots */
    aard_error *(*finish)(aard__guest *guest); /* what remains to be done then, or in a copy; may be NULL */
    /* Makes the guest as if no call had been made, whatever the last one did, even where it was ended half-way; handlers are
     * forgotten.  After an error the guest is of no use.  NULL where only a new guest is clean. */
    aard_error *(*reset)(aard__guest *guest);
    aard_reset_mode reset_mode; /* what `reset` does */
    /* Work for the next reset, done while there is nothing else to do; may be NULL, and then so is the next. */
    aard_error *(*make_standby)(aard__guest *guest);
    /* Prepares a handler in the standby realm.  Once it has, nobody can tell that it did not happen after the reset, but
     * by the clock; else there is no standby realm any more.  The handler's number, or -1. */
    int (*prepare_standby)(aard__guest *guest, const char *entrypoint);
    void (*drop_buffers)(aard__guest *guest); /* lets go of what the last call published; may be NULL */
    aard_error *(*mount)(aard__guest *guest); /* guest->bundle has just been set */
    /* Starts looking up "module:export".  Once DONE without a failure, guest->call.prepared is the handler's number. */
    aard__state (*prepare)(aard__guest *guest, const char *entrypoint, aard_outcome *outcome);
    void (*forget)(aard__guest *guest, int handler);
    aard__state (*invoke)(aard__guest *guest, int handler, const char *input, size_t len, aard_outcome *outcome);
    aard__state (*execute)(aard__guest *guest, const char *source, size_t len, const char *name, const char *input,
                           size_t input_len, aard_outcome *outcome);
    aard__state (*poll)(aard__guest *guest, aard_outcome *outcome); /* NULL where no call is ever PENDING */
    /* Takes away the names that inline code has defined; NULL where that takes a reset. */
    aard__state (*clear)(aard__guest *guest, aard_outcome *outcome);
    /* Answers the host, between calls; what there is to be had is in `*out`, which is the caller's.  NULL where there are no
     * files.  Errors: not_found, invalid_argument, quota, engine, no_memory. */
    aard_error *(*files)(aard__guest *guest, const aard__file_request *request, aard__buf *out);
    /* Puts the bytes of buffer `index` of the report into guest->call.result. */
    aard__state (*buffer)(aard__guest *guest, size_t index, aard_outcome *outcome);
    uint64_t (*heap_bytes)(aard__guest *guest); /* of the language's own memory */
    /* Asks the call under way to end, by an exception of the language; NULL where that is not possible. */
    void (*interrupt)(void *guest);
    void (*calm)(aard__guest *guest); /* after that: what is left of it meets nobody; may be NULL */
    /* In a child of the process that the guest was booted in: what the children may not have in common.  May be NULL. */
    aard_error *(*renew)(aard__guest *guest);
    /* Makes the state of the guest, which rests, the one that `reset` goes back to.  NULL where a guest is always reset to
     * how it was booted. */
    aard_error *(*checkpoint)(aard__guest *guest);
    /* As `reset` to such a state, exactly: what was drawn at random since then is drawn again.  NULL where `checkpoint` is. */
    aard_error *(*restore)(aard__guest *guest);
    /* Captures a guest that rests, with its vm entered, into an image in memory.  What can't be captured is an error
     * (warm_capture) that names it; the guest goes on either way.  NULL where no state can be captured. */
    aard_error *(*capture)(aard__guest *guest, aard__image **out);
    /* Adds what to do about an exception to its message; may be NULL. */
    void (*remedy)(const aard__guest *guest, const char *type, const char *value, size_t len, aard__buf *message);
    aard_failure_kind exception;
    aard_language language;
    const aard__host_entry *const *tables; /* of host functions; the same for all languages, which share snapshots */
    size_t size;                           /* of what it keeps of a guest */
    void (*begin)(aard__guest *guest,
                  const void *options); /* fills that, all zero, from its own options; may be NULL */
    void (*end)(aard__guest *guest);    /* frees what is in it besides refs, the vm being gone; may be NULL */
    const size_t
        *parts; /* places in it of the refs into the realm, as snapshots have them behind those of all guests */
    size_t part_count;
    bool own_memory;         /* it has memory of its own below which the engine's heap is only a means */
    unsigned snapshot_realm; /* which one of a snapshot is its */
    /* Begins to open what a guest without a vm will need, and gives the snapshot that is its own, or NULL; may be NULL. */
    const aard__snapshot *(*expect)(const aard__guest *guest);
} aard__language_ops;

#define AARD__OVERLAY_FILES 16777216 /* the number of an overlay's first file; far above those of any bundle */

/* A file of the host that the guest reads by its number: 0 is the language's own, the bundle's and the overlay's follow. */
typedef struct aard__content {
    const uint8_t *data;
    size_t len;
} aard__content;

/* What the guest starts from, and the files that it reads by number.  Only some languages have any of it. */
typedef struct aard__guest_start {
    aard_distribution *distribution; /* borrowed from the isolate */
    const aard__image *image;        /* NULL = from nothing */
    aard_warm_state *warm;           /* what `image` belongs to; retained; NULL for an image of its own kind */
    aard__overlay *overlay;          /* the packages; retained; may be NULL */
    char *packages;                  /* the lines for them in an image's key; NULL = none */
    aard__content own_file, symbols; /* `symbols` of prelinked code (prelink/symbols.h); none where it is not */
    aard__ref *wasm_module;          /* while it boots */
} aard__guest_start;

/* The call under way.  Each begins with one assignment (aard__guest_begin_call): what is added here needs no other reset. */
typedef struct aard__guest_call {
    aard_call_context context; /* what the host's callbacks are told */
    aard__stream_call output;
    aard__ledger ledger;
    const aard__network_policy *network;     /* NULL where nothing is allowed */
    aard__invocations *invocations;          /* of the host's callbacks; NULL until there is one */
    uint64_t callback_count, callback_ns;    /* once those have ended */
    aard__buf result, report;                /* the guest's answer: JSON text or a buffer's bytes; JSON text about it */
    size_t result_limit, result_depth_limit; /* 0 = none */
    size_t result_bytes;                     /* given so far */
    size_t stdin_at;                         /* how far its standard input has been read */
    uint64_t bytes_written;                  /* to the guest's files */
    uint64_t pending_ended;                  /* what waited to run when the call's value was there */
    bool memory_refused;                     /* it has asked for more of its language's own memory than there may be */
    int prepared;                            /* the handler that was looked up last; -1 = none */
} aard__guest_call;

/* What lasts longer of its ways in and out. */
typedef struct aard__guest_io {
    aard__streams streams;
    aard__file_rules file_rules; /* the host's */
    aard__open_files open_files; /* of the host's directories */
    aard__lookup_share *lookups; /* NULL until there is a request */
    unsigned last_request;       /* the number of */
    bool stdin_used;             /* some of a standard input has been read, and may still be held back */
} aard__guest_io;

/* What ends its sleep, from other threads too. */
typedef struct aard__guest_wake {
    pthread_mutex_t lock;
    aard__poller poller;
    bool watching;  /* the poller is woken by the engine, too */
    bool stopped;   /* under the lock: somebody has ended the call */
    bool roused;    /* the same: or asked it to end, for whoever sleeps */
    aard__net *net; /* changes under the lock; NULL until a call makes a request */
    bool asked;     /* the call before ended because it was asked to */
} aard__guest_wake;

typedef struct aard__guest_clock {
    uint64_t origin;                       /* by aard__clock_monotonic */
    uint64_t processor_ns, processor_last; /* what the guest's clock of it shows, and a thread's where it was read */
    pthread_t processor_thread;
    uint64_t stood_still; /* since then it does, by aard__clock_monotonic; 0 = it runs */
} aard__guest_clock;

/* What its code may do. */
typedef struct aard__guest_grants {
    bool engine_objects;  /* use the engine's own objects, where its language is not the engine's */
    bool code;            /* make code: from strings, and of WebAssembly */
    unsigned making_code; /* how often the host lets code be made all the same */
} aard__guest_grants;

/* A realm that waits, and the refs into it. */
typedef struct aard__parked {
    struct aard__parked *next;
    aard__realm *realm;
    aard__ref *parts[AARD__SNAPSHOT_MOST_PARTS];
} aard__parked;

struct aard__guest {
    const aard__language_ops *ops;
    void *own;                         /* what its language keeps of it: ops->size bytes behind this struct */
    const aard_isolate_config *config; /* the isolate's; NULL where there is none: nothing is granted then */
    aard_bundle *bundle;               /* what is at /app; retained; may be NULL */
    aard__vm *vm;
    aard__realm *realm;
    aard__realm *standby;                                /* the next realm; may be NULL */
    aard__ref *standby_parts[AARD__SNAPSHOT_MOST_PARTS]; /* and the refs into it, in the order of snapshots */
    aard__parked *parked;                                /* other realms that wait, for whoever has parked them */
    aard__ref *host, *shared, *run_timers;
    aard__result entry;  /* scratch for entries into the guest */
    size_t heap_limit;   /* of its language's own memory; 0 = none */
    unsigned generation; /* of the process, when the guest was last made its own */
    bool abandoned;      /* its vm can't be used any more */
    bool can_reset;      /* there is a checkpoint to go back to */
    bool eager;          /* its own files are compiled at once, for a snapshot: it is booted no further */
    aard__guest_grants grants;
    aard__guest_start start;
    aard__guest_clock clock;
    aard__guest_call call;
    aard__guest_io io;
    aard__guest_wake wake;
};

typedef struct aard__guest_options {
    const aard__language_ops *ops;   /* of its language */
    aard_distribution *distribution; /* outlives the guest */
    aard__streams streams;
    const aard_isolate_config *config; /* for file rules and host functions; outlives the guest; NULL = the defaults */
    uint64_t isolate_id;               /* 0 = none: of the guests that prepare a distribution */
    const aard__image *image;          /* what it starts from; outlives the guest; NULL = as its language chooses */
    aard_warm_state *warm;             /* or a warm state, which has an image */
    bool grants_engine_objects;        /* the capability "js" */
    bool grants_code;                  /* the capability "codegen" */
    const void *own;                   /* its language's options; NULL = the defaults */
    size_t heap_limit, engine_heap_limit, buffer_limit; /* 0 = none */
    uint64_t deadline;                                  /* for its start, by aard__clock_monotonic; 0 = none */
} aard__guest_options;

/* Limits on a guest's memory; 0 = none.  `heap` is of its language's own memory where it has one, else of the engine's. */
typedef struct aard__memory_limits {
    size_t heap, engine, buffers;
} aard__memory_limits;

/* What the host's limits come to, where files may hold so many bytes. */
aard__memory_limits aard__guest_memory_limits(bool own_memory, const aard__memory_limits *asked, uint64_t file_bytes);

aard_error *aard__guest_new(const aard__guest_options *options, aard__guest **out);
void aard__guest_free(aard__guest *guest); /* not entered; NULL is fine */

/* A guest without a vm, for a snapshot.  NULL when memory is out. */
aard__guest *aard__guest_new_bare(const aard__language_ops *ops);
void aard__guest_free_bare(aard__guest *guest); /* NULL is fine */

/* A call begins with `call`, which is copied: nothing of the one before is left.  `call->network` lives until the call's
 * aard__guest_go_offline. */
void aard__guest_begin_call(aard__guest *guest, const aard__guest_call *call);

/* Mounts a bundle (retained) at /app in place of the one before. */
aard_error *aard__guest_mount(aard__guest *guest, aard_bundle *bundle);

/* Any thread: ends the call that is under way, wherever it is, or asks it to end. */
void aard__guest_stop(void *guest, aard__stop how);

/* Once that can't happen any more, and the guest goes on. */
void aard__guest_unstop(aard__guest *guest);

/* Runs `work` in the guest's vm, on a stack of its own (aard__vm_run); a guest that is lost by it is good for nothing but
 * aard__guest_free.  Errors: no_memory. */
aard_error *aard__guest_run(aard__guest *guest, void (*work)(void *user), void *user);

/* The same for a part of a guest's start, which has to be over by `deadline` (by aard__clock_monotonic; 0 = whenever it is).
 * Errors: those of `work`, guest_boot. */
aard_error *aard__guest_run_start(aard__guest *guest, uint64_t deadline,
                                  aard_error *(*work)(aard__guest *guest, void *user), void *user);

/* From within: calls what the host has given, on the host's own stack. */
void aard__guest_call_host(aard__guest *guest, void (*host)(void *user), void *user);

/* As the ops of the same names; the vm entered. */
aard_error *aard__guest_make_standby(aard__guest *guest);
void aard__guest_drop_standby(aard__guest *guest);
void aard__guest_drop_buffers(aard__guest *guest);

typedef enum aard__waking { AARD__SLEPT, AARD__ROUSED, AARD__STOPPED } aard__waking;

/* Sleeps until `ns` nanoseconds have passed, or the call is ended or asked to end; UINT64_MAX waits for that alone. */
aard__waking aard__guest_sleep(aard__guest *guest, uint64_t ns);

/* The same, but may end early: the engine has done something. */
aard__waking aard__guest_wait_once(aard__guest *guest, uint64_t ns);

/* Lets the engine and the guest's microtasks do what there is to do; whether other threads of the engine still work for the
 * guest.  They then end aard__guest_wait_for_any. */
bool aard__guest_pump(aard__guest *guest);

/* Nobody waits in the guest for now: it holds no descriptor for that any more. */
void aard__guest_rest(aard__guest *guest);

/* The same, or until there may be something to do: a request or an invocation has been answered, or the engine has done something; *idle: UINT64_MAX
 * was given, and nothing would ever come. */
aard__waking aard__guest_wait_for_any(aard__guest *guest, uint64_t ns, bool *idle);

/* Whether the guest itself may make code now; what is refused goes into the ledger. */
void aard__guest_allow_code(aard__guest *guest, bool allow);
/* Nothing is allowed on the network any more; what is under way is dropped, and stands in the ledger. */
void aard__guest_go_offline(aard__guest *guest);
/* The requests of the call under way, begun where there are none yet; fine outside of calls, when nothing is allowed. */
aard_error *aard__guest_net(aard__guest *guest, aard__net **out);

/* The invocations of the host's callbacks by the call under way, begun where there are none yet; for a guest with a
 * configuration.  Errors: no_memory. */
aard_error *aard__guest_invocations(aard__guest *guest, aard__invocations **out);
bool aard__guest_awaits_callbacks(const aard__guest *guest);
/* Sleeps until number `id` has been answered (0: any, or a request), at most `ns` nanoseconds, or the call is ended or asked to
 * end; where there are invocations. */
aard__waking aard__guest_wait_for_answer(aard__guest *guest, uint32_t id, uint64_t ns);
void aard__guest_end_callbacks(aard__guest *guest); /* the call has ended: what is under way is over */

#define AARD__DEADLOCK "the guest awaits something that can never be resolved: no timer, task or request is left"

/* Polls a call until it is not PENDING any more. */
aard__state aard__guest_wait(aard__guest *guest, aard__state state, aard_outcome *outcome);

/* Puts the answer of a DONE call into the outcome; BROKEN where the guest ended on the way. */
aard__state aard__guest_collect(aard__guest *guest, aard_outcome *outcome);

/* The call's result, or its exception, is larger than it may be. */
void aard__guest_fail_too_large(const aard__guest *guest, aard_outcome *outcome);

/* Writes every rejection that nothing handles to the guest's stderr. */
void aard__guest_report_rejections(aard__guest *guest);

/* ---- for the languages --------------------------------------------------------------------------------------- */

/* Makes the guest's realm, with the guest platform and what the language boots: a copy where that can be. */
aard_error *aard__guest_make_realm(aard__guest *guest);
/* The same for a realm that is there and empty, up to where snapshots end. */
aard_error *aard__guest_install(aard__guest *guest);

/* ---- realm.c */

/* The refs into its realm that it has, in the order of snapshots. */
size_t aard__guest_part_count(const aard__guest *guest);
aard__ref **aard__guest_part(aard__guest *guest, size_t index);

/* Gives a guest that has a new realm, copied from a snapshot, its refs into it. */
aard_error *aard__guest_load_parts(aard__guest *guest);

/* Exchanges the guest's realm, and those refs, for the standby ones. */
void aard__guest_exchange(aard__guest *guest);

/* Frees those refs. */
void aard__guest_drop_parts(aard__guest *guest);

/* What is wrong with a boot in which `what` ended so. */
aard_error *aard__guest_boot_error(const aard__result *result, const char *what);

/* The function that guest file `name` evaluates to; and running a file: calling that with (host, shared). */
aard_error *aard__guest_load_file(aard__guest *guest, const char *name, aard__ref **out);
aard_error *aard__guest_call_file(aard__guest *guest, const char *name, aard__ref *function);
aard_error *aard__guest_run_file(aard__guest *guest, const char *name);

/* object.name as a ref. */
aard_error *aard__guest_get(aard__guest *guest, aard__ref *object, const char *name, aard__ref **out);

/* Calls `function` and waits for the promise it gives; for boots only, where nothing of the guest runs yet. */
aard_error *aard__guest_call_and_wait(aard__guest *guest, aard__ref *function, const aard__value *args, size_t count);

/* Turns how an adapter call ended into a state; an escape out of the adapter breaks the guest. */
aard__state aard__guest_state(aard__guest *guest, aard_outcome *outcome);

/* The guest's exception in guest->entry becomes the outcome's. */
void aard__guest_fail_exception(aard__guest *guest, aard_failure_kind kind, aard_outcome *outcome);

/* What the guest's clock of processor time shows, in nanoseconds since it was first asked: the calling thread's, which goes
 * on from there where another thread takes the guest over. */
uint64_t aard__guest_processor_ns(aard__guest *guest);

/* What the guest's clock shows: milliseconds since it was made, but for those in which it stood still. */
double aard__guest_now(const aard__guest *guest);

/* The clock stands still while a guest waits to be copied, and while a copy waits for its first call: none can tell how long
 * that was.  JavaScript's begins anew then, for nothing that is in the guest has seen it. */
void aard__guest_stop_clock(aard__guest *guest);
void aard__guest_start_clock(aard__guest *guest); /* fine where it runs */

#endif
