// A store of a test's own under a Runtime, ways to crash it, and to look into and harm its files.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "fs_store.h"
#include "layout.h"
#include "open.h"
#include "store_lock.h"
#include "support/domain.h"
#include "support/fs_store/faulty_file_system.h"
#include "support/temporary_directory.h"
#include "worker_runtime/fs_store/fs_store.h"
#include "worker_runtime/fs_store/verify.h"
#include "worker_runtime/runtime.h"

namespace worker_runtime::testing {

class StoreFixture : public ::testing::Test {
 protected:
  /// Nothing happens by itself: logs follow, and checkpoints run, only when a test asks for one.
  StoreFixture() {
    options_.root = directory_.path() / "root";
    options_.runtime_id = runtime_id("main");
    options_.create = true;
    options_.extend_interval = std::chrono::hours(1);
    options_.checkpoint_interval = std::chrono::hours(1);
  }

  // ---- Runtimes

  [[nodiscard]] Result<Runtime> try_open(RuntimeOptions runtime_options = {}) const {
    return fs_store::open_runtime(options_, std::move(runtime_options));
  }
  void open(RuntimeOptions runtime_options = {}) {
    runtime_.reset();
    auto opened = try_open(std::move(runtime_options));
    ASSERT_TRUE(is_ok(opened));
    runtime_.emplace(*std::move(opened));
  }
  /// Opens over a file system that `faults_` governs.
  Result<Runtime> try_open_faulty() {
    RuntimeId found;
    auto directory = fs_store::open_runtime_directory(options_, found);
    if (!directory) return std::move(directory).error();
    auto lock = fs_store::take_store_lock(**directory, found, std::chrono::milliseconds(0));
    if (!lock) return std::move(lock).error();
    return Runtime::open(std::make_unique<fs_store::FsStore>(
        options_, found, fs_store::make_faulty_file_system(std::move(*directory), faults_),
        std::move(*lock), std::nullopt));
  }
  void open_faulty() {
    runtime_.reset();
    auto opened = try_open_faulty();
    ASSERT_TRUE(is_ok(opened));
    runtime_.emplace(*std::move(opened));
  }
  /// As a crash of the process: nothing more is written.
  void drop() { runtime_.reset(); }
  void close() {
    EXPECT_TRUE(is_ok(runtime_->close()));
    runtime_.reset();
  }
  [[nodiscard]] Runtime& runtime() { return *runtime_; }

  [[nodiscard]] static WorkerRef ref(std::string_view id) {
    return {runtime_id("main"), worker_id(id)};
  }
  void create(std::string_view id) {
    ASSERT_TRUE(is_ok(runtime().create_worker(task("work", std::string(id)))));
  }
  /// Sends `count` inputs with the contents "<id> 1", "<id> 2", ...
  void send(std::string_view id, std::uint64_t count, std::uint64_t first = 1) {
    for (std::uint64_t number = first; number < first + count; ++number) {
      ASSERT_TRUE(is_ok(
          runtime().send_input(input(ref(id), std::string(id) + " " + std::to_string(number)))));
    }
  }

  // ---- what it tells

  template <typename Source>
  static std::vector<Event> all_events(const Source& source) {
    std::vector<Event> events;
    EventQuery query;
    for (;;) {
      auto page = source.read_events(query);
      EXPECT_TRUE(is_ok(page));
      if (!page) return events;
      events.insert(events.end(), page->events.begin(), page->events.end());
      if (!page->has_more) return events;
      query.from = page->next;
    }
  }
  template <typename Source>
  static std::vector<TranscriptEntry> all_entries(const Source& source, std::string_view id) {
    std::vector<TranscriptEntry> entries;
    TranscriptQuery query;
    for (;;) {
      auto page = source.read_transcript(ref(id), query);
      EXPECT_TRUE(is_ok(page));
      if (!page) return entries;
      entries.insert(entries.end(), page->items.begin(), page->items.end());
      if (!page->next) return entries;
      query.start = page->next;
    }
  }
  [[nodiscard]] std::vector<Diagnostic> diagnostics_of(std::string_view code) {
    std::vector<Diagnostic> found;
    auto page = runtime().diagnostics();
    EXPECT_TRUE(is_ok(page));
    if (!page) return found;
    std::copy_if(page->diagnostics.begin(), page->diagnostics.end(), std::back_inserter(found),
                 [code](const Diagnostic& diagnostic) { return diagnostic.code == code; });
    return found;
  }
  StoreHealth health() {
    auto summary = runtime().summary();
    EXPECT_TRUE(is_ok(summary));
    return summary ? summary->store.value_or(StoreHealth{}) : StoreHealth{};
  }

  // ---- its files; paths are relative to the runtime's directory

  [[nodiscard]] std::filesystem::path path(std::string_view relative) const {
    return options_.root / "runtimes/main" / relative;
  }
  [[nodiscard]] bool exists(std::string_view relative) const {
    return std::filesystem::exists(path(relative));
  }
  [[nodiscard]] std::string read(std::string_view relative) const {
    std::ifstream file(path(relative), std::ios::binary);
    EXPECT_TRUE(file) << relative;
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void write(std::string_view relative, std::string_view bytes) const {
    std::ofstream file(path(relative), std::ios::binary | std::ios::trunc);
    file << bytes;
    EXPECT_TRUE(file.flush()) << relative;
  }
  void flip(std::string_view relative, std::size_t offset) const {
    std::string bytes = read(relative);
    bytes.at(offset) ^= 0x01;
    write(relative, bytes);
  }
  [[nodiscard]] std::vector<std::string> names(std::string_view relative) const {
    std::vector<std::string> found;
    for (const auto& entry : std::filesystem::directory_iterator(path(relative)))
      found.push_back(entry.path().filename().string());
    std::sort(found.begin(), found.end());
    return found;
  }
  /// "journal/<first lsn>.jsonl" of the youngest segment.
  [[nodiscard]] std::string last_segment() const {
    std::string last;
    for (const std::string& name : names("journal")) {
      if (fs_store::layout::parse_segment(name)) last = "journal/" + name;
    }
    return last;
  }
  [[nodiscard]] std::vector<std::string> quarantined() const {
    return exists("quarantine") ? names("quarantine") : std::vector<std::string>();
  }

  // ---- verify

  [[nodiscard]] std::vector<fs_store::Finding> findings() const {
    auto report = fs_store::verify({options_.root, options_.runtime_id});
    EXPECT_TRUE(is_ok(report));
    return report ? report->findings : std::vector<fs_store::Finding>();
  }
  /// Nothing is wrong; notes do not count.
  void expect_clean() const {
    for (const fs_store::Finding& finding : findings()) {
      if (finding.severity == Severity::info) continue;
      ADD_FAILURE() << finding.path << ": " << finding.code << ": " << finding.message;
    }
  }

  /// Waits for what the background thread does; false if it has not after a long time.
  static bool eventually(const std::function<bool()>& condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!condition()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      std::this_thread::yield();
    }
    return true;
  }

  TemporaryDirectory directory_;
  fs_store::StoreOptions options_;
  fs_store::FileFaults faults_;
  std::optional<Runtime> runtime_;
};

}  // namespace worker_runtime::testing
