/* What a bundle may hold unless its host says otherwise. */
#ifndef AARD_BUNDLE_LIMITS_H
#define AARD_BUNDLE_LIMITS_H

#include <stdint.h>

#define AARD__BUNDLE_MAX_ENTRIES 10000
#define AARD__BUNDLE_MAX_UNPACKED (UINT64_C(512) << 20)

#endif
