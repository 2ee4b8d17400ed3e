// One run of pipe: see pipe_session.h.
#include "pipe_session.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <string_view>
#include <system_error>
#include <utility>

#include "worker_runtime/fs_store/fs_store.h"

namespace worker_runtime::cli {
namespace {

using fs_store::answer_line;
using fs_store::error_line;
using fs_store::events_line;

bool is_white_space(std::string_view line) {
  return line.find_first_not_of(" \t\r\v\f") == std::string_view::npos;
}

}  // namespace

void InFlight::begin() {
  const std::lock_guard lock(mutex_);
  ++count_;
}

void InFlight::end() {
  const std::lock_guard lock(mutex_);
  if (--count_ == 0) none_.notify_all();
}

void InFlight::wait_for_none() {
  std::unique_lock lock(mutex_);
  none_.wait(lock, [this] { return count_ == 0; });
}

PipeSession::PipeSession(Runtime& runtime, RuntimeId runtime_id)
    : runtime_(runtime), parser_(std::move(runtime_id)), answers_([this] { input_.end(); }) {}

PipeSession::Ended PipeSession::run() {
  LineReader lines(input_);
  while (auto line = lines.next()) {
    if (!line->too_long && is_white_space(line->text)) continue;
    if (!answers_.reserve(line->text.size())) break;
    serve(*line);
  }
  in_flight_.wait_for_none();
  stop_.request_stop();
  waits_.clear();
  Ended ended{lines.system_error(), answers_.drain()};
  if (ended.output_error == 0 && lines.is_output_lost()) ended.output_error = EPIPE;
  return ended;
}

void PipeSession::serve(const LineReader::Line& line) {
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
  // A fork reads the history before it writes it, and so waits like a read.
  answers_.answer(slot, fs_store::answer_request(runtime_, std::move(request)));
}

void PipeSession::submit(const AnswerQueue::SlotPointer& slot, std::string id, Mutation mutation) {
  in_flight_.begin();
  runtime_.submit(std::move(mutation),
                  [this, slot, id = std::move(id)](const Result<Answer>& answer) {
                    answers_.answer(slot, answer_line(id, answer));
                    in_flight_.end();
                  });
}

void PipeSession::submit(const AnswerQueue::SlotPointer& slot, std::string id,
                         fs_store::BatchRequest batch) {
  in_flight_.begin();
  runtime_.submit_batch(std::move(batch.operations),
                        [this, slot, id = std::move(id)](const Result<std::vector<Answer>>& all) {
                          answers_.answer(slot, answer_line(id, all));
                          in_flight_.end();
                        });
}

void PipeSession::wait_events(const AnswerQueue::SlotPointer& slot, const std::string& id,
                              const fs_store::WaitEventsRequest& request) {
  // First without waiting, here: so a cursor is judged by what came before it, not by what a later
  // request makes of it in the meantime.
  auto at_once =
      runtime_.wait_events(request.from, std::chrono::milliseconds(0), {}, request.limit);
  if (!at_once || !at_once->events.empty() || request.timeout_ms == 0) {
    return answers_.answer(slot, events_line(id, at_once));
  }
  // Threads of waits that are over are let go: at most as many run as requests may be in flight.
  std::erase_if(waits_, [](const Wait& wait) { return wait.done->load(); });
  Wait& wait = waits_.emplace_back();
  try {
    wait.thread = std::jthread([this, slot, id, request, done = wait.done] {
      auto page =
          runtime_.wait_events(request.from, request.timeout(), stop_.get_token(), request.limit);
      answers_.answer(slot, events_line(id, page));
      *done = true;
    });
  } catch (const std::system_error&) {
    // The system has no more threads.
    waits_.pop_back();
    const Error error(ErrorCode::limit_exceeded, "too many requests wait for events",
                      LimitFields{"waits", waits_.size() + 1, waits_.size()});
    answers_.answer(slot, error_line(id, error));
  }
}

}  // namespace worker_runtime::cli
