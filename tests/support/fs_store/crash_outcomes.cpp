// Listing of what a power cut may leave: see crash_outcomes.h.
//
// Everything pending is a dimension with alternatives: of a write, which of its bytes are there; of
// a file with pending writes, its size; of a change of an entry, whether it happened. An outcome is
// a choice of one alternative of each.
#include "support/fs_store/crash_outcomes.h"

#include <algorithm>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "support/random.h"

namespace worker_runtime::testing {
namespace {

struct Range {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};
using Ranges = std::vector<Range>;

constexpr std::size_t nothing = 0;  ///< The first alternative of each dimension ...
constexpr std::size_t all = 1;      ///< ... and the second.

struct WriteDimension {
  NodeId file = 0;
  std::size_t index = 0;  ///< In DiskNode::pending.
  std::uint64_t order = 0;
  std::vector<Ranges> alternatives;  ///< The bytes that are there, in whole sectors.
  std::vector<Ranges> tears;         ///< Within a sector; apart from the alternatives.
};
struct SizeDimension {
  NodeId file = 0;
  /// The synced size, the one seen, then others between.
  std::vector<std::uint64_t> alternatives;
};
struct EntryDimension {
  std::size_t index = 0;  ///< In DiskState::pending_entries.
  std::uint64_t order = 0;
};

struct Choice {
  std::vector<Ranges> writes;
  std::vector<std::uint64_t> sizes;
  std::vector<bool> entries;
};

class Outcomes {
 public:
  Outcomes(const DiskState& before, const OutcomeLimits& limits,
           const std::function<void(DiskState&&)>& visit)
      : before_(before), limits_(limits), visit_(visit), random_(limits.seed) {
    for (const auto& [id, node] : before_.nodes) {
      if (node.pending.empty()) continue;
      for (std::size_t index = 0; index < node.pending.size(); ++index) add_write(id, index);
      add_size(id, node);
    }
    for (std::size_t index = 0; index < before_.pending_entries.size(); ++index) {
      entries_.push_back({index, before_.pending_entries[index].order});
    }
  }

  void visit_all() {
    if (combinations() <= limits_.exhaustive) {
      visit_every_combination();
    } else {
      visit_strategies();
    }
    visit_tears();
  }

 private:
  // ---- dimensions

  void add_write(NodeId file, std::size_t index) {
    const PendingWrite& write = before_.nodes.at(file).pending[index];
    WriteDimension dimension{file, index, write.order, {{}, {{write.begin, write.end}}}, {}};
    const std::vector<Range> sectors = sectors_of(write);
    if (sectors.size() <= 3) {
      const std::uint64_t masks = std::uint64_t{1} << sectors.size();
      for (std::uint64_t mask = 1; mask + 1 < masks; ++mask)
        dimension.alternatives.push_back(of_mask(sectors, mask));
    } else {
      for (int sample = 0; sample < 3; ++sample) {
        dimension.alternatives.push_back({{write.begin, random_.pick(sectors).end}});
        dimension.alternatives.push_back(of_mask(sectors, random_.next()));
      }
    }
    add_tears(write, dimension);
    writes_.push_back(std::move(dimension));
  }

  static std::vector<Range> sectors_of(const PendingWrite& write) {
    std::vector<Range> sectors;
    for (std::uint64_t at = write.begin; at < write.end;) {
      const std::uint64_t end = std::min(write.end, (at / sector_bytes + 1) * sector_bytes);
      sectors.push_back({at, end});
      at = end;
    }
    return sectors;
  }

  static Ranges of_mask(const std::vector<Range>& sectors, std::uint64_t mask) {
    Ranges ranges;
    for (std::size_t bit = 0; bit < sectors.size(); ++bit) {
      if ((mask >> (bit % 64) & 1U) != 0) ranges.push_back(sectors[bit]);
    }
    return ranges;
  }

  void add_tears(const PendingWrite& write, WriteDimension& dimension) {
    const std::uint64_t length = write.end - write.begin;
    if (length < 2) return;
    std::vector<std::uint64_t> lengths;
    if (limits_.every_tear && length <= 2048) {
      for (std::uint64_t torn = 1; torn < length; ++torn) lengths.push_back(torn);
    } else {
      lengths = {1, length - 1, 1 + random_.below(length - 1)};
    }
    for (const std::uint64_t torn : lengths)
      dimension.tears.push_back({{write.begin, write.begin + torn}});
  }

