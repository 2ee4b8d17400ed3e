// Reading how a binding opens a runtime.
#include <array>
#include <utility>

#include "json_reader.h"
#include "worker_runtime/fs_store/json.h"

namespace worker_runtime::fs_store {
namespace {

enum Member : std::uint8_t {
  root,
  runtime_id,
  create,
  read_only,
  serve_requests,
  display_name,
  limits,
  durability,
  sync_interval_ms,
  checkpoint_bytes,
  checkpoint_interval_ms,
  log_part_bytes,
  extend_interval_ms,
  group_readable,
  lock_wait_ms,
};
constexpr std::array<std::string_view, 15> names{"root",
                                                 "runtime_id",
                                                 "create",
                                                 "read_only",
                                                 "serve_requests",
                                                 "display_name",
                                                 "limits",
                                                 "durability",
                                                 "sync_interval_ms",
                                                 "checkpoint_bytes",
                                                 "checkpoint_interval_ms",
                                                 "log_part_bytes",
                                                 "extend_interval_ms",
                                                 "group_readable",
                                                 "lock_wait_ms"};
static_assert(names.size() == Member::lock_wait_ms + 1);

/// What makes sense without files, and without writing them.
constexpr std::uint64_t in_memory = mask_of(runtime_id, display_name, limits);
constexpr std::uint64_t reading = mask_of(root, runtime_id, read_only);

bool read_durability(JsonReader& reader, JsonValue value, Durability& content) {
  std::string_view text;
  if (!reader.read(value, text)) return false;
  const auto parsed = parse_durability(text);
  if (!parsed) return reader.fail("not one of sync, interval and none");
  content = *parsed;
  return true;
}

bool read_milliseconds(JsonReader& reader, JsonValue value, std::chrono::milliseconds& content) {
  constexpr std::uint64_t longest = std::uint64_t{365} * 24 * 3600 * 1000;
  std::uint64_t number = 0;
  if (!reader.read(value, number)) return false;
  if (number > longest) return reader.fail("longer than a year");
  content = std::chrono::milliseconds(number);
  return true;
}

/// {"page_items":256,...}; whether there are such limits is for the Runtime to say.
bool read_limits(JsonReader& reader, JsonValue value, std::vector<LimitSetting>& content) {
  ObjectReader object(reader, {}, Unknown::refuse);
  if (!object.open(value)) return false;
  std::string_view name;
  while (object.next_any(name)) {
    LimitSetting& setting = content.emplace_back();
    setting.name = name;
    if (!object.read(setting.value)) return false;
  }
  return !reader.failed();
}

bool read_root(JsonReader& reader, JsonValue value, std::filesystem::path& content) {
  std::string_view text;
  if (!reader.read(value, text)) return false;
  // The system would take the text up to there for the path.
  if (text.empty() || text.find('\0') != std::string_view::npos) return reader.fail("not a path");
  content = text;
  return true;
}

bool read_store_member(JsonReader& reader, ObjectReader& object, StoreOptions& store) {
  switch (object.member()) {
    case durability:
      return read_durability(reader, object.value(), store.durability);
    case sync_interval_ms:
      return read_milliseconds(reader, object.value(), store.sync_interval);
    case checkpoint_bytes:
      return object.read(store.checkpoint_bytes);
    case checkpoint_interval_ms:
      return read_milliseconds(reader, object.value(), store.checkpoint_interval);
    case log_part_bytes:
      return object.read(store.log_part_bytes);
    case extend_interval_ms:
      return read_milliseconds(reader, object.value(), store.extend_interval);
    case group_readable:
      return object.read(store.group_readable);
    default:
      return read_milliseconds(reader, object.value(), store.lock_wait);
  }
}

bool read_member(JsonReader& reader, ObjectReader& object, OpenRequest& request) {
  switch (object.member()) {
    case root:
      return read_root(reader, object.value(), request.store.root);
    case runtime_id:
      return object.read(request.store.runtime_id);
    case create:
      return object.read(request.store.create);
    case read_only:
      return object.read(request.read_only);
    case serve_requests:
      return object.read(request.serve_requests);
    case display_name:
      return object.read(request.runtime.display_name);
    case limits:
      return read_limits(reader, object.value(), request.runtime.limits);
    default:
      return read_store_member(reader, object, request.store);
  }
}

Error invalid(std::string message) { return {ErrorCode::invalid_request, std::move(message)}; }

/// The first member that is there and not allowed.
std::optional<Error> refuse_others(std::uint64_t seen, std::uint64_t allowed,
                                   std::string_view where) {
  for (std::size_t at = 0; at < names.size(); ++at) {
    if (((seen & ~allowed) >> at & 1U) == 0) continue;
    return invalid("member \"" + std::string(names[at]) + "\" is of no use " + std::string(where));
  }
  return std::nullopt;
}

}  // namespace

Result<OpenRequest> parse_open_request(std::string_view text) {
  JsonReader reader;
  OpenRequest request;
  ObjectReader object(reader, names, Unknown::refuse);
  if (reader.start(text) && object.open()) {
    while (object.next()) {
      if (!read_member(reader, object, request)) break;
    }
  }
  if (!reader.finish()) return invalid(reader.message());
  std::optional<Error> refused;
  if (!object.has(root)) {
    refused = refuse_others(object.seen(), in_memory, "without \"root\"");
  } else if (request.read_only) {
    refused = refuse_others(object.seen(), reading, "to a reader");
  }
  if (refused) return *std::move(refused);
  return request;
}

}  // namespace worker_runtime::fs_store
