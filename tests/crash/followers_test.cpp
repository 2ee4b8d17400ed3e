// Processes that follow a store while its writers checkpoint, drop segments, close parts of logs,
// and are killed: each sees everything once, in its order, and no damage.
#include <gtest/gtest.h>
#include <simdjson.h>

#include <atomic>
#include <csignal>
#include <future>
#include <optional>
#include <string>
#include <vector>

#include "driver.h"
#include "support/cli_fixture.h"

namespace worker_runtime::testing {
namespace {

using cli::Arguments;
using cli::has;

constexpr std::uint64_t entries_each = 900;
/// The start of the Runtime and the making of the Worker.
constexpr std::uint64_t events_before = 2;

std::string content_of(std::uint64_t number) {
  return "entry " + std::to_string(number) + std::string(number % 40, '.');
}

/// A process that shows items until it is interrupted. Asked for nothing, it writes until its pipe
/// is full, and then pages from where it stands.
class Follower {
 public:
  explicit Follower(const Arguments& line) : process_(line) {}

  /// The next item.
  std::optional<simdjson::dom::element> next() {
    const std::string line = process_.read_line(std::chrono::seconds(90));
    simdjson::dom::element item;
    if (!line.empty() && parser_.parse(line).get(item) == simdjson::SUCCESS) return item;
    ADD_FAILURE() << "no item: " << line << "\n" << process_.finish().errors;
    return std::nullopt;
  }
  void expect_the_end() {
    process_.send_signal(SIGINT);
    const Finished finished = process_.finish();
    EXPECT_EQ(finished.output, "");
    EXPECT_EQ(finished.errors, "");
    EXPECT_EQ(finished.exit_code, 0);
  }

 private:
  Subprocess process_;
  simdjson::dom::parser parser_;
};

class FollowersTest : public cli::CliTest {
 protected:
  [[nodiscard]] Arguments events_line() const { return line({"events", "--follow", "--json"}); }
  [[nodiscard]] Arguments transcript_line() const {
    return line({"transcript", "a", "--follow", "--json"});
  }

  static void expect_all_events(Follower& follower) {
    for (std::uint64_t id = 1; id <= entries_each + events_before; ++id) {
      const auto event = follower.next();
      ASSERT_TRUE(event);
      ASSERT_EQ((*event)["id"].get_uint64().value(), id);
      if (id <= events_before) continue;
      ASSERT_EQ((*event)["sequence"].get_uint64().value(), id - events_before);
    }
    follower.expect_the_end();
  }
  static void expect_all_entries(Follower& follower) {
    for (std::uint64_t number = 1; number <= entries_each; ++number) {
      const auto entry = follower.next();
      ASSERT_TRUE(entry);
      ASSERT_EQ((*entry)["sequence"].get_uint64().value(), number);
      ASSERT_EQ((*entry)["content"].get_string().value(), content_of(number));
    }
    follower.expect_the_end();
  }

  /// The requests from this entry on. Those that an earlier writer has done do nothing.
  static std::string requests_from(std::uint64_t number) {
    std::string text;
    for (; number <= entries_each; ++number) {
      text += R"({"op":"send_input","worker_id":"a","kind":"user","idempotency_key":"key )" +
              std::to_string(number) + R"(","content":")" + content_of(number) + "\"}\n";
    }
    return text;
  }

  /// One writer after the other, each killed with requests unanswered but for the last.
  void write() const {
    std::uint64_t answered = 0;
    for (const bool is_last : {false, false, true}) {
      Subprocess writer(driver({"pipe", root()}));
      const std::uint64_t left = entries_each - answered;
      writer.write_until(requests_from(answered + 1), is_last ? left : left / 4);
      if (!is_last) writer.send_signal(SIGKILL);
      const Finished finished = writer.finish();
      EXPECT_EQ(finished.exit_code, is_last ? 0 : -SIGKILL) << finished.errors;
      const std::vector<std::string> answers = lines(finished.output);
      for (const std::string& answer : answers) {
        if (!answer.ends_with("}}")) break;  // cut off by the kill
        EXPECT_TRUE(has(answer, "\"sequence\":" + std::to_string(++answered) + ","));
      }
    }
    EXPECT_EQ(answered, entries_each);
  }

  /// What a process shows that comes and goes.
  void look_in(std::uint64_t& seen) const {
    simdjson::dom::parser parser;
    const std::string list = done({"list", "--json"});
    const std::uint64_t length = parser.parse(list)["transcript_len"].get_uint64().value();
    EXPECT_GE(length, seen);
    std::uint64_t number = 0;
    const std::vector<std::string> newest =
        lines(done({"transcript", "a", "--json", "--newest-first", "--limit", "60"}));
    for (const std::string& text : newest) {
      const auto entry = parser.parse(text);
      const std::uint64_t sequence = entry["sequence"].get_uint64().value();
      EXPECT_TRUE(number == 0 || sequence + 1 == number);
      EXPECT_EQ(entry["content"].get_string().value(), content_of(sequence));
      if (number == 0) {
        EXPECT_GE(sequence, length);
      }
      number = sequence;
    }
    seen = length;
  }
};

TEST_F(FollowersTest, SeeEverythingOnceWhileWritersComeAndGo) {
  make_store();
  Follower events(events_line());
  Follower transcript(transcript_line());
  // Nobody reads these before the end: most of what they show has left the journal by then.
  Follower late_events(events_line());
  Follower late_transcript(transcript_line());
  std::atomic<bool> is_written = false;
  auto writing = std::async(std::launch::async, [&] {
    write();
    is_written = true;
  });
  auto following = std::async(std::launch::async, [&] { expect_all_events(events); });
  auto reading = std::async(std::launch::async, [&] { expect_all_entries(transcript); });
  std::uint64_t seen = 0;
  while (!is_written) look_in(seen);
  writing.get();
  following.get();
  reading.get();
  expect_all_events(late_events);
  expect_all_entries(late_transcript);
  look_in(seen);
  EXPECT_EQ(seen, entries_each);
  done({"verify"});
}

}  // namespace
}  // namespace worker_runtime::testing
