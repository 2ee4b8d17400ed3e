// The commands as data: see command_text.h.
#include "command_text.h"

#include <CLI/CLI.hpp>

namespace worker_runtime::cli {
namespace {

/// Of "MODE:{sync,interval,none}".
std::vector<std::string> choices_of(const std::string& type) {
  std::vector<std::string> choices;
  const std::size_t open = type.find('{');
  if (open == std::string::npos || !type.ends_with('}')) return choices;
  std::string word;
  for (const char character : type.substr(open + 1)) {
    if (character != ',' && character != '}') {
      word += character;
    } else {
      choices.push_back(std::move(word));
      word.clear();
    }
  }
  return choices;
}

OptionText describe_option(const CLI::Option& option) {
  OptionText text;
  text.positional = option.get_positional();
  if (text.positional) text.names.push_back(option.get_name(true));
  for (const std::string& name : option.get_snames()) text.names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) text.names.push_back("--" + name);
  if (option.get_items_expected_max() > 0) {
    const std::string type = option.get_type_name();
    text.value = type.substr(0, type.find(':'));
    text.choices = choices_of(type);
  }
  text.description = option.get_description();
  text.required = option.get_required();
  text.repeated = option.get_items_expected_max() > 1;
  return text;
}

void add_options(const CLI::App& app, std::vector<OptionText>& options, bool alternative) {
  for (const CLI::Option* const option : app.get_options({})) {
    OptionText text = describe_option(*option);
    text.alternative = alternative;
    options.push_back(std::move(text));
  }
  // A group of options is a command without a name.
  for (const CLI::App* const group : app.get_subcommands({}))
    if (group->get_name().empty()) add_options(*group, options, true);
}

}  // namespace

ProgramText describe(const CLI::App& app) {
  ProgramText program;
  for (const CLI::Option* const option : app.get_options({}))
    program.options.push_back(describe_option(*option));
  for (const CLI::App* const command : app.get_subcommands({})) {
    CommandText text{command->get_name(), command->get_description(), {}};
    add_options(*command, text.options, false);
    program.commands.push_back(std::move(text));
  }
  return program;
}

}  // namespace worker_runtime::cli
