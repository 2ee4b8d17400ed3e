// Lines in a table of SQLite, by their number: what a history would else be kept in.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string_view>

#include "database.h"

namespace worker_runtime::bench {

/// One thread at a time. The whole file is mapped. Nothing is durable: only reading is measured.
class Table {
 public:
  explicit Table(const std::filesystem::path& path) : database_(path) {
    database_.run("PRAGMA synchronous = OFF");
    database_.run("PRAGMA mmap_size = 8589934592");
    database_.run("CREATE TABLE lines (number INTEGER PRIMARY KEY, line TEXT)");
    insert_ = database_.prepare("INSERT INTO lines VALUES (?1, ?2)");
    select_ =
        database_.prepare("SELECT line FROM lines WHERE number >= ?1 ORDER BY number LIMIT ?2");
  }

  /// add() comes between begin() and end().
  void begin() { database_.run("BEGIN"); }
  void add(std::uint64_t number, std::string_view line) {
    sqlite3_bind_int64(insert_, 1, static_cast<sqlite3_int64>(number));
    Database::bind(insert_, 2, line);
    if (!Database::step(insert_)) database_.fail_with_its_message();
  }
  void end() {
    database_.run("COMMIT");
    database_.run("PRAGMA wal_checkpoint(TRUNCATE)");
  }

  using Visitor = std::function<void(std::string_view line)>;
  /// `count` lines from `number` on.
  void read(std::uint64_t number, std::uint64_t count, const Visitor& visitor) {
    sqlite3_bind_int64(select_, 1, static_cast<sqlite3_int64>(number));
    sqlite3_bind_int64(select_, 2, static_cast<sqlite3_int64>(count));
    while (sqlite3_step(select_) == SQLITE_ROW) {
      const auto* const text = static_cast<const char*>(sqlite3_column_blob(select_, 0));
      visitor({text, static_cast<std::size_t>(sqlite3_column_bytes(select_, 0))});
    }
    sqlite3_reset(select_);
  }

 private:
  Database database_;
  sqlite3_stmt* insert_ = nullptr;
  sqlite3_stmt* select_ = nullptr;
};

}  // namespace worker_runtime::bench
