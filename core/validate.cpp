// Checks of requests: see validate.h.
#include "validate.h"

#include <algorithm>
#include <map>
#include <utility>

#include "worker_runtime/text.h"

namespace worker_runtime {
namespace {

Error invalid(std::string message) { return {ErrorCode::invalid_request, std::move(message)}; }

/// Collects the checks of one request: the first thing that is invalid, and the first that is over
/// a limit.
class Checker {
 public:
  /// Text that may be anything, but must be valid UTF-8.
  void utf8(std::string_view what, std::string_view text) {
    if (!invalid_ && !is_valid_utf8(text)) refuse(std::string(what) + " is not valid UTF-8");
  }

  /// Text that must say something.
  void text(std::string_view what, std::string_view text) {
    utf8(what, text);
    if (!invalid_ && is_blank(text)) refuse(std::string(what) + " must not be blank");
  }
  void optional_text(std::string_view what, const std::optional<std::string>& given) {
    if (given) text(what, std::string_view(*given));
  }

  void data(std::optional<std::string>& data) {
    if (!data || invalid_) return;
    auto compact = compact_json_object(*data);
    if (!compact) {
      invalid_ = std::move(compact).error();
    } else if (compact->size() != data->size()) {
      data = std::move(*compact);
    }
  }

  void within(std::string_view limit, std::uint64_t requested, std::uint64_t max) {
    if (excess_ || requested <= max) return;
    excess_ = Error(ErrorCode::limit_exceeded,
                    std::string(limit) + " is limited to " + std::to_string(max) + ", not " +
                        std::to_string(requested),
                    LimitFields{std::string(limit), requested, max});
  }

  void refuse(std::string message) {
    if (!invalid_) invalid_ = invalid(std::move(message));
  }

  [[nodiscard]] Result<void> result() {
    if (invalid_) return *std::move(invalid_);
    if (excess_) return *std::move(excess_);
    return {};
  }

