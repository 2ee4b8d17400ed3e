// libFuzzer's entry: each fuzzer is linked with one target.
#include "support/target.h"

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer looks for this name.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  worker_runtime::fuzz::Target::first()->run(
      std::string_view(reinterpret_cast<const char*>(data), size));
  return 0;
}
