// Texts that stand for a value: ids, the names of files, times. What is read is written again as it
// was: one value, one spelling; and no id gets out of its directory.
#include "support/target.h"

#include "layout.h"
#include "worker_runtime/commit.h"
#include "worker_runtime/text.h"
#include "worker_runtime/time.h"

namespace worker_runtime::fuzz::names {
namespace {

namespace layout = fs_store::layout;

/// The definition, by ranges of bytes.
bool is_utf8(std::string_view text) {
  const auto in = [&](std::size_t at, unsigned low, unsigned high) {
    if (at >= text.size()) return false;
    const auto byte = static_cast<std::uint8_t>(text[at]);
    return byte >= low && byte <= high;
  };
  const auto tails = [&](std::size_t at, std::size_t count) {
    while (count > 0 && in(at, 0x80, 0xBF)) ++at, --count;
    return count == 0;
  };
  for (std::size_t at = 0; at < text.size();) {
    std::size_t more = 0;
    if (in(at, 0, 0x7F)) {
      more = 0;
    } else if (in(at, 0xC2, 0xDF)) {
      more = 1;
    } else if (in(at, 0xE0, 0xEF)) {
      more = 2;
      if (in(at, 0xE0, 0xE0) && !in(at + 1, 0xA0, 0xBF)) return false;
      if (in(at, 0xED, 0xED) && !in(at + 1, 0x80, 0x9F)) return false;
    } else if (in(at, 0xF0, 0xF4)) {
      more = 3;
      if (in(at, 0xF0, 0xF0) && !in(at + 1, 0x90, 0xBF)) return false;
      if (in(at, 0xF4, 0xF4) && !in(at + 1, 0x80, 0x8F)) return false;
    } else {
      return false;
    }
    if (!tails(at + 1, more)) return false;
    at += more + 1;
  }
  return true;
}

void check_id(std::string_view text) {
  require(is_valid_utf8(text) == is_utf8(text), "UTF-8 is what its definition says");
  const auto id = WorkerId::parse(text);
  require(id.has_value() == RuntimeId::parse(text).has_value(), "ids have one rule");
  if (id) {
    require(id->text() == text && !text.empty() && text.size() <= id_bytes_max && is_utf8(text) &&
                !has_control(text) && !has_outer_white_space(text) && !is_blank(text),
            "an id keeps its rule");
    const auto number = generated_worker_number(*id);
    require(!number || generated_worker_id(*number) == *id, "a generated id has one spelling");
  }
  const std::string name = layout::encode_id(text);
  require(name.find('/') == std::string::npos && name.find('\0') == std::string::npos &&
              !name.starts_with('.') && name.empty() == text.empty(),
          "the name of an id is the name of a file", name);
  if (!text.empty()) require(layout::decode_id(name) == text, "an id is read from its name", name);
}

void check_names(std::string_view name) {
  const auto id = layout::decode_id(name);
  if (id) require(layout::encode_id(*id) == name && !id->empty(), "an id has one name", name);
  if (const auto lsn = layout::parse_catalog(name))
    require(layout::catalog(*lsn) == name, "a catalog has one name");
  if (const auto lsn = layout::parse_segment(name))
    require(layout::segment(*lsn) == "journal/" + std::string(name), "a segment has one name");
  for (const std::string_view stem : {"events", "transcript"}) {
    if (const auto first = layout::parse_log_part(name, stem))
      require(layout::log_part(stem, *first) == name, "a part of a log has one name");
  }
  require(
      !(layout::is_temporary(name) && (layout::parse_catalog(name) || layout::parse_segment(name))),
      "what is swept is nothing else");
}

void check(std::string_view input) {
  check_id(input);
  check_names(input);
  const auto time = parse_timestamp(input);
  if (time) require(to_string(*time) == input, "a time has one spelling", to_string(*time));
  const auto digest = parse_body_digest(input);
  if (digest) require(to_string(*digest) == input, "a digest has one spelling");
}

const Target target("names", check);

}  // namespace
}  // namespace worker_runtime::fuzz::names
