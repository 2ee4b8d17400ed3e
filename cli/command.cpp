// Commands and options: see command.h.
#include "command.h"

#include <utility>

#include <CLI/CLI.hpp>

#include "arguments.h"

namespace worker_runtime::cli {

CommandOption CommandOption::value_name(const char* name) const {
  option_->type_name(name);
  return *this;
}

CommandOption CommandOption::required() const {
  option_->required();
  return *this;
}

CommandOption CommandOption::check(std::function<std::string(const std::string&)> problem) const {
  option_->check(std::move(problem));
  return *this;
}

CommandOption CommandOption::one_of(std::vector<std::string> values) const {
  option_->check(CLI::IsMember(std::move(values)));
  return *this;
}

CommandOption CommandOption::excludes(CommandOption other) const {
  option_->excludes(other.option_);
  return *this;
}

Command Command::add_command(const char* name, const char* description) const {
  return Command(app_->add_subcommand(name, description));
}

Command Command::add_alternatives(const char* name, const char* description) const {
  CLI::App* const group = app_->add_option_group(name, description);
  group->require_option(1);
  return Command(group);
}

CommandOption Command::add_flag(const char* name, bool& value, const char* description) const {
  return CommandOption(app_->add_flag(name, value, description));
}

CommandOption Command::add_option(const char* name, std::string& value,
                                  const char* description) const {
  return CommandOption(app_->add_option(name, value, description));
}

CommandOption Command::add_option(const char* name, std::optional<std::string>& value,
                                  const char* description) const {
  return CommandOption(app_->add_option(name, value, description));
}

CommandOption Command::add_option(const char* name, double& value, const char* description) const {
  return CommandOption(app_->add_option(name, value, description));
}

CommandOption Command::add_option(const char* name, std::optional<double>& value,
                                  const char* description) const {
  return CommandOption(app_->add_option(name, value, description));
}

CommandOption Command::add_number(const char* name, std::optional<std::uint64_t>& value,
                                  const char* description) const {
  const auto take = [&value](const std::string& text) { value = parse_number(text); };
  return CommandOption(
      app_->add_option_function<std::string>(name, take, description)->check(check_number));
}

CommandOption Command::add_repeated(const char* name, std::vector<std::string>& values,
                                    const char* description) const {
  return CommandOption(
      app_->add_option(name, values, description)->take_all()->allow_extra_args(false));
}

CommandOption Command::add_rest(const char* name, std::vector<std::string>& values,
                                const char* description) const {
  return CommandOption(app_->add_option(name, values, description));
}

void Command::callback(std::function<void()> action) const { app_->callback(std::move(action)); }

}  // namespace worker_runtime::cli
