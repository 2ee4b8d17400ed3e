// Stores to damage: see damaged_store.h.
#include "damaged_store.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "support/domain.h"
#include "support/random.h"
#include "worker_runtime/fs_store/fs_store.h"
#include "worker_runtime/fs_store/reader.h"

namespace worker_runtime::testing {

namespace fs = std::filesystem;

namespace {

/// All of a log that can be read from its start on, and whether that is all.
template <typename Item>
struct Readable {
  std::vector<Item> items;
  std::optional<Error> error;
};

template <typename Source>
Readable<Event> events_of(const Source& source) {
  Readable<Event> events;
  EventQuery query;
  for (;;) {
    auto page = source.read_events(query);
    if (!page) {
      events.error = page.error();
      return events;
    }
    events.items.insert(events.items.end(), page->events.begin(), page->events.end());
    if (!page->has_more) return events;
    query.from = page->next;
  }
}

template <typename Source>
Readable<TranscriptEntry> entries_of(const Source& source, const WorkerRef& worker_ref) {
  Readable<TranscriptEntry> entries;
  TranscriptQuery query;
  for (;;) {
    auto page = source.read_transcript(worker_ref, query);
    if (!page) {
      entries.error = page.error();
      return entries;
    }
    entries.items.insert(entries.items.end(), page->items.begin(), page->items.end());
    if (!page->next) return entries;
    query.start = page->next;
  }
}

StoreContent read_all(const fs::path& root) {
  fs_store::StoreOptions options;
  options.root = root;
  options.durability = Durability::none;
  options.runtime_id = runtime_id("main");
  StoreContent content;
  auto runtime = fs_store::open_runtime(options);
  EXPECT_TRUE(is_ok(runtime));
  if (!runtime) return content;
  auto events = events_of(*runtime);
  EXPECT_FALSE(events.error) << events.error->detail();
  content.events = std::move(events.items);
  auto workers = runtime->list_workers();
  EXPECT_TRUE(is_ok(workers));
  if (workers) content.workers = std::move(workers->workers);
  for (const WorkerSummary& worker : content.workers) {
    auto entries = entries_of(*runtime, worker.worker_ref);
    EXPECT_FALSE(entries.error) << entries.error->detail();
    content.transcripts[worker.worker_ref.worker_id] = std::move(entries.items);
  }
  return content;
}

/// The first byte of a file of the store that is another one now, or not there; none if none is.
std::optional<std::size_t> first_difference(const Change& change, const StoreImage& files) {
  const auto original = files.find(change.path);
  if (original == files.end()) return std::nullopt;
  if (change.stands != Stands::file) return 0;
  const auto& whole = original->second;
  const auto [one, other] =
      std::mismatch(whole.begin(), whole.end(), change.content.begin(), change.content.end());
  return static_cast<std::size_t>(one - whole.begin());
}

bool touches(const Damage& damage, const WorkerId& worker_id) {
  const std::string directory = "runtimes/main/workers/" + worker_id.text();
  return std::any_of(damage.changes.begin(), damage.changes.end(), [&](const Change& change) {
    return change.path == "runtimes/main/workers" || change.path == directory ||
           change.path.starts_with(directory + "/");
  });
}

void expect_typed(const std::optional<Error>& error, bool is_told) {
  if (!error) return;
  // What verify finds may also be a thing that cannot be opened.
  EXPECT_TRUE(error->code() == ErrorCode::store_corrupt ||
              (is_told && error->code() == ErrorCode::store_io))
      << error->detail();
  EXPECT_TRUE(is_told) << "verify does not know: " << error->detail();
}

/// Looks at all that can be read. `is_told`: verify names the damage.
template <typename Source>
void expect_all_is_there_or_told(const Source& source, const StoreContent& original,
                                 const Damage& damage, bool is_told) {
  for (const auto& [worker_id, entries] : original.transcripts) {
    SCOPED_TRACE(worker_id.text());
    const WorkerRef worker_ref{runtime_id("main"), worker_id};
    const auto detail = source.worker_detail(worker_ref);
    EXPECT_TRUE(detail.has_value() || is_told);
    const auto read = entries_of(source, worker_ref);
    const bool is_whole = !read.error && read.items == entries;
    if (!touches(damage, worker_id)) {
      EXPECT_TRUE(is_whole) << (read.error ? read.error->detail() : "another content");
      EXPECT_TRUE(detail && !detail->summary.damaged);
    }
    EXPECT_TRUE(is_whole || read.error || is_told || (detail && detail->summary.damaged));
    expect_typed(read.error, is_told);
  }
  const auto events = events_of(source);
  EXPECT_TRUE(events.items == original.events || events.error || is_told);
  expect_typed(events.error, is_told);
}

/// A view may be missing, the beginning of one, or NULs behind a power cut too: a note says so.
bool may_be_of_a_power_cut(const Change& change, const OriginalStore& store) {
  if (!change.path.ends_with("/worker.json") || change.stands > Stands::file) return false;
  const auto original = store.files.find(change.path);
  return original != store.files.end() &&
         (original->second.starts_with(change.content) ||
          change.content.find_first_not_of('\0') == std::string::npos);
}

bool is_of_the_store(ErrorCode code) {
  return code == ErrorCode::store_corrupt || code == ErrorCode::store_missing ||
         code == ErrorCode::store_version || code == ErrorCode::store_io;
}

/// Workers that the damage left alone take an input; the others take it or say why not.
void expect_workers_go_on(Runtime& runtime, const StoreContent& original, const Damage* damage) {
  for (const WorkerSummary& worker : original.workers) {
    SCOPED_TRACE(worker.worker_ref.worker_id.text());
    const auto sent = runtime.send_input(input(worker.worker_ref, "more"));
    if (worker.status != WorkerStatus::running) {
      EXPECT_FALSE(sent.has_value());
    } else if (damage == nullptr || !touches(*damage, worker.worker_ref.worker_id)) {
      EXPECT_TRUE(is_ok(sent));
    } else if (!sent) {
      const ErrorCode code = sent.error().code();
      EXPECT_TRUE(code == ErrorCode::worker_damaged || code == ErrorCode::store_io)
          << sent.error().detail();
    }
    if (!sent) continue;
    TranscriptQuery query;
    query.start = sent->sequence.value - 1;
    const auto page = runtime.read_transcript(worker.worker_ref, query);
    ASSERT_TRUE(is_ok(page));
    EXPECT_EQ(page->items.at(0).content, "more");
  }
}

}  // namespace

void DamagedStoreTest::SetUp() { use(original_stores().front()); }

void DamagedStoreTest::use(const OriginalStore& store) {
  store_ = &store;
  fs::remove_all(root());
  fs::remove_all(copy());
  make_store(store.files, root());
  make_store(store.files, copy());
  original_ = read_all(copy());
  ASSERT_EQ(original_.workers.size(), 3U);
  const auto report = verify({}, root());
  for (const fs_store::Finding& finding : report.findings)
    ASSERT_EQ(finding.severity, Severity::info) << finding.path << ": " << finding.message;
}

bool DamagedStoreTest::must_be_named(const Damage& damage) const {
  if (damage.verdict != Verdict::named) return false;
  if (is_closed()) return true;
  return std::any_of(damage.changes.begin(), damage.changes.end(), [&](const Change& change) {
    const auto place = first_difference(change, store_->files);
    if (!place) return !store_->files.contains(change.path);
    return *place < store_->watermarks.at(change.path);
  });
}

fs_store::VerifyReport DamagedStoreTest::verify(const Damage& damage, const fs::path& where) {
  ++tried_.verified;
  fs_store::VerifyOptions options;
  options.root = where;
  options.runtime_id = runtime_id("main");
  auto report = fs_store::verify(options);
  if (report) return *std::move(report);
  // Damage is a finding; what is left are a runtime.json that is gone, a line that might be a newer
  // version's, and what is no directory.
  const Error& error = report.error();
  EXPECT_TRUE(is_of_the_store(error.code())) << error.detail();
  EXPECT_NE(error.code(), ErrorCode::store_corrupt) << error.detail();
  fs_store::VerifyReport refused;
  const auto* const fields = error.get<FileFields>();
  std::string path = fields != nullptr ? fields->path : "";
  if (error.code() == ErrorCode::store_missing) path = "runtimes/main/runtime.json";
  if (path.empty() && !damage.changes.empty()) path = damage.changes.front().path;
  refused.findings.push_back({Severity::error,
                              std::string(to_string(error.code())),
                              error.message(),
                              std::move(path),
                              {},
                              {}});
  return refused;
}

void DamagedStoreTest::expect_place(const Damage& damage,
                                    const fs_store::VerifyReport& report) const {
  std::string seen;
  for (const fs_store::Finding& finding : report.findings) {
    seen += "\n  " + std::string(to_string(finding.severity)) + " " + finding.path + ":" +
            std::to_string(finding.line.value_or(0)) + " " + finding.code + ": " + finding.message;
    for (const Change& change : damage.changes) {
      if (finding.severity == Severity::info && !may_be_of_a_power_cut(change, *store_)) continue;
      // A segment's name is not known without it.
      const bool is_journal = finding.path.starts_with("runtimes/main/journal") &&
                              change.path.find("/journal/") != std::string::npos &&
                              change.stands != Stands::file;
      // Of a trimmed log nobody knows where a part began that is gone.
      const bool is_log = finding.code == "lines_missing" &&
                          change.path.starts_with(finding.path.substr(0, finding.path.rfind('.')));
      const bool is_here = finding.path == change.path || is_journal || is_log ||
                           change.path.starts_with(finding.path + "/") ||
                           finding.path.starts_with(change.path + "/");
      if (!is_here) continue;
      if (!damage.line) return;
      if (finding.line != damage.line) continue;
      std::size_t offset = 0;
      const std::vector<std::string> lines = lines_of(change.content);
      for (std::size_t line = 0; line + 1 < *damage.line; ++line) offset += lines[line].size();
      // A newline that is another byte now makes one line of two.
      if (finding.offset == offset) return;
    }
  }
  ADD_FAILURE() << damage.what << " is not named" << (damage.line ? " with its line" : "") << ":"
                << seen;
}

void DamagedStoreTest::expect_the_verdict(const Damage& damage) {
  SCOPED_TRACE(store_->name + ": " + damage.what);
  inflict(damage, root());
  const auto report = verify(damage, root());
  undo(damage, store_->files, root());
  if (must_be_named(damage)) {
    EXPECT_TRUE(!report.clean() ||
                std::ranges::any_of(damage.changes, [this](const Change& change) {
                  return may_be_of_a_power_cut(change, *store_);
                }));
    expect_place(damage, report);
  }
  for (const fs_store::Finding& finding : report.findings) {
    if (damage.verdict == Verdict::harmless) {
      EXPECT_EQ(finding.severity, Severity::info) << finding.path << ": " << finding.message;
    }
    if (finding.code == "torn_tail") {
      const auto watermark = store_->watermarks.find(finding.path);
      if (watermark != store_->watermarks.end()) {
        EXPECT_GE(finding.offset.value_or(0), watermark->second) << finding.path;
      }
    }
  }
}

void DamagedStoreTest::make_damaged_copy(const Damage& damage) const {
  fs::remove_all(copy());
  make_store(store_->files, copy());
  inflict(damage, copy());
}

void DamagedStoreTest::expect_nothing_is_silently_missing(const Damage& damage) {
  SCOPED_TRACE(store_->name + ": " + damage.what);
  make_damaged_copy(damage);
  const auto report = verify(damage, copy());
  --tried_.verified;
  const bool is_told = !report.clean();
  const auto reader = fs_store::Reader::open(copy(), runtime_id("main"));
  if (reader) {
    SCOPED_TRACE("reader");
    expect_all_is_there_or_told(*reader, original_, damage, is_told);
  } else {
    EXPECT_TRUE(is_of_the_store(reader.error().code())) << reader.error().detail();
    EXPECT_TRUE(is_told);
  }
  fs_store::StoreOptions options;
  options.root = copy();
  options.runtime_id = runtime_id("main");
  options.durability = Durability::none;
  auto runtime = fs_store::open_runtime(options);
  if (!runtime) {
    ++tried_.refused;
    EXPECT_TRUE(is_of_the_store(runtime.error().code())) << runtime.error().detail();
    EXPECT_NE(runtime.error().message(), "");
    EXPECT_TRUE(is_told);
    EXPECT_NE(damage.verdict, Verdict::harmless) << runtime.error().detail();
    return;
  }
  ++tried_.opened;
  expect_all_is_there_or_told(*runtime, original_, damage, is_told);
  expect_workers_go_on(*runtime, original_, &damage);
  const auto closed = runtime->close();
  EXPECT_TRUE(closed || is_told);
}

void DamagedStoreTest::expect_repair_makes_it_good(const Damage& damage) {
  SCOPED_TRACE(store_->name + ": " + damage.what);
  make_damaged_copy(damage);
  fs_store::RepairOptions options;
  options.root = copy();
  options.runtime_id = runtime_id("main");
  options.mode = fs_store::RepairMode::apply;
  const auto report = fs_store::repair(options);
  if (damage.looks_newer) {
    EXPECT_TRUE(fails_with(report, ErrorCode::store_version));
    return;
  }
  ASSERT_TRUE(is_ok(report));
  ++tried_.repaired;
  if (damage.verdict == Verdict::harmless) {
    EXPECT_TRUE(report->items.empty()) << report->items.front().message;
  }
  const auto verified = fs_store::verify({copy(), options.runtime_id});
  ASSERT_TRUE(is_ok(verified));
  for (const fs_store::Finding& finding : verified->findings) {
    EXPECT_EQ(finding.severity, Severity::info)
        << finding.path << ": " << finding.code << ": " << finding.message;
  }
  options.mode = fs_store::RepairMode::plan;
  const auto again = fs_store::repair(options);
  ASSERT_TRUE(is_ok(again));
  EXPECT_TRUE(again->items.empty()) << again->items.front().message;
  const StoreContent mended = read_all(copy());
  expect_like_the_original(mended, damage, *report);

  fs_store::StoreOptions store;
  store.root = copy();
  store.runtime_id = options.runtime_id;
  store.durability = Durability::none;
  auto runtime = fs_store::open_runtime(store);
  ASSERT_TRUE(is_ok(runtime));
  expect_workers_go_on(*runtime, mended, nullptr);
  EXPECT_TRUE(is_ok(runtime->close()));
}

void DamagedStoreTest::expect_like_the_original(const StoreContent& mended, const Damage& damage,
                                                const fs_store::RepairReport& report) {
  // What a kill left in the journal alone is nowhere else: a repair can but say so.
  const bool is_journal = std::any_of(
      damage.changes.begin(), damage.changes.end(),
      [](const Change& change) { return change.path.find("/journal") != std::string::npos; });
  const bool may_lack = is_journal && !is_closed();
  std::uint64_t lost = 0;
  std::uint64_t trimmed = original_.events.front().id.value - 1;
  std::uint64_t missing = original_.events.back().id.value - mended.events.back().id.value;
  ASSERT_LE(mended.events.back().id, original_.events.back().id);
  ASSERT_LE(mended.events.front().id, original_.events.front().id);
  for (const Event& event : mended.events) {
    if (event.unknown_kind == "event_lost") {
      ++lost;
    } else if (event.id >= original_.events.front().id) {
      // Where the record of a trim is lost, what it left in the file is kept again.
      EXPECT_EQ(event, original_.events[event.id.value - original_.events.front().id.value]);
    }
  }
  ASSERT_EQ(mended.workers.size(), original_.workers.size());
  for (std::size_t at = 0; at < mended.workers.size(); ++at) {
    const WorkerSummary& original = original_.workers[at];
    WorkerSummary worker = mended.workers[at];
    worker.usage.content_bytes = original.usage.content_bytes;
    EXPECT_LE(worker.first_sequence, original.first_sequence);
    worker.first_sequence = original.first_sequence;
    trimmed += original.first_sequence.value - 1;
    if (!may_lack) {
      EXPECT_EQ(worker, original);
    }
    const auto& entries = mended.transcripts.at(original.worker_ref.worker_id);
    const auto& before = original_.transcripts.at(original.worker_ref.worker_id);
    ASSERT_LE(mended.workers[at].transcript_len, original.transcript_len);
    missing += original.transcript_len - mended.workers[at].transcript_len;
    for (const TranscriptEntry& entry : entries) {
      if (entry.data == R"({"lost":true})") {
        ++lost;
      } else if (entry.sequence >= original.first_sequence) {
        TranscriptEntry known = before[entry.sequence.value - original.first_sequence.value];
        // Only the journal says so until a checkpoint has overwritten the line.
        if (may_lack && entry.redacted == 0 && known.redacted == entry.content.size()) {
          known.content = entry.content;
          known.redacted = 0;
        }
        EXPECT_EQ(entry, known);
      }
    }
  }
  std::uint64_t told = 0;
  for (const fs_store::RepairItem& item : report.items) told += item.lost;
  // Of what is trimmed, lines that are lost are told, and shown to nobody.
  EXPECT_LE(lost, told);
  EXPECT_LE(told, lost + trimmed);
  EXPECT_TRUE(missing == 0 || (may_lack && !report.items.empty())) << missing;
  tried_.lost += lost;
}

std::vector<const Damage*> DamagedStoreTest::some_of(const std::vector<Damage>& damages,
                                                     std::size_t most) {
  // Odd: of bits in a row each of a byte has its turn.
  const std::size_t sparse = (std::max<std::size_t>(1, damages.size() / most) - 1) | 1U;
  const std::size_t step = is_every_case_asked_for() ? 1 : sparse;
  std::vector<const Damage*> chosen;
  for (std::size_t at = 0; at < damages.size(); at += step) chosen.push_back(&damages[at]);
  return chosen;
}

void DamagedStoreTest::print_tried(const std::string& kind) const {
  std::printf(
      "%s: %llu damages verified, %llu opened, %llu refused, %llu repaired, %llu lines lost\n",
      kind.c_str(), static_cast<unsigned long long>(tried_.verified),
      static_cast<unsigned long long>(tried_.opened),
      static_cast<unsigned long long>(tried_.refused),
      static_cast<unsigned long long>(tried_.repaired),
      static_cast<unsigned long long>(tried_.lost));
}

}  // namespace worker_runtime::testing
