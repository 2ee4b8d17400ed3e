// Names and numbers of the domain, each a type of its own so that they don't mix.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "worker_runtime/result.h"

#pragma GCC visibility push(default)

namespace worker_runtime {

/// The longest id in bytes.
inline constexpr std::size_t id_bytes_max = 80;

/// An id given by people or made by a Runtime: 1 to 80 bytes of valid UTF-8, no control character,
/// no leading or trailing white space. Ordered by bytes. A default-constructed id is empty and
/// valid nowhere.
template <typename Tag>
class TextId {
 public:
  TextId() = default;

  /// `invalid_request` if the rule above is broken.
  static Result<TextId> parse(std::string_view text);

  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] bool empty() const { return text_.empty(); }

  auto operator<=>(const TextId& other) const { return text_.compare(other.text_) <=> 0; }
  bool operator==(const TextId&) const = default;

 private:
  explicit TextId(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

struct RuntimeIdTag;
struct WorkerIdTag;
using RuntimeId = TextId<RuntimeIdTag>;
using WorkerId = TextId<WorkerIdTag>;
template <>
Result<RuntimeId> RuntimeId::parse(std::string_view text);
template <>
Result<WorkerId> WorkerId::parse(std::string_view text);

/// The authority over a Worker: nothing else is ever a key.
struct WorkerRef {
  RuntimeId runtime_id;
  WorkerId worker_id;
  auto operator<=>(const WorkerRef&) const = default;
  bool operator==(const WorkerRef&) const = default;
};

/// A counted number. 0 means "none yet" where the count starts at 1.
template <typename Tag>
struct Number {
  std::uint64_t value = 0;
  auto operator<=>(const Number&) const = default;
  [[nodiscard]] Number next() const { return Number{value + 1}; }
};

struct EventIdTag;
struct SequenceTag;
struct LsnTag;
struct EpochTag;
/// Place of an event in the log of its Runtime: dense, from 1.
using EventId = Number<EventIdTag>;
/// Place of an entry in the transcript of its Worker: dense, from 1.
using Sequence = Number<SequenceTag>;
/// Log sequence number: place of a commit in the journal: dense, from 1.
using Lsn = Number<LsnTag>;
using Epoch = Number<EpochTag>;  ///< The number that each open of a store for writing takes.

}  // namespace worker_runtime

#pragma GCC visibility pop

template <typename Tag>
struct std::hash<worker_runtime::TextId<Tag>> {
  std::size_t operator()(const worker_runtime::TextId<Tag>& id) const noexcept {
    return std::hash<std::string>{}(id.text());
  }
};
