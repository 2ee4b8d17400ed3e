// Reading the journal: see journal_reader.h.
#include "journal_reader.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "checked_line.h"
#include "layout.h"
#include "line_scanner.h"
#include "snapshot.h"

namespace worker_runtime::fs_store {
namespace {

constexpr std::array<std::string_view, 3> writer_names{"open  ", "closed", "failed"};
constexpr std::array<std::string_view, 3> durability_names{"sync    ", "interval", "none    "};

void append_fixed_hex(std::string& out, std::uint64_t number) {
  std::array<char, 16> digits{};
  for (std::size_t at = digits.size(); at-- > 0; number >>= 4U)
    digits[at] = "0123456789abcdef"[number & 0xFU];
  out.append(digits.data(), digits.size());
}

std::optional<std::uint64_t> parse_fixed_hex(std::string_view text) {
  std::uint64_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number, 16);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

std::string durable_mark_text(const DurableMark& mark) {
  std::string text;
  text.reserve(64);
  append_fixed_hex(text, mark.lsn.value);
  text += ' ';
  append_fixed_hex(text, mark.epoch.value);
  text += ' ';
  text += writer_names.at(static_cast<std::size_t>(mark.writer));
  text += ' ';
  text += durability_names.at(static_cast<std::size_t>(mark.durability));
  text += ' ';
  text += checksum_text(crc32c(text));
  text += '\n';
  return text;
}

std::optional<DurableMark> read_durable_mark(FileSystem& file_system) {
  auto file = file_system.open(std::string(layout::durable), OpenMode::read);
  if (!file) return std::nullopt;
  constexpr std::size_t length = 16 + 1 + 16 + 1 + 6 + 1 + 8 + 1 + 8 + 1;
  // The writer overwrites the line in place: a read that falls into an overwrite is repeated.
  for (int attempt = 0; attempt < 10; ++attempt) {
    auto text = (*file)->read(0, length + 1);
    if (!text) return std::nullopt;
    if (text->size() != length || text->back() != '\n') continue;
    const std::string_view line = *text;
    const auto checksum = parse_checksum(line.substr(length - 9, 8));
    if (!checksum || *checksum != crc32c(line.substr(0, length - 9))) continue;
    const auto lsn = parse_fixed_hex(line.substr(0, 16));
    const auto epoch = parse_fixed_hex(line.substr(17, 16));
    const auto writer = std::find(writer_names.begin(), writer_names.end(), line.substr(34, 6));
    const auto durability =
        std::find(durability_names.begin(), durability_names.end(), line.substr(41, 8));
    if (!lsn || !epoch || writer == writer_names.end() || durability == durability_names.end())
      continue;
    return DurableMark{Lsn{*lsn}, Epoch{*epoch},
                       static_cast<DurableMark::Writer>(writer - writer_names.begin()),
                       static_cast<Durability>(durability - durability_names.begin())};
  }
  return std::nullopt;
}

namespace {

class Scan {
 public:
  Scan(FileSystem& file_system, Decoder& decoder, const ScanLimits& limits,
       const RecordVisitor& visitor)
      : file_system_(file_system), decoder_(decoder), limits_(limits), visitor_(visitor) {}

  Result<JournalScan> run() {
    auto segments = find_segments();
    if (!segments) return std::move(segments).error();
    prove(limits_.proof.value_or(limits_.checkpoint));
    prove(limits_.checkpoint);
    for (std::size_t at = 0; at < segments->size(); ++at) {
      const bool last = at + 1 == segments->size();
      // A segment is begun when all before it is durable.
      prove(Lsn{(last ? (*segments)[at] : (*segments)[at + 1]).value - 1});
      auto done =
          segment((*segments)[at], last ? std::nullopt : std::optional((*segments)[at + 1]));
      if (!done) return std::move(done).error();
      if (stopped_) break;
    }
    auto complete = check_reaches_proof();
    if (!complete) return std::move(complete).error();
    scan_.proven = std::min(scan_.proven, scan_.end.last_lsn);
    return std::move(scan_);
  }

