// Errors as values: the stable codes, the one Error type, and Result<T>.
//
// No function of this library throws across its API. A function that can fail returns Result<T>;
// the caller decides on Error::code() and finds in the typed fields what its handler needs.
#pragma once

#include <cassert>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#pragma GCC visibility push(default)

namespace worker_runtime {

/// What a caller can do next is decided on this code. The names are stable: they are the `code` of
/// the command-line tool and of every binding.
enum class ErrorCode : std::uint8_t {
  runtime_stopped,
  runtime_ambiguous,
  wrong_runtime,
  worker_not_found,
  worker_exists,
  worker_not_running,
  worker_active,
  worker_damaged,
  invalid_request,
  limit_exceeded,
  idempotency_conflict,
  cursor_expired,
  cursor_ahead,
  closed,
  store_io,
  store_missing,
  store_corrupt,
  store_failed,
  store_full,
  store_locked,
  store_version,
};

/// The snake_case name, e.g. "worker_not_found".
std::string_view to_string(ErrorCode code);

/// Fields of `limit_exceeded`: which limit (its name in Limits), what was asked, what is allowed.
struct LimitFields {
  std::string what;
  std::uint64_t requested = 0;
  std::uint64_t max = 0;
  bool operator==(const LimitFields&) const = default;
};

/// Fields of `cursor_expired`: the first cursor that is still kept (an event id, or a transcript
/// index).
struct CursorFields {
  std::uint64_t first_available = 0;
  bool operator==(const CursorFields&) const = default;
};

/// Fields of the `store_*` errors that concern a file.
struct FileFields {
  std::string path;                       ///< Relative to the store root; empty if there is none.
  std::optional<std::uint64_t> line{};    ///< From 1, where known.
  std::optional<std::uint64_t> offset{};  ///< Bytes from the start of the file, where known.
  int system_error = 0;                   ///< errno of the failed call, 0 if there is none.
  /// A cursor behind the damage, of the kind that was asked with.
  std::optional<std::uint64_t> next_readable{};
  std::string root{};  ///< The absolute root, for detail() only.
  bool operator==(const FileFields&) const = default;
};

/// Fields of `store_locked`: the holder of the lock as far as it is known.
struct HolderFields {
  std::optional<std::int64_t> pid{};
  std::string host{};
  std::string since{};  ///< RFC 3339.
  bool operator==(const HolderFields&) const = default;
};

/// Fields of `runtime_ambiguous`: the runtimes under the root, in byte order.
struct AmbiguousFields {
  std::vector<std::string> runtimes{};
  bool operator==(const AmbiguousFields&) const = default;
};

/// Fields of `store_version`: the schema version on disk and the newest one that this build reads.
struct VersionFields {
  std::uint64_t found = 0;
  std::uint64_t supported = 0;
  bool operator==(const VersionFields&) const = default;
};

using ErrorFields = std::variant<std::monostate, LimitFields, CursorFields, FileFields,
                                 HolderFields, AmbiguousFields, VersionFields>;

/// A failed operation: a code, one clause for people, and typed fields. A plain value.
class [[nodiscard]] Error {
 public:
  Error(ErrorCode code, std::string message, ErrorFields fields = {})
      : code_(code), message_(std::move(message)), fields_(std::move(fields)) {}

  [[nodiscard]] ErrorCode code() const { return code_; }

  /// One clause that may be shown to anybody: it never holds an absolute path.
  [[nodiscard]] const std::string& message() const { return message_; }

  /// The message for the operator's log: code, message, place, system error and absolute path.
  [[nodiscard]] std::string detail() const;

  [[nodiscard]] const ErrorFields& fields() const { return fields_; }

  /// The fields if they are of type `Fields`, else null.
  template <typename Fields>
  [[nodiscard]] const Fields* get() const {
    return std::get_if<Fields>(&fields_);
  }

  /// In a batch: which operation failed, from 0.
  [[nodiscard]] std::optional<std::uint64_t> index() const { return index_; }
  Error& set_index(std::uint64_t index) {
    index_ = index;
    return *this;
  }

  bool operator==(const Error&) const = default;

 private:
  ErrorCode code_;
  std::string message_;
  ErrorFields fields_;
  std::optional<std::uint64_t> index_;
};

/// Either a value or an Error, with the member names of std::expected. Reading the wrong side is a
/// programmer's mistake and asserts.
template <typename T>
class [[nodiscard]] Result {
 public:
  using value_type = T;

  // NOLINTNEXTLINE(google-explicit-constructor): a function returns either side as it is.
  Result(T value) : content_(std::in_place_index<0>, std::move(value)) {}
  // NOLINTNEXTLINE(google-explicit-constructor)
  Result(Error error) : content_(std::in_place_index<1>, std::move(error)) {}

  [[nodiscard]] bool has_value() const { return content_.index() == 0; }
  explicit operator bool() const { return has_value(); }

  [[nodiscard]] T& value() & {
    assert(has_value());
    return *std::get_if<0>(&content_);
  }
  [[nodiscard]] const T& value() const& {
    assert(has_value());
    return *std::get_if<0>(&content_);
  }
  [[nodiscard]] T&& value() && {
    assert(has_value());
    return std::move(*std::get_if<0>(&content_));
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  [[nodiscard]] Error& error() & {
    assert(!has_value());
    return *std::get_if<1>(&content_);
  }
  [[nodiscard]] const Error& error() const& {
    assert(!has_value());
    return *std::get_if<1>(&content_);
  }
  [[nodiscard]] Error&& error() && {
    assert(!has_value());
    return std::move(*std::get_if<1>(&content_));
  }

  [[nodiscard]] T value_or(T other) && {
    return has_value() ? std::move(*this).value() : std::move(other);
  }

 private:
  std::variant<T, Error> content_;
};

/// Success without a value, or an Error.
template <>
class [[nodiscard]] Result<void> {
 public:
  using value_type = void;

  Result() = default;
  // NOLINTNEXTLINE(google-explicit-constructor)
  Result(Error error) : error_(std::move(error)) {}

  [[nodiscard]] bool has_value() const { return !error_.has_value(); }
  explicit operator bool() const { return has_value(); }

  [[nodiscard]] Error& error() & {
    assert(error_);
    return *error_;
  }
  [[nodiscard]] const Error& error() const& {
    assert(error_);
    return *error_;
  }
  [[nodiscard]] Error&& error() && {
    assert(error_);
    return std::move(*error_);
  }

 private:
  std::optional<Error> error_;
};

}  // namespace worker_runtime

#pragma GCC visibility pop
