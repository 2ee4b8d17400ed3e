// What a store must hold after a crash: see ledger.h.
#include "ledger.h"

#include <simdjson.h>

#include <optional>
#include <utility>

#include "support/domain.h"

namespace worker_runtime::testing {
namespace {

/// Takes out what differs between two runs of the same requests. A quote inside a JSON string is
/// escaped, so these can only be members.
std::string comparable(std::string_view line) {
  std::string text(line);
  constexpr std::string_view time = "at\":\"";
  for (std::size_t at = text.find(time); at != std::string::npos; at = text.find(time, at)) {
    at += time.size();
    text.erase(at, text.find('"', at) - at);
  }
  for (const std::string_view number : {"\"epoch\":", "\"lsn\":"}) {
    for (std::size_t at = text.find(number); at != std::string::npos; at = text.find(number, at)) {
      at += number.size();
      text.erase(at, text.find_first_not_of("0123456789", at) - at);
    }
  }
  // The summary: what stands before and behind describes the store.
  const std::size_t first = text.find("\"summary\":{");
  if (first != std::string::npos) {
    text.erase(text.find(",\"diagnostic_count\""));
    text.erase(first, text.find("\"status\"") - first);
  }
  return text;
}

std::string shortened(std::string_view text) {
  constexpr std::size_t most = 300;
  return text.size() <= most ? std::string(text) : std::string(text.substr(0, most)) + "...";
}

/// The place where two lines begin to differ, with a little before it.
std::string difference(std::string_view request, std::string_view wanted, std::string_view got) {
  std::size_t at = 0;
  while (at < wanted.size() && at < got.size() && wanted[at] == got[at]) ++at;
  const std::size_t from = at < 100 ? 0 : at - 100;
  return "to " + shortened(request) + "\n  wanted: " + shortened(wanted.substr(from)) +
         "\n  got:    " + shortened(got.substr(std::min(from, got.size())));
}

std::optional<std::uint64_t> event_count_of(const std::string& summary_line) {
  simdjson::dom::parser parser;
  simdjson::dom::element answer;
  std::uint64_t count = 0;
  if (parser.parse(summary_line).get(answer) != simdjson::SUCCESS) return std::nullopt;
  if (answer["ok"]["summary"]["event_count"].get(count) != simdjson::SUCCESS) return std::nullopt;
  return count;
}

std::string read_request(std::string_view op, std::string_view members) {
  return R"({"id":"read","op":")" + std::string(op) + "\"" + std::string(members) + "}";
}

std::string member(std::string_view name, const WorkerId& worker_id) {
  std::string text = ",\"" + std::string(name) + "\":";
  fs_store::append_json_string(text, worker_id.text());
  return text;
}

}  // namespace

Ledger::Ledger()
    : runtime_(Runtime::in_memory(runtime_id("main")).value()),
      oracle_(runtime_, runtime_id("main")) {}

void Ledger::sent(std::string request) { unanswered_.push_back(std::move(request)); }

std::string Ledger::answered(std::string_view answer) {
  if (unanswered_.empty()) return "an answer to no request: " + shortened(answer);
  const std::string request = std::move(unanswered_.front());
  unanswered_.pop_front();
  return take_answer(request, answer);
}

std::string Ledger::answered_or_failed(std::string_view answer) {
  constexpr std::string_view error = R"(,"error":{"code":"store_)";
  // A quote inside a JSON string is escaped: this can only be the answer's own member.
  const std::size_t at = answer.find(error);
  if (at == std::string_view::npos || unanswered_.empty()) return answered(answer);
  const std::string_view code = answer.substr(at + error.size());
  const bool is_in_doubt = code.starts_with("failed\"");
  if (!is_in_doubt && !code.starts_with("io\"") && !code.starts_with("full\""))
    return "not an error of a call that failed: " + shortened(answer);
  if (is_in_doubt) in_doubt_.push_back(std::move(unanswered_.front()));
  unanswered_.pop_front();
  return "";
}

