// One run of `pipe`: requests from standard input against one open Runtime, answers in their order.
//
// Mutations are submitted without waiting, so that what arrives during a sync shares the next one.
// A read waits until all earlier mutations are answered: it sees them, and nothing later, since
// requests are served one by one. wait_events waits on a thread of its own and holds up only the
// answers behind it.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>

#include "pipe_answers.h"
#include "pipe_lines.h"
#include "streams.h"
#include "worker_runtime/fs_store/json.h"
#include "worker_runtime/runtime.h"

namespace worker_runtime::cli {

/// Counts mutations that are not answered yet.
class InFlight {
 public:
  void begin();
  void end();
  void wait_for_none();

 private:
  std::mutex mutex_;
  std::condition_variable none_;
  std::uint64_t count_ = 0;
};

class PipeSession {
 public:
  PipeSession(Runtime& runtime, RuntimeId runtime_id);

  /// How the session ended: errno of the read or write that failed, or 0.
  struct Ended {
    int input_error = 0;
    int output_error = 0;
  };
  /// To the end of input, a signal, or the loss of the output.
  Ended run();

 private:
  struct Wait {
    std::shared_ptr<std::atomic<bool>> done = std::make_shared<std::atomic<bool>>(false);
    std::jthread thread;
  };

  void serve(const LineReader::Line& line);
  void submit(const AnswerQueue::SlotPointer& slot, std::string id, Mutation mutation);
  void submit(const AnswerQueue::SlotPointer& slot, std::string id, fs_store::BatchRequest batch);
  void wait_events(const AnswerQueue::SlotPointer& slot, const std::string& id,
                   const fs_store::WaitEventsRequest& request);

  Runtime& runtime_;
  fs_store::RequestParser parser_;
  InputWait input_;
  AnswerQueue answers_;
  InFlight in_flight_;
  std::stop_source stop_;  // at the end of input waits return
  std::list<Wait> waits_;
};

}  // namespace worker_runtime::cli
