// Declares commands and their options. A few words for what CLI11 does: its header takes longer to
// compile than any file that would include it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace CLI {  // NOLINT(readability-identifier-naming): the library calls it so
class App;
class Option;
}  // namespace CLI

namespace worker_runtime::cli {

/// One option, or one argument without a dash. A handle: it lives as long as the parser.
class CommandOption {
 public:
  explicit CommandOption(CLI::Option* option) : option_(option) {}

  /// How --help calls its value.
  CommandOption value_name(const char* name) const;
  CommandOption required() const;
  /// `problem` says what is wrong with a text, or nothing. What it refuses is a usage error.
  CommandOption check(std::function<std::string(const std::string&)> problem) const;
  CommandOption one_of(std::vector<std::string> values) const;
  CommandOption excludes(CommandOption other) const;

 private:
  CLI::Option* option_;
};

/// One command. A handle as well. What the options are written to must live until the callback ran.
class Command {
 public:
  explicit Command(CLI::App* app) : app_(app) {}

  Command add_command(const char* name, const char* description) const;
  /// Options of which exactly one must be given.
  Command add_alternatives(const char* name, const char* description) const;

  CommandOption add_flag(const char* name, bool& value, const char* description) const;
  CommandOption add_option(const char* name, std::string& value, const char* description) const;
  CommandOption add_option(const char* name, std::optional<std::string>& value,
                           const char* description) const;
  CommandOption add_option(const char* name, double& value, const char* description) const;
  CommandOption add_option(const char* name, std::optional<double>& value,
                           const char* description) const;
  /// A number in plain decimal digits.
  CommandOption add_number(const char* name, std::optional<std::uint64_t>& value,
                           const char* description) const;
  /// One that may be given again and again, one value each time.
  CommandOption add_repeated(const char* name, std::vector<std::string>& values,
                             const char* description) const;
  /// Any number of arguments without a dash.
  CommandOption add_rest(const char* name, std::vector<std::string>& values,
                         const char* description) const;

  /// Called once the whole line is read, if this is the command it names.
  void callback(std::function<void()> action) const;

 private:
  CLI::App* app_;
};

}  // namespace worker_runtime::cli
