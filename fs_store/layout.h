// Every path of a store, built and parsed here and nowhere else.
//
// In paths an id keeps [A-Za-z0-9._-], a leading dot excepted; every other byte is percent-encoded
// with upper-case hex. So `ls` is readable, no id can leave its directory, and only one name stands
// for an id: any other spelling is refused.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "worker_runtime/ids.h"

namespace worker_runtime::fs_store::layout {

/// The longest name that the file systems at hand take.
inline constexpr std::size_t name_bytes_max = 255;

std::string encode_id(std::string_view id);
/// The id that encodes to `name`; none if no id does.
std::optional<std::string> decode_id(std::string_view name);

inline constexpr std::string_view runtimes = "runtimes";
std::string runtime_directory(const RuntimeId& runtime_id);

/// Where a runtime is built before it gets its name. It begins with a dot: no id encodes to it.
std::string unfinished_runtime(const RuntimeId& runtime_id);

// ---- below the directory of a runtime
inline constexpr std::string_view lock = "lock";
inline constexpr std::string_view runtime_json = "runtime.json";
inline constexpr std::string_view events = "events";  // the stem of the event log
inline constexpr std::string_view journal = "journal";
inline constexpr std::string_view durable = "journal/durable";
inline constexpr std::string_view durable_name = "durable";  // in journal/
inline constexpr std::string_view workers = "workers";
inline constexpr std::string_view quarantine = "quarantine";
inline constexpr std::string_view requests = "requests";

std::string catalog(Lsn lsn);
std::optional<Lsn> parse_catalog(std::string_view name);

std::string segment(Lsn first_lsn);
/// Of a name in journal/.
std::optional<Lsn> parse_segment(std::string_view name);
/// A piece of the reserve: "journal/reserve.<index, one digit>".
std::string reserve(std::size_t index);
/// Of a name in journal/.
bool is_reserve(std::string_view name);

std::string worker_directory(const WorkerId& worker_id);
/// Of a name in workers/.
std::optional<WorkerId> parse_worker_directory(std::string_view name);
std::string worker_json(const WorkerId& worker_id);
/// The stem of the Worker's transcript: "workers/<id>/transcript".
std::string transcript(const WorkerId& worker_id);

/// The file of a log that is appended to: "<stem>.jsonl".
std::string log_file(std::string_view stem);
/// A closed part of a log: "<stem>.<first number, 16 hex>.jsonl".
std::string log_part(std::string_view stem, std::uint64_t first);
/// The first number of a closed part's name, e.g. "events.0000000000000001.jsonl" of stem "events".
std::optional<std::uint64_t> parse_log_part(std::string_view name, std::string_view stem_name);

/// Where bytes taken out of a file go: "quarantine/<name>.<offset, 16 hex>.<random, 16 hex>".
std::string quarantined(std::string_view name, std::uint64_t offset);

/// 16 hex digits, drawn at random.
std::string drawn_name();

/// A name for a new file beside `path`, drawn at random: "<path>.<random, 16 hex>.tmp". What a
/// crash leaves under such names is swept: in runtimes/, in the runtime's directory, journal/ and
/// quarantine/ when a writer opens; beside a view before the view is written again.
std::string temporary(std::string_view path);
bool is_temporary(std::string_view name);

}  // namespace worker_runtime::fs_store::layout
