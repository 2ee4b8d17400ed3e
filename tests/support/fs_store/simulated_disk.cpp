// The state of a simulated disk, and the file system before it: see simulated_disk.h.
#include "support/fs_store/simulated_disk.h"

#include <algorithm>
#include <cerrno>
#include <utility>

namespace worker_runtime::testing {

using fs_store::DirectoryEntry;
using fs_store::EntryKind;
using fs_store::File;
using fs_store::FileIdentity;
using fs_store::FileLock;
using fs_store::FileSystem;
using fs_store::OpenMode;
using fs_store::Space;

namespace {

Error error_of(ErrorCode code, std::string_view verb, const std::string& path, int number) {
  FileFields fields;
  fields.path = path;
  fields.system_error = number;
  return {code, "cannot " + std::string(verb) + " " + path + ": error " + std::to_string(number),
          std::move(fields)};
}
Error io_error(std::string_view verb, const std::string& path, int number) {
  return error_of(ErrorCode::store_io, verb, path, number);
}
Error sync_error(const std::string& path) {
  return error_of(ErrorCode::store_failed, "sync", path, EIO);
}

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash);
}
std::string name_of(const std::string& path) { return path.substr(path.rfind('/') + 1); }

}  // namespace

// ---- state

void PendingEntry::apply_to(std::map<std::string, NodeId>& entries) const {
  if (!removed.empty()) entries.erase(removed);
  if (!added.empty()) entries[added] = node;
}

DiskState::DiskState() { nodes[root_node].is_directory = true; }

namespace {

std::optional<NodeId> find_node(const DiskState& state, NodeId from, std::string_view path) {
  NodeId at = from;
  while (!path.empty()) {
    const std::string_view step = path.substr(0, path.find('/'));
    path.remove_prefix(std::min(path.size(), step.size() + 1));
    const DiskNode& node = state.nodes.at(at);
    const auto found = node.seen_entries.find(std::string(step));
    if (found == node.seen_entries.end()) return std::nullopt;
    at = found->second;
  }
  return at;
}

void describe(const DiskState& state, const DiskNode& directory, const std::string& prefix,
              std::string& out) {
  for (const auto& [name, id] : directory.seen_entries) {
    const DiskNode& node = state.nodes.at(id);
    if (node.is_directory) {
      describe(state, node, prefix + name + "/", out);
    } else {
      out += prefix + name + ": " + std::to_string(node.seen.size()) + "\n";
    }
  }
}

}  // namespace

const DiskNode* DiskState::find(std::string_view path) const {
  const auto found = find_node(*this, root_node, path);
  return found ? &nodes.at(*found) : nullptr;
}

std::string describe(const DiskState& state) {
  std::string out;
  describe(state, state.nodes.at(root_node), "", out);
  return out;
}

void DiskState::sync_file(DiskNode& file) {
  // Page by page, as kernels do: pages that nobody wrote to are not written. That shows where an
  // earlier sync failed and left them looking written.
  for (const PendingWrite& write : file.pending) {
    constexpr std::uint64_t page = DiskContent::page_bytes;
    file.durable.copy_range(file.seen, write.begin / page * page,
                            std::min((write.end + page - 1) / page * page, file.seen.size()));
  }
  file.durable.resize(file.seen.size());
  file.pending.clear();
}

void DiskState::sync_directory(NodeId directory) {
  DiskNode& node = nodes.at(directory);
  node.durable_entries = node.seen_entries;
  std::erase_if(pending_entries,
                [&](const PendingEntry& change) { return change.directory == directory; });
}

void DiskState::sync_all() {
  for (auto& [id, node] : nodes) {
    if (node.is_directory) {
      node.durable_entries = node.seen_entries;
    } else {
      sync_file(node);
    }
  }
  pending_entries.clear();
}

// ---- the disk

DiskState SimulatedDisk::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

void SimulatedDisk::set_hook(std::function<void(const DiskState&)> hook) {
  const std::lock_guard lock(mutex_);
  hook_ = std::move(hook);
}

void SimulatedDisk::fail_sync(std::uint64_t nth, LostWrites lost) {
  const std::lock_guard lock(mutex_);
  syncs_until_failure_ = nth;
  lost_ = lost;
}

