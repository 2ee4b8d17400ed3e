// The check of attached data in core against simdjson: the same verdict, but for numbers, which
// simdjson also rounds or refuses; what is taken is the same text less white space, and taken again
// as it is.
#include <simdjson.h>

#include <set>
#include <string>

#include "support/target.h"
#include "worker_runtime/text.h"

namespace worker_runtime::fuzz::json_data {
namespace {

using simdjson::dom::element;

bool has_doubled_names(element value) {
  simdjson::dom::object object;
  simdjson::dom::array array;
  if (value.get(object) == simdjson::SUCCESS) {
    std::set<std::string_view> names;
    for (const auto member : object) {
      if (!names.insert(member.key).second || has_doubled_names(member.value)) return true;
    }
  } else if (value.get(array) == simdjson::SUCCESS) {
    for (const element item : array) {
      if (has_doubled_names(item)) return true;
    }
  }
  return false;
}

std::size_t depth_of(element value) {
  simdjson::dom::object object;
  simdjson::dom::array array;
  std::size_t depth = 0;
  if (value.get(object) == simdjson::SUCCESS) {
    for (const auto member : object) depth = std::max(depth, depth_of(member.value));
    return depth + 1;
  }
  if (value.get(array) == simdjson::SUCCESS) {
    for (const element item : array) depth = std::max(depth, depth_of(item));
    return depth + 1;
  }
  return 0;
}

enum class Verdict { good, bad, unknown };

Verdict verdict_of(std::string_view text) {
  simdjson::dom::parser parser;
  element root;
  const auto error = parser.parse(text.data(), text.size()).get(root);
  // A number that no double or 64-bit integer holds: JSON all the same.
  if (error == simdjson::NUMBER_ERROR) return Verdict::unknown;
  if (error != simdjson::SUCCESS) return Verdict::bad;
  return root.is_object() && !has_doubled_names(root) && depth_of(root) <= data_depth_max
             ? Verdict::good
             : Verdict::bad;
}

/// Of valid JSON.
std::string without_white_space(std::string_view text) {
  std::string out;
  bool in_string = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char byte = text[at];
    const bool is_space = byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
    if (byte == '"') in_string = !in_string;
    if (in_string || !is_space) out += byte;
    if (byte == '\\') out += text[++at];
  }
  return out;
}

void check(std::string_view input) {
  const auto compact = compact_json_object(input);
  const Verdict verdict = verdict_of(input);
  // simdjson skips a byte order mark; core takes it for something that is no object.
  if (!input.starts_with("\xEF\xBB\xBF") && verdict != Verdict::unknown) {
    require(compact.has_value() == (verdict == Verdict::good), "core and simdjson agree",
            compact ? "core takes it" : compact.error().message());
  }
  if (!compact) {
    require(compact.error().code() == ErrorCode::invalid_request, "bad data is a bad request");
    return;
  }
  require(*compact == without_white_space(input), "nothing but white space is taken out", *compact);
  const auto again = compact_json_object(*compact);
  require(again && *again == *compact, "what was taken is taken again");
}

const Target target("json_data", check);

}  // namespace
}  // namespace worker_runtime::fuzz::json_data
