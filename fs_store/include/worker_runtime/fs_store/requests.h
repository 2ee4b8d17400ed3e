// Operations on a Runtime that another process holds: request files in the store, no socket.
//
// The process that holds the Runtime serves them (RequestHost), others ask (ask_host()). A request
// is a file in `requests/` of the runtime's directory, put there by a rename; the host removes it,
// does it, and puts the answer beside it. docs/FORMAT.md has the names, for any language.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "worker_runtime/fs_store/export.h"
#include "worker_runtime/fs_store/fs_store.h"
#include "worker_runtime/ids.h"
#include "worker_runtime/operations.h"
#include "worker_runtime/result.h"
#include "worker_runtime/runtime.h"

#pragma GCC visibility push(default)

namespace worker_runtime::fs_store {

class RequestServer;

struct RequestHostOptions {
  /// Answers that nobody fetches, and requests to hosts that are gone, are removed after this time.
  std::chrono::milliseconds leftovers_kept{60'000};
};

/// Serves the requests of other processes, on a thread of its own, until it is destroyed: any
/// mutation, batch, fork, import, checkpoint or metrics of `pipe`. Whoever may write into the store
/// may ask; the files have its permissions.
class RequestHost {
 public:
  /// `store` as the Runtime was opened with. The Runtime must not be moved, closed or destroyed
  /// before the host is destroyed. Errors: `store_locked` if the Runtime has a host already;
  /// `store_io`; `store_full`; those of summary().
  static Result<RequestHost> start(Runtime& runtime, const StoreOptions& store,
                                   const RequestHostOptions& options = {});

  RequestHost(RequestHost&&) noexcept;
  RequestHost& operator=(RequestHost&&) noexcept;
  RequestHost(const RequestHost&) = delete;
  RequestHost& operator=(const RequestHost&) = delete;
  /// What was taken is answered, nothing more is taken; who waits for that is told so at once.
  ~RequestHost();

 private:
  explicit RequestHost(std::unique_ptr<RequestServer> server);
  std::unique_ptr<RequestServer> server_;
};

/// What can be asked for. A Worker whose runtime_id is empty is one of the runtime that is asked.
/// An import goes as the text of an export.
using HostRequest = std::variant<Mutation, ForkWorker, ImportExport>;

/// Asks the process that holds a runtime, and waits for the answer. None: nobody serves requests,
/// or did not take this one within `take_timeout`; nothing was done then, nor will be. Once a
/// request is taken, its answer is waited for as long as the host lives.
///
/// Errors: those of the operation; `invalid_request` for an ImportWorker, which no request can
/// hold; `store_full`, `store_io` if the request can't be put (nothing was done); `store_failed` if
/// the host ended before it answered: the outcome is unknown, repeat with an idempotency key only.
/// The request in a WorkerDetail has neither worker_id nor display_name nor key. Any thread.
Result<std::optional<Answer>> ask_host(
    const std::filesystem::path& root, std::optional<RuntimeId> runtime_id,
    const HostRequest& request,
    std::chrono::milliseconds take_timeout = std::chrono::milliseconds(5000));

/// The numbers of a runtime that another process holds, as append_prometheus() writes them. None,
/// and errors, as ask_host().
Result<std::optional<std::string>> ask_host_for_metrics(
    const std::filesystem::path& root, std::optional<RuntimeId> runtime_id,
    std::chrono::milliseconds take_timeout = std::chrono::milliseconds(5000));

}  // namespace worker_runtime::fs_store

#pragma GCC visibility pop
