// What can happen to the files of a store, as plain data: one list, which verify, opening and
// repair are tried on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

namespace worker_runtime::testing {

/// The content of every file below a root, by its path relative to that.
using StoreImage = std::map<std::string, std::string>;

StoreImage image_of(const std::filesystem::path& root);
/// Makes what the image holds. `root` is not there yet.
void make_store(const StoreImage& image, const std::filesystem::path& root);

std::vector<std::string> lines_of(const std::string& content);

/// A store that is whole, and what a damage may take from elsewhere.
struct OriginalStore {
  std::string name;
  StoreImage files;
  /// Up to where each file was acknowledged. What lies behind comes again from the journal.
  std::map<std::string, std::size_t> watermarks;
  /// The same work under another runtime id, with the paths of this one.
  StoreImage of_another_runtime;

  /// The files of checked lines.
  [[nodiscard]] std::vector<std::string> line_files() const;
};

enum class Stands : std::uint8_t { nothing, file, directory, link, fifo, socket };

/// What stands under a path now. `content` is a file's, or where a link leads.
struct Change {
  std::string path;
  Stands stands = Stands::file;
  std::string content = {};
};

enum class Verdict : std::uint8_t {
  named,     ///< verify is not clean, and names a file that was changed.
  judged,    ///< It may do no harm: what can be read decides.
  harmless,  ///< verify is clean, repair has nothing to do, and all reads as it did.
};

struct Damage {
  std::string what;
  std::vector<Change> changes;
  Verdict verdict = Verdict::named;
  /// The line of the first change that verify has to name.
  std::optional<std::uint64_t> line = {};
  /// A later version may have written it: nothing touches it.
  bool looks_newer = false;
};

/// Puts the changes in the place of what stands there.
void inflict(const Damage& damage, const std::filesystem::path& root);
/// Back to the image, as far as the damage went.
void undo(const Damage& damage, const StoreImage& image, const std::filesystem::path& root);

struct DamageKind {
  std::string name;
  std::vector<Damage> (*damages)(const OriginalStore& store);
};
inline void PrintTo(const DamageKind& kind, std::ostream* out) { *out << kind.name; }
/// All but flipped bits, which are too many for one list.
const std::vector<DamageKind>& damage_kinds();

std::vector<Damage> flipped_bits(const OriginalStore& store, const std::string& path);

}  // namespace worker_runtime::testing
