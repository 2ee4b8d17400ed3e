// create: a new worker.
#include <memory>

#include "arguments.h"
#include "command.h"
#include "mutation.h"
#include "output.h"

namespace worker_runtime::cli {
namespace {

struct CreateArguments {
  std::optional<std::string> id;
  std::optional<std::string> name;
  std::optional<std::string> task;
  bool assistant = false;
  std::optional<std::string> role;
  std::optional<std::string> purpose;
  std::optional<std::string> profile;
  std::optional<std::string> bundle;
  std::vector<std::string> capabilities;
  std::vector<std::string> workspaces;
  std::vector<std::string> mounts;
  std::optional<std::string> key;
};

std::vector<NamedReference> references_of(const std::vector<std::string>& texts) {
  std::vector<NamedReference> references;
  for (const std::string& text : texts) {
    if (auto split = split_assignment(text, text.find('=')))
      references.push_back({std::move(split->name), std::move(split->value)});
  }
  return references;
}

Profile profile_of(const std::optional<std::string>& text) {
  constexpr std::string_view builtin = "builtin:";
  if (!text || *text == "default") return {};
  if (text->starts_with(builtin)) return {ProfileKind::builtin, text->substr(builtin.size())};
  return {ProfileKind::named, *text};
}

Intent intent_of(const CreateArguments& arguments) {
  if (arguments.task) return TaskIntent{*arguments.task};
  if (arguments.role) return RoleIntent{*arguments.role, arguments.purpose};
  return AssistantIntent{arguments.purpose};
}

Result<Mutation> make_create(const CreateArguments& arguments) {
  CreateRequest request;
  request.intent = intent_of(arguments);
  request.profile = profile_of(arguments.profile);
  request.config_bundle = arguments.bundle;
  for (const std::string& text : arguments.capabilities) {
    const std::size_t equals = text.find('=');
    Capability capability{text.substr(0, equals), std::nullopt};
    if (equals != std::string::npos) capability.reason = text.substr(equals + 1);
    request.requested_capabilities.push_back(std::move(capability));
  }
  request.workspace_refs = references_of(arguments.workspaces);
  request.mount_refs = references_of(arguments.mounts);
  if (arguments.id) {
    auto worker_id = WorkerId::parse(*arguments.id);
    if (!worker_id) return std::move(worker_id).error();
    request.worker_id = std::move(*worker_id);
  }
  request.display_name = arguments.name;
  request.idempotency_key = arguments.key;
  return Mutation(std::move(request));
}

}  // namespace

void add_create(Command app, Options& options, Run& run) {
  const Command command = app.add_command("create", "create a worker");
  auto arguments = std::make_shared<CreateArguments>();
  command.add_option("--id", arguments->id, "its id [one is made]").value_name("ID");
  command.add_option("--name", arguments->name, "a name for people").value_name("TEXT");
  const Command intent = command.add_alternatives("intent", "what it is for");
  const CommandOption task =
      intent.add_option("--task", arguments->task, "a task: its objective").value_name("TEXT");
  intent.add_flag("--assistant", arguments->assistant, "an assistant");
  intent.add_option("--role", arguments->role, "a role").value_name("ROLE");
  command.add_option("--purpose", arguments->purpose, "of an assistant or a role")
      .value_name("TEXT")
      .excludes(task);
  command.add_option("--profile", arguments->profile, "default, builtin:NAME or NAME")
      .value_name("PROFILE");
  command.add_option("--bundle", arguments->bundle, "id of a config bundle").value_name("ID");
  command.add_repeated("--capability", arguments->capabilities, "a capability it asks for")
      .value_name("NAME[=REASON]");
  command.add_repeated("--workspace", arguments->workspaces, "a workspace")
      .value_name("NAME=REF")
      .check(check_assignment);
  command.add_repeated("--mount", arguments->mounts, "a mount")
      .value_name("NAME=REF")
      .check(check_assignment);
  add_key(command, arguments->key);
  add_writer_options(command, options);
  command.callback([&options, &run, arguments] {
    run = [&options, arguments] {
      return run_mutation(options, Create::yes, make_create(*arguments));
    };
  });
}

}  // namespace worker_runtime::cli
