// Answers and errors as JSON: the members that docs/CLI.md names, and nothing that is empty.
#include <gtest/gtest.h>
#include <simdjson.h>

#include <cerrno>
#include <string>
#include <string_view>

#include "worker_runtime/fs_store/json.h"

namespace worker_runtime::fs_store {
namespace {

template <typename Value>
std::string json(const Value& value) {
  std::string out = "before ";
  append_json(out, value);
  EXPECT_EQ(out.substr(0, 7), "before ") << "appends";
  out.erase(0, 7);
  simdjson::dom::parser strict;
  EXPECT_EQ(strict.parse(out).error(), simdjson::SUCCESS) << out;
  return out;
}

std::string json_string(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

WorkerRef ref(std::string_view worker = "w-1") {
  return {*RuntimeId::parse("main"), *WorkerId::parse(worker)};
}

constexpr const char* ref_json = R"({"runtime_id":"main","worker_id":"w-1"})";
constexpr const char* time_json = R"("2026-11-24T10:00:00.000001Z")";

Timestamp at() { return *parse_timestamp("2026-11-24T10:00:00.000001Z"); }

// Puts the two values above in for @ and #, so that expectations stay readable.
std::string expected(std::string text) {
  for (std::size_t place = 0; (place = text.find_first_of("@#", place)) != std::string::npos;) {
    const std::string_view value = text[place] == '@' ? ref_json : time_json;
    text.replace(place, 1, value);
    place += value.size();
  }
  return text;
}

WorkerSummary summary() {
  WorkerSummary worker;
  worker.worker_ref = ref();
  worker.display_name = "W";
  worker.status = WorkerStatus::stopped;
  worker.damaged = "line 3";
  worker.transcript_len = 5;
  worker.last_event_id = EventId{9};
  worker.created_at = at();
  worker.updated_at = at();
  worker.usage = {1, 2, 3, {{"tokens", 4}}};
  return worker;
}

// ---- strings

TEST(JsonString, EscapesWhatMustBeAndNothingElse) {
  EXPECT_EQ(json_string(""), R"("")");
  EXPECT_EQ(json_string("a\"b\\c/d"), R"("a\"b\\c/d")");
  EXPECT_EQ(json_string("\b\f\n\r\t"), R"("\b\f\n\r\t")");
  EXPECT_EQ(json_string(std::string_view("\0\x01\x1f\x7f", 4)), "\"\\u0000\\u0001\\u001f\x7f\"");
  EXPECT_EQ(json_string("\xC3\xA9\xE2\x80\xA8\xF0\x9F\x98\x80"),
            "\"\xC3\xA9\xE2\x80\xA8\xF0\x9F\x98\x80\"");
}

TEST(JsonString, EscapesAtEveryPlaceOfALongText) {
  simdjson::dom::parser parser;
  for (std::size_t length = 1; length < 40; ++length) {
    for (std::size_t place = 0; place < length; ++place) {
      for (int byte = 0; byte < 0x80; ++byte) {
        std::string text(length, 'x');
        text[place] = static_cast<char>(byte);
        std::string_view read;
        ASSERT_EQ(parser.parse(json_string(text)).get(read), simdjson::SUCCESS) << byte;
        ASSERT_EQ(read, text) << byte << " at " << place << " of " << length;
      }
    }
  }
}

TEST(JsonString, ReplacesInvalidUtf8) {
  const std::string r = "\xEF\xBF\xBD";
  EXPECT_EQ(json_string("a\xFF"
                        "b"),
            "\"a" + r + "b\"");
  EXPECT_EQ(json_string("\xC3"), "\"" + r + "\"");
  EXPECT_EQ(json_string("\xC3\"\n"), "\"" + r + "\\\"\\n\"");
  EXPECT_EQ(json_string("\xE2\x82"), "\"" + r + r + "\"");
  EXPECT_EQ(json_string("\xED\xA0\x80"), "\"" + r + r + r + "\"");
  EXPECT_EQ(json_string("\xC0\x80"), "\"" + r + r + "\"");
  EXPECT_EQ(json_string("\xC3\xA9\x80"), "\"\xC3\xA9" + r + "\"");
}

TEST(JsonString, ReplacesInvalidUtf8AtEveryPlaceOfALongText) {
  for (std::size_t length = 1; length < 40; ++length) {
    for (std::size_t place = 0; place < length; ++place) {
      std::string text(length, 'x');
      text[place] = '\xFF';
      const std::string wanted = '"' + std::string(place, 'x') + "\xEF\xBF\xBD" +
                                 std::string(length - place - 1, 'x') + '"';
      ASSERT_EQ(json_string(text), wanted) << place << " of " << length;
    }
  }
}

// ---- histories

TEST(AnswerJson, OfAnEventNamesNoRuntimeOfItsOwn) {
  Event event;
  event.id = EventId{1};
  event.at = at();
  event.message = "runtime started";
  EXPECT_EQ(json(event),
            expected(R"({"id":1,"at":#,"kind":"runtime_started","message":"runtime started"})"));
  event.kind = EventKind::unknown;
  event.unknown_kind = "worker_renamed";
  event.worker_ref = ref();
  event.sequence = Sequence{2};
  EXPECT_EQ(json(event), expected(R"({"id":1,"at":#,"worker_ref":@,"kind":"worker_renamed",)"
                                  R"("message":"runtime started","sequence":2})"));
}

TEST(AnswerJson, OfPagesOfHistories) {
  EventPage events;
  events.next = EventId{1};
  events.epoch = Epoch{3};
  EXPECT_EQ(json(events), R"({"events":[],"next":1,"has_more":false,"epoch":3})");
  events.events.resize(2);
  events.has_more = true;
  const std::string event =
      R"({"id":0,"at":"1970-01-01T00:00:00.000000Z","kind":"runtime_started","message":""})";
  EXPECT_EQ(json(events),
            R"({"events":[)" + event + "," + event + R"(],"next":1,"has_more":true,"epoch":3})");

  TranscriptPage transcript;
  EXPECT_EQ(json(transcript), R"({"items":[],"total":0,"next":null})");
  TranscriptEntry entry;
  entry.sequence = Sequence{1};
  entry.at = at();
  entry.worker_ref = ref();
  entry.role = Role::assistant;
  entry.content = "hi";
  entry.event_id = EventId{2};
  entry.data = R"({"a":[1]})";
  transcript.items = {entry};
  transcript.total = 4;
  transcript.next = 1;
  EXPECT_EQ(json(transcript),
            expected(R"({"items":[{"sequence":1,"at":#,"worker_ref":@,"role":"assistant",)"
                     R"("content":"hi","event_id":2,"data":{"a":[1]}}],"total":4,"next":1})"));
}

TEST(AnswerJson, OfDiagnostics) {
  DiagnosticPage page;
  page.total = 7;
  page.diagnostics = {{6, at(), Severity::warning, "clock.behind", "m", std::nullopt},
                      {7, at(), Severity::error, "worker.damaged", "n", ref()}};
  EXPECT_EQ(json(page),
            expected(R"({"diagnostics":[{"id":6,"at":#,"severity":"warning",)"
                     R"("code":"clock.behind","message":"m"},{"id":7,"at":#,"severity":"error",)"
                     R"("code":"worker.damaged","message":"n","worker_ref":@}],"total":7})"));
}

// ---- Workers

TEST(AnswerJson, OfAListOfWorkers) {
  WorkerPage page;
  EXPECT_EQ(json(page), R"({"workers":[],"next_after":null})");
  page.workers = {summary()};
  page.next_after = *WorkerId::parse("w-1");
  EXPECT_EQ(json(page),
            expected(R"({"workers":[{"worker_ref":@,"display_name":"W","status":"stopped",)"
                     R"("damaged":"line 3","created_at":#,"updated_at":#,"transcript_len":5,)"
                     R"("last_event_id":9,"usage":{"inputs":1,"outputs":2,"content_bytes":3,)"
                     R"("counters":{"tokens":4}}}],"next_after":"w-1"})"));
}

TEST(AnswerJson, OfAWorkersDetailIsFlat) {
  WorkerDetail detail;
  detail.summary = summary();
  detail.request.emplace();
  detail.request->intent = TaskIntent{"count"};
  detail.request->worker_id = *WorkerId::parse("w-1");
  detail.request->idempotency_key = "k";
  detail.request->config_bundle = "b";
  detail.request->requested_capabilities = {{"n", "r"}};
  const std::string detail_json =
      expected(R"({"worker_ref":@,"display_name":"W","status":"stopped","damaged":"line 3",)"
               R"("intent":{"kind":"task","objective":"count"},)"
               R"("profile":{"kind":"runtime_default"},"config_bundle":{"id":"b"},)"
               R"("requested_capabilities":[{"name":"n","reason":"r"}],)"
               R"("created_at":#,"updated_at":#,"transcript_len":5,"last_event_id":9,)"
               R"("usage":{"inputs":1,"outputs":2,"content_bytes":3,"counters":{"tokens":4}}})");
  EXPECT_EQ(json(detail), detail_json);
  EXPECT_EQ(json(Answer(detail)), R"({"worker":)" + detail_json + "}");
}

TEST(AnswerJson, LeavesOutWhatIsEmpty) {
  WorkerDetail detail;
  detail.summary = summary();
  detail.summary.display_name.reset();
  detail.summary.damaged.reset();
  detail.summary.usage = {};
  EXPECT_EQ(json(detail),
            expected(R"({"worker_ref":@,"status":"stopped","created_at":#,"updated_at":#,)"
                     R"("transcript_len":5,"last_event_id":9,"usage":{"inputs":0,"outputs":0,)"
                     R"("content_bytes":0,"counters":{}}})"));
  EXPECT_EQ(json(detail), json(detail.summary));
}

TEST(AnswerJson, OfMutations) {
  EXPECT_EQ(json(Answer(EntryAccepted{ref(), WorkerStatus::running, Sequence{3}, EventId{17}})),
            expected(R"({"worker_ref":@,"status":"running","sequence":3,"event_id":17})"));
  EXPECT_EQ(json(Answer(WorkerEnded{ref(), WorkerStatus::cancelled, EventId{18}})),
            expected(R"({"worker_ref":@,"status":"cancelled","event_id":18})"));
  EXPECT_EQ(json(Answer(WorkerDeleted{ref(), EventId{19}})),
            expected(R"({"worker_ref":@,"event_id":19})"));
  EXPECT_EQ(json(Answer(RuntimeChanged{EventId{20}})), R"({"event_id":20})");
}

// ---- the overview

TEST(AnswerJson, OfTheSummaryOfAMemoryRuntime) {
  RuntimeSummary overview;
  overview.runtime_id = *RuntimeId::parse("main");
  overview.backend = "memory";
  overview.worker_count = 6;
  overview.active_worker_count = 1;
  overview.stopped_worker_count = 2;
  overview.cancelled_worker_count = 3;
  overview.event_count = 10;
  const std::string text = json(overview);
  EXPECT_EQ(text.find(R"({"runtime_id":"main","backend":"memory","durability":"sync","epoch":0,)"
                      R"("status":"running","worker_count":6,"active_worker_count":1,)"
                      R"("stopped_worker_count":2,"cancelled_worker_count":3,)"
                      R"("damaged_worker_count":0,"event_count":10,"transcript_entry_count":0,)"
                      R"("content_bytes":0,"usage":{)"),
            0U)
      << text;
  EXPECT_EQ(text.find("\"store\""), std::string::npos);
  for (const LimitName& limit : limit_names()) {
    EXPECT_NE(text.find("\"" + std::string(limit.name) +
                        "\":" + std::to_string(overview.limits.*limit.member)),
              std::string::npos)
        << limit.name;
  }
}

TEST(AnswerJson, OfTheSummaryOfAStoreTellsHowItIs) {
  RuntimeSummary overview;
  overview.runtime_id = *RuntimeId::parse("main");
  overview.backend = "fs_store";
  overview.store.emplace();
  overview.store->state = StoreHealth::Condition::full;
  overview.store->free_bytes = 1;
  overview.store->journal_bytes = 2;
  overview.store->durable_lsn = Lsn{3};
  overview.store->checkpoint_lsn = Lsn{4};
  EXPECT_NE(json(overview).find(R"("store":{"state":"full","free_bytes":1,"journal_bytes":2,)"
                                R"("durable_lsn":3,"checkpoint_lsn":4}})"),
            std::string::npos);
  overview.store->detail = "no space";
  overview.store->recovered = "replayed 7 commits";
  const std::string text = json(overview);
  EXPECT_NE(text.find(R"({"state":"full","detail":"no space",)"), std::string::npos);
  EXPECT_NE(text.find(R"("recovered":"replayed 7 commits"}})"), std::string::npos);
}

TEST(AnswerJson, OfWhatVerifyFound) {
  VerifyReport report;
  report.files = 3;
  report.bytes = 4096;
  EXPECT_EQ(json(report), R"({"findings":[],"files":3,"bytes":4096})");
  report.findings = {{Severity::error, "checksum_mismatch", "line 3", "a/events.jsonl", 3, 270},
                     {Severity::info, "stray_file", "not ours", "a/x\xFF", {}, {}}};
  report.findings[1].alike = 4;
  report.truncated = true;
  EXPECT_EQ(json(report),
            R"({"findings":[{"severity":"error","code":"checksum_mismatch",)"
            R"("path":"a/events.jsonl","line":3,"offset":270,"message":"line 3"},)"
            R"({"severity":"info","code":"stray_file","path":"a/x)"
            "\xEF\xBF\xBD"
            R"(","message":"not ours","alike":4}],"truncated":true,"files":3,"bytes":4096})");
  EXPECT_EQ(json(report.findings[0]),
            R"({"severity":"error","code":"checksum_mismatch","path":"a/events.jsonl","line":3,)"
            R"("offset":270,"message":"line 3"})");
}

