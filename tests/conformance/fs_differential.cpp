// Random operations on two Runtimes: see fs_differential.h.
//
// Both have the same clock and the same limits, which are small so that pages end by bytes. The
// store has small parts and segments, and is checkpointed, closed or dropped at random points.
// After each operation its two answers and a few random reads are compared; every 50 operations
// and after each reopening everything that can be read is, and a Reader beside the writer must
// show the same. After each close the store must verify clean.
#include "fs_differential.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <chrono>
#include <future>
#include <iostream>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "support/domain.h"
#include "support/random.h"
#include "support/temporary_directory.h"
#include "worker_runtime/fs_store/fs_store.h"
#include "worker_runtime/fs_store/reader.h"
#include "worker_runtime/fs_store/verify.h"

namespace worker_runtime::testing {
namespace {

// ---- what is the same in both

EventPage comparable(EventPage page) {
  page.epoch = Epoch{};
  return page;
}
RuntimeSummary comparable(RuntimeSummary summary) {
  summary.backend.clear();
  summary.durability = Durability::none;
  summary.epoch = Epoch{};
  summary.diagnostic_count = 0;  // those since the last checkpoint may go with a crash
  summary.store.reset();
  return summary;
}
template <typename T>
T comparable(T value) {
  return value;
}

/// What can be printed of an answer.
std::vector<Event> items_of(const EventPage& page) { return page.events; }
std::vector<TranscriptEntry> items_of(const TranscriptPage& page) { return page.items; }
std::vector<Diagnostic> items_of(const DiagnosticPage& page) { return page.diagnostics; }
template <typename T>
std::string items_of(const T&) {
  return "of another content";
}

template <typename T>
std::string outcome(const Result<T>& result) {
  return result ? "success" : result.error().detail();
}

template <typename T>
void expect_same(const char* what, const Result<T>& memory, const Result<T>& other) {
  if (memory.has_value() != other.has_value()) {
    FAIL() << what << ": memory: " << outcome(memory) << "; store: " << outcome(other);
  }
  if (!memory) {
    ASSERT_EQ(memory.error(), other.error()) << what;
    return;
  }
  if (comparable(*memory) == comparable(*other)) return;
  FAIL() << what << ": memory: " << ::testing::PrintToString(items_of(*memory))
         << "; store: " << ::testing::PrintToString(items_of(*other));
}

// ---- random requests

class Generator {
 public:
  explicit Generator(std::uint64_t seed) : random_(seed) {}

  Random& random() { return random_; }
  void know(const WorkerId& worker_id) { ids_.push_back(worker_id.text()); }

  WorkerRef worker_ref() {
    const char* const runtime = random_.one_in(60) ? "another" : "differential";
    return {runtime_id(runtime), worker_id(random_.pick(ids_))};
  }

  Mutation mutation(bool stopped) {
    if (stopped && random_.one_in(3)) return StartRuntime{};
    const std::uint64_t dice = random_.below(100);
    if (dice < 12) return create();
    if (dice < 14) return import();
    if (dice < 45)
      return SendInput{worker_ref(), random_.one_in(4) ? InputRole::system : InputRole::user,
                       content(), key()};
    if (dice < 80) return append();
    if (dice < 86) return StopWorker{worker_ref(), reason()};
    if (dice < 90) return CancelWorker{worker_ref(), reason()};
    if (dice < 95) return DeleteWorker{worker_ref()};
    if (dice < 96) return Redact{worker_ref(), Sequence{random_.below(12)}};
    // Low numbers for the most part: else soon nothing would be kept.
    if (dice < 97) return TrimEvents{EventId{random_.below(random_.one_in(4) ? 300 : 30)}};
    if (dice < 98) return TrimTranscript{worker_ref(), Sequence{random_.below(12)}};
    if (dice < 99) return StopRuntime{};
    return StartRuntime{};
  }

