// Small makers and checks that tests of the domain share.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>

#include "worker_runtime/runtime.h"

namespace worker_runtime::testing {

inline RuntimeId runtime_id(std::string_view text = "main") {
  return RuntimeId::parse(text).value();
}
inline WorkerId worker_id(std::string_view text) { return WorkerId::parse(text).value(); }

inline CreateRequest task(std::string objective, std::optional<std::string> id = std::nullopt) {
  CreateRequest request;
  request.intent = TaskIntent{std::move(objective)};
  if (id) request.worker_id = worker_id(*id);
  return request;
}

inline SendInput input(WorkerRef worker_ref, std::string content,
                       std::optional<std::string> key = std::nullopt) {
  return {std::move(worker_ref), InputRole::user, std::move(content), std::move(key)};
}

inline AppendOutput output(WorkerRef worker_ref, std::string content,
                           std::optional<std::string> key = std::nullopt) {
  AppendOutput request;
  request.worker_ref = std::move(worker_ref);
  request.content = std::move(content);
  request.idempotency_key = std::move(key);
  return request;
}

/// What an output says, as an entry of a Worker that is imported.
inline TranscriptEntry entry_of(AppendOutput said, Role role, Timestamp at) {
  TranscriptEntry entry;
  entry.at = at;
  entry.role = role;
  entry.content = std::move(said.content);
  entry.name = std::move(said.name);
  entry.data = std::move(said.data);
  entry.usage = std::move(said.usage);
  entry.idempotency_key = std::move(said.idempotency_key);
  return entry;
}

/// A clock that stands still until it is told otherwise. Copies share the time.
class ManualClock {
 public:
  static constexpr std::int64_t start = 1'795'514'400'000'000;  // 2026-11-24T10:00:00Z

  [[nodiscard]] Timestamp now() const { return Timestamp{*now_}; }
  void advance(std::int64_t microseconds) { *now_ += microseconds; }
  [[nodiscard]] Clock clock() const {
    return [now = now_] { return Timestamp{*now}; };
  }

 private:
  std::shared_ptr<std::int64_t> now_ = std::make_shared<std::int64_t>(start);
};

template <typename T>
::testing::AssertionResult is_ok(const Result<T>& result) {
  if (result) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << result.error().detail();
}

template <typename T>
::testing::AssertionResult fails_with(const Result<T>& result, ErrorCode code) {
  if (result) return ::testing::AssertionFailure() << "it succeeded";
  if (result.error().code() == code) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << result.error().detail();
}

template <typename T>
::testing::AssertionResult fails_with_limit(const Result<T>& result, std::string_view what,
                                            std::uint64_t requested, std::uint64_t max) {
  auto failed = fails_with(result, ErrorCode::limit_exceeded);
  if (!failed) return failed;
  const auto* const fields = result.error().template get<LimitFields>();
  if (fields == nullptr) return ::testing::AssertionFailure() << "it has no limit fields";
  if (*fields == LimitFields{std::string(what), requested, max})
    return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure()
         << fields->what << " " << fields->requested << " of " << fields->max;
}

}  // namespace worker_runtime::testing

namespace worker_runtime {

// How GoogleTest shows values of the domain.
template <typename Tag>
void PrintTo(const TextId<Tag>& id, std::ostream* out) {
  *out << '"' << id.text() << '"';
}
template <typename Tag>
void PrintTo(const Number<Tag>& number, std::ostream* out) {
  *out << number.value;
}
inline void PrintTo(const Timestamp& time, std::ostream* out) { *out << to_string(time); }
inline void PrintTo(const Event& event, std::ostream* out) {
  *out << "event " << event.id.value << " " << to_string(event.kind) << " at "
       << to_string(event.at) << " of "
       << (event.worker_ref ? event.worker_ref->worker_id.text() : "the runtime") << ": "
       << event.message;
}
inline void PrintTo(const TranscriptEntry& entry, std::ostream* out) {
  *out << "entry " << entry.sequence.value << " " << to_string(entry.role) << " event "
       << entry.event_id.value << ": " << entry.content.substr(0, 80);
}
inline void PrintTo(const Error& error, std::ostream* out) { *out << error.detail(); }
inline void PrintTo(const Diagnostic& diagnostic, std::ostream* out) {
  *out << "diagnostic " << diagnostic.id << " " << to_string(diagnostic.severity) << " "
       << diagnostic.code << ": " << diagnostic.message;
}

}  // namespace worker_runtime
