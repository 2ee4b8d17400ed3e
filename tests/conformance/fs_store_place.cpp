// fs-store in the conformance suite: a fresh directory for each test, verified after each close.
#include <utility>

#include "store_conformance.h"
#include "support/temporary_directory.h"
#include "worker_runtime/fs_store/fs_store.h"
#include "worker_runtime/fs_store/verify.h"

namespace worker_runtime::testing {
namespace {

class FsStorePlace final : public StorePlace {
 public:
  Result<std::unique_ptr<Store>> open() override {
    fs_store::StoreOptions options;
    options.root = directory_.path() / "root";
    options.runtime_id = runtime_id("conformance");
    options.create = true;
    return fs_store::open_store(std::move(options));
  }

  std::string faults() override {
    const auto report = fs_store::verify({directory_.path() / "root"});
    if (!report) return report.error().detail();
    std::string faults;
    for (const fs_store::Finding& finding : report->findings) {
      faults += finding.path + ": " + finding.code + ": " + finding.message + "\n";
    }
    return faults;
  }

 private:
  TemporaryDirectory directory_;
};

const bool registered =
    register_store({"fs_store", Restores::yes, [] { return std::make_unique<FsStorePlace>(); }});

}  // namespace
}  // namespace worker_runtime::testing
