// The windows of idempotency keys.
#include "key_windows.h"

#include <gtest/gtest.h>

#include "core_fixture.h"
#include "faulty_store.h"

namespace worker_runtime {
namespace {

using testing::worker_id;

/// A store that has so many keyed entries of every Worker: keys "1", "2", ...
class KeyedStore final : public Store {
 public:
  [[nodiscard]] std::string_view backend() const override { return "keyed"; }
  [[nodiscard]] Durability durability() const override { return Durability::none; }
  Result<Restored> restore() override { return none(); }
  Result<void> append(const Commit&, std::span<const ExpandedEvent>, const Limits&) override {
    return none();
  }
  Result<void> sync(const RuntimeRecord&, std::span<const ChangedWorker>) override {
    return none();
  }
  std::optional<Error> check_worker(const WorkerId&) override { return std::nullopt; }
  Result<std::vector<Event>> read_events(const PageRange&) const override { return none(); }
  Result<std::vector<TranscriptEntry>> read_transcript(const WorkerId&,
                                                       const PageRange&) const override {
    return none();
  }
  Result<TranscriptEntry> read_entry(const WorkerId&, Sequence) const override { return none(); }
  Result<std::vector<KeyedEntry>> read_keyed_entries(const WorkerId&, Sequence first,
                                                     Sequence last) const override {
    ++reads;
    if (fails) return none();
    std::vector<KeyedEntry> entries;
    for (std::uint64_t number = first.value; number <= last.value; ++number)
      entries.push_back(entry(number));
    return entries;
  }
  Result<CreateRequest> read_create_request(const WorkerId&) const override { return none(); }
  Result<Lsn> checkpoint() override { return none(); }
  Result<void> close() override { return none(); }
  [[nodiscard]] std::optional<StoreHealth> health() const override { return std::nullopt; }

  static KeyedEntry entry(std::uint64_t number) {
    return {std::to_string(number), {number}, {number}, {}};
  }

  mutable int reads = 0;
  bool fails = false;

 private:
  static Error none() { return {ErrorCode::store_io, "not of this store"}; }
};

class KeyWindowsTest : public ::testing::Test {
 protected:
  const KeyedEntry* find(std::string_view worker, std::string_view key, std::uint64_t durable,
                         std::uint64_t last) {
    const WorkerRecord known = record(worker, durable);
    auto found = windows_.find(store_, record(worker, last), key, durable > 0 ? &known : nullptr);
    EXPECT_TRUE(found);
    return found ? *found : nullptr;
  }
  static WorkerRecord record(std::string_view worker, std::uint64_t last, std::uint64_t first = 1) {
    WorkerRecord record;
    record.worker_id = worker_id(worker);
    record.first_sequence = {first};
    record.last_sequence = {last};
    return record;
  }

  KeyedStore store_;
  KeyWindows windows_;
};

TEST_F(KeyWindowsTest, AWorkerIsLoadedWhenItIsAskedForAndOnce) {
  windows_.add(worker_id("a"), KeyedStore::entry(4));
  EXPECT_EQ(windows_.windows(), 0U);
  EXPECT_EQ(find("a", "2", 5, 5)->sequence.value, 2U);
  EXPECT_EQ(find("a", "x", 5, 5), nullptr);
  EXPECT_EQ(store_.reads, 1);
  EXPECT_EQ(find("b", "1", 0, 0), nullptr);
  EXPECT_EQ(store_.reads, 1);
  windows_.add(worker_id("b"), KeyedStore::entry(1));
  EXPECT_EQ(find("b", "1", 1, 1)->sequence.value, 1U);
}

TEST_F(KeyWindowsTest, KeysCoverTheNewestEntriesAlone) {
  EXPECT_EQ(find("a", "501", 1500, 1500)->sequence.value, 501U);
  EXPECT_EQ(find("a", "500", 1500, 1500), nullptr);
  EXPECT_EQ(find("a", "501", 1500, 1501), nullptr);
  EXPECT_EQ(windows_.entries(), keyed_entries_max);
}

TEST_F(KeyWindowsTest, KeysOfTrimmedEntriesCountNoMore) {
  const WorkerRecord known = record("a", 10, 4);
  EXPECT_EQ(*windows_.find(store_, known, "3", &known), nullptr);
  EXPECT_EQ((*windows_.find(store_, known, "4", &known))->sequence.value, 4U);
  EXPECT_EQ(windows_.entries(), 7U);  // what is trimmed is not read
  // A trim that is not durable yet.
  EXPECT_EQ(*windows_.find(store_, record("a", 10, 6), "5", &known), nullptr);
  const WorkerRecord none = record("b", 3, 4);
  EXPECT_EQ(*windows_.find(store_, none, "3", &none), nullptr);
}

TEST_F(KeyWindowsTest, AKeyThatIsUsedAgainLeadsToTheNewerEntry) {
  EXPECT_EQ(find("a", "1", 10, 10)->sequence.value, 1U);
  windows_.add(worker_id("a"), {"1", {1200}, {1200}, {}});
  EXPECT_EQ(find("a", "1", 1200, 1200)->sequence.value, 1200U);
  EXPECT_EQ(windows_.entries(), 10U);
}

TEST_F(KeyWindowsTest, MemoryIsBoundedHoweverManyEntriesAndWorkers) {
  find("a", "x", 0, 0);
  for (std::uint64_t number = 1; number <= 10'000; ++number)
    windows_.add(worker_id("a"), KeyedStore::entry(number));
  EXPECT_LT(windows_.entries(), 2 * keyed_entries_max);
  EXPECT_EQ(find("a", "9001", 10'000, 10'000)->sequence.value, 9001U);
  for (int worker = 0; worker < 1000; ++worker) find("w" + std::to_string(worker), "1", 1000, 1000);
  EXPECT_LE(windows_.entries(), key_window_entries_max + keyed_entries_max);
  for (int worker = 0; worker < 10'000; ++worker) find("v" + std::to_string(worker), "1", 0, 0);
  EXPECT_LE(windows_.windows(), key_windows_max);
}

TEST_F(KeyWindowsTest, TheLeastRecentlyUsedIsDropped) {
  find("a", "1", 0, 0);
  for (std::size_t worker = 0; worker < key_windows_max; ++worker) {
    find("w" + std::to_string(worker), "1", 0, 0);
    find("a", "1", 0, 0);
  }
  windows_.add(worker_id("a"), KeyedStore::entry(1));
  EXPECT_NE(find("a", "1", 0, 1), nullptr);
}

TEST_F(KeyWindowsTest, AFailedLoadLeavesNothingBehind) {
  store_.fails = true;
  const WorkerRecord known = record("a", 5);
  EXPECT_FALSE(windows_.find(store_, known, "1", &known));
  EXPECT_EQ(windows_.windows(), 0U);
  store_.fails = false;
  EXPECT_NE(find("a", "1", 5, 5), nullptr);
  windows_.forget(worker_id("a"));
  EXPECT_EQ(windows_.entries(), 0U);
}

}  // namespace
}  // namespace worker_runtime
