/* The hooks of the process; what checks and sets them is in hooks_set.c, above the allocator. */
#include "base/hooks.h"

#include "base/process.h"

aard_hooks aard__hooks;

AARD__PROCESS_KEEPS(hooks, "what the host does for the library", "aard__hooks");
