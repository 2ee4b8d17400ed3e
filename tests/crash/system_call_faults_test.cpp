// Goal: whatever system call on a file fails, or is the last one before a kill, nothing that was
// acknowledged is lost, nothing is there by half, and whoever asked is told the truth.
//
// Method: strace fails the nth call of a name, in each thread, of the real program while it serves
// a script (scripted_store.h), or kills it there. A fault may meet the loader too, before the
// program begins. WORKER_RUNTIME_CRASH_ROUNDS: each call, n and error, not a few of them that the
// seed draws.
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <functional>
#include <iostream>
#include <iterator>
#include <ostream>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "scripted_store.h"
#include "support/cli_fixture.h"
#include "support/random.h"
#include "trace.h"

namespace worker_runtime::testing {
namespace {

using Strings = std::vector<std::string>;

/// The errors that a call is given, once and from there on.
struct Row {
  const char* call;
  Strings once;
  Strings for_ever;
};

/// EINTR comes once: what is retried after it would be so for ever.
const std::vector<Row>& rows() {
  static const std::vector<Row> all{
      {"openat", {"EIO"}, {"EMFILE"}},  // of the loader, but for the root and its parents
      {"openat2",
       {"EIO", "ENOSPC", "EINTR", "EDQUOT", "EMFILE", "EACCES", "ENOSYS"},
       {"EIO", "EMFILE", "ENOSYS"}},
      {"newfstatat", {"EIO"}, {"EACCES"}},
      {"fstat", {"EIO"}, {"EIO"}},
      {"statx", {"EIO", "ENOSYS"}, {"EIO", "EACCES", "ENOSYS"}},
      {"sync_file_range", {"EIO", "ENOSPC"}, {"EIO"}},
      {"statfs", {"EIO", "EINTR"}, {"EIO"}},
      {"fstatfs", {"EIO", "EINTR"}, {"EIO"}},
      {"getdents64", {"EIO", "EINTR"}, {"EIO"}},
      {"read", {"EIO", "EINTR"}, {"EIO"}},
      {"pread64", {"EIO", "EINTR"}, {"EIO"}},
      {"write", {"EIO", "ENOSPC", "EINTR"}, {"EIO", "ENOSPC"}},
      {"pwrite64", {"EIO", "ENOSPC", "EINTR", "EDQUOT"}, {"EIO", "ENOSPC", "EDQUOT"}},
      {"fdatasync", {"EIO", "ENOSPC", "EINTR", "EDQUOT"}, {"EIO", "ENOSPC"}},
      {"fsync", {"EIO", "ENOSPC", "EINTR"}, {"EIO"}},
      {"syncfs", {"EIO", "ENOSPC", "EINTR"}, {"EIO"}},
      {"ftruncate", {"EIO", "ENOSPC", "EINTR"}, {"EIO"}},
      {"renameat", {"EIO", "ENOSPC", "EINTR", "EDQUOT", "EACCES"}, {"EIO", "ENOSPC"}},
      {"unlinkat", {"EIO", "ENOSPC", "EINTR", "EACCES"}, {"EIO", "EACCES"}},
      {"mkdir", {"EIO", "ENOSPC", "EINTR", "EDQUOT", "EACCES"}, {"EIO"}},
      {"mkdirat", {"EIO", "ENOSPC", "EINTR", "EDQUOT", "EACCES"}, {"EIO", "ENOSPC"}},
      {"flock", {"EIO", "EINTR", "ENOLCK"}, {"EIO"}},
      {"fcntl", {"EIO", "EINTR", "EMFILE", "ENOLCK"}, {"EIO"}},
      {"close", {"EIO"}, {"EINTR"}},
  };
  return all;
}

/// Calls on descriptors or paths that change nothing and that no promise rests on: of the loader,
/// of memory, of waiting.
const std::set<std::string, std::less<>> without_row{
    "access", "execve", "mmap",  "ioctl", "poll",     "eventfd2", "lseek",
    "pipe2",  "dup",    "ppoll", "dup3",  "readlink", "getcwd",   "arch_prctl"};

const Row* row_of(std::string_view call) {
  const auto found =
      std::find_if(rows().begin(), rows().end(), [&](const Row& row) { return row.call == call; });
  return found == rows().end() ? nullptr : &*found;
}

struct Fault {
  std::string call;
  std::string effect;  // of strace's `inject=`
  std::uint64_t nth = 1;
  bool for_ever = false;

