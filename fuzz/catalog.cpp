// A catalog whose lines have right checksums and say anything (support/store_text.h), read as far
// as anything says. Where it loads, the line in force of each Worker can be read, a change is found
// by the next load, and writing it anew loses nothing.
#include "catalog.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "checked_line.h"
#include "codec.h"
#include "layout.h"
#include "support/store_text.h"
#include "support/target.h"

namespace worker_runtime::fuzz::catalog {
namespace {

using fs_store::Catalog;
using fs_store::CatalogPosition;
using fs_store::CatalogUpdate;

using InForce = std::map<WorkerId, std::string>;  // lines without newlines

const RuntimeId& runtime_id() {
  static const RuntimeId id = RuntimeId::parse("main").value();
  return id;
}

/// Of a tombstone the catalog tells its place only.
std::string line_of(const Catalog& catalog, const WorkerId& worker_id) {
  const auto place = catalog.place(worker_id);
  require(place.has_value(), "a Worker with a line has a line in force");
  if (place->tombstone) {
    std::string line = catalog.file().read(place->offset, place->length).value();
    line.pop_back();
    require(fs_store::check_line(line) == place->checksum, "a tombstone in force checks");
    return line;
  }
  auto line = catalog.read_line(worker_id);
  require(line.has_value() && line->has_value(), "the line in force can be read",
          line ? "" : line.error().detail());
  require(fs_store::check_line(**line) == place->checksum, "the line in force checks");
  return **line;
}

/// None if it does not load.
std::optional<InForce> load(Catalog& catalog, const CatalogPosition& position) {
  std::map<WorkerId, std::string> in_force;
  fs_store::Decoder decoder;
  std::vector<WorkerId> seen;
  const auto loaded =
      catalog.load(decoder, position, runtime_id(), [&](fs_store::CatalogLine line) {
        seen.push_back(line.record ? line.record->record.worker_id : line.tombstone->worker_id);
        return Result<void>();
      });
  if (!loaded) {
    const ErrorCode code = loaded.error().code();
    require(code == ErrorCode::store_corrupt || code == ErrorCode::store_version,
            "a catalog that does not load is damaged or newer", loaded.error().detail());
    return std::nullopt;
  }
  for (const WorkerId& worker_id : seen) in_force[worker_id] = line_of(catalog, worker_id);
  require(catalog.lines_in_force() == in_force.size(), "each Worker has one line in force");
  return in_force;
}

std::uint32_t live_checksum(const std::string& text) {
  std::map<std::string, std::uint32_t> newest;
  std::uint32_t sum = 0;
  fs_store::Decoder decoder;
  for (std::size_t at = 0, number = 1; at < text.size(); ++number) {
    const std::size_t end = text.find('\n', at);
    if (end == std::string::npos) break;
    const std::string_view line = std::string_view(text).substr(at, end - at);
    at = end + 1;
    const auto checksum = fs_store::check_line(line);
    if (number == 1 || !checksum) continue;
    const auto decoded = decoder.catalog_line(line, fs_store::Requests::skip);
    if (!decoded) continue;
    std::uint32_t& known = newest[decoded->record ? decoded->record->record.worker_id.text()
                                                  : decoded->tombstone->worker_id.text()];
    sum ^= known ^ *checksum;
    known = *checksum;
  }
  return sum;
}

void check_goes_on(fs_store::FileSystem& files, Catalog& catalog, const InForce& before) {
  InForce expected = before;
  std::vector<CatalogUpdate> updates;
  for (const auto& [worker_id, line] : before) {
    if (updates.empty()) {
      updates.push_back({worker_id, "", false});
      expected.erase(worker_id);
    } else if (updates.size() == 1) {
      updates.push_back({worker_id, line + "\n", catalog.place(worker_id)->tombstone});
    }
  }
  const auto anew = catalog.update(updates, Lsn{100}, runtime_id(), true);
  require(anew.has_value(), "a catalog can be written anew", anew ? "" : anew.error().detail());
  require(catalog.remove_old().has_value(), "old catalogs can be removed");
  Catalog again(files);
  require(load(again, *anew) == expected, "a catalog that was written anew holds the same");
}

void check(std::string_view input) {
  const std::string path = fs_store::layout::catalog(Lsn{7});
  const StoreFiles files = read_store_text(input, path);
  const auto found = files.find(path);
  if (found == files.end()) return;
  const std::string& text = found->second;
  testing::SimulatedDisk disk;
  put_files(disk, "store", files);
  const auto root = disk.root()->directory("store");
  if (!root) return;
  const std::uint64_t lines =
      static_cast<std::uint64_t>(std::count(text.begin(), text.end(), '\n'));
  const CatalogPosition whole{Lsn{7}, text.size(), lines, live_checksum(text)};
  for (const CatalogPosition& position :
       {whole, CatalogPosition{Lsn{7}, text.size() / 2, lines / 2, 0},
        CatalogPosition{Lsn{7}, text.size() + 7, lines + 1, whole.live_checksum ^ 1U}}) {
    Catalog catalog(**root);
    static_cast<void>(load(catalog, position).has_value());
  }
  Catalog catalog(**root);
  const auto in_force = load(catalog, whole);
  if (in_force) check_goes_on(**root, catalog, *in_force);
}

const Target target("catalog", check);

}  // namespace
}  // namespace worker_runtime::fuzz::catalog
