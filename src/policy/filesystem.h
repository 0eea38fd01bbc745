/* What a guest may do to its files: the host's rules and those of the bundle's manifest, the tighter of each. */
#ifndef AARD_POLICY_FILESYSTEM_H
#define AARD_POLICY_FILESYSTEM_H

#include <aardvark/manifest.h>

#define AARD__FILES_BYTES (UINT64_C(64) << 20) /* where the host says nothing */
#define AARD__FILES_COUNT UINT64_C(10000)
#define AARD__FILES_HANDLES UINT64_C(1024)

/* For what the guest writes below /session and /tmp. */
typedef struct aard__file_rules {
    aard_filesystem_mode mode;
    uint64_t bytes;   /* of all files together */
    uint64_t files;   /* directories and links included */
    uint64_t handles; /* open at once, standard streams included */
} aard__file_rules;

/* A limit of 0 is the default. */
aard__file_rules aard__file_rules_of(aard_filesystem_mode mode, uint64_t bytes, uint64_t files, uint64_t handles);

/* `host`, tightened by what a bundle asks for; 0 bytes = all that the host gives. */
aard__file_rules aard__file_rules_tighten(const aard__file_rules *host, aard_filesystem_mode mode, uint64_t bytes);

#endif
