// Reading JSON strictly: one object a text, its members walked once, in any order.
//
// Built on simdjson's on-demand parser, which finds the structure of the whole text (and checks its
// UTF-8 and control characters) in one fast pass and reads values as they are asked for. It leaves
// unread what is not asked for; so whoever keeps a value as raw text has it checked by compact().
//
// The first mistake is remembered with its place, and ends every walk: callers need to look only
// at the end.
#pragma once

#include <simdjson.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "worker_runtime/ids.h"
#include "worker_runtime/result.h"
#include "worker_runtime/time.h"

namespace worker_runtime::fs_store {

using JsonValue = simdjson::ondemand::value;

/// What a reader does about a member whose name it does not know.
enum class Unknown : std::uint8_t {
  skip,
  keep,    ///< Hand on its text.
  refuse,  ///< It is a mistake.
  newer,   ///< It was written by a newer version, and must not be half understood.
};

/// Owns the copy of the text and the parser, and keeps both for the next text.
class JsonReader {
 public:
  enum class Failure : std::uint8_t { none, malformed, newer };

  JsonReader() = default;
  JsonReader(const JsonReader&) = delete;  // the document points to the parser
  JsonReader& operator=(const JsonReader&) = delete;

  /// Finds the structure of a text. False: it has none.
  bool start(std::string_view text);
  /// The same for a checked line or an object: passes over the checksum.
  bool start_line(std::string_view line);
  /// To be asked when the object has been walked: true if it was good, and nothing stands behind.
  bool finish();

  /// Remembers a mistake at the member that is being read. Always false, as are all who fail.
  bool fail(std::string_view message);
  /// The same for what a newer version wrote. `found`: its schema version.
  bool fail_newer(std::uint64_t found);
  /// Remembers a mistake in the structure, where the parser stands.
  bool fail(simdjson::error_code code);

  [[nodiscard]] bool failed() const { return failure_ != Failure::none; }
  [[nodiscard]] Failure failure() const { return failure_; }
  /// One clause: what and, where known, at which byte.
  [[nodiscard]] const std::string& message() const { return message_; }
  [[nodiscard]] std::uint64_t newer_version() const { return newer_version_; }
  /// The parser's own code, if it was its mistake.
  [[nodiscard]] simdjson::error_code structure_error() const { return structure_error_; }
  /// True if the text is no JSON, or not known to be.
  [[nodiscard]] bool is_structure_bad() const;

  // ---- the value of a member or an element; false: failed()

  bool read(JsonValue value, std::string_view& text);  ///< Valid until the next start().
  bool read(JsonValue value, std::string& text);
  bool read(JsonValue value, std::uint64_t& number);
  bool read(JsonValue value, bool& boolean);
  bool read(JsonValue value, Timestamp& time);
  template <typename Tag>
  bool read(JsonValue value, Number<Tag>& number) {
    return read(value, number.value);
  }
  template <typename Tag>
  bool read(JsonValue value, TextId<Tag>& id);
  template <typename Value>
  bool read(JsonValue value, std::optional<Value>& content) {
    return read(value, content.emplace());
  }

  /// The text of a value as it is. Unchecked inside: see compact().
  bool read_raw(JsonValue value, std::string_view& json);
  /// Checks the text of a value of any type, and takes out insignificant white space.
  bool compact(std::string_view raw, std::string& json);
  /// Both of these.
  bool read_compact(JsonValue value, std::string& json);
  /// The same, of an object only.
  bool read_compact_object(JsonValue value, std::string& json);

  /// Calls `read_element(JsonValue)` for each element of an array.
  template <typename ReadElement>
  bool read_array(JsonValue value, ReadElement&& read_element);

 private:
  friend class ObjectReader;
  [[nodiscard]] std::optional<std::size_t> offset_of(const char* place) const;
  bool remember(Failure failure, std::string message);
  bool load(std::string_view text, std::size_t shift);
  bool parse();