 private:
  /// The segments from the one that holds the first record behind the checkpoint on.
  Result<std::vector<Lsn>> find_segments() {
    auto entries = file_system_.list(std::string(layout::journal));
    if (!entries) {
      if (!is_missing(entries.error())) return std::move(entries).error();
      return corrupt(file_system_, std::string(layout::journal), "the journal is missing");
    }
    std::vector<Lsn> found;
    for (const DirectoryEntry& entry : *entries) {
      if (const auto first = layout::parse_segment(entry.name)) found.push_back(*first);
    }
    const Lsn wanted = limits_.checkpoint.next();
    const auto behind = std::upper_bound(found.begin(), found.end(), wanted);
    if (behind == found.begin()) {
      return corrupt(file_system_, layout::segment(wanted),
                     "the journal segment that follows the checkpoint is missing");
    }
    for (auto segment = found.begin(); segment != behind - 1; ++segment) {
      scan_.obsolete.push_back(layout::segment(*segment));
    }
    // What begins behind the last commit that is asked for is nobody's concern here.
    const auto end =
        limits_.last_lsn ? std::upper_bound(behind, found.end(), *limits_.last_lsn) : found.end();
    return std::vector<Lsn>(behind - 1, end);
  }

  void prove(Lsn lsn) { scan_.proven = std::max(scan_.proven, lsn); }

  Result<void> segment(Lsn first_lsn, std::optional<Lsn> next_first) {
    path_ = layout::segment(first_lsn);
    auto file = file_system_.open(path_, OpenMode::read);
    if (!file) return std::move(file).error();
    LineScanner lines(**file, 0, UINT64_MAX);
    auto header = read_header(lines, first_lsn);
    if (!header) return std::move(header).error();
    scan_.segments.push_back({first_lsn, segment_used_});
    if (next_first && *next_first <= first_lsn) return {};
    for (;;) {
      if (bad_) {
        // Filler proves nothing, and there may be megabytes of it.
        auto skipped = lines.skip_empty_lines();
        if (!skipped) return std::move(skipped).error();
      }
      auto line = lines.next();
      if (!line) return std::move(line).error();
      if (!*line) break;
      auto taken = take(**line, next_first);
      if (!taken) return std::move(taken).error();
      if (stopped_ || superseded_) break;
    }
    scan_.segments.back().bytes = segment_used_;
    scan_.bytes += segment_used_;
    superseded_ = false;
    return finish_segment(next_first);
  }

  Result<void> read_header(LineScanner& lines, Lsn first_lsn) {
    auto line = lines.next();
    if (!line) return std::move(line).error();
    if (!*line || !(*line)->has_newline || !check_line((*line)->text)) {
      return corrupt(file_system_, path_, "the segment's header does not match its checksum", 1, 0);
    }
    auto header = decoder_.segment_header((*line)->text);
    if (!header) return at_place(std::move(header).error(), file_system_, path_, 1, 0);
    if (header->runtime_id != limits_.runtime_id) {
      return corrupt(file_system_, path_,
                     "the segment belongs to runtime " + header->runtime_id.text(), 1, 0);
    }
    if (header->first_lsn != first_lsn) {
      return corrupt(file_system_, path_, "the segment's header disagrees with its name", 1, 0);
    }
    if (started_ && header->previous != scan_.end.checksum) {
      return corrupt(file_system_, path_, "the segment does not continue the one before it", 1, 0);
    }
    if (!started_) {
      scan_.end = {Lsn{first_lsn.value - 1}, header->previous};
      scan_.proven_end = scan_.end;
      started_ = true;
    }
    scan_.epoch = std::max(scan_.epoch, header->epoch);
    scan_.durability = header->durability;
    segment_used_ = (*line)->length;
    bad_ = std::nullopt;
    return {};
  }

