// Goal: an allocation that fails, wherever it happens, loses nothing that was acknowledged, holds
// up nobody, and leaves no operation by half. What mutates ends the program then; a read lets
// std::bad_alloc through.
//
// Method: processes that fail the nth allocation of one operation, on the thread that does it,
// until one gets through; then the store is opened and compared. WORKER_RUNTIME_CRASH_ROUNDS: each
// n, not a few.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <functional>
#include <new>
#include <optional>
#include <ostream>
#include <string>

#include "support/domain.h"
#include "support/random.h"
#include "support/temporary_directory.h"
#include "worker_runtime/fs_store/fs_store.h"
#include "worker_runtime/fs_store/verify.h"

namespace {

/// Allocations of this thread up to the one that fails; 0: none does.
thread_local std::uint64_t allocations_left = 0;

void* allocate(std::size_t bytes) {
  if (allocations_left > 0 && --allocations_left == 0) return nullptr;
  return std::malloc(bytes > 0 ? bytes : 1);
}

void* allocate_or_throw(std::size_t bytes) {
  void* const memory = allocate(bytes);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

/// Not inlined: where the compiler sees both sides, it takes them for a mismatch.
[[gnu::noinline]] void release(void* memory) { std::free(memory); }

}  // namespace

void* operator new(std::size_t bytes) { return allocate_or_throw(bytes); }
void* operator new[](std::size_t bytes) { return allocate_or_throw(bytes); }
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept { return allocate(bytes); }
void* operator new[](std::size_t bytes, const std::nothrow_t&) noexcept { return allocate(bytes); }
void operator delete(void* memory) noexcept { release(memory); }
void operator delete[](void* memory) noexcept { release(memory); }
void operator delete(void* memory, std::size_t) noexcept { release(memory); }
void operator delete[](void* memory, std::size_t) noexcept { release(memory); }

namespace worker_runtime {
namespace {

using testing::is_ok;

WorkerRef mail() { return {testing::runtime_id("main"), testing::worker_id("mail")}; }

/// True if it was done; an error is one of a closed list.
struct Operation {
  std::string name;
  std::function<bool(Runtime&)> run;
  bool mutates = true;
};
void PrintTo(const Operation& operation, std::ostream* out) { *out << operation.name; }

enum class End : int { done = 0, refused = 1, threw = 2, broken = 3 };

class OutOfMemory : public ::testing::TestWithParam<Operation> {
 protected:
  OutOfMemory() {
    options_.root = directory_.path() / "root";
    options_.create = true;
    options_.durability = Durability::none;  // only processes die here
    auto runtime = fs_store::open_runtime(options_);
    EXPECT_TRUE(is_ok(runtime));
    EXPECT_TRUE(is_ok(runtime->create_worker(testing::task("work", "mail"))));
    EXPECT_TRUE(is_ok(runtime->close()));
  }

  /// What the process does whose nth allocation within the operation fails.
  [[nodiscard]] End in_child(std::uint64_t nth) const {
    auto runtime = fs_store::open_runtime(options_);
    if (!runtime || !runtime->send_input(testing::input(mail(), "acknowledged")))
      return End::broken;
    bool done = false;
    bool threw = false;
    allocations_left = nth;
    try {
      done = GetParam().run(*runtime);
    } catch (const std::bad_alloc&) {
      threw = true;
    }
    const bool failed = allocations_left == 0;
    allocations_left = 0;
    if (!failed) return done && runtime->close() ? End::done : End::broken;
    // Whoever is still there goes on.
    if (!runtime->send_input(testing::input(mail(), "acknowledged")) || !runtime->close())
      return End::broken;
    return threw ? End::threw : End::refused;
  }

  /// None: it was terminated.
  [[nodiscard]] std::optional<End> run(std::uint64_t nth) const {
    const pid_t child = ::fork();
    if (child == 0) {
      const rlimit no_core{0, 0};
      ::setrlimit(RLIMIT_CORE, &no_core);
      std::set_terminate([] { ::_exit(77); });
      ::alarm(60);  // a process that hangs is a failure
      ::_exit(static_cast<int>(in_child(nth)));
    }
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status)) << "killed by signal " << WTERMSIG(status);
    if (WEXITSTATUS(status) == 77) return std::nullopt;
    return static_cast<End>(WEXITSTATUS(status));
  }

  void check(std::uint64_t acknowledged_at_least) const {
    auto runtime = fs_store::open_runtime(options_);
    ASSERT_TRUE(is_ok(runtime));
    const auto summary = runtime->summary();
    ASSERT_TRUE(is_ok(summary));
    EXPECT_GE(summary->transcript_entry_count, acknowledged_at_least);
    EXPECT_EQ(summary->damaged_worker_count, 0U);
    EXPECT_TRUE(is_ok(runtime->close()));
    const auto report = fs_store::verify({options_.root});
    ASSERT_TRUE(is_ok(report));
    EXPECT_TRUE(report->clean());
  }

  testing::TemporaryDirectory directory_;
  fs_store::StoreOptions options_;
};

TEST_P(OutOfMemory, EndsTheProgramOrReachesTheCallerAndLosesNothing) {
  const bool all = testing::is_every_case_asked_for();
  std::uint64_t acknowledged = 0;
  std::uint64_t failed = 0;
  for (std::uint64_t nth = 1;; nth += all ? 1 : 1 + nth / 2) {
    SCOPED_TRACE("allocation " + std::to_string(nth) + " fails");
    const auto end = run(nth);
    ASSERT_NE(end, End::broken);
    ++acknowledged;
    if (end == End::done) break;
    ++failed;
    // Nothing is left by half where the program goes on: what mutates does not throw once it has
    // begun.
    if (end == End::threw) {
      ++acknowledged;
      EXPECT_TRUE(!GetParam().mutates || nth < 4);
    }
    if (all || failed % 4 == 1) {
      ASSERT_NO_FATAL_FAILURE(check(acknowledged));
    }
  }
  EXPECT_GT(failed, 0U);
  check(acknowledged);
}

INSTANTIATE_TEST_SUITE_P(
    Operations, OutOfMemory,
    ::testing::Values(
        Operation{
            "send",
            [](Runtime& runtime) {
              return runtime.send_input(testing::input(mail(), std::string(300, 'x'))).has_value();
            }},
        Operation{"create",
                  [](Runtime& runtime) {
                    return runtime.create_worker(testing::task("more")).has_value();
                  }},
        Operation{"batch",
                  [](Runtime& runtime) {
                    return runtime
                        .batch({testing::input(mail(), "one"), testing::output(mail(), "two"),
                                testing::task("three")})
                        .has_value();
                  }},
        Operation{"submit",
                  [](Runtime& runtime) {
                    bool done = false;
                    runtime.submit(
                        testing::input(mail(), "later"),
                        [&](const Result<Answer>& answer) { done = answer.has_value(); });
                    return runtime.send_input(testing::input(mail(), "behind it")) && done;
                  }},
        Operation{"page",
                  [](Runtime& runtime) {
                    return runtime.read_transcript(mail(), {0, 3}).has_value();
                  },
                  false}),
    [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace worker_runtime
