/* What a host sets about a guest and can be sent to another process: plain data, without a pointer to anything of the host's.
 * What can't be sent is in aard__hooks (settings/config.h). */
#ifndef AARD_SETTINGS_SETTINGS_H
#define AARD_SETTINGS_SETTINGS_H

#include <aardvark/isolate.h>

#include "budget/budget.h"
#include "callbacks/callbacks.h"
#include "policy/filesystem.h"
#include "policy/network.h"
#include "settings/texts.h"

/* What the host says about the network; settings/network.c. */
typedef struct aard__config_network {
    aard__host_list hosts;
    bool closed, says_https_only, https_only, private_addresses;
    char *ca_file; /* NULL = the system's */
    aard__network_limits limits;
} aard__config_network;

void aard__config_network_free(aard__config_network *network);
/* `*out` must hold nothing to be freed; untouched on an error. */
aard_error *aard__config_network_copy(const aard__config_network *network, aard__config_network *out);

#define AARD__OUTPUT_LIMIT_DEFAULT ((size_t)1 << 20)
#define AARD__RESULT_LIMIT_DEFAULT ((size_t)256 << 20)

/* X(kind, member): struct, binary form (settings/pack.c) and tests are made from this. */
#define AARD__SETTINGS_MAP(X)                                                                                          \
    X(language, language)                                                                                              \
    X(isolation, isolation)                                                                                            \
    X(measures, required_hardening)                                                                                    \
    X(cleanup, cleanup)                                                                                                \
    X(flag, resets_expected)                                                                                           \
    X(limits, limits) /* of each call */                                                                               \
    X(number, startup_limit_ms)                                                                                        \
    X(size, output_limit)                                                                                              \
    X(size, result_limit)                                                                                              \
    X(size, result_depth_limit) /* 0 = none */                                                                         \
    X(size, heap_limit)         /* 0 = the default, as of the next two */                                              \
    X(size, engine_heap_limit)                                                                                         \
    X(size, buffer_limit)                                                                                              \
    X(files, file_rules)                                                                                               \
    X(texts, capabilities) /* lower case */                                                                            \
    X(texts, packages)     /* their keys */                                                                            \
    X(texts, environment)  /* "NAME=value" */                                                                          \
    X(network, network)                                                                                                \
    X(callbacks, callback_limits)

/* The types of the kinds. */
typedef aard_language aard__setting_language;
typedef aard_isolation aard__setting_isolation;
typedef aard_cleanup aard__setting_cleanup;
typedef uint32_t aard__setting_measures;
typedef bool aard__setting_flag;
typedef aard__limits aard__setting_limits;
typedef uint64_t aard__setting_number;
typedef size_t aard__setting_size;
typedef aard__file_rules aard__setting_files;
typedef aard__texts aard__setting_texts;
typedef aard__config_network aard__setting_network;
typedef aard__callback_limits aard__setting_callbacks;

typedef struct aard__settings {
#define AARD__SETTING(kind, member) aard__setting_##kind member;
    AARD__SETTINGS_MAP(AARD__SETTING)
#undef AARD__SETTING
} aard__settings;

void aard__settings_init(aard__settings *settings); /* the defaults */
void aard__settings_free(aard__settings *settings);
/* `*out` must hold nothing to be freed; untouched on an error. */
aard_error *aard__settings_copy(const aard__settings *settings, aard__settings *out);

#endif
