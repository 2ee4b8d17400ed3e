// Random request lines of `pipe`: all mutations, forks, batches, checkpoints, keys that come again,
// and reads among them, which keep groups small.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "support/random.h"

namespace worker_runtime::testing {

class RandomRequests {
 public:
  struct Mix {
    std::uint64_t large_one_in = 0;  ///< Contents of up to 700 KB; 0: none.
    std::uint64_t checkpoint_one_in = 50;
    std::uint64_t delete_percent = 4;
  };

  RandomRequests(Random& random, Mix mix) : random_(random), mix_(mix) {}

  /// A line without its newline.
  std::string next();

 private:
  /// The members of a request: `"op":...`.
  std::string read();
  std::string mutation();
  std::string create();
  std::string fork();
  std::string trim();
  std::string redact();
  std::string entry(std::string_view head);
  std::string with_worker(std::string_view op);
  std::string content();
  std::string perhaps_keyed(std::string members);
  std::string batch();

  Random& random_;
  const Mix mix_;
  std::uint64_t requests_ = 0;
  std::uint64_t contents_ = 0;
  std::uint64_t workers_ = 0;
  std::uint64_t keys_ = 0;
  std::deque<std::string> keyed_;  // mutations with a key, to be sent again
  std::deque<std::string> queued_;
};

}  // namespace worker_runtime::testing