  Result<void> take(const ScannedLine& line, std::optional<Lsn> next_first) {
    if (limits_.last_lsn && scan_.end.last_lsn >= *limits_.last_lsn) {
      // What lies behind is being written at this moment.
      stopped_ = true;
      return {};
    }
    if (bad_) return look_behind(line);
    if (line.length == 1 && line.has_newline) {
      // Filler, or a record that never reached the disk: what comes behind decides.
      bad_ = TornTail{path_, line.number, line.offset, 0};
      return {};
    }
    const auto checksum = line.has_newline && !line.too_long ? check_line(line.text) : std::nullopt;
    if (!checksum) {
      bad_ = TornTail{path_, line.number, line.offset, 0};
      return look_behind(line);
    }
    auto record = decoder_.record(line.text);
    if (!record && decoder_.segment_header(line.text)) {
      // A line that was doubled or moved by hand: no newer schema, and nothing that a crash leaves.
      return corrupt(file_system_, path_, "a segment's header stands where a record belongs",
                     line.number, line.offset);
    }
    if (!record)
      return at_place(std::move(record).error(), file_system_, path_, line.number, line.offset);
    if (next_first && record->head.lsn >= *next_first) {
      // Copied into the next segment by a recovery, which then may have gone on differently.
      superseded_ = true;
      return {};
    }
    if (record->head.lsn != scan_.end.last_lsn.next() ||
        record->head.previous != scan_.end.checksum) {
      bad_ = TornTail{path_, line.number, line.offset, 0};
      return look_behind(line);
    }
    return accept(*record, *checksum, line);
  }

  Result<void> accept(const DecodedRecord& record, std::uint32_t checksum,
                      const ScannedLine& line) {
    prove(std::min(record.head.durable, record.head.lsn));
    scan_.end = {record.head.lsn, checksum};
    scan_.epoch = std::max(scan_.epoch, record.head.epoch);
    segment_used_ = line.offset + line.length;
    unproven_.push_back({scan_.end, std::string(line.text)});
    drop_proven();
    if (record.head.lsn <= limits_.checkpoint) return {};
    ++scan_.records;
    auto visited = visitor_(record);
    if (!visited)
      return at_place(std::move(visited).error(), file_system_, path_, line.number, line.offset);
    return {};
  }

  void drop_proven() {
    while (!unproven_.empty() && unproven_.front().end.last_lsn <= scan_.proven) {
      scan_.proven_end = unproven_.front().end;
      unproven_.pop_front();
    }
  }

  /// Behind the first bad place only proofs of durability count.
  Result<void> look_behind(const ScannedLine& line) {
    if (line.length == 1 && line.has_newline) return {};
    bad_->bytes = line.offset + line.length - bad_->offset;
    if (!line.has_newline || line.too_long || !check_line(line.text)) return {};
    auto record = decoder_.record(line.text);
    // An undecodable record above the bad place proves nothing; it goes aside with the torn tail.
    if (record) prove(record->head.durable);
    return {};
  }

  Result<void> finish_segment(std::optional<Lsn> next_first) {
    if (stopped_) return {};
    const Lsn needed = next_first ? Lsn{next_first->value - 1} : scan_.proven;
    if (scan_.end.last_lsn < needed) {
      return corrupt(file_system_, path_,
                     "acknowledged commits are missing from LSN " +
                         std::to_string(scan_.end.last_lsn.value + 1) + " on",
                     bad_ ? std::optional(bad_->line) : std::nullopt,
                     bad_ ? std::optional(bad_->offset) : std::nullopt);
    }
    if (!next_first && bad_ && bad_->bytes > 0) scan_.torn = bad_;
    drop_proven();
    return {};
  }

  Result<void> check_reaches_proof() {
    if (!limits_.last_lsn && scan_.end.last_lsn < limits_.checkpoint) {
      return corrupt(file_system_, path_,
                     "the journal ends before the checkpoint at LSN " +
                         std::to_string(limits_.checkpoint.value));
    }
    for (const Unproven& record : unproven_) {
      scan_.above_proven += record.line;
      scan_.above_proven += '\n';
    }
    return {};
  }

  struct Unproven {
    JournalEnd end;
    std::string line;
  };

  FileSystem& file_system_;
  Decoder& decoder_;
  const ScanLimits& limits_;
  const RecordVisitor& visitor_;
  JournalScan scan_;
  std::string path_;
  std::uint64_t segment_used_ = 0;
  std::optional<TornTail> bad_;
  std::deque<Unproven> unproven_;
  bool started_ = false;
  bool stopped_ = false;
  bool superseded_ = false;
};

}  // namespace

Result<JournalScan> scan_journal(FileSystem& file_system, Decoder& decoder,
                                 const ScanLimits& limits, const RecordVisitor& visitor) {
  return Scan(file_system, decoder, limits, visitor).run();
}

}  // namespace worker_runtime::fs_store
