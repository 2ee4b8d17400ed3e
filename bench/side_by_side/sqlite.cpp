// SQLite: WAL, synchronous FULL, one connection that callers take in turn (one each is slower: they
// wait for the lock by polling), prepared statements.
#include <sqlite3.h>

#include <memory>
#include <mutex>

#include "peers.h"

namespace worker_runtime::bench {
namespace {

class Database {
 public:
  explicit Database(const std::filesystem::path& path) {
    if (sqlite3_open(path.c_str(), &handle_) != SQLITE_OK) fail(sqlite3_errmsg(handle_));
    run("PRAGMA locking_mode = EXCLUSIVE");  // no shared memory: nobody else opens it
    run("PRAGMA journal_mode = WAL");
    run("PRAGMA synchronous = FULL");
    run("CREATE TABLE events (id INTEGER PRIMARY KEY, line TEXT)");
    run("CREATE TABLE entries (sequence INTEGER PRIMARY KEY, line TEXT)");
    begin_ = prepare("BEGIN IMMEDIATE");
    event_ = prepare("INSERT INTO events (line) VALUES (?1)");
    entry_ = prepare("INSERT INTO entries (line) VALUES (?1)");
    commit_ = prepare("COMMIT");
    page_ = prepare("SELECT line FROM entries ORDER BY sequence DESC LIMIT 256");
  }
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  ~Database() {
    for (sqlite3_stmt* const statement : {begin_, event_, entry_, commit_, page_})
      sqlite3_finalize(statement);
    sqlite3_close(handle_);
  }

  bool commit() {
    static const std::string event(event_bytes, 'x');
    static const std::string entry(entry_bytes, 'x');
    const std::lock_guard lock(mutex_);
    bind(event_, event);
    bind(entry_, entry);
    return step(begin_) && step(event_) && step(entry_) && step(commit_);
  }

  std::size_t read_tail_page() {
    const std::lock_guard lock(mutex_);
    std::size_t bytes = 0;
    while (sqlite3_step(page_) == SQLITE_ROW) {
      if (sqlite3_column_text(page_, 0) != nullptr)
        bytes += static_cast<std::size_t>(sqlite3_column_bytes(page_, 0));
    }
    sqlite3_reset(page_);
    return bytes;
  }

 private:
  void run(const char* sql) {
    if (sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr) != SQLITE_OK)
      fail(sqlite3_errmsg(handle_));
  }
  sqlite3_stmt* prepare(const char* sql) {
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v2(handle_, sql, -1, &statement, nullptr) != SQLITE_OK)
      fail(sqlite3_errmsg(handle_));
    return statement;
  }
  static void bind(sqlite3_stmt* statement, const std::string& text) {
    sqlite3_bind_text(statement, 1, text.data(), static_cast<int>(text.size()), SQLITE_STATIC);
  }
  static bool step(sqlite3_stmt* statement) {
    const bool done = sqlite3_step(statement) == SQLITE_DONE;
    sqlite3_reset(statement);
    return done;
  }

  std::mutex mutex_;
  sqlite3* handle_ = nullptr;
  sqlite3_stmt* begin_ = nullptr;
  sqlite3_stmt* event_ = nullptr;
  sqlite3_stmt* entry_ = nullptr;
  sqlite3_stmt* commit_ = nullptr;
  sqlite3_stmt* page_ = nullptr;
};

}  // namespace

Peer make_sqlite(const std::filesystem::path& directory) {
  const auto database = std::make_shared<Database>(directory / "sqlite");
  Peer peer;
  peer.contender = {"SQLite", [database] { return database->commit(); }};
  peer.read_tail_page = [database] { return database->read_tail_page(); };
  return peer;
}

}  // namespace worker_runtime::bench
