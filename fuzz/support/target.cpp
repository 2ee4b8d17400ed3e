// Targets and promises: see target.h.
#include "support/target.h"

#include <cstdlib>
#include <iostream>

namespace worker_runtime::fuzz {
namespace {

constinit const Target* first_target = nullptr;

}  // namespace

Target::Target(const char* name, Check check) noexcept
    : name_(name), check_(check), next_(first_target) {
  first_target = this;
}

const Target* Target::first() noexcept { return first_target; }

void require(bool holds, std::string_view promise, std::string_view detail) {
  if (holds) return;
  std::cerr << "broken promise: " << promise << '\n' << detail << std::endl;
  std::abort();
}

}  // namespace worker_runtime::fuzz
