// A page of a real store whose event log has passed a gigabyte: what it reads from files.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "support/domain.h"
#include "support/temporary_directory.h"
#include "worker_runtime/fs_store/fs_store.h"
#include "worker_runtime/fs_store/reader.h"

namespace worker_runtime::testing {
namespace {

constexpr std::uint64_t wanted_bytes = std::uint64_t{1} << 30U;
constexpr std::uint64_t read_bytes_max = std::uint64_t{1} << 20U;
constexpr std::size_t reason_bytes = std::size_t{8} << 10U;
constexpr std::size_t workers_a_batch = 300;

/// Bytes that this process has read from files.
std::uint64_t bytes_read() {
  std::ifstream counters("/proc/self/io");
  std::string name;
  std::uint64_t value = 0;
  while (counters >> name >> value) {
    if (name == "rchar:") return value;
  }
  ADD_FAILURE() << "/proc/self/io does not tell what was read";
  return 0;
}

std::uint64_t event_log_bytes(const std::filesystem::path& root) {
  std::uint64_t sum = 0;
  for (const auto& entry : std::filesystem::directory_iterator(root / "runtimes/main")) {
    if (entry.path().filename().string().starts_with("events.")) sum += entry.file_size();
  }
  return sum;
}

/// Workers come, give a long reason for their end, and go: their events stay. At the end an input
/// after the other.
void grow(const std::filesystem::path& root) {
  fs_store::StoreOptions options;
  options.root = root;
  options.create = true;
  options.durability = Durability::none;
  RuntimeOptions limits;
  limits.limits = {{"reason_bytes", reason_bytes}};
  auto runtime = fs_store::open_runtime(options, limits);
  ASSERT_TRUE(is_ok(runtime));
  const std::string reason(reason_bytes, 'r');
  std::uint64_t made = 0;
  for (std::uint64_t bytes = 0; bytes < wanted_bytes; bytes += workers_a_batch * reason_bytes) {
    std::vector<Mutation> batch;
    for (std::size_t at = 0; at < workers_a_batch; ++at) {
      // Generated ids: those of a caller would each leave a tombstone.
      std::string name(8, '0');
      for (std::uint64_t rest = ++made, digit = 8; rest > 0; rest /= 16)
        name[--digit] = "0123456789abcdef"[rest % 16];
      const WorkerRef worker_ref{runtime_id("main"), worker_id("worker-" + name)};
      batch.emplace_back(task("come and go"));
      batch.emplace_back(StopWorker{worker_ref, reason});
      batch.emplace_back(DeleteWorker{worker_ref});
    }
    ASSERT_TRUE(is_ok(runtime->batch(std::move(batch))));
  }
  ASSERT_TRUE(is_ok(runtime->create_worker(task("stay", "a"))));
  std::vector<Mutation> inputs;
  for (int at = 0; at < 600; ++at)
    inputs.emplace_back(input({runtime_id("main"), worker_id("a")}, "a line of input"));
  ASSERT_TRUE(is_ok(runtime->batch(std::move(inputs))));
  ASSERT_TRUE(is_ok(runtime->close()));
}

TEST(PageTest, AtTheEndOfAGigabyteOfEventsReadsLessThanAMebibyte) {
  const TemporaryDirectory directory;
  ASSERT_NO_FATAL_FAILURE(grow(directory.path()));
  ASSERT_GT(event_log_bytes(directory.path()), wanted_bytes);

  const std::uint64_t before_open = bytes_read();
  auto reader = fs_store::Reader::open(directory.path());
  ASSERT_TRUE(is_ok(reader));
  const std::uint64_t last = reader->summary().value().event_count;
  EXPECT_LT(bytes_read() - before_open, read_bytes_max) << "an opening reads no history";

  for (const Direction direction : {Direction::oldest_first, Direction::newest_first}) {
    const bool up = direction == Direction::oldest_first;
    const std::uint64_t before = bytes_read();
    const auto page = reader->read_events({EventId{up ? last - 300 : last - 10}, 256, direction});
    const std::uint64_t read = bytes_read() - before;
    ASSERT_TRUE(is_ok(page));
    EXPECT_EQ(page->events.size(), 256U);
    EXPECT_EQ(page->events.front().id.value, up ? last - 300 : last - 10);
    EXPECT_LT(read, read_bytes_max);
    std::cout << read << " bytes read for a page of " << page->events.size() << " events\n";
  }
  // In the midst of it, the page is as long as its own events.
  const std::uint64_t before = bytes_read();
  const auto middle = reader->read_events({EventId{last / 2}, 3, Direction::oldest_first});
  ASSERT_TRUE(is_ok(middle));
  EXPECT_EQ(middle->events.front().id.value, last / 2);
  EXPECT_LT(bytes_read() - before, read_bytes_max);
}

}  // namespace
}  // namespace worker_runtime::testing
