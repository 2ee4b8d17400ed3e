// Random requests to a `pipe` that dies in the middle of them, and what the ledger learns of that.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "ledger.h"
#include "random_requests.h"
#include "support/random.h"
#include "support/subprocess.h"

namespace worker_runtime::testing {

/// How the ledger takes an answer: `answered`, or where calls may fail, `answered_or_failed`.
using TakeAnswer = std::string (Ledger::*)(std::string_view);

/// Sends up to `requests_max` requests and 20, waits for the answers to some, calls `happens`,
/// kills, and tells the ledger of the lines that went in and of the answers that came.
void work_until_killed(Subprocess& pipe, RandomRequests& requests, std::uint64_t requests_max,
                       Random& random, Ledger& ledger, TakeAnswer take_answer,
                       const std::function<void()>& happens);

}  // namespace worker_runtime::testing
