/* What Python keeps of a guest. */
#ifndef AARD_GUEST_PYTHON_PYTHON_GUEST_H
#define AARD_GUEST_PYTHON_PYTHON_GUEST_H

#include "guest/guest.h"
#include "prelink/prelink.h"
#include "warm/pages.h"

/* For those who prepare a distribution; all others have none. */
typedef struct aard__python_options {
    bool capturing;                   /* boots from nothing, so that the guest can be captured */
    const aard__prelinked *prelinked; /* where capturing: what to boot; NULL = the distribution's own files */
    const char *layout;               /* and its name (python_layout.h); outlives the guest */
    bool recording;                   /* compiles everything anew, to be kept */
    bool keep_glue;                   /* keeps Pyodide's glue for its code */
} aard__python_options;

typedef struct aard__python_guest {
    struct {
        aard__ref *prepare, *forget, *invoke, *execute, *buffer, *reserve, *mount, *memory, *capture, *checkpoint,
            *reset, *signals, *renew_stdin, *calm, *renew;
    } adapter;
    aard__ref *adapter_file; /* while it boots */
    aard__python_options options;
    const char *layout; /* the name of the one that it runs */
    aard__script *glue; /* where it is kept */
    aard__pages *pages; /* its memory at the checkpoint */
    uint32_t random_at; /* where its random numbers have their state then; 0 = nowhere */
    size_t signals_at;  /* in its memory: whether it looks for signals */
} aard__python_guest;

/* As the language's `capture`. */
aard_error *aard__python_capture(aard__guest *guest, aard__image **out);

static inline aard__python_guest *aard__python_of(const aard__guest *guest) { return guest->own; }

#endif
