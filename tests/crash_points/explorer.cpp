// Crash enumeration: see explorer.h.
#include "explorer.h"

#include <atomic>
#include <mutex>
#include <optional>
#include <thread>
#include <unordered_set>
#include <utility>

#include "support/domain.h"
#include "support/random.h"

namespace worker_runtime::testing {
namespace {

constexpr std::size_t failures_kept = 10;

/// How many units may be there: at least those that stand the accident, at most those begun.
struct Span {
  std::size_t answered = 0;  ///< They stand a kill.
  std::size_t durable =
      0;  ///< They stand a power cut: with Durability::sync, all that were answered.
  std::size_t begun = 0;
};

enum class Accident : std::uint8_t { kill, power_cut };

struct Moment {
  DiskState disk;
  Span units;
};

/// Takes the moments of a disk. Used under the disk's lock, and between calls.
class Recorder {
 public:
  explicit Recorder(Durability durability, Span units = {})
      : durability_(durability), units_(units) {}

  void begin(std::size_t units) {
    const std::lock_guard lock(mutex_);
    units_.begun += units;
  }
  /// What was answered is durable now, whatever the mode.
  void settle() {
    const std::lock_guard lock(mutex_);
    units_.durable = units_.answered;
  }
  /// From now on a unit more has been answered. A moment after which nothing changed before the
  /// answer need not be tried with the answer missing.
  void answer() {
    const std::lock_guard lock(mutex_);
    ++units_.answered;
    if (durability_ == Durability::sync) units_.durable = units_.answered;
    if (!moments_.empty()) moments_.back().units = units_;
  }
  void take(const DiskState& disk) {
    const std::lock_guard lock(mutex_);
    moments_.push_back({disk, units_});
  }
  std::vector<Moment> moments() { return std::move(moments_); }

 private:
  const Durability durability_;
  std::mutex mutex_;
  Span units_;
  std::vector<Moment> moments_;
};

class Run {
 public:
  Run(const Scenario& scenario, const ExplorerOptions& options)
      : scenario_(scenario),
        options_(options),
        random_(options.outcomes.seed),
        model_(scenario.store.runtime_id),
        recorder_(scenario.store.durability) {
    for (const Operation& operation : scenario.history) model_.apply(operation);
    const std::size_t units = model_.views().size() - 1;
    recorder_.begin(units);
    for (std::size_t unit = 0; unit < units; ++unit) recorder_.answer();
    recorder_.settle();
  }

  Exploration run() {
    ++result_.scenarios;
    const std::vector<Moment> moments = play();
    for (const Moment& moment : moments) {
      if (failed()) break;
      ++result_.moments;
      explore(moment);
    }
    return std::move(result_);
  }

 private:
  [[nodiscard]] bool failed() const { return result_.failure_count > 0; }
  void fail(const std::string& message) {
    ++result_.failure_count;
    if (result_.failures.size() < failures_kept)
      result_.failures.push_back(scenario_.name + ": " + message);
  }

  // ---- playing the scenario

  std::vector<Moment> play() {
    SimulatedDisk disk(scenario_.base);
    const auto record = [&] {
      disk.set_hook([this](const DiskState& state) { recorder_.take(state); });
      recorder_.take(disk.state());
    };
    if (scenario_.operations.empty()) record();
    if (!open(disk)) return {};
    for (const Operation& operation : scenario_.operations) {
      follow(disk);
      if (&operation == &scenario_.operations.back()) record();
      if (!take_step(disk, operation)) return {};
    }
    follow(disk);
    disk.set_hook({});
    runtime_.reset();
    return recorder_.moments();
  }

  bool open(SimulatedDisk& disk) {
    runtime_.reset();
    auto opened = open_simulated(disk, scenario_.store);
    if (!opened) {
      fail("cannot open: " + opened.error().detail());
      return false;
    }
    runtime_.emplace(*std::move(opened));
    recorder_.settle();
    if (const Operation* const doubtful = std::exchange(doubtful_, nullptr)) settle(*doubtful);
    return true;
  }

