// Writers of a stress test, and the book in which all of them note what was acknowledged.
#pragma once

#include <cstdint>
#include <functional>
#include <future>
#include <initializer_list>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "support/domain.h"
#include "support/random.h"
#include "worker_runtime/runtime.h"

namespace worker_runtime::testing {

constexpr int stress_writers = 6;
constexpr int shared_workers = 3;

WorkerRef stress_ref(const std::string& id);
/// The name of a Worker that all write to, and nobody ends.
std::string shared_name(std::uint64_t number);
/// Whether a writer wrote this text, whole, for that Worker.
bool is_content_of(const std::string& worker, const std::string& text);

/// What was acknowledged, to all writers together.
class Acknowledged {
 public:
  void entry(const std::string& worker, const EntryAccepted& answer, std::string content);
  /// Of all other operations.
  void event(EventId id, EventKind kind);
  void created(const std::string& worker);
  void deleted(const std::string& worker);

  /// When nobody writes any more: what a store that was opened anew holds.
  void expect_exactly_in(const Runtime& runtime) const;
  [[nodiscard]] std::size_t events() const { return events_.size(); }

 private:
  using Entries = std::map<std::uint64_t, std::string>;

  void note(EventId id, EventKind kind);
  void expect_events(const Runtime& runtime) const;
  static void expect_entries(const Runtime& runtime, const std::string& worker,
                             const Entries& entries);

  std::mutex mutex_;
  std::map<std::uint64_t, EventKind> events_;  // unknown: of an entry
  std::map<std::string, Entries> entries_;
  std::set<std::string> deleted_;
};

/// One thread that mutates: Workers of its own, the shared ones, and now and then those of others.
class Writer {
 public:
  Writer(Runtime& runtime, Acknowledged& acknowledged, int number, std::uint64_t seed)
      : runtime_(runtime), acknowledged_(acknowledged), number_(number), random_(seed) {}

  /// Until it has got `closed`; calls `done` after so many operations.
  void work(std::uint64_t operations, const std::function<void()>& done);

 private:
  using Written = std::vector<std::pair<std::string, std::string>>;  // for whom, and what

  /// False for an error, which must be `closed` or one of these.
  template <typename T>
  bool went(const Result<T>& result, std::initializer_list<ErrorCode> expected = {});

  void one();
  const std::string& own() { return own_[random_.below(own_.size())]; }
  std::string content_for(const std::string& worker);

  void create();
  void send(const std::string& worker);
  void send_to_others();
  std::vector<Mutation> several(Written& written);
  void take(const std::vector<Answer>& answers, const Written& written);
  void batch();
  void submit();
  void submit_batch();
  void read_own();
  void end();

  Runtime& runtime_;
  Acknowledged& acknowledged_;
  const int number_;
  Random random_;
  std::uint64_t made_ = 0;
  std::uint64_t contents_ = 0;
  std::vector<std::string> own_;
  std::vector<std::future<void>> submitted_;
  bool closed_ = false;
};

}  // namespace worker_runtime::testing