 private:
  std::string content() {
    const std::uint64_t dice = random_.below(40);
    if (dice == 0) return " \u3000";
    if (dice == 1) return "broken \xed\xa0\x80";
    if (dice == 2) return std::string(3000 + random_.below(200), 'L');  // around the limit
    if (dice < 8) return std::string(random_.below(900) + 1, static_cast<char>('a' + dice));
    if (dice < 12) return "\u2603 \"\\\n\t\x01\x7f\u2028\U0001F600 " + std::to_string(dice);
    return "text " + std::to_string(random_.below(6));  // few, so that keys meet the same body
  }

  std::optional<std::string> key() {
    if (!random_.one_in(3)) return std::nullopt;
    if (random_.one_in(50)) return "\t";
    return "key " + std::to_string(random_.below(12));
  }

  std::optional<std::string> reason() {
    if (random_.one_in(2)) return std::nullopt;
    return random_.one_in(10) ? " " : "reason " + std::to_string(random_.below(100));
  }

  CreateRequest create() {
    CreateRequest request;
    switch (random_.below(3)) {
      case 0:
        request.intent = AssistantIntent{};
        break;
      case 1:
        request.intent = TaskIntent{content()};
        break;
      default:
        request.intent = RoleIntent{"role", reason()};
    }
    if (random_.one_in(3)) request.profile = {ProfileKind::named, "profile"};
    if (random_.one_in(3)) request.config_bundle = "bundle";
    if (random_.one_in(3)) request.requested_capabilities = {{"cap", reason()}};
    if (random_.one_in(3)) request.workspace_refs = {{"w", "ref"}, {"w2", "ref 2"}};
    if (random_.one_in(5)) request.mount_refs = {{"m", content()}};
    if (random_.one_in(2)) request.worker_id = worker_id(random_.pick(names_));
    if (random_.one_in(3)) request.display_name = "name " + std::to_string(random_.below(3));
    if (random_.one_in(4)) request.idempotency_key = "create " + std::to_string(random_.below(20));
    return request;
  }

  ImportWorker import() {
    ImportWorker request{create()};
    request.request.origin = Origin{worker_ref(), Sequence{random_.below(9)}};
    for (std::uint64_t count = random_.below(6); count > 0; --count) {
      const Timestamp at{static_cast<std::int64_t>(random_.below(5'000'000))};
      const Role role = random_.pick(roles_);
      request.entries.push_back(entry_of(append(), role, at));
    }
    return request;
  }

  AppendOutput append() {
    AppendOutput request = output(worker_ref(), content(), key());
    if (random_.one_in(3)) request.role = OutputRole::tool;
    if (random_.one_in(4)) request.name = "tool " + std::to_string(random_.below(2));
    if (random_.one_in(4)) request.data = random_.pick(data_);
    if (random_.one_in(3)) {
      request.usage = {{"tokens", random_.below(1000)}, {"cost", random_.below(3)}};
      if (random_.one_in(20)) request.usage.push_back({"tokens", 1});
      if (random_.one_in(20)) request.usage.front().value = counter_max - random_.below(2000);
      if (random_.one_in(3)) request.usage.push_back({"n" + std::to_string(random_.below(6)), 1});
    }
    return request;
  }

  Random random_;
  const std::vector<std::string> names_ = {"a",
                                           "b",
                                           "c",
                                           "A",
                                           "..",
                                           "x/y",
                                           "%41",
                                           "\u00e9",
                                           "w 1",
                                           "w.2",
                                           ".h",
                                           "worker-00000005",
                                           "long " + std::string(70, 'l'),
                                           "worker-0000000a",
                                           "d",
                                           "e"};
  std::vector<std::string> ids_ = names_;
  const std::vector<Role> roles_ = {Role::user, Role::system, Role::assistant, Role::tool};
  const std::vector<std::string> data_ = {"{}", "{ \"a\" : [1, 2.50e3 , {\"b\": null}] }",
                                          "{\"a\":1,\"\\u0061\":2}", "[1]",
                                          "{\"deep\":{\"er\":{\"text\":\"\\ud83d\\ude00\"}}}"};
};

// ---- the two

class Twins {
 public:
  explicit Twins(std::uint64_t seed) : generator_(seed) {
    RuntimeOptions options = runtime_options();
    memory_.emplace(Runtime::in_memory(runtime_id("differential"), options).value());
    open();
  }

