// Digests of request bodies, to tell a repetition from a conflict.
//
// Two lanes of multiply and shift over eight bytes at a time (the mixing steps are those of
// MurmurHash3's 64-bit finaliser). Every field goes in with its length, and optional ones with
// whether they are there, so that no two bodies feed the same bytes.
#include <charconv>

#include "worker_runtime/commit.h"

namespace worker_runtime {
namespace {

std::uint64_t mix(std::uint64_t word) {
  word ^= word >> 33U;
  word *= 0xff51afd7ed558ccdU;
  word ^= word >> 33U;
  word *= 0xc4ceb9fe1a85ec53U;
  return word ^ (word >> 33U);
}

class Hasher {
 public:
  void add(std::uint64_t word) {
    first_ = mix(first_ ^ word) + 0x9e3779b97f4a7c15U;
    second_ = mix(second_ + word * 0xbf58476d1ce4e5b9U) ^ first_;
  }

  void add(std::string_view text) {
    add(text.size());
    while (!text.empty()) {
      std::uint64_t word = 0;
      const std::size_t count = text.size() < 8 ? text.size() : 8;
      // Little-endian on every machine: digests stand in files.
      for (std::size_t at = 0; at < count; ++at)
        word |= std::uint64_t{static_cast<unsigned char>(text[at])} << (8 * at);
      add(word);
      text.remove_prefix(count);
    }
  }

  void add_optional(const std::optional<std::string>& text) {
    add(std::uint64_t{text.has_value()});
    if (text) add(*text);
  }

  void add_references(const std::vector<NamedReference>& references) {
    add(references.size());
    for (const NamedReference& reference : references) {
      add(reference.name);
      add(reference.reference);
    }
  }

  [[nodiscard]] BodyDigest digest() const { return {{mix(first_), mix(second_)}}; }

 private:
  std::uint64_t first_ = 0x243f6a8885a308d3U;
  std::uint64_t second_ = 0x13198a2e03707344U;
};

void add_intent(Hasher& hasher, const Intent& intent) {
  hasher.add(intent.index());
  if (const auto* const assistant = std::get_if<AssistantIntent>(&intent)) {
    hasher.add_optional(assistant->purpose);
  } else if (const auto* const task = std::get_if<TaskIntent>(&intent)) {
    hasher.add(task->objective);
  } else if (const auto* const role = std::get_if<RoleIntent>(&intent)) {
    hasher.add(role->role);
    hasher.add_optional(role->purpose);
  }
}

}  // namespace

BodyDigest digest_of(const CreateRequest& request) {
  Hasher hasher;
  add_intent(hasher, request.intent);
  hasher.add(static_cast<std::uint64_t>(request.profile.kind));
  hasher.add(request.profile.value);
  hasher.add_optional(request.config_bundle);
  hasher.add(request.requested_capabilities.size());
  for (const Capability& capability : request.requested_capabilities) {
    hasher.add(capability.name);
    hasher.add_optional(capability.reason);
  }
  hasher.add_references(request.workspace_refs);
  hasher.add_references(request.mount_refs);
  hasher.add_optional(request.worker_id ? std::optional(request.worker_id->text()) : std::nullopt);
  hasher.add_optional(request.display_name);
  // Where there is one, it stands for the history. (Digests without one are as they always were.)
  if (request.origin) {
    hasher.add(request.origin->worker_ref.runtime_id.text());
    hasher.add(request.origin->worker_ref.worker_id.text());
    hasher.add(request.origin->sequence.value);
  }
  return hasher.digest();
}

KeyedEntry keyed_entry(const TranscriptEntry& entry) {
  KeyedEntry keyed{*entry.idempotency_key, entry.sequence, entry.event_id};
  if (entry.redacted == 0) keyed.digest = digest_of(entry);
  return keyed;
}

BodyDigest digest_of(const TranscriptEntry& entry) {
  Hasher hasher;
  hasher.add(static_cast<std::uint64_t>(entry.role));
  hasher.add(entry.content);
  hasher.add_optional(entry.name);
  hasher.add_optional(entry.data);
  hasher.add(entry.usage.size());
  for (const Counter& counter : entry.usage) {
    hasher.add(counter.name);
    hasher.add(counter.value);
  }
  return hasher.digest();
}

std::string to_string(const BodyDigest& digest) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const std::uint64_t word : digest.words) {
    for (unsigned shift = 64; shift > 0; shift -= 4) text += digits[(word >> (shift - 4)) & 15U];
  }
  return text;
}

Result<BodyDigest> parse_body_digest(std::string_view text) {
  BodyDigest digest;
  if (text.size() == 32) {
    const auto first = std::from_chars(text.data(), text.data() + 16, digest.words[0], 16);
    const auto second = std::from_chars(text.data() + 16, text.data() + 32, digest.words[1], 16);
    if (first.ptr == text.data() + 16 && second.ptr == text.data() + 32 &&
        to_string(digest) == text)
      return digest;
  }
  return Error(ErrorCode::store_corrupt, "not a digest of 32 hex digits");
}

}  // namespace worker_runtime
