// What a store must hold after a crash: the ledger of the requests that a `pipe` was sent and of
// those that it answered, checked against the store that was reopened.
//
// The oracle is a Runtime in memory that is given the same requests. `pipe` executes requests in
// their order, so the state of a store that lost nothing is the one after some prefix of what was
// sent: all that was answered, and as many of the rest as the store's number of events says. The
// answers that came, and everything that can be read of the reopened store, must be what the oracle
// answers, times and epochs left out. Whatever is missing, doubled, out of order or half done
// differs. Trims make no event: those behind the last event that is there may be done or not.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "line_server.h"
#include "support/subprocess.h"
#include "worker_runtime/runtime.h"

namespace worker_runtime::testing {

/// The checks answer what is wrong, or nothing: so a test can show that they can fail.
class Ledger {
 public:
  Ledger();

  /// A request line, without its newline.
  void sent(std::string request);
  /// The answer to the first request that has none yet.
  std::string answered(std::string_view answer);
  /// The same where calls of the system may fail: a request that got `store_io` or `store_full` did
  /// nothing, and of one that got `store_failed` settle() finds out.
  std::string answered_or_failed(std::string_view answer);
  [[nodiscard]] std::size_t unanswered() const { return unanswered_.size(); }

  /// Checks the store that a `pipe` has just opened: finds out which of the unanswered requests it
  /// holds, and compares everything. The rest counts as never sent.
  std::string settle(Subprocess& pipe);
  /// Of the last settle(): unanswered requests that the store held, as far as they made events.
  [[nodiscard]] std::size_t survived() const { return survived_; }

 private:
  std::uint64_t event_count() const;
  std::string take_answer(const std::string& request, std::string_view answer);
  std::string advance_to(std::uint64_t event_count);
  bool advance_without_an_event();
  std::string compare(Subprocess& pipe);
  std::vector<std::string> reads_of_everything() const;

  Runtime runtime_;
  LineServer oracle_;
  std::deque<std::string> unanswered_;
  std::deque<std::string> in_doubt_;  // came before all of unanswered_
  std::size_t survived_ = 0;
};

}  // namespace worker_runtime::testing
