// Small stores that a test damages, and the questions what verify says of them, what can be read,
// and what a repair makes of them.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "original_stores.h"
#include "support/temporary_directory.h"
#include "worker_runtime/fs_store/repair.h"
#include "worker_runtime/fs_store/verify.h"
#include "worker_runtime/runtime.h"

namespace worker_runtime::testing {

/// What can be read of a store. Small enough for one page of each.
struct StoreContent {
  std::vector<Event> events;
  std::vector<WorkerSummary> workers;
  std::map<WorkerId, std::vector<TranscriptEntry>> transcripts;
};

class DamagedStoreTest : public ::testing::Test {
 protected:
  /// Begins with the first of the original stores.
  void SetUp() override;
  /// Goes on with this one.
  void use(const OriginalStore& store);
  [[nodiscard]] const OriginalStore& store() const { return *store_; }
  [[nodiscard]] bool is_closed() const { return store_->name == "closed"; }
  [[nodiscard]] const StoreContent& original() const { return original_; }

  [[nodiscard]] const std::filesystem::path& directory() const { return directory_.path(); }
  [[nodiscard]] std::filesystem::path root() const { return directory_.path() / "store"; }
  [[nodiscard]] std::filesystem::path copy() const { return directory_.path() / "copy"; }

  /// Verifies the damaged store: nobody writes to it.
  void expect_the_verdict(const Damage& damage);
  /// Opens a damaged copy for reading and for writing. What is not as it was is told: by the open,
  /// by the read, by the Worker that is damaged, or by verify. Workers that the damage left alone
  /// go on.
  void expect_nothing_is_silently_missing(const Damage& damage);
  /// Repairs a damaged copy: it verifies clean, every line is the one that was there or one that
  /// says it is lost, as many are lost as the repair said, and all Workers go on.
  void expect_repair_makes_it_good(const Damage& damage);

  /// Of `damages`, so many evenly chosen ones at most; all of them in a campaign.
  static std::vector<const Damage*> some_of(const std::vector<Damage>& damages, std::size_t most);

  struct Tried {
    std::uint64_t verified = 0;
    std::uint64_t opened = 0;   ///< An open for writing went through.
    std::uint64_t refused = 0;  ///< It failed, with a typed error.
    std::uint64_t repaired = 0;
    std::uint64_t lost = 0;  ///< Lines, in all repairs.
  };
  const Tried& tried() const { return tried_; }
  void print_tried(const std::string& kind) const;

 private:
  [[nodiscard]] bool must_be_named(const Damage& damage) const;
  [[nodiscard]] fs_store::VerifyReport verify(const Damage& damage,
                                              const std::filesystem::path& where);
  void expect_place(const Damage& damage, const fs_store::VerifyReport& report) const;
  void make_damaged_copy(const Damage& damage) const;
  void expect_like_the_original(const StoreContent& mended, const Damage& damage,
                                const fs_store::RepairReport& report);

  TemporaryDirectory directory_{TemporaryDirectory::quick_place()};
  const OriginalStore* store_ = nullptr;
  StoreContent original_;
  Tried tried_;
};

}  // namespace worker_runtime::testing
