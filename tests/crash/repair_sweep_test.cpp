// Repair of everything that the damage sweep does to a store: afterwards it verifies clean, it
// opens, every line is the one that was there or one that says it is lost, and as many are lost as
// the repair said.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "damaged_store.h"

namespace worker_runtime::testing {
namespace {

class RepairSweep : public DamagedStoreTest, public ::testing::WithParamInterface<DamageKind> {};

TEST_P(RepairSweep, LeavesAStoreThatIsWholeAndSaysWhatIsLost) {
  for (const OriginalStore& original : original_stores()) {
    use(original);
    const std::vector<Damage> damages = GetParam().damages(original);
    for (const Damage* const damage : some_of(damages, 20)) {
      expect_repair_makes_it_good(*damage);
      if (HasFailure()) return;
    }
  }
  print_tried(GetParam().name);
}

INSTANTIATE_TEST_SUITE_P(Kinds, RepairSweep, ::testing::ValuesIn(damage_kinds()),
                         [](const auto& kind) { return kind.param.name; });

}  // namespace
}  // namespace worker_runtime::testing
