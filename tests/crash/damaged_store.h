// A small closed store that a test damages, and the question what verify says of it.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "support/temporary_directory.h"
#include "worker_runtime/fs_store/verify.h"

namespace worker_runtime::testing {

/// Two Workers with a few entries each, and a third that is stopped; closed.
class DamagedStoreTest : public ::testing::Test {
 protected:
  DamagedStoreTest();

  [[nodiscard]] std::filesystem::path root() const { return directory_.path() / "store"; }
  /// Every file that holds checked lines, relative to the root.
  [[nodiscard]] std::vector<std::string> files() const;
  /// The one of files() that contains this text.
  [[nodiscard]] std::string file(std::string_view part) const;

  [[nodiscard]] std::string content(const std::string& path) const;
  void set_content(const std::string& path, std::string_view bytes) const;
  static std::vector<std::string> lines(std::string_view content);

  [[nodiscard]] fs_store::VerifyReport verify() const;
  /// Whether the report has more than notes about this file (and this line, if one is given).
  static ::testing::AssertionResult names(const fs_store::VerifyReport& report,
                                          const std::string& path,
                                          std::optional<std::uint64_t> line = {});
  /// Opens a copy for writing and for reading, and reads all: whatever the store answers, it must
  /// be an answer.
  void open_a_copy() const;

  TemporaryDirectory directory_{TemporaryDirectory::quick_place()};
};

}  // namespace worker_runtime::testing
