// The catalog as of a commit: see commit.h and state.h.
#include "state.h"

#include <array>
#include <charconv>
#include <utility>

namespace worker_runtime {

void StateImplementation::put(WorkerPointer worker) {
  const WorkerRecord& record = worker->record;
  if (record.create_key && worker->create_digest) {
    create_keys[*record.create_key] = {record.worker_id, *worker->create_digest, false};
  }
  const auto [place, is_new] = workers.try_emplace(record.worker_id);
  place->second = std::move(worker);
  // As a rule the newest comes last: ids that are generated ascend, and a catalog lists them so.
  if (is_new) order.insert(order.end(), &place->first);
}

void StateImplementation::remove(const WorkerId& worker_id) {
  const auto found = workers.find(worker_id);
  if (found == workers.end()) return;
  order.erase(&found->first);
  workers.erase(found);
}

void StateImplementation::put(Tombstone tombstone) {
  remove(tombstone.worker_id);
  if (tombstone.create_key) {
    create_keys[tombstone.create_key->key] = {tombstone.worker_id, tombstone.create_key->digest,
                                              true};
  }
  WorkerId worker_id = tombstone.worker_id;
  tombstones.insert_or_assign(std::move(worker_id), std::move(tombstone));
}

State::State(RuntimeRecord record)
    : implementation_(std::make_unique<StateImplementation>(std::move(record))) {}
State::State(State&&) noexcept = default;
State& State::operator=(State&&) noexcept = default;
State::~State() = default;

const RuntimeRecord& State::runtime() const { return implementation_->runtime; }

WorkerPointer State::find(const WorkerId& worker_id) const {
  const auto found = implementation_->workers.find(worker_id);
  return found == implementation_->workers.end() ? nullptr : found->second;
}

std::vector<WorkerPointer> State::list(const std::optional<WorkerId>& after,
                                       std::size_t count) const {
  std::vector<WorkerPointer> found;
  const auto& order = implementation_->order;
  for (auto place = after ? order.upper_bound(&*after) : order.begin();
       place != order.end() && found.size() < count; ++place) {
    found.push_back(implementation_->workers.find(**place)->second);
  }
  return found;
}

std::vector<Tombstone> State::tombstones() const {
  std::vector<Tombstone> all;
  for (const auto& [worker_id, tombstone] : implementation_->tombstones) all.push_back(tombstone);
  return all;
}

void State::reserve(std::size_t workers) { implementation_->workers.reserve(workers); }
void State::put(WorkerPointer worker) { implementation_->put(std::move(worker)); }
void State::put(Tombstone tombstone) { implementation_->put(std::move(tombstone)); }
void State::put(RuntimeRecord record) { implementation_->runtime = std::move(record); }

Result<Applied> State::apply(const Commit& commit) {
  if (commit.lsn != runtime().lsn.next()) {
    return Error(ErrorCode::store_corrupt, "commit " + std::to_string(commit.lsn.value) +
                                               " does not follow commit " +
                                               std::to_string(runtime().lsn.value));
  }
  if (commit.changes.empty()) {
    return Error(ErrorCode::store_corrupt,
                 "commit " + std::to_string(commit.lsn.value) + " is empty");
  }
  Head head(*implementation_);
  for (const Change& change : commit.changes) {
    auto applied = head.apply(change, commit.lsn);
    if (!applied) return std::move(applied).error();
  }
  head.set_lsn(commit.lsn);
  Applied applied{head.changed()};
  head.merge_into(*implementation_);
  return applied;
}

Expansion State::expand(const Commit& commit) const {
  Expansion expansion;
  Head head(*implementation_);
  for (const Change& change : commit.changes) {
    head.expand(change, expansion);
    // A change that doesn't fit is refused by apply(), and these events with it.
    if (commit.changes.size() > 1 && !head.apply(change, commit.lsn)) break;
  }
  return expansion;
}

WorkerId generated_worker_id(std::uint64_t number) {
  std::array<char, 16> digits{};
  const auto written = std::to_chars(digits.data(), digits.data() + digits.size(), number, 16);
  const auto count = static_cast<std::size_t>(written.ptr - digits.data());
  std::string text = "worker-";
  if (count < 8) text.append(8 - count, '0');
  text.append(digits.data(), count);
  return *WorkerId::parse(text);
}

std::optional<std::uint64_t> generated_worker_number(const WorkerId& worker_id) {
  constexpr std::string_view head = "worker-";
  const std::string& text = worker_id.text();
  if (!text.starts_with(head)) return std::nullopt;
  std::uint64_t number = 0;
  const auto read =
      std::from_chars(text.data() + head.size(), text.data() + text.size(), number, 16);
  if (read.ec != std::errc() || generated_worker_id(number) != worker_id) return std::nullopt;
  return number;
}

}  // namespace worker_runtime
