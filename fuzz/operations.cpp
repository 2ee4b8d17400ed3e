// Operations drawn from the bytes on fs-store over the simulated disk, beside the memory Runtime
// that does the same, with checkpoints, reopens, kills and flipped bits among them.
//   - as long as nothing was damaged the two look the same whenever the store was opened, and in
//   the end, and
//     what is left verifies clean;
//   - behind a flipped bit nothing crashes or hangs, and where verify finds nothing, the store
//   opens and still
//     looks the same.
#include <string>
#include <vector>

#include "model.h"
#include "simulated_store.h"
#include "support/domain.h"
#include "support/target.h"

namespace worker_runtime::fuzz::operations {
namespace {

using testing::SimulatedDisk;
using testing::SimulatedStore;

constexpr std::size_t steps_max = 60;

class Writer {
 public:
  explicit Writer(Bytes& in) : in_(in) {}

  Mutation mutation() {
    switch (in_.below(13)) {
      case 0:
      case 1:
        return create();
      case 2:
      case 3:
        return SendInput{ref(), in_.byte() % 2 == 0 ? InputRole::user : InputRole::system, text(),
                         key()};
      case 4:
        return output();
      case 5:
        return StopWorker{ref(), maybe_text()};
      case 6:
        return CancelWorker{ref(), maybe_text()};
      case 7:
        return DeleteWorker{ref()};
      case 8:
        return TrimEvents{EventId{in_.below(40)}};
      case 9:
        return TrimTranscript{ref(), Sequence{in_.below(12)}};
      case 10:
        return import();
      case 11:
        return Redact{ref(), Sequence{in_.below(12)}};
      default:
        return in_.byte() % 2 == 0 ? Mutation(StopRuntime{}) : Mutation(StartRuntime{});
    }
  }

 private:
  std::string id() {
    static const std::vector<std::string> ids = {
        "a", "b", "worker-00000001", "worker-00000002", "\u00fc / %41", std::string(80, '.')};
    return ids[in_.below(ids.size())];
  }
  WorkerRef ref() { return {testing::runtime_id("main"), testing::worker_id(id())}; }
  std::string text() {
    const std::size_t length = in_.byte();
    if (length % 8 == 0) return std::string(length * 24, 'l');
    return std::string(in_.take(length % 8));  // perhaps no UTF-8, perhaps blank: then refused
  }
  std::optional<std::string> maybe_text() {
    return in_.byte() % 2 == 0 ? std::nullopt : std::optional(text());
  }
  std::optional<std::string> key() {
    const std::size_t drawn = in_.below(6);
    return drawn < 3 ? std::nullopt : std::optional("key " + std::to_string(drawn));
  }
  CreateRequest create() {
    CreateRequest request;
    const std::size_t kind = in_.below(3);
    if (kind == 0) request.intent = AssistantIntent{maybe_text()};
    if (kind == 1) request.intent = TaskIntent{text()};
    if (kind == 2) request.intent = RoleIntent{text(), maybe_text()};
    if (in_.byte() % 2 == 0) request.worker_id = testing::worker_id(id());
    request.display_name = maybe_text();
    request.idempotency_key = key();
    if (in_.byte() % 4 == 0) request.requested_capabilities = {{"mail", maybe_text()}};
    return request;
  }
  ImportWorker import() {
    ImportWorker request{create()};
    request.request.origin = Origin{ref(), Sequence{in_.below(9)}};
    for (std::size_t count = in_.below(4); count > 0; --count) {
      const Timestamp at{in_.byte()};
      const Role role = in_.byte() % 2 == 0 ? Role::user : Role::tool;
      request.entries.push_back(testing::entry_of(output(), role, at));
    }
    return request;
  }
  AppendOutput output() {
    AppendOutput request;
    request.worker_ref = ref();
    request.role = in_.byte() % 2 == 0 ? OutputRole::assistant : OutputRole::tool;
    request.content = text();
    request.idempotency_key = key();
    if (in_.byte() % 4 == 0) request.usage = {{"tokens", in_.byte()}, {"calls", 1}};
    if (in_.byte() % 4 == 0) request.data = "{\"" + text() + "\": [1, {}]}";
    return request;
  }

  Bytes& in_;
};

/// What is on the disk when nobody has it open.
class Store {
 public:
  Store(Bytes& in, SimulatedStore options) : in_(in), options_(std::move(options)) {
    options_.create = true;
    runtime_ = open();
    options_.create = false;
  }

