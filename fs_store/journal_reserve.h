// Room for an open that finds the disk full: journal/reserve.0 and .1, small files of filler whose
// blocks were on the disk before it filled.
//
// An open can't do without a first segment, and so neither can what makes room: stop, cancel,
// delete. Where not even a small segment can be laid out, a piece of the reserve becomes it: its
// header overwrites filler, the rename takes no space, and what others write meanwhile can't come
// between. A piece may also be given back to the disk, so that a torn tail finds a place in
// quarantine.
//
// There are two pieces, so that a Worker can be stopped and deleted by two opens. A piece is made
// anew once there is space: in the background, and at close.
//
// What a crash may leave: fewer pieces; a piece cut short, or with a header in it. Only a piece of
// nothing but filler counts; any other is replaced.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "file_system.h"
#include "worker_runtime/result.h"

namespace worker_runtime::fs_store {

/// A header, and the longest stop that there can be (a reason of 1 KiB, every byte of it escaped).
inline constexpr std::uint64_t reserve_piece_bytes = std::uint64_t{8} << 10U;
inline constexpr std::size_t reserve_pieces = 2;

/// One thread at a time calls these.
class JournalReserve {
 public:
  explicit JournalReserve(FileSystem& file_system) : file_system_(file_system) {}

  struct Piece {
    std::string path;
    std::unique_ptr<File> file;  ///< Filler from end to end, durable.
  };
  /// A whole piece, which is its caller's from now on; none if there is none.
  Result<std::optional<Piece>> take();

  /// Gives one piece back to the disk; false if there is none.
  Result<bool> give_back();

  /// Makes what is missing. `store_io` for which is_full() holds: there is no space.
  Result<void> replenish();

 private:
  Result<std::optional<Piece>> open_whole(std::size_t index);
  Result<void> make(std::size_t index);

  FileSystem& file_system_;
  bool is_whole_ = false;  // nothing is missing, as far as known
};

}  // namespace worker_runtime::fs_store