  simdjson::ondemand::parser parser_;
  simdjson::ondemand::document document_;
  std::unique_ptr<char[]> bytes_;
  std::size_t capacity_ = 0;
  std::size_t size_ = 0;
  std::size_t shift_ = 0;  // bytes of the text that were left out in front
  bool has_document_ = false;
  bool is_line_ = false;         // its `crc` is that of the line
  const char* place_ = nullptr;  // of the member or element that is being read
  Failure failure_ = Failure::none;
  simdjson::error_code structure_error_ = simdjson::SUCCESS;
  std::uint64_t newer_version_ = 0;
  std::string message_;
  // Lines that follow each other name the same ids: these are known to be good.
  std::tuple<RuntimeId, WorkerId> last_ids_;
};

/// The names of an object's members, in the order in which they are usually written (which makes
/// finding them fast, and nothing else). At most 64.
using MemberNames = std::span<const std::string_view>;

/// Walks the members of one object. Use:
///   ObjectReader object(reader, names, Unknown::skip);
///   object.open(value);
///   while (object.next()) switch (object.member()) { case 0: object.read(...); break; ... }
///   return object.complete(required);
class ObjectReader {
 public:
  ObjectReader(JsonReader& reader, MemberNames names, Unknown unknown)
      : reader_(reader), names_(names), unknown_(unknown) {}

  /// The object that the text is.
  bool open();
  bool open(JsonValue value);

  /// Goes to the next member that is known. False at the end and after a failure.
  bool next();
  /// The same whatever the name: for objects of names that are data. Looks for no doubled ones.
  bool next_any(std::string_view& name);
  /// Its index in the names.
  [[nodiscard]] std::size_t member() const { return member_; }
  [[nodiscard]] JsonValue value() const { return value_; }

  template <typename Value>
  bool read(Value& content) {
    return reader_.read(value_, content);
  }

  [[nodiscard]] bool has(std::size_t member) const { return ((seen_ >> member) & 1U) != 0; }
  [[nodiscard]] std::uint64_t seen() const { return seen_; }
  /// True if nothing failed and every member of the mask was there.
  bool complete(std::uint64_t required);
  /// `,"name":value` of each unknown member, with Unknown::keep.
  [[nodiscard]] std::string take_kept() { return std::move(kept_); }

 private:
  bool read_name(simdjson::ondemand::field& field, std::string_view& name);
  bool find(std::string_view name);
  bool unknown_member(std::string_view name);
  bool keep(std::string_view name);

  JsonReader& reader_;
  MemberNames names_;
  Unknown unknown_;
  bool is_root_ = false;  // the whole text: of a line, `crc` is its own
  simdjson::ondemand::object object_;
  simdjson::ondemand::object_iterator iterator_;
  bool started_ = false;
  bool opened_ = false;
  std::size_t expected_ = 0;
  std::size_t member_ = 0;
  std::uint64_t seen_ = 0;
  bool is_newer_ = false;  // a member is unknown, with Unknown::newer
  JsonValue value_;
  std::string kept_;
  std::vector<std::string_view> kept_names_;
};

/// The mask of members for ObjectReader::complete().
template <typename... Members>
constexpr std::uint64_t mask_of(Members... members) {
  return (std::uint64_t{0} | ... | (std::uint64_t{1} << static_cast<unsigned>(members)));
}

// ---- what is left of the templates

template <typename Tag>
bool JsonReader::read(JsonValue value, TextId<Tag>& id) {
  std::string_view text;
  if (!read(value, text)) return false;
  auto& last = std::get<TextId<Tag>>(last_ids_);
  if (text != last.text() || text.empty()) {
    auto parsed = TextId<Tag>::parse(text);
    if (!parsed) return fail(parsed.error().message());
    last = *std::move(parsed);
  }
  id = last;
  return true;
}

template <typename ReadElement>
bool JsonReader::read_array(JsonValue value, ReadElement&& read_element) {
  simdjson::ondemand::array array;
  if (const auto error = value.get_array().get(array)) return fail(error);
  for (auto element : array) {
    JsonValue content;
    if (const auto error = element.get(content)) return fail(error);
    place_ = content.raw_json_token().data();
    if (!read_element(content) || failed()) return false;
  }
  return true;
}

}  // namespace worker_runtime::fs_store
