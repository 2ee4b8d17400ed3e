// verify beside a writer that does not stand still.
#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <string>

#include "open.h"
#include "store_fixture.h"
#include "verify_directory.h"

namespace worker_runtime::fs_store {
namespace {

using testing::is_ok;

class VerifyLive : public testing::StoreFixture {
 protected:
  VerifyLive() {
    options_.log_part_bytes = 500;
    open();
    create("w");
    write_on();
  }
  /// Closes some parts of both logs.
  void write_on() {
    for (int checkpoint = 0; checkpoint < 4; ++checkpoint) {
      send("w", 4, sent_ + 1);
      sent_ += 4;
      ASSERT_TRUE(is_ok(runtime().checkpoint()));
    }
  }

  std::uint64_t sent_ = 0;
  FileFaults of_verify_;
};

// Each of the attempts that verify makes finds other files than it has listed.
TEST_F(VerifyLive, PartsThatAreClosedBehindItsBackAreNotMissing) {
  for (const std::string log : {"events.jsonl", "workers/w/transcript.jsonl"}) {
    SCOPED_TRACE(log);
    RuntimeId found;
    auto directory = open_existing_directory(options_.root, options_.runtime_id, found);
    ASSERT_TRUE(is_ok(directory));
    const auto files = make_faulty_file_system(*std::move(directory), of_verify_);
    int times = 0;
    of_verify_.set_hook([&](CallKind kind, const std::string& path) {
      if (kind != CallKind::open || path != "runtimes/main/" + log) return;
      ++times;
      write_on();
    });
    const auto report = verify_directory(*files, found, {});
    of_verify_.set_hook({});
    ASSERT_TRUE(is_ok(report));
    for (const Finding& finding : report->findings)
      ADD_FAILURE() << finding.path << " " << finding.code << ": " << finding.message;
    EXPECT_EQ(times, 1) << "one attempt is enough";
  }
}

// What is missing for good is told beside a writer too.
TEST_F(VerifyLive, AClosedPartThatIsGoneIsMissed) {
  bool is_removed = false;
  for (const auto& entry : std::filesystem::directory_iterator(path(""))) {
    const std::string name = entry.path().filename().string();
    if (is_removed || !name.starts_with("events.0") || name.ends_with("001.jsonl")) continue;
    is_removed = std::filesystem::remove(entry.path());
  }
  ASSERT_TRUE(is_removed);
  EXPECT_EQ(findings().at(0).code, "lines_missing");
}

}  // namespace
}  // namespace worker_runtime::fs_store
