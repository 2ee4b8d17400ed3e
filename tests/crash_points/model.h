// What a store is compared with: the operations of a scenario, and the memory Runtime that does the
// same.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "support/fs_store/simulated_disk.h"
#include "worker_runtime/runtime.h"

namespace worker_runtime::testing {

struct Operation {
  enum class Kind : std::uint8_t {
    submit,      ///< The mutations are submitted together; each is a unit of its own.
    batch,       ///< The mutations are one unit.
    checkpoint,  ///< No unit, as what follows.
    reopen,      ///< Closes the Runtime and opens it again.
    kill,        ///< The process dies, and another one opens the store.
    fail_sync,   ///< The nth sync of the disk from here on fails. What is submitted next, in one
                 ///< unit, may be lost or not; the operation behind that is reopen or kill.
  };
  Kind kind = Kind::submit;
  std::string name;
  std::vector<Mutation> mutations;
  std::uint64_t nth = 1;
  LostWrites lost = LostWrites::stay_visible;

  [[nodiscard]] std::size_t units() const;
};

/// Everything that can be read of a Runtime, but what may differ after a crash: epoch, diagnostics,
/// the store's own state.
std::string view_of(const Runtime& runtime);

/// A memory Runtime, and what it looked like after each unit.
class Model {
 public:
  explicit Model(RuntimeId runtime_id);
  void apply(const Operation& operation);
  /// views()[n]: after n units.
  [[nodiscard]] const std::vector<std::string>& views() const { return views_; }
  [[nodiscard]] const std::vector<Mutation>& unit(std::size_t index) const { return units_[index]; }
  /// The first `count` units once more, on a Runtime of their own.
  [[nodiscard]] Runtime replayed(std::size_t count) const;

 private:
  RuntimeId runtime_id_;
  Runtime runtime_;
  std::vector<std::string> views_;
  std::vector<std::vector<Mutation>> units_;
};

/// Blocks until it is answered; refusals are answers too.
void perform(Runtime& runtime, const std::vector<Mutation>& unit);

/// The operations that scenarios are made of, on the Workers of base_operations().
const std::vector<Operation>& alphabet();
const std::vector<Operation>& base_operations();

}  // namespace worker_runtime::testing
