// What a RequestHost is: the thread that serves requests. requests.h says what they are,
// request_names.h how they are called.
//
// A request is removed before it is done, never after. Of the host that takes it and the client
// that withdraws it only one can remove the file, so both know whether it will be done; and a host
// that dies leaves nothing that would be done twice. Answers are no promise of the store: what they
// tell is durable in the journal, they themselves are not synced.
#pragma once

#include <chrono>
#include <deque>
#include <future>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>

#include "file_system.h"
#include "worker_runtime/fs_store/json.h"
#include "worker_runtime/fs_store/requests.h"

namespace worker_runtime::fs_store {

class RequestServer {
 public:
  /// `requests` is a file system of that directory, `lock` the one that serving_session() looks at,
  /// with `session` as its text.
  RequestServer(Runtime& runtime, RuntimeId runtime_id, std::unique_ptr<FileSystem> requests,
                std::unique_ptr<FileLock> lock, std::string session,
                const RequestHostOptions& options);

 private:
  struct Answered {
    std::string name;
    std::string line;
  };
  using Moment = std::chrono::steady_clock::time_point;

  void serve(const std::stop_token& stop);
  bool serve_round();
  std::optional<std::string> take(const std::string& name);
  std::future<std::string> execute(std::string_view text);
  void submit(const std::shared_ptr<std::promise<std::string>>& answer, Request request);
  void write_answers();
  void sweep(const std::vector<DirectoryEntry>& entries);

  Runtime& runtime_;
  RequestParser parser_;
  const std::unique_ptr<FileSystem> requests_;
  const std::unique_ptr<FileLock> lock_;
  const std::string session_;
  const RequestHostOptions options_;
  std::deque<Answered> unwritten_;
  std::map<std::string, Moment> leftovers_;  // since when each is known
  std::jthread thread_;                      // last: it ends before what it uses
};

}  // namespace worker_runtime::fs_store
