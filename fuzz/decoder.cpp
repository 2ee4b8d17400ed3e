// Objects of files: whatever is decoded, is encoded to something that is decoded to the same; and
// errors are those of damage and of newer versions.
#include "codec.h"
#include "support/fs_store/log_lines.h"
#include "support/target.h"

namespace worker_runtime::fuzz::decoder {
namespace {

using fs_store::Decoder;

constexpr std::string_view main_id = "main";

template <typename T>
bool is_good(const Result<T>& result) {
  if (result) return true;
  const ErrorCode code = result.error().code();
  require(code == ErrorCode::store_corrupt || code == ErrorCode::store_version,
          "what is not decoded is damaged or newer", result.error().detail());
  return false;
}

/// `again` encodes what the decoder makes of a text; an empty string where it makes nothing.
template <typename Again>
void check_round(std::string_view input, Again again) {
  const std::string first = again(input);
  if (first.empty()) return;
  const std::string second = again(first);
  require(second == first, "what was decoded is encoded and decoded to the same",
          first + "\n" + second);
}

void check_history(Decoder& decoder, std::string_view input) {
  check_round(input, [&](std::string_view text) {
    std::string out;
    RuntimeId runtime_id;
    const auto event = decoder.event(text, &runtime_id);
    if (is_good(event)) fs_store::encode(out, *event, runtime_id);
    return out;
  });
  check_round(input, [&](std::string_view text) {
    std::string out;
    const auto entry = decoder.entry(text);
    if (is_good(entry)) fs_store::encode(out, *entry);
    return out;
  });
}

void check_records(Decoder& decoder, std::string_view input) {
  check_round(input, [&](std::string_view text) {
    std::string out;
    const auto request = decoder.create_request(text);
    if (is_good(request)) fs_store::encode(out, *request);
    return out;
  });
  for (const auto requests : {fs_store::Requests::read, fs_store::Requests::skip}) {
    check_round(input, [&](std::string_view text) {
      std::string out;
      const auto line = decoder.catalog_line(text, requests);
      if (!is_good(line)) return out;
      require(line->record.has_value() != line->tombstone.has_value(), "a line is one of two");
      if (line->record) fs_store::encode(out, *line->record, line->runtime_id);
      if (line->tombstone) fs_store::encode(out, *line->tombstone, line->runtime_id);
      // A request that was not read is not there to be written.
      return requests == fs_store::Requests::read || line->tombstone ? out : std::string();
    });
  }
  check_round(input, [&](std::string_view text) {
    std::string out;
    const auto snapshot = decoder.runtime_snapshot(text);
    if (is_good(snapshot)) fs_store::encode(out, *snapshot);
    return out;
  });
}

void check_journal_lines(Decoder& decoder, std::string_view input) {
  check_round(input, [&](std::string_view text) {
    std::string out;
    const auto header = decoder.segment_header(text);
    if (is_good(header)) fs_store::encode(out, *header);
    return out;
  });
  const RuntimeId runtime_id = RuntimeId::parse(main_id).value();
  check_round(input, [&](std::string_view text) {
    std::string out;
    const auto record = decoder.record(text);
    if (!is_good(record)) return out;
    require(!record->commit.changes.empty(), "a record has a change");
    std::string changes;
    testing::encode_changes(changes, record->commit, runtime_id);
    fs_store::encode(out, record->head, changes);
    return out;
  });
}

void check(std::string_view input) {
  Decoder decoder;
  check_history(decoder, input);
  check_records(decoder, input);
  check_journal_lines(decoder, input);
}

const Target target("decoder", check);

}  // namespace
}  // namespace worker_runtime::fuzz::decoder
