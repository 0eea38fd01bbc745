/* The seccomp filter of hardened children: made once, by a template, and installed by each child. */
#ifndef AARD_PROCESS_FILTER_H
#define AARD_PROCESS_FILTER_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { AARD__FILTER_MOST = 512 };

typedef struct aard__filter {
    struct sock_filter code[AARD__FILTER_MOST];
    size_t count;
    size_t own_pid; /* the instruction that compares with the process's number */
} aard__filter;

typedef enum aard__filter_kind {
    AARD__FILTER_OF_CHILDREN,
    AARD__FILTER_OF_TEMPLATES,
    AARD__FILTER_OF_PROGRAMS, /* a program that serves one guest, and opens nothing any more */
    AARD__FILTER_OF_OPENERS   /* one that opens files and sockets, for its guest's mounts and requests */
} aard__filter_kind;

void aard__filter_make(aard__filter *filter, aard__filter_kind kind);

/* For the calling thread and all that it starts, with no way back: what is not allowed ends the process (SIGSYS).  False and
 * errno where the kernel refuses it. */
bool aard__filter_install(aard__filter *filter);

/* The same for all threads of the process. */
bool aard__filter_install_everywhere(aard__filter *filter);

/* Whether the kernel has what the filter needs. */
bool aard__filter_available(void);

/* The table of system_calls.h, for the manual's test and for `doctor`: false beyond the last. */
typedef struct aard__system_call {
    const char *name, *condition, *reason;
    int number;
} aard__system_call;
bool aard__system_call_at(size_t index, aard__system_call *out);

#endif
