/* The fuzzer of guests: hostile guests on several threads of one process, beside a neighbour that must stay alive, right and
 * on time.  A parent that knows nothing of the engine starts the process, looks after it, and tells what became of it. */
#ifndef AARD_TESTS_ATTACK_H
#define AARD_TESTS_ATTACK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { MOST_THREADS = 16, KINDS_OF_END = 16, LATENCIES = 1 << 14 };

/* What one thread is at. */
typedef struct slot {
    atomic_ullong guest, before; /* numbers + 1; 0 = none */
    atomic_ullong since_ms;
    _Atomic(const char *) stage;
    atomic_long kib; /* what its isolate may use */
} slot;

/* In memory that both processes have. */
typedef struct shared {
    uint64_t run;
    char kinds[64];
    unsigned threads;
    atomic_ullong next, last; /* numbers of guests: of the next one, and of the one after the last */
    atomic_bool stop;
    slot slots[MOST_THREADS];

    atomic_ullong neighbour_since_ms; /* 0 = between calls */
    _Atomic(const char *) neighbour_stage;
    atomic_ullong neighbour_calls;
    _Atomic float latency_ms[LATENCIES]; /* of the neighbour's last calls, from when they were due */

    atomic_long idle_kib; /* the process before it was attacked */
    atomic_ullong abandoned, unfreeable;
    atomic_long unfreeable_kib; /* at most */
    atomic_ullong ends[KINDS_OF_END];
    char message[2048]; /* of a process that has found something itself and ended with FOUND */
} shared;

enum { FOUND = 3 };

uint64_t attack_now_ms(void);
long attack_resident_kib(int pid);

/* In the process that is attacked: runs guests until there are none left or it is to stop, and exits. */
_Noreturn void attack_process(shared *s);

#endif
