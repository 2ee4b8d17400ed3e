// Writers of a stress test: see stress_writer.h.
#include "stress_writer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>
#include <variant>

namespace worker_runtime::testing {
namespace {

/// Tells for whom and by whom it was written, and can be told from any other and from half of it.
std::string content_of(const std::string& worker, int writer, std::uint64_t number) {
  const std::string head = worker + " " + std::to_string(writer) + " " + std::to_string(number);
  const std::size_t length = number % 50 == 0 ? 5000 : number % 97;
  return head + " " + std::string(length, static_cast<char>('a' + number % 26)) + " " + head;
}

}  // namespace

WorkerRef stress_ref(const std::string& id) { return {runtime_id("main"), worker_id(id)}; }
std::string shared_name(std::uint64_t number) { return "shared" + std::to_string(number); }

bool is_content_of(const std::string& worker, const std::string& text) {
  int writer = 0;
  unsigned long number = 0;
  if (!text.starts_with(worker + " ")) return false;
  if (std::sscanf(text.c_str() + worker.size(), " %d %lu ", &writer, &number) != 2) return false;
  return text == content_of(worker, writer, number);
}

// ---- the book

void Acknowledged::entry(const std::string& worker, const EntryAccepted& answer,
                         std::string content) {
  const std::lock_guard lock(mutex_);
  note(answer.event_id, EventKind::unknown);
  const auto added = entries_[worker].emplace(answer.sequence.value, std::move(content));
  EXPECT_TRUE(added.second) << "two entries with one number";
}

void Acknowledged::event(EventId id, EventKind kind) {
  const std::lock_guard lock(mutex_);
  note(id, kind);
}

void Acknowledged::created(const std::string& worker) {
  const std::lock_guard lock(mutex_);
  entries_[worker];
}

void Acknowledged::deleted(const std::string& worker) {
  const std::lock_guard lock(mutex_);
  deleted_.insert(worker);
}

void Acknowledged::expect_exactly_in(const Runtime& runtime) const {
  expect_events(runtime);
  std::set<std::string> live;
  ListQuery query;
  do {
    const auto page = runtime.list_workers(query);
    ASSERT_TRUE(is_ok(page));
    for (const WorkerSummary& worker : page->workers) {
      EXPECT_FALSE(worker.damaged);
      live.insert(worker.worker_ref.worker_id.text());
    }
    query.after = page->next_after;
  } while (query.after);
  for (const auto& [worker, entries] : entries_) {
    EXPECT_EQ(live.erase(worker), deleted_.contains(worker) ? 0U : 1U) << worker;
    if (!deleted_.contains(worker)) expect_entries(runtime, worker, entries);
  }
  EXPECT_TRUE(live.empty()) << *live.begin() << " was never acknowledged";
}

void Acknowledged::note(EventId id, EventKind kind) {
  EXPECT_TRUE(events_.emplace(id.value, kind).second) << "two events with one number";
}

void Acknowledged::expect_events(const Runtime& runtime) const {
  EventQuery query;
  query.from = EventId{2};  // the first is the start
  bool more = true;
  auto wanted = events_.begin();
  while (more) {
    const auto page = runtime.read_events(query);
    ASSERT_TRUE(is_ok(page));
    for (const Event& event : page->events) {
      ASSERT_NE(wanted, events_.end()) << "more than was acknowledged";
      ASSERT_EQ(event.id.value, wanted->first);
      const bool is_entry = wanted->second == EventKind::unknown;
      ASSERT_EQ(event.sequence.has_value(), is_entry);
      if (!is_entry) {
        ASSERT_EQ(event.kind, wanted->second);
      }
      ++wanted;
    }
    query.from = page->next;
    more = page->has_more;
  }
  EXPECT_EQ(wanted, events_.end()) << "an acknowledged event is lost";
}

void Acknowledged::expect_entries(const Runtime& runtime, const std::string& worker,
                                  const Entries& entries) {
  TranscriptQuery query;
  query.start = 0;
  auto wanted = entries.begin();
  while (query.start) {
    const auto page = runtime.read_transcript(stress_ref(worker), query);
    ASSERT_TRUE(is_ok(page));
    for (const TranscriptEntry& entry : page->items) {
      ASSERT_NE(wanted, entries.end()) << worker;
      ASSERT_EQ(entry.sequence.value, wanted->first) << worker;
      ASSERT_EQ(entry.content, wanted->second);
      ++wanted;
    }
    query.start = page->next;
  }
  EXPECT_EQ(wanted, entries.end()) << "an acknowledged entry of " << worker << " is lost";
}

// ---- one writer

std::string Writer::content_for(const std::string& worker) {
  return content_of(worker, number_, ++contents_);
}

template <typename T>
bool Writer::went(const Result<T>& result, std::initializer_list<ErrorCode> expected) {
  if (result) return true;
  const ErrorCode code = result.error().code();
  if (code == ErrorCode::closed) {
    closed_ = true;
  } else if (std::find(expected.begin(), expected.end(), code) == expected.end()) {
    ADD_FAILURE() << result.error().detail();
  }
  return false;
}

void Writer::work(std::uint64_t operations, const std::function<void()>& done) {
  for (std::uint64_t at = 0; !closed_; ++at) {
    if (at == operations) done();
    one();
  }
  // Every submission is completed, by the close at the latest.
  for (std::future<void>& each : submitted_) each.get();
}

void Writer::one() {
  const std::uint64_t dice = random_.below(100);
  if (own_.empty() || dice < 6) return create();
  if (dice < 40) return send(own());
  if (dice < 60) return send(shared_name(random_.below(shared_workers)));
  if (dice < 65) return send_to_others();
  if (dice < 75) return batch();
  if (dice < 85) return submit();
  if (dice < 90) return submit_batch();
  if (dice < 95) return read_own();
  end();
}

void Writer::create() {
  const std::string name = "w" + std::to_string(number_) + "-" + std::to_string(++made_);
  CreateRequest request = task("work", name);
  if (random_.one_in(2)) request.idempotency_key = name;
  const auto created = runtime_.create_worker(request);
  if (!went(created)) return;
  acknowledged_.created(name);
  acknowledged_.event(created->summary.last_event_id, EventKind::worker_created);
  own_.push_back(name);
  if (!request.idempotency_key || !random_.one_in(3)) return;
  const auto again = runtime_.create_worker(request);
  if (went(again)) {
    EXPECT_EQ(again->summary.worker_ref, created->summary.worker_ref);
  }
}

void Writer::send(const std::string& worker) {
  const std::string content = content_for(worker);
  const bool keyed = random_.one_in(3);
  const std::optional<std::string> key =
      keyed ? std::optional(content.substr(0, 100)) : std::nullopt;
  const bool is_input = random_.one_in(2);
  const auto call = [&] {
    return is_input ? runtime_.send_input(input(stress_ref(worker), content, key))
                    : runtime_.append_output(output(stress_ref(worker), content, key));
  };
  const auto sent = call();
  if (!went(sent)) return;
  acknowledged_.entry(worker, *sent, content);
  if (!keyed || !random_.one_in(3)) return;
  const auto again = call();
  if (went(again)) {
    EXPECT_EQ(again->sequence, sent->sequence);
    EXPECT_EQ(again->event_id, sent->event_id);
  }
}

/// Their owner may be about to end them.
void Writer::send_to_others() {
  const int other = static_cast<int>(random_.below(stress_writers));
  const std::string worker = "w" + std::to_string(other) + "-" + std::to_string(made_);
  const std::string content = content_for(worker);
  const auto sent = runtime_.send_input(input(stress_ref(worker), content));
  if (went(sent, {ErrorCode::worker_not_found, ErrorCode::worker_not_running}))
    acknowledged_.entry(worker, *sent, content);
}

/// Mutations, and what they write.
std::vector<Mutation> Writer::several(Written& written) {
  std::vector<Mutation> operations;
  for (std::uint64_t count = random_.below(5) + 1; count > 0; --count) {
    const std::string worker =
        random_.one_in(2) ? own() : shared_name(random_.below(shared_workers));
    written.emplace_back(worker, content_for(worker));
    operations.emplace_back(input(stress_ref(worker), written.back().second));
  }
  return operations;
}

void Writer::take(const std::vector<Answer>& answers, const Written& written) {
  ASSERT_EQ(answers.size(), written.size());
  for (std::size_t at = 0; at < answers.size(); ++at)
    acknowledged_.entry(written[at].first, std::get<EntryAccepted>(answers[at]),
                        written[at].second);
}

void Writer::batch() {
  Written written;
  const auto answers = runtime_.batch(several(written));
  if (went(answers)) take(*answers, written);
}

void Writer::submit() {
  const std::string worker = own();
  const std::string content = content_for(worker);
  auto done = std::make_shared<std::promise<void>>();
  submitted_.push_back(done->get_future());
  runtime_.submit(input(stress_ref(worker), content),
                  [this, done, worker, content](Result<Answer> got) {
                    if (got) {
                      acknowledged_.entry(worker, std::get<EntryAccepted>(*got), content);
                    } else {
                      EXPECT_EQ(got.error().code(), ErrorCode::closed) << got.error().detail();
                    }
                    done->set_value();
                  });
}

void Writer::submit_batch() {
  Written written;
  auto operations = several(written);
  auto done = std::make_shared<std::promise<void>>();
  submitted_.push_back(done->get_future());
  runtime_.submit_batch(std::move(operations), [this, done, written = std::move(written)](
                                                   const Result<std::vector<Answer>>& got) {
    if (got) {
      take(*got, written);
    } else {
      EXPECT_EQ(got.error().code(), ErrorCode::closed) << got.error().detail();
    }
    done->set_value();
  });
}

/// What it wrote itself is there at once.
void Writer::read_own() {
  const std::string worker = own();
  const std::string content = content_for(worker);
  const auto sent = runtime_.send_input(input(stress_ref(worker), content));
  if (!went(sent)) return;
  acknowledged_.entry(worker, *sent, content);
  const auto page = runtime_.read_transcript(stress_ref(worker), {sent->sequence.value - 1, 1, {}});
  if (!went(page)) return;
  ASSERT_EQ(page->items.size(), 1U);
  EXPECT_EQ(page->items[0].content, content);
  EXPECT_EQ(page->items[0].event_id, sent->event_id);
}

/// Of its own Workers one ends, and is deleted perhaps. What was submitted to it must come
/// first.
void Writer::end() {
  const std::size_t at = random_.below(own_.size());
  const std::string worker = own_[at];
  own_.erase(own_.begin() + static_cast<std::ptrdiff_t>(at));
  const bool cancelled = random_.one_in(2);
  const auto ended = cancelled ? runtime_.cancel_worker({stress_ref(worker), "enough"})
                               : runtime_.stop_worker({stress_ref(worker), std::nullopt});
  if (!went(ended)) return;
  acknowledged_.event(ended->event_id,
                      cancelled ? EventKind::worker_cancelled : EventKind::worker_stopped);
  if (random_.one_in(2)) return;
  const auto deleted = runtime_.delete_worker({stress_ref(worker)});
  if (!went(deleted)) return;
  acknowledged_.event(deleted->event_id, EventKind::worker_deleted);
  acknowledged_.deleted(worker);
}

}  // namespace worker_runtime::testing
