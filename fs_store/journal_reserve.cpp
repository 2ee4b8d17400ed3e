// The reserve of the journal: see journal_reserve.h.
#include "journal_reserve.h"

#include <string_view>
#include <utility>

#include "layout.h"

namespace worker_runtime::fs_store {

Result<std::optional<JournalReserve::Piece>> JournalReserve::open_whole(std::size_t index) {
  Piece piece{layout::reserve(index), nullptr};
  auto file = file_system_.open(piece.path, OpenMode::write);
  if (!file) {
    if (is_missing(file.error())) return std::optional<Piece>();
    return std::move(file).error();
  }
  auto bytes = (*file)->read(0, reserve_piece_bytes + 1);
  if (!bytes) return std::move(bytes).error();
  if (bytes->size() != reserve_piece_bytes || bytes->find_first_not_of('\n') != std::string::npos)
    return std::optional<Piece>();
  piece.file = std::move(*file);
  return std::optional(std::move(piece));
}

Result<std::optional<JournalReserve::Piece>> JournalReserve::take() {
  for (std::size_t index = 0; index < reserve_pieces; ++index) {
    auto piece = open_whole(index);
    if (!piece) return piece;
    if (!*piece) continue;
    is_whole_ = false;
    return piece;
  }
  return std::optional<Piece>();
}

Result<bool> JournalReserve::give_back() {
  is_whole_ = false;
  for (std::size_t index = reserve_pieces; index-- > 0;) {
    auto removed = file_system_.remove_file(layout::reserve(index));
    if (removed) return true;
    if (!is_missing(removed.error())) return std::move(removed).error();
  }
  return false;
}

Result<void> JournalReserve::replenish() {
  if (is_whole_) return {};
  bool any_made = false;
  for (std::size_t index = 0; index < reserve_pieces; ++index) {
    auto piece = open_whole(index);
    if (!piece) return std::move(piece).error();
    if (*piece) continue;
    auto made = make(index);
    if (!made) return made;
    any_made = true;
  }
  if (any_made) {
    auto synced = file_system_.sync_directory(std::string(layout::journal));
    if (!synced) return synced;
  }
  is_whole_ = true;
  return {};
}

Result<void> JournalReserve::make(std::size_t index) {
  const std::string path = layout::reserve(index);
  auto removed = file_system_.remove_file(path);  // one that is not whole
  if (!removed && !is_missing(removed.error())) return removed;
  auto file = file_system_.open(path, OpenMode::create_new);
  if (!file) return std::move(file).error();
  (*file)->keep_in_place();
  auto done = (*file)->write(0, std::string(reserve_piece_bytes, '\n'));
  // Its blocks must be on the disk before it fills.
  if (done) done = (*file)->sync();
  // What there is no space for must not take any.
  if (!done) static_cast<void>(file_system_.remove_file(path).has_value());
  return done;
}

}  // namespace worker_runtime::fs_store
