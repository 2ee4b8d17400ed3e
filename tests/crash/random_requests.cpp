// Random request lines: see random_requests.h.
#include "random_requests.h"

#include <algorithm>
#include <utility>

namespace worker_runtime::testing {
namespace {
constexpr std::size_t keyed_kept = 64;
constexpr std::uint64_t newest_workers = 6;
}  // namespace

std::string RandomRequests::next() {
  std::string members;
  if (!queued_.empty()) {
    members = std::move(queued_.front());
    queued_.pop_front();
  } else if (random_.one_in(mix_.checkpoint_one_in)) {
    members = R"("op":"checkpoint")";
  } else if (workers_ < 3) {
    members = create();
  } else if (random_.one_in(8)) {
    members = read();
  } else {
    members = random_.one_in(12) ? batch() : mutation();
  }
  return "{\"id\":" + std::to_string(++requests_) + "," + members + "}";
}

std::string RandomRequests::read() {
  switch (random_.below(4)) {
    case 0:
      return R"("op":"summary")";
    case 1:
      return R"("op":"read_events","limit":3,"newest_first":true)";
    case 2:
      return with_worker("worker_detail");
    default:
      return with_worker("read_transcript") + R"(,"limit":2,"newest_first":true)";
  }
}

std::string RandomRequests::mutation() {
  if (!keyed_.empty() && random_.one_in(12)) return keyed_[random_.below(keyed_.size())];
  const std::uint64_t dice = random_.below(100);
  if (dice < 8) return create();
  if (dice < 50) return entry(R"("op":"send_input","kind":"user")");
  if (dice < 82) return entry(R"("op":"append_output","role":"tool","usage":{"tokens":3})");
  if (dice < 84) return fork();
  if (dice < 86) return random_.one_in(3) ? redact() : trim();
  if (dice < 90) return with_worker("stop_worker") + R"(,"reason":"enough of it")";
  if (dice < 93) return with_worker("cancel_worker");
  if (dice < 93 + mix_.delete_percent) return with_worker("delete_worker");
  if (dice < 98 || !random_.one_in(4)) return entry(R"("op":"send_input","kind":"system")");
  // What comes behind it is refused until it is started again, and then Workers are missing.
  for (std::uint64_t refused = random_.below(5); refused > 0; --refused)
    queued_.push_back(with_worker("stop_worker"));
  queued_.emplace_back(R"("op":"start_runtime")");
  for (std::uint64_t at = 0; at < newest_workers; ++at) queued_.push_back(create());
  return R"("op":"stop_runtime")";
}

std::string RandomRequests::create() {
  std::string members = R"("op":"create_worker","intent":{"kind":"task","objective":"goal )" +
                        std::to_string(workers_) + "\"}";
  // Some get a generated id, which nothing else here names.
  if (!random_.one_in(8)) members += R"(,"worker_id":"w)" + std::to_string(workers_++) + "\"";
  if (random_.one_in(3)) members += R"(,"display_name":"Ada \u2603")";
  return perhaps_keyed(std::move(members));
}

std::string RandomRequests::fork() {
  std::string members = with_worker("fork_worker") + ",\"at\":" + std::to_string(random_.below(8));
  if (!random_.one_in(8)) members += R"(,"as":"w)" + std::to_string(workers_++) + "\"";
  return perhaps_keyed(std::move(members));
}

/// Some of these numbers are behind the end, or let nothing go.
std::string RandomRequests::trim() {
  if (!random_.one_in(3))
    return with_worker("trim_transcript") + ",\"before\":" + std::to_string(random_.below(10));
  return R"("op":"trim_events","before":)" + std::to_string(random_.below(requests_ + 1));
}

std::string RandomRequests::redact() {
  return with_worker("redact") + ",\"sequence\":" + std::to_string(random_.below(8));
}

std::string RandomRequests::with_worker(std::string_view op) {
  const std::uint64_t back =
      random_.below(std::min(newest_workers, std::max(workers_, std::uint64_t{1}))) + 1;
  return "\"op\":\"" + std::string(op) + R"(","worker_id":"w)" +
         std::to_string(workers_ < back ? 0 : workers_ - back) + "\"";
}

/// What has a key may come again.
std::string RandomRequests::perhaps_keyed(std::string members) {
  if (!random_.one_in(3)) return members;
  members += ",\"idempotency_key\":\"key " + std::to_string(++keys_) + "\"";
  keyed_.push_back(members);
  if (keyed_.size() > keyed_kept) keyed_.pop_front();
  return members;
}

std::string RandomRequests::content() {
  // Each content is another, so that one that comes twice is seen.
  std::string text = "text " + std::to_string(++contents_) + " ";
  if (mix_.large_one_in != 0 && random_.one_in(mix_.large_one_in)) {
    return text.append(random_.one_in(8) ? 700'000 : random_.below(100'000) + 1, 'L');
  }
  if (random_.one_in(6)) text += R"(\u0000 \" \\ \n \u2028 \ud83d\ude00)";
  return text.append(random_.below(200), 'x');
}

std::string RandomRequests::entry(std::string_view head) {
  const std::string worker = with_worker("");
  std::string members =
      std::string(head) + worker.substr(worker.find(',')) + ",\"content\":\"" + content() + "\"";
  return perhaps_keyed(std::move(members));
}

std::string RandomRequests::batch() {
  std::string members = R"("op":"batch","ops":[)";
  for (std::uint64_t count = random_.below(6) + 1; count > 0; --count) {
    members += members.back() == '[' ? "{" : ",{";
    members += random_.one_in(20) ? create() : entry(R"("op":"send_input","kind":"user")");
    members += "}";
  }
  return members + "]";
}

}  // namespace worker_runtime::testing
