// The writing end of the journal: see journal.h.
#include "journal.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "checked_line.h"
#include "layout.h"
#include "posix_trace.h"
#include "put_back.h"
#include "snapshot.h"

namespace worker_runtime::fs_store {
namespace {

Error full(std::string message) { return {ErrorCode::store_full, std::move(message)}; }

/// Filler: newlines, which no reader takes for a record.
Result<void> fill(File& file, std::uint64_t from, std::uint64_t to) {
  const std::string block(std::min<std::uint64_t>(to - std::min(from, to), std::uint64_t{1} << 20U),
                          '\n');
  while (from < to) {
    const std::uint64_t count = std::min<std::uint64_t>(block.size(), to - from);
    auto written = file.write(from, std::string_view(block).substr(0, count));
    if (!written) return written;
    from += count;
  }
  return {};
}

/// Fills a file, in pieces that are durable each: the syncs of commits would wait behind more.
Result<void> lay_out(File& file, std::uint64_t size, Durability durability) {
  constexpr std::uint64_t piece = std::uint64_t{4} << 20U;
  for (std::uint64_t from = 0; from < size; from += piece) {
    auto done = fill(file, from, std::min(from + piece, size));
    if (done && durability == Durability::sync) done = file.sync();
    if (!done) return done;
  }
  return {};
}

}  // namespace

Journal::Journal(FileSystem& file_system, Start start)
    : file_system_(file_system),
      runtime_id_(std::move(start.runtime_id)),
      epoch_(start.epoch),
      durability_(start.durability),
      sizes_(start.sizes),
      end_(start.end),
      staged_end_(start.end),
      durable_(start.end.last_lsn),
      segments_(std::move(start.older)) {}

Result<std::unique_ptr<Journal>> Journal::start(FileSystem& file_system, Start start) {
  const std::string copied = std::move(start.copied);
  const Lsn first_lsn = start.first_lsn;
  const std::uint32_t previous = start.previous;
  JournalReserve* const reserve = start.reserve;
  std::unique_ptr<Journal> journal(new Journal(file_system, std::move(start)));
  auto spare = journal->make_first_spare(copied.size(), reserve);
  if (!spare) return std::move(spare).error();
  auto begun = journal->begin_segment(std::move(*spare), copied, first_lsn, previous);
  if (!begun) return std::move(begun).error();
  return journal;
}

/// On a full disk even a small segment lets Workers be stopped and deleted.
Result<Journal::Spare> Journal::make_first_spare(std::uint64_t copied_bytes,
                                                 JournalReserve* reserve) {
  auto spare = make_spare(sizes_.first + copied_bytes);
  is_short_ = !spare;
  for (const std::uint64_t size : {sizes_.reserve, reserve_piece_bytes}) {
    if (spare || spare.error().code() != ErrorCode::store_full) return spare;
    spare = make_spare(size + copied_bytes);
  }
  if (spare || spare.error().code() != ErrorCode::store_full || reserve == nullptr) return spare;
  // Records to be copied must leave it room for what makes room.
  if (copied_bytes > reserve_piece_bytes / 4) return spare;
  auto piece = reserve->take();
  if (!piece) return std::move(piece).error();
  if (!*piece) return spare;
  return Spare{std::move((*piece)->path), std::move((*piece)->file), reserve_piece_bytes};
}

Result<Journal::Spare> Journal::make_spare(std::uint64_t size) {
  Spare spare{layout::temporary(std::string(layout::journal) + "/next"), nullptr, size};
  auto file = file_system_.open(spare.path, OpenMode::create_new);
  if (!file) return full_as_such(std::move(file).error());
  spare.file = std::move(*file);
  spare.file->keep_in_place();
  // The blocks must be on the disk before a record relies on them: an overwrite then needs no
  // allocation, and a full disk shows here, where refusing is harmless.
  auto done = lay_out(*spare.file, size, durability_);
  if (!done) {
    static_cast<void>(
        file_system_.remove_file(spare.path).has_value());  // else swept at the next open
    return full_as_such(std::move(done).error());
  }
  return spare;
}

Result<void> Journal::begin_segment(Spare spare, std::string_view first_lines, Lsn first_lsn,
                                    std::uint32_t previous) {
  std::string object;
  encode(object, SegmentHeader{first_lsn, runtime_id_, epoch_, durability_, previous});
  std::string lines;
  append_checked_line(lines, object);
  lines += first_lines;
  const std::string path = layout::segment(first_lsn);
  auto done = spare.file->write(0, lines);
  // The header, and what was copied, durable before the name is.
  if (done) done = spare.file->sync();
  if (done) done = file_system_.rename(spare.path, path);
  if (done) {
    // The name durable before any commit is put under it. It can't be taken back: where this fails,
    // for whatever cause, no record may be put into either segment.
    auto named = file_system_.sync_directory(std::string(layout::journal));
    if (!named)
      return Error(ErrorCode::store_failed, named.error().message(), named.error().fields());
  }
  if (!done) {
    // Nothing relies on it yet: what finds no space leaves the journal as it is.
    if (!is_full(done.error()) && !is_out_of_handles(done.error())) return done;
    static_cast<void>(file_system_.remove_file(spare.path).has_value());
    return full_as_such(std::move(done).error());
  }
  file_ = std::move(spare.file);
  path_ = path;
  size_ = std::max<std::uint64_t>(spare.size, lines.size());
  offset_ = lines.size();
  const std::lock_guard lock(mutex_);
  if (!segments_.empty() && segments_.back().first_lsn == first_lsn) segments_.pop_back();
  segments_.push_back({first_lsn, offset_});
  half_used_ = false;
  return {};
}

bool Journal::has_room(std::uint64_t more, Growth growth) {
  const std::uint64_t reserve = growth == Growth::grows ? sizes_.reserve : 0;
  const std::uint64_t needed = group_.size() + more;
  const std::lock_guard lock(mutex_);
  if (spare_) return needed + reserve <= spare_->size || offset_ + needed <= size_;
  return offset_ + needed + reserve <= size_;
}

Result<void> Journal::stage(const Commit& commit, std::span<const LogLine> lines,
                            std::uint64_t commit_bytes_max, Growth growth) {
  changes_.clear();
  encode_changes(changes_, commit, lines);
  record_.clear();
  encode(record_, RecordHead{commit.lsn, epoch_, durable_, staged_end_.checksum}, changes_);
  if (record_.size() > commit_bytes_max) {
    return Error(ErrorCode::limit_exceeded, "the commit is too long",
                 LimitFields{"commit_bytes", record_.size(), commit_bytes_max});
  }
  const std::uint64_t length = record_.size() + line_head_bytes + 1;
  // Room for it must be there before it is taken in: the group is refused as a whole otherwise.
  if (!has_room(length, growth)) {
    auto made = make_room(length, growth);
    if (!made) return made;
  }
  staged_end_ = {commit.lsn, append_checked_line(group_, record_)};
  return {};
}

/// A segment that takes more than its record needs is not tried where it cannot succeed: as long as
/// it went on it would take the last room from the logs. Where the room is not known, or a quota is
/// smaller, the attempt tells.
Result<Journal::Spare> Journal::make_large_spare(std::uint64_t size) {
  const auto space = file_system_.space();
  if (!space || space->free_bytes >= size) return make_spare(size);
  return Error(ErrorCode::store_full, "the disk is full: there is no room for a journal segment",
               FileFields{.path = file_system_.prefix() + std::string(layout::journal),
                          .system_error = ENOSPC});
}

Result<void> Journal::make_room(std::uint64_t length, Growth growth) {
  const std::lock_guard one_at_a_time(making_mutex_);
  if (has_room(length, growth)) return {};  // made meanwhile
  // A record larger than a segment gets a segment of its own size.
  const std::uint64_t reserve = growth == Growth::grows ? sizes_.reserve : 0;
  const std::uint64_t needed = group_.size() + length + reserve + 4096;
  auto spare = make_large_spare(std::max(sizes_.later, needed));
  if (!spare && spare.error().code() == ErrorCode::store_full) spare = make_spare(needed);
  if (!spare) return std::move(spare).error();
  std::optional<Spare> unused;
  {
    const std::lock_guard lock(mutex_);
    unused = std::exchange(spare_, std::move(*spare));
  }
  if (unused) static_cast<void>(file_system_.remove_file(unused->path).has_value());
  return {};
}

Result<void> Journal::switch_segment(std::uint64_t needed) {
  std::optional<Spare> spare;
  {
    const std::lock_guard lock(mutex_);
    spare = std::exchange(spare_, std::nullopt);
  }
  if (!spare || spare->size < needed + 4096) {
    if (spare) static_cast<void>(file_system_.remove_file(spare->path).has_value());
    auto made = make_spare(std::max(sizes_.later, needed + 4096));
    if (!made) return std::move(made).error();
    spare = std::move(*made);
  }
  // What was written without a sync must not be overtaken by the segment behind it.
  auto synced = sync();
  if (!synced) return synced;
  return begin_segment(std::move(*spare), "", end_.last_lsn.next(), end_.checksum);
}

Result<void> Journal::keep_name() {
  // Without the filler: what goes on needs a segment that has its room.
  auto again = put_back_if_replaced(file_system_, path_, *file_, offset_, put_back_);
  if (!again) return full_as_such(std::move(again).error());
  if (!*again) return {};
  file_ = std::move(*again);
  size_ = offset_;
  return {};
}

Result<void> Journal::write_group() {
  if (group_.empty()) return {};
  auto ready = keep_name();
  if (ready && offset_ + group_.size() > size_) ready = switch_segment(group_.size());
  if (!ready) {
    if (is_refusal(ready.error())) {
      group_.clear();
      staged_end_ = end_;
    }
    return ready;
  }
  const std::uint64_t last = staged_end_.last_lsn.value;
  auto written = file_->write(offset_, group_);
  if (!written) return undo(offset_, group_.size(), std::move(written).error());
  trace_commit(last, group_.size());
  if (durability_ == Durability::sync) {
    // The one sync that makes the whole group durable.
    auto synced = traced_sync(last);
    if (!synced) return synced;
  }
  offset_ += group_.size();
  end_ = staged_end_;
  if (durability_ == Durability::sync) durable_ = end_.last_lsn;
  group_.clear();
  const std::lock_guard lock(mutex_);
  segments_.back().bytes = offset_;
  half_used_ = offset_ > size_ / 2;
  return {};
}

Result<void> Journal::undo(std::uint64_t offset, std::uint64_t count, Error cause) {
  // The space is laid out, so this happens on file systems that write elsewhere (ZFS, snapshots of
  // btrfs), or under a file size limit. Filler over whatever was written makes it as if nothing had
  // been; if even that fails, what the segment holds is unknown.
  if (!is_full(cause)) return cause;
  auto filled = fill(*file_, offset, std::min(offset + count, size_));
  if (!filled) return cause;
  group_.clear();
  staged_end_ = end_;
  return full("the disk is full: " + cause.message());
}

Result<void> Journal::traced_sync(std::uint64_t last_lsn) {
  trace_sync_begin(last_lsn);
  auto synced = file_->sync();
  trace_sync_end(last_lsn, synced.has_value());
  return synced;
}

Result<void> Journal::sync() {
  if (durability_ == Durability::sync || durable_ == end_.last_lsn) return {};
  auto synced = traced_sync(end_.last_lsn.value);
  if (!synced) return synced;
  durable_ = end_.last_lsn;
  return {};
}

Result<void> Journal::rotate(LayOut lay_out) {
  if (auto named = keep_name(); !named) return named;
  bool has_records = false;
  {
    const std::lock_guard lock(mutex_);
    has_records = segments_.back().first_lsn <= end_.last_lsn;
  }
  if (lay_out != LayOut::header_only) return has_records ? switch_segment(0) : Result<void>();
  if (!has_records) return cut_filler();
  auto synced = sync();
  if (!synced) return synced;
  auto spare = make_spare(0);
  if (!spare) return std::move(spare).error();
  auto begun = begin_segment(std::move(*spare), "", end_.last_lsn.next(), end_.checksum);
  if (!begun) return begun;
  return cut_filler();
}

Result<void> Journal::drop_below(Lsn lsn) {
  for (;;) {
    Lsn first;
    {
      const std::lock_guard lock(mutex_);
      // A segment's last LSN is the one before the next segment's first.
      if (segments_.size() < 2 || segments_[1].first_lsn.value > lsn.value + 1) return {};
      first = segments_.front().first_lsn;
    }
    auto removed = file_system_.remove_file(layout::segment(first));
    if (!removed && !is_missing(removed.error())) return removed;
    const std::lock_guard lock(mutex_);
    segments_.pop_front();
  }
}

Result<void> Journal::lay_out_ahead(LayOut lay_out) {
  const std::lock_guard one_at_a_time(making_mutex_);
  {
    const std::lock_guard lock(mutex_);
    if (spare_ || (lay_out == LayOut::when_needed && !half_used_)) return {};
  }
  auto made = make_large_spare(sizes_.later);
  if (!made) return std::move(made).error();
  const std::lock_guard lock(mutex_);
  spare_ = std::move(*made);
  return {};
}

Result<void> Journal::cut_filler() {
  std::optional<Spare> unused;
  {
    const std::lock_guard lock(mutex_);
    unused = std::exchange(spare_, std::nullopt);
  }
  if (unused) {
    auto removed = file_system_.remove_file(unused->path);
    if (!removed) return removed;
  }
  if (size_ == offset_) return {};
  auto cut = file_->truncate(offset_);
  if (!cut) return cut;
  size_ = offset_;
  return file_->sync();
}

std::uint64_t Journal::bytes() const {
  const std::lock_guard lock(mutex_);
  std::uint64_t sum = 0;
  for (const SegmentInfo& segment : segments_) sum += segment.bytes;
  return sum;
}

}  // namespace worker_runtime::fs_store
