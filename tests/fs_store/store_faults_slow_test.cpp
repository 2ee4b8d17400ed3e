// Goal: no single failure of the file system, wherever it happens, loses what was acknowledged,
// leaves half of what was not, or brings the store into a state that it can't be opened from.
//
// Method: a fixed small scenario runs once to count its calls, and then once for each call, which
// fails with EIO or ENOSPC in turn, and with WORKER_RUNTIME_CRASH_ROUNDS with both; writes fail in
// their middle. Then the store is opened on the true file system and compared with what the
// scenario was told. The same with other errors, and with all calls from the nth on: of some calls,
// with WORKER_RUNTIME_CRASH_ROUNDS of each.
#include <gtest/gtest.h>

#include <cerrno>
#include <map>
#include <ostream>
#include <string>
#include <vector>

#include "store_fixture.h"
#include "support/random.h"

namespace worker_runtime::fs_store {
namespace {

using testing::input;
using testing::is_ok;
using testing::output;

/// What the caller of the scenario knows.
struct Known {
  std::map<std::uint64_t, EventKind> acknowledged;  // by event id
  std::map<std::string, std::vector<std::string>> contents;
  bool is_in_doubt = false;  // an operation answered store_failed
};

class EveryCall : public testing::StoreFixture {
 protected:
  template <typename T>
  bool take(const Result<T>& result, EventId id, EventKind kind, Known& known) {
    if (result) {
      known.acknowledged[id.value] = kind;
      return true;
    }
    if (result.error().code() == ErrorCode::store_failed) known.is_in_doubt = true;
    return false;
  }
  void create_noting(const std::string& id, Known& known) {
    const auto made = runtime().create_worker(testing::task("work", id));
    take(made, made ? made->summary.last_event_id : EventId{}, EventKind::worker_created, known);
  }
  void send_noting(const std::string& id, const std::string& content, Known& known) {
    const auto sent = runtime().send_input(input(ref(id), content));
    if (take(sent, sent ? sent->event_id : EventId{}, EventKind::worker_input_accepted, known))
      known.contents[id].push_back(content);
  }
  void append_noting(const std::string& id, const std::string& content, Known& known) {
    const auto appended = runtime().append_output(output(ref(id), content));
    if (take(appended, appended ? appended->event_id : EventId{}, EventKind::worker_output_appended,
             known))
      known.contents[id].push_back(content);
  }
  void end_noting(const std::string& id, Known& known) {
    const auto stopped = runtime().stop_worker({ref(id), std::nullopt});
    take(stopped, stopped ? stopped->event_id : EventId{}, EventKind::worker_stopped, known);
    const auto deleted = runtime().delete_worker({ref(id)});
    if (take(deleted, deleted ? deleted->event_id : EventId{}, EventKind::worker_deleted, known))
      known.contents.erase(id);
  }

  /// All of it runs, whatever fails.
  Known scenario() {
    Known known;
    auto opened = try_open_faulty();
    if (!opened) return known;
    runtime_.emplace(*std::move(opened));
    create_noting("a", known);
    create_noting("b", known);
    send_noting("a", "a 1", known);
    append_noting("a", "a 2", known);
    send_noting("b", "b 1", known);
    static_cast<void>(runtime().checkpoint().has_value());  // its failure changes nothing
    send_noting("a", "a 3", known);
    end_noting("b", known);
    static_cast<void>(runtime().checkpoint().has_value());
    append_noting("a", "a 4", known);
    create_noting("c", known);
    const bool has_failed = health().state == StoreHealth::Condition::failed;
    const auto closed = runtime().close();
    if (has_failed) {
      EXPECT_FALSE(closed) << "it told nobody that it has failed";
    }
    runtime_.reset();
    return known;
  }

