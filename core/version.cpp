// The version of the library, as the build says.
#include "worker_runtime/runtime.h"

namespace worker_runtime {

std::string_view version() { return WORKER_RUNTIME_VERSION; }

}  // namespace worker_runtime
