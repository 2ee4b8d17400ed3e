// SQLite as its users set it up: WAL, one connection, prepared statements.
#pragma once

#include <sqlite3.h>

#include <filesystem>
#include <string>

#include "measured.h"

namespace worker_runtime::bench {

/// One thread at a time. Its statements end with it.
class Database {
 public:
  explicit Database(const std::filesystem::path& path) {
    if (sqlite3_open(path.c_str(), &handle_) != SQLITE_OK) fail_with_its_message();
    run("PRAGMA locking_mode = EXCLUSIVE");  // no shared memory: nobody else opens it
    run("PRAGMA journal_mode = WAL");
  }
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  ~Database() {
    while (sqlite3_stmt* const statement = sqlite3_next_stmt(handle_, nullptr))
      sqlite3_finalize(statement);
    sqlite3_close(handle_);
  }

  void run(const char* sql) {
    if (sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) fail_with_its_message();
  }
  sqlite3_stmt* prepare(const char* sql) {
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v2(handle_, sql, -1, &statement, nullptr) != SQLITE_OK)
      fail_with_its_message();
    return statement;
  }
  static void bind(sqlite3_stmt* statement, int place, std::string_view text) {
    sqlite3_bind_text(statement, place, text.data(), static_cast<int>(text.size()), SQLITE_STATIC);
  }
  /// Of a statement that has no rows.
  static bool step(sqlite3_stmt* statement) {
    const bool done = sqlite3_step(statement) == SQLITE_DONE;
    sqlite3_reset(statement);
    return done;
  }
  [[noreturn]] void fail_with_its_message() const { fail(sqlite3_errmsg(handle_)); }

 private:
  sqlite3* handle_ = nullptr;
};

}  // namespace worker_runtime::bench
