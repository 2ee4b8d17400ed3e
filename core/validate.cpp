// Checks of requests: see validate.h.
#include "validate.h"

#include <algorithm>
#include <utility>

#include "worker_runtime/text.h"

namespace worker_runtime {
namespace {

Error invalid(std::string message) { return {ErrorCode::invalid_request, std::move(message)}; }

Result<void> within(std::string_view what, std::uint64_t requested, std::uint64_t max) {
  if (requested <= max) return {};
  return Error(ErrorCode::limit_exceeded,
               std::string(what) + " is limited to " + std::to_string(max) + ", not " +
                   std::to_string(requested),
               LimitFields{std::string(what), requested, max});
}

/// Text that may be anything but must be valid UTF-8 and, where given, say something.
Result<void> check_text(std::string_view what, std::string_view text) {
  if (!is_valid_utf8(text)) return invalid(std::string(what) + " is not valid UTF-8");
  if (is_blank(text)) return invalid(std::string(what) + " must not be blank");
  return {};
}

Result<void> check_optional(std::string_view what, const std::optional<std::string>& text) {
  return text ? check_text(what, *text) : Result<void>();
}

Result<void> check_limited(std::string_view what, const std::optional<std::string>& text,
                           std::string_view limit, std::uint64_t max) {
  auto checked = check_optional(what, text);
  if (!checked || !text) return checked;
  return within(limit, text->size(), max);
}

Result<void> check_key(const std::optional<std::string>& key, const Limits& limits) {
  return check_limited("the idempotency key", key, "idempotency_key_bytes",
                       limits.idempotency_key_bytes);
}

Result<void> first_error(std::initializer_list<Result<void>> results) {
  for (const Result<void>& result : results) {
    if (!result) return result;
  }
  return {};
}

// ---- create

std::uint64_t size_of(const std::optional<std::string>& text) { return text ? text->size() : 0; }

std::uint64_t text_bytes(const CreateRequest& request) {
  std::uint64_t bytes = request.profile.value.size() + size_of(request.config_bundle) +
                        size_of(request.display_name) + size_of(request.idempotency_key);
  if (request.worker_id) bytes += request.worker_id->text().size();
  if (const auto* const assistant = std::get_if<AssistantIntent>(&request.intent))
    bytes += size_of(assistant->purpose);
  if (const auto* const task = std::get_if<TaskIntent>(&request.intent))
    bytes += task->objective.size();
  if (const auto* const role = std::get_if<RoleIntent>(&request.intent)) {
    bytes += role->role.size() + size_of(role->purpose);
  }
  for (const Capability& capability : request.requested_capabilities) {
    bytes += capability.name.size() + size_of(capability.reason);
  }
  for (const auto* const references : {&request.workspace_refs, &request.mount_refs}) {
    for (const NamedReference& reference : *references)
      bytes += reference.name.size() + reference.reference.size();
  }
  return bytes;
}

Result<void> check_intent(const Intent& intent) {
  if (const auto* const assistant = std::get_if<AssistantIntent>(&intent)) {
    return check_optional("the purpose", assistant->purpose);
  }
  if (const auto* const task = std::get_if<TaskIntent>(&intent))
    return check_text("the objective", task->objective);
  const auto& role = std::get<RoleIntent>(intent);
  return first_error(
      {check_text("the role", role.role), check_optional("the purpose", role.purpose)});
}

Result<void> check_profile(const Profile& profile) {
  if (profile.kind != ProfileKind::runtime_default)
    return check_text("the profile's name", profile.value);
  if (!profile.value.empty()) return invalid("the default profile has no name");
  return {};
}

Result<void> check_references(std::string_view what,
                              const std::vector<NamedReference>& references) {
  for (const NamedReference& reference : references) {
    auto checked =
        first_error({check_text(std::string(what) + "'s name", reference.name),
                     check_text(std::string(what) + "'s reference", reference.reference)});
    if (!checked) return checked;
  }
  return {};
}

Result<void> check(CreateRequest& request, const Limits& limits) {
  auto checked = first_error({check_intent(request.intent), check_profile(request.profile),
                              check_optional("the config bundle's id", request.config_bundle),
                              check_references("a workspace", request.workspace_refs),
                              check_references("a mount", request.mount_refs)});
  if (!checked) return checked;
  for (const Capability& capability : request.requested_capabilities) {
    checked = first_error({check_text("a capability's name", capability.name),
                           check_optional("a capability's reason", capability.reason)});
    if (!checked) return checked;
  }
  if (request.worker_id && request.worker_id->empty())
    return invalid("a worker id must not be empty");
  return first_error(
      {validate_display_name(request.display_name, limits),
       check_key(request.idempotency_key, limits),
       within("create_request_bytes", text_bytes(request), limits.create_request_bytes)});
}

// ---- entries

Result<void> check(SendInput& request, const Limits& limits) {
  return first_error({check_text("the content", request.content),
                      check_key(request.idempotency_key, limits),
                      within("input_bytes", request.content.size(), limits.input_bytes)});
}

Result<void> check_usage(Counters& usage, const Limits& limits) {
  std::sort(usage.begin(), usage.end(),
            [](const Counter& left, const Counter& right) { return left.name < right.name; });
  for (std::size_t at = 0; at < usage.size(); ++at) {
    const Counter& counter = usage[at];
    auto checked = first_error({check_text("a counter's name", counter.name),
                                within("name_bytes", counter.name.size(), limits.name_bytes),
                                within("counter_value", counter.value, counter_max)});
    if (!checked) return checked;
    if (at > 0 && usage[at - 1].name == counter.name)
      return invalid("counter " + counter.name + " is doubled");
  }
  return within("named_counters", usage.size(), limits.named_counters);
}

Result<void> check(AppendOutput& request, const Limits& limits) {
  auto checked = check_text("the content", request.content);
  if (!checked) return checked;
  // Before the data is looked at in detail: it may be hostile.
  const std::uint64_t bytes =
      request.content.size() + size_of(request.name) + size_of(request.data);
  const auto size = within("transcript_entry_bytes", bytes, limits.transcript_entry_bytes);
  if (request.data && size) {
    auto compact = compact_json_object(*request.data);
    if (!compact) return std::move(compact).error();
    request.data = std::move(*compact);
  }
  return first_error({check_limited("the name", request.name, "name_bytes", limits.name_bytes),
                      check_key(request.idempotency_key, limits),
                      check_usage(request.usage, limits), size});
}

Result<void> check_reason(const std::optional<std::string>& reason, const Limits& limits) {
  return check_limited("the reason", reason, "reason_bytes", limits.reason_bytes);
}

Result<void> check(StopWorker& request, const Limits& limits) {
  return check_reason(request.reason, limits);
}
Result<void> check(CancelWorker& request, const Limits& limits) {
  return check_reason(request.reason, limits);
}
Result<void> check(DeleteWorker&, const Limits&) { return {}; }
Result<void> check(StopRuntime&, const Limits&) { return {}; }
Result<void> check(StartRuntime&, const Limits&) { return {}; }

}  // namespace

Result<void> validate(Mutation& operation, const Limits& limits) {
  return std::visit([&](auto& request) { return check(request, limits); }, operation);
}

Result<void> validate_display_name(const std::optional<std::string>& display_name,
                                   const Limits& limits) {
  return check_limited("the display name", display_name, "display_name_bytes",
                       limits.display_name_bytes);
}

Result<void> apply_limit(Limits& limits, const LimitSetting& setting) {
  for (const LimitName& known : limit_names()) {
    if (known.name != setting.name) continue;
    if (setting.value == 0) return invalid("the limit " + setting.name + " must be at least 1");
    limits.*known.member = setting.value;
    return {};
  }
  return invalid("there is no limit named " + setting.name);
}

}  // namespace worker_runtime
