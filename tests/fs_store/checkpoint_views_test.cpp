// Views of many Workers: a checkpoint counts before all are renewed, and commits do not wait for
// them.
#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <string>
#include <vector>

#include "store_fixture.h"

namespace worker_runtime::fs_store {
namespace {

using testing::is_ok;
using testing::output;

constexpr std::size_t views_at_a_time = 256;
constexpr std::size_t workers = views_at_a_time + 100;

class CheckpointViews : public testing::StoreFixture {
 protected:
  /// So many Workers that their views are renewed in more than one piece, all in the catalog.
  void begin() {
    open_faulty();
    std::vector<Mutation> creates;
    for (std::size_t number = 0; number < workers; ++number)
      creates.emplace_back(testing::task("work", id(number)));
    ASSERT_TRUE(is_ok(runtime().batch(std::move(creates))));
    ASSERT_TRUE(is_ok(runtime().checkpoint()));
    faults_.reset_counts();
  }
  void change_all() {
    std::vector<Mutation> outputs;
    for (std::size_t number = 0; number < workers; ++number)
      outputs.emplace_back(output(ref(id(number)), "changed"));
    ASSERT_TRUE(is_ok(runtime().batch(std::move(outputs))));
  }
  static std::string id(std::size_t number) { return "w" + std::to_string(number); }
  [[nodiscard]] std::size_t changed_views() const {
    std::size_t found = 0;
    for (std::size_t number = 0; number < workers; ++number) {
      const std::string view = read("workers/" + id(number) + "/worker.json");
      if (view.find("\"transcript_len\":1") != std::string::npos) ++found;
    }
    return found;
  }
  /// Where the first call comes whose note has the text.
  [[nodiscard]] std::size_t first_with(std::string_view text) const {
    const std::vector<std::string> changes = faults_.changes();
    const auto found = std::find_if(changes.begin(), changes.end(), [&](const auto& change) {
      return change.find(text) != std::string::npos;
    });
    EXPECT_NE(found, changes.end()) << text;
    return static_cast<std::size_t>(found - changes.begin());
  }
  void run_by_size() {
    options_.extend_interval = std::chrono::milliseconds(0);
    options_.checkpoint_bytes = 250 * workers;
  }
};

TEST_F(CheckpointViews, AreAllRenewedByOneThatIsAskedFor) {
  begin();
  change_all();
  ASSERT_TRUE(is_ok(runtime().checkpoint()));
  EXPECT_EQ(changed_views(), workers);
  EXPECT_LT(first_with("runtime.json."), first_with("/worker.json."));
}

TEST_F(CheckpointViews, AreAllRenewedByClose) {
  begin();
  change_all();
  close();
  EXPECT_EQ(changed_views(), workers);
  expect_clean();
}

TEST_F(CheckpointViews, AreRenewedBehindOneThatIsDue) {
  run_by_size();
  begin();
  change_all();
  EXPECT_TRUE(eventually([&] { return changed_views() == workers; }));
  EXPECT_LT(first_with("runtime.json."), first_with("/worker.json."));
}

/// 80 MiB, while no more than 64 may wait for their logs.
TEST_F(CheckpointViews, HoldUpNoCommit) {
  constexpr int submitted = 80;
  constexpr int may_wait = 50;
  begin();
  change_all();
  std::atomic<int> answered = 0;
  std::size_t renewed = 0;
  bool went_on = false;
  faults_.set_hook([&](CallKind kind, const std::string& path) {
    if (kind != CallKind::rename || path.find("/worker.json.") == std::string::npos) return;
    ++renewed;
    if (renewed == 1) {
      const std::string content(std::size_t{1} << 20U, 'c');
      for (int number = 0; number < submitted; ++number) {
        runtime().submit(output(ref("w0"), content), [&](const Result<Answer>& answer) {
          EXPECT_TRUE(is_ok(answer));
          ++answered;
        });
      }
      EXPECT_TRUE(eventually([&] { return answered >= may_wait; }));
    }
    if (renewed == workers) went_on = eventually([&] { return answered == submitted; });
  });
  ASSERT_TRUE(is_ok(runtime().checkpoint()));
  EXPECT_EQ(renewed, workers);
  EXPECT_TRUE(went_on) << answered << " were answered";
  faults_.set_hook({});
  close();
  expect_clean();
}

TEST_F(CheckpointViews, ThatFindNoSpaceAreTriedAgain) {
  run_by_size();
  options_.checkpoint_interval = std::chrono::milliseconds(100);
  begin();
  faults_.plan({CallKind::write, views_at_a_time + 10, 1, ENOSPC, "/worker.json"});
  change_all();
  EXPECT_TRUE(eventually([&] { return changed_views() == workers; }));
  EXPECT_EQ(faults_.failures(), 1U);
  EXPECT_TRUE(eventually([&] { return health().state == StoreHealth::Condition::ok; }));
  EXPECT_TRUE(diagnostics_of("store.checkpoint_failed").empty());
}

TEST_F(CheckpointViews, ThatAKilledWriterLeftBehindAreRenewedWithoutAWarning) {
  run_by_size();
  begin();
  faults_.plan({CallKind::write, views_at_a_time + 10, Fault::for_ever, ENOSPC, "/worker.json"});
  change_all();
  ASSERT_TRUE(eventually([&] { return health().state == StoreHealth::Condition::full; }));
  drop();
  EXPECT_LT(changed_views(), workers);
  expect_clean();
  open();
  EXPECT_TRUE(eventually([&] { return changed_views() == workers; }));
  EXPECT_TRUE(diagnostics_of("worker.view_renewed").empty());
  close();
  expect_clean();
}

TEST_F(CheckpointViews, OfADeletedWorkerDoNotComeBack) {
  run_by_size();
  begin();
  std::atomic<bool> is_deleted = false;
  faults_.set_hook([&](CallKind kind, const std::string& path) {
    if (kind != CallKind::rename || path.find("/worker.json.") == std::string::npos) return;
    if (is_deleted.exchange(true)) return;
    for (std::size_t number = 0; number < workers; ++number) {
      std::vector<Mutation> end{StopWorker{ref(id(number)), {}}, DeleteWorker{ref(id(number))}};
      runtime().submit_batch(std::move(end),
                             [](const auto& answer) { EXPECT_TRUE(is_ok(answer)); });
    }
  });
  change_all();
  EXPECT_TRUE(eventually([&] { return names("workers").empty(); }));
  faults_.set_hook({});
  close();
  EXPECT_TRUE(names("workers").empty());
  expect_clean();
}

}  // namespace
}  // namespace worker_runtime::fs_store