  void run(std::uint64_t operations) {
    for (std::uint64_t step = 1; step <= operations; ++step) {
      SCOPED_TRACE("operation " + std::to_string(step));
      ASSERT_NO_FATAL_FAILURE(take_step());
      if (step % 50 == 0) {
        ASSERT_NO_FATAL_FAILURE(compare_everything());
      }
    }
    ASSERT_NO_FATAL_FAILURE(compare_everything());
    close();
  }

 private:
  Random& random() { return generator_.random(); }

  RuntimeOptions runtime_options() {
    RuntimeOptions options;
    options.clock = clock_.clock();
    options.limits = {{"page_bytes", 1500},     {"page_items", 40},
                      {"input_bytes", 3100},    {"named_counters", 5},
                      {"live_workers", 25},     {"diagnostics_kept", 30},
                      {"batch_operations", 12}, {"transcript_entry_bytes", 3150}};
    return options;
  }

  void open() {
    fs_store::StoreOptions options;
    options.root = directory_.path() / "root";
    options.runtime_id = runtime_id("differential");
    options.create = true;
    options.durability = static_cast<Durability>(random().below(3));
    options.log_part_bytes = std::uint64_t{4096} << random().below(4);
    options.checkpoint_bytes = std::uint64_t{16'384} << random().below(4);
    auto opened = fs_store::open_runtime(options, runtime_options());
    ASSERT_TRUE(is_ok(opened));
    store_ = *std::move(opened);
    if (reader_ && random().one_in(2)) return;  // one that saw the last writer must go on
    auto reader = fs_store::Reader::open(options.root);
    ASSERT_TRUE(is_ok(reader));
    reader_ = *std::move(reader);
  }

  void close() {
    ASSERT_TRUE(is_ok(store_->close()));
    store_.reset();
    const auto report = fs_store::verify({directory_.path() / "root"});
    ASSERT_TRUE(is_ok(report));
    for (const fs_store::Finding& finding : report->findings) {
      ADD_FAILURE() << finding.path << ": " << finding.code << ": " << finding.message;
    }
    ASSERT_TRUE(report->findings.empty());
  }

  void take_step() {
    base_ += static_cast<std::int64_t>(random().below(300'000));
    // It jumps back at times, but by less than what is worth a warning.
    const auto jitter = static_cast<std::int64_t>(random().below(900'000));
    clock_.advance(ManualClock::start + base_ + jitter - clock_.now().microseconds);
    const std::uint64_t dice = random().below(120);
    if (dice == 0) {
      close();
      if (!::testing::Test::HasFatalFailure()) open();
      compare_everything();
    } else if (dice == 1) {
      store_.reset();  // as in a crash
      crashed_ = true;
      open();
      compare_everything();
    } else if (dice == 2) {
      ASSERT_TRUE(is_ok(store_->checkpoint()));
    } else if (dice < 20) {
      mutate_in_batch();
    } else if (dice < 30) {
      mutate_asynchronously();
    } else {
      mutate_at_once();
    }
    if (!::testing::Test::HasFatalFailure()) compare_a_little();
  }

  // ---- mutations

  std::vector<Mutation> operations(std::uint64_t count) {
    const bool stopped = memory_->summary()->status == RuntimeStatus::stopped;
    std::vector<Mutation> made;
    for (std::uint64_t number = 0; number < count; ++number) {
      made.push_back(generator_.mutation(stopped));
    }
    return made;
  }

  void learn(const Answer& answer) {
    if (const auto* const created = std::get_if<WorkerDetail>(&answer)) {
      generator_.know(created->summary.worker_ref.worker_id);
    }
  }

  static std::vector<Result<Answer>> submit_all(Runtime& runtime,
                                                std::vector<Mutation> operations) {
    std::vector<Result<Answer>> answers;
    std::promise<void> all;
    const std::size_t count = operations.size();
    for (Mutation& operation : operations) {
      runtime.submit(std::move(operation), [&](Result<Answer> answer) {
        answers.push_back(std::move(answer));
        if (answers.size() == count) all.set_value();
      });
    }
    all.get_future().wait();
    return answers;
  }

  void mutate_at_once() {
    const std::vector<Mutation> one = operations(1);
    const auto memory = submit_all(*memory_, one);
    const auto store = blocking(*store_, one.front());
    expect_same("operation", memory.front(), store);
    if (memory.front()) learn(*memory.front());
  }

  template <typename Specific>
  static Result<Answer> widen(Result<Specific> result) {
    if (!result) return std::move(result).error();
    return Answer(*std::move(result));
  }

  static Result<Answer> blocking(Runtime& runtime, Mutation operation) {
    return std::visit(
        [&](auto& request) -> Result<Answer> {
          using Request = std::decay_t<decltype(request)>;
          if constexpr (std::is_same_v<Request, CreateRequest>) {
            return widen(runtime.create_worker(request));
          } else if constexpr (std::is_same_v<Request, SendInput>) {
            return widen(runtime.send_input(request));
          } else if constexpr (std::is_same_v<Request, AppendOutput>) {
            return widen(runtime.append_output(request));
          } else if constexpr (std::is_same_v<Request, StopWorker>) {
            return widen(runtime.stop_worker(request));
          } else if constexpr (std::is_same_v<Request, CancelWorker>) {
            return widen(runtime.cancel_worker(request));
          } else if constexpr (std::is_same_v<Request, DeleteWorker>) {
            return widen(runtime.delete_worker(request));
          } else if constexpr (std::is_same_v<Request, TrimEvents>) {
            return widen(runtime.trim_events(request));
          } else if constexpr (std::is_same_v<Request, TrimTranscript>) {
            return widen(runtime.trim_transcript(request));
          } else if constexpr (std::is_same_v<Request, Redact>) {
            return widen(runtime.redact(request));
          } else if constexpr (std::is_same_v<Request, StopRuntime>) {
            return widen(runtime.stop_runtime());
          } else if constexpr (std::is_same_v<Request, ImportWorker>) {
            return widen(runtime.import_worker(request));
          } else {
            static_assert(std::is_same_v<Request, StartRuntime>);
            return widen(runtime.start_runtime());
          }
        },
        operation);
  }

  void mutate_in_batch() {
    const std::vector<Mutation> some = operations(random().below(14));
    const auto memory = memory_->batch(some);
    const auto store = store_->batch(some);
    expect_same("batch", memory, store);
    if (!memory) return;
    for (const Answer& answer : *memory) learn(answer);
  }

  void mutate_asynchronously() {
    const std::vector<Mutation> some = operations(1 + random().below(20));
    const auto memory = submit_all(*memory_, some);
    const auto store = submit_all(*store_, some);
    for (std::size_t at = 0; at < memory.size(); ++at) {
      ASSERT_NO_FATAL_FAILURE(expect_same("submission", memory[at], store[at]));
      if (memory[at]) learn(*memory[at]);
    }
  }

  // ---- reads

  template <typename Other>
  void compare_random_pages(Other& other) {
    const auto limit = [&]() -> std::optional<std::uint64_t> {
      if (random().one_in(3)) return std::nullopt;
      return random().below(42);
    };
    const auto direction = random().one_in(2) ? Direction::oldest_first : Direction::newest_first;
    const std::uint64_t last = memory_->summary()->event_count;
    EventQuery events{EventId{random().below(last + 3)}, limit(), direction};
    if (random().one_in(8)) events.from.reset();
    ASSERT_NO_FATAL_FAILURE(
        expect_same("events", memory_->read_events(events), other.read_events(events)));
    const WorkerRef worker = generator_.worker_ref();
    const auto detail = memory_->worker_detail(worker);
    ASSERT_NO_FATAL_FAILURE(expect_same("detail", detail, other.worker_detail(worker)));
    const std::uint64_t length = detail ? detail->summary.transcript_len : 0;
    TranscriptQuery transcript{random().below(length + 3), limit(), direction};
    if (random().one_in(4)) transcript.start.reset();
    ASSERT_NO_FATAL_FAILURE(expect_same("transcript", memory_->read_transcript(worker, transcript),
                                        other.read_transcript(worker, transcript)));
    ListQuery list{static_cast<StatusFilter>(random().below(5)), std::nullopt, limit()};
    if (random().one_in(2)) list.after = worker.worker_id;
    ASSERT_NO_FATAL_FAILURE(
        expect_same("list", memory_->list_workers(list), other.list_workers(list)));
  }

  void compare_a_little() {
    ASSERT_NO_FATAL_FAILURE(expect_same("summary", memory_->summary(), store_->summary()));
    compare_random_pages(*store_);
  }

  template <typename Other>
  void compare_all_of(Other& other) {
    ASSERT_NO_FATAL_FAILURE(expect_same("summary", memory_->summary(), other.summary()));
    for (const Direction direction : {Direction::oldest_first, Direction::newest_first}) {
      EventQuery query{std::nullopt, std::nullopt, direction};
      for (;;) {
        const auto page = memory_->read_events(query);
        ASSERT_NO_FATAL_FAILURE(expect_same("events", page, other.read_events(query)));
        if (!page || !page->has_more) break;
        query.from = page->next;
      }
    }
    ListQuery list;
    for (;;) {
      const auto page = memory_->list_workers(list);
      ASSERT_NO_FATAL_FAILURE(expect_same("list", page, other.list_workers(list)));
      for (const WorkerSummary& worker : page->workers) {
        ASSERT_NO_FATAL_FAILURE(compare_worker(other, worker.worker_ref));
      }
      if (!page->next_after) break;
      list.after = page->next_after;
    }
  }

  template <typename Other>
  void compare_worker(Other& other, const WorkerRef& worker) {
    ASSERT_NO_FATAL_FAILURE(
        expect_same("detail", memory_->worker_detail(worker), other.worker_detail(worker)));
    for (const Direction direction : {Direction::oldest_first, Direction::newest_first}) {
      TranscriptQuery query{std::nullopt, std::nullopt, direction};
      for (;;) {
        const auto page = memory_->read_transcript(worker, query);
        ASSERT_NO_FATAL_FAILURE(
            expect_same("transcript", page, other.read_transcript(worker, query)));
        if (!page || !page->next) break;
        query.start = page->next;
      }
    }
  }

  void compare_everything() {
    if (::testing::Test::HasFatalFailure()) return;
    ASSERT_NO_FATAL_FAILURE(compare_all_of(*store_));
    if (!crashed_) {
      for (std::uint64_t after = 0;;) {
        const auto page = memory_->diagnostics(after);
        ASSERT_NO_FATAL_FAILURE(expect_same("diagnostics", page, store_->diagnostics(after)));
        if (page->diagnostics.empty()) break;
        after = page->diagnostics.back().id;
      }
    }
    SCOPED_TRACE("of the reader");
    // What it shows may be a little old.
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    const Lsn newest = store_->summary()->store->durable_lsn;
    while (reader_->summary() && reader_->summary()->store->durable_lsn < newest &&
           std::chrono::steady_clock::now() < deadline) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    ASSERT_NO_FATAL_FAILURE(compare_all_of(*reader_));
    compare_random_pages(*reader_);
  }

  Generator generator_;
  ManualClock clock_;
  std::int64_t base_ = 0;
  TemporaryDirectory directory_;
  std::optional<Runtime> memory_;
  std::optional<Runtime> store_;
  std::optional<fs_store::Reader> reader_;
  bool crashed_ = false;  // since then diagnostics may differ
};

}  // namespace

void run_differential(std::uint64_t seed, std::uint64_t operations) {
  seed = number_from_environment("WORKER_RUNTIME_SEED", seed);
  operations = number_from_environment("WORKER_RUNTIME_OPERATIONS", operations);
  const auto* const info = ::testing::UnitTest::GetInstance()->current_test_info();
  const std::string repeat = "WORKER_RUNTIME_SEED=" + std::to_string(seed) +
                             " WORKER_RUNTIME_OPERATIONS=" + std::to_string(operations) + " " +
                             program_invocation_name +
                             " --gtest_filter=" + info->test_suite_name() + "." + info->name();
  std::cout << "to repeat: " << repeat << '\n';
  SCOPED_TRACE("to repeat: " + repeat);
  Twins twins(seed);
  if (!::testing::Test::HasFatalFailure()) twins.run(operations);
}

}  // namespace worker_runtime::testing
