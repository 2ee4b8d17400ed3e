// A `pipe` that dies at work: see interrupted_work.h.
#include "interrupted_work.h"

#include <gtest/gtest.h>

#include <csignal>
#include <utility>
#include <vector>

namespace worker_runtime::testing {
namespace {

/// The last line may have been cut off: that is no answer.
void take_answers(std::string_view output, Ledger& ledger, TakeAnswer take_answer) {
  for (std::size_t end = output.find('\n'); end != std::string_view::npos;
       end = output.find('\n')) {
    ASSERT_EQ((ledger.*take_answer)(output.substr(0, end)), "");
    output.remove_prefix(end + 1);
  }
}

}  // namespace

void work_until_killed(Subprocess& pipe, RandomRequests& requests, std::uint64_t requests_max,
                       Random& random, Ledger& ledger, TakeAnswer take_answer,
                       const std::function<void()>& happens) {
  const std::uint64_t count = random.below(requests_max) + 20;
  std::vector<std::string> lines;
  std::string text;
  for (std::uint64_t at = 0; at < count; ++at) {
    lines.push_back(requests.next());
    text.append(lines.back()).append("\n");
  }
  std::size_t went_in = pipe.write_until(text, random.below(count / 2));
  happens();
  pipe.send_signal(SIGKILL);
  const Finished finished = pipe.finish();
  ASSERT_EQ(finished.exit_code, -SIGKILL) << finished.errors;
  for (std::string& line : lines) {
    if (went_in < line.size() + 1) break;  // nothing executes what has no newline
    went_in -= line.size() + 1;
    ledger.sent(std::move(line));
  }
  take_answers(finished.output, ledger, take_answer);
}

}  // namespace worker_runtime::testing
