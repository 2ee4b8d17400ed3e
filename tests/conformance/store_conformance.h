// The conformance suite of stores: what every store must do under a Runtime.
// tidy-allow-file(commented-code): the example below
//
// To run it over a store of your own, derive a class from StorePlace that knows where one store
// lives, and register a factory in a source file of your own in this directory:
//
//   class MyPlace final : public StorePlace {
//    public:
//     Result<std::unique_ptr<Store>> open() override { return open_my_store(directory_); }
//    private:
//     TemporaryDirectory directory_;
//   };
//   const bool registered = register_store({"mine", Restores::yes, [] {
//     return std::make_unique<MyPlace>();
//   }});
//
// Each test gets a place of its own. If the store restores what it held, every test runs three
// times: with one Runtime from start to end; closed and opened again wherever the test calls
// reopen(); and there dropped without close, as in a crash, and opened again.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "support/domain.h"
#include "worker_runtime/runtime.h"

namespace worker_runtime::testing {

/// Where one store lives. Removes what it made when it goes.
class StorePlace {
 public:
  StorePlace() = default;
  StorePlace(const StorePlace&) = delete;
  StorePlace& operator=(const StorePlace&) = delete;
  virtual ~StorePlace() = default;

  /// The store of runtime `conformance`: a fresh one at first, then what the last one left.
  virtual Result<std::unique_ptr<Store>> open() = 0;

  /// What is wrong with a store that was closed, for stores that can tell; else empty.
  virtual std::string faults() { return {}; }
};

enum class Restores : std::uint8_t { no, yes };

struct StoreFactory {
  std::string name;  ///< Letters and digits: part of the tests' names.
  Restores restores = Restores::no;
  std::function<std::unique_ptr<StorePlace>()> make;
};

/// Always true, so that it can initialise a constant at namespace scope.
bool register_store(StoreFactory factory);

enum class Reopening : std::uint8_t { none, after_close, after_drop };

struct ConformanceCase {
  StoreFactory factory;
  Reopening reopening = Reopening::none;
};
void PrintTo(const ConformanceCase& conformance_case, std::ostream* out);

class StoreConformance : public ::testing::TestWithParam<ConformanceCase> {
 protected:
  void SetUp() override;
  /// Checks that what all reads tell fits together, closes, and asks the store for its faults.
  void TearDown() override;

  [[nodiscard]] Runtime& runtime() { return *runtime_; }
  [[nodiscard]] ManualClock& clock() { return clock_; }

  /// Closes or drops the Runtime and opens it again, as the case says. `options` are given in every
  /// case: without reopening the test starts with them by open_with().
  void reopen();
  [[nodiscard]] bool reopens() const { return GetParam().reopening != Reopening::none; }

  /// For tests that need limits or a display name: a Runtime over a new place.
  void open_with(RuntimeOptions options);
  [[nodiscard]] RuntimeOptions with_limit(std::string name, std::uint64_t value) const;

  [[nodiscard]] WorkerRef ref(std::string_view id) const;
  /// Creates a Worker with the id, expecting success.
  WorkerRef create(std::string_view id);

  /// Everything, page by page.
  std::vector<Event> all_events();
  std::vector<TranscriptEntry> all_entries(const WorkerRef& worker_ref);
  std::vector<WorkerSummary> all_workers();
  Event last_event();

  std::optional<Runtime> runtime_;

 private:
  void check_invariants();

  ManualClock clock_;
  std::unique_ptr<StorePlace> place_;
};

}  // namespace worker_runtime::testing
