// Programs that may write only files of some size, or open only some files: what does not fit is
// told, what was acknowledged stays, and without the limit all goes on.
//
// A sample of the limits; with WORKER_RUNTIME_CRASH_ROUNDS many more.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "journal_reserve.h"
#include "scripted_store.h"
#include "support/cli_fixture.h"
#include "support/random.h"
#include "verified.h"

namespace worker_runtime::testing {
namespace {

using cli::Arguments;
using cli::has;

/// From one number of handles to the next.
int step() { return is_every_case_asked_for() ? 1 : 5; }

/// Between what the loader needs and what the tool needs lie only a few.
int step_after(int handles) { return handles < 12 ? 1 : step(); }

Arguments limited(const std::string& limit, const Arguments& program) {
  Arguments line{"/usr/bin/env", "prlimit", "--" + limit};
  line.insert(line.end(), program.begin(), program.end());
  return line;
}

struct SweptServer {
  const char* name;
  Start start;
};
void PrintTo(const SweptServer& server, std::ostream* out) { *out << server.name; }

class LimitsSweep : public ::testing::TestWithParam<SweptServer> {
 protected:
  /// Serves the script under the limit and looks at what is left.
  Finished run_limited(const std::string& limit) {
    store_.begin();
    Finished finished = run(limited(limit, store_.program()), ScriptedStore::script());
    EXPECT_EQ(store_.take(finished), "");
    EXPECT_EQ(store_.check(), "");
    return finished;
  }

  ScriptedStore store_{GetParam().start, Server::tool};
};

TEST_P(LimitsSweep, AnySizeOfFilesIsAFullDiskAndNothingElse) {
  std::vector<std::uint64_t> sizes{0, 1, 700, 4096, 20'000, 70'000, 140'000, 300'000};
  if (is_every_case_asked_for()) {
    for (std::uint64_t size = 0; size < 500'000; size += size < 100'000 ? 211 : 1009)
      sizes.push_back(size);
  }
  int refused = 0;
  for (const std::uint64_t size : sizes) {
    SCOPED_TRACE(size);
    const Finished finished = run_limited("fsize=" + std::to_string(size));
    EXPECT_EQ(finished.output.find("\"store_io\""), std::string::npos);
    // No full disk: not even what was laid out before may be written.
    const bool is_failed = finished.output.find("\"store_failed\"") != std::string::npos;
    EXPECT_TRUE(!is_failed ||
                (GetParam().start != Start::nothing && size < fs_store::reserve_piece_bytes));
    EXPECT_TRUE(finished.exit_code == 0 || finished.exit_code == (is_failed ? 3 : 5))
        << finished.errors;
    if (finished.exit_code == 5 || finished.output.find("\"store_full\"") != std::string::npos)
      ++refused;
    if (HasFailure()) return;
  }
  std::cout << sizes.size() << " sizes, " << refused << " of them too small\n";
  EXPECT_GT(refused, 0);
}

TEST_P(LimitsSweep, TooFewHandlesAreToldAndLoseNothing) {
  int refused = 0;
  int cases = 0;
  for (int handles = 4; handles <= 40; handles += step()) {
    SCOPED_TRACE(handles);
    const Finished finished = run_limited("nofile=" + std::to_string(handles));
    ++cases;
    if (finished.exit_code != 0 || has(finished.output, "\"store_io\"")) ++refused;
    if (handles > 20) {
      EXPECT_EQ(finished.exit_code, 0);
      EXPECT_FALSE(has(finished.output, "\"store_"));
    }
    if (HasFailure()) return;
  }
  std::cout << cases << " limits, " << refused << " of them too small\n";
  EXPECT_GT(refused, 0);
}

INSTANTIATE_TEST_SUITE_P(Stores, LimitsSweep,
                         ::testing::Values(SweptServer{"OfANewStore", Start::nothing},
                                           SweptServer{"OfAClosedStore", Start::closed_store},
                                           SweptServer{"OfACrashedStore", Start::crashed_store}),
                         [](const auto& row) { return std::string(row.param.name); });

// ---- handles of those that read and mend

constexpr int not_loaded = 127;  // the loader found too few handles

class FewHandlesSweep : public ::testing::Test {
 protected:
  FewHandlesSweep() { store_.begin(); }

  [[nodiscard]] Arguments line(const Arguments& arguments) const {
    Arguments all{WORKER_RUNTIME_CLI_PATH, "--root", store_.root()};
    all.insert(all.end(), arguments.begin(), arguments.end());
    return all;
  }
  [[nodiscard]] Finished run_with(int handles, const Arguments& arguments) const {
    return run(limited("nofile=" + std::to_string(handles), line(arguments)));
  }
  static void expect_too_few(const Finished& finished) {
    EXPECT_EQ(finished.exit_code, 3) << finished.output;
    EXPECT_TRUE(has(finished.errors, R"({"error":{"code":"store_io")"));
    EXPECT_TRUE(has(finished.errors, "EMFILE"));
  }

  ScriptedStore store_{Start::crashed_store, Server::tool};
};

TEST_F(FewHandlesSweep, ReadsAndVerifyAnswerOrSayThatHandlesAreTooFew) {
  for (const Arguments& command : {Arguments{"verify", "--json"},
                                   {"list", "--json"},
                                   {"events", "--json"},
                                   {"transcript", "p0", "--json"},
                                   {"show", "p0", "--json"}}) {
    SCOPED_TRACE(command.front());
    const Finished wanted = run(line(command));
    EXPECT_EQ(wanted.exit_code, 0) << wanted.errors;
    int refused = 0;
    for (int handles = 4; handles <= 40; handles += step_after(handles)) {
      SCOPED_TRACE(handles);
      const Finished finished = run_with(handles, command);
      if (finished.exit_code == not_loaded) continue;
      if (finished.exit_code == 0) {
        EXPECT_EQ(finished.output, wanted.output);
        continue;
      }
      ++refused;
      EXPECT_LT(handles, 20);
      expect_too_few(finished);
    }
    EXPECT_GT(refused, 0);
  }
}

TEST_F(FewHandlesSweep, RepairMendsOrChangesNothingThatAnotherCouldNotMend) {
  const std::filesystem::path path =
      std::filesystem::path(store_.root()) / "runtimes/main/workers/p0/transcript.jsonl";
  // Opened and closed once, so that the transcript is all there; then a byte of it is flipped.
  ASSERT_EQ(run(line({"start"})).exit_code, 0);
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(60).put('~');
  file.close();
  const std::filesystem::path damaged = store_.root() + ".damaged";
  std::filesystem::rename(store_.root(), damaged);
  int refused = 0;
  for (int handles = 4; handles <= 40; handles += step_after(handles)) {
    SCOPED_TRACE(handles);
    std::filesystem::remove_all(store_.root());
    std::filesystem::copy(damaged, store_.root(), std::filesystem::copy_options::recursive);
    const Finished finished = run_with(handles, {"repair", "--apply", "--json"});
    if (finished.exit_code == not_loaded) continue;
    if (finished.exit_code != 0) {
      ++refused;
      EXPECT_LT(handles, 20);
      expect_too_few(finished);
      const Finished mended = run(line({"repair", "--apply", "--json"}));
      EXPECT_EQ(mended.exit_code, 0) << mended.errors;
    }
    EXPECT_EQ(problems_found_by_verify(store_.root()), "");
    EXPECT_TRUE(has(run(line({"transcript", "p0", "--json"})).output, "before 3"));
  }
  EXPECT_GT(refused, 0);
}

}  // namespace
}  // namespace worker_runtime::testing
