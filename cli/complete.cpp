// Completing a line in a shell: the program does it itself, since it knows its commands, and which
// Workers there are.
#include <algorithm>
#include <cstddef>
#include <string_view>
#include <utility>

#include "command_text.h"
#include "options.h"
#include "output.h"

namespace worker_runtime::cli {
namespace {

/// More than anybody reads.
constexpr std::size_t candidates_max = 200;

struct Candidate {
  std::string word;
  std::string description;
};

/// What stands before the word that is completed.
struct Before {
  const CommandText* command = nullptr;
  const OptionText* wants_value = nullptr;  ///< The last word is an option that takes one.
  std::size_t positionals = 0;
  bool options_ended = false;  ///< Behind "--".
  Options options;             ///< Which store.
};

const OptionText* find_option(const ProgramText& program, const CommandText* command,
                              std::string_view name) {
  const auto find = [&](const std::vector<OptionText>& options) -> const OptionText* {
    for (const OptionText& option : options) {
      if (option.positional) continue;
      for (const std::string& known : option.names)
        if (known == name) return &option;
    }
    return nullptr;
  };
  const OptionText* const own = command == nullptr ? nullptr : find(command->options);
  return own != nullptr ? own : find(program.options);
}

const CommandText* find_command(const ProgramText& program, std::string_view name) {
  for (const CommandText& command : program.commands)
    if (command.name == name) return &command;
  return nullptr;
}

void take_value(Before& before, const std::string& value) {
  const std::string& name = before.wants_value->names.back();
  if (name == "--root") before.options.root = value;
  if (name == "--runtime") before.options.runtime = value;
  before.wants_value = nullptr;
}

void take_word(const ProgramText& program, Before& before, const std::string& word) {
  if (before.wants_value != nullptr) {
    // bash takes "--root=x" for three words.
    if (word != "=") take_value(before, word);
    return;
  }
  if (!before.options_ended && word.starts_with('-') && word != "-") {
    before.options_ended = word == "--";
    const std::size_t equals = word.find('=');
    const OptionText* const option =
        find_option(program, before.command, std::string_view(word).substr(0, equals));
    if (option == nullptr || option->value.empty()) return;
    before.wants_value = option;
    if (equals != std::string::npos) take_value(before, word.substr(equals + 1));
    return;
  }
  if (before.command == nullptr) {
    before.command = find_command(program, word);
  } else {
    ++before.positionals;
  }
}

// ---- values

/// Those whose ids begin with a text, by id.
std::vector<Candidate> workers(const Options& options, const std::string& begin) {
  std::vector<Candidate> found;
  auto reader = open_for_reading(options);
  if (!reader) return found;
  const auto add = [&](const WorkerSummary& worker) {
    found.push_back({worker.worker_ref.worker_id.text(),
                     worker.display_name.value_or(std::string(to_string(worker.status)))});
  };
  ListQuery query;
  auto first = WorkerId::parse(begin);
  if (first) {
    // The list begins behind it.
    auto summary = reader->summary();
    if (!summary) return found;
    auto itself = reader->worker_detail({summary->runtime_id, *first});
    if (itself) add(itself->summary);
    query.after = *std::move(first);
  }
  while (found.size() < candidates_max) {
    auto page = reader->list_workers(query);
    if (!page) return found;
    for (const WorkerSummary& worker : page->workers) {
      if (!worker.worker_ref.worker_id.text().starts_with(begin)) return found;
      add(worker);
    }
    if (!page->next_after) return found;
    query.after = std::move(page->next_after);
  }
  return found;
}

std::vector<Candidate> runtimes(const Options& options) {
  std::vector<Candidate> found;
  auto known = fs_store::list_runtimes(root_of(options));
  if (!known) return found;
  for (const RuntimeId& runtime_id : *known) found.push_back({runtime_id.text(), "runtime"});
  return found;
}

std::vector<Candidate> limits() {
  std::vector<Candidate> found;
  for (const LimitName& limit : limit_names())
    found.push_back({std::string(limit.name) + "=", "limit"});
  return found;
}

std::vector<Candidate> words_for(const OptionText& option, const Before& before,
                                 const std::string& begin) {
  const std::string& name = option.names.back();
  std::vector<Candidate> found;
  for (const std::string& choice : option.choices) found.push_back({choice, ""});
  if (!found.empty()) return found;
  if (name == "WORKER" || option.value == "WORKER" || name == "--after")
    return workers(before.options, begin);
  if (name == "--runtime") return runtimes(before.options);
  if (option.value == "LIMIT=N") return limits();
  return found;
}

std::string_view kind_of(const OptionText& option) {
  const std::string& name = option.positional ? option.names.front() : option.value;
  if (name == "DIR") return "directories";
  return name.starts_with("FILE") ? "files" : "words";
}

// ---- options and commands

void add_options(const std::vector<OptionText>& options, std::vector<Candidate>& found) {
  for (const OptionText& option : options) {
    // The long name says what it is.
    if (!option.positional) found.push_back({option.names.back(), option.description});
  }
}

/// The positional option at a place; the last one may take more.
const OptionText* positional_at(const CommandText& command, std::size_t place) {
  const OptionText* last = nullptr;
  for (const OptionText& option : command.options) {
    if (!option.positional) continue;
    last = &option;
    if (place-- == 0) return last;
  }
  return last != nullptr && last->repeated ? last : nullptr;
}

void print(std::string_view kind, const std::vector<Candidate>& candidates,
           const std::string& begin) {
  Output output;
  output.line(kind);
  std::size_t printed = 0;
  for (const Candidate& candidate : candidates) {
    if (!candidate.word.starts_with(begin) || printed == candidates_max) continue;
    ++printed;
    output.line(candidate.word + "\t" + excerpt(candidate.description, 60));
  }
  // A shell that went away wants nothing more.
  static_cast<void>(output.finish(Exit::done));
}

}  // namespace

void complete(const ProgramText& program, const std::vector<std::string>& words) {
  std::string begin = words.empty() ? "" : words.back();
  Before before;
  for (std::size_t at = 0; at + 1 < words.size(); ++at) take_word(program, before, words[at]);
  if (before.wants_value == nullptr && !before.options_ended && begin.starts_with('-')) {
    std::vector<Candidate> found;
    if (before.command != nullptr) add_options(before.command->options, found);
    add_options(program.options, found);
    return print("words", found, begin);
  }
  if (before.wants_value == nullptr && before.command == nullptr) {
    std::vector<Candidate> found;
    for (const CommandText& command : program.commands)
      found.push_back({command.name, command.description});
    return print("words", found, begin);
  }
  const OptionText* const wanted = before.wants_value != nullptr
                                       ? before.wants_value
                                       : positional_at(*before.command, before.positionals);
  if (wanted == nullptr) return print("words", {}, begin);
  if (begin == "=") begin.clear();  // of "--root=", in bash
  print(kind_of(*wanted), words_for(*wanted, before, begin), begin);
}

}  // namespace worker_runtime::cli