 private:
  std::optional<Error> invalid_;
  std::optional<Error> excess_;
};

std::uint64_t size_of(const std::optional<std::string>& text) { return text ? text->size() : 0; }

void check_key(Checker& checker, const std::optional<std::string>& key, const Limits& limits) {
  checker.optional_text("the idempotency key", key);
  checker.within("idempotency_key_bytes", size_of(key), limits.idempotency_key_bytes);
}

// ---- create

void check_intent(Checker& checker, const Intent& intent) {
  if (const auto* const assistant = std::get_if<AssistantIntent>(&intent)) {
    checker.optional_text("the purpose", assistant->purpose);
  } else if (const auto* const task = std::get_if<TaskIntent>(&intent)) {
    checker.text("the objective", task->objective);
  } else if (const auto* const role = std::get_if<RoleIntent>(&intent)) {
    checker.text("the role", role->role);
    checker.optional_text("the purpose", role->purpose);
  }
}

void check_profile(Checker& checker, const Profile& profile) {
  if (profile.kind != ProfileKind::runtime_default) {
    checker.text("the profile's name", profile.value);
  } else if (!profile.value.empty()) {
    checker.refuse("the default profile has no name");
  }
}

void check_create(Checker& checker, const CreateRequest& request, const Limits& limits) {
  if (request.worker_id && request.worker_id->empty())
    checker.refuse("a worker id must not be empty");
  check_intent(checker, request.intent);
  check_profile(checker, request.profile);
  checker.optional_text("the config bundle's id", request.config_bundle);
  for (const Capability& capability : request.requested_capabilities) {
    checker.text("a capability's name", capability.name);
    checker.optional_text("a capability's reason", capability.reason);
  }
  for (const NamedReference& workspace : request.workspace_refs) {
    checker.text("a workspace's name", workspace.name);
    checker.utf8("a workspace's reference", workspace.reference);
  }
  for (const NamedReference& mount : request.mount_refs) {
    checker.text("a mount's name", mount.name);
    checker.utf8("a mount's reference", mount.reference);
  }
  checker.optional_text("the display name", request.display_name);
  checker.within("display_name_bytes", size_of(request.display_name), limits.display_name_bytes);
  check_key(checker, request.idempotency_key, limits);
  checker.within("create_request_bytes", text_bytes(request), limits.create_request_bytes);
}

Result<void> check(CreateRequest& request, const Limits& limits) {
  Checker checker;
  if (request.origin || !request.unknown_members.empty())
    checker.refuse("only a forked or imported worker has an origin");
  check_create(checker, request, limits);
  return checker.result();
}

// ---- entries

Result<void> check(SendInput& request, const Limits& limits) {
  Checker checker;
  checker.text("the content", request.content);
  checker.within("input_bytes", request.content.size(), limits.input_bytes);
  check_key(checker, request.idempotency_key, limits);
  return checker.result();
}

void check_usage(Checker& checker, Counters& usage, const Limits& limits) {
  std::sort(usage.begin(), usage.end(),
            [](const Counter& left, const Counter& right) { return left.name < right.name; });
  for (std::size_t at = 0; at < usage.size(); ++at) {
    const Counter& counter = usage[at];
    checker.text("a counter's name", counter.name);
    if (at > 0 && usage[at - 1].name == counter.name)
      checker.refuse("counter " + counter.name + " is doubled");
    checker.within("name_bytes", counter.name.size(), limits.name_bytes);
    checker.within("counter_value", counter.value, counter_max);
  }
  checker.within("named_counters", usage.size(), limits.named_counters);
}

/// An output, or an entry of an imported Worker.
template <typename Entry>
void check_entry(Checker& checker, Entry& entry, const Limits& limits) {
  checker.optional_text("the name", entry.name);
  checker.data(entry.data);
  checker.within("transcript_entry_bytes",
                 entry.content.size() + size_of(entry.name) + size_of(entry.data),
                 limits.transcript_entry_bytes);
  checker.within("name_bytes", size_of(entry.name), limits.name_bytes);
  check_key(checker, entry.idempotency_key, limits);
  check_usage(checker, entry.usage, limits);
}

Result<void> check(AppendOutput& request, const Limits& limits) {
  Checker checker;
  checker.text("the content", request.content);
  check_entry(checker, request, limits);
  return checker.result();
}

Result<void> check(ImportWorker& request, const Limits& limits) {
  Checker checker;
  const std::optional<Origin>& origin = request.request.origin;
  if (!origin || origin->worker_ref.runtime_id.empty() || origin->worker_ref.worker_id.empty())
    checker.refuse("an imported worker needs an origin");
  check_create(checker, request.request, limits);
  std::map<std::string_view, std::uint64_t> sums;
  for (TranscriptEntry& entry : request.entries) {
    if (entry.redacted == 0) {
      checker.text("the content", entry.content);
    } else if (!entry.content.empty() || entry.data) {
      checker.refuse("a redacted entry has content or data");
    }
    checker.within("transcript_entry_bytes", entry.redacted, limits.transcript_entry_bytes);
    check_entry(checker, entry, limits);
    if (entry.at < timestamp_min || entry.at > timestamp_max)
      checker.refuse("an entry's time is out of the range that can be written");
    for (const Counter& counter : entry.usage) {
      std::uint64_t& sum = sums[counter.name];
      // A counter beyond its limit is told by check_usage(): the sum must not wrap around with it.
      sum += std::min(counter.value, counter_max);
      checker.within("counter_value", sum, counter_max);
      sum = std::min(sum, counter_max);
    }
  }
  checker.within("named_counters", sums.size(), limits.named_counters);
  return checker.result();
}

Result<void> check_reason(const std::optional<std::string>& reason, const Limits& limits) {
  Checker checker;
  checker.optional_text("the reason", reason);
  checker.within("reason_bytes", size_of(reason), limits.reason_bytes);
  return checker.result();
}

Result<void> check(StopWorker& request, const Limits& limits) {
  return check_reason(request.reason, limits);
}
Result<void> check(CancelWorker& request, const Limits& limits) {
  return check_reason(request.reason, limits);
}
Result<void> check(DeleteWorker&, const Limits&) { return {}; }
Result<void> check_before(std::uint64_t before) {
  if (before > 0) return {};
  return invalid("there is nothing before 0: numbers start at 1");
}
Result<void> check(TrimEvents& request, const Limits&) {
  return check_before(request.before.value);
}
Result<void> check(TrimTranscript& request, const Limits&) {
  return check_before(request.before.value);
}
Result<void> check(Redact& request, const Limits&) {
  if (request.sequence.value > 0) return {};
  return invalid("there is no entry 0: numbers start at 1");
}
Result<void> check(StopRuntime&, const Limits&) { return {}; }
Result<void> check(StartRuntime&, const Limits&) { return {}; }

}  // namespace

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

std::uint64_t text_bytes(const TranscriptEntry& entry) {
  return entry.content.size() + size_of(entry.name) + size_of(entry.data);
}

Result<void> validate(Mutation& operation, const Limits& limits) {
  return std::visit([&](auto& request) { return check(request, limits); }, operation);
}

Result<void> validate_display_name(const std::optional<std::string>& display_name,
                                   const Limits& limits) {
  Checker checker;
  checker.optional_text("the display name", display_name);
  checker.within("display_name_bytes", size_of(display_name), limits.display_name_bytes);
  return checker.result();
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
