// A catalog in a directory of a test's own.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "catalog.h"
#include "checked_line.h"
#include "codec.h"
#include "layout.h"
#include "support/fs_store/files_fixture.h"

namespace worker_runtime::fs_store {

class CatalogTest : public FilesTest {
 protected:
  static std::string checked(const std::string& object) {
    std::string line;
    append_checked_line(line, object);
    return line;
  }
  static CatalogUpdate record(std::string_view id, std::uint64_t lsn, std::string name = "x",
                              std::string_view runtime = "main") {
    CatalogRecord content;
    content.record.worker_id = testing::worker_id(id);
    content.record.lsn = Lsn{lsn};
    content.record.display_name = std::move(name);
    content.record.created_at = content.record.updated_at = Timestamp{testing::ManualClock::start};
    content.create = R"({"intent":{"kind":"task","objective":"x"}})";
    std::string object;
    encode(object, content, testing::runtime_id(runtime));
    return {content.record.worker_id, checked(object), false};
  }
  static CatalogUpdate tombstone(std::string_view id, std::uint64_t lsn) {
    Tombstone content;
    content.worker_id = testing::worker_id(id);
    content.lsn = Lsn{lsn};
    std::string object;
    encode(object, content, testing::runtime_id("main"));
    return {content.worker_id, checked(object), true};
  }
  static CatalogUpdate removal(std::string_view id) { return {testing::worker_id(id), "", false}; }
  static std::string without_newline(const CatalogUpdate& update) {
    return update.line.substr(0, update.line.size() - 1);
  }

  struct Loaded {
    Result<std::vector<Catalog::Repaired>> repaired;
    std::map<std::string, std::uint64_t> records;  ///< LSN by Worker: the last line seen.
    std::map<std::string, std::uint64_t> tombstones;
  };
  Loaded load(Catalog& catalog, const CatalogPosition& position) {
    Loaded loaded{std::vector<Catalog::Repaired>(), {}, {}};
    loaded.repaired = catalog.load(
        decoder_, position, testing::runtime_id("main"), [&](CatalogLine line) -> Result<void> {
          if (line.record) {
            const WorkerRecord& record = line.record->record;
            loaded.records[record.worker_id.text()] = record.lsn.value;
            loaded.tombstones.erase(record.worker_id.text());
          } else {
            const Tombstone& tombstone = *line.tombstone;
            loaded.tombstones[tombstone.worker_id.text()] = tombstone.lsn.value;
            loaded.records.erase(tombstone.worker_id.text());
          }
          return {};
        });
    return loaded;
  }
  Loaded load(const CatalogPosition& position) {
    Catalog catalog(files());
    return load(catalog, position);
  }

  CatalogPosition update(Catalog& catalog, const std::vector<CatalogUpdate>& updates,
                         std::uint64_t lsn, bool anew = false) {
    auto position = catalog.update(updates, Lsn{lsn}, testing::runtime_id("main"), anew);
    EXPECT_TRUE(testing::is_ok(position));
    return position ? *position : CatalogPosition{};
  }
  /// A new catalog at LSN 1, loaded.
  void start(Catalog& catalog) {
    const auto position = Catalog::create(files(), Lsn{1}, testing::runtime_id("main"));
    ASSERT_TRUE(testing::is_ok(position));
    ASSERT_TRUE(testing::is_ok(load(catalog, *position).repaired));
  }
  /// Changes one byte of a line that is in the catalog at LSN 1.
  void damage(const CatalogUpdate& line) const {
    std::string text = content(layout::catalog(Lsn{1}));
    const std::size_t place = text.find(line.line);
    ASSERT_NE(place, std::string::npos);
    text[place + line.line.size() / 2] ^= 0x02;
    put(layout::catalog(Lsn{1}), text);
  }
  void put_view(const CatalogUpdate& line) const {
    put(layout::worker_json(line.worker_id), line.line);
  }

  Decoder decoder_;
};

}  // namespace worker_runtime::fs_store
