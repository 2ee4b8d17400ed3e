// The contenders of `bench`: see contenders.h.
//
// tidy-allow-file(posix-file-call): a directory of the measurement's own is made and removed
#include "contenders.h"

#include <cerrno>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>

#include "limit.h"
#include "worker_runtime/fs_store/fs_store.h"

namespace worker_runtime::cli {
namespace {

Error failed(const std::filesystem::path& path, const char* what) {
  FileFields fields;
  fields.path = path.filename().string();
  fields.system_error = errno;
  return {errno == ENOSPC || errno == EDQUOT ? ErrorCode::store_full : ErrorCode::store_io,
          std::string(what) + " failed", std::move(fields)};
}

}  // namespace

Result<Scratch> Scratch::make(const std::filesystem::path& directory) {
  std::string form = (directory / ".worker-runtime-bench-XXXXXX").string();
  if (mkdtemp(form.data()) == nullptr) return failed(directory, "making a directory in it");
  return Scratch(std::filesystem::path(form));
}

Scratch::Scratch(std::filesystem::path path) : path_(std::move(path)) {}
Scratch::Scratch(Scratch&& other) noexcept : path_(std::exchange(other.path_, {})) {}
Scratch::~Scratch() {
  std::error_code ignored;
  if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

Result<Contender> limit_contender(const std::filesystem::path& directory) {
  std::shared_ptr<Limit> limit = Limit::make(directory / "limit", record_bytes);
  if (!limit) return failed(directory, "laying out a file in it");
  return Contender{"limit", [limit = std::move(limit)] { return limit->commit(); }};
}

Result<Contender> store_contender(const std::filesystem::path& directory) {
  fs_store::StoreOptions options;
  options.root = directory / "store";
  options.create = true;
  auto opened = fs_store::open_runtime(std::move(options));
  if (!opened) return std::move(opened).error();
  auto runtime = std::make_shared<Runtime>(std::move(*opened));
  CreateRequest request;
  request.intent = TaskIntent{"measure"};
  auto created = runtime->create_worker(std::move(request));
  if (!created) return std::move(created).error();
  const SendInput input{created->summary.worker_ref, InputRole::user,
                        std::string(content_bytes, 'x')};
  return Contender{"send_input",
                   [runtime, input] { return runtime->send_input(input).has_value(); },
                   [runtime, input](std::function<void(bool)> done) {
                     runtime->submit(input, [done = std::move(done)](const Result<Answer>& answer) {
                       done(answer.has_value());
                     });
                   }};
}

}  // namespace worker_runtime::cli