  void add_size(NodeId file, const DiskNode& node) {
    SizeDimension dimension{file, {node.durable.size(), node.seen.size()}};
    for (const PendingWrite& write : node.pending) {
      const std::uint64_t size = write.after.size();
      auto& sizes = dimension.alternatives;
      if (std::find(sizes.begin(), sizes.end(), size) == sizes.end()) sizes.push_back(size);
    }
    if (dimension.alternatives[0] == dimension.alternatives[1])
      dimension.alternatives.erase(dimension.alternatives.begin());
    sizes_.push_back(std::move(dimension));
  }

  [[nodiscard]] std::uint64_t combinations() const {
    std::uint64_t product = 1;
    const auto times = [&](std::uint64_t count) {
      product = product > limits_.exhaustive ? product : product * count;
    };
    for (const WriteDimension& write : writes_) times(write.alternatives.size());
    for (const SizeDimension& size : sizes_) times(size.alternatives.size());
    for (std::size_t entry = 0; entry < entries_.size(); ++entry) times(2);
    return product;
  }

  // ---- choices

  /// Everything up to a change, nothing from it on.
  [[nodiscard]] Choice up_to(std::uint64_t order) const {
    Choice choice;
    for (const WriteDimension& write : writes_)
      choice.writes.push_back(write.alternatives[write.order < order ? all : nothing]);
    for (const SizeDimension& size : sizes_) choice.sizes.push_back(size_before(size.file, order));
    for (const EntryDimension& entry : entries_) choice.entries.push_back(entry.order < order);
    return choice;
  }
  [[nodiscard]] std::uint64_t size_before(NodeId file, std::uint64_t order) const {
    const DiskNode& node = before_.nodes.at(file);
    std::uint64_t size = node.durable.size();
    for (const PendingWrite& write : node.pending) {
      if (write.order < order) size = write.after.size();
    }
    return size;
  }
  [[nodiscard]] Choice none() const { return up_to(0); }
  [[nodiscard]] Choice everything() const { return up_to(UINT64_MAX); }

  void visit_every_combination() {
    Choice choice = everything();
    combine_writes(choice, 0);
  }
  void combine_writes(Choice& choice, std::size_t at) {
    if (at == writes_.size()) return combine_sizes(choice, 0);
    for (const Ranges& alternative : writes_[at].alternatives) {
      choice.writes[at] = alternative;
      combine_writes(choice, at + 1);
    }
  }
  void combine_sizes(Choice& choice, std::size_t at) {
    if (at == sizes_.size()) return combine_entries(choice, 0);
    for (const std::uint64_t size : sizes_[at].alternatives) {
      choice.sizes[at] = size;
      combine_sizes(choice, at + 1);
    }
  }
  void combine_entries(Choice& choice, std::size_t at) {
    if (at == entries_.size()) return visit(choice);
    for (const bool happened : {false, true}) {
      choice.entries[at] = happened;
      combine_entries(choice, at + 1);
    }
  }

  void visit_strategies() {
    visit(none());
    visit(everything());
    for (std::size_t at = 0; at < writes_.size(); ++at) {
      for (const Ranges& alternative : writes_[at].alternatives) {
        Choice alone = none();
        alone.writes[at] = alternative;
        for (std::size_t size = 0; size < sizes_.size(); ++size) {
          if (sizes_[size].file == writes_[at].file)
            alone.sizes[size] = before_.nodes.at(writes_[at].file).seen.size();
        }
        visit(alone);
        Choice rest = everything();
        rest.writes[at] = alternative;
        visit(rest);
        Choice last = up_to(writes_[at].order + 1);
        last.writes[at] = alternative;
        visit(last);
      }
    }
    for (std::size_t at = 0; at < sizes_.size(); ++at) {
      for (const std::uint64_t size : sizes_[at].alternatives) {
        Choice rest = everything();
        rest.sizes[at] = size;
        visit(rest);
      }
    }
    for (std::size_t at = 0; at < entries_.size(); ++at) {
      Choice alone = none();
      alone.entries[at] = true;
      visit(alone);
      Choice rest = everything();
      rest.entries[at] = false;
      visit(rest);
      visit(up_to(entries_[at].order + 1));
    }
    for (std::uint64_t sample = 0; sample < limits_.samples; ++sample) visit(at_random());
  }