  [[nodiscard]] std::string text() const {
    return call + ":" + effect + ":when=" + std::to_string(nth) + (for_ever ? "+" : "");
  }
};

/// Programs with faults, under strace.
class Injector {
 public:
  static bool is_allowed() { return run({"/usr/bin/env", "strace", "/bin/true"}).exit_code == 0; }

  Finished operator()(const Fault& fault, const Strings& program, const std::string& input) {
    Strings line{"/usr/bin/env", "ASAN_OPTIONS=detect_leaks=0"};
    // Without --seccomp-bpf, with which no signal is delivered.
    line.insert(line.end(), {"strace", "-f", "-o", notes(), "-e", "trace=" + fault.call, "-e",
                             "inject=" + fault.text()});
    line.insert(line.end(), program.begin(), program.end());
    Finished finished = run(line, input);
    std::ifstream file(notes());
    const std::string noted{std::istreambuf_iterator<char>(file), {}};
    met_ = noted.find("(INJECTED)") != noted.npos || finished.exit_code == -SIGKILL;
    return finished;
  }
  /// Whether the last program made that call.
  [[nodiscard]] bool met() const { return met_; }

  /// Each fault at each n, or a few that are drawn. Ends with the first failure.
  void all_or_some(const std::vector<Fault>& faults, Random& random,
                   const std::function<void(const Fault&)>& run_one) const {
    if (!is_every_case_asked_for()) {
      for (int at = 0; at < 5 && !::testing::Test::HasFatalFailure(); ++at) {
        Fault fault = random.pick(faults);
        fault.nth = random.below(fault.nth) + 1;
        run_one(fault);
      }
      return;
    }
    for (Fault fault : faults) {
      // Until a thread makes fewer calls than that. When one begins is a matter of chance: asked
      // twice.
      int missed = 0;
      for (fault.nth = 1; missed < 2 && !::testing::Test::HasFatalFailure(); ++fault.nth) {
        run_one(fault);
        missed = met_ ? 0 : missed + 1;
      }
    }
  }

 private:
  [[nodiscard]] std::string notes() const { return directory_.path() / "notes"; }

  TemporaryDirectory directory_;
  bool met_ = false;
};

struct FaultyServer {
  const char* name;
  Start start;
  Server server;
};
void PrintTo(const FaultyServer& server, std::ostream* out) { *out << server.name; }

using Calls = std::vector<std::pair<std::string, std::uint64_t>>;

/// The calls on files that a program makes, with how often a thread of it makes them.
Calls calls_of(const Strings& program, std::string_view input = {}) {
  const Trace seen = trace(program, Part::whole, "%file,%desc", input);
  Calls found;
  for (const auto& made : seen.most_of_a_thread) {
    const bool has_row = row_of(made.first) != nullptr;
    EXPECT_TRUE(has_row || without_row.contains(made.first)) << made.first << " never fails";
    if (has_row) found.emplace_back(made);
  }
  return found;
}

/// Every error of each of these calls, of the last that a thread makes.
std::vector<Fault> errors_of(const Calls& calls) {
  std::vector<Fault> faults;
  for (const auto& [call, count] : calls) {
    for (const std::string& error : row_of(call)->once)
      faults.push_back({call, "error=" + error, count, false});
    for (const std::string& error : row_of(call)->for_ever)
      faults.push_back({call, "error=" + error, count, true});
  }
  return faults;
}

class SystemCallFaults : public ::testing::TestWithParam<FaultyServer> {
 protected:
  void SetUp() override {
    if (!Injector::is_allowed())
      GTEST_SKIP() << "NOT TESTED: strace is missing or may not trace here";
    std::cout << "WORKER_RUNTIME_SEED=" << seed_ << "\n";
  }
  void TearDown() override {
    if (!IsSkipped()) std::cout << cases_ << " cases, in " << met_ << " the call was made\n";
  }

  /// Of the undisturbed program.
  Calls calls() {
    store_.begin();
    return calls_of(store_.program(), ScriptedStore::script());
  }

  void run_one(const Fault& fault) {
    SCOPED_TRACE(fault.text());
    ++cases_;
    store_.begin();
    const Finished finished = inject_(fault, store_.program(), ScriptedStore::script());
    if (inject_.met()) ++met_;
    ASSERT_EQ(store_.take(finished), "");
    ASSERT_EQ(store_.check(), "");
  }