  bool take_step(SimulatedDisk& disk, const Operation& operation) {
    switch (operation.kind) {
      case Operation::Kind::submit:
      case Operation::Kind::batch:
        if (sync_fails_) {
          doubtful_ = &operation;
          if (&operation == &scenario_.operations.back()) begin(operation);
          perform(*runtime_, operation.mutations);
        } else {
          submit(*runtime_, operation);
        }
        return true;
      case Operation::Kind::checkpoint:
        if (auto done = runtime_->checkpoint(); !done && !sync_fails_) fail(done.error().detail());
        recorder_.settle();
        return true;
      case Operation::Kind::reopen:
        if (auto done = runtime_->close(); !done && !sync_fails_) fail(done.error().detail());
        sync_fails_ = false;
        disk.fail_sync(0, LostWrites::stay_visible);
        return open(disk);
      case Operation::Kind::kill:
        sync_fails_ = false;
        disk.fail_sync(0, LostWrites::stay_visible);
        disk.kill();
        return open(disk);
      case Operation::Kind::fail_sync:
        sync_fails_ = true;
        disk.fail_sync(operation.nth, operation.lost);
        return true;
    }
    return false;
  }

  /// What was submitted while a sync failed is there now, or it is not: both are right, and what
  /// comes next builds on it.
  void settle(const Operation& doubtful) {
    if (view_of(*runtime_) == model_.views().back()) return;
    begin(doubtful);
    for (std::size_t unit = 0; unit < doubtful.units(); ++unit) recorder_.answer();
    if (view_of(*runtime_) != model_.views().back())
      fail("after a failed sync it is\n" + view_of(*runtime_));
  }

  void follow(const SimulatedDisk& disk) {
    if (scenario_.store.logs_follow && !sync_fails_ &&
        !wait_until_quiet(disk, *runtime_, scenario_.store))
      fail("it does not come to rest; the disk:\n" + describe(disk.state()));
  }

  void begin(const Operation& operation) {
    model_.apply(operation);
    recorder_.begin(operation.units());
  }

  void submit(Runtime& runtime, const Operation& operation) {
    begin(operation);
    if (operation.kind == Operation::Kind::batch || operation.units() == 1) {
      perform(runtime, operation.mutations);
      recorder_.answer();
      return;
    }
    std::atomic<std::size_t> left = operation.units();
    for (const Mutation& mutation : operation.mutations) {
      runtime.submit(mutation, [&](const Result<Answer>&) {
        recorder_.answer();
        if (--left == 0) left.notify_one();
      });
    }
    for (std::size_t now = left; now > 0; now = left) left.wait(now);
  }

  // ---- what is left of a moment

  void explore(const Moment& moment) {
    OutcomeLimits limits = options_.outcomes;
    limits.seed = random_.next();
    for_each_outcome(moment.disk, limits, [&](DiskState&& after) {
      ++result_.outcomes;
      if (!failed() && is_new(after, moment.units))
        check(std::move(after), moment, Accident::power_cut);
    });
    if (failed()) return;
    check(moment.disk, moment, Accident::kill);
  }

  bool is_new(const DiskState& state, const Span& units) {
    return seen_.insert(hash_of_seen(state) ^ Random(units.durable * 1024 + units.begun).next())
        .second;
  }

  [[nodiscard]] std::string place(const Moment& moment, const std::string& what,
                                  const DiskState& state) const {
    return what + " at change " + std::to_string(moment.disk.changes) + " of " +
           std::to_string(moment.units.answered) + "/" + std::to_string(moment.units.begun) +
           " units, " + std::to_string(moment.units.durable) + " durable, seed " +
           std::to_string(options_.outcomes.seed) + "; the disk:\n" + describe(state);
  }

  void check(DiskState state, const Moment& moment, Accident accident) {
    ++result_.states;
    const bool killed = accident == Accident::kill;
    const std::uint64_t one_in = options_.one_in_crashed_again;
    const bool cut_again =
        one_in > 0 && random_.one_in(killed ? std::max<std::uint64_t>(one_in / 8, 1) : one_in);
    Recorder recovery(scenario_.store.durability, moment.units);
    const auto wrong = [&](const std::string& how) {
      fail(place(moment, killed ? "kill" : "power cut", state) + how);
    };
    const bool continued =
        options_.one_in_continued > 0 && random_.one_in(options_.one_in_continued);
    SimulatedDisk disk(state);
    // A runtime that is being made may not be there yet.
    if (const auto found = continued && !scenario_.store.create ? finding(disk) : std::nullopt)
      return wrong("before it is opened, " + *found);
    if (cut_again) disk.set_hook([&](const DiskState& now) { recovery.take(now); });
    auto opened = open_simulated(disk, scenario_.store_after());
    disk.set_hook({});
    if (!opened) return wrong("open: " + opened.error().detail());
    const std::size_t least = killed ? moment.units.answered : moment.units.durable;
    const auto found = check_view(*opened, least, moment.units.begun);
    if (!found) return wrong(difference(*opened, least));
    if (const auto told = unwanted_diagnostic(*opened)) return wrong("diagnostic " + *told);
    if (continued) {
      if (auto differs = go_on(disk, *std::move(opened), *found)) return wrong(*differs);
    }
    if (cut_again) explore_recovery(recovery);
  }

