// init: makes a runtime, or says that it is there.
#include <memory>

#include "command.h"
#include "options.h"
#include "output.h"

namespace worker_runtime::cli {
namespace {

Exit init(const Options& options, const std::optional<std::string>& display_name) {
  auto runtime = open_for_writing(options, Create::yes, display_name);
  if (!runtime) return report(options, runtime.error());
  auto summary = runtime->summary();
  if (!summary) return report(options, summary.error());
  auto closed = runtime->close();
  if (!closed) return report(options, closed.error());
  std::error_code ignored;
  const std::string path =
      (std::filesystem::absolute(root_of(options), ignored).lexically_normal() /
       fs_store::runtime_path(summary->runtime_id))
          .string();
  Output output;
  if (options.json) {
    std::string text = "{\"runtime_id\":";
    fs_store::append_json_string(text, summary->runtime_id.text());
    text += ",\"path\":";
    fs_store::append_json_string(text, path);
    output.line(text + "}");
  } else {
    output.line("runtime " + printable(summary->runtime_id.text()) + " is in " + printable(path));
  }
  return output.finish(Exit::done);
}

}  // namespace

void add_init(Command app, Options& options, Run& run) {
  const Command command = app.add_command("init", "make a runtime");
  auto display_name = std::make_shared<std::optional<std::string>>();
  command.add_option("--display-name", *display_name, "a name for people").value_name("TEXT");
  add_writer_options(command, options);
  command.callback([&options, &run, display_name] {
    run = [&options, display_name] { return init(options, *display_name); };
  });
}

}  // namespace worker_runtime::cli
