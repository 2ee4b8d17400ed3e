// One writer, and readers beside it: the lock, and what other processes see of a running writer.
#include <gtest/gtest.h>
#include <simdjson.h>
#include <sys/wait.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "driver.h"
#include "random_requests.h"
#include "support/cli_fixture.h"
#include "support/domain.h"
#include "support/random.h"
#include "worker_runtime/fs_store/reader.h"

namespace worker_runtime::testing {
namespace {

using cli::Arguments;
using cli::has;

class TwoProcessesTest : public cli::CliTest {
 protected:
  [[nodiscard]] Arguments holder_line() const { return line({"pipe", "--no-requests"}); }
  [[nodiscard]] std::filesystem::path lock() const { return root() / "runtimes/main/lock"; }

  static std::string ask(Subprocess& pipe, const std::string& request) {
    pipe.write(request + "\n");
    return pipe.read_line();
  }
  static std::string ask(Subprocess& pipe, const std::string& op, const std::string& members) {
    return ask(pipe, R"({"id":1,"op":")" + op + "\"" + members + "}");
  }
  /// Makes sure that it has the lock.
  static void wait_until_open(Subprocess& pipe) {
    ASSERT_TRUE(has(ask(pipe, "version", ""), "\"ok\""));
  }
  static std::string input(const std::string& content) {
    return R"({"id":1,"op":"send_input","worker_id":"a","kind":"user","content":")" + content +
           "\"}";
  }

  void expect_locked_by(const Subprocess& holder) const {
    const std::string pid = "\"pid\":" + std::to_string(holder.process()) + ",";
    for (const Arguments& command : {Arguments{"send", "a", "x", "--json"},
                                     {"create", "--task", "x", "--json"},
                                     {"stop", "a", "--json"},
                                     {"pipe", "--json"},
                                     {"shutdown", "--json"}}) {
      const Finished refused = cli(command, "{\"op\":\"version\"}\n");
      EXPECT_EQ(refused.exit_code, 4) << command.front();
      EXPECT_EQ(refused.output, "");
      EXPECT_TRUE(has(refused.errors, R"("code":"store_locked")"));
      EXPECT_TRUE(has(refused.errors, pid));
    }
  }
};

// ---- the lock

TEST_F(TwoProcessesTest, ASecondWriterIsToldTheHolderAndChangesNothing) {
  make_store();
  Subprocess holder(holder_line());
  const std::string before = ask(holder, "read_events", "");
  expect_locked_by(holder);
  EXPECT_EQ(ask(holder, "read_events", ""), before);
  EXPECT_EQ(holder.finish().exit_code, 0);
}

TEST_F(TwoProcessesTest, AWriterThatWaitsGoesOnWhenTheHolderEnds) {
  make_store();
  for (const bool killed : {false, true}) {
    Subprocess holder(holder_line());
    wait_until_open(holder);
    Subprocess waiting(line({"send", "a", "patience", "--wait", "90"}));
    if (killed) holder.send_signal(SIGKILL);
    holder.finish();
    const Finished finished = waiting.finish();
    EXPECT_EQ(finished.exit_code, 0) << finished.errors;
  }
  EXPECT_EQ(lines(done({"transcript", "a", "--json"})).size(), 2U);
}

TEST_F(TwoProcessesTest, AKilledHolderBlocksNobody) {
  make_store();
  Subprocess holder(holder_line());
  EXPECT_TRUE(has(ask(holder, input("before the end")), "\"ok\""));
  holder.send_signal(SIGKILL);
  EXPECT_EQ(holder.finish().exit_code, -SIGKILL);
  EXPECT_TRUE(std::filesystem::exists(lock()));
  done({"send", "a", "behind it"});
  EXPECT_EQ(lines(done({"transcript", "a", "--json"})).size(), 2U);
}

TEST_F(TwoProcessesTest, AStoppedHolderStillHolds) {
  make_store();
  Subprocess holder(holder_line());
  wait_until_open(holder);
  holder.send_signal(SIGSTOP);
  expect_locked_by(holder);
  done({"status"});
  done({"verify"});
  holder.send_signal(SIGCONT);
  EXPECT_TRUE(has(ask(holder, input("awake")), "\"ok\""));
  EXPECT_EQ(holder.finish().exit_code, 0);
}