  void check(const Known& known) {
    open();
    const auto events = all_events(runtime());
    std::map<std::string, std::uint64_t> lengths;
    for (std::size_t at = 0; at < events.size(); ++at) {
      const Event& event = events[at];
      ASSERT_EQ(event.id, EventId{at + 1});
      if (event.sequence) {
        ASSERT_EQ(event.sequence->value, ++lengths[event.worker_ref->worker_id.text()]);
      }
      if (event.kind == EventKind::worker_deleted)
        lengths.erase(event.worker_ref->worker_id.text());
    }
    for (const auto& [id, kind] : known.acknowledged) {
      ASSERT_LE(id, events.size()) << "an acknowledged event is lost";
      EXPECT_EQ(events[id - 1].kind, kind);
    }
    // runtime_started, what was acknowledged, and at most the one that is in doubt.
    const std::uint64_t least = 1 + known.acknowledged.size();
    EXPECT_GE(events.size(), least);
    EXPECT_LE(events.size(), least + (known.is_in_doubt ? 1 : 0)) << "a refused operation is there";
    const auto workers = runtime().list_workers();
    ASSERT_TRUE(is_ok(workers));
    for (const WorkerSummary& worker : workers->workers) {
      const std::string& id = worker.worker_ref.worker_id.text();
      EXPECT_FALSE(worker.damaged) << *worker.damaged;
      const auto entries = all_entries(runtime(), id);
      EXPECT_EQ(entries.size(), lengths[id]);
      EXPECT_EQ(worker.transcript_len, entries.size());
      const auto found = known.contents.find(id);
      if (found == known.contents.end()) continue;
      ASSERT_GE(entries.size(), found->second.size());
      for (std::size_t at = 0; at < found->second.size(); ++at)
        EXPECT_EQ(entries[at].content, found->second[at]);
    }
    for (const auto& [id, contents] : known.contents) {
      // Its deletion may be what was in doubt.
      if (known.is_in_doubt && events.back().kind == EventKind::worker_deleted &&
          events.back().worker_ref == ref(id))
        continue;
      EXPECT_TRUE(is_ok(runtime().worker_detail(ref(id))));
    }
    create("afterwards");
    close();
    expect_clean();
  }

  /// Fails the calls `first`, `first` + `step`, ... of the scenario, one a run, and with it
  /// `times` - 1 that follow.
  void run(int system_error, std::uint64_t times = 1, std::uint64_t first = 1,
           std::uint64_t step = 1) {
    const std::filesystem::path roots = directory_.path();
    // The runtime is made on the true file system, and opened once more for each run.
    std::uint64_t calls = 0;
    for (std::uint64_t nth = 0; nth <= calls; nth = nth == 0 ? first : nth + step) {
      options_.root = roots / ("run" + std::to_string(nth));
      faults_.clear_plan();
      faults_.reset_counts();
      Fault fault;
      fault.nth = nth;
      fault.times = times;
      fault.system_error = system_error;
      fault.bytes_written = 20;
      if (nth > 0) faults_.plan(fault);
      const Known known = scenario();
      const auto noted = faults_.calls();
      if (nth == 0) calls = noted.size();
      std::string failed = "none";
      for (const NotedCall& call : noted) {
        if (call.failed) failed = std::string(to_string(call.kind)) + " " + call.path;
      }
      SCOPED_TRACE("call " + std::to_string(nth) + " fails: " + failed);
      if (nth == 0) {
        EXPECT_EQ(known.acknowledged.size(), 10U);
      }
      faults_.clear_plan();
      check(known);
      runtime_.reset();
      std::filesystem::remove_all(options_.root);
      if (HasFatalFailure()) return;
    }
    EXPECT_GT(calls, 100U);
  }
};

// The two share the calls: the odd ones here, the even ones there.

TEST_F(EveryCall, FailsOnceWithAnErrorOfTheMedium) {
  run(EIO, 1, 1, testing::is_every_case_asked_for() ? 1 : 2);
}

TEST_F(EveryCall, FailsOnceForWantOfSpace) {
  const std::uint64_t step = testing::is_every_case_asked_for() ? 1 : 2;
  run(ENOSPC, 1, step, step);
}

struct OtherError {
  std::string name;
  int number = 0;
};
void PrintTo(const OtherError& error, std::ostream* out) { *out << error.name; }

class SomeCalls : public EveryCall, public ::testing::WithParamInterface<OtherError> {
 protected:
  void run_some(std::uint64_t times) {
    const bool all = testing::is_every_case_asked_for();
    // Every error meets other calls.
    const auto first = 1 + static_cast<std::uint64_t>(GetParam().number) % 41;
    run(GetParam().number, times, all ? 1 : first, all ? 1 : 83);
  }
};

TEST_P(SomeCalls, FailOnce) { run_some(1); }

TEST_P(SomeCalls, FailFromThereOnForEver) { run_some(Fault::for_ever); }

INSTANTIATE_TEST_SUITE_P(Errors, SomeCalls,
                         ::testing::Values(OtherError{"quota", EDQUOT},
                                           OtherError{"interrupted", EINTR},
                                           OtherError{"handles_of_the_process", EMFILE},
                                           OtherError{"handles_of_the_system", ENFILE},
                                           OtherError{"read_only", EROFS},
                                           OtherError{"access", EACCES}, OtherError{"medium", EIO}),
                         [](const auto& error) { return error.param.name; });

}  // namespace
}  // namespace worker_runtime::fs_store
