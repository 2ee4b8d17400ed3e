// Whatever happened to the files of a store, closed or as a kill left it: verify names it, and the
// store opens or says why not, without anything that is silently missing. Of many damages of a kind
// a part, but for the verdicts over a closed store; WORKER_RUNTIME_CRASH_ROUNDS: all.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "damaged_store.h"

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

}  // namespace
}  // namespace worker_runtime::testing