TEST_F(TwoProcessesTest, ALockFileThatIsRemovedOrReplacedLetsNobodyIn) {
  make_store();
  for (const bool replaced : {false, true}) {
    Subprocess holder(holder_line());
    wait_until_open(holder);
    std::filesystem::remove(lock());
    if (replaced) std::ofstream(lock()) << "pid=1 host=elsewhere\n";
    for (int attempt = 0; attempt < 2; ++attempt) {  // the first may have made a new file
      const Finished refused = cli({"send", "a", "x", "--json"});
      EXPECT_EQ(refused.exit_code, 4);
      EXPECT_TRUE(has(refused.errors, R"("code":"store_locked")"));
    }
    EXPECT_TRUE(has(ask(holder, input("still here")), "\"ok\""));
    EXPECT_EQ(holder.finish().exit_code, 0);
    done({"send", "a", "now it is free"});
  }
  EXPECT_EQ(lines(done({"transcript", "a", "--json"})).size(), 4U);
  done({"verify"});
}

/// Killed and gone, but not waited for yet.
void kill_for_good(const Subprocess& process) {
  process.send_signal(SIGKILL);
  siginfo_t ended{};
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(process.process()), &ended, WEXITED | WNOWAIT), 0);
}

TEST_F(TwoProcessesTest, AChildThatAHolderForkedHoldsUntilItEndsToo) {
  make_store();
  Subprocess holder(driver({"hold", root(), "fork"}));
  ASSERT_EQ(holder.read_line(), "open");
  expect_locked_by(holder);
  ASSERT_NO_FATAL_FAILURE(kill_for_good(holder));
  // It might write yet, for all that one knows of it.
  expect_locked_by(holder);
  done({"status"});
  done({"verify"});
  Subprocess waiting(line({"send", "a", "patience", "--wait", "90"}));
  EXPECT_EQ(holder.finish().exit_code, -SIGKILL);  // the child's input ends, and so does the child
  const Finished finished = waiting.finish();
  EXPECT_EQ(finished.exit_code, 0) << finished.errors;
  EXPECT_EQ(lines(done({"transcript", "a", "--json"})).size(), 1U);
}

TEST_F(TwoProcessesTest, AProgramThatAHolderStartedDoesNotHold) {
  make_store();
  Subprocess holder(driver({"hold", root(), "exec"}));
  ASSERT_EQ(holder.read_line(), "open");
  ASSERT_NO_FATAL_FAILURE(kill_for_good(holder));
  // Until the program has begun, it is a child like any other.
  done({"send", "a", "while it lives", "--wait", "90"});
  EXPECT_EQ(holder.finish().exit_code, -SIGKILL);
}

// ---- what readers see

std::string joined(const std::vector<std::string>& items) {
  std::string text = "[";
  for (const std::string& item : items) text.append(text.size() == 1 ? "" : ",").append(item);
  return text + "]";
}

/// Of a summary: what does not describe who looks.
std::string counts_of(const std::string& summary) {
  const std::size_t first = summary.find("\"status\"");
  const std::size_t last = summary.find("\"diagnostic_count\"");
  EXPECT_NE(last, std::string::npos) << summary;
  return first == std::string::npos ? summary : summary.substr(first, last - first);
}

TEST_F(TwoProcessesTest, ReadsBesideTheWriterAgreeWithItsOwn) {
  const std::uint64_t seed = number_from_environment("WORKER_RUNTIME_SEED", 1);
  SCOPED_TRACE("WORKER_RUNTIME_SEED=" + std::to_string(seed));
  Random random(seed);
  RandomRequests requests(random, {});
  Subprocess holder(holder_line());
  for (int round = 0; round < 4; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    for (int at = 0; at < 25; ++at) ASSERT_NE(ask(holder, requests.next()), "");
    const auto agrees = [&](const Arguments& command, const std::string& own) {
      const std::string items = joined(lines(done(command)));
      EXPECT_TRUE(has(own, items)) << command.front();
    };
    agrees({"events", "--json", "--limit", "256"}, ask(holder, "read_events", ""));
    agrees({"events", "--json", "--limit", "20", "--newest-first"},
           ask(holder, "read_events", R"(,"limit":20,"newest_first":true)"));
    agrees({"list", "--json"}, ask(holder, "list_workers", ""));
    EXPECT_EQ(counts_of(done({"status", "--json"})), counts_of(ask(holder, "summary", "")));
    simdjson::dom::parser parser;
    const std::string list = ask(holder, "list_workers", "");
    for (const simdjson::dom::element worker : parser.parse(list)["ok"]["workers"].get_array()) {
      const std::string id(worker["worker_ref"]["worker_id"].get_string().value());
      const std::string member = R"(,"worker_id":")" + id + "\"";
      agrees({"transcript", id, "--json", "--limit", "256"},
             ask(holder, "read_transcript", member));
      EXPECT_TRUE(
          has(ask(holder, "worker_detail", member), lines(done({"show", id, "--json"})).front()));
    }
    done({"verify"});
  }
  EXPECT_EQ(holder.finish().exit_code, 0);
}