void SimulatedDisk::kill() {
  const std::lock_guard lock(mutex_);
  ++generation_;
  locks_.clear();
}

void SimulatedDisk::changed() {
  ++state_.changes;
  if (hook_) hook_(state_);
}

std::optional<LostWrites> SimulatedDisk::failing_sync() {
  if (syncs_until_failure_ == 0 || --syncs_until_failure_ > 0) return std::nullopt;
  return lost_;
}

void SimulatedDisk::lose(DiskNode& file, LostWrites lost) {
  if (lost == LostWrites::come_back) file.seen = file.durable;
  file.pending.clear();
}

// ---- the file system before it

class SimulatedFile final : public File {
 public:
  SimulatedFile(SimulatedDisk& disk, std::uint64_t generation, NodeId node, std::string path)
      : disk_(disk), generation_(generation), node_(node), path_(std::move(path)) {}

  Result<std::size_t> read_into(std::uint64_t offset, std::span<char> to) const override {
    const std::lock_guard lock(disk_.mutex_);
    if (generation_ != disk_.generation_) return io_error("read", path_, EIO);
    return node().seen.read(offset, to.size()).copy(to.data(), to.size());
  }
  Result<void> write(std::uint64_t offset, std::string_view bytes) override {
    const std::lock_guard lock(disk_.mutex_);
    if (generation_ != disk_.generation_) return io_error("write", path_, EIO);
    if (bytes.empty()) return {};
    // What lies between the old end and a write behind it is part of the change of size.
    node().seen.write(offset, bytes);
    note(offset, offset + bytes.size());
    return {};
  }
  Result<void> sync() override {
    const std::lock_guard lock(disk_.mutex_);
    if (generation_ != disk_.generation_) return io_error("sync", path_, EIO);
    if (const auto lost = disk_.failing_sync()) {
      SimulatedDisk::lose(node(), *lost);
      disk_.changed();
      return sync_error(path_);
    }
    disk_.state_.sync_file(node());
    disk_.changed();
    return {};
  }
  /// Any time after a write may be when it comes to the disk: that is so with or without this.
  void begin_writeback(std::uint64_t /*offset*/, std::uint64_t /*count*/) override {}
  void keep_in_place() override {}
  Result<void> truncate(std::uint64_t size) override {
    const std::lock_guard lock(disk_.mutex_);
    if (generation_ != disk_.generation_) return io_error("cut", path_, EIO);
    const std::uint64_t before = node().seen.size();
    if (before == size) return {};
    node().seen.resize(size);
    note(std::min(before, size), std::max(before, size));
    return {};
  }
  Result<std::uint64_t> size() const override {
    const std::lock_guard lock(disk_.mutex_);
    if (generation_ != disk_.generation_) return io_error("look at", path_, EIO);
    return node().seen.size();
  }
  FileIdentity identity() const override { return {0, node_}; }

 private:
  [[nodiscard]] DiskNode& node() const { return disk_.state_.nodes.at(node_); }
  void note(std::uint64_t begin, std::uint64_t end) {
    node().pending.push_back({disk_.state_.changes, begin, end, node().seen});
    disk_.changed();
  }

  SimulatedDisk& disk_;
  const std::uint64_t generation_;
  const NodeId node_;
  const std::string path_;
};

class SimulatedLock final : public FileLock {
 public:
  SimulatedLock(SimulatedDisk& disk, std::uint64_t generation, NodeId directory)
      : disk_(disk), generation_(generation), directory_(directory) {}
  SimulatedLock(const SimulatedLock&) = delete;
  SimulatedLock& operator=(const SimulatedLock&) = delete;
  ~SimulatedLock() override {
    const std::lock_guard lock(disk_.mutex_);
    if (generation_ == disk_.generation_) disk_.locks_.erase(directory_);
  }
  /// The text is for messages: the simulation keeps none.
  Result<void> set_text(std::string_view /*text*/) override { return {}; }
  Result<void> announce() override {
    const std::lock_guard lock(disk_.mutex_);
    if (generation_ == disk_.generation_) disk_.locks_[directory_].is_announced = true;
    return {};
  }

 private:
  SimulatedDisk& disk_;
  const std::uint64_t generation_;
  const NodeId directory_;
};

