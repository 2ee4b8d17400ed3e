// What the commands are called and take, as data: read off the parser, so that --help, the manual
// and the completion of shells say the same.
#pragma once

#include <string>
#include <vector>

#include "worker_runtime/result.h"

namespace CLI {  // NOLINT(readability-identifier-naming): the library calls it so
class App;
}

namespace worker_runtime::cli {

struct OptionText {
  std::vector<std::string> names;    ///< "--id", "-o"; of a positional one its name, "WORKER".
  std::string value;                 ///< How its value is called, "ID"; empty: it takes none.
  std::vector<std::string> choices;  ///< All values there are; empty: any.
  std::string description;
  bool positional = false;
  bool required = false;
  bool repeated = false;
  bool alternative = false;  ///< One of those that stand beside it, and no other.
};

struct CommandText {
  std::string name;
  std::string description;
  std::vector<OptionText> options;  ///< As they were declared.
};

struct ProgramText {
  std::vector<OptionText> options;  ///< Of every command.
  std::vector<CommandText> commands;
};

ProgramText describe(const CLI::App& app);

/// Completes a line: `words` behind the program's name, the last one as far as it is typed. Prints
/// what kind of thing is wanted (words, files, directories), then a candidate a line, a tab and
/// what it is. For the scripts of `completion`, not for people.
void complete(const ProgramText& program, const std::vector<std::string>& words);

/// Writes below `share`, as that directory of an installation, the manual page of each command and
/// the completion scripts. The directories have to be there.
Result<void> generate_files(const ProgramText& program, const std::string& share);

/// The script that lets a shell complete: "bash", "zsh" or "fish".
std::string completion_script(const std::string& shell);

}  // namespace worker_runtime::cli