/// A writer that goes on and on, with checkpoints.
class BusyWriter {
 public:
  explicit BusyWriter(const Arguments& line)
      : pipe_(line), thread_([this](auto stop) { work(stop); }) {}

  /// The last event that was answered.
  [[nodiscard]] std::uint64_t acknowledged() const { return acknowledged_; }

  std::uint64_t stop() {
    thread_.request_stop();
    thread_.join();
    EXPECT_EQ(pipe_.finish().exit_code, 0);
    return acknowledged_;
  }

 private:
  void work(const std::stop_token& stop) {
    const std::string request =
        R"({"op":"send_input","worker_id":"a","kind":"user","content":"again and again"})"
        "\n";
    for (int number = 1; !stop.stop_requested(); ++number) {
      pipe_.write(request);
      const std::string answer = pipe_.read_line();
      const std::size_t at = answer.find("\"event_id\":");
      ASSERT_NE(at, std::string::npos) << answer;
      acknowledged_ = std::stoull(answer.substr(at + 11));
      if (number % 300 != 0) continue;
      pipe_.write("{\"op\":\"checkpoint\"}\n");
      ASSERT_TRUE(has(pipe_.read_line(), "\"lsn\""));
    }
  }

  Subprocess pipe_;
  std::atomic<std::uint64_t> acknowledged_ = 0;
  std::jthread thread_;
};

TEST_F(TwoProcessesTest, ReadsDuringWritesAndCheckpointsSeeAConsistentState) {
  make_store();
  BusyWriter writer(holder_line());
  while (writer.acknowledged() == 0) std::this_thread::yield();
  simdjson::dom::parser parser;
  std::uint64_t least = 0;
  for (int round = 0; round < 12; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    least = std::max(least, writer.acknowledged());
    std::uint64_t id = 0;
    for (const std::string& line : lines(done({"events", "--json"}))) {
      ASSERT_EQ(parser.parse(line)["id"].get_uint64().value(), ++id);
    }
    EXPECT_GE(id, least);
    std::uint64_t sequence = 0;
    for (const std::string& line : lines(done({"transcript", "a", "--json"}))) {
      ASSERT_EQ(parser.parse(line)["sequence"].get_uint64().value(), ++sequence);
    }
    // Events 1 and 2 started the Runtime and made the Worker; every other one made an entry.
    EXPECT_GE(sequence + 2, id);
    const std::string shown = done({"show", "a", "--json"});
    EXPECT_GE(parser.parse(shown)["worker"]["transcript_len"].get_uint64().value(), sequence);
    done({"verify"});
  }
  EXPECT_EQ(lines(done({"events", "--json"})).size(), writer.stop());
  done({"verify"});
}

TEST_F(TwoProcessesTest, AReaderThatStaysIsNeverOlderThanItMayBe) {
  make_store();
  BusyWriter writer(holder_line());
  auto reader = fs_store::Reader::open(root());
  ASSERT_TRUE(is_ok(reader));
  std::uint64_t seen = 0;
  for (int round = 0; round < 15; ++round) {
    const std::uint64_t acknowledged = writer.acknowledged();
    // The age that a state may have: what was answered before it began must show.
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    const auto summary = reader->summary();
    ASSERT_TRUE(is_ok(summary));
    EXPECT_GE(summary->event_count, acknowledged);
    EXPECT_GE(summary->event_count, seen);
    seen = summary->event_count;
    EXPECT_EQ(summary->transcript_entry_count + 2, summary->event_count);
  }
  writer.stop();
}

}  // namespace
}  // namespace worker_runtime::testing
