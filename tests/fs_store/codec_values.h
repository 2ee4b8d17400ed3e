// Values for the tests of the codec, with every member set, and ways to change their lines.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "checked_line.h"
#include "codec.h"
#include "support/fs_store/log_lines.h"
#include "worker_runtime/fs_store/fs_store.h"

namespace worker_runtime::fs_store {

// ---- values

inline RuntimeId runtime(std::string_view text = "main") { return *RuntimeId::parse(text); }
inline WorkerId worker(std::string_view text = "w-1") { return *WorkerId::parse(text); }
inline WorkerRef ref() { return {runtime(), worker()}; }
inline Timestamp at(std::string_view text = "2026-11-24T10:00:00.000001Z") {
  return *parse_timestamp(text);
}

inline Event input_event() {
  Event event;
  event.id = EventId{17};
  event.at = at();
  event.worker_ref = ref();
  event.kind = EventKind::worker_input_accepted;
  event.message = "input accepted";
  event.sequence = Sequence{3};
  return event;
}

inline Event runtime_event() {
  Event event;
  event.id = EventId{1};
  event.at = at();
  event.kind = EventKind::runtime_started;
  event.message = "runtime started";
  return event;
}

inline TranscriptEntry full_entry() {
  TranscriptEntry entry;
  entry.sequence = Sequence{3};
  entry.at = at();
  entry.worker_ref = ref();
  entry.role = Role::tool;
  entry.content = "line\n\"quoted\" \\ \t \x01 \xC3\xA9 \xF0\x9F\x98\x80";
  entry.content += '\0';
  entry.event_id = EventId{17};
  entry.name = "grep";
  entry.data = R"({"a":[1,2,{"b":null}],"c":"\ud83d\ude00","n":1e400})";
  entry.idempotency_key = "key-1";
  entry.usage = {{"input tokens", 12}, {"output \"tokens\"", counter_max}};
  return entry;
}

inline CreateRequest full_request() {
  CreateRequest request;
  request.intent = RoleIntent{"reviewer", "find bugs"};
  request.profile = {ProfileKind::named, "strict"};
  request.config_bundle = "bundle-7";
  request.requested_capabilities = {{"shell", "to build"}, {"net", std::nullopt}};
  request.workspace_refs = {{"main", "git:main"}};
  request.mount_refs = {{"data", "/srv/data"}, {"tmp", "tmpfs"}};
  request.worker_id = worker();
  request.display_name = "Reviewer \xE2\x9C\x93";
  request.idempotency_key = "create-1";
  return request;
}

inline CatalogRecord full_record() {
  CatalogRecord content;
  content.record.worker_id = worker();
  content.record.display_name = "Reviewer";
  content.record.status = WorkerStatus::cancelled;
  content.record.created_at = at();
  content.record.updated_at = at("2026-11-24T11:00:00.000000Z");
  content.record.last_sequence = Sequence{42};
  content.record.last_event_id = EventId{99};
  content.record.usage = {20, 22, 12345, {{"tokens", 7}}};
  content.record.lsn = Lsn{77};
  content.record.create_key = "create-1";
  content.create_digest = BodyDigest{{0x0123456789abcdefU, 0xfedcba9876543210U}};
  content.transcript = {10, 2048, 42};
  encode(content.create, full_request());
  return content;
}

inline RuntimeSnapshot full_snapshot() {
  RuntimeSnapshot snapshot;
  RuntimeRecord& record = snapshot.record;
  record.runtime_id = runtime();
  record.display_name = "Night shift";
  record.status = RuntimeStatus::stopped;
  record.limits.page_items = 10;
  record.limits.input_bytes = std::uint64_t{1} << 60U;
  record.lsn = Lsn{18446744073709551615U};
  record.last_at = at();
  record.last_event_id = EventId{99};
  record.next_worker = 5;
  record.running_workers = 1;
  record.stopped_workers = 2;
  record.cancelled_workers = 3;
  record.transcript_entries = 500;
  record.usage = {1, 2, 3, {{"a", 1}, {"b", 2}}};
  snapshot.epoch = Epoch{6};
  snapshot.created_at = at();
  snapshot.catalog = {Lsn{70}, 4096, 12, 0xdeadbeefU};
  snapshot.events = {1, 5000, 99};
  snapshot.diagnostics = {
      {3, at(), Severity::warning, "clock.behind", "the clock is behind", std::nullopt},
      {4, at(), Severity::error, "worker.damaged", "line 3", ref()}};
  snapshot.diagnostics_total = 9;
  return snapshot;
}

inline Commit full_commit() {
  Commit commit;
  commit.lsn = Lsn{8};
  Change create;
  create.event = input_event();
  create.event.kind = EventKind::worker_created;
  create.event.sequence.reset();
  create.create = full_request();
  Change input;
  input.event = input_event();
  input.entry = full_entry();
  Change stop;
  stop.event = runtime_event();
  stop.event.kind = EventKind::runtime_stopped;
  stop.stopped_workers = 12;
  commit.changes = {create, input, stop};
  return commit;
}

inline std::string record_of(const Commit& commit) {
  std::string changes;
  testing::encode_changes(changes, commit, runtime());
  std::string out;
  encode(out, RecordHead{commit.lsn, Epoch{2}, Lsn{7}, 0x0000abcdU}, changes);
  return out;
}

template <typename... Values>
inline std::string encoded(const Values&... values) {
  std::string out;
  encode(out, values...);
  return out;
}

inline std::string checked(std::string_view object) {
  std::string line;
  append_checked_line(line, object);
  line.pop_back();
  return line;
}

// The object with `,"name":value` put in before its last bracket.
inline std::string with_member(std::string object, std::string_view member) {
  object.insert(object.size() - 1, "," + std::string(member));
  return object;
}

inline std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const auto place = text.find(from);
  EXPECT_NE(place, std::string::npos) << from << " in " << text;
  return place == std::string::npos ? text : text.replace(place, from.size(), to);
}

template <typename T>
::testing::AssertionResult is_corrupt(const Result<T>& result) {
  if (result) return ::testing::AssertionFailure() << "was read";
  if (result.error().code() != ErrorCode::store_corrupt) {
    return ::testing::AssertionFailure() << to_string(result.error().code());
  }
  return ::testing::AssertionSuccess() << result.error().message();
}

template <typename T>
::testing::AssertionResult is_newer(const Result<T>& result) {
  if (result) return ::testing::AssertionFailure() << "was read";
  const auto* fields = result.error().template get<VersionFields>();
  if (result.error().code() != ErrorCode::store_version || fields == nullptr) {
    return ::testing::AssertionFailure() << result.error().message();
  }
  if (fields->found <= schema_version || fields->supported != schema_version) {
    return ::testing::AssertionFailure() << fields->found << " and " << fields->supported;
  }
  return ::testing::AssertionSuccess();
}

}  // namespace worker_runtime::fs_store
