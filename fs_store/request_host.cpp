// Serving requests: see request_server.h.

#include <utility>
#include <vector>

#include "layout.h"
#include "open.h"
#include "request_names.h"
#include "request_server.h"
#include "snapshot.h"

namespace worker_runtime::fs_store {
namespace {

/// So many requests, and so many bytes of them, are done at once; the rest waits in its files.
constexpr std::size_t round_requests_max = 1024;
constexpr std::size_t round_bytes_max = request_bytes_max;
/// How often the host looks where changes are told, and where they are not.
constexpr std::chrono::milliseconds requests_watched_interval{1000};
constexpr std::chrono::milliseconds requests_unwatched_interval{20};

using Promise = std::shared_ptr<std::promise<std::string>>;

/// Whether it is a file of this protocol; what else lies there is not ours to remove.
bool is_leftover(const DirectoryEntry& entry) {
  return entry.kind != EntryKind::directory &&
         (is_request(entry.name) || is_answer(entry.name) || layout::is_temporary(entry.name));
}

/// Operations that are not submitted: they wait by themselves.
std::string perform(Runtime& runtime, Request request) {
  const bool needs_host = std::holds_alternative<ForkWorker>(*request.body) ||
                          std::holds_alternative<ImportExport>(*request.body) ||
                          std::holds_alternative<CheckpointRequest>(*request.body) ||
                          std::holds_alternative<MetricsRequest>(*request.body);
  if (needs_host) return answer_request(runtime, std::move(request));
  return error_line(
      request.id, Error(ErrorCode::invalid_request, "a read is no request: readers need no host"));
}

}  // namespace

RequestServer::RequestServer(Runtime& runtime, RuntimeId runtime_id,
                             std::unique_ptr<FileSystem> requests, std::unique_ptr<FileLock> lock,
                             std::string session, const RequestHostOptions& options)
    : runtime_(runtime),
      parser_(std::move(runtime_id)),
      requests_(std::move(requests)),
      lock_(std::move(lock)),
      session_(std::move(session)),
      options_(options),
      thread_([this](const std::stop_token& stop) { serve(stop); }) {}

void RequestServer::serve(const std::stop_token& stop) {
  const auto watch = requests_->watch("", std::string(host_lock));
  while (!stop.stop_requested()) {
    if (serve_round()) continue;
    const auto now = std::chrono::steady_clock::now();
    if (watch) {
      watch->wait(now + requests_watched_interval, stop);
    } else {
      pause_until(now + requests_unwatched_interval, stop);
    }
  }
  write_answers();
}

/// False if there was nothing to do.
bool RequestServer::serve_round() {
  write_answers();
  // On a full disk nothing is done whose answer would find no place.
  if (!unwritten_.empty()) return false;
  auto entries = requests_->list("");
  if (!entries) return false;
  sweep(*entries);
  std::vector<std::pair<std::string, std::future<std::string>>> taken;
  std::size_t bytes = 0;
  for (const DirectoryEntry& entry : *entries) {
    if (taken.size() == round_requests_max || bytes >= round_bytes_max) break;
    if (entry.kind == EntryKind::directory || !is_request_of(entry.name, session_)) continue;
    auto text = take(entry.name);
    if (!text) continue;
    bytes += text->size();
    taken.emplace_back(answer_name(entry.name), execute(*text));
  }
  // All were submitted before the first is waited for: they share a sync.
  for (auto& [name, answer] : taken) unwritten_.push_back({std::move(name), answer.get()});
  write_answers();
  return !taken.empty();
}

/// The text of a request, which nobody else can take or withdraw any more. None: somebody has.
std::optional<std::string> RequestServer::take(const std::string& name) {
  auto text = read_small_file(*requests_, name, request_bytes_max);
  if (!text && is_missing(text.error())) return std::nullopt;
  // Who can't read it can't do it: what is no request is answered as one.
  if (!text) text = std::string("unreadable");
  auto removed = requests_->remove_file(name);
  if (!removed) return std::nullopt;
  return *std::move(text);
}

std::future<std::string> RequestServer::execute(std::string_view text) {
  const Promise answer = std::make_shared<std::promise<std::string>>();
  auto future = answer->get_future();
  Request request = parser_.parse(text);
  if (request.body) {
    submit(answer, std::move(request));
  } else {
    answer->set_value(error_line(request.id, request.body.error()));
  }
  return future;
}

void RequestServer::submit(const Promise& answer, Request request) {
  if (auto* const mutation = std::get_if<Mutation>(&*request.body)) {
    runtime_.submit(std::move(*mutation),
                    [answer, id = std::move(request.id)](const Result<Answer>& done) {
                      answer->set_value(answer_line(id, done));
                    });
  } else if (auto* const batch = std::get_if<BatchRequest>(&*request.body)) {
    runtime_.submit_batch(
        std::move(batch->operations),
        [answer, id = std::move(request.id)](const Result<std::vector<Answer>>& done) {
          answer->set_value(answer_line(id, done));
        });
  } else {
    answer->set_value(perform(runtime_, std::move(request)));
  }
}

/// Those that find no place wait for the next round.
void RequestServer::write_answers() {
  while (!unwritten_.empty()) {
    const Answered& answered = unwritten_.front();
    auto written = replace_file(*requests_, answered.name, answered.line, Durable::no);
    if (!written) return;
    unwritten_.pop_front();
  }
}

/// Removes what has lain there too long: answers whose client died, requests and unfinished files
/// of clients that died, what other hosts left.
void RequestServer::sweep(const std::vector<DirectoryEntry>& entries) {
  const auto now = std::chrono::steady_clock::now();
  std::map<std::string, Moment> known;
  for (const DirectoryEntry& entry : entries) {
    if (!is_leftover(entry) || is_request_of(entry.name, session_)) continue;
    const auto before = leftovers_.find(entry.name);
    const Moment since = before == leftovers_.end() ? now : before->second;
    // Best effort: what stays is tried again.
    if (now - since >= options_.leftovers_kept)
      static_cast<void>(requests_->remove_file(entry.name).has_value());
    known.emplace(entry.name, since);
  }
  leftovers_ = std::move(known);
}

// ---- the public class

RequestHost::RequestHost(std::unique_ptr<RequestServer> server) : server_(std::move(server)) {}
RequestHost::RequestHost(RequestHost&&) noexcept = default;
RequestHost& RequestHost::operator=(RequestHost&&) noexcept = default;
RequestHost::~RequestHost() = default;

namespace {

/// The directory of requests, made if it is missing. Nothing relies on its being durable.
Result<std::unique_ptr<FileSystem>> make_requests_directory(FileSystem& runtime) {
  const std::string name(layout::requests);
  auto there = runtime.kind(name);
  if (!there) return std::move(there).error();
  if (!*there) {
    auto made = runtime.make_directory(name);
    if (!made) return full_as_such(std::move(made).error());
  }
  return runtime.directory(name);
}

}  // namespace

Result<RequestHost> RequestHost::start(Runtime& runtime, const StoreOptions& store,
                                       const RequestHostOptions& options) {
  auto summary = runtime.summary();
  if (!summary) return std::move(summary).error();
  StoreOptions existing = store;
  existing.create = false;
  existing.runtime_id = summary->runtime_id;
  RuntimeId runtime_id;
  auto directory = open_runtime_directory(existing, runtime_id);
  if (!directory) return std::move(directory).error();
  auto requests = make_requests_directory(**directory);
  if (!requests) return std::move(requests).error();
  auto lock = (*requests)->try_lock(std::string(host_lock));
  if (!lock) return full_as_such(std::move(lock).error());
  if (!*lock) {
    return Error(ErrorCode::store_locked,
                 "requests to runtime " + runtime_id.text() + " are served already");
  }
  std::string session = layout::drawn_name();
  auto named = (*lock)->set_text(session + "\n");
  if (!named) return full_as_such(std::move(named).error());
  return RequestHost(std::make_unique<RequestServer>(runtime, std::move(runtime_id),
                                                     *std::move(requests), *std::move(lock),
                                                     std::move(session), options));
}

}  // namespace worker_runtime::fs_store