  /// False: there is nothing more to do.
  bool step() {
    switch (in_.below(12)) {
      case 0:
        require(runtime_->checkpoint().has_value() || is_damaged_, "a checkpoint goes through");
        return true;
      case 1:
        return close() && reopen();
      case 2:
        kill();
        return reopen();
      case 3:
        if (in_.byte() % 4 == 0) return flip();
        return true;
      case 4:
      case 5:
        return perform(testing::Operation::Kind::batch, 1 + in_.below(4));
      default:
        return perform(testing::Operation::Kind::submit, 1);
    }
  }

  void finish() {
    if (!runtime_) return;
    check_view();
    if (!close()) return;
    const auto report = testing::verify_simulated(disk_);
    require(is_damaged_ || (report && report->clean()), "what is left verifies clean",
            report && !report->findings.empty() ? report->findings.front().message : "");
    static_cast<void>(reopen());
  }

 private:
  std::optional<Runtime> open() {
    auto opened = testing::open_simulated(disk_, options_);
    require(opened || is_damaged_, "the store opens", opened ? "" : opened.error().detail());
    if (!opened) return std::nullopt;
    return std::move(*opened);
  }
  bool reopen() {
    runtime_ = open();
    if (runtime_) check_view();
    return runtime_.has_value();
  }
  void check_view() {
    const std::string view = testing::view_of(*runtime_);
    if (!is_damaged_)
      require(view == model_.views().back(), "fs-store looks like memory",
              view + "\n" + model_.views().back());
  }
  bool close() {
    const auto closed = runtime_->close();
    require(closed || is_damaged_, "the store closes", closed ? "" : closed.error().detail());
    runtime_.reset();
    return true;
  }
  void kill() {
    disk_.kill();
    runtime_.reset();
  }
  bool perform(testing::Operation::Kind kind, std::size_t count) {
    testing::Operation operation;
    operation.kind = kind;
    Writer writer(in_);
    for (; count > 0; --count) operation.mutations.push_back(writer.mutation());
    testing::perform(*runtime_, operation.mutations);
    // What a damaged store refuses, memory does not.
    if (!is_damaged_) model_.apply(operation);
    return true;
  }
  /// Closes the store, changes one bit of one of its files, and opens it.
  bool flip() {
    if (!close()) return false;
    std::vector<std::string> paths;
    const testing::DiskState state = disk_.state();
    find_files(state, "runtimes/main", paths);
    const std::string& path = paths[in_.below(paths.size())];
    const std::uint64_t size = state.find(path)->seen.size();
    if (size == 0) return reopen();
    const std::uint64_t at = in_.below(65536) * size / 65536;
    const auto file = disk_.root()->open(path, fs_store::OpenMode::write);
    std::string byte = *(*file)->read(at, 1);
    byte[0] = static_cast<char>(byte[0] ^ (1 << in_.below(8)));
    require((*file)->write(at, byte).has_value() && (*file)->sync().has_value(), "a bit flips");
    const auto report = testing::verify_simulated(disk_);
    const bool was_damaged = is_damaged_;
    is_damaged_ = was_damaged || !report || !report->clean();
    return reopen();
  }
  static void find_files(const testing::DiskState& state, const std::string& directory,
                         std::vector<std::string>& paths) {
    for (const auto& [name, id] : state.find(directory)->seen_entries) {
      std::string path = directory;
      path.append("/").append(name);
      if (state.nodes.at(id).is_directory) {
        find_files(state, path, paths);
      } else {
        paths.push_back(path);
      }
    }
  }

  Bytes& in_;
  SimulatedStore options_;
  SimulatedDisk disk_;
  testing::Model model_{testing::runtime_id("main")};
  bool is_damaged_ = false;
  std::optional<Runtime> runtime_;
};

void check(std::string_view input) {
  Bytes in(input);
  SimulatedStore options;
  const std::size_t sizes = in.below(4);
  if (sizes == 1) options.sizes = {8192, 65536, 2048};
  if (sizes == 2) options.log_part_bytes = 100;
  if (sizes == 3) options.log_part_bytes = 1U << 20U;
  Store store(in, options);
  for (std::size_t steps = 0; steps < steps_max && !in.empty(); ++steps) {
    if (!store.step()) return;
  }
  store.finish();
}

const Target target("operations", check);

}  // namespace
}  // namespace worker_runtime::fuzz::operations
