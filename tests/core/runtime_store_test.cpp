// How a Runtime opens a store, and what it makes of a store's refusals, failures and damage.
#include <gtest/gtest.h>

#include <future>
#include <thread>

#include "core_fixture.h"
#include "faulty_store.h"

namespace worker_runtime::testing {
namespace {

Result<Runtime> open(const std::shared_ptr<Faults>& faults, RuntimeOptions options = {}) {
  return Runtime::open(std::make_unique<FaultyStore>(runtime_id(), faults), std::move(options));
}

class RuntimeStoreTest : public ::testing::Test {
 protected:
  RuntimeStoreTest() { EXPECT_TRUE(runtime_.create_worker(create("w"))); }

  std::shared_ptr<Faults> faults_ = std::make_shared<Faults>();
  Runtime runtime_ = *open(faults_);
};

Error full() { return {ErrorCode::store_full, "the disk is full"}; }
Error failed() {
  return {ErrorCode::store_failed, "a sync failed: outcome unknown until reopened"};
}
Error corrupt() {
  FileFields fields;
  fields.path = "transcript.jsonl";
  fields.next_readable = 3;
  return {ErrorCode::store_corrupt, "line 2 does not check", fields};
}

// ---- opening

TEST(RuntimeOpenTest, AFreshStoreGetsItsFirstEventAndNoCheckpoint) {
  const auto faults = std::make_shared<Faults>();
  ASSERT_TRUE(open(faults));
  EXPECT_EQ(faults->syncs, 1U);
  EXPECT_TRUE(faults->records.empty());
  EXPECT_EQ(faults->checkpoints, 0U);
}

TEST(RuntimeOpenTest, OptionsThatDifferAreHandedOverAndStored) {
  const auto faults = std::make_shared<Faults>();
  RuntimeOptions options = with_limit("page_items", 7);
  options.display_name = "Shed";
  auto runtime = open(faults, options);
  ASSERT_TRUE(runtime);
  ASSERT_EQ(faults->records.size(), 1U);
  EXPECT_EQ(faults->records.front().limits.page_items, 7U);
  EXPECT_EQ(faults->records.front().display_name, "Shed");
  EXPECT_EQ(faults->checkpoints, 1U);
  EXPECT_EQ(runtime->summary()->limits.page_items, 7U);
  EXPECT_EQ(limit_of(runtime->read_events({{}, 8, {}})), "page_items");
}

TEST(RuntimeOpenTest, ARestoredRuntimeGetsNoEventAndKeepsItsStatus) {
  const auto faults = std::make_shared<Faults>();
  faults->stored = [](RuntimeRecord& record) {
    record.lsn = {5};
    record.last_event_id = {9};
    record.status = RuntimeStatus::stopped;
    record.limits.input_bytes = 3;
  };
  auto runtime = open(faults, with_limit("input_bytes", 3));
  ASSERT_TRUE(runtime);
  EXPECT_EQ(faults->syncs, 0U);
  EXPECT_EQ(runtime->summary()->event_count, 9U);
  EXPECT_EQ(runtime->summary()->status, RuntimeStatus::stopped);
  EXPECT_EQ(runtime->start_runtime()->event_id.value, 10U);
}

TEST(RuntimeOpenTest, OptionsOutOfRangeAreRefusedBeforeTheStoreIsTouched) {
  const auto faults = std::make_shared<Faults>();
  faults->stored = [](RuntimeRecord&) { FAIL() << "the store was restored"; };
  EXPECT_EQ(code_of(open(faults, with_limit("page_items", 0))), ErrorCode::invalid_request);
  EXPECT_EQ(code_of(open(faults, with_limit("pages", 1))), ErrorCode::invalid_request);
  EXPECT_EQ(code_of(Runtime::open(nullptr)), ErrorCode::invalid_request);
  faults->stored = {};
  RuntimeOptions options;
  options.display_name = " ";
  EXPECT_EQ(code_of(open(faults, options)), ErrorCode::invalid_request);
  options.display_name = std::string(1025, 'x');
  EXPECT_EQ(limit_of(open(faults, options)), "display_name_bytes");
  EXPECT_EQ(faults->syncs, 0U);
}

TEST(RuntimeOpenTest, AnEmptyClockIsThatOfTheSystem) {
  RuntimeOptions options;
  options.clock = nullptr;
  auto runtime = Runtime::in_memory(runtime_id(), options);
  ASSERT_TRUE(runtime);
  EXPECT_GT(runtime->read_events()->events.front().at.microseconds, 1'700'000'000'000'000);
}

// ---- refusals and failures

TEST_F(RuntimeStoreTest, AnAppendThatIsRefusedFailsThatOperationAlone) {
  faults_->set(&Faults::append_error, full());
  EXPECT_EQ(code_of(runtime_.send_input(keyed_input("w", "key"))), ErrorCode::store_full);
  EXPECT_EQ(code_of(runtime_.batch({create("x"), input("x")})), ErrorCode::store_full);
  faults_->set(&Faults::append_error, {});
  EXPECT_EQ(runtime_.send_input(keyed_input("w", "key"))->sequence.value, 1U);
  EXPECT_EQ(runtime_.summary()->event_count, 3U);
  EXPECT_EQ(runtime_.summary()->worker_count, 1U);
}

TEST_F(RuntimeStoreTest, AFullStoreAtTheSyncDropsTheGroupAndClears) {
  const auto before = *runtime_.summary();
  faults_->set(&Faults::sync_error, full());
  EXPECT_EQ(code_of(runtime_.create_worker(create("x"))), ErrorCode::store_full);
  EXPECT_EQ(code_of(runtime_.send_input(input("w", " "))), ErrorCode::invalid_request);
  EXPECT_EQ(*runtime_.summary(), before);
  faults_->set(&Faults::sync_error, {});
}

TEST_F(RuntimeStoreTest, AFailedSyncIsFinalForMutationsAndReadsGoOn) {
  faults_->set(&Faults::sync_error, failed());
  EXPECT_EQ(code_of(runtime_.send_input(input("w"))), ErrorCode::store_failed);
  faults_->set(&Faults::sync_error, {});
  EXPECT_EQ(code_of(runtime_.send_input(input("w"))), ErrorCode::store_failed);
  EXPECT_EQ(code_of(runtime_.stop_runtime()), ErrorCode::store_failed);
  const auto batch = runtime_.batch({input("w")});
  EXPECT_EQ(code_of(batch), ErrorCode::store_failed);
  EXPECT_EQ(batch.error().index(), std::nullopt);
  EXPECT_EQ(code_of(runtime_.send_input(input("w", ""))), ErrorCode::invalid_request);
  EXPECT_EQ(runtime_.read_transcript(ref("w"))->total, 0U);
  EXPECT_EQ(runtime_.read_events()->events.size(), 2U);
}

TEST_F(RuntimeStoreTest, NothingIsVisibleBeforeItIsDurable) {
  faults_->hold();
  auto sent = std::async(std::launch::async, [&] { return runtime_.send_input(input("w")); });
  faults_->wait_until_held();
  EXPECT_EQ(runtime_.summary()->event_count, 2U);
  EXPECT_EQ(runtime_.read_transcript(ref("w"))->total, 0U);
  EXPECT_EQ(code_of(runtime_.read_events({EventId{4}, {}, {}})), ErrorCode::cursor_ahead);
  faults_->release();
  ASSERT_TRUE(sent.get());
  EXPECT_EQ(runtime_.read_transcript(ref("w"))->total, 1U);
}

TEST_F(RuntimeStoreTest, CallersThatArriveDuringASyncShareTheNext) {
  faults_->hold();
  auto first = std::async(std::launch::async, [&] { return runtime_.send_input(input("w")); });
  faults_->wait_until_held();
  std::vector<std::future<Result<EntryAccepted>>> followers;
  for (int count = 0; count < 8; ++count) {
    followers.push_back(
        std::async(std::launch::async, [&] { return runtime_.send_input(input("w")); }));
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  const std::size_t before = faults_->syncs;
  faults_->release();
  ASSERT_TRUE(first.get());
  for (auto& follower : followers) ASSERT_TRUE(follower.get());
  EXPECT_EQ(faults_->syncs, before + 1);
  EXPECT_EQ(runtime_.read_transcript(ref("w"))->total, 9U);
}

TEST_F(RuntimeStoreTest, ARefusalThatRestsOnALostCommitIsNotTold) {
  faults_->hold();
  auto first = std::async(std::launch::async, [&] { return runtime_.create_worker(create("a")); });
  faults_->wait_until_held();
  std::vector<ErrorCode> codes;
  const auto note = [&](const Result<Answer>& answer) {
    codes.push_back(answer ? ErrorCode::closed : answer.error().code());
  };
  runtime_.submit(create("x"), note);
  runtime_.submit(create("x"), note);
  runtime_.submit(input("w", ""), note);
  std::promise<void> done;
  runtime_.submit(StopWorker{ref("w"), {}}, [&](const Result<Answer>& answer) {
    note(answer);
    done.set_value();
  });
  faults_->set(&Faults::sync_error, full());
  faults_->release();
  EXPECT_EQ(code_of(first.get()), ErrorCode::store_full);
  done.get_future().wait();
  EXPECT_EQ(codes, (std::vector{ErrorCode::store_full, ErrorCode::store_full,
                                ErrorCode::invalid_request, ErrorCode::store_full}));
}

// ---- damage

TEST_F(RuntimeStoreTest, ADamagedWorkerTakesNoEntriesAndEverythingElse) {
  ASSERT_TRUE(runtime_.create_worker(create("x")));
  faults_->set(&Faults::check_error, Error(ErrorCode::worker_damaged, "its directory is gone"));
  const auto refused = runtime_.send_input(input("w"));
  EXPECT_EQ(code_of(refused), ErrorCode::worker_damaged);
  EXPECT_NE(refused.error().message().find("its directory is gone"), std::string::npos);
  faults_->set(&Faults::check_error, {});
  EXPECT_EQ(code_of(runtime_.append_output(output("w"))), ErrorCode::worker_damaged);
  EXPECT_TRUE(runtime_.send_input(input("x")));
  EXPECT_EQ(runtime_.worker_detail(ref("w"))->summary.damaged, "its directory is gone");
  EXPECT_EQ(runtime_.summary()->damaged_worker_count, 1U);
  EXPECT_EQ(runtime_.list_workers({StatusFilter::damaged, {}, {}})->workers.size(), 1U);
  const auto diagnostics = runtime_.diagnostics(4)->diagnostics;
  ASSERT_EQ(diagnostics.size(), 1U);
  EXPECT_EQ(diagnostics.front().code, "worker.damaged");
  EXPECT_EQ(diagnostics.front().severity, Severity::error);
  EXPECT_EQ(diagnostics.front().worker_ref, ref("w"));
  EXPECT_TRUE(runtime_.stop_worker({ref("w"), {}}));
  EXPECT_EQ(code_of(runtime_.send_input(input("w"))), ErrorCode::worker_damaged);
  EXPECT_TRUE(runtime_.delete_worker({ref("w")}));
  EXPECT_EQ(runtime_.summary()->damaged_worker_count, 0U);
}

TEST_F(RuntimeStoreTest, FilesAreLookedAtOnlyForEntriesOfRunningWorkers) {
  ASSERT_TRUE(runtime_.stop_worker({ref("w"), {}}));
  EXPECT_EQ(code_of(runtime_.send_input(input("w"))), ErrorCode::worker_not_running);
  EXPECT_EQ(code_of(runtime_.send_input(input("x"))), ErrorCode::worker_not_found);
  EXPECT_EQ(faults_->checks, 0U);
}

TEST_F(RuntimeStoreTest, AnInputErrorIsNotDamage) {
  faults_->set(&Faults::check_error, Error(ErrorCode::store_io, "can't be read"));
  EXPECT_EQ(code_of(runtime_.send_input(input("w"))), ErrorCode::store_io);
  faults_->set(&Faults::check_error, {});
  EXPECT_TRUE(runtime_.send_input(input("w")));
}

TEST_F(RuntimeStoreTest, AForkThatATrimOvertakesIsNotOneWithoutItsHistory) {
  for (int count = 0; count < 5; ++count) ASSERT_TRUE(runtime_.send_input(input("w")));
  {
    const std::lock_guard lock(faults_->mutex);
    faults_->before_transcript = [this] {
      ASSERT_TRUE(runtime_.trim_transcript({ref("w"), Sequence{4}}));
    };
  }
  EXPECT_EQ(code_of(runtime_.fork_worker({ref("w"), Sequence{2}})), ErrorCode::cursor_expired);
  EXPECT_EQ(runtime_.summary()->worker_count, 1U);
}

TEST_F(RuntimeStoreTest, AReadThatMeetsDamageMarksTheWorkerAndNamesWhereToGoOn) {
  for (int count = 0; count < 5; ++count) ASSERT_TRUE(runtime_.send_input(input("w")));
  faults_->set(&Faults::transcript_error, corrupt());
  const auto page = runtime_.read_transcript(ref("w"), {1, {}, {}});
  ASSERT_EQ(code_of(page), ErrorCode::store_corrupt);
  EXPECT_EQ(page.error().get<FileFields>()->next_readable, 2U);  // sequence 3 as an index
  EXPECT_FALSE(runtime_.read_transcript(ref("w")));
  EXPECT_EQ(code_of(runtime_.send_input(input("w"))), ErrorCode::worker_damaged);
  EXPECT_EQ(runtime_.diagnostics(2)->diagnostics.size(), 1U);
}

TEST_F(RuntimeStoreTest, KeysThatCanNotBeReadRefuseTheEntry) {
  ASSERT_TRUE(runtime_.send_input(input("w")));
  faults_->set(&Faults::keyed_error, corrupt());
  EXPECT_EQ(code_of(runtime_.send_input(keyed_input("w", "key"))), ErrorCode::worker_damaged);
  EXPECT_EQ(runtime_.summary()->damaged_worker_count, 1U);
}

TEST_F(RuntimeStoreTest, ADamagedCreateRequestLeavesTheRestOfTheDetail) {
  faults_->set(&Faults::create_error, corrupt());
  const auto detail = runtime_.worker_detail(ref("w"));
  ASSERT_TRUE(detail);
  EXPECT_EQ(detail->request, std::nullopt);
  EXPECT_EQ(detail->summary.damaged, "line 2 does not check");
  faults_->set(&Faults::create_error, Error(ErrorCode::store_io, "can't be read"));
  EXPECT_EQ(code_of(runtime_.worker_detail(ref("w"))), ErrorCode::store_io);
}

// ---- the end

TEST_F(RuntimeStoreTest, CloseClosesTheStoreOnceAndEverythingAnswersClosed) {
  EXPECT_EQ(runtime_.checkpoint()->value, 7U);
  ASSERT_TRUE(runtime_.close());
  EXPECT_EQ(faults_->closes, 1U);
  EXPECT_EQ(code_of(runtime_.close()), ErrorCode::closed);
  EXPECT_EQ(code_of(runtime_.checkpoint()), ErrorCode::closed);
  EXPECT_EQ(code_of(runtime_.send_input(input("w"))), ErrorCode::closed);
  EXPECT_EQ(code_of(runtime_.batch({})), ErrorCode::closed);
  EXPECT_EQ(code_of(runtime_.summary()), ErrorCode::closed);
  EXPECT_EQ(code_of(runtime_.list_workers()), ErrorCode::closed);
  EXPECT_EQ(code_of(runtime_.read_events()), ErrorCode::closed);
  EXPECT_EQ(code_of(runtime_.read_transcript(ref("w"))), ErrorCode::closed);
  EXPECT_EQ(code_of(runtime_.worker_detail(ref("w"))), ErrorCode::closed);
  EXPECT_EQ(code_of(runtime_.diagnostics()), ErrorCode::closed);
  EXPECT_EQ(code_of(runtime_.wait_events({1}, std::chrono::milliseconds(0))), ErrorCode::closed);
  bool completed = false;
  runtime_.submit(input("w"), [&](const Result<Answer>& answer) {
    completed = code_of(answer) == ErrorCode::closed;
  });
  EXPECT_TRUE(completed);
}

TEST(RuntimeDestructorTest, WithoutCloseNothingMoreIsWritten) {
  const auto faults = std::make_shared<Faults>();
  { const auto runtime = open(faults); }
  EXPECT_EQ(faults->closes, 0U);
  EXPECT_EQ(faults->checkpoints, 0U);
}

}  // namespace
}  // namespace worker_runtime::testing
