// Files and directories that may not be read: what they hold is neither there nor lost. A read
// error is store_io, never taken for damage, and a repair changes nothing.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "damaged_store.h"
#include "support/domain.h"
#include "worker_runtime/fs_store/fs_store.h"

namespace worker_runtime::testing {
namespace {

namespace fs = std::filesystem;

/// The rights of a file mean nothing to root: as root, this process is somebody else until it is
/// destroyed.
class AsSomebodyElse {
 public:
  AsSomebodyElse() : was_root_(::geteuid() == 0) {
    EXPECT_TRUE(!was_root_ || ::seteuid(somebody) == 0);
  }
  AsSomebodyElse(const AsSomebodyElse&) = delete;
  AsSomebodyElse& operator=(const AsSomebodyElse&) = delete;
  ~AsSomebodyElse() { EXPECT_TRUE(!was_root_ || ::seteuid(0) == 0); }
  /// Before: what is below `path` becomes theirs.
  static void give(const fs::path& path) {
    if (::geteuid() != 0) return;
    ASSERT_EQ(::lchown(path.c_str(), somebody, static_cast<gid_t>(-1)), 0);
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(path))
      ASSERT_EQ(::lchown(entry.path().c_str(), somebody, static_cast<gid_t>(-1)), 0);
  }

 private:
  static constexpr uid_t somebody = 65534;
  const bool was_root_;
};

class UnreadableTest : public DamagedStoreTest {
 protected:
  /// Reads and inputs of the copy. A Worker of which everything may be read is whole and goes on.
  void expect_calls_to_tell(const std::string& path) {
    fs_store::StoreOptions options;
    options.root = copy();
    options.runtime_id = runtime_id("main");
    auto runtime = fs_store::open_runtime(options);
    if (!runtime) {
      EXPECT_TRUE(fails_with(runtime, ErrorCode::store_io));
      return;
    }
    for (const auto& [worker_id, entries] : original().transcripts) {
      SCOPED_TRACE(worker_id.text());
      const WorkerRef worker_ref{runtime_id("main"), worker_id};
      const bool is_theirs = path.ends_with("/workers") ||
                             path.find("/workers/" + worker_id.text()) != std::string::npos;
      const auto page = runtime->read_transcript(worker_ref);
      EXPECT_TRUE(page ? page->items == entries
                       : is_theirs && page.error().code() == ErrorCode::store_io)
          << (page ? "another content" : page.error().detail());
      if (worker_id.text() == "c") continue;  // it is stopped
      const auto sent = runtime->send_input(input(worker_ref, "more"));
      EXPECT_TRUE(sent || (is_theirs && is_read_error(sent.error()))) << sent.error().detail();
    }
  }
  static bool is_read_error(const Error& error) {
    return error.code() == ErrorCode::store_io || error.code() == ErrorCode::worker_damaged;
  }
  /// Every file but the lock, and every directory of the runtime.
  [[nodiscard]] std::vector<std::string> paths() const {
    std::vector<std::string> found;
    for (const auto& entry : fs::recursive_directory_iterator(root())) {
      if (entry.path().filename() != "lock") found.push_back(fs::relative(entry.path(), root()));
    }
    std::sort(found.begin(), found.end());
    return found;
  }
};

TEST_F(UnreadableTest, IsAReadErrorAndNoDamage) {
  for (const std::string& path : paths()) {
    SCOPED_TRACE(path);
    fs::remove_all(copy());
    make_store(store().files, copy());
    AsSomebodyElse::give(directory());
    const AsSomebodyElse somebody;
    const auto rights = fs::status(copy() / path).permissions();
    fs::permissions(copy() / path, fs::perms::none);

    const auto verified = fs_store::verify({copy(), runtime_id("main")});
    if (!verified) {
      EXPECT_TRUE(fails_with(verified, ErrorCode::store_io));
    } else {
      for (const fs_store::Finding& finding : verified->findings)
        EXPECT_EQ(finding.severity, Severity::info) << finding.path << ": " << finding.message;
    }
    expect_calls_to_tell(path);
    fs_store::RepairOptions options;
    options.root = copy();
    options.runtime_id = runtime_id("main");
    options.mode = fs_store::RepairMode::apply;
    const auto repaired = fs_store::repair(options);
    if (repaired) {
      EXPECT_TRUE(repaired->items.empty()) << repaired->items.front().message;
    } else {
      EXPECT_TRUE(fails_with(repaired, ErrorCode::store_io));
    }

    fs::permissions(copy() / path, rights);
    const auto after = fs_store::verify({copy(), runtime_id("main")});
    ASSERT_TRUE(is_ok(after));
    EXPECT_TRUE(after->clean()) << after->findings.front().path << after->findings.front().message;
    ASSERT_FALSE(HasFailure());
  }
}

}  // namespace
}  // namespace worker_runtime::testing
