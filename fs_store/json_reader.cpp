// Reading JSON strictly: what is not needed inline.
#include "json_reader.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <new>

#include "checked_line.h"
#include "json_writer.h"
#include "worker_runtime/text.h"

namespace worker_runtime::fs_store {

namespace {

/// Buffers beyond this size are given back when a line no longer needs them.
constexpr std::size_t kept_capacity = std::size_t{1} << 20U;
constexpr std::size_t smallest_capacity = 4096;
constexpr std::size_t rounded_capacity = std::size_t{16} << 20U;

/// So many unknown members can be told apart; an object with more is taken for garbage.
constexpr std::size_t unknown_members_max = 256;

std::string_view what_failed(simdjson::error_code code) {
  switch (code) {
    case simdjson::UTF8_ERROR:
      return "invalid UTF-8";
    case simdjson::UNESCAPED_CHARS:
      return "a control character in a string";
    case simdjson::UNCLOSED_STRING:
      return "a string without an end";
    case simdjson::STRING_ERROR:
      return "a bad escape in a string";
    case simdjson::INCORRECT_TYPE:
      return "a value of the wrong type";
    case simdjson::NUMBER_ERROR:
    case simdjson::NUMBER_OUT_OF_RANGE:
      return "no unsigned 64-bit integer";
    case simdjson::EMPTY:
      return "no JSON text";
    case simdjson::INCOMPLETE_ARRAY_OR_OBJECT:
      return "an object or array without an end, or something behind it";
    case simdjson::MEMALLOC:
    case simdjson::CAPACITY:
      return "too long a text for the memory there is";
    default:
      return "not JSON";
  }
}

}  // namespace

bool JsonReader::start(std::string_view text) {
  is_line_ = false;
  return load(text, 0) && parse();
}

bool JsonReader::start_line(std::string_view line) {
  constexpr std::string_view head = R"({"crc":"00000000",)";
  static_assert(head.size() == line_head_bytes);
  const bool checked = line.size() > head.size() && line.substr(0, 8) == head.substr(0, 8) &&
                       parse_checksum(line.substr(8, 8)).has_value() &&
                       line.substr(16, 2) == head.substr(16, 2);
  if (!checked) {
    const bool started = start(line);
    is_line_ = true;
    return started;
  }
  is_line_ = true;
  // What is left without the checksum is the object once the comma has become its bracket.
  if (!load(line.substr(head.size() - 1), head.size() - 1)) return false;
  bytes_[0] = '{';
  return parse();
}

bool JsonReader::load(std::string_view text, std::size_t shift) {
  failure_ = Failure::none;
  structure_error_ = simdjson::SUCCESS;
  message_.clear();
  place_ = nullptr;
  shift_ = shift;
  has_document_ = false;
  const std::size_t needed = text.size() + simdjson::SIMDJSON_PADDING;
  if (needed > capacity_ || (capacity_ > kept_capacity && needed <= kept_capacity)) {
    // In powers of two, so that lines that grow little by little don't make new buffers each time.
    capacity_ =
        needed <= rounded_capacity ? std::max(std::bit_ceil(needed), smallest_capacity) : needed;
    parser_ = simdjson::ondemand::parser();
    bytes_.reset(new (std::nothrow) char[capacity_]);
    const auto error = bytes_ == nullptr ? simdjson::MEMALLOC : parser_.allocate(capacity_);
    if (error != simdjson::SUCCESS) {
      capacity_ = 0;
      return fail(error);
    }
  }
  size_ = text.size();
  if (!text.empty()) std::memcpy(bytes_.get(), text.data(), text.size());
  std::memset(bytes_.get() + size_, ' ', simdjson::SIMDJSON_PADDING);
  return true;
}

bool JsonReader::parse() {
  const auto error = parser_.iterate(bytes_.get(), size_, capacity_).get(document_);
  has_document_ = error == simdjson::SUCCESS;
  return has_document_ || fail(error);
}

bool JsonReader::finish() {
  if (failed()) return false;
  const auto location = document_.current_location();
  if (location.error() == simdjson::OUT_OF_BOUNDS) return true;
  place_ = location.error() ? nullptr : location.value_unsafe();
  return fail("something stands behind the object");
}

std::optional<std::size_t> JsonReader::offset_of(const char* place) const {
  if (place == nullptr || place < bytes_.get() || place > bytes_.get() + size_) return std::nullopt;
  return static_cast<std::size_t>(place - bytes_.get()) + shift_;
}

bool JsonReader::remember(Failure failure, std::string message) {
  if (failed()) return false;
  failure_ = failure;
  message_ = std::move(message);
  return false;
}

bool JsonReader::fail(std::string_view message) {
  std::string text(message);
  if (const auto offset = offset_of(place_)) text += " (at byte " + std::to_string(*offset) + ")";
  return remember(Failure::malformed, std::move(text));
}

bool JsonReader::fail_newer(std::uint64_t found) {
  newer_version_ = found;
  return remember(Failure::newer, "schema version " + std::to_string(found));
}

bool JsonReader::fail(simdjson::error_code code) {
  if (failed()) return false;
  structure_error_ = code;
  // A value of the wrong type is where its member is; anything else is where the parser stopped.
  if (is_structure_bad() || place_ == nullptr) {
    place_ = nullptr;
    if (has_document_) {
      const auto location = document_.current_location();
      if (!location.error()) place_ = location.value_unsafe();
    }
  }
  return fail(what_failed(code));
}

bool JsonReader::is_structure_bad() const {
  return structure_error_ != simdjson::SUCCESS && structure_error_ != simdjson::INCORRECT_TYPE &&
         structure_error_ != simdjson::NUMBER_ERROR && structure_error_ != simdjson::STRING_ERROR;
}

bool JsonReader::read(JsonValue value, std::string_view& text) {
  const auto error = value.get_string().get(text);
  return error == simdjson::SUCCESS || fail(error);
}

bool JsonReader::read(JsonValue value, std::string& text) {
  std::string_view view;
  if (!read(value, view)) return false;
  text.assign(view);
  return true;
}

bool JsonReader::read(JsonValue value, std::uint64_t& number) {
  const auto error = value.get_uint64().get(number);
  if (error == simdjson::SUCCESS) return true;
  // simdjson calls a negative or too large number a wrong type.
  return fail(error == simdjson::INCORRECT_TYPE ? simdjson::NUMBER_ERROR : error);
}

bool JsonReader::read(JsonValue value, bool& boolean) {
  const auto error = value.get_bool().get(boolean);
  return error == simdjson::SUCCESS || fail(error);
}

bool JsonReader::read(JsonValue value, Timestamp& time) {
  std::string_view text;
  if (!read(value, text)) return false;
  const auto parsed = parse_timestamp(text);
  if (!parsed) return fail(parsed.error().message());
  time = *parsed;
  return true;
}

bool JsonReader::read_raw(JsonValue value, std::string_view& json) {
  if (const auto error = simdjson::to_json_string(value).get(json)) return fail(error);
  // The parser takes a string that was not read for a name if a colon stands behind it.
  std::string_view text;
  return json.empty() || json.front() != '"' || read(value, text);
}

bool JsonReader::read_compact(JsonValue value, std::string& json) {
  std::string_view raw;
  return read_raw(value, raw) && compact(raw, json);
}

bool JsonReader::compact(std::string_view raw, std::string& json) {
  // Core's check is for objects: put one around the value, and take it off again.
  constexpr std::string_view prefix = R"({"":)";
  std::string wrapped(prefix);
  wrapped.append(raw) += '}';
  const auto compacted = compact_json_object(wrapped);
  if (!compacted) return fail("not JSON, or nested too deep");
  json.assign(*compacted, prefix.size(), compacted->size() - prefix.size() - 1);
  return true;
}

bool JsonReader::read_compact_object(JsonValue value, std::string& json) {
  simdjson::ondemand::json_type type{};
  if (const auto error = value.type().get(type)) return fail(error);
  if (type != simdjson::ondemand::json_type::object) return fail(simdjson::INCORRECT_TYPE);
  std::string_view raw;
  if (!read_raw(value, raw)) return false;
  auto compacted = compact_json_object(raw);
  if (!compacted) return fail(compacted.error().message());
  json = *std::move(compacted);
  return true;
}

// ---- ObjectReader

bool ObjectReader::open() {
  is_root_ = true;
  const auto error = reader_.document_.get_object().get(object_);
  opened_ = error == simdjson::SUCCESS;
  return opened_ || reader_.fail(error);
}

bool ObjectReader::open(JsonValue value) {
  const auto error = value.get_object().get(object_);
  opened_ = error == simdjson::SUCCESS;
  return opened_ || reader_.fail(error);
}

bool ObjectReader::next_any(std::string_view& name) {
  if (!opened_ || reader_.failed()) return false;
  if (started_) {
    ++iterator_;
  } else {
    if (const auto error = object_.begin().get(iterator_)) return reader_.fail(error);
    started_ = true;
  }
  // An iterator of simdjson equals any other when it is at its end.
  if (iterator_ == simdjson::ondemand::object_iterator()) return false;
  simdjson::ondemand::field field;
  if (const auto error = (*iterator_).get(field)) return reader_.fail(error);
  reader_.place_ = field.key().raw() - 1;
  if (!read_name(field, name)) return false;
  value_ = field.value();
  return true;
}

bool ObjectReader::read_name(simdjson::ondemand::field& field, std::string_view& name) {
  // The parser has seen the closing quote. Nearly no name has an escape.
  const char* raw = field.key().raw();
  std::size_t length = 0;
  while (raw[length] != '"' && raw[length] != '\\') ++length;
  name = std::string_view(raw, length);
  if (raw[length] == '"') return true;
  const auto error = field.unescaped_key().get(name);
  return error == simdjson::SUCCESS || reader_.fail(error);
}

bool ObjectReader::next() {
  std::string_view name;
  while (next_any(name)) {
    if (!find(name)) {
      if (!unknown_member(name)) return false;
      continue;
    }
    const std::uint64_t bit = std::uint64_t{1} << member_;
    if ((seen_ & bit) != 0) {
      return reader_.fail("member \"" + std::string(name) + "\" is there twice");
    }
    seen_ |= bit;
    return true;
  }
  return false;
}

bool ObjectReader::find(std::string_view name) {
  for (std::size_t tried = 0; tried < names_.size(); ++tried) {
    const std::size_t candidate =
        expected_ + tried < names_.size() ? expected_ + tried : expected_ + tried - names_.size();
    if (names_[candidate] == name) {
      member_ = candidate;
      expected_ = candidate + 1 < names_.size() ? candidate + 1 : 0;
      return true;
    }
  }
  return false;
}

bool ObjectReader::unknown_member(std::string_view name) {
  switch (unknown_) {
    case Unknown::skip:
      return true;
    case Unknown::keep:
      return keep(name);
    case Unknown::newer:
      is_newer_ = true;
      return true;
    case Unknown::refuse:
      break;
  }
  return reader_.fail("unknown member \"" + std::string(name.substr(0, 80)) + "\"");
}

bool ObjectReader::keep(std::string_view name) {
  const bool doubled = std::find(kept_names_.begin(), kept_names_.end(), name) != kept_names_.end();
  const bool is_checksum = is_root_ && reader_.is_line_ && name == "crc";
  if (doubled || is_checksum || kept_names_.size() == unknown_members_max) {
    return reader_.fail("unknown members that are doubled or too many");
  }
  kept_names_.push_back(name);
  std::string json;
  if (!reader_.read_compact(value_, json)) return false;
  JsonWriter writer(kept_);
  kept_ += ',';
  writer.any_name(name);
  kept_ += json;
  return true;
}

bool ObjectReader::complete(std::uint64_t required) {
  if (reader_.failed()) return false;
  const std::uint64_t missing = required & ~seen_;
  // What lacks a member that every version has is no newer one.
  if (missing == 0) return !is_newer_ || reader_.fail_newer(0);
  reader_.place_ = nullptr;
  const auto first = static_cast<std::size_t>(std::countr_zero(missing));
  return reader_.fail("member \"" + std::string(names_[first]) + "\" is missing");
}

}  // namespace worker_runtime::fs_store
