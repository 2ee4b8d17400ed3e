// Whatever happened to the files of a store, closed or as a kill left it: verify names it, and the
// store opens or says why not, without anything that is silently missing. Of many damages of a kind
// a part, but for the verdicts over a closed store; WORKER_RUNTIME_CRASH_ROUNDS: all.
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "damaged_store.h"
#include "support/domain.h"
#include "worker_runtime/fs_store/fs_store.h"

namespace worker_runtime::testing {
namespace {

class DamageTest : public DamagedStoreTest, public ::testing::WithParamInterface<DamageKind> {};

TEST_P(DamageTest, IsNamedAndNothingIsSilentlyMissing) {
  for (const OriginalStore& original : original_stores()) {
    use(original);
    const std::vector<Damage> damages = GetParam().damages(original);
    ASSERT_FALSE(damages.empty());
    for (const Damage* const damage : some_of(damages, is_closed() ? damages.size() : 500)) {
      expect_the_verdict(*damage);
      if (HasFailure()) return;
    }
    for (const Damage* const damage : some_of(damages, 20)) {
      expect_nothing_is_silently_missing(*damage);
      if (HasFailure()) return;
    }
  }
  print_tried(GetParam().name);
}

INSTANTIATE_TEST_SUITE_P(Kinds, DamageTest, ::testing::ValuesIn(damage_kinds()),
                         [](const auto& kind) { return kind.param.name; });

using OddPlacesTest = DamagedStoreTest;

/// What leads to a store's files, or locks them, is nothing that a repair may move.
TEST_F(OddPlacesTest, AreTypedErrorsOfEveryCall) {
  for (const char* const path : {"runtimes/main/lock", "runtimes/main", "runtimes"}) {
    for (const Stands stands : {Stands::directory, Stands::link, Stands::fifo, Stands::socket}) {
      SCOPED_TRACE(std::string(path) + " is " + std::to_string(static_cast<int>(stands)));
      if (stands == Stands::directory && !std::string_view(path).ends_with("lock")) continue;
      std::filesystem::remove_all(copy());
      make_store(store().files, copy());
      inflict({path, {{path, stands, "elsewhere"}}}, copy());
      fs_store::StoreOptions options;
      options.root = copy();
      options.runtime_id = runtime_id("main");
      EXPECT_TRUE(fails_with(fs_store::open_runtime(options), ErrorCode::store_io));
      fs_store::RepairOptions repair;
      repair.root = copy();
      repair.runtime_id = runtime_id("main");
      repair.mode = fs_store::RepairMode::apply;
      EXPECT_TRUE(fails_with(fs_store::repair(repair), ErrorCode::store_io));
      const auto verified = fs_store::verify({copy(), runtime_id("main")});
      if (!verified) {
        EXPECT_TRUE(fails_with(verified, ErrorCode::store_io));
      } else {
        EXPECT_FALSE(verified->clean());
        EXPECT_EQ(verified->findings.front().path, path);
      }
    }
  }
}

}  // namespace
}  // namespace worker_runtime::testing
