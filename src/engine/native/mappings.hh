// How many memory mappings the process has: V8 aborts it where the kernel gives no more.
#ifndef AARD_ENGINE_NATIVE_MAPPINGS_HH
#define AARD_ENGINE_NATIVE_MAPPINGS_HH

#include "base/error.h"

namespace aard {

// Before an isolate is made.  Errors: engine (too few are left; vm.max_map_count is named).
aard_error *check_mappings();

// Before redirect_now: V8 is to read the list of all mappings only as long as that is of use.
void spare_mappings();

} // namespace aard

#endif
