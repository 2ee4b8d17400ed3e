// A memory store that a test makes fail, or holds up in a sync.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "worker_runtime/store.h"

namespace worker_runtime::testing {

/// What the test sets, and sees of the store. Outlives the store.
struct Faults {
  std::mutex mutex;
  std::condition_variable changed;
  // Guarded by the mutex:
  std::optional<Error> append_error;
  std::optional<Error> sync_error;
  std::optional<Error> check_error;
  std::optional<Error> transcript_error;
  std::optional<Error> keyed_error;
  std::optional<Error> create_error;
  std::function<void()> before_transcript;  ///< Called once, without the mutex.
  bool hold_syncs = false;
  std::size_t held = 0;  // syncs that wait
  std::size_t syncs = 0;
  std::size_t checkpoints = 0;
  std::size_t checks = 0;
  std::size_t closes = 0;
  std::vector<RuntimeRecord> records;          // handed over with empty groups
  std::function<void(RuntimeRecord&)> stored;  // changes the record that restore gives

  void set(std::optional<Error> Faults::*fault, std::optional<Error> error) {
    const std::lock_guard lock(mutex);
    this->*fault = std::move(error);
  }
  void hold() {
    const std::lock_guard lock(mutex);
    hold_syncs = true;
  }
  void release() {
    const std::lock_guard lock(mutex);
    hold_syncs = false;
    changed.notify_all();
  }
  void wait_until_held() {
    std::unique_lock lock(mutex);
    changed.wait(lock, [this] { return held > 0; });
  }
};

class FaultyStore final : public Store {
 public:
  FaultyStore(RuntimeId runtime_id, std::shared_ptr<Faults> faults)
      : store_(make_memory_store(std::move(runtime_id))), faults_(std::move(faults)) {}

  [[nodiscard]] std::string_view backend() const override { return "faulty"; }
  [[nodiscard]] Durability durability() const override { return Durability::sync; }

  Result<Restored> restore() override {
    auto restored = store_->restore();
    if (restored && faults_->stored) {
      RuntimeRecord record = restored->state.runtime();
      faults_->stored(record);
      restored->state.put(std::move(record));
    }
    return restored;
  }

  Result<void> append(const Commit& commit, std::span<const ExpandedEvent> events,
                      const Limits& limits) override {
    {
      const std::lock_guard lock(faults_->mutex);
      if (faults_->append_error) return *faults_->append_error;
    }
    ++appended_;
    return store_->append(commit, events, limits);
  }

  Result<void> sync(const RuntimeRecord& after, std::span<const ChangedWorker> changed) override {
    {
      std::unique_lock lock(faults_->mutex);
      ++faults_->syncs;
      if (std::exchange(appended_, 0) == 0) faults_->records.push_back(after);
      ++faults_->held;
      faults_->changed.notify_all();
      faults_->changed.wait(lock, [this] { return !faults_->hold_syncs; });
      --faults_->held;
      if (faults_->sync_error) return *faults_->sync_error;
    }
    return store_->sync(after, changed);
  }

  std::optional<Error> check_worker(const WorkerId&) override {
    const std::lock_guard lock(faults_->mutex);
    ++faults_->checks;
    return faults_->check_error;
  }

  Result<std::vector<Event>> read_events(const PageRange& range) const override {
    return store_->read_events(range);
  }
  Result<std::vector<TranscriptEntry>> read_transcript(const WorkerId& worker_id,
                                                       const PageRange& range) const override {
    std::function<void()> before;
    {
      const std::lock_guard lock(faults_->mutex);
      if (faults_->transcript_error) return *faults_->transcript_error;
      before = std::exchange(faults_->before_transcript, nullptr);
    }
    if (before) before();
    return store_->read_transcript(worker_id, range);
  }
  Result<TranscriptEntry> read_entry(const WorkerId& worker_id, Sequence sequence) const override {
    {
      const std::lock_guard lock(faults_->mutex);
      if (faults_->transcript_error) return *faults_->transcript_error;
    }
    return store_->read_entry(worker_id, sequence);
  }
  Result<std::vector<KeyedEntry>> read_keyed_entries(const WorkerId& worker_id, Sequence first,
                                                     Sequence last) const override {
    {
      const std::lock_guard lock(faults_->mutex);
      if (faults_->keyed_error) return *faults_->keyed_error;
    }
    return store_->read_keyed_entries(worker_id, first, last);
  }
  Result<CreateRequest> read_create_request(const WorkerId& worker_id) const override {
    {
      const std::lock_guard lock(faults_->mutex);
      if (faults_->create_error) return *faults_->create_error;
    }
    return store_->read_create_request(worker_id);
  }

  Result<Lsn> checkpoint() override {
    const std::lock_guard lock(faults_->mutex);
    ++faults_->checkpoints;
    return Lsn{7};
  }
  Result<void> close() override {
    const std::lock_guard lock(faults_->mutex);
    ++faults_->closes;
    return {};
  }
  [[nodiscard]] std::optional<StoreHealth> health() const override { return std::nullopt; }

 private:
  const std::unique_ptr<Store> store_;
  const std::shared_ptr<Faults> faults_;
  std::size_t appended_ = 0;  // since the last sync
};

}  // namespace worker_runtime::testing