class SimulatedFileSystem final : public FileSystem {
 public:
  SimulatedFileSystem(SimulatedDisk& disk, std::uint64_t generation, NodeId directory,
                      std::string prefix)
      : disk_(disk), generation_(generation), directory_(directory), prefix_(std::move(prefix)) {}

  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override {
    return locked<std::unique_ptr<File>>("open", path, [&]() -> Result<std::unique_ptr<File>> {
      const auto directory = directory_node(parent_of(path));
      if (!directory) return failed("open", path, ENOENT);
      auto found = node(path);
      if (mode == OpenMode::create_new) {
        if (found) return failed("open", path, EEXIST);
        found = add_node(*directory, name_of(path), false);
      }
      if (!found) return failed("open", path, ENOENT);
      if (nodes().at(*found).is_directory) return failed("open", path, EISDIR);
      return std::unique_ptr<File>(
          std::make_unique<SimulatedFile>(disk_, generation_, *found, prefix_ + path));
    });
  }
  Result<void> make_directory(const std::string& path) override {
    return locked<void>("make", path, [&]() -> Result<void> {
      const auto directory = directory_node(parent_of(path));
      if (!directory) return failed("make", path, ENOENT);
      if (node(path)) return failed("make", path, EEXIST);
      add_node(*directory, name_of(path), true);
      return {};
    });
  }
  Result<void> rename(const std::string& from, const std::string& to) override {
    return locked<void>("rename", from, [&]() -> Result<void> {
      const auto directory = directory_node(parent_of(from));
      const auto moved = node(from);
      if (!directory || !moved) return failed("rename", from, ENOENT);
      if (parent_of(from) != parent_of(to)) return failed("rename", from, EXDEV);
      const auto replaced = node(to);
      if (replaced && nodes().at(*replaced).is_directory &&
          !(nodes().at(*moved).is_directory && nodes().at(*replaced).seen_entries.empty())) {
        return failed("rename", from, EISDIR);
      }
      change(*directory, {0, *directory, name_of(from), name_of(to), *moved});
      return {};
    });
  }
  Result<void> remove_file(const std::string& path) override {
    return locked<void>("remove", path, [&] { return remove(path, false); });
  }
  Result<void> remove_directory(const std::string& path) override {
    return locked<void>("remove", path, [&] { return remove(path, true); });
  }
  Result<std::vector<DirectoryEntry>> list(const std::string& path) override {
    using Entries = std::vector<DirectoryEntry>;
    return locked<Entries>("list", path, [&]() -> Result<Entries> {
      const auto directory = directory_node(path);
      if (!directory) return failed("list", path, ENOENT);
      Entries entries;
      for (const auto& [name, id] : nodes().at(*directory).seen_entries) {
        entries.push_back({name, kind_of(id)});
      }
      return entries;
    });
  }
  Result<std::optional<EntryKind>> kind(const std::string& path) override {
    using Kind = std::optional<EntryKind>;
    return locked<Kind>("look at", path, [&]() -> Result<Kind> {
      const auto found = node(path);
      return found ? Kind(kind_of(*found)) : Kind();
    });
  }
  Result<std::optional<FileIdentity>> identity(const std::string& path) override {
    using Identity = std::optional<FileIdentity>;
    return locked<Identity>("look at", path, [&]() -> Result<Identity> {
      const auto found = node(path);
      return found ? Identity(FileIdentity{0, *found}) : Identity();
    });
  }
  Result<void> sync_directory(const std::string& path) override {
    return locked<void>("sync", path, [&]() -> Result<void> {
      const auto directory = directory_node(path);
      if (!directory) return failed("sync", path, ENOENT);
      if (disk_.failing_sync()) return sync_error(prefix_ + path);
      disk_.state_.sync_directory(*directory);
      disk_.changed();
      return {};
    });
  }
  Result<void> sync_all() override {
    return locked<void>("sync", "", [&]() -> Result<void> {
      if (const auto lost = disk_.failing_sync()) {
        for (auto& [id, node] : nodes()) {
          if (!node.is_directory) SimulatedDisk::lose(node, *lost);
        }
        disk_.changed();
        return sync_error(prefix_);
      }
      disk_.state_.sync_all();
      disk_.changed();
      return {};
    });
  }
  Result<Space> space() override { return Space{std::uint64_t{1} << 40U}; }