// ---- errors

TEST(ErrorJson, HasCodeAndMessage) {
  EXPECT_EQ(json(Error(ErrorCode::worker_not_found, "no Worker \"w\"")),
            R"({"code":"worker_not_found","message":"no Worker \"w\""})");
}

TEST(ErrorJson, HasTheTypedFieldsByName) {
  EXPECT_EQ(
      json(Error(ErrorCode::limit_exceeded, "m", LimitFields{"input_bytes", 9, 8})),
      R"({"code":"limit_exceeded","message":"m","what":"input_bytes","requested":9,"max":8})");
  EXPECT_EQ(json(Error(ErrorCode::cursor_expired, "m", CursorFields{7})),
            R"({"code":"cursor_expired","message":"m","first_available":7})");
  EXPECT_EQ(json(Error(ErrorCode::runtime_ambiguous, "m", AmbiguousFields{{"a", "b\""}})),
            R"({"code":"runtime_ambiguous","message":"m","runtimes":["a","b\""]})");
  EXPECT_EQ(json(Error(ErrorCode::store_version, "m", VersionFields{2, 1})),
            R"({"code":"store_version","message":"m","found":2,"supported":1})");
}

TEST(ErrorJson, OfAFileNamesThePlaceAsFarAsItIsKnown) {
  FileFields fields;
  fields.root = "/secret/root";
  EXPECT_EQ(json(Error(ErrorCode::store_corrupt, "m", fields)),
            R"({"code":"store_corrupt","message":"m"})");
  fields.path = "runtimes/main/events.jsonl";
  fields.line = 3;
  fields.offset = 270;
  fields.next_readable = 5;
  EXPECT_EQ(json(Error(ErrorCode::store_corrupt, "m", fields)),
            R"({"code":"store_corrupt","message":"m","path":"runtimes/main/events.jsonl",)"
            R"("line":3,"offset":270,"next_readable":5})");
}

