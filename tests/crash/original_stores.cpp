// Stores to damage: see original_stores.h.
#include "original_stores.h"

#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "support/domain.h"
#include "support/temporary_directory.h"
#include "worker_runtime/fs_store/fs_store.h"

namespace worker_runtime::testing {
namespace {

/// Makes a store, with the same times whatever its runtime is called.
class Maker {
 public:
  explicit Maker(const std::string& id) {
    options_.root = directory_.path() / "store";
    options_.runtime_id = runtime_id(id);
    options_.create = true;
    options_.checkpoint_interval = std::chrono::hours(1);
  }

  void open(std::chrono::milliseconds extend_interval, std::uint64_t log_part_bytes) {
    runtime_.reset();
    options_.extend_interval = extend_interval;
    options_.log_part_bytes = log_part_bytes;
    RuntimeOptions runtime_options;
    runtime_options.clock = clock_.clock();
    auto opened = fs_store::open_runtime(options_, runtime_options);
    ASSERT_TRUE(is_ok(opened));
    runtime_.emplace(*std::move(opened));
  }
  void create_workers() {
    for (const char* const name : {"a", "b"})
      EXPECT_TRUE(is_ok(runtime_->create_worker(task("t", name))));
    ImportWorker imported{task("t", "c")};
    imported.request.origin = Origin{{*options_.runtime_id, worker_id("a")}, Sequence{2}};
    imported.entries.resize(2);
    imported.entries[0].content = "copied";
    imported.entries[1].role = Role::assistant;
    imported.entries[1].content = "and this";
    imported.entries[1].usage = {{"tokens", 3}};
    EXPECT_TRUE(is_ok(runtime_->import_worker(std::move(imported))));
  }
  void talk(const std::string& number) {
    for (const char* const name : {"a", "b"}) {
      const WorkerRef worker_ref{*options_.runtime_id, worker_id(name)};
      EXPECT_TRUE(is_ok(runtime_->send_input(input(worker_ref, "one", "k" + number))));
      clock_.advance(1000);
      EXPECT_TRUE(is_ok(runtime_->append_output(output(worker_ref, "\u00e9"))));
    }
  }
  void stop_one() {
    EXPECT_TRUE(is_ok(runtime_->stop_worker({{*options_.runtime_id, worker_id("c")}, "enough"})));
  }
  void redact(const char* name, std::uint64_t sequence) {
    EXPECT_TRUE(
        is_ok(runtime_->redact({{*options_.runtime_id, worker_id(name)}, Sequence{sequence}})));
  }
  /// Of a log that keeps what stands in the same part.
  void trim() {
    EXPECT_TRUE(is_ok(runtime_->trim_events({EventId{2}})));
    EXPECT_TRUE(
        is_ok(runtime_->trim_transcript({{*options_.runtime_id, worker_id("a")}, Sequence{2}})));
  }
  void checkpoint() { EXPECT_TRUE(is_ok(runtime_->checkpoint())); }
  void close() { EXPECT_TRUE(is_ok(runtime_->close())); }
  /// As a kill: nothing more is written.
  void drop() { runtime_.reset(); }
  void wait_for_logs() {
    const auto last = std::to_string(runtime_->summary().value().event_count);
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (image()["runtimes/main/events.jsonl"].find("\"id\":" + last + ",") ==
           std::string::npos) {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline);
      std::this_thread::yield();
    }
  }

  /// As if the runtime were called main, without the filler that segments are laid out with.
  [[nodiscard]] StoreImage image() const {
    constexpr std::size_t filler = 20;
    StoreImage named;
    const std::string own = "runtimes/" + options_.runtime_id->text() + "/";
    for (auto& [path, content] : image_of(options_.root)) {
      std::string bytes = content;
      const std::size_t end = bytes.find_last_not_of('\n');
      if (path.find("/journal/0") != std::string::npos && end != std::string::npos &&
          end + 2 + filler < bytes.size()) {
        bytes.resize(end + 2 + filler);
      }
      named["runtimes/main/" + path.substr(own.size())] = std::move(bytes);
    }
    return named;
  }

 private:
  const TemporaryDirectory directory_{TemporaryDirectory::quick_place()};
  ManualClock clock_;
  fs_store::StoreOptions options_;
  std::optional<Runtime> runtime_;
};

constexpr std::chrono::milliseconds at_once{1};
constexpr std::chrono::hours never{1};
constexpr std::uint64_t whole_logs = std::uint64_t{1} << 28U;

StoreImage closed_store(const std::string& id) {
  Maker maker(id);
  maker.open(never, 500);
  maker.create_workers();
  maker.talk("1");
  maker.redact("b", 1);
  maker.checkpoint();
  maker.talk("2");
  maker.stop_one();
  maker.trim();
  maker.close();
  return maker.image();
}

StoreImage store_with_lagging_logs(const std::string& id, StoreImage* at_checkpoint) {
  Maker maker(id);
  maker.open(never, whole_logs);
  maker.create_workers();
  maker.talk("1");
  maker.checkpoint();
  if (at_checkpoint != nullptr) *at_checkpoint = maker.image();
  maker.talk("2");
  maker.drop();
  maker.open(never, whole_logs);
  maker.talk("3");
  maker.redact("b", 3);
  maker.trim();
  maker.stop_one();
  StoreImage image = maker.image();
  maker.drop();
  return image;
}

StoreImage store_with_logs_ahead(const std::string& id, StoreImage* at_checkpoint) {
  Maker maker(id);
  maker.open(at_once, whole_logs);
  maker.create_workers();
  maker.talk("1");
  maker.checkpoint();
  if (at_checkpoint != nullptr) *at_checkpoint = maker.image();
  maker.talk("2");
  maker.redact("b", 3);
  maker.stop_one();
  maker.wait_for_logs();
  maker.drop();
  return maker.image();
}

/// Of a store that a kill left: the journal's records are all proven, of all other files what the
/// checkpoint had.
std::map<std::string, std::size_t> watermarks(const StoreImage& image,
                                              const StoreImage& at_checkpoint) {
  std::map<std::string, std::size_t> found;
  for (const auto& [path, content] : image) {
    if (path.find("/journal/0") != std::string::npos) {
      found[path] = content.find_last_not_of('\n') + 2;
    } else if (const auto before = at_checkpoint.find(path); before != at_checkpoint.end()) {
      found[path] = before->second.size();
    } else {
      found[path] = 0;
    }
  }
  return found;
}

}  // namespace

const std::vector<OriginalStore>& original_stores() {
  static const std::vector<OriginalStore> made = [] {
    std::vector<OriginalStore> all;
    StoreImage closed = closed_store("main");
    all.push_back({"closed", closed, {}, closed_store("twin")});
    for (const auto& [path, content] : closed) all[0].watermarks[path] = content.size();
    StoreImage at_checkpoint;
    StoreImage lagging = store_with_lagging_logs("main", &at_checkpoint);
    all.push_back({"logs lag", lagging, watermarks(lagging, at_checkpoint),
                   store_with_lagging_logs("twin", nullptr)});
    StoreImage ahead = store_with_logs_ahead("main", &at_checkpoint);
    all.push_back({"logs ahead", ahead, watermarks(ahead, at_checkpoint),
                   store_with_logs_ahead("twin", nullptr)});
    return all;
  }();
  return made;
}

}  // namespace worker_runtime::testing
