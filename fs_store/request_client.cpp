// Asking the process that holds a runtime: see requests.h, and request_names.h for the names.
#include <thread>
#include <utility>

#include "layout.h"
#include "open.h"
#include "request_codec.h"
#include "request_members.h"
#include "request_names.h"
#include "snapshot.h"

namespace worker_runtime::fs_store {
namespace {

/// How often a client looks where changes are told (for the end of the host, which nobody tells),
/// and where they are not.
constexpr std::chrono::milliseconds host_watched_interval{250};
constexpr std::chrono::milliseconds host_unwatched_interval{5};

/// The directory of requests; none if there is none, or no such runtime.
std::unique_ptr<FileSystem> find_requests(const std::filesystem::path& root,
                                          std::optional<RuntimeId> runtime_id) {
  StoreOptions options;
  options.root = root;
  options.runtime_id = std::move(runtime_id);
  // Whoever holds it has decided that.
  options.unsafe_file_system = UnsafeFileSystem::warn;
  RuntimeId found;
  auto directory = open_runtime_directory(options, found);
  if (!directory) return nullptr;
  auto requests = (*directory)->directory(std::string(layout::requests));
  return requests ? *std::move(requests) : nullptr;
}

/// One request to one host.
class Asking {
 public:
  Asking(FileSystem& requests, std::string session)
      : requests_(requests),
        session_(std::move(session)),
        request_(request_name(session_, layout::drawn_name())),
        answer_(answer_name(request_)) {}

  /// The line of the answer; none if the request was withdrawn.
  Result<std::optional<std::string>> run(const std::string& line,
                                         std::chrono::milliseconds take_timeout) {
    const auto watch = requests_.watch("", std::string(host_lock));
    auto put = replace_file(requests_, request_, line + "\n", Durable::no);
    if (!put) return full_as_such(std::move(put).error());
    const auto deadline = std::chrono::steady_clock::now() + take_timeout;
    bool taken = false;
    for (;;) {
      const bool is_served = serving_session(requests_) == session_;
      // Looked for after that: a host writes its last answers before it lets go.
      auto answer = fetch();
      if (!answer || *answer) return answer;
      const auto now = std::chrono::steady_clock::now();
      if (!is_served || (!taken && now >= deadline)) {
        if (withdraw()) return std::optional<std::string>();
        if (!is_served) return ended();
        taken = true;
      }
      if (watch) {
        watch->wait(now + host_watched_interval, {});
      } else {
        pause_until(now + host_unwatched_interval, {});
      }
    }
  }

 private:
  Result<std::optional<std::string>> fetch() {
    auto text = read_small_file(requests_, answer_, request_bytes_max);
    if (!text) {
      if (is_missing(text.error())) return std::optional<std::string>();
      return std::move(text).error();
    }
    // Best effort: the host sweeps what stays.
    static_cast<void>(requests_.remove_file(answer_).has_value());
    return std::optional(*std::move(text));
  }

  /// True if nobody has taken it, and so nobody will.
  bool withdraw() { return requests_.remove_file(request_).has_value(); }

  static Error ended() {
    return {ErrorCode::store_failed,
            "the process that held the runtime ended before it answered: the outcome is unknown"};
  }

  FileSystem& requests_;
  const std::string session_;
  const std::string request_;
  const std::string answer_;
};

/// The line that the host answers; none if nobody serves requests. The request is encoded only if
/// somebody does: an import is long.
template <typename Encode>
Result<std::optional<std::string>> ask(const std::filesystem::path& root,
                                       std::optional<RuntimeId> runtime_id, const Encode& encode,
                                       std::chrono::milliseconds take_timeout) {
  const auto requests = find_requests(root, std::move(runtime_id));
  auto session = requests ? serving_session(*requests) : std::nullopt;
  if (!session) return std::optional<std::string>();
  const Result<std::string> line = encode();
  if (!line) return line.error();
  if (line->size() >= request_bytes_max) {
    return invalid_request("the request has " + std::to_string(line->size()) +
                           " bytes, and another process takes less than " +
                           std::to_string(request_bytes_max));
  }
  return Asking(*requests, *std::move(session)).run(*line, take_timeout);
}

}  // namespace

Result<std::optional<Answer>> ask_host(const std::filesystem::path& root,
                                       std::optional<RuntimeId> runtime_id,
                                       const HostRequest& request,
                                       std::chrono::milliseconds take_timeout) {
  auto answer = ask(
      root, std::move(runtime_id), [&] { return encode_request(request); }, take_timeout);
  if (!answer) return std::move(answer).error();
  if (!*answer) return std::optional<Answer>();
  auto read = read_answer_line(**answer, answer_kind(request));
  if (!read) return std::move(read).error();
  return std::optional(*std::move(read));
}

Result<std::optional<std::string>> ask_host_for_metrics(const std::filesystem::path& root,
                                                        std::optional<RuntimeId> runtime_id,
                                                        std::chrono::milliseconds take_timeout) {
  const auto encode = [] { return std::string(R"({"op":"metrics"})"); };
  auto answer = ask(root, std::move(runtime_id), encode, take_timeout);
  if (!answer || !*answer) return answer;
  auto text = read_text_line(**answer);
  if (!text) return std::move(text).error();
  return std::optional(*std::move(text));
}

}  // namespace worker_runtime::fs_store