std::string Ledger::take_answer(const std::string& request, std::string_view answer) {
  const std::string wanted = comparable(oracle_.answer(request));
  const std::string got = comparable(answer);
  return wanted == got ? "" : difference(request, wanted, got);
}

std::uint64_t Ledger::event_count() const { return runtime_.summary().value().event_count; }

std::string Ledger::advance_to(std::uint64_t wanted) {
  survived_ = 0;
  unanswered_.insert(unanswered_.begin(), in_doubt_.begin(), in_doubt_.end());
  in_doubt_.clear();
  while (event_count() < wanted && !unanswered_.empty()) {
    oracle_.answer(unanswered_.front());
    unanswered_.pop_front();
    ++survived_;
  }
  if (event_count() == wanted) return "";
  return "the store has " + std::to_string(wanted) +
         " events, but the requests that it was sent make " + std::to_string(event_count());
}

std::vector<std::string> Ledger::reads_of_everything() const {
  std::vector<std::string> reads{read_request("summary", "")};
  EventQuery events;
  EventPage page_of_events;
  do {
    reads.push_back(read_request(
        "read_events", events.from ? ",\"from\":" + std::to_string(events.from->value) : ""));
    page_of_events = runtime_.read_events(events).value();
    events.from = page_of_events.next;
  } while (page_of_events.has_more);
  ListQuery query;
  do {
    reads.push_back(
        read_request("list_workers", query.after ? member("after", *query.after) : std::string()));
    const WorkerPage page = runtime_.list_workers(query).value();
    query.after = page.next_after;
    for (const WorkerSummary& worker : page.workers) {
      const std::string name = member("worker_id", worker.worker_ref.worker_id);
      reads.push_back(read_request("worker_detail", name));
      TranscriptQuery entries;
      do {
        reads.push_back(read_request(
            "read_transcript",
            entries.start ? name + ",\"start\":" + std::to_string(*entries.start) : name));
        entries.start = runtime_.read_transcript(worker.worker_ref, entries).value().next;
      } while (entries.start);
    }
  } while (query.after);
  return reads;
}

/// Executes what was sent up to the next trim or redaction; false: there is none before the next
/// event.
bool Ledger::advance_without_an_event() {
  const std::uint64_t count = event_count();
  while (!unanswered_.empty() && event_count() == count) {
    const std::string request = std::move(unanswered_.front());
    unanswered_.pop_front();
    oracle_.answer(request);
    // A quote inside a JSON string is escaped, so this can only be the operation.
    for (const std::string_view operation : {R"("op":"trim_)", R"("op":"redact")"}) {
      if (request.find(operation) != std::string::npos) return true;
    }
  }
  return false;
}

std::string Ledger::settle(Subprocess& pipe) {
  pipe.write(read_request("summary", "") + "\n");
  const std::string summary = pipe.read_line();
  const auto count = event_count_of(summary);
  if (!count) return "no summary: " + summary + pipe.finish().errors;
  std::string problem = advance_to(*count);
  if (!problem.empty()) return problem;
  problem = compare(pipe);
  const std::string first_problem = problem;
  while (!problem.empty() && advance_without_an_event()) problem = compare(pipe);
  // Refusals and repetitions leave nothing behind: whether they were executed can't be told.
  unanswered_.clear();
  return problem.empty() ? "" : first_problem;
}

std::string Ledger::compare(Subprocess& pipe) {
  const std::vector<std::string> reads = reads_of_everything();
  std::string requests;
  for (const std::string& read : reads) requests.append(read).append("\n");
  pipe.write(requests);
  std::string problem;
  // All answers are taken, whatever the first ones say: they would be in the way of the next reads.
  for (const std::string& read : reads) {
    const std::string wanted = comparable(oracle_.answer(read));
    const std::string got = comparable(pipe.read_line());
    if (wanted != got && problem.empty()) problem = difference(read, wanted, got);
  }
  return problem;
}

}  // namespace worker_runtime::testing