  void explore_recovery(Recorder& recovery) {
    OutcomeLimits limits = options_.outcomes_of_recovery;
    for (const Moment& moment : recovery.moments()) {
      limits.seed = random_.next();
      for_each_outcome(moment.disk, limits, [&](DiskState&& after) {
        ++result_.outcomes;
        if (failed() || !is_new(after, moment.units)) return;
        ++result_.states;
        ++result_.recoveries_cut;
        check_recovered(after, moment);
      });
    }
  }

  void check_recovered(const DiskState& state, const Moment& moment) {
    SimulatedDisk disk(state);
    const auto wrong = [&](const std::string& how) {
      fail(place(moment, "power cut in a recovery", state) + how);
    };
    const bool verified =
        options_.one_in_continued > 0 && random_.one_in(options_.one_in_continued);
    if (const auto found = verified && !scenario_.store.create ? finding(disk) : std::nullopt)
      return wrong("before it is opened, " + *found);
    auto opened = open_simulated(disk, scenario_.store_after());
    if (!opened) return wrong(opened.error().detail());
    const Span& units = moment.units;
    if (!check_view(*opened, units.durable, units.begun))
      return wrong(difference(*opened, units.durable));
    if (const auto told = unwanted_diagnostic(*opened)) wrong("diagnostic " + *told);
  }

  // ---- what must hold

  [[nodiscard]] std::optional<std::size_t> check_view(const Runtime& runtime, std::size_t least,
                                                      std::size_t most) const {
    const std::string view = view_of(runtime);
    for (std::size_t count = most + 1; count-- > least;) {
      if (model_.views()[count] == view) return count;
    }
    return std::nullopt;
  }

  [[nodiscard]] std::string difference(const Runtime& runtime, std::size_t least) const {
    const std::string view = view_of(runtime);
    for (std::size_t count = 0; count < model_.views().size(); ++count) {
      if (model_.views()[count] == view)
        return "it is as after " + std::to_string(count) + " units";
    }
    return "it is\n" + view + "\nand should be\n" + model_.views()[least];
  }

  static std::optional<std::string> unwanted_diagnostic(const Runtime& runtime) {
    const auto page = runtime.diagnostics();
    if (!page) return page.error().detail();
    for (const Diagnostic& diagnostic : page->diagnostics) {
      if (diagnostic.severity != Severity::info) return diagnostic.code + ": " + diagnostic.message;
    }
    return std::nullopt;
  }

  /// Repeats what has a key, does something new, closes, verifies and reopens.
  std::optional<std::string> go_on(SimulatedDisk& disk, Runtime runtime, std::size_t count) {
    Runtime memory = model_.replayed(count);
    bool is_trimmed = false;
    for (std::size_t index = 0; index < count; ++index) {
      is_trimmed = is_trimmed || has_trims(model_.unit(index));
      // What was refused may do its work now.
      const bool was_done = model_.views()[index] != model_.views()[index + 1];
      if (!was_done || !has_keys(model_.unit(index))) continue;
      perform(memory, model_.unit(index));
      perform(runtime, model_.unit(index));
    }
    // The keys of trimmed entries are forgotten.
    const std::string repeated = is_trimmed ? view_of(memory) : model_.views()[count];
    if (view_of(runtime) != repeated) return "a repeated key did something";
    const std::vector<std::vector<Mutation>> more = {
        {StartRuntime{}},
        {task("behind the crash", "probe")},
        {task("behind the crash, with an id that may have been given before")}};
    for (const std::vector<Mutation>& unit : more) {
      perform(memory, unit);
      perform(runtime, unit);
    }
    const auto workers = memory.list_workers();
    if (!workers) return workers.error().detail();
    for (const WorkerSummary& worker : workers->workers) {
      perform(memory, {input(worker.worker_ref, "still there?")});
      perform(runtime, {input(worker.worker_ref, "still there?")});
    }
    const std::string expected = view_of(memory);
    if (view_of(runtime) != expected) return "it goes on differently: " + view_of(runtime);
    if (auto closed = runtime.close(); !closed) return "close: " + closed.error().detail();
    if (auto found = finding(disk)) return found;
    auto reopened = open_simulated(disk, scenario_.store_after());
    if (!reopened) return "reopen: " + reopened.error().detail();
    if (view_of(*reopened) != expected) return "reopened, it is " + view_of(*reopened);
    return std::nullopt;
  }