  Result<std::unique_ptr<FileLock>> try_lock(const std::string& path) override {
    return locked<std::unique_ptr<FileLock>>(
        "lock", path, [&]() -> Result<std::unique_ptr<FileLock>> {
          if (disk_.locks_.count(directory_) > 0) return std::unique_ptr<FileLock>();
          if (!node(path)) add_node(directory_, path, false);
          disk_.locks_[directory_] = {};
          return std::unique_ptr<FileLock>(
              std::make_unique<SimulatedLock>(disk_, generation_, directory_));
        });
  }
  bool is_locked(const std::string& /*path*/) override {
    const std::lock_guard lock(disk_.mutex_);
    return disk_.locks_.count(directory_) > 0;
  }
  bool is_announced(const std::string& /*path*/) override {
    const std::lock_guard lock(disk_.mutex_);
    const auto found = disk_.locks_.find(directory_);
    return found != disk_.locks_.end() && found->second.is_announced;
  }
  std::unique_ptr<fs_store::ChangeWatch> watch(const std::string& /*directory*/,
                                               const std::string& /*overwritten*/) override {
    return nullptr;
  }
  Result<std::unique_ptr<FileSystem>> directory(const std::string& path) override {
    using Below = std::unique_ptr<FileSystem>;
    return locked<Below>("open", path, [&]() -> Result<Below> {
      const auto found = directory_node(path);
      if (!found) return failed("open", path, ENOENT);
      return Below(
          std::make_unique<SimulatedFileSystem>(disk_, generation_, *found, prefix_ + path + "/"));
    });
  }
  const std::string& prefix() const override { return prefix_; }
  const std::string& root() const override { return root_; }

 private:
  template <typename T, typename Call>
  Result<T> locked(std::string_view verb, const std::string& path, Call call) {
    const std::lock_guard lock(disk_.mutex_);
    if (generation_ != disk_.generation_) return failed(verb, path, EIO);
    return call();
  }
  [[nodiscard]] Error failed(std::string_view verb, const std::string& path, int number) const {
    return io_error(verb, prefix_ + path, number);
  }

  [[nodiscard]] std::map<NodeId, DiskNode>& nodes() const { return disk_.state_.nodes; }
  [[nodiscard]] std::optional<NodeId> node(const std::string& path) const {
    return find_node(disk_.state_, directory_, path);
  }
  [[nodiscard]] std::optional<NodeId> directory_node(const std::string& path) const {
    const auto found = node(path);
    return found && nodes().at(*found).is_directory ? found : std::nullopt;
  }
  [[nodiscard]] EntryKind kind_of(NodeId id) const {
    return nodes().at(id).is_directory ? EntryKind::directory : EntryKind::file;
  }

  NodeId add_node(NodeId directory, const std::string& name, bool is_directory) {
    const NodeId id = disk_.state_.next_node++;
    nodes()[id].is_directory = is_directory;
    change(directory, {0, directory, "", name, id});
    return id;
  }
  Result<void> remove(const std::string& path, bool is_directory) {
    const auto found = node(path);
    if (!found) return failed("remove", path, ENOENT);
    const DiskNode& removed = nodes().at(*found);
    if (removed.is_directory != is_directory)
      return failed("remove", path, is_directory ? ENOTDIR : EISDIR);
    if (!removed.seen_entries.empty()) return failed("remove", path, ENOTEMPTY);
    const NodeId directory = *directory_node(parent_of(path));
    change(directory, {0, directory, name_of(path), "", *found});
    return {};
  }
  void change(NodeId directory, PendingEntry entry) {
    entry.order = disk_.state_.changes;
    entry.apply_to(nodes().at(directory).seen_entries);
    disk_.state_.pending_entries.push_back(std::move(entry));
    disk_.changed();
  }

  SimulatedDisk& disk_;
  const std::uint64_t generation_;
  const NodeId directory_;
  const std::string prefix_;
  const std::string root_ = "simulated disk";
};

std::unique_ptr<FileSystem> SimulatedDisk::root() {
  const std::lock_guard lock(mutex_);
  return std::make_unique<SimulatedFileSystem>(*this, generation_, root_node, "");
}

}  // namespace worker_runtime::testing
