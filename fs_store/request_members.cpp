// Reading the members of requests of `pipe`.
#include "request_members.h"

#include <algorithm>
#include <array>

namespace worker_runtime::fs_store {

namespace {

constexpr std::array<std::string_view, 32> member_names{"id",
                                                        "op",
                                                        "worker_id",
                                                        "worker_ref",
                                                        "kind",
                                                        "role",
                                                        "content",
                                                        "name",
                                                        "data",
                                                        "usage",
                                                        "idempotency_key",
                                                        "reason",
                                                        "display_name",
                                                        "intent",
                                                        "profile",
                                                        "config_bundle",
                                                        "requested_capabilities",
                                                        "workspace_refs",
                                                        "mount_refs",
                                                        "status",
                                                        "after",
                                                        "from",
                                                        "start",
                                                        "limit",
                                                        "newest_first",
                                                        "timeout_ms",
                                                        "before",
                                                        "sequence",
                                                        "at",
                                                        "as",
                                                        "export",
                                                        "ops"};
static_assert(member_names.size() == static_cast<std::size_t>(RequestMember::ops) + 1);

bool read_id(JsonReader& reader, JsonValue value, std::string& id) {
  std::string_view raw;
  if (!reader.read_raw(value, raw)) return false;
  // Nearly every id is a small number or a string without escapes: they are compact as they are.
  const bool is_number = !raw.empty() && raw.size() < 20 && raw.front() != '0' &&
                         raw.find_first_not_of("0123456789") == std::string_view::npos;
  const bool is_plain_string = raw.size() >= 2 && raw.front() == '"' && raw.back() == '"' &&
                               raw.find('\\') == std::string_view::npos;
  if (!is_number && !is_plain_string) return reader.compact(raw, id);
  id = raw;
  return true;
}

/// The id of a Worker in list_workers, of a diagnostic in diagnostics.
bool read_after(JsonReader& reader, JsonValue value, RequestMembers& members) {
  simdjson::ondemand::json_type type{};
  if (const auto error = value.type().get(type)) return reader.fail(error);
  if (type == simdjson::ondemand::json_type::number) {
    return reader.read(value, members.after_number);
  }
  return reader.read(value, members.after_text);
}

/// The members that only create_worker has.
bool read_create_member(JsonReader& reader, ObjectReader& object, CreateRequest& create) {
  constexpr Unknown unknown = Unknown::refuse;
  switch (static_cast<RequestMember>(object.member())) {
    case RequestMember::display_name:
      return object.read(create.display_name);
    case RequestMember::intent:
      return read_intent(reader, object.value(), unknown, create.intent);
    case RequestMember::profile:
      return read_profile(reader, object.value(), unknown, create.profile);
    case RequestMember::config_bundle:
      return read_config_bundle(reader, object.value(), unknown, create.config_bundle);
    case RequestMember::requested_capabilities:
      return read_capabilities(reader, object.value(), unknown, create.requested_capabilities);
    case RequestMember::workspace_refs:
      return read_references(reader, object.value(), unknown, create.workspace_refs);
    default:
      return read_references(reader, object.value(), unknown, create.mount_refs);
  }
}

/// The members of reads, trims, forks and imports, and `ops`.
bool read_query_member(JsonReader& reader, ObjectReader& object, RequestMembers& members,
                       OperationsReader* operations) {
  switch (static_cast<RequestMember>(object.member())) {
    case RequestMember::status:
      return object.read(members.status);
    case RequestMember::after:
      return read_after(reader, object.value(), members);
    case RequestMember::from:
      return object.read(members.from);
    case RequestMember::start:
      return object.read(members.start);
    case RequestMember::limit:
      return object.read(members.limit);
    case RequestMember::newest_first:
      return object.read(members.newest_first);
    case RequestMember::timeout_ms:
      return object.read(members.timeout_ms);
    case RequestMember::before:
      return object.read(members.before);
    case RequestMember::sequence:
      return object.read(members.sequence);
    case RequestMember::at:
      return object.read(members.at);
    case RequestMember::as:
      return object.read(members.as);
    case RequestMember::exported:
      return object.read(members.exported);
    default:
      if (operations == nullptr) return reader.fail("a batch in a batch");
      return operations->read_operations(object.value());
  }
}

bool read_member(JsonReader& reader, ObjectReader& object, RequestMembers& members,
                 OperationsReader* operations) {
  const auto member = static_cast<RequestMember>(object.member());
  switch (member) {
    case RequestMember::id:
      return read_id(reader, object.value(), members.id);
    case RequestMember::op:
      return object.read(members.op);
    case RequestMember::worker_id:
      return object.read(members.worker_id);
    case RequestMember::worker_ref:
      return read_worker_ref(reader, object.value(), members.worker_ref.emplace(), Unknown::refuse);
    case RequestMember::kind:
      return object.read(members.kind);
    case RequestMember::role:
      return object.read(members.role);
    case RequestMember::content:
      return object.read(members.content);
    case RequestMember::name:
      return object.read(members.name);
    case RequestMember::data:
      return reader.read_compact_object(object.value(), members.data.emplace());
    case RequestMember::usage:
      return read_counters(reader, object.value(), members.usage);
    case RequestMember::idempotency_key:
      return object.read(members.idempotency_key);
    case RequestMember::reason:
      return object.read(members.reason);
    default:
      if (member < RequestMember::status) return read_create_member(reader, object, members.create);
      return read_query_member(reader, object, members, operations);
  }
}

}  // namespace

std::string_view to_string(RequestMember member) {
  return member_names[static_cast<std::size_t>(member)];
}

bool read_request_members(JsonReader& reader, JsonValue* value, RequestMembers& members,
                          OperationsReader* operations) {
  ObjectReader object(reader, member_names, Unknown::refuse);
  open(object, value);
  while (object.next()) read_member(reader, object, members, operations);
  members.seen = object.seen();
  return object.complete(mask_of(RequestMember::op));
}

std::string find_request_id(JsonReader& reader, std::string_view line) {
  // What is wrong need not be the id: a line that is no UTF-8 is looked at without its non-ASCII
  // bytes. An id that has such bytes itself is lost then.
  constexpr char replacement = '\x7f';
  std::string ascii;
  if (!reader.start(line) && reader.structure_error() == simdjson::UTF8_ERROR) {
    ascii = line;
    std::replace_if(
        ascii.begin(), ascii.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; },
        replacement);
    reader.start(ascii);
  }
  static constexpr std::array<std::string_view, 1> names{"id"};
  ObjectReader object(reader, names, Unknown::skip);
  std::string id;
  if (reader.failed() || !object.open() || !object.next() || !read_id(reader, object.value(), id)) {
    return "null";
  }
  if (!ascii.empty() && id.find(replacement) != std::string::npos) return "null";
  return id;
}

}  // namespace worker_runtime::fs_store
