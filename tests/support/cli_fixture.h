// The command-line tool against a store of the test's own.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "support/subprocess.h"
#include "support/temporary_directory.h"

namespace worker_runtime::cli {

using testing::Finished;
using testing::Subprocess;

using Arguments = std::vector<std::string>;

class CliTest : public ::testing::Test {
 protected:
  [[nodiscard]] std::filesystem::path root() const { return directory_.path() / "store"; }

  [[nodiscard]] Arguments line(const Arguments& arguments) const {
    Arguments all{WORKER_RUNTIME_CLI_PATH, "--root", root().string()};
    all.insert(all.end(), arguments.begin(), arguments.end());
    return all;
  }
  [[nodiscard]] Finished cli(const Arguments& arguments, std::string_view input = {}) const {
    return testing::run(line(arguments), input);
  }
  /// A command that must do what it says, or the test fails: its output.
  std::string done(const Arguments& arguments, std::string_view input = {}) const {
    const Finished finished = cli(arguments, input);
    EXPECT_EQ(finished.exit_code, 0) << finished.errors;
    EXPECT_EQ(finished.errors, "");
    return finished.output;
  }
  /// A store with the running worker `a`.
  void make_store() const {
    EXPECT_EQ(cli({"create", "--id", "a", "--name", "Ada", "--task", "sort the mail"}).exit_code,
              0);
  }
  /// And three inputs of it.
  void make_history() const {
    make_store();
    for (const char* const text : {"one", "two", "three"})
      EXPECT_EQ(cli({"send", "a", text}).exit_code, 0);
  }
  /// The lines that `pipe` answers.
  [[nodiscard]] std::vector<std::string> pipe(std::string_view requests) const {
    return lines(done({"pipe"}, requests));
  }
  [[nodiscard]] static std::vector<std::string> lines(std::string_view text) {
    std::vector<std::string> result;
    while (!text.empty()) {
      const std::size_t end = std::min(text.find('\n'), text.size());
      result.emplace_back(text.substr(0, end));
      text.remove_prefix(std::min(end + 1, text.size()));
    }
    return result;
  }
  [[nodiscard]] static bool contains(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
  }

  testing::TemporaryDirectory directory_;
};

inline ::testing::AssertionResult has(std::string_view text, std::string_view part) {
  if (text.find(part) != std::string_view::npos) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << "no " << part << " in:\n" << text;
}

}  // namespace worker_runtime::cli
