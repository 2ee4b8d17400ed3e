// A Runtime that answers the request lines of `pipe` in this process, one after the other.
#pragma once

#include <string>
#include <string_view>

#include "worker_runtime/fs_store/json.h"
#include "worker_runtime/runtime.h"

namespace worker_runtime::testing {

class LineServer {
 public:
  LineServer(Runtime& runtime, RuntimeId runtime_id);

  /// The line that `pipe` answers, without its newline.
  std::string answer(std::string_view request);

 private:
  Runtime& runtime_;
  fs_store::RequestParser parser_;
};

}  // namespace worker_runtime::testing
