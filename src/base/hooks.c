/* The hooks of the process; what checks and sets them is in hooks_set.c, above the allocator. */
#include "base/hooks.h"

aard_hooks aard__hooks;
