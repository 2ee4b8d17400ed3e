// Lines of a journal made by hand: what a writer would have written, and what it never would.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "checked_line.h"
#include "codec.h"
#include "file_system.h"
#include "journal_reader.h"
#include "layout.h"
#include "snapshot.h"
#include "support/domain.h"
#include "support/fs_store/log_lines.h"
#include "support/temporary_directory.h"
#include "worker_runtime/commit.h"

namespace worker_runtime::testing {

/// A commit of one event that needs no Worker; its event id is its LSN.
inline Commit small_commit(std::uint64_t lsn, std::string message = "event") {
  Commit commit;
  commit.lsn = Lsn{lsn};
  Change change;
  change.event.id = EventId{lsn};
  change.event.kind = EventKind::runtime_started;
  change.event.message = std::move(message);
  commit.changes.push_back(std::move(change));
  return commit;
}

/// Makes lines that each continue the one before: copy it to let a journal go two ways.
class JournalLines {
 public:
  explicit JournalLines(RuntimeId runtime_id, std::uint64_t epoch = 1)
      : runtime_id_(std::move(runtime_id)), epoch_(epoch) {}

  void set_epoch(std::uint64_t epoch) { epoch_ = epoch; }
  [[nodiscard]] std::uint64_t next_lsn() const { return last_lsn_ + 1; }
  [[nodiscard]] std::uint32_t checksum() const { return checksum_; }

  /// The header of a segment that the next record begins.
  [[nodiscard]] std::string header(Durability durability = Durability::sync) const {
    return line({Lsn{next_lsn()}, runtime_id_, Epoch{epoch_}, durability, checksum_});
  }
  static std::string line(const fs_store::SegmentHeader& header) {
    std::string object;
    fs_store::encode(object, header);
    std::string line;
    fs_store::append_checked_line(line, object);
    return line;
  }

  /// The next record. It carries the proof that `durable` and all before it are durable.
  std::string record(std::uint64_t durable, std::string message = "event") {
    std::string changes;
    testing::encode_changes(changes, small_commit(next_lsn(), std::move(message)), runtime_id_);
    return record_of(durable, changes);
  }
  /// As a writer does that syncs each record: the one before it is durable.
  std::string record() { return record(last_lsn_); }
  std::string record_of(std::uint64_t durable, std::string_view changes) {
    std::string object;
    fs_store::encode(object,
                     fs_store::RecordHead{Lsn{next_lsn()}, Epoch{epoch_}, Lsn{durable}, checksum_},
                     changes);
    return record_object(object);
  }
  std::string record_object(std::string_view object) {
    std::string line;
    checksum_ = fs_store::append_checked_line(line, object);
    ++last_lsn_;
    return line;
  }

 private:
  RuntimeId runtime_id_;
  std::uint64_t epoch_;
  std::uint64_t last_lsn_ = 0;
  std::uint32_t checksum_ = 0;
};

/// The line with one bit of its last member flipped: it has its newline still.
inline std::string damaged(std::string line) {
  line.at(line.size() - 3) ^= 0x01;
  return line;
}
/// What a torn write leaves of a line: its first half.
inline std::string torn(const std::string& line) { return line.substr(0, line.size() / 2); }
/// What a segment laid out ahead has behind its records.
inline std::string filler() { return std::string(200, '\n'); }

inline JournalLines lines() { return JournalLines(runtime_id("main")); }

/// Header and `count` records, each synced before the next.
inline std::string records(JournalLines& journal, std::uint64_t count) {
  std::string text;
  for (std::uint64_t record = 0; record < count; ++record) text += journal.record();
  return text;
}

inline std::string segment(JournalLines& journal, std::uint64_t count) {
  std::string text = journal.header();
  return text += records(journal, count);
}

inline std::string with_member(std::string object, std::string_view member) {
  object.insert(object.size() - 1, member);
  return object;
}

inline constexpr std::string_view plain_changes =
    R"([{"event":{"id":3,"at":"2026-11-24T10:00:00.000000Z","runtime_id":"main",)"
    R"("kind":"runtime_started","message":"event"}}])";

inline std::string record_object(const JournalLines& journal, std::uint64_t durable,
                                 std::string_view changes = plain_changes) {
  std::string object;
  fs_store::encode(
      object,
      fs_store::RecordHead{Lsn{journal.next_lsn()}, Epoch{1}, Lsn{durable}, journal.checksum()},
      changes);
  return object;
}

/// The segments of a journal, by their first LSN.
using Segments = std::map<std::uint64_t, std::string>;

/// A directory with a journal, and what a scan of it visits.
class JournalFixture : public ::testing::Test {
 protected:
  JournalFixture() {
    auto opened = fs_store::open_posix_file_system(directory_.path() / "root", true,
                                                   fs_store::Permissions::owner_only);
    EXPECT_TRUE(is_ok(opened));
    file_system_ = std::move(*opened);
    EXPECT_TRUE(is_ok(file_system_->make_directory(std::string(fs_store::layout::journal))));
  }

  void put(const Segments& segments) {
    for (const auto& [first, text] : segments)
      put_file(fs_store::layout::segment(Lsn{first}), text);
  }
  void put_file(const std::string& path, std::string_view text) {
    ASSERT_TRUE(is_ok(replace_file(*file_system_, path, text, fs_store::Durable::no)));
  }

  Result<fs_store::JournalScan> scan(fs_store::ScanLimits limits = {}) {
    limits.runtime_id = runtime_id("main");
    visited_.clear();
    fs_store::Decoder decoder;
    return scan_journal(*file_system_, decoder, limits, [&](const fs_store::DecodedRecord& record) {
      visited_.push_back(record.head.lsn.value);
      return visitor_error_ ? Result<void>(*visitor_error_) : Result<void>();
    });
  }

  TemporaryDirectory directory_;
  std::unique_ptr<fs_store::FileSystem> file_system_;
  std::vector<std::uint64_t> visited_;
  std::optional<Error> visitor_error_;
};

}  // namespace worker_runtime::testing