  static bool has_trims(const std::vector<Mutation>& unit) {
    return std::any_of(unit.begin(), unit.end(), [](const Mutation& mutation) {
      return std::holds_alternative<TrimTranscript>(mutation);
    });
  }

  static bool has_keys(const std::vector<Mutation>& unit) {
    if (unit.size() != 1) return false;
    return std::visit(
        [](const auto& request) {
          if constexpr (requires { request.idempotency_key; }) {
            return request.idempotency_key.has_value();
          } else {
            return false;
          }
        },
        unit.front());
  }

  [[nodiscard]] std::optional<std::string> finding(SimulatedDisk& disk) const {
    const auto report = verify_simulated(disk, scenario_.store.runtime_id);
    if (!report) return "verify: " + report.error().detail();
    for (const fs_store::Finding& found : report->findings) {
      // Views are never synced: a power cut may leave any of them in any state until the next
      // change of their Worker, or the writer's survey, which a lazy store does not come to.
      if (found.severity == Severity::info || found.path.ends_with("/worker.json")) continue;
      return "verify: " + found.path + ": " + found.code + ": " + found.message;
    }
    return std::nullopt;
  }

  const Scenario& scenario_;
  const ExplorerOptions& options_;
  Random random_;
  Model model_;
  std::optional<Runtime> runtime_;
  bool sync_fails_ = false;
  const Operation* doubtful_ = nullptr;
  Recorder recorder_;
  Exploration result_;
  std::unordered_set<std::uint64_t> seen_;
};

}  // namespace

SimulatedStore Scenario::store_after() const {
  SimulatedStore after = store;
  after.logs_follow = false;
  after.durability = Durability::sync;
  after.checkpoint_bytes = UINT64_MAX;
  after.distortion = {};
  return after;
}

void Exploration::add(const Exploration& other) {
  scenarios += other.scenarios;
  moments += other.moments;
  outcomes += other.outcomes;
  states += other.states;
  recoveries_cut += other.recoveries_cut;
  failure_count += other.failure_count;
  for (const std::string& failure : other.failures) {
    if (failures.size() < failures_kept) failures.push_back(failure);
  }
}

std::string figures(const Exploration& exploration) {
  return std::to_string(exploration.scenarios) + " scenarios, " +
         std::to_string(exploration.moments) + " moments, " + std::to_string(exploration.outcomes) +
         " crashes, " + std::to_string(exploration.states) + " distinct states opened, " +
         std::to_string(exploration.recoveries_cut) + " of them of a recovery cut off, " +
         std::to_string(exploration.failure_count) + " failures";
}

Exploration explore(const Scenario& scenario, const ExplorerOptions& options) {
  return Run(scenario, options).run();
}

Exploration explore_all(const std::vector<Scenario>& scenarios, const ExplorerOptions& options) {
  Exploration all;
  std::mutex mutex;
  std::atomic<std::size_t> next = 0;
  const auto work = [&] {
    for (std::size_t index = next++; index < scenarios.size(); index = next++) {
      ExplorerOptions own = options;
      own.outcomes.seed = options.outcomes.seed + index;
      const Exploration explored = explore(scenarios[index], own);
      const std::lock_guard lock(mutex);
      all.add(explored);
    }
  };
  std::vector<std::jthread> threads;
  for (unsigned count = std::max(1U, std::thread::hardware_concurrency()); count > 0; --count)
    threads.emplace_back(work);
  threads.clear();
  return all;
}

}  // namespace worker_runtime::testing
