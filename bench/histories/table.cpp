// A table of lines: see table.h. WAL, prepared statements, the whole of it mapped into memory.
#include "table.h"

#include <sqlite3.h>

#include "measured.h"

namespace worker_runtime::bench {

Table::Table(const std::filesystem::path& path) {
  if (sqlite3_open(path.c_str(), &handle_) != SQLITE_OK) fail(sqlite3_errmsg(handle_));
  run("PRAGMA locking_mode = EXCLUSIVE");
  run("PRAGMA journal_mode = WAL");
  run("PRAGMA synchronous = OFF");
  run("PRAGMA mmap_size = 8589934592");
  run("CREATE TABLE lines (number INTEGER PRIMARY KEY, line TEXT)");
  insert_ = prepare("INSERT INTO lines VALUES (?1, ?2)");
  select_ = prepare("SELECT line FROM lines WHERE number >= ?1 ORDER BY number LIMIT ?2");
}

Table::~Table() {
  sqlite3_finalize(insert_);
  sqlite3_finalize(select_);
  sqlite3_close(handle_);
}

void Table::begin() { run("BEGIN"); }
void Table::end() {
  run("COMMIT");
  run("PRAGMA wal_checkpoint(TRUNCATE)");
}

void Table::add(std::uint64_t number, std::string_view line) {
  sqlite3_bind_int64(insert_, 1, static_cast<sqlite3_int64>(number));
  sqlite3_bind_text(insert_, 2, line.data(), static_cast<int>(line.size()), SQLITE_STATIC);
  if (sqlite3_step(insert_) != SQLITE_DONE) fail(sqlite3_errmsg(handle_));
  sqlite3_reset(insert_);
}

void Table::read(std::uint64_t number, std::uint64_t count, const Visitor& visitor) {
  sqlite3_bind_int64(select_, 1, static_cast<sqlite3_int64>(number));
  sqlite3_bind_int64(select_, 2, static_cast<sqlite3_int64>(count));
  while (sqlite3_step(select_) == SQLITE_ROW) {
    const auto* const text = static_cast<const char*>(sqlite3_column_blob(select_, 0));
    visitor({text, static_cast<std::size_t>(sqlite3_column_bytes(select_, 0))});
  }
  sqlite3_reset(select_);
}

void Table::run(const char* sql) {
  if (sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr) != SQLITE_OK)
    fail(sqlite3_errmsg(handle_));
}

sqlite3_stmt* Table::prepare(const char* sql) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(handle_, sql, -1, &statement, nullptr) != SQLITE_OK)
    fail(sqlite3_errmsg(handle_));
  return statement;
}

}  // namespace worker_runtime::bench