  const std::uint64_t seed_ = number_from_environment("WORKER_RUNTIME_SEED", 1);
  Random random_{seed_};
  ScriptedStore store_{GetParam().start, GetParam().server};
  Injector inject_;
  std::uint64_t cases_ = 0;
  std::uint64_t met_ = 0;
};

TEST_P(SystemCallFaults, ErrorsAreToldAndLoseNothing) {
  inject_.all_or_some(errors_of(calls()), random_, [this](const Fault& fault) { run_one(fault); });
}

TEST_P(SystemCallFaults, AKillBeforeAnyCallLosesNothing) {
  std::vector<Fault> kills;
  for (const auto& [call, count] : calls()) kills.push_back({call, "signal=KILL", count, false});
  inject_.all_or_some(kills, random_, [this](const Fault& fault) { run_one(fault); });
}

INSTANTIATE_TEST_SUITE_P(
    Stores, SystemCallFaults,
    ::testing::Values(FaultyServer{"OfANewStore", Start::nothing, Server::tool},
                      FaultyServer{"OfAClosedStore", Start::closed_store, Server::tool},
                      FaultyServer{"OfACrashedStore", Start::crashed_store, Server::tool},
                      FaultyServer{"OfSmallFiles", Start::crashed_store, Server::small_files}),
    [](const auto& row) { return std::string(row.param.name); });

// ---- those that only read

class ReaderFaults : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!Injector::is_allowed())
      GTEST_SKIP() << "NOT TESTED: strace is missing or may not trace here";
    store_.begin();
  }

  [[nodiscard]] Strings line(const Strings& arguments) const {
    Strings all{WORKER_RUNTIME_CLI_PATH, "--root", store_.root()};
    all.insert(all.end(), arguments.begin(), arguments.end());
    return all;
  }

  /// All or the beginning of what is there; never anything else, and never that it is damaged.
  void run_one(const Fault& fault, const Strings& program, const std::string& wanted) {
    SCOPED_TRACE(fault.text());
    ++cases_;
    const Finished finished = inject_(fault, program, "");
    if (inject_.met()) ++met_;
    const auto says = [&](std::string_view text) { return cli::has(finished.errors, text); };
    if (finished.exit_code == 0) {
      // Where it can't be told whether a writer is there, verify leaves a note out.
      ASSERT_TRUE(finished.output == wanted || finished.output.starts_with("{\"findings\":"))
          << finished.output;
      return;
    }
    ASSERT_TRUE(wanted.starts_with(finished.output)) << finished.output;
    if (finished.exit_code == 127) {
      ASSERT_TRUE(says("shared librar"));
    } else if (finished.exit_code == 1) {
      ASSERT_TRUE(finished.errors.empty() || says("cannot write"));
    } else {
      ASSERT_TRUE(finished.exit_code == 3 || finished.exit_code == 5) << finished.errors;
      ASSERT_TRUE(says(R"({"error":{"code":"store_io")") || says(R"("code":"store_failed")") ||
                  says(R"("code":"store_full")"));
    }
  }
  Random random_{number_from_environment("WORKER_RUNTIME_SEED", 1)};
  ScriptedStore store_{Start::crashed_store, Server::small_files};
  Injector inject_;
  std::uint64_t cases_ = 0;
  std::uint64_t met_ = 0;
};

TEST_F(ReaderFaults, AreToldAndTakenForNoDamage) {
  for (const Strings& arguments : {Strings{"verify", "--json"},
                                   {"list", "--json"},
                                   {"events", "--json"},
                                   {"transcript", "p0", "--json"},
                                   {"show", "p1", "--json"}}) {
    SCOPED_TRACE(arguments.front());
    const Strings program = line(arguments);
    const std::string wanted = run(program).output;
    inject_.all_or_some(errors_of(calls_of(program)), random_,
                        [&](const Fault& fault) { run_one(fault, program, wanted); });
    if (HasFatalFailure()) return;
  }
  std::cout << cases_ << " cases, in " << met_ << " the call was made\n";
}

TEST_F(ReaderFaults, ACreateRequestThatCannotBeReadIsNoDamageOfItsWorker) {
  ScriptedStore closed(Start::closed_store, Server::tool);  // its catalog has them all
  closed.begin();
  const Strings program{WORKER_RUNTIME_CLI_PATH, "--root", closed.root(), "show", "p1", "--json"};
  const std::string wanted = run(program).output;
  // It is read last but for the end of the transcript.
  for (const auto& [call, count] : calls_of(program)) {
    if (call != "pread64") continue;
    for (std::uint64_t back = 0; back < 5; ++back)
      ASSERT_NO_FATAL_FAILURE(run_one({call, "error=EIO", count - back, false}, program, wanted));
  }
  EXPECT_EQ(met_, 5U);
}

}  // namespace
}  // namespace worker_runtime::testing
