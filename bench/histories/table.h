// Lines in a table of SQLite, by their number: what a history would else be kept in.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace worker_runtime::bench {

/// One thread at a time.
class Table {
 public:
  explicit Table(const std::filesystem::path& path);
  Table(const Table&) = delete;
  Table& operator=(const Table&) = delete;
  ~Table();

  /// Between begin() and end(), which is not durable: only reading is measured.
  void begin();
  void add(std::uint64_t number, std::string_view line);
  void end();

  using Visitor = std::function<void(std::string_view line)>;
  /// `count` lines from `number` on.
  void read(std::uint64_t number, std::uint64_t count, const Visitor& visitor);

 private:
  void run(const char* sql);
  sqlite3_stmt* prepare(const char* sql);

  sqlite3* handle_ = nullptr;
  sqlite3_stmt* insert_ = nullptr;
  sqlite3_stmt* select_ = nullptr;
};

}  // namespace worker_runtime::bench
