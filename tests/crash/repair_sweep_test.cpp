// Repair of everything that the damage sweep does to a store: afterwards it verifies clean, it
// opens, every line is the one that was there or one that says it is lost, and as many are lost as
// the repair said.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "damaged_store.h"
#include "support/domain.h"
#include "worker_runtime/fs_store/fs_store.h"
#include "worker_runtime/fs_store/repair.h"

namespace worker_runtime::testing {
namespace {

std::string text_of(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line;
  return text;
}

struct Content {
  std::vector<Event> events;
  std::vector<WorkerSummary> workers;
  std::vector<std::vector<TranscriptEntry>> transcripts;
};

class RepairSweep : public DamagedStoreTest {
 protected:
  RepairSweep() : original_(read(root())) {}

  /// Closes it again. What is read is small enough for one page.
  static Content read(const std::filesystem::path& root) {
    fs_store::StoreOptions options;
    options.root = root;
    Content content;
    auto runtime = fs_store::open_runtime(options);
    EXPECT_TRUE(is_ok(runtime));
    if (!runtime) return content;
    auto events = runtime->read_events();
    EXPECT_TRUE(is_ok(events));
    if (events) content.events = std::move(events->events);
    auto workers = runtime->list_workers();
    EXPECT_TRUE(is_ok(workers));
    if (workers) content.workers = std::move(workers->workers);
    for (const WorkerSummary& worker : content.workers) {
      auto page = runtime->read_transcript(worker.worker_ref);
      EXPECT_TRUE(is_ok(page));
      content.transcripts.push_back(page ? std::move(page->items) : std::vector<TranscriptEntry>());
    }
    EXPECT_TRUE(is_ok(runtime->close()));
    return content;
  }

  /// Repairs a copy, and looks at it.
  void repair_a_copy() {
    const std::filesystem::path copy = directory_.path() / "copy";
    std::filesystem::remove_all(copy);
    std::filesystem::copy(root(), copy, std::filesystem::copy_options::recursive);
    fs_store::RepairOptions options;
    options.root = copy;
    options.mode = fs_store::RepairMode::apply;
    const auto report = fs_store::repair(options);
    ASSERT_TRUE(is_ok(report));
    ++repairs_;
    const auto verified = fs_store::verify({copy});
    ASSERT_TRUE(is_ok(verified));
    for (const fs_store::Finding& finding : verified->findings) {
      EXPECT_EQ(finding.severity, Severity::info)
          << finding.path << ": " << finding.code << ": " << finding.message;
    }
    options.mode = fs_store::RepairMode::plan;
    const auto again = fs_store::repair(options);
    ASSERT_TRUE(is_ok(again));
    EXPECT_TRUE(again->items.empty()) << again->items.front().message;
    std::uint64_t lost = 0;
    for (const fs_store::RepairItem& item : report->items) lost += item.lost;
    expect_like_the_original(read(copy), lost);
  }

  void expect_like_the_original(const Content& mended, std::uint64_t lost_as_told) const {
    std::uint64_t lost = 0;
    ASSERT_EQ(mended.events.size(), original_.events.size());
    for (std::size_t at = 0; at < mended.events.size(); ++at) {
      if (mended.events[at].unknown_kind == "event_lost") {
        ++lost;
      } else {
        EXPECT_EQ(mended.events[at], original_.events[at]);
      }
    }
    ASSERT_EQ(mended.workers.size(), original_.workers.size());
    for (std::size_t at = 0; at < mended.workers.size(); ++at) {
      WorkerSummary worker = mended.workers[at];
      worker.usage.content_bytes = original_.workers[at].usage.content_bytes;
      EXPECT_EQ(worker, original_.workers[at]);
      ASSERT_EQ(mended.transcripts[at].size(), original_.transcripts[at].size());
      for (std::size_t line = 0; line < mended.transcripts[at].size(); ++line) {
        if (mended.transcripts[at][line].data == R"({"lost":true})") {
          ++lost;
        } else {
          EXPECT_EQ(mended.transcripts[at][line], original_.transcripts[at][line]);
        }
      }
    }
    EXPECT_EQ(lost, lost_as_told);
  }

  const Content original_;
  std::uint64_t repairs_ = 0;
};

TEST_F(RepairSweep, FilesThatAreGone) {
  for (const std::string& path : files()) {
    SCOPED_TRACE(path);
    const std::string whole = content(path);
    std::filesystem::remove(root() / path);
    repair_a_copy();
    set_content(path, whole);
  }
  EXPECT_GT(repairs_, 5U);
}

TEST_F(RepairSweep, FilesThatAreCut) {
  for (const std::string& path : files()) {
    const std::string whole = content(path);
    for (std::size_t length = 0; length < whole.size(); length += 1 + length / 3) {
      SCOPED_TRACE(path + " cut at " + std::to_string(length));
      set_content(path, std::string_view(whole).substr(0, length));
      repair_a_copy();
    }
    set_content(path, whole);
  }
}

TEST_F(RepairSweep, LinesThatAreLostDoubledExchangedOrFlipped) {
  for (const std::string& path : files()) {
    const std::string whole = content(path);
    const std::vector<std::string> all = lines(whole);
    for (std::size_t at = 0; at < all.size(); ++at) {
      SCOPED_TRACE(path + ", line " + std::to_string(at + 1));
      const auto place = static_cast<std::ptrdiff_t>(at);
      std::vector<std::string> changed = all;
      changed.insert(changed.begin() + place, all[at]);
      set_content(path, text_of(changed));
      repair_a_copy();
      changed = all;
      changed.erase(changed.begin() + place);
      set_content(path, text_of(changed));
      repair_a_copy();
      changed = all;
      std::swap(changed[at], changed[(at + 1) % all.size()]);
      set_content(path, text_of(changed));
      repair_a_copy();
      changed = all;
      changed[at][changed[at].size() / 2] ^= 0x04;
      set_content(path, text_of(changed));
      repair_a_copy();
    }
    set_content(path, whole);
  }
}

TEST_F(RepairSweep, FilesOfAnotherWorker) {
  for (const char* const name : {"transcript.jsonl", "worker.json"}) {
    const std::string path = std::string("runtimes/main/workers/a/") + name;
    const std::string whole = content(path);
    set_content(path, content(std::string("runtimes/main/workers/b/") + name));
    repair_a_copy();
    set_content(path, whole);
  }
}

}  // namespace
}  // namespace worker_runtime::testing
