// Create requests as JSON: the same members in files, requests and answers.
#include <array>

#include "codec_members.h"

namespace worker_runtime::fs_store {

// ---- writing

namespace {

void write_intent(JsonWriter& writer, const Intent& intent) {
  writer.begin_object();
  if (const auto* assistant = std::get_if<AssistantIntent>(&intent)) {
    writer.plain_member("kind", "assistant");
    writer.member("purpose", assistant->purpose);
  } else if (const auto* task = std::get_if<TaskIntent>(&intent)) {
    writer.plain_member("kind", "task");
    writer.member("objective", task->objective);
  } else {
    const auto& role = std::get<RoleIntent>(intent);
    writer.plain_member("kind", "role");
    writer.member("role", role.role);
    writer.member("purpose", role.purpose);
  }
  writer.end_object();
}

void write_profile(JsonWriter& writer, const Profile& profile) {
  writer.begin_object();
  writer.plain_member("kind", to_string(profile.kind));
  if (profile.kind != ProfileKind::runtime_default) writer.member("value", profile.value);
  writer.end_object();
}

void write_references(JsonWriter& writer, const std::vector<NamedReference>& references) {
  writer.begin_array();
  for (const NamedReference& reference : references) {
    writer.begin_object();
    writer.member("name", reference.name);
    writer.member("reference", reference.reference);
    writer.end_object();
  }
  writer.end_array();
}

void write_origin(JsonWriter& writer, const Origin& origin) {
  writer.begin_object();
  writer.name("worker_ref");
  write_worker_ref(writer, origin.worker_ref);
  writer.member("sequence", origin.sequence);
  writer.end_object();
}

void write_capabilities(JsonWriter& writer, const std::vector<Capability>& capabilities) {
  writer.begin_array();
  for (const Capability& capability : capabilities) {
    writer.begin_object();
    writer.member("name", capability.name);
    writer.member("reason", capability.reason);
    writer.end_object();
  }
  writer.end_array();
}

}  // namespace

void write_create_body(JsonWriter& writer, const CreateRequest& request) {
  writer.name("intent");
  write_intent(writer, request.intent);
  writer.name("profile");
  write_profile(writer, request.profile);
  if (request.config_bundle) {
    writer.name("config_bundle");
    writer.begin_object();
    writer.member("id", *request.config_bundle);
    writer.end_object();
  }
  if (!request.requested_capabilities.empty()) {
    writer.name("requested_capabilities");
    write_capabilities(writer, request.requested_capabilities);
  }
  if (!request.workspace_refs.empty()) {
    writer.name("workspace_refs");
    write_references(writer, request.workspace_refs);
  }
  if (!request.mount_refs.empty()) {
    writer.name("mount_refs");
    write_references(writer, request.mount_refs);
  }
  if (request.origin) {
    writer.name("origin");
    write_origin(writer, *request.origin);
  }
}

void write_create_request(JsonWriter& writer, const CreateRequest& request) {
  writer.begin_object();
  writer.member("worker_id", request.worker_id);
  writer.member("display_name", request.display_name);
  write_create_body(writer, request);
  writer.member("idempotency_key", request.idempotency_key);
  writer.raw_members(request.unknown_members.text());
  writer.end_object();
}

void encode(std::string& out, const CreateRequest& request) {
  JsonWriter writer(out);
  write_create_request(writer, request);
}

// ---- reading

namespace {

/// What the members of an intent say, before it is clear which intent it is.
struct IntentMembers {
  std::string_view kind;
  std::optional<std::string> purpose;
  std::optional<std::string> objective;
  std::optional<std::string> role;
};

bool make_intent(JsonReader& reader, IntentMembers members, Intent& intent) {
  if (members.kind == "assistant" && !members.objective && !members.role) {
    intent = AssistantIntent{std::move(members.purpose)};
    return true;
  }
  if (members.kind == "task" && members.objective && !members.purpose && !members.role) {
    intent = TaskIntent{*std::move(members.objective)};
    return true;
  }
  if (members.kind == "role" && members.role && !members.objective) {
    intent = RoleIntent{*std::move(members.role), std::move(members.purpose)};
    return true;
  }
  return reader.fail(
      "an intent that is none of assistant{purpose?}, task{objective}, "
      "role{role, purpose?}");
}

}  // namespace

bool read_intent(JsonReader& reader, JsonValue value, Unknown unknown, Intent& intent) {
  enum : std::size_t { kind, purpose, objective, role };
  static constexpr std::array<std::string_view, 4> names{"kind", "purpose", "objective", "role"};
  IntentMembers members;
  ObjectReader object(reader, names, unknown);
  object.open(value);
  while (object.next()) {
    switch (object.member()) {
      case kind:
        object.read(members.kind);
        break;
      case purpose:
        object.read(members.purpose);
        break;
      case objective:
        object.read(members.objective);
        break;
      default:
        object.read(members.role);
    }
  }
  return object.complete(mask_of(kind)) && make_intent(reader, std::move(members), intent);
}

bool read_profile(JsonReader& reader, JsonValue value, Unknown unknown, Profile& profile) {
  enum : std::size_t { kind, name };
  static constexpr std::array<std::string_view, 2> names{"kind", "value"};
  std::string_view kind_text;
  ObjectReader object(reader, names, unknown);
  object.open(value);
  while (object.next()) {
    if (object.member() == kind) {
      object.read(kind_text);
    } else {
      object.read(profile.value);
    }
  }
  if (!object.complete(mask_of(kind))) return false;
  for (const auto known :
       {ProfileKind::runtime_default, ProfileKind::builtin, ProfileKind::named}) {
    if (kind_text == to_string(known)) {
      profile.kind = known;
      const bool fits = object.has(name) == (known != ProfileKind::runtime_default);
      return fits || reader.fail("a profile with a value too many or too few");
    }
  }
  return reader.fail("a profile that is none of runtime_default, builtin, named");
}

bool read_config_bundle(JsonReader& reader, JsonValue value, Unknown unknown,
                        std::optional<std::string>& id) {
  static constexpr std::array<std::string_view, 1> names{"id"};
  ObjectReader object(reader, names, unknown);
  object.open(value);
  while (object.next()) object.read(id);
  return object.complete(1);
}

bool read_capabilities(JsonReader& reader, JsonValue value, Unknown unknown,
                       std::vector<Capability>& capabilities) {
  static constexpr std::array<std::string_view, 2> names{"name", "reason"};
  return reader.read_array(value, [&](JsonValue element) {
    Capability& capability = capabilities.emplace_back();
    ObjectReader object(reader, names, unknown);
    object.open(element);
    while (object.next()) {
      if (object.member() == 0) {
        object.read(capability.name);
      } else {
        object.read(capability.reason);
      }
    }
    return object.complete(mask_of(0));
  });
}

bool read_references(JsonReader& reader, JsonValue value, Unknown unknown,
                     std::vector<NamedReference>& references) {
  static constexpr std::array<std::string_view, 2> names{"name", "reference"};
  return reader.read_array(value, [&](JsonValue element) {
    NamedReference& reference = references.emplace_back();
    ObjectReader object(reader, names, unknown);
    object.open(element);
    while (object.next()) {
      object.read(object.member() == 0 ? reference.name : reference.reference);
    }
    return object.complete(mask_of(0, 1));
  });
}

bool read_origin(JsonReader& reader, JsonValue value, Unknown unknown, Origin& origin) {
  static constexpr std::array<std::string_view, 2> names{"worker_ref", "sequence"};
  ObjectReader object(reader, names, unknown);
  object.open(value);
  while (object.next()) {
    if (object.member() == 0) {
      read_worker_ref(reader, object.value(), origin.worker_ref, unknown);
    } else {
      object.read(origin.sequence);
    }
  }
  return object.complete(mask_of(0, 1));
}

bool read_create_request(JsonReader& reader, JsonValue* value, Unknown unknown, Unknown nested,
                         CreateRequest& request) {
  enum : std::size_t {
    worker_id,
    display_name,
    intent,
    profile,
    bundle,
    capabilities,
    workspaces,
    mounts,
    key,
    origin
  };
  static constexpr std::array<std::string_view, 10> names{
      "worker_id",      "display_name",  "intent",
      "profile",        "config_bundle", "requested_capabilities",
      "workspace_refs", "mount_refs",    "idempotency_key",
      "origin"};
  ObjectReader object(reader, names, unknown);
  open(object, value);
  while (object.next()) {
    switch (object.member()) {
      case worker_id:
        object.read(request.worker_id);
        break;
      case display_name:
        object.read(request.display_name);
        break;
      case intent:
        read_intent(reader, object.value(), nested, request.intent);
        break;
      case profile:
        read_profile(reader, object.value(), nested, request.profile);
        break;
      case bundle:
        read_config_bundle(reader, object.value(), nested, request.config_bundle);
        break;
      case capabilities:
        read_capabilities(reader, object.value(), nested, request.requested_capabilities);
        break;
      case workspaces:
        read_references(reader, object.value(), nested, request.workspace_refs);
        break;
      case mounts:
        read_references(reader, object.value(), nested, request.mount_refs);
        break;
      case key:
        object.read(request.idempotency_key);
        break;
      default:
        read_origin(reader, object.value(), nested, request.origin.emplace());
    }
  }
  request.unknown_members = UnknownMembers::decoded(object.take_kept());
  return object.complete(mask_of(intent));
}

Result<CreateRequest> Decoder::create_request(std::string_view text) {
  JsonReader& reader = implementation_->reader;
  CreateRequest request;
  if (reader.start(text) &&
      read_create_request(reader, whole_text, Unknown::keep, Unknown::skip, request) &&
      reader.finish()) {
    return request;
  }
  return decode_error(reader);
}

}  // namespace worker_runtime::fs_store
