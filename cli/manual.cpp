// The manual pages of the commands, and the files of the completion: made when the program is
// built, from the same source as --help.
#include <array>
#include <string_view>
#include <utility>

#include "command_text.h"
#include "posix_output_file.h"
#include "worker_runtime/runtime.h"

namespace worker_runtime::cli {
namespace {

/// Text for troff: a dash is a dash, and nothing is taken for a request.
std::string escaped(std::string_view text) {
  std::string result;
  for (const char character : text) {
    if (character == '\\') {
      result += "\\e";
    } else if (character == '-') {
      result += "\\-";
    } else {
      if (result.empty() && (character == '.' || character == '\'')) result += "\\&";
      result += character;
    }
  }
  return result;
}

std::string bold(std::string_view text) { return "\\fB" + escaped(text) + "\\fR"; }
std::string italic(std::string_view text) { return "\\fI" + escaped(text) + "\\fR"; }

bool is_help(const OptionText& option) { return option.names.back() == "--help"; }

/// The option with its value, as in the synopsis.
std::string usage_of(const OptionText& option) {
  if (option.positional) return italic(option.names.front());
  std::string text = bold(option.names.back());
  if (!option.value.empty()) text += " " + italic(option.value);
  return text;
}

std::string synopsis_of(const CommandText& command) {
  std::string text = bold("worker-runtime") + " " + bold(command.name);
  std::string alternatives;
  for (const OptionText& option : command.options) {
    if (is_help(option)) continue;
    if (option.alternative) {
      alternatives += (alternatives.empty() ? "" : " | ") + usage_of(option);
      continue;
    }
    const std::string usage = usage_of(option);
    text += " " + (option.required ? usage : "[" + usage + "]");
    if (option.repeated) text += "...";
  }
  if (!alternatives.empty()) text += " (" + alternatives + ")";
  return text;
}

void add_options(const std::vector<OptionText>& options, std::string& page) {
  for (const OptionText& option : options) {
    if (is_help(option)) continue;
    page += ".TP\n";
    std::string names;
    for (const std::string& name : option.names)
      names += (names.empty() ? "" : ", ") + (option.positional ? italic(name) : bold(name));
    if (!option.positional && !option.value.empty()) names += " " + italic(option.value);
    page += names + "\n" + escaped(option.description);
    if (!option.choices.empty()) {
      page += ": ";
      for (const std::string& choice : option.choices)
        page += (&choice == &option.choices.front() ? "" : ", ") + escaped(choice);
    }
    page += "\n";
  }
}

std::string page_of(const ProgramText& program, const CommandText& command) {
  std::string upper = "WORKER-RUNTIME-";
  for (const char character : command.name)
    upper +=
        static_cast<char>(character >= 'a' && character <= 'z' ? character - 'a' + 'A' : character);
  std::string page = ".TH " + escaped(upper) + " 1 \"\" \"worker\\-runtime " + escaped(version()) +
                     "\" \"User Commands\"\n";
  page += ".SH NAME\nworker\\-runtime\\-" + escaped(command.name) + " \\- " +
          escaped(command.description) + "\n";
  page += ".SH SYNOPSIS\n" + synopsis_of(command) + "\n.SH OPTIONS\n";
  add_options(command.options, page);
  page += ".SH COMMON OPTIONS\nThey may stand before the command too.\n";
  add_options(program.options, page);
  page +=
      ".SH SEE ALSO\n.BR worker\\-runtime (1)\nhas what the commands have in common: the store, "
      "output, exit status.\n";
  return page;
}

Result<void> write_file(const std::string& path, const std::string& text) {
  auto file = OutputFile::create(path);
  if (!file) return std::move(file).error();
  auto written = file->write(text);
  if (!written) return written;
  auto size = file->commit();
  return size ? Result<void>() : std::move(size).error();
}

}  // namespace

Result<void> generate_files(const ProgramText& program, const std::string& share) {
  Result<void> done;
  for (const CommandText& command : program.commands) {
    const std::string path = share + "/man/man1/worker-runtime-" + command.name + ".1";
    if (done) done = write_file(path, page_of(program, command));
  }
  // Where each shell looks by itself.
  constexpr std::array<std::pair<const char*, const char*>, 3> scripts{
      {{"bash", "/bash-completion/completions/worker-runtime"},
       {"zsh", "/zsh/site-functions/_worker-runtime"},
       {"fish", "/fish/vendor_completions.d/worker-runtime.fish"}}};
  for (const auto& [shell, path] : scripts)
    if (done) done = write_file(share + path, completion_script(shell));
  return done;
}

}  // namespace worker_runtime::cli
