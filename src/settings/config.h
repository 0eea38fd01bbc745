/* What a host sets: the configuration of an isolate and the particulars of one call. */
#ifndef AARD_SETTINGS_CONFIG_H
#define AARD_SETTINGS_CONFIG_H

#include <aardvark/isolate.h>
#include <aardvark/warm.h>

#include "base/user.h"
#include "net/net.h"
#include "policy/mount.h"
#include "settings/functions.h"
#include "settings/settings.h"

/* A stream callback with its user, shared between a configuration and the isolates made from it. */
typedef struct aard__listener {
    aard__user user;
    aard_stream_callback callback;
} aard__listener;

/* Where the answers of callbacks come from, if not from this process's threads. */
typedef struct aard__callback_source {
    /* Waits for at most `ns` nanoseconds until there are some, and hands them out.  False: it was interrupted, since the
     * call is being ended. */
    bool (*wait)(void *user, uint64_t ns);
    void *user;
} aard__callback_source;

/* What is the host's own and can't leave its process: it is shared between a configuration and the isolates made from it.  A guest
 * in another process has its functions and mounts served over frames, by their names. */
typedef struct aard__hooks {
    aard__functions functions;
    aard__callbacks callbacks;
    aard__mounts mounts;
    aard__listener *listener; /* one owner's share; may be NULL */
    aard__user *user;         /* the same */
    /* Where requests of calls are made, and who answers callbacks; NULL = this process does.  Outlive the configuration. */
    const aard__net_source *net;
    const aard__callback_source *answers;
} aard__hooks;

struct aard_isolate_config {
    aard__settings settings;
    aard__hooks hooks;
    aard_distribution *distribution; /* retained; may be NULL */
    aard_warm_state *warm;           /* retained; may be NULL */
    aard_catalog *catalog;           /* the same; NULL = the default one */
    const char *invalid;             /* what a setter was given that is none; NULL = nothing */
    bool no_memory;                  /* there was none for the listener */
};

#define AARD__TRACEPARENT 56 /* with its NUL */

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
    bool capture, rollback;
    char traceparent[AARD__TRACEPARENT]; /* "" = none */
};

/* A copy that owns everything it has, for another thread and a later time; NULL copies the defaults.  Errors: no_memory. */
aard_error *aard__call_copy(const aard_call *call, aard_call **out);

/* A copy that shares the listener and the distribution; NULL copies the defaults. */
aard_error *aard__config_copy(const aard_isolate_config *config, aard_isolate_config **out);

/* What setters could not say.  Errors: invalid_argument, no_memory. */
aard_error *aard__call_check(const aard_call *call);
aard_error *aard__config_check(const aard_isolate_config *config);

/* Whether the memory limits can be kept.  Errors: invalid_argument. */
aard_error *aard__config_check_limits(const aard_isolate_config *config);

/* What holds for a call, and for whatever else runs code of the guest (NULL); `bundle`, NULL where its limits don't
 * count. */
aard__limits aard__config_limits(const aard_isolate_config *config, const aard_call *call, const aard_bundle *bundle);
size_t aard__config_result_limit(const aard_isolate_config *config, const aard_call *call);

/* What guests may do with their files, and on the network, by what the host and the bundle (may be NULL) say, the tighter of
 * each.  The policy borrows from the configuration, and has the hosts of a bundle from `bundle_hosts`, which
 * aard__config_hosts_of fills.  Errors: no_memory. */
aard__file_rules aard__bundle_file_rules(const aard__file_rules *host, const aard_bundle *bundle);
aard_error *aard__config_hosts_of(const aard_bundle *bundle, aard__host_list *out);
void aard__config_network_policy(const aard_isolate_config *config, const aard_bundle *bundle,
                                 const aard__host_list *bundle_hosts, aard__network_policy *out);

/* Whether the capability `name` (lower case) is granted. */
bool aard__config_grants(const aard_isolate_config *config, const char *name);

#endif
