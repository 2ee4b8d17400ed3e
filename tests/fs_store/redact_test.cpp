// What a redaction leaves in the files: nothing of the text once a checkpoint has been through,
// every offset as it was, and no damage wherever it is cut off.
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "checked_line.h"
#include "store_fixture.h"
#include "worker_runtime/fs_store/backup.h"
#include "worker_runtime/fs_store/export.h"
#include "worker_runtime/fs_store/reader.h"
#include "worker_runtime/fs_store/repair.h"

namespace worker_runtime::fs_store {
namespace {

using testing::fails_with;
using testing::is_ok;

const std::string redacted_log = "workers/w/transcript.jsonl";

class Redacting : public testing::StoreFixture {
 protected:
  Redacting() {
    // Checkpoints are those that a test asks for.
    options_.checkpoint_interval = std::chrono::hours(1);
  }

  /// Worker w with entries "text 1", ... of which number 3 is "the secret", checkpointed.
  void make(std::uint64_t count) {
    open();
    create("w");
    for (std::uint64_t number = 1; number <= count; ++number) {
      const std::string text = number == 3 ? "the secret" : "text " + std::to_string(number);
      ASSERT_TRUE(is_ok(runtime().send_input(testing::input(ref("w"), text))));
    }
    ASSERT_TRUE(is_ok(runtime().checkpoint()));
  }
  void redact(std::uint64_t sequence = 3) {
    ASSERT_TRUE(is_ok(runtime().redact({ref("w"), Sequence{sequence}})));
  }
  /// The files that have the text.
  [[nodiscard]] std::vector<std::string> with_secret() const {
    std::vector<std::string> found;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(path(""))) {
      if (!entry.is_regular_file()) continue;
      std::ifstream file(entry.path(), std::ios::binary);
      const std::string bytes{std::istreambuf_iterator<char>(file), {}};
      if (bytes.find("the secret") != std::string::npos)
        found.push_back(std::filesystem::relative(entry.path(), path("")));
    }
    return found;
  }
  [[nodiscard]] std::vector<std::string> contents(const auto& history) const {
    std::vector<std::string> found;
    for (const TranscriptEntry& entry : all_entries(history, "w"))
      found.push_back(entry.redacted > 0 ? "-" + std::to_string(entry.redacted) : entry.content);
    return found;
  }
  [[nodiscard]] Reader reader() const { return Reader::open(options_.root).value(); }
  /// Writes half of the redacted line and leaves half of the old one.
  void tear(const std::string& file, std::size_t share) const {
    std::string bytes = read(file);
    const std::size_t secret = bytes.find("the secret");
    ASSERT_NE(secret, std::string::npos);
    const std::size_t begin = bytes.rfind('\n', secret) + 1;
    const std::size_t end = bytes.find('\n', secret);
    bytes.replace(begin, 10, R"({"crc":"00)");
    const std::size_t cut = secret + 10 - share;
    bytes.replace(cut, end - cut, std::string(end - cut, ' '));
    write(file, bytes);
  }
};

const std::vector<std::string> redacted_contents = {"text 1", "text 2", "-10", "text 4", "text 5"};

TEST_F(Redacting, ACheckpointTakesTheTextOutOfEveryFileAndMovesNothing) {
  make(5);
  const std::string before = read(redacted_log);
  redact();
  EXPECT_EQ(contents(runtime()), redacted_contents);
  EXPECT_EQ(contents(reader()), redacted_contents);
  EXPECT_EQ(with_secret(), std::vector<std::string>{redacted_log});
  ASSERT_TRUE(is_ok(runtime().checkpoint()));
  EXPECT_EQ(with_secret(), std::vector<std::string>());
  const std::string after = read(redacted_log);
  EXPECT_EQ(after.size(), before.size());
  EXPECT_EQ(after.find('\n', after.find("redacted")), before.find('\n', before.find("secret")));
  EXPECT_EQ(contents(runtime()), redacted_contents);
  EXPECT_EQ(contents(reader()), redacted_contents);
  expect_clean();
  close();
  expect_clean();
  open();
  EXPECT_EQ(contents(runtime()), redacted_contents);
  ASSERT_TRUE(is_ok(runtime().send_input(testing::input(ref("w"), "text 6"))));
}

TEST_F(Redacting, TheCheckpointComesSoonByItself) {
  options_.extend_interval = std::chrono::milliseconds(0);
  make(5);
  redact();
  EXPECT_TRUE(eventually([&] { return with_secret().empty(); }));
  EXPECT_EQ(contents(runtime()), redacted_contents);
}

TEST_F(Redacting, OneThatWaitsForItsLogIsRedactedToo) {
  options_.extend_interval = std::chrono::hours(1);
  open();
  create("w");
  for (const char* const text : {"text 1", "text 2", "the secret", "text 4", "text 5"})
    ASSERT_TRUE(is_ok(runtime().send_input(testing::input(ref("w"), text))));
  redact();
  EXPECT_EQ(contents(runtime()), redacted_contents);
  EXPECT_EQ(contents(reader()), redacted_contents);
  drop();
  open();
  EXPECT_EQ(contents(runtime()), redacted_contents);
  ASSERT_TRUE(is_ok(runtime().checkpoint()));
  EXPECT_EQ(with_secret(), std::vector<std::string>());
  expect_clean();
}

TEST_F(Redacting, AKilledWriterLeavesItToTheNextOne) {
  make(5);
  redact();
  drop();
  EXPECT_EQ(contents(reader()), redacted_contents);
  expect_clean();
  open();
  EXPECT_EQ(contents(runtime()), redacted_contents);
  close();
  EXPECT_EQ(with_secret(), std::vector<std::string>());
  expect_clean();
}

TEST_F(Redacting, OneThatWasCutOffHalfWayIsNoDamage) {
  for (const std::size_t share : {0U, 5U, 9U}) {
    SCOPED_TRACE(share);
    make(5);
    redact();
    drop();
    tear(redacted_log, share);
    EXPECT_EQ(findings().size(), 0U);
    for (const auto direction : {Direction::oldest_first, Direction::newest_first}) {
      TranscriptQuery whole;
      whole.direction = direction;
      const auto page = reader().read_transcript(ref("w"), whole);
      ASSERT_TRUE(is_ok(page));
      EXPECT_EQ(page->items.size(), 5U);  // no page ends before it
    }
    EXPECT_EQ(contents(reader()), redacted_contents);
    const auto plan = repair({options_.root, options_.runtime_id});
    ASSERT_TRUE(is_ok(plan));
    EXPECT_TRUE(plan->items.empty());
    open();
    EXPECT_EQ(contents(runtime()), redacted_contents);
    ASSERT_TRUE(is_ok(runtime().checkpoint()));
    EXPECT_EQ(contents(runtime()), redacted_contents);
    EXPECT_EQ(with_secret(), std::vector<std::string>());
    ASSERT_TRUE(is_ok(runtime().send_input(testing::input(ref("w"), "text 6"))));
    close();
    EXPECT_EQ(findings().size(), 0U);
    std::filesystem::remove_all(options_.root);
  }
}

TEST_F(Redacting, ATornLastLineHoldsUpNoFurtherEntry) {
  make(3);
  redact();
  drop();
  tear(redacted_log, 4);
  EXPECT_EQ(findings().size(), 0U);
  open();
  const auto detail = runtime().worker_detail(ref("w"));
  ASSERT_TRUE(is_ok(detail));
  EXPECT_EQ(detail->summary.damaged, std::nullopt);
  ASSERT_TRUE(is_ok(runtime().send_input(testing::input(ref("w"), "text 4"))));
  EXPECT_EQ(contents(runtime()), (std::vector<std::string>{"text 1", "text 2", "-10", "text 4"}));
}

TEST_F(Redacting, ALineOfAClosedPartIsFoundAndOverwritten) {
  options_.log_part_bytes = 400;
  open();
  create("w");
  for (int number = 1; number <= 12; ++number) {
    const std::string text = number == 3 ? "the secret" : "text " + std::to_string(number);
    ASSERT_TRUE(is_ok(runtime().send_input(testing::input(ref("w"), text))));
    ASSERT_TRUE(is_ok(runtime().checkpoint()));
  }
  ASSERT_EQ(with_secret().size(), 1U);
  ASSERT_NE(with_secret().front(), redacted_log);
  std::vector<std::string> expected = contents(runtime());
  expected[2] = "-10";
  for (const std::uint64_t sequence : {3U, 1U, 12U}) redact(sequence);
  expected[0] = "-6";
  expected[11] = "-7";
  EXPECT_EQ(contents(runtime()), expected);
  EXPECT_EQ(contents(reader()), expected);
  ASSERT_TRUE(is_ok(runtime().checkpoint()));
  EXPECT_EQ(contents(runtime()), expected);
  EXPECT_EQ(with_secret(), std::vector<std::string>());
  expect_clean();
}

TEST_F(Redacting, ATrimBehindItKeepsNothingOfIt) {
  make(5);
  redact();
  ASSERT_TRUE(is_ok(runtime().trim_transcript({ref("w"), Sequence{5}})));
  ASSERT_TRUE(is_ok(runtime().checkpoint()));
  EXPECT_EQ(with_secret(), std::vector<std::string>());
  EXPECT_EQ(contents(runtime()), std::vector<std::string>{"text 5"});
  expect_clean();
}

TEST_F(Redacting, InEveryModeTheJournalHoldsItBeforeTheLineIsTouched) {
  for (const Durability durability : {Durability::interval, Durability::none}) {
    options_.durability = durability;
    make(5);
    redact();
    ASSERT_TRUE(is_ok(runtime().checkpoint()));
    EXPECT_EQ(with_secret(), std::vector<std::string>());
    EXPECT_EQ(contents(runtime()), redacted_contents);
    close();
    std::filesystem::remove_all(options_.root);
  }
}

TEST_F(Redacting, AReaderThatWasThereBeforeSeesItThrough) {
  make(5);
  const Reader old = reader();
  EXPECT_EQ(contents(old).at(2), "the secret");
  redact();
  ASSERT_TRUE(is_ok(runtime().checkpoint()));
  EXPECT_EQ(contents(old), redacted_contents);
}

TEST_F(Redacting, ADamagedEntryIsToldAndNotTouched) {
  make(5);
  const std::string before = read(redacted_log);
  flip(redacted_log, before.find("the secret"));
  const auto refused = runtime().redact({ref("w"), Sequence{3}});
  EXPECT_TRUE(fails_with(refused, ErrorCode::worker_damaged));
  EXPECT_EQ(read(redacted_log).size(), before.size());
}

TEST_F(Redacting, ALineThatIsGoneByTheCheckpointIsToldAndTheRestGoesOn) {
  make(5);
  redact();
  std::filesystem::remove(path(redacted_log));
  ASSERT_TRUE(is_ok(runtime().checkpoint()));
  EXPECT_TRUE(fails_with(runtime().send_input(testing::input(ref("w"), "text 6")),
                         ErrorCode::worker_damaged));
  create("other");
  send("other", 2);
  ASSERT_TRUE(is_ok(runtime().checkpoint()));
}

TEST_F(Redacting, ARepairOfSomethingElseKeepsIt) {
  make(5);
  redact();
  drop();
  tear(redacted_log, 4);
  const std::string bytes = read(redacted_log);
  flip(redacted_log, bytes.find("text 5"));
  RepairOptions options{options_.root, options_.runtime_id};
  options.mode = RepairMode::apply;
  ASSERT_TRUE(is_ok(repair(options)));
  expect_clean();
  open();
  std::vector<std::string> found = contents(runtime());
  ASSERT_EQ(found.size(), 5U);
  found.pop_back();  // it is lost
  EXPECT_EQ(found,
            std::vector<std::string>(redacted_contents.begin(), redacted_contents.end() - 1));
}

TEST_F(Redacting, ARepairOfAStoreThatDoesNotLoadKeepsIt) {
  make(5);
  redact();
  drop();
  tear(redacted_log, 4);
  write("runtime.json", "{}");
  RepairOptions options{options_.root, options_.runtime_id};
  options.mode = RepairMode::apply;
  ASSERT_TRUE(is_ok(repair(options)));
  expect_clean();
  open();
  EXPECT_EQ(contents(runtime()), redacted_contents);
}

TEST_F(Redacting, ABackupGoesOnBehindALastLineThatIsRedactedSince) {
  make(3);
  const auto target = directory_.path() / "copy";
  ASSERT_TRUE(is_ok(backup({options_.root, options_.runtime_id, target})));
  redact();
  ASSERT_TRUE(is_ok(runtime().send_input(testing::input(ref("w"), "text 4"))));
  ASSERT_TRUE(is_ok(backup({options_.root, options_.runtime_id, target})));
  ASSERT_TRUE(is_ok(runtime().checkpoint()));
  ASSERT_TRUE(is_ok(runtime().send_input(testing::input(ref("w"), "text 5"))));
  ASSERT_TRUE(is_ok(backup({options_.root, options_.runtime_id, target})));
  // What was copied before stays: copies may remain in backups.
  EXPECT_EQ(contents(Reader::open(target).value()),
            (std::vector<std::string>{"text 1", "text 2", "the secret", "text 4", "text 5"}));
}

TEST_F(Redacting, MembersOfANewerVersionStayInTheLine) {
  make(5);
  close();
  std::string bytes = read(redacted_log);
  const std::size_t secret = bytes.find("the secret");
  const std::size_t begin = bytes.rfind('\n', secret) + 1;
  const std::size_t end = bytes.find('\n', secret);
  std::string object = "{" + bytes.substr(begin + line_head_bytes, end - begin - line_head_bytes);
  // As long as before: what is known makes room.
  object.replace(object.find("\"content\":\"the secret\""), 22, R"("content":"s","later":1)");
  std::string line;
  append_checked_line(line, object);
  ASSERT_EQ(line.size(), end + 1 - begin + 1);
  bytes.replace(begin, end + 1 - begin, line);
  write(redacted_log, bytes);
  // The records count other bytes now: a repair makes them anew.
  RepairOptions options{options_.root, options_.runtime_id};
  options.mode = RepairMode::apply;
  ASSERT_TRUE(is_ok(repair(options)));
  open();
  redact();
  ASSERT_TRUE(is_ok(runtime().checkpoint()));
  EXPECT_NE(read(redacted_log).find(R"("redacted":1,)"), std::string::npos);
  EXPECT_NE(read(redacted_log).find(R"("later":1)"), std::string::npos);
  expect_clean();
}

TEST_F(Redacting, AnExportAndAnImportTakeItAsItIs) {
  make(5);
  redact();
  std::string text;
  ASSERT_TRUE(is_ok(export_worker(reader(), ref("w"), [&](std::string_view line) {
    text.append(line).append("\n");
    return Result<void>();
  })));
  EXPECT_EQ(text.find("the secret"), std::string::npos);
  auto exported = decode_export(text);
  ASSERT_TRUE(is_ok(exported));
  exported->worker.request.worker_id = testing::worker_id("copy");
  ASSERT_TRUE(is_ok(runtime().import_worker(exported->worker)));
  EXPECT_EQ(all_entries(runtime(), "copy").at(2).redacted, 10U);
  close();
  expect_clean();
}

}  // namespace
}  // namespace worker_runtime::fs_store
