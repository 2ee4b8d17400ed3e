// pipe: drives one open Runtime over standard input and output. One request a line, one answer a
// line, in order.
//
// Mutations are submitted without waiting, so that what arrives during a sync shares the next one.
// A read waits until all earlier mutations are answered: it sees them, and nothing later, since
// input is read one by one. wait_events runs on a thread of its own and holds up only the answers
// behind it.
#include <chrono>
#include <condition_variable>
#include <list>
#include <mutex>
#include <stop_token>
#include <thread>

#include <CLI/CLI.hpp>

#include "answer_queue.h"
#include "line_reader.h"
#include "options.h"
#include "output.h"
#include "worker_runtime/fs_store/fs_store.h"
#include "worker_runtime/fs_store/json.h"

namespace worker_runtime::cli {
namespace {

std::string ok_line(const std::string& id, std::string_view ok) {
  std::string line = "{\"id\":" + id + ",\"ok\":";
  line.append(ok).append("}\n");
  return line;
}

std::string error_line(const std::string& id, const Error& error) {
  std::string line = "{\"id\":" + id + ",\"error\":";
  fs_store::append_json(line, error);
  return line + "}\n";
}

template <typename Value>
std::string answer_line(const std::string& id, const Result<Value>& result) {
  if (!result) return error_line(id, result.error());
  std::string ok;
  fs_store::append_json(ok, *result);
  return ok_line(id, ok);
}

/// Counts mutations that are not answered yet.
class InFlight {
 public:
  void begin() {
    const std::lock_guard lock(mutex_);
    ++count_;
  }
  void end() {
    const std::lock_guard lock(mutex_);
    if (--count_ == 0) none_.notify_all();
  }
  void wait_for_none() {
    std::unique_lock lock(mutex_);
    none_.wait(lock, [this] { return count_ == 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable none_;
  std::uint64_t count_ = 0;
};

class Pipe {
 public:
  Pipe(Runtime& runtime, RuntimeId runtime_id)
      : runtime_(runtime), parser_(std::move(runtime_id)) {}

  /// To the end of input. False if the output went away.
  bool run() {
    LineReader lines;
    while (auto line = lines.next()) {
      if (!line->too_long && line->text.find_first_not_of(" \t\r\v\f") == std::string_view::npos)
        continue;
      if (!answers_.reserve(line->text.size())) break;
      serve(*line);
    }
    in_flight_.wait_for_none();
    // At the end of input waits return with what there is.
    stop_.request_stop();
    waits_.clear();
    return answers_.drain();
  }

 private:
  void serve(const LineReader::Line& line) {
    const AnswerQueue::SlotPointer slot = answers_.open(line.text.size());
    if (line.too_long) {
      const Error error(ErrorCode::invalid_request, "the line is longer than 64 MiB");
      return answers_.answer(slot, error_line("null", error));
    }
    fs_store::Request request = parser_.parse(line.text);
    if (!request.body) return answers_.answer(slot, error_line(request.id, request.body.error()));
    if (auto* const mutation = std::get_if<Mutation>(&*request.body)) {
      return submit(slot, std::move(request.id), std::move(*mutation));
    }
    if (auto* const batch = std::get_if<fs_store::BatchRequest>(&*request.body)) {
      return submit(slot, std::move(request.id), std::move(*batch));
    }
    in_flight_.wait_for_none();
    if (const auto* const wait = std::get_if<fs_store::WaitEventsRequest>(&*request.body)) {
      return wait_events(slot, request.id, *wait);
    }
    answers_.answer(slot, read(request.id, *request.body));
  }

  void submit(const AnswerQueue::SlotPointer& slot, std::string id, Mutation mutation) {
    in_flight_.begin();
    runtime_.submit(std::move(mutation),
                    [this, slot, id = std::move(id)](const Result<Answer>& answer) {
                      answers_.answer(slot, answer_line(id, answer));
                      in_flight_.end();
                    });
  }

  void submit(const AnswerQueue::SlotPointer& slot, std::string id, fs_store::BatchRequest batch) {
    in_flight_.begin();
    runtime_.submit_batch(
        std::move(batch.operations),
        [this, slot, id = std::move(id)](const Result<std::vector<Answer>>& results) {
          answers_.answer(slot, batch_line(id, results));
          in_flight_.end();
        });
  }

  static std::string batch_line(const std::string& id, const Result<std::vector<Answer>>& results) {
    if (!results) return error_line(id, results.error());
    std::string ok = "{\"results\":[";
    for (const Answer& answer : *results) {
      if (ok.back() != '[') ok += ',';
      fs_store::append_json(ok, answer);
    }
    return ok_line(id, ok + "]}");
  }

  void wait_events(const AnswerQueue::SlotPointer& slot, const std::string& id,
                   const fs_store::WaitEventsRequest& request) {
    // Threads of waits that are over are let go: at most as many run as requests may be in flight.
    std::erase_if(waits_, [](const Wait& wait) { return wait.done->load(); });
    Wait& wait = waits_.emplace_back();
    wait.thread = std::jthread([this, slot, id, request, done = wait.done] {
      constexpr std::uint64_t longest_ms = std::uint64_t{365} * 24 * 3600 * 1000;
      const std::chrono::milliseconds timeout(std::min(request.timeout_ms, longest_ms));
      answers_.answer(slot,
                      answer_line(id, runtime_.wait_events(request.from, timeout, stop_.get_token(),
                                                           request.limit)));
      *done = true;
    });
  }

  std::string read(const std::string& id, const fs_store::RequestBody& body) {
    if (const auto* const list = std::get_if<fs_store::ListRequest>(&body)) {
      return answer_line(id, runtime_.list_workers(list->query));
    }
    if (const auto* const detail = std::get_if<fs_store::WorkerDetailRequest>(&body)) {
      auto found = runtime_.worker_detail(detail->worker_ref);
      return answer_line(
          id, found ? Result<Answer>(Answer(std::move(*found))) : std::move(found).error());
    }
    if (std::holds_alternative<fs_store::SummaryRequest>(body)) {
      auto summary = runtime_.summary();
      if (!summary) return error_line(id, summary.error());
      std::string ok = "{\"summary\":";
      fs_store::append_json(ok, *summary);
      return ok_line(id, ok + "}");
    }
    if (std::holds_alternative<fs_store::VersionRequest>(body)) {
      return ok_line(id, "{\"version\":\"" + std::string(version()) +
                             "\",\"format\":" + std::to_string(fs_store::schema_version) + "}");
    }
    if (const auto* const diagnostics = std::get_if<fs_store::DiagnosticsRequest>(&body)) {
      return answer_line(id, runtime_.diagnostics(diagnostics->after, diagnostics->limit));
    }
    if (const auto* const events = std::get_if<EventQuery>(&body))
      return answer_line(id, runtime_.read_events(*events));
    if (const auto* const transcript = std::get_if<fs_store::ReadTranscriptRequest>(&body)) {
      return answer_line(id, runtime_.read_transcript(transcript->worker_ref, transcript->query));
    }
    auto lsn = runtime_.checkpoint();
    if (!lsn) return error_line(id, lsn.error());
    return ok_line(id, "{\"lsn\":" + std::to_string(lsn->value) + "}");
  }

  struct Wait {
    std::shared_ptr<std::atomic<bool>> done = std::make_shared<std::atomic<bool>>(false);
    std::jthread thread;
  };

  Runtime& runtime_;
  fs_store::RequestParser parser_;
  AnswerQueue answers_;
  InFlight in_flight_;
  std::stop_source stop_;
  std::list<Wait> waits_;
};

Result<Runtime> open_memory(const Options& options) {
  auto runtime_id = runtime_of(options);
  if (!runtime_id) return std::move(runtime_id).error();
  auto opening = runtime_options(options);
  if (!opening) return std::move(opening).error();
  return Runtime::in_memory(*runtime_id ? **runtime_id : *RuntimeId::parse("main"),
                            std::move(*opening));
}

Exit pipe(const Options& options, bool memory) {
  auto runtime = memory ? open_memory(options) : open_for_writing(options, Create::yes);
  if (!runtime) return report(options, runtime.error());
  auto summary = runtime->summary();
  if (!summary) return report(options, summary.error());
  const bool written = Pipe(*runtime, summary->runtime_id).run();
  auto closed = runtime->close();
  if (!closed) return report(options, closed.error());
  return written ? Exit::done : Exit::refused;
}

}  // namespace

void add_pipe(CLI::App& app, Options& options, Run& run) {
  CLI::App* const command = app.add_subcommand("pipe", "serve JSON requests from standard input");
  auto memory = std::make_shared<bool>(false);
  command->add_flag("--memory", *memory, "drive a runtime in memory");
  add_writer_options(*command, options);
  command->callback(
      [&options, &run, memory] { run = [&options, memory] { return pipe(options, *memory); }; });
}

}  // namespace worker_runtime::cli
