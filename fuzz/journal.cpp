// The scan of a journal whose lines have right checksums and say anything (support/store_text.h),
// and of one that is damaged besides.
//   - what is visited is dense, from behind the checkpoint to the end that the scan tells;
//   - the end is not before the checkpoint, nor before what is proven; what lies above is handed on
//   whole;
//   - scanning again gives the same, and up to an LSN a beginning of it;
//   - a commit that is decoded can be applied or is refused.
#include <algorithm>
#include <vector>

#include "checked_line.h"
#include "codec.h"
#include "journal_reader.h"
#include "layout.h"
#include "support/store_text.h"
#include "support/target.h"
#include "worker_runtime/commit.h"

namespace worker_runtime::fuzz::journal {
namespace {

using fs_store::DecodedRecord;
using fs_store::JournalScan;
using fs_store::ScanLimits;

struct Scanned {
  Result<JournalScan> scan;
  std::vector<std::uint64_t> visited;
};

Scanned scan(fs_store::FileSystem& files, const ScanLimits& limits) {
  fs_store::Decoder decoder;
  Scanned scanned{JournalScan(), {}};
  scanned.scan = scan_journal(files, decoder, limits, [&](const DecodedRecord& record) {
    scanned.visited.push_back(record.head.lsn.value);
    return Result<void>();
  });
  return scanned;
}

void check_error(const Error& error) {
  const bool is_damage = error.code() == ErrorCode::store_corrupt || fs_store::is_misplaced(error);
  require(is_damage || error.code() == ErrorCode::store_version,
          "a journal that is not read is damaged or newer", error.detail());
}

void check_scan(const Scanned& scanned, const ScanLimits& limits, std::uint64_t bytes) {
  if (!scanned.scan) return check_error(scanned.scan.error());
  const JournalScan& scan = *scanned.scan;
  const std::uint64_t checkpoint = limits.checkpoint.value;
  for (std::size_t at = 0; at < scanned.visited.size(); ++at)
    require(scanned.visited[at] == checkpoint + 1 + at, "records are dense behind the checkpoint");
  require(scan.records == scanned.visited.size(), "the records that were visited are counted");
  require(scan.end.last_lsn.value == checkpoint + scan.records || limits.last_lsn,
          "the end is that of the last record");
  require(scan.proven <= scan.end.last_lsn && scan.proven_end.last_lsn <= scan.end.last_lsn,
          "what is proven is there");
  require(!limits.proof || limits.last_lsn || scan.end.last_lsn >= *limits.proof,
          "what was proven from outside is there");
  const auto lines = std::count(scan.above_proven.begin(), scan.above_proven.end(), '\n');
  require(
      static_cast<std::uint64_t>(lines) == scan.end.last_lsn.value - scan.proven_end.last_lsn.value,
      "the records above the last proof are handed on");
  require(!scan.torn || (scan.torn->bytes > 0 && scan.torn->offset + scan.torn->bytes <= bytes),
          "a torn tail lies in its file");
}

void check_applied(fs_store::FileSystem& files, const ScanLimits& limits) {
  RuntimeRecord record;
  record.runtime_id = limits.runtime_id;
  State state(record);
  fs_store::Decoder decoder;
  const auto scanned = scan_journal(files, decoder, limits, [&](const DecodedRecord& line) {
    const std::size_t events = state.expand(line.commit).events.size();
    const EventId before = state.runtime().last_event_id;
    const RuntimeRecord unchanged = state.runtime();
    const auto applied = state.apply(line.commit);
    if (!applied) {
      require(state.runtime() == unchanged, "a commit that does not fit changes nothing");
      return Result<void>(applied.error());
    }
    require(state.runtime().lsn == line.head.lsn, "an applied commit is the last one");
    require(state.runtime().last_event_id.value == before.value + events,
            "a commit has the events that it expands to");
    return Result<void>();
  });
  if (!scanned) check_error(scanned.error());
}

void check(std::string_view input) {
  const StoreFiles files = read_store_text(input, "journal/0000000000000001.jsonl");
  testing::SimulatedDisk disk;
  put_files(disk, "store", files);
  const auto root = disk.root()->directory("store");
  if (!root) return;
  std::uint64_t bytes = 0;
  for (const auto& [path, text] : files) bytes = std::max<std::uint64_t>(bytes, text.size());
  const RuntimeId runtime_id = RuntimeId::parse("main").value();
  for (const std::uint64_t checkpoint : {0U, 1U, 3U}) {
    ScanLimits limits{Lsn{checkpoint}, runtime_id, {}, {}};
    const Scanned whole = scan(**root, limits);
    check_scan(whole, limits, bytes);
    require(scan(**root, limits).visited == whole.visited, "a scan changes nothing");
    limits.proof = Lsn{checkpoint + 2};
    check_scan(scan(**root, limits), limits, bytes);
    limits.last_lsn = Lsn{checkpoint + 1};
    const Scanned some = scan(**root, limits);
    check_scan(some, limits, bytes);
    require(some.visited.size() <= 1, "nothing is visited behind the last LSN asked for");
  }
  check_applied(**root, {Lsn{0}, runtime_id, {}, {}});
}

const Target target("journal", check);

}  // namespace
}  // namespace worker_runtime::fuzz::journal
