// Requests, a clock that the test sets, and a memory Runtime of one Worker: what the tests of the
// core share.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "support/domain.h"
#include "worker_runtime/runtime.h"

namespace worker_runtime::testing {

inline WorkerRef ref(std::string_view worker, std::string_view runtime = "main") {
  return {runtime_id(runtime), worker_id(worker)};
}

inline CreateRequest create(std::string_view id = {}) {
  CreateRequest request;
  request.intent = TaskIntent{"count the sheep"};
  if (!id.empty()) request.worker_id = worker_id(id);
  return request;
}

inline SendInput input(std::string_view worker, std::string content = "hello") {
  SendInput request;
  request.worker_ref = ref(worker);
  request.content = std::move(content);
  return request;
}

inline SendInput keyed_input(std::string_view worker, std::string key,
                             std::string content = "hello") {
  SendInput request = input(worker, std::move(content));
  request.idempotency_key = std::move(key);
  return request;
}

inline AppendOutput output(std::string_view worker, std::string content = "baa") {
  AppendOutput request;
  request.worker_ref = ref(worker);
  request.content = std::move(content);
  return request;
}

/// A clock that stands still until it is set.
class SetClock {
 public:
  [[nodiscard]] Clock clock() const {
    return [time = time_] { return Timestamp{*time}; };
  }
  void set(std::int64_t microseconds) { *time_ = microseconds; }
  void advance(std::int64_t microseconds) { *time_ += microseconds; }

 private:
  std::shared_ptr<std::atomic<std::int64_t>> time_ =
      std::make_shared<std::atomic<std::int64_t>>(1'795'514'400'000'000);
};

/// The code of a failure; a test fails where there is none.
template <typename T>
ErrorCode code_of(const Result<T>& result) {
  EXPECT_FALSE(result.has_value());
  return result ? ErrorCode::closed : result.error().code();
}

/// The name of the limit that was exceeded; empty if the failure is another.
template <typename T>
std::string limit_of(const Result<T>& result) {
  if (result || result.error().template get<LimitFields>() == nullptr) return {};
  return result.error().template get<LimitFields>()->what;
}

inline RuntimeOptions with_limit(std::string name, std::uint64_t value) {
  RuntimeOptions options;
  options.limits.push_back({std::move(name), value});
  return options;
}

/// A memory Runtime with the running Worker "w".
class RuntimeTest : public ::testing::Test {
 protected:
  explicit RuntimeTest(RuntimeOptions options = {})
      : runtime_(*Runtime::in_memory(runtime_id(), std::move(options))) {
    EXPECT_TRUE(runtime_.create_worker(create("w")));
  }

  [[nodiscard]] std::uint64_t events() const { return runtime_.summary()->event_count; }

  Runtime runtime_;
};

}  // namespace worker_runtime::testing
