// Where the store is and how it is opened: see options.h.
#include "options.h"

#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "arguments.h"
#include "command.h"
#include "output.h"

namespace worker_runtime::cli {

Exit exit_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::store_corrupt:
    case ErrorCode::store_missing:
    case ErrorCode::store_io:
    case ErrorCode::store_failed:
    case ErrorCode::store_version:
      return Exit::damaged;
    case ErrorCode::store_locked:
      return Exit::locked;
    case ErrorCode::store_full:
      return Exit::full;
    default:
      return Exit::refused;
  }
}

std::optional<std::uint64_t> behind_damage(const Error& error) {
  const auto* const fields = error.get<FileFields>();
  return error.code() == ErrorCode::store_corrupt && fields != nullptr ? fields->next_readable
                                                                       : std::nullopt;
}

std::filesystem::path root_of(const Options& options) {
  if (options.root) return *options.root;
  // Read once, before any other thread runs.
  const char* const from_environment =
      std::getenv("WORKER_RUNTIME_ROOT");  // NOLINT(concurrency-mt-unsafe)
  if (from_environment != nullptr && *from_environment != '\0') return from_environment;
  return ".worker-runtime";
}

Result<std::optional<RuntimeId>> runtime_of(const Options& options) {
  if (!options.runtime) return std::optional<RuntimeId>();
  auto parsed = RuntimeId::parse(*options.runtime);
  if (!parsed) return std::move(parsed).error();
  return std::optional(std::move(*parsed));
}

namespace {

/// Lines with their time.
Log log_to_standard_error(LogLevel least) {
  return [least](LogLevel level, std::string_view line) {
    if (level < least) return;
    const std::string text = to_string(system_clock()()) + " " + std::string(to_string(level)) +
                             " " + printable(line) + "\n";
    // A log that nobody can read any more is no reason to end.
    static_cast<void>(std::fputs(text.c_str(), stderr));
  };
}

}  // namespace

Result<RuntimeOptions> runtime_options(const Options& options) {
  RuntimeOptions result;
  for (const std::string& text : options.limits) {
    auto setting = parse_number_assignment(text);
    if (!setting) return Error(ErrorCode::invalid_request, check_number_assignment(text));
    result.limits.push_back({std::move(setting->name), setting->value});
  }
  if (!options.log.empty()) result.log = log_to_standard_error(*parse_log_level(options.log));
  return result;
}

Result<fs_store::StoreOptions> store_options(const Options& options, Create create) {
  auto runtime_id = runtime_of(options);
  if (!runtime_id) return std::move(runtime_id).error();
  fs_store::StoreOptions store;
  store.root = root_of(options);
  store.runtime_id = std::move(*runtime_id);
  store.create = create == Create::yes;
  if (!options.durability.empty()) store.durability = *parse_durability(options.durability);
  store.lock_wait = std::chrono::milliseconds(std::llround(options.wait_seconds * 1000));
  return store;
}

Result<Runtime> open_for_writing(const Options& options, Create create,
                                 std::optional<std::string> display_name) {
  auto store = store_options(options, create);
  if (!store) return std::move(store).error();
  auto opening = runtime_options(options);
  if (!opening) return std::move(opening).error();
  opening->display_name = std::move(display_name);
  return fs_store::open_runtime(*std::move(store), *std::move(opening));
}

Result<fs_store::Reader> open_for_reading(const Options& options) {
  auto runtime_id = runtime_of(options);
  if (!runtime_id) return std::move(runtime_id).error();
  return fs_store::Reader::open(root_of(options), std::move(*runtime_id));
}

void add_worker(Command command, std::string& worker) {
  command.add_option("WORKER", worker, "the worker's id").value_name("").required();
}

void add_key(Command command, std::optional<std::string>& key) {
  command.add_option("--key", key, "idempotency key").value_name("KEY");
}

void add_writer_options(Command command, Options& options) {
  command.add_option("--durability", options.durability, "when an operation is answered")
      .value_name("MODE")
      .one_of({"sync", "interval", "none"});
  command.add_repeated("--set", options.limits, "set a limit of the runtime; it is stored")
      .value_name("LIMIT=N")
      .check(check_number_assignment);
  command.add_option("--wait", options.wait_seconds, "wait for the lock so long")
      .value_name("SECONDS")
      .check(check_seconds);
}

}  // namespace worker_runtime::cli