  Choice at_random() {
    Choice choice = none();
    // Few changes missing, many, or half of them.
    const std::uint64_t chances = 1 + random_.below(7);
    const auto happened = [&] { return random_.below(8) < chances; };
    for (std::size_t at = 0; at < writes_.size(); ++at) {
      const auto& alternatives = writes_[at].alternatives;
      choice.writes[at] =
          random_.one_in(4) ? random_.pick(alternatives) : alternatives[happened() ? all : nothing];
    }
    for (std::size_t at = 0; at < sizes_.size(); ++at)
      choice.sizes[at] = random_.pick(sizes_[at].alternatives);
    for (std::size_t at = 0; at < entries_.size(); ++at) choice.entries[at] = happened();
    return choice;
  }

  void visit_tears() {
    for (std::size_t at = 0; at < writes_.size(); ++at) {
      for (const Ranges& torn : writes_[at].tears) {
        Choice choice = up_to(writes_[at].order + 1);
        choice.writes[at] = torn;
        visit(choice);
      }
    }
  }

  // ---- outcomes

  void visit(const Choice& choice) {
    DiskState after = before_;
    after.pending_entries.clear();
    for (auto& [id, node] : after.nodes) {
      node.seen_entries = node.durable_entries;
      node.seen = node.durable;
      node.pending.clear();
    }
    for (std::size_t at = 0; at < writes_.size(); ++at) {
      const WriteDimension& write = writes_[at];
      const PendingWrite& pending = before_.nodes.at(write.file).pending[write.index];
      for (const Range& range : choice.writes[at])
        after.nodes.at(write.file).seen.copy_range(pending.after, range.begin, range.end);
    }
    for (std::size_t at = 0; at < sizes_.size(); ++at)
      after.nodes.at(sizes_[at].file).seen.resize(choice.sizes[at]);
    for (std::size_t at = 0; at < entries_.size(); ++at) {
      if (!choice.entries[at]) continue;
      const PendingEntry& change = before_.pending_entries[entries_[at].index];
      change.apply_to(after.nodes.at(change.directory).seen_entries);
    }
    for (auto& [id, node] : after.nodes) {
      node.durable_entries = node.seen_entries;
      node.durable = node.seen;
    }
    visit_(std::move(after));
  }

  const DiskState& before_;
  const OutcomeLimits& limits_;
  const std::function<void(DiskState&&)>& visit_;
  Random random_;
  std::vector<WriteDimension> writes_;
  std::vector<SizeDimension> sizes_;
  std::vector<EntryDimension> entries_;
};

std::uint64_t mixed(std::uint64_t value) { return Random(value).next(); }

std::string without_random_part(const std::string& path) {
  constexpr std::size_t drawn = 17;  // a dot and 16 hex digits
  std::string name = path;
  if (name.ends_with(".tmp") && name.size() > drawn + 4)
    return name.substr(0, name.size() - drawn - 4);
  if (name.find("quarantine/") != std::string::npos && name.size() > drawn)
    return name.substr(0, name.size() - drawn);
  return name;
}

std::uint64_t hash_below(const DiskState& state, const DiskNode& directory,
                         const std::string& prefix) {
  std::uint64_t sum = 0;
  for (const auto& [name, id] : directory.seen_entries) {
    const DiskNode& node = state.nodes.at(id);
    const std::string path = prefix + name;
    const std::uint64_t content =
        node.is_directory ? hash_below(state, node, path + "/") : node.seen.hash();
    sum += mixed(std::hash<std::string>()(without_random_part(path)) ^ mixed(content));
  }
  return sum;
}

}  // namespace

void for_each_outcome(const DiskState& before, const OutcomeLimits& limits,
                      const std::function<void(DiskState&&)>& visit) {
  Outcomes(before, limits, visit).visit_all();
}

std::uint64_t hash_of_seen(const DiskState& state) {
  return hash_below(state, state.nodes.at(root_node), "");
}

}  // namespace worker_runtime::testing
