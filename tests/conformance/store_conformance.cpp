// The fixture of the conformance suite: see store_conformance.h.
#include "store_conformance.h"

#include <map>
#include <utility>

namespace worker_runtime::testing {
namespace {

std::vector<ConformanceCase>& registered_cases() {
  static std::vector<ConformanceCase> cases;
  return cases;
}

std::string name_of(const ConformanceCase& conformance_case) {
  switch (conformance_case.reopening) {
    case Reopening::after_close:
      return conformance_case.factory.name + "_closed_and_reopened";
    case Reopening::after_drop:
      return conformance_case.factory.name + "_dropped_and_reopened";
    default:
      return conformance_case.factory.name;
  }
}

class MemoryPlace final : public StorePlace {
 public:
  Result<std::unique_ptr<Store>> open() override {
    return make_memory_store(runtime_id("conformance"));
  }
};

const bool memory_registered =
    register_store({"memory", Restores::no, [] { return std::make_unique<MemoryPlace>(); }});

}  // namespace

bool register_store(StoreFactory factory) {
  if (factory.restores == Restores::yes) {
    registered_cases().push_back({factory, Reopening::after_close});
    registered_cases().push_back({factory, Reopening::after_drop});
  }
  registered_cases().push_back({std::move(factory), Reopening::none});
  return true;
}

void PrintTo(const ConformanceCase& conformance_case, std::ostream* out) {
  *out << name_of(conformance_case);
}

// The slow tests of this directory are a program of their own, without tests of the suite.
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(StoreConformance);
INSTANTIATE_TEST_SUITE_P(Stores, StoreConformance, ::testing::ValuesIn(registered_cases()),
                         [](const auto& one) { return name_of(one.param); });

void StoreConformance::SetUp() { open_with({}); }

void StoreConformance::TearDown() {
  if (!runtime_) return;
  if (!runtime_->summary()) return;  // the test closed it
  check_invariants();
  EXPECT_TRUE(is_ok(runtime_->close()));
  EXPECT_EQ(place_->faults(), "");
}

void StoreConformance::open_with(RuntimeOptions options) {
  runtime_.reset();
  place_ = GetParam().factory.make();
  auto store = place_->open();
  ASSERT_TRUE(is_ok(store));
  options.clock = clock_.clock();
  auto opened = Runtime::open(*std::move(store), std::move(options));
  ASSERT_TRUE(is_ok(opened));
  runtime_ = *std::move(opened);
}

RuntimeOptions StoreConformance::with_limit(std::string name, std::uint64_t value) const {
  RuntimeOptions options;
  options.limits.push_back({std::move(name), value});
  return options;
}

void StoreConformance::reopen() {
  if (!reopens()) return;
  if (GetParam().reopening == Reopening::after_close) {
    ASSERT_TRUE(is_ok(runtime_->close()));
    EXPECT_EQ(place_->faults(), "");
  }
  runtime_.reset();
  auto store = place_->open();
  ASSERT_TRUE(is_ok(store));
  RuntimeOptions options;
  options.clock = clock_.clock();
  auto opened = Runtime::open(*std::move(store), std::move(options));
  ASSERT_TRUE(is_ok(opened));
  runtime_ = *std::move(opened);
}

WorkerRef StoreConformance::ref(std::string_view id) const {
  return {runtime_id("conformance"), worker_id(id)};
}

WorkerRef StoreConformance::create(std::string_view id) {
  EXPECT_TRUE(is_ok(runtime().create_worker(task("do what is asked", std::string(id)))));
  return ref(id);
}

std::vector<Event> StoreConformance::all_events() {
  std::vector<Event> events;
  EventQuery query;
  for (;;) {
    auto page = runtime().read_events(query);
    EXPECT_TRUE(is_ok(page));
    if (!page) return events;
    events.insert(events.end(), page->events.begin(), page->events.end());
    if (!page->has_more) return events;
    query.from = page->next;
  }
}

std::vector<TranscriptEntry> StoreConformance::all_entries(const WorkerRef& worker_ref) {
  std::vector<TranscriptEntry> entries;
  TranscriptQuery query;
  for (;;) {
    auto page = runtime().read_transcript(worker_ref, query);
    EXPECT_TRUE(is_ok(page));
    if (!page) return entries;
    entries.insert(entries.end(), page->items.begin(), page->items.end());
    if (!page->next) return entries;
    query.start = page->next;
  }
}

std::vector<WorkerSummary> StoreConformance::all_workers() {
  std::vector<WorkerSummary> workers;
  ListQuery query;
  for (;;) {
    auto page = runtime().list_workers(query);
    EXPECT_TRUE(is_ok(page));
    if (!page) return workers;
    workers.insert(workers.end(), page->workers.begin(), page->workers.end());
    if (!page->next_after) return workers;
    query.after = page->next_after;
  }
}

Event StoreConformance::last_event() {
  auto page = runtime().read_events({std::nullopt, 1, Direction::newest_first});
  EXPECT_TRUE(is_ok(page));
  if (!page || page->events.empty()) return {};
  return page->events.front();
}

/// Whatever a test did: ids dense, times in order, and each entry and its event name each other.
void StoreConformance::check_invariants() {
  const std::vector<Event> events = all_events();
  const auto summary = runtime().summary();
  ASSERT_TRUE(is_ok(summary));
  std::uint64_t id = summary->first_event_id.value - 1;
  EXPECT_EQ(summary->event_count, id + events.size());
  Timestamp at;
  std::map<std::uint64_t, const Event*> by_id;
  for (const Event& event : events) {
    EXPECT_EQ(event.id.value, ++id);
    EXPECT_GE(event.at, at);
    at = event.at;
    by_id[event.id.value] = &event;
  }
  const auto workers = all_workers();
  EXPECT_EQ(summary->worker_count, workers.size());
  EXPECT_EQ(summary->worker_count, summary->active_worker_count + summary->stopped_worker_count +
                                       summary->cancelled_worker_count);
  for (const WorkerSummary& worker : workers) {
    const auto entries = all_entries(worker.worker_ref);
    std::uint64_t sequence = worker.first_sequence.value - 1;
    EXPECT_EQ(worker.transcript_len, sequence + entries.size());
    for (const TranscriptEntry& entry : entries) {
      EXPECT_EQ(entry.sequence.value, ++sequence);
      EXPECT_EQ(entry.worker_ref, worker.worker_ref);
      if (entry.event_id < summary->first_event_id) continue;
      ASSERT_TRUE(by_id.contains(entry.event_id.value));
      const Event& event = *by_id.at(entry.event_id.value);
      EXPECT_EQ(event.sequence, entry.copied ? std::nullopt : std::optional(entry.sequence));
      EXPECT_EQ(event.worker_ref, worker.worker_ref);
      if (entry.copied) {
        EXPECT_EQ(event.kind, EventKind::worker_created);
      } else {
        EXPECT_EQ(event.at, entry.at);
      }
    }
  }
}

}  // namespace worker_runtime::testing
