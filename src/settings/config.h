/* What a host sets: the configuration of an isolate and the particulars of one call. */
#ifndef AARD_SETTINGS_CONFIG_H
#define AARD_SETTINGS_CONFIG_H

#include <aardvark/isolate.h>

#include "budget/budget.h"
#include "policy/filesystem.h"
#include "policy/mount.h"
#include "policy/network.h"
#include "settings/functions.h"
#include "settings/user.h"

/* A stream callback with its user, shared between a configuration and the isolates made from it. */
typedef struct aard__listener {
    aard__user user;
    aard_stream_callback callback;
} aard__listener;

/* What the host says about the network; settings/network.c. */
typedef struct aard__config_network {
    aard__host_list hosts;
    bool closed, says_https_only, https_only, private_addresses;
    char *ca_file;
    aard__network_limits limits;
} aard__config_network;

void aard__config_network_free(aard__config_network *network);
/* `*out` must hold nothing to be freed; untouched on an error. */
aard_error *aard__config_network_copy(const aard__config_network *network, aard__config_network *out);

/* Texts that the configuration or a call owns. */
typedef struct aard__texts {
    char **items;
    size_t count;
} aard__texts;

void aard__texts_free(aard__texts *texts);
/* Adds a copy; `*texts` is as before on an error. */
aard_error *aard__texts_add(aard__texts *texts, const char *text);
/* `out` is empty before, and has to be freed on an error, too. */
aard_error *aard__texts_copy(const aard__texts *texts, aard__texts *out);
/* A JSON array of them. */
void aard__texts_json(const aard__texts *texts, aard__buf *out);

struct aard_isolate_config {
    aard_language language;
    aard_isolation isolation;
    aard_cleanup cleanup;
    bool resets_expected;
    aard_distribution *distribution; /* retained; may be NULL */
    aard_warm_state *warm;           /* retained; may be NULL */
    aard__limits limits;             /* of each call */
    uint64_t startup_limit_ms;
    size_t output_limit, result_limit, result_depth_limit; /* the latter two: 0 = none */
    size_t heap_limit, engine_heap_limit, buffer_limit;    /* 0 = the default */
    aard__file_rules file_rules;
    char **capabilities; /* lower case */
    size_t capability_count;
    aard__texts packages;    /* their keys */
    aard__texts environment; /* "NAME=value" */
    aard__functions functions;
    aard__mounts mounts;
    aard__config_network network;
    aard__listener *listener; /* one owner's share; may be NULL */
    aard__user *user;         /* the same */
    const char *invalid;      /* what a setter was given that is none; NULL = nothing */
    bool no_memory;           /* there was none for the listener */
};

struct aard_call {
    aard_source_kind kind; /* of inline code */
    aard__texts arguments;
    const char *stdin_data;
    size_t stdin_len;
    const char *input;
    size_t input_len;
    aard_finalizer input_finalizer; /* of the input, with: */
    void *input_user;
    aard__limits limits;        /* 0 = no change */
    size_t result_limit;        /* 0 = no change */
    aard_cancel_handle *cancel; /* retained; may be NULL */
    void *user;                 /* the host's own */
    bool capture;
};

/* A copy that shares the listener and the distribution; NULL copies the defaults. */
aard_error *aard__config_copy(const aard_isolate_config *config, aard_isolate_config **out);

/* What setters could not say.  Errors: invalid_argument, no_memory. */
aard_error *aard__config_check(const aard_isolate_config *config);

/* Whether the memory limits can be kept.  Errors: invalid_argument. */
aard_error *aard__config_check_limits(const aard_isolate_config *config);

/* What holds for a call, and for whatever else runs code of the guest (NULL).  `manifest_cpu_ms`: 0 where there is none. */
aard__limits aard__config_limits(const aard_isolate_config *config, const aard_call *call, uint64_t manifest_cpu_ms);
size_t aard__config_result_limit(const aard_isolate_config *config, const aard_call *call);

/* Whether the capability `name` (lower case) is granted. */
bool aard__config_grants(const aard_isolate_config *config, const char *name);

#endif
