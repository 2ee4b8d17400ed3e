// completion: the scripts that let a shell complete. All they do is to ask the program.
#include <memory>

#include "command.h"
#include "command_text.h"
#include "output.h"

namespace worker_runtime::cli {
namespace {

constexpr const char* bash_script =
    R"script(# worker-runtime in bash: the program completes its own line.
_worker_runtime() {
    local kind candidate
    COMPREPLY=()
    {
        read -r kind
        while IFS=$'\t' read -r candidate _; do
            COMPREPLY+=("$(printf '%q' "$candidate")")
        done
    } < <("$1" __complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2> /dev/null)
    case $kind in
        files) mapfile -t COMPREPLY < <(compgen -f -- "$2") ;;
        directories) mapfile -t COMPREPLY < <(compgen -d -- "$2") ;;
        *) [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *= ]] && compopt -o nospace ;;
    esac
    [[ $kind == words ]] || compopt -o filenames
}
complete -F _worker_runtime worker-runtime
)script";

constexpr const char* zsh_script = R"script(#compdef worker-runtime
# worker-runtime in zsh: the program completes its own line.
_worker_runtime() {
    local kind candidate description
    local -a candidates descriptions
    {
        read -r kind
        while IFS=$'\t' read -r candidate description; do
            candidates+=("$candidate")
            descriptions+=("$candidate${description:+  -- $description}")
        done
    } < <("${(Q)words[1]}" __complete "${(@Q)words[2,CURRENT]}" 2> /dev/null)
    case $kind in
        files) _files ;;
        directories) _files -/ ;;
        *) compadd -l -d descriptions -a candidates ;;
    esac
}
# The file is read as the function of its own name, or with `source`.
if [[ ${funcstack[1]} == _worker-runtime ]]; then
    _worker_runtime
else
    compdef _worker_runtime worker-runtime
fi
)script";

constexpr const char* fish_script =
    R"script(# worker-runtime in fish: the program completes its own line.
function __worker_runtime_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l lines ($words[1] __complete $words[2..-1] "$current" 2> /dev/null)
    switch "$lines[1]"
        case files
            __fish_complete_path "$current"
        case directories
            __fish_complete_directories "$current" ''
        case '*'
            printf '%s\n' $lines[2..-1]
    end
end
complete -c worker-runtime -f -a '(__worker_runtime_complete)'
)script";

Exit print_script(const std::string& shell) {
  Output output;
  output.write(completion_script(shell));
  return output.finish(Exit::done);
}

}  // namespace

std::string completion_script(const std::string& shell) {
  if (shell == "bash") return bash_script;
  return shell == "zsh" ? zsh_script : fish_script;
}

void add_completion(Command app, Options& /*options*/, Run& run) {
  const Command command =
      app.add_command("completion", "print the script that lets a shell complete commands");
  auto shell = std::make_shared<std::string>();
  command.add_option("SHELL", *shell, "bash, zsh or fish")
      .value_name("")
      .required()
      .one_of({"bash", "zsh", "fish"});
  command.callback([&run, shell] { run = [shell] { return print_script(*shell); }; });
}

}  // namespace worker_runtime::cli
