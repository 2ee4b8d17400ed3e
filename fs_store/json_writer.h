// Writing JSON: appends compact text to a string.
//
// What is written is decided by the calls alone: a name and its value, begin and end, in the right
// order. Only the commas are added here. There is no look-up, no stack and no buffer of its own, so
// that a line costs little more than the copy of its bytes.
#pragma once

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "worker_runtime/ids.h"
#include "worker_runtime/time.h"

namespace worker_runtime::fs_store {

/// `text` as a JSON string. Bytes that are no valid UTF-8 become U+FFFD.
void write_json_string(std::string& out, std::string_view text);

class JsonWriter {
 public:
  explicit JsonWriter(std::string& out) : out_(out) {}

  void begin_object() { begin('{'); }
  void end_object() { end('}'); }
  void begin_array() { begin('['); }
  void end_array() { end(']'); }

  /// A name that needs no escapes.
  template <std::size_t size>
  void name(const char (&literal)[size]) {
    char text[size + 3];
    text[0] = ',';
    text[1] = '"';
    std::memcpy(text + 2, literal, size - 1);
    text[size + 1] = '"';
    text[size + 2] = ':';
    const std::size_t skipped = needs_comma_ ? 0 : 1;
    out_.append(text + skipped, size + 3 - skipped);
    needs_comma_ = false;
  }
  /// Any name.
  void any_name(std::string_view text) {
    separate();
    write_json_string(out_, text);
    out_ += ':';
    needs_comma_ = false;
  }

  void value(std::string_view text) {
    separate();
    write_json_string(out_, text);
  }
  void value(std::uint64_t number) {
    separate();
    char digits[std::numeric_limits<std::uint64_t>::digits10 + 1];
    const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
    out_.append(digits, end);
  }
  void value(bool boolean) {
    separate();
    out_ += boolean ? "true" : "false";
  }
  void null() {
    separate();
    out_ += "null";
  }
  /// Text without anything to escape, such as a time or a name of an enum.
  void plain(std::string_view text) {
    separate();
    out_ += '"';
    out_ += text;
    out_ += '"';
  }
  /// JSON text as it is.
  void raw(std::string_view json) {
    separate();
    out_ += json;
  }
  /// Members of an object as they are: `,"name":value` each. Not as the first members.
  void raw_members(std::string_view members) { out_ += members; }

  template <typename Tag>
  void value(const TextId<Tag>& id) {
    value(std::string_view(id.text()));
  }
  template <typename Tag>
  void value(Number<Tag> number) {
    value(number.value);
  }
  void value(Timestamp time) {
    const TimestampText text = text_of(time);
    plain({text.data(), text.size()});
  }
  void value(const std::string& text) { value(std::string_view(text)); }
  void value(const char*) = delete;  // would be a bool

  template <std::size_t size, typename Value>
  void member(const char (&literal)[size], const Value& content) {
    name(literal);
    value(content);
  }
  template <std::size_t size, typename Value>
  void member(const char (&literal)[size], const std::optional<Value>& content) {
    if (content) member(literal, *content);
  }
  template <std::size_t size>
  void plain_member(const char (&literal)[size], std::string_view text) {
    name(literal);
    plain(text);
  }

 private:
  void separate() {
    if (needs_comma_) out_ += ',';
    needs_comma_ = true;
  }
  void begin(char bracket) {
    if (needs_comma_) out_ += ',';
    out_ += bracket;
    needs_comma_ = false;
  }
  void end(char bracket) {
    out_ += bracket;
    needs_comma_ = true;
  }

  std::string& out_;
  bool needs_comma_ = false;
};

}  // namespace worker_runtime::fs_store
