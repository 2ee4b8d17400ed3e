// The writing end of the journal: what it puts into files, and what it refuses.
#include "journal.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <future>
#include <string>
#include <utility>
#include <vector>

#include "journal_fixture.h"
#include "support/fs_store/faulty_file_system.h"

namespace worker_runtime::fs_store {
namespace {

using testing::fails_with;
using testing::is_ok;
using testing::small_commit;

constexpr std::uint64_t commit_bytes_max = std::uint64_t{64} << 20U;

class JournalTest : public testing::JournalFixture {
 protected:
  JournalTest() {
    faulty_ = make_faulty_file_system(
        *open_posix_file_system(directory_.path() / "root", false, Permissions::owner_only),
        faults_);
  }

  Result<void> try_start(Journal::Start start) {
    start.runtime_id = testing::runtime_id("main");
    if (start.epoch.value == 0) start.epoch = Epoch{1};
    auto started = Journal::start(*faulty_, std::move(start));
    if (!started) return std::move(started).error();
    journal_ = std::move(*started);
    return {};
  }
  void start(Durability durability = Durability::sync) {
    Journal::Start start;
    start.durability = durability;
    ASSERT_TRUE(is_ok(try_start(std::move(start))));
    faults_.reset_counts();
  }
  [[nodiscard]] Journal& journal() { return *journal_; }

  Result<void> stage(std::string message = "event", Growth growth = Growth::grows) {
    const Commit commit = small_commit(next_, std::move(message));
    const auto lines = testing::log_lines_of(commit, testing::runtime_id());
    auto staged = journal().stage(commit, lines, commit_bytes_max, growth);
    if (staged) ++next_;
    return staged;
  }
  /// One group of `count` commits.
  void commit(std::uint64_t count = 1) {
    for (std::uint64_t record = 0; record < count; ++record) ASSERT_TRUE(is_ok(stage()));
    ASSERT_TRUE(is_ok(journal().write_group()));
  }
  /// No file can be made any more; what was laid out before can still be written.
  void fill_disk() {
    Fault fault;
    fault.kind = CallKind::open;
    fault.times = Fault::for_ever;
    fault.system_error = ENOSPC;
    faults_.plan(fault);
  }
  /// The changes, each with its file's name cut to the stem: a segment is made as journal/next.*.
  [[nodiscard]] std::vector<std::string> changes() const {
    auto changes = faults_.changes();
    for (std::string& change : changes) change = change.substr(0, change.find('.'));
    return changes;
  }

  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> names;
    const auto entries = file_system_->list(std::string(layout::journal));
    for (const DirectoryEntry& entry : *entries) names.push_back(entry.name);
    return names;
  }
  [[nodiscard]] std::string segment(std::uint64_t first) const {
    return *read_small_file(*file_system_, layout::segment(Lsn{first}), UINT64_MAX >> 1U);
  }
  /// What a recovery would find: LSNs 1 to `last`, and nothing torn.
  void expect_records(std::uint64_t last) {
    const auto scanned = scan();
    ASSERT_TRUE(is_ok(scanned));
    EXPECT_EQ(scanned->end.last_lsn, Lsn{last});
    EXPECT_FALSE(scanned->torn);
    EXPECT_EQ(visited_.size(), last);
  }

