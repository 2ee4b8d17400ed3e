// The catalog: the records of all Workers, catalog.<lsn>.jsonl.
//
// One file, one checked line a record, the last line of a Worker in force; a deleted Worker leaves
// a tombstone line or none. A checkpoint appends what changed and syncs; where half of the file is
// out of force, or a Worker was deleted (nothing of it may stay), it writes a new catalog instead.
// runtime.json names the catalog in force and its length: until that is replaced, a crash leaves
// either a longer catalog, whose tail counts for nothing and is cut, or a second one, which the
// next checkpoint removes.
//
// runtime.json also keeps the exclusive or of the checksums of all lines in force. So if a line is
// damaged, it can be told whether it was in force: the sum over the good lines is then right
// without it. And if it was, the Worker's worker.json, which holds the same bytes, can stand in for
// it: the sum proves that it is the right one.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "codec.h"
#include "file_system.h"
#include "worker_runtime/ids.h"
#include "worker_runtime/result.h"

namespace worker_runtime::fs_store {

/// The largest line of the catalog, and so worker.json: a create request of 64 KiB in JSON, six
/// bytes for one at worst, and the rest.
inline constexpr std::uint64_t view_bytes_max = std::uint64_t{8} << 20U;

/// A line to be put in force.
struct CatalogUpdate {
  WorkerId worker_id;
  std::string line;  ///< A checked line; empty: the Worker leaves nothing.
  bool tombstone = false;
};

class Catalog {
 public:
  explicit Catalog(FileSystem& file_system) : file_system_(file_system) {}

  /// What loading found that was not as it should be, but could be made good.
  struct Repaired {
    std::uint64_t line = 0;
    std::string message;
  };

  /// Makes room for the places of so many Workers at once.
  void reserve(std::size_t workers) { places_.reserve(workers); }
  /// Reads the catalog that `position` names, calls `visitor` for each line in force (in file
  /// order; a line that is superseded later may come before). `store_corrupt` if the records are in
  /// doubt.
  using LineVisitor = std::function<Result<void>(CatalogLine line)>;
  Result<std::vector<Repaired>> load(Decoder& decoder, const CatalogPosition& position,
                                     const RuntimeId& runtime_id, const LineVisitor& visitor);

  /// The line in force of a Worker, without its newline; none if there is none. Thread-safe.
  Result<std::optional<std::string>> read_line(const WorkerId& worker_id) const;
  struct Place {
    std::uint64_t offset = 0;
    std::uint32_t length = 0;
    std::uint32_t checksum = 0;
    bool tombstone = false;
  };
  /// Where the line in force of a Worker stands. For the thread that updates.
  [[nodiscard]] std::optional<Place> place(const WorkerId& worker_id) const;
  /// The file in force. For the thread that updates.
  [[nodiscard]] const File& file() const { return *file_; }

  /// Appends, or writes anew as of `lsn`; durable on return. `anew` forces it. Answers the new
  /// position; the caller puts it into runtime.json, and then calls remove_old().
  Result<CatalogPosition> update(std::span<const CatalogUpdate> updates, Lsn lsn,
                                 const RuntimeId& runtime_id, bool anew);
  /// Removes catalogs other than the one in force.
  Result<void> remove_old();

  /// The paths of catalogs that were replaced or taken away, and are there again. For the thread
  /// that updates.
  [[nodiscard]] std::vector<std::string> take_put_back() { return std::exchange(put_back_, {}); }

  [[nodiscard]] const CatalogPosition& position() const { return position_; }
  [[nodiscard]] std::uint64_t lines_in_force() const { return places_.size(); }

  /// A new catalog with its header alone, durable but for its name.
  static Result<CatalogPosition> create(FileSystem& file_system, Lsn lsn,
                                        const RuntimeId& runtime_id);

 private:
  /// The first line: of this runtime, and of the LSN in the file's name.
  Result<void> check_header(Decoder& decoder, std::string_view text,
                            const RuntimeId& runtime_id) const;
  Result<void> take_line(Decoder& decoder, std::string_view text, std::uint64_t offset,
                         std::uint64_t length, const RuntimeId& runtime_id,
                         const LineVisitor& visitor);
  Result<std::vector<Repaired>> stand_in(Decoder& decoder, const RuntimeId& runtime_id,
                                         Lsn checkpoint, std::vector<Repaired> damaged,
                                         const LineVisitor& visitor);
  Result<std::string> read_line_at(const File& file, const WorkerId& worker_id,
                                   const Place& place) const;
  Result<std::unique_ptr<File>> open_to_append();
  Result<CatalogPosition> append(std::span<const CatalogUpdate> updates);
  Result<CatalogPosition> rewrite(std::span<const CatalogUpdate> updates, Lsn lsn,
                                  const RuntimeId& runtime_id);
  void put_in_force(const CatalogUpdate& update, std::uint64_t offset, CatalogPosition& position);

  FileSystem& file_system_;
  CatalogPosition position_;
  std::vector<std::string> put_back_;

  // Written by the one thread that updates, under the mutex; so that thread reads them without it.
  mutable std::mutex mutex_;
  std::shared_ptr<File> file_;
  std::unordered_map<WorkerId, Place> places_;
  std::uint64_t bytes_in_force_ = 0;
};

/// The record of a Worker as it is to be written: what only the line in force knows (the create
/// request, if `create` is empty, and members of a newer version) is taken over from there.
Result<CatalogRecord> next_record(const Catalog& catalog, const WorkerState& worker,
                                  LogWatermark transcript, std::string create);

}  // namespace worker_runtime::fs_store
