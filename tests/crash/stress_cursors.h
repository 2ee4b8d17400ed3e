// Cursors of readers beside a busy writer, and what each page must look like.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <initializer_list>
#include <map>
#include <optional>
#include <stop_token>
#include <string>

#include "stress_writer.h"
#include "support/domain.h"
#include "worker_runtime/fs_store/reader.h"

namespace worker_runtime::testing {

/// Cursors of one reader, kept from page to page: nothing is left out, nothing comes twice.
class Cursors {
 public:
  template <typename Source>
  bool read_events(const Source& source) {
    return take(source.read_events({next_event_, 40, Direction::oldest_first}));
  }
  template <typename Source>
  bool wait_events(const Source& source, std::chrono::milliseconds timeout,
                   const std::stop_token& stop) {
    return take(source.wait_events(next_event_, timeout, stop, 40));
  }
  template <typename Source>
  bool read_transcript(const Source& source, const std::string& worker) {
    return take(worker, source.read_transcript(stress_ref(worker), {starts_[worker], 20, {}}));
  }
  bool wait_transcript(const fs_store::Reader& reader, const std::string& worker,
                       std::chrono::milliseconds timeout, const std::stop_token& stop) {
    return take(worker,
                reader.wait_transcript(stress_ref(worker), starts_[worker], timeout, stop, 20));
  }
  [[nodiscard]] std::uint64_t items() const { return items_; }

 private:
  /// False for `closed`.
  template <typename Page>
  static bool is_page(const Result<Page>& page, std::initializer_list<ErrorCode> expected = {}) {
    if (page) return true;
    const ErrorCode code = page.error().code();
    EXPECT_TRUE(code == ErrorCode::closed ||
                std::find(expected.begin(), expected.end(), code) != expected.end())
        << page.error().detail();
    return false;
  }
  bool take(const Result<EventPage>& page) {
    if (!is_page(page)) return false;
    for (const Event& event : page->events) {
      EXPECT_EQ(event.id, next_event_);
      next_event_ = EventId{event.id.value + 1};
      ++items_;
    }
    EXPECT_EQ(page->next, next_event_);
    return true;
  }
  bool take(const std::string& worker, const Result<TranscriptPage>& page) {
    if (!is_page(page, {ErrorCode::worker_not_found})) return false;
    std::uint64_t& start = starts_[worker];
    for (const TranscriptEntry& entry : page->items) {
      EXPECT_EQ(entry.sequence.value, ++start);
      EXPECT_TRUE(is_content_of(worker, entry.content)) << entry.content;
      ++items_;
    }
    EXPECT_GE(page->total, start);
    return true;
  }

  EventId next_event_{1};
  std::map<std::string, std::uint64_t> starts_;
  std::uint64_t items_ = 0;
};

/// Pages from the newest backwards, as far as one looks: dense too.
template <typename Source>
void read_backwards(const Source& source) {
  EventQuery query{std::nullopt, 30, Direction::newest_first};
  std::uint64_t last = 0;
  for (int pages = 0; pages < 4; ++pages) {
    const auto page = source.read_events(query);
    if (!page) {
      EXPECT_EQ(page.error().code(), ErrorCode::closed) << page.error().detail();
      return;
    }
    for (const Event& event : page->events) {
      EXPECT_TRUE(last == 0 || event.id.value + 1 == last);
      last = event.id.value;
    }
    if (page->next.value == 0) return;
    query.from = page->next;
  }
}

/// Lists, details and sums that agree with each other. False once it is closed.
template <typename Source>
bool look_around(const Source& source, Cursors& cursors) {
  const auto before = source.summary();
  const auto list = source.list_workers({});
  const auto after = source.summary();
  const auto diagnostics = source.diagnostics(0, 10);
  if (!before || !list || !after || !diagnostics) {
    for (const ErrorCode code : {before ? ErrorCode::closed : before.error().code(),
                                 list ? ErrorCode::closed : list.error().code(),
                                 after ? ErrorCode::closed : after.error().code(),
                                 diagnostics ? ErrorCode::closed : diagnostics.error().code()})
      EXPECT_EQ(code, ErrorCode::closed) << to_string(code);
    return false;
  }
  EXPECT_LE(before->event_count, after->event_count);
  EXPECT_LE(before->transcript_entry_count, after->transcript_entry_count);
  for (const WorkerSummary& worker : list->workers) {
    EXPECT_FALSE(worker.damaged) << *worker.damaged;
    EXPECT_LE(worker.last_event_id.value, after->event_count);
    const auto detail = source.worker_detail(worker.worker_ref);
    if (detail) {
      EXPECT_GE(detail->summary.transcript_len, worker.transcript_len);
    } else {
      EXPECT_TRUE(detail.error().code() == ErrorCode::worker_not_found ||
                  detail.error().code() == ErrorCode::closed)
          << detail.error().detail();
    }
    cursors.read_transcript(source, worker.worker_ref.worker_id.text());
  }
  read_backwards(source);
  return true;
}

}  // namespace worker_runtime::testing
