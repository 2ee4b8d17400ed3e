// SQLite: synchronous FULL, one connection that callers take in turn (one each is slower: they wait
// for the lock by polling).
#include <memory>
#include <mutex>
#include <string>

#include "database.h"
#include "peers.h"

namespace worker_runtime::bench {
namespace {

class Tables {
 public:
  explicit Tables(const std::filesystem::path& path) : database_(path) {
    database_.run("PRAGMA synchronous = FULL");
    database_.run("CREATE TABLE events (id INTEGER PRIMARY KEY, line TEXT)");
    database_.run("CREATE TABLE entries (sequence INTEGER PRIMARY KEY, line TEXT)");
    begin_ = database_.prepare("BEGIN IMMEDIATE");
    event_ = database_.prepare("INSERT INTO events (line) VALUES (?1)");
    entry_ = database_.prepare("INSERT INTO entries (line) VALUES (?1)");
    commit_ = database_.prepare("COMMIT");
  }

  bool commit() {
    static const std::string event(event_bytes, 'x');
    static const std::string entry(entry_bytes, 'x');
    const std::lock_guard lock(mutex_);
    Database::bind(event_, 1, event);
    Database::bind(entry_, 1, entry);
    return Database::step(begin_) && Database::step(event_) && Database::step(entry_) &&
           Database::step(commit_);
  }

 private:
  std::mutex mutex_;
  Database database_;
  sqlite3_stmt* begin_ = nullptr;
  sqlite3_stmt* event_ = nullptr;
  sqlite3_stmt* entry_ = nullptr;
  sqlite3_stmt* commit_ = nullptr;
};

}  // namespace

cli::Contender make_sqlite(const std::filesystem::path& directory) {
  const auto tables = std::make_shared<Tables>(directory / "sqlite");
  return {"SQLite", [tables] { return tables->commit(); }};
}

}  // namespace worker_runtime::bench