TEST(ErrorJson, NamesSystemErrorsBySymbol) {
  FileFields fields;
  fields.system_error = ENOSPC;
  EXPECT_EQ(json(Error(ErrorCode::store_full, "m", fields)),
            R"({"code":"store_full","message":"m","system_error":"ENOSPC"})");
  fields.system_error = 987654;
  EXPECT_EQ(json(Error(ErrorCode::store_io, "m", fields)),
            R"({"code":"store_io","message":"m","system_error":987654})");
}

TEST(ErrorJson, OfALockedStoreNamesTheHolderAsFarAsItIsKnown) {
  EXPECT_EQ(json(Error(ErrorCode::store_locked, "m", HolderFields{})),
            R"({"code":"store_locked","message":"m"})");
  EXPECT_EQ(json(Error(ErrorCode::store_locked, "m",
                       HolderFields{42, "host", "2026-11-24T10:00:00.000001Z"})),
            expected(R"({"code":"store_locked","message":"m","pid":42,"host":"host","since":#})"));
}

TEST(ErrorJson, OfABatchNamesTheOperation) {
  Error error(ErrorCode::limit_exceeded, "m", LimitFields{"x", 2, 1});
  error.set_index(0);
  EXPECT_EQ(
      json(error),
      R"({"code":"limit_exceeded","message":"m","what":"x","requested":2,"max":1,"index":0})");
}

}  // namespace
}  // namespace worker_runtime::fs_store