  FileFaults faults_;
  std::unique_ptr<FileSystem> faulty_;
  std::unique_ptr<Journal> journal_;
  std::uint64_t next_ = 1;
};

// ---- groups

TEST_F(JournalTest, AGroupIsOneWriteAndOneSync) {
  start();
  commit(10);
  EXPECT_EQ(changes(), (std::vector<std::string>{"write journal/next", "sync journal/next"}));
  EXPECT_EQ(journal().last_lsn(), Lsn{10});
  expect_records(10);
}

TEST_F(JournalTest, AnEmptyGroupWritesNothing) {
  start();
  EXPECT_TRUE(journal().group_is_empty());
  ASSERT_TRUE(is_ok(journal().write_group()));
  EXPECT_TRUE(faults_.changes().empty());
}

TEST_F(JournalTest, StagingChangesNoFile) {
  start();
  ASSERT_TRUE(is_ok(stage()));
  EXPECT_FALSE(journal().group_is_empty());
  EXPECT_TRUE(faults_.changes().empty());
  EXPECT_EQ(journal().last_lsn(), Lsn{0});
  expect_records(0);
}

TEST_F(JournalTest, RecordsCarryTheLsnThatWasDurableBeforeTheirGroup) {
  start();
  commit(2);
  commit(2);
  Decoder decoder;
  ScanLimits limits;
  limits.runtime_id = testing::runtime_id("main");
  std::vector<std::uint64_t> durable;
  ASSERT_TRUE(is_ok(scan_journal(*file_system_, decoder, limits,
                                 [&](const DecodedRecord& record) -> Result<void> {
                                   durable.push_back(record.head.durable.value);
                                   return {};
                                 })));
  EXPECT_EQ(durable, (std::vector<std::uint64_t>{0, 0, 2, 2}));
}

TEST_F(JournalTest, WithoutSyncsAGroupIsOneWrite) {
  for (const Durability durability : {Durability::none, Durability::interval}) {
    next_ = 1;
    start(durability);
    commit(3);
    EXPECT_EQ(faults_.changes().size(), 1U);
    EXPECT_EQ(faults_.count(CallKind::sync), 0U);
    // sync() makes it durable once, and then has nothing to do.
    ASSERT_TRUE(is_ok(journal().sync()));
    ASSERT_TRUE(is_ok(journal().sync()));
    EXPECT_EQ(faults_.count(CallKind::sync), 1U);
  }
}

// ---- segments

TEST_F(JournalTest, ASegmentIsLaidOutAndDurableWithItsNameBeforeItsFirstRecord) {
  start();
  const std::string text = segment(1);
  EXPECT_EQ(text.size(), first_segment_bytes);
  EXPECT_EQ(text.find_first_not_of('\n', text.find('\n')), std::string::npos);
  Journal::Start again;
  faults_.reset_counts();
  ASSERT_TRUE(is_ok(try_start(std::move(again))));
  EXPECT_EQ(changes(), (std::vector<std::string>{
                           "write journal/next",      // filler
                           "sync journal/next",       // its blocks are on the disk
                           "write journal/next",      // the header
                           "sync journal/next",       // it is durable before its name is
                           "rename journal/next",     //
                           "sync_directory journal",  // the name, before any commit under it
                       }));
}

TEST_F(JournalTest, RecordsThatWereCopiedStandInTheFirstSegment) {
  auto lines = testing::lines();
  testing::records(lines, 2);
  Journal::Start start;
  start.epoch = Epoch{7};
  start.first_lsn = Lsn{3};
  start.previous = lines.checksum();
  start.copied = lines.record(2);
  start.copied += lines.record(2);
  start.end = {Lsn{4}, lines.checksum()};
  const std::string copied = start.copied;
  ASSERT_TRUE(is_ok(try_start(std::move(start))));
  EXPECT_EQ(journal().last_lsn(), Lsn{4});
  const std::string text = segment(3);
  EXPECT_EQ(text.substr(text.find('\n') + 1, copied.size()), copied);
  next_ = 5;
  commit();
  ScanLimits limits;
  limits.checkpoint = Lsn{2};
  const auto scanned = scan(limits);
  ASSERT_TRUE(is_ok(scanned));
  EXPECT_EQ(visited_, (std::vector<std::uint64_t>{3, 4, 5}));
  EXPECT_EQ(scanned->epoch, Epoch{7});
}

TEST_F(JournalTest, AGroupThatDoesNotFitBeginsANewSegment) {
  start();
  const std::string half(first_segment_bytes / 2, 'x');
  for (int record = 0; record < 3; ++record) {
    ASSERT_TRUE(is_ok(stage(half)));
    ASSERT_TRUE(is_ok(journal().write_group()));
  }
  EXPECT_EQ(names().size(), 2U);
  expect_records(3);
}

TEST_F(JournalTest, ARecordLargerThanASegmentGetsItsOwn) {
  start();
  commit();
  ASSERT_TRUE(is_ok(stage(std::string(segment_bytes + 12345, 'x'))));
  ASSERT_TRUE(is_ok(journal().write_group()));
  commit();
  EXPECT_GT(segment(2).size(), segment_bytes);
  expect_records(3);
}

TEST_F(JournalTest, ASegmentIsLaidOutAheadOnceTheLastIsHalfUsed) {
  start();
  ASSERT_TRUE(is_ok(journal().lay_out_ahead(LayOut::when_needed)));
  EXPECT_EQ(names().size(), 1U) << "not needed yet";
  ASSERT_TRUE(is_ok(stage(std::string(first_segment_bytes / 2, 'x'))));
  ASSERT_TRUE(is_ok(journal().write_group()));
  ASSERT_TRUE(is_ok(journal().lay_out_ahead(LayOut::when_needed)));
  ASSERT_EQ(names().size(), 2U);
  ASSERT_TRUE(is_ok(journal().lay_out_ahead(LayOut::when_needed)));
  EXPECT_EQ(names().size(), 2U) << "one is enough";
  faults_.reset_counts();
  ASSERT_TRUE(is_ok(stage(std::string(first_segment_bytes / 2, 'x'))));
  ASSERT_TRUE(is_ok(journal().write_group()));
  EXPECT_LT(faults_.bytes_written(), first_segment_bytes) << "nothing was laid out on this path";
  expect_records(2);
}

TEST_F(JournalTest, RotatingBeginsASegmentBehindTheLastRecord) {
  start();
  commit(3);
  ASSERT_TRUE(is_ok(journal().rotate(LayOut::now)));
  EXPECT_EQ(segment(4).size(), segment_bytes);
  ASSERT_TRUE(is_ok(journal().rotate(LayOut::now)));
  EXPECT_EQ(names().size(), 2U) << "a segment without a record is kept as it is";
  commit(2);
  expect_records(5);
}

TEST_F(JournalTest, TheLastSegmentOfAllIsAHeaderAlone) {
  start();
  commit(3);
  ASSERT_TRUE(is_ok(journal().lay_out_ahead(LayOut::now)));
  ASSERT_TRUE(is_ok(journal().rotate(LayOut::header_only)));
  ASSERT_EQ(names().size(), 2U) << "what was laid out ahead is gone";
  const std::string text = segment(4);
  EXPECT_EQ(text.find('\n'), text.size() - 1);
  expect_records(3);
}

TEST_F(JournalTest, CutsItsFiller) {
  start();
  commit(3);
  const std::size_t end = segment(1).find_last_not_of('\n') + 2;
  ASSERT_TRUE(is_ok(journal().cut_filler()));
  EXPECT_EQ(segment(1).size(), end);
  EXPECT_EQ(journal().bytes(), end);
  expect_records(3);
  commit(1);  // it still goes on
  expect_records(4);
}

TEST_F(JournalTest, DropsSegmentsThatAreWhollyBelow) {
  start();
  for (int segment = 0; segment < 3; ++segment) {
    commit(2);
    ASSERT_TRUE(is_ok(journal().rotate(LayOut::now)));
  }
  const std::uint64_t bytes = journal().bytes();
  ASSERT_TRUE(is_ok(journal().drop_below(Lsn{1})));
  EXPECT_EQ(names().size(), 4U);
  ASSERT_TRUE(is_ok(journal().drop_below(Lsn{3})));
  EXPECT_EQ(names().size(), 3U) << "the second one has LSN 4";
  EXPECT_LT(journal().bytes(), bytes);
  ASSERT_TRUE(is_ok(journal().drop_below(Lsn{1000})));
  EXPECT_EQ(names(), std::vector<std::string>{"0000000000000007.jsonl"}) << "never the current";
}

// ---- refusals

TEST_F(JournalTest, ACommitOverTheLimitLeavesTheGroupAsItWas) {
  start();
  ASSERT_TRUE(is_ok(stage()));
  const Commit commit = small_commit(2, std::string(1000, 'x'));
  const auto refused = journal().stage(commit, testing::log_lines_of(commit, testing::runtime_id()),
                                       1000, Growth::grows);
  ASSERT_TRUE(fails_with(refused, ErrorCode::limit_exceeded));
  const auto* const fields = refused.error().get<LimitFields>();
  ASSERT_NE(fields, nullptr);
  EXPECT_EQ(fields->what, "commit_bytes");
  EXPECT_GT(fields->requested, 1000U);
  EXPECT_EQ(fields->max, 1000U);
  ASSERT_TRUE(is_ok(stage()));
  ASSERT_TRUE(is_ok(journal().write_group()));
  expect_records(2);
}

TEST_F(JournalTest, OnAFullDiskWhatDoesNotFitIsRefusedBeforeAnyChange) {
  start();
  ASSERT_TRUE(is_ok(stage()));
  Fault fault;
  fault.kind = CallKind::write;
  fault.times = 2;  // a segment of the usual size, and one that is as small as can be
  fault.system_error = ENOSPC;
  fault.bytes_written = 1000;
  faults_.plan(fault);
  const auto refused = stage(std::string(first_segment_bytes, 'x'));
  ASSERT_TRUE(fails_with(refused, ErrorCode::store_full));
  EXPECT_EQ(names().size(), 1U) << "nothing half laid out stays";
  // The group is as it was, and has its room.
  ASSERT_TRUE(is_ok(journal().write_group()));
  expect_records(1);
}

TEST_F(JournalTest, OnAFullDiskTheReserveIsForWhatMakesRoom) {
  start();
  fill_disk();
  Result<void> done;
  while (done) {
    done = stage(std::string(1000, 'x'));
    if (done) done = journal().write_group();
  }
  ASSERT_TRUE(fails_with(done, ErrorCode::store_full));
  std::uint64_t reserved = 0;
  for (done = {}; done;) {
    done = stage(std::string(1000, 'x'), Growth::makes_room);
    if (done) done = journal().write_group();
    if (done) ++reserved;
  }
  ASSERT_TRUE(fails_with(done, ErrorCode::store_full));
  EXPECT_GT(reserved, 90U);  // of 128 KiB
  expect_records(next_ - 1);
  // It goes on by itself once there is space.
  faults_.clear_plan();
  commit();
  expect_records(next_ - 1);
}

TEST_F(JournalTest, OnAFullDiskASmallFirstSegmentWillDo) {
  // The first segment does not fit, the small one does.
  Fault fault;
  fault.kind = CallKind::write;
  fault.system_error = ENOSPC;
  faults_.plan(fault);
  start();
  EXPECT_EQ(segment(1).size(), reserve_bytes);
  ASSERT_TRUE(is_ok(stage("event", Growth::makes_room)));
  ASSERT_TRUE(is_ok(journal().write_group()));
  expect_records(1);
}

TEST_F(JournalTest, AGroupThatMeetsAFullDiskIsTakenBack) {
  // Not where blocks are overwritten in place; but some file systems write elsewhere.
  start();
  commit(2);
  Fault fault;
  fault.kind = CallKind::write;
  fault.system_error = ENOSPC;
  fault.bytes_written = 150;
  faults_.plan(fault);
  ASSERT_TRUE(is_ok(stage("one")));
  ASSERT_TRUE(is_ok(stage("two")));
  ASSERT_TRUE(fails_with(journal().write_group(), ErrorCode::store_full));
  EXPECT_TRUE(journal().group_is_empty());
  EXPECT_EQ(journal().last_lsn(), Lsn{2});
  expect_records(2);
  next_ = 3;
  commit();
  expect_records(3);
}

TEST_F(JournalTest, AnyOtherFailureOfAWriteOrSyncIsNotRetried) {
  for (const CallKind kind : {CallKind::write, CallKind::sync}) {
    next_ = 1;
    start();
    Fault fault;
    fault.kind = kind;
    faults_.plan(fault);
    ASSERT_TRUE(is_ok(stage()));
    faults_.reset_counts();
    const auto failed = journal().write_group();
    ASSERT_FALSE(failed);
    EXPECT_NE(failed.error().code(), ErrorCode::store_full);
    EXPECT_EQ(faults_.count(kind), 1U);
    faults_.clear_plan();
  }
}

TEST_F(JournalTest, WhoNeedsASegmentWaitsForTheOneThatIsBeingMade) {
  Journal::Start small;
  small.sizes = {.first = 8192, .later = 65536, .reserve = 1024};
  ASSERT_TRUE(is_ok(try_start(std::move(small))));
  faults_.reset_counts();
  std::promise<void> begun;
  std::promise<void> go_on;
  std::atomic<bool> is_first{true};
  faults_.set_hook([&](CallKind kind, const std::string&) {
    if (kind != CallKind::write || !is_first.exchange(false)) return;
    begun.set_value();
    go_on.get_future().wait();
  });
  auto ahead = std::async(std::launch::async, [&] { return journal().lay_out_ahead(LayOut::now); });
  begun.get_future().wait();
  auto staged = std::async(std::launch::async, [&] { return stage(std::string(8000, 'x')); });
  // Long enough for a second one to be made, if it were.
  EXPECT_EQ(staged.wait_for(std::chrono::milliseconds(50)), std::future_status::timeout);
  go_on.set_value();
  EXPECT_TRUE(is_ok(ahead.get()));
  EXPECT_TRUE(is_ok(staged.get()));
  EXPECT_EQ(faults_.count(CallKind::open), 1U);
}

TEST_F(JournalTest, ASegmentThatTheDiskHasNoRoomForIsNotTried) {
  Journal::Start small;
  small.sizes = {.first = 8192, .later = std::uint64_t{1} << 60U, .reserve = 1024};
  ASSERT_TRUE(is_ok(try_start(std::move(small))));
  faults_.reset_counts();
  const auto ahead = journal().lay_out_ahead(LayOut::now);
  EXPECT_TRUE(fails_with(ahead, ErrorCode::store_full));
  EXPECT_EQ(faults_.changes(), std::vector<std::string>());
  // A record that needs one gets one of its own size.
  ASSERT_TRUE(is_ok(stage(std::string(8000, 'x'))));
  EXPECT_TRUE(is_ok(journal().write_group()));
}

}  // namespace
}  // namespace worker_runtime::fs_store
