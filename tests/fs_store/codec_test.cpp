// Domain values in lines of files: what is written is read back, what is unknown is kept or refused
// as the kind of line says, and nothing malformed is taken for something else.
#include "codec.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "checked_line.h"
#include "worker_runtime/fs_store/fs_store.h"
#include "worker_runtime/text.h"

namespace worker_runtime::fs_store {
namespace {

// ---- values

RuntimeId runtime(std::string_view text = "main") { return *RuntimeId::parse(text); }
WorkerId worker(std::string_view text = "w-1") { return *WorkerId::parse(text); }
WorkerRef ref() { return {runtime(), worker()}; }
Timestamp at(std::string_view text = "2026-11-24T10:00:00.000001Z") {
  return *parse_timestamp(text);
}

Event input_event() {
  Event event;
  event.id = EventId{17};
  event.at = at();
  event.worker_ref = ref();
  event.kind = EventKind::worker_input_accepted;
  event.message = "input accepted";
  event.sequence = Sequence{3};
  return event;
}

Event runtime_event() {
  Event event;
  event.id = EventId{1};
  event.at = at();
  event.kind = EventKind::runtime_started;
  event.message = "runtime started";
  return event;
}

TranscriptEntry full_entry() {
  TranscriptEntry entry;
  entry.sequence = Sequence{3};
  entry.at = at();
  entry.worker_ref = ref();
  entry.role = Role::tool;
  entry.content = "line\n\"quoted\" \\ \t \x01 \xC3\xA9 \xF0\x9F\x98\x80";
  entry.content += '\0';
  entry.event_id = EventId{17};
  entry.name = "grep";
  entry.data = R"({"a":[1,2,{"b":null}],"c":"\ud83d\ude00","n":1e400})";
  entry.idempotency_key = "key-1";
  entry.usage = {{"input tokens", 12}, {"output \"tokens\"", counter_max}};
  return entry;
}

CreateRequest full_request() {
  CreateRequest request;
  request.intent = RoleIntent{"reviewer", "find bugs"};
  request.profile = {ProfileKind::named, "strict"};
  request.config_bundle = "bundle-7";
  request.requested_capabilities = {{"shell", "to build"}, {"net", std::nullopt}};
  request.workspace_refs = {{"main", "git:main"}};
  request.mount_refs = {{"data", "/srv/data"}, {"tmp", "tmpfs"}};
  request.worker_id = worker();
  request.display_name = "Reviewer \xE2\x9C\x93";
  request.idempotency_key = "create-1";
  return request;
}

CatalogRecord full_record() {
  CatalogRecord content;
  content.record.worker_id = worker();
  content.record.display_name = "Reviewer";
  content.record.status = WorkerStatus::cancelled;
  content.record.created_at = at();
  content.record.updated_at = at("2026-11-24T11:00:00.000000Z");
  content.record.last_sequence = Sequence{42};
  content.record.last_event_id = EventId{99};
  content.record.usage = {20, 22, 12345, {{"tokens", 7}}};
  content.record.lsn = Lsn{77};
  content.record.create_key = "create-1";
  content.create_digest = BodyDigest{{0x0123456789abcdefU, 0xfedcba9876543210U}};
  content.transcript = {10, 2048, 42};
  encode(content.create, full_request());
  return content;
}

RuntimeSnapshot full_snapshot() {
  RuntimeSnapshot snapshot;
  RuntimeRecord& record = snapshot.record;
  record.runtime_id = runtime();
  record.display_name = "Night shift";
  record.status = RuntimeStatus::stopped;
  record.limits.page_items = 10;
  record.limits.input_bytes = std::uint64_t{1} << 60U;
  record.lsn = Lsn{18446744073709551615U};
  record.last_at = at();
  record.last_event_id = EventId{99};
  record.next_worker = 5;
  record.running_workers = 1;
  record.stopped_workers = 2;
  record.cancelled_workers = 3;
  record.transcript_entries = 500;
  record.usage = {1, 2, 3, {{"a", 1}, {"b", 2}}};
  snapshot.epoch = Epoch{6};
  snapshot.created_at = at();
  snapshot.catalog = {Lsn{70}, 4096, 12, 0xdeadbeefU};
  snapshot.events = {1, 5000, 99};
  snapshot.diagnostics = {
      {3, at(), Severity::warning, "clock.behind", "the clock is behind", std::nullopt},
      {4, at(), Severity::error, "worker.damaged", "line 3", ref()}};
  snapshot.diagnostics_total = 9;
  return snapshot;
}

Commit full_commit() {
  Commit commit;
  commit.lsn = Lsn{8};
  Change create;
  create.event = input_event();
  create.event.kind = EventKind::worker_created;
  create.event.sequence.reset();
  create.create = full_request();
  Change input;
  input.event = input_event();
  input.entry = full_entry();
  Change stop;
  stop.event = runtime_event();
  stop.event.kind = EventKind::runtime_stopped;
  stop.stopped_workers = 12;
  commit.changes = {create, input, stop};
  return commit;
}

std::string record_of(const Commit& commit) {
  std::string changes;
  encode_changes(changes, commit, runtime());
  std::string out;
  encode(out, RecordHead{commit.lsn, Epoch{2}, Lsn{7}, 0x0000abcdU}, changes);
  return out;
}

template <typename... Values>
std::string encoded(const Values&... values) {
  std::string out;
  encode(out, values...);
  return out;
}

std::string checked(std::string_view object) {
  std::string line;
  append_checked_line(line, object);
  line.pop_back();
  return line;
}

// The object with `,"name":value` put in before its last bracket.
std::string with_member(std::string object, std::string_view member) {
  object.insert(object.size() - 1, "," + std::string(member));
  return object;
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const auto place = text.find(from);
  EXPECT_NE(place, std::string::npos) << from << " in " << text;
  return place == std::string::npos ? text : text.replace(place, from.size(), to);
}

template <typename T>
::testing::AssertionResult is_corrupt(const Result<T>& result) {
  if (result) return ::testing::AssertionFailure() << "was read";
  if (result.error().code() != ErrorCode::store_corrupt) {
    return ::testing::AssertionFailure() << to_string(result.error().code());
  }
  return ::testing::AssertionSuccess() << result.error().message();
}

template <typename T>
::testing::AssertionResult is_newer(const Result<T>& result) {
  if (result) return ::testing::AssertionFailure() << "was read";
  const auto* fields = result.error().template get<VersionFields>();
  if (result.error().code() != ErrorCode::store_version || fields == nullptr) {
    return ::testing::AssertionFailure() << result.error().message();
  }
  if (fields->found <= schema_version || fields->supported != schema_version) {
    return ::testing::AssertionFailure() << fields->found << " and " << fields->supported;
  }
  return ::testing::AssertionSuccess();
}

// ---- events

TEST(EventLine, HasTheNumberFirstAndNamesItsWorker) {
  EXPECT_EQ(encoded(input_event(), runtime()),
            R"({"id":17,"at":"2026-11-24T10:00:00.000001Z",)"
            R"("worker_ref":{"runtime_id":"main","worker_id":"w-1"},)"
            R"("kind":"worker_input_accepted","message":"input accepted","sequence":3})");
}

TEST(EventLine, NamesTheRuntimeWhereThereIsNoWorker) {
  EXPECT_EQ(encoded(runtime_event(), runtime()),
            R"({"id":1,"at":"2026-11-24T10:00:00.000001Z","runtime_id":"main",)"
            R"("kind":"runtime_started","message":"runtime started"})");
}

TEST(EventLine, IsReadBackFromAnObjectAndFromACheckedLine) {
  Decoder decoder;
  for (const Event& event : {input_event(), runtime_event()}) {
    const std::string object = encoded(event, runtime("other"));
    RuntimeId named;
    EXPECT_EQ(*decoder.event(object, &named), event);
    EXPECT_EQ(named.text(), event.worker_ref ? "main" : "other");
    EXPECT_EQ(*decoder.event(checked(object), &named), event);
    EXPECT_EQ(*decoder.event(object), event);
  }
}

TEST(EventLine, OfAnUnknownKindIsKept) {
  Event event = runtime_event();
  event.kind = EventKind::unknown;
  event.unknown_kind = "worker \"renamed\"";
  Decoder decoder;
  EXPECT_EQ(*decoder.event(encoded(event, runtime())), event);
}

TEST(EventLine, WithUnknownMembersIsRead) {
  Decoder decoder;
  const std::string object =
      with_member(encoded(input_event(), runtime()), R"("later":{"a":[1,{"id":5}]},"x":null)");
  EXPECT_EQ(*decoder.event(checked(object)), input_event());
}

TEST(EventLine, ThatNamesNoRuntimeIsCorruptWhereOneIsAskedFor) {
  Decoder decoder;
  const std::string object =
      replaced(encoded(runtime_event(), runtime()), R"("runtime_id":"main",)", "");
  RuntimeId named;
  EXPECT_TRUE(is_corrupt(decoder.event(object, &named)));
  EXPECT_TRUE(decoder.event(object));
}

TEST(EventLine, ThatNamesTwoRuntimesIsCorrupt) {
  Decoder decoder;
  const std::string object = encoded(input_event(), runtime());
  EXPECT_TRUE(decoder.event(with_member(object, R"("runtime_id":"main")")));
  EXPECT_TRUE(is_corrupt(decoder.event(with_member(object, R"("runtime_id":"other")"))));
}

TEST(EventLine, MalformedIsCorrupt) {
  Decoder decoder;
  const std::string good = encoded(input_event(), runtime());
  const std::vector<std::string> bad = {
      "",
      " ",
      "null",
      "17",
      "[]",
      "{}",
      "[" + good + "]",
      good + "x",
      good + good,
      good + "}",
      good.substr(0, good.size() - 1),
      good.substr(1),
      replaced(good, "17", "-17"),
      replaced(good, "17", "17.0"),
      replaced(good, "17", "1e3"),
      replaced(good, "17", "017"),
      replaced(good, "17", "18446744073709551616"),
      replaced(good, "17", "\"17\""),
      replaced(good, "17", "null"),
      replaced(good, "17", "true"),
      replaced(good, "17", "{}"),
      replaced(good, R"("id":17,)", ""),
      replaced(good, R"("id":17,)", R"("id":17,"id":17,)"),
      replaced(good, R"("id":17,)", R"("id":17,"\u0069d":17,)"),
      replaced(good, R"("id":17,)", R"("id":17,,)"),
      replaced(good, R"("id":17,)", R"("id" 17,)"),
      replaced(good, R"("id":17,)", R"(id:17,)"),
      replaced(good, "2026-11-24T10:00:00.000001Z", "2026-11-24T10:00:00Z"),
      replaced(good, "2026-11-24", "2026-13-24"),
      replaced(good, R"("w-1")", R"("")"),
      replaced(good, R"("w-1")", R"(" w-1")"),
      replaced(good, R"("w-1")", R"("w\u0000")"),
      replaced(good, R"("w-1")", R"("w","worker_id":"w")"),
      replaced(good, R"({"runtime_id":"main","worker_id":"w-1"})", R"({"runtime_id":"main"})"),
      replaced(good, R"({"runtime_id":"main","worker_id":"w-1"})", R"("w-1")"),
      replaced(good, R"({"runtime_id":"main","worker_id":"w-1"})", "null"),
      replaced(good, "input accepted", R"(\ud800)"),
      replaced(good, "input accepted", R"(\udc00\ud800)"),
      replaced(good, "input accepted", R"(\x)"),
      replaced(good, "input accepted", "\xED\xA0\x80"),
      replaced(good, "input accepted", "\xFF"),
      replaced(good, "input accepted", "a\nb"),
      replaced(good, "input accepted", std::string_view("a\0b", 3)),
      "\xEF\xBB\xBF" + good,
  };
  for (const std::string& line : bad) EXPECT_TRUE(is_corrupt(decoder.event(line))) << line;
  EXPECT_TRUE(decoder.event(good)) << "and the decoder is none the worse for it";
}

TEST(EventLine, MistakesAreNamedWithTheirByte) {
  Decoder decoder;
  const std::string good = encoded(input_event(), runtime());
  const auto message_of = [&](const std::string& line) {
    const auto result = decoder.event(line);
    return result ? std::string("no error") : result.error().message();
  };
  const std::string negative = replaced(good, "17", "-17");
  EXPECT_EQ(message_of(negative), "no unsigned 64-bit integer (at byte 1)");
  EXPECT_EQ(message_of(checked(negative)), "no unsigned 64-bit integer (at byte 18)")
      << "the byte of the line, with its checksum";
  EXPECT_EQ(message_of(replaced(good, R"("id":17,)", "")), "member \"id\" is missing");
  EXPECT_EQ(message_of(good + " x"),
            "an object or array without an end, or something behind it (at byte 0)");
}

// ---- entries

TEST(EntryLine, HasEveryMemberInOrder) {
  TranscriptEntry entry = full_entry();
  entry.content = "done";
  entry.data = R"({"exit":0})";
  entry.usage = {{"tokens", 7}};
  EXPECT_EQ(encoded(entry), R"({"sequence":3,"at":"2026-11-24T10:00:00.000001Z",)"
                            R"("worker_ref":{"runtime_id":"main","worker_id":"w-1"},"role":"tool",)"
                            R"("content":"done","event_id":17,"name":"grep","data":{"exit":0},)"
                            R"("idempotency_key":"key-1","usage":{"tokens":7}})");
}

TEST(EntryLine, LeavesOutWhatIsEmpty) {
  TranscriptEntry entry;
  entry.sequence = Sequence{1};
  entry.at = at();
  entry.worker_ref = ref();
  entry.content = "hi";
  entry.event_id = EventId{2};
  EXPECT_EQ(encoded(entry), R"({"sequence":1,"at":"2026-11-24T10:00:00.000001Z",)"
                            R"("worker_ref":{"runtime_id":"main","worker_id":"w-1"},"role":"user",)"
                            R"("content":"hi","event_id":2})");
  EXPECT_EQ(*Decoder().entry(encoded(entry)), entry);
}

TEST(EntryLine, IsReadBackWithAnyContent) {
  Decoder decoder;
  TranscriptEntry entry = full_entry();
  EXPECT_EQ(*decoder.entry(checked(encoded(entry))), entry);
  for (std::uint32_t code_point = 0; code_point <= 0x10FFFF; ++code_point) {
    if (code_point >= 0xD800 && code_point < 0xE000) continue;
    if (code_point > 0x300 && code_point % 251 != 0 && code_point < 0x10FF00) continue;
    std::string text;
    if (code_point < 0x80) {
      text += static_cast<char>(code_point);
    } else if (code_point < 0x800) {
      text += static_cast<char>(0xC0U | (code_point >> 6U));
      text += static_cast<char>(0x80U | (code_point & 0x3FU));
    } else if (code_point < 0x10000) {
      text += static_cast<char>(0xE0U | (code_point >> 12U));
      text += static_cast<char>(0x80U | ((code_point >> 6U) & 0x3FU));
      text += static_cast<char>(0x80U | (code_point & 0x3FU));
    } else {
      text += static_cast<char>(0xF0U | (code_point >> 18U));
      text += static_cast<char>(0x80U | ((code_point >> 12U) & 0x3FU));
      text += static_cast<char>(0x80U | ((code_point >> 6U) & 0x3FU));
      text += static_cast<char>(0x80U | (code_point & 0x3FU));
    }
    for (const std::string_view prefix : {"", "1234567", "12345678"}) {
      entry.content = std::string(prefix) + text + "z";
      const auto read = decoder.entry(encoded(entry));
      ASSERT_TRUE(read) << code_point << ": " << read.error().message();
      ASSERT_EQ(read->content, entry.content) << code_point;
    }
  }
}

TEST(EntryLine, MayBeLong) {
  Decoder decoder;
  TranscriptEntry entry = full_entry();
  for (const std::size_t size : {4000U, 5000U, 1U << 20U, 17U << 20U, 10U}) {
    entry.content.assign(size, 'x');
    entry.content += "\n\"";
    EXPECT_EQ(*decoder.entry(checked(encoded(entry))), entry) << size;
  }
}

TEST(EntryLine, CountersComeBackOrderedByName) {
  const std::string object =
      replaced(encoded(full_entry()), R"("usage":{)", R"("usage":{"zz":1,"aa":2,)");
  const auto entry = Decoder().entry(object);
  ASSERT_TRUE(entry);
  ASSERT_EQ(entry->usage.size(), 4U);
  EXPECT_EQ(entry->usage.front().name, "aa");
  EXPECT_EQ(entry->usage.back().name, "zz");
}

TEST(EntryLine, MalformedIsCorrupt) {
  Decoder decoder;
  const std::string good = encoded(full_entry());
  const std::string data = *full_entry().data;
  const std::vector<std::string> bad = {
      replaced(good, R"("role":"tool")", R"("role":"judge")"),
      replaced(good, R"("role":"tool")", R"("role":3)"),
      replaced(good, R"("event_id":17,)", ""),
      replaced(good, data, "[]"),
      replaced(good, data, "7"),
      replaced(good, data, "null"),
      replaced(good, data, R"({"a":[1,,2]})"),
      replaced(good, data, R"({"a":[1})"),
      replaced(good, data, R"({"a":1]})"),
      replaced(good, data, R"({"a":1,"a":2})"),
      replaced(good, data, R"({"a":tru})"),
      replaced(good, data, R"({"a":"\ud800"})"),
      replaced(good, data, R"({"a":01})"),
      replaced(good, data, R"({"a")"),
      replaced(good, R"("input tokens":12)", R"("input tokens":-1)"),
      replaced(good, R"("input tokens":12)", R"("input tokens":"12")"),
      replaced(good, R"("input tokens":12)", R"("input tokens":12,"input tokens":12)"),
      replaced(good, R"("key-1")", "null"),
  };
  for (const std::string& line : bad) EXPECT_TRUE(is_corrupt(decoder.entry(line))) << line;
}

// ---- create requests

TEST(CreateRequestObject, IsReadBack) {
  Decoder decoder;
  std::vector<CreateRequest> requests(5, full_request());
  requests[1].intent = TaskIntent{"count the files"};
  requests[2].intent = AssistantIntent{};
  requests[2].profile = {};
  requests[2].config_bundle.reset();
  requests[2].requested_capabilities.clear();
  requests[2].workspace_refs.clear();
  requests[2].mount_refs.clear();
  requests[3].intent = AssistantIntent{"help"};
  requests[3].profile = {ProfileKind::builtin, "fast"};
  requests[4].intent = RoleIntent{"reviewer", std::nullopt};
  for (const CreateRequest& request : requests) {
    EXPECT_EQ(*decoder.create_request(encoded(request)), request) << encoded(request);
  }
}

TEST(CreateRequestObject, HasTheMembersOfThePipeRequest) {
  EXPECT_EQ(
      encoded(full_request()),
      R"({"worker_id":"w-1","display_name":"Reviewer )"
      "\xE2\x9C\x93"
      R"(","intent":{"kind":"role","role":"reviewer","purpose":"find bugs"},)"
      R"("profile":{"kind":"named","value":"strict"},"config_bundle":{"id":"bundle-7"},)"
      R"("requested_capabilities":[{"name":"shell","reason":"to build"},{"name":"net"}],)"
      R"("workspace_refs":[{"name":"main","reference":"git:main"}],)"
      R"("mount_refs":[{"name":"data","reference":"/srv/data"},{"name":"tmp","reference":"tmpfs"}],)"
      R"("idempotency_key":"create-1"})");
}

TEST(CreateRequestObject, MalformedIsCorrupt) {
  Decoder decoder;
  for (const char* bad : {
           R"({})",
           R"({"intent":{}})",
           R"({"intent":{"kind":"dream"}})",
           R"({"intent":{"kind":"task"}})",
           R"({"intent":{"kind":"task","objective":"x","purpose":"y"}})",
           R"({"intent":{"kind":"assistant","objective":"x"}})",
           R"({"intent":{"kind":"role","purpose":"x"}})",
           R"({"intent":"assistant"})",
           R"({"intent":{"kind":"assistant"},"profile":"named"})",
           R"({"intent":{"kind":"assistant"},"profile":{"kind":"named"}})",
           R"({"intent":{"kind":"assistant"},"profile":{"kind":"runtime_default","value":"x"}})",
           R"({"intent":{"kind":"assistant"},"profile":{"kind":"other","value":"x"}})",
           R"({"intent":{"kind":"assistant"},"profile":{"value":"x"}})",
           R"({"intent":{"kind":"assistant"},"config_bundle":{}})",
           R"({"intent":{"kind":"assistant"},"config_bundle":"b"})",
           R"({"intent":{"kind":"assistant"},"requested_capabilities":{}})",
           R"({"intent":{"kind":"assistant"},"requested_capabilities":["x"]})",
           R"({"intent":{"kind":"assistant"},"requested_capabilities":[{}]})",
           R"({"intent":{"kind":"assistant"},"workspace_refs":[{"name":"x"}]})",
           R"({"intent":{"kind":"assistant"},"mount_refs":[{"reference":"x"}]})",
           R"({"intent":{"kind":"assistant"},"mount_refs":[{"name":"x","reference":"y"},]})",
           R"({"intent":{"kind":"assistant"},"worker_id":""})",
       }) {
    EXPECT_TRUE(is_corrupt(decoder.create_request(bad))) << bad;
  }
}

// ---- the catalog

TEST(CatalogLineOfAWorker, IsReadBackWithAndWithoutItsRequest) {
  Decoder decoder;
  const CatalogRecord record = full_record();
  const std::string line = checked(encoded(record, runtime()));
  EXPECT_EQ(line_number(line, "lsn"), 77U);
  for (const Requests requests : {Requests::read, Requests::skip}) {
    const auto read = decoder.catalog_line(line, requests);
    ASSERT_TRUE(read) << read.error().message();
    ASSERT_TRUE(read->record);
    EXPECT_FALSE(read->tombstone);
    EXPECT_EQ(read->runtime_id, runtime());
    EXPECT_EQ(read->record->record, record.record);
    EXPECT_EQ(read->record->create_digest, record.create_digest);
    EXPECT_EQ(read->record->transcript, record.transcript);
    EXPECT_EQ(read->record->create, requests == Requests::read ? record.create : "");
    EXPECT_EQ(read->record->unknown, "");
  }
}

TEST(CatalogLineOfAWorker, KeepsUnknownMembersThroughAnotherWrite) {
  Decoder decoder;
  CatalogRecord record = full_record();
  const std::string unknown = R"("mood":{"now":"good","past":[1,2.5,"\u00e9"]},"pins":[],"é\"":-0)";
  const std::string line = with_member(encoded(record, runtime()), unknown);
  const auto read = decoder.catalog_line(line, Requests::read);
  ASSERT_TRUE(read) << read.error().message();
  EXPECT_EQ(read->record->unknown, "," + unknown);
  EXPECT_EQ(encoded(*read->record, runtime()), line);
}

TEST(CatalogLineOfAWorker, KeepsUnknownMembersThatStandBetweenOthers) {
  const std::string line = replaced(encoded(full_record(), runtime()), R"("status")",
                                    R"("mood" : { "now" : "good" } ,"status")");
  const auto read = Decoder().catalog_line(line, Requests::read);
  ASSERT_TRUE(read) << read.error().message();
  EXPECT_EQ(read->record->unknown, R"(,"mood":{"now":"good"})");
}

TEST(CatalogLineOfATombstone, IsReadBack) {
  Decoder decoder;
  Tombstone tombstone{worker(), CreateKey{"k", BodyDigest{{1, 2}}}, Lsn{5}};
  for (int keyed = 0; keyed < 2; ++keyed) {
    const auto read = decoder.catalog_line(checked(encoded(tombstone, runtime())), Requests::skip);
    ASSERT_TRUE(read) << read.error().message();
    ASSERT_TRUE(read->tombstone);
    EXPECT_FALSE(read->record);
    EXPECT_EQ(*read->tombstone, tombstone);
    EXPECT_EQ(read->runtime_id, runtime());
    tombstone.create_key.reset();
  }
  EXPECT_EQ(encoded(tombstone, runtime()),
            R"({"lsn":5,"runtime_id":"main","worker_id":"w-1","deleted":true})");
}

TEST(CatalogLine, MalformedIsCorrupt) {
  Decoder decoder;
  const std::string good = encoded(full_record(), runtime());
  const std::vector<std::string> bad = {
      R"({"lsn":5,"runtime_id":"main","worker_id":"w-1"})",
      R"({"lsn":5,"runtime_id":"main","worker_id":"w-1","deleted":false})",
      R"({"lsn":5,"runtime_id":"main","deleted":true})",
      R"({"lsn":5,"runtime_id":"main","worker_id":"w-1","deleted":1})",
      R"({"lsn":5,"runtime_id":"main","worker_id":"w-1","deleted":true,"create_key":"k"})",
      replaced(good, R"("create_digest":"0123456789abcdeffedcba9876543210",)", ""),
      replaced(good, R"("create_key":"create-1",)", ""),
      replaced(good, "0123456789abcdef", "0123456789ABCDEF"),
      replaced(good, "0123456789abcdef", "0123"),
      replaced(good, R"("create":{)", R"("create":[{)"),
      replaced(good, R"("status":"cancelled")", R"("status":"damaged")"),
      replaced(good, R"("first":10)", R"("first":"10")"),
      replaced(good, R"("first":10,)", ""),
      replaced(good, R"("inputs":20,)", ""),
      replaced(good, R"("usage":{)", R"("usage":[)"),
      with_member(good, R"("x":1,"x":2)"),
      with_member(good, R"("x":[1,,2])"),
      with_member(good, R"("x":[1})"),
      with_member(good, R"("x":nul)"),
      with_member(good, R"("x":"\ud800")"),
      with_member(good, R"("crc":"00000000")"),
      with_member(good, R"("lsn":5)"),
  };
  for (const std::string& line : bad) {
    EXPECT_TRUE(is_corrupt(decoder.catalog_line(line, Requests::read))) << line;
  }
  std::string many = good;
  for (int i = 0; i < 300; ++i) many = with_member(many, "\"x" + std::to_string(i) + "\":1");
  EXPECT_TRUE(is_corrupt(decoder.catalog_line(many, Requests::read)));
}

TEST(CatalogHeader, NamesItsLsnFirst) {
  std::string out;
  encode_catalog_header(out, Lsn{9}, runtime());
  EXPECT_EQ(out, R"({"lsn":9,"schema_version":1,"runtime_id":"main"})");
}

// ---- runtime.json

void expect_equal(const RuntimeSnapshot& a, const RuntimeSnapshot& b) {
  EXPECT_EQ(a.record, b.record);
  EXPECT_EQ(a.epoch, b.epoch);
  EXPECT_EQ(a.created_at, b.created_at);
  EXPECT_EQ(a.catalog, b.catalog);
  EXPECT_EQ(a.events, b.events);
  EXPECT_EQ(a.diagnostics, b.diagnostics);
  EXPECT_EQ(a.diagnostics_total, b.diagnostics_total);
  EXPECT_EQ(a.unknown, b.unknown);
}

TEST(RuntimeSnapshotLine, IsReadBack) {
  Decoder decoder;
  RuntimeSnapshot snapshot = full_snapshot();
  const std::string line = checked(encoded(snapshot));
  EXPECT_EQ(line_number(line, "lsn"), 18446744073709551615U);
  auto read = decoder.runtime_snapshot(line);
  ASSERT_TRUE(read) << read.error().message();
  expect_equal(*read, snapshot);
  snapshot.record.display_name.reset();
  snapshot.record.usage.counters.clear();
  snapshot.diagnostics.clear();
  read = decoder.runtime_snapshot(encoded(snapshot));
  ASSERT_TRUE(read) << read.error().message();
  expect_equal(*read, snapshot);
}

TEST(RuntimeSnapshotLine, KeepsUnknownMembers) {
  const std::string line = with_member(encoded(full_snapshot()), R"("archive":{"upto":[7]})");
  const auto read = Decoder().runtime_snapshot(line);
  ASSERT_TRUE(read) << read.error().message();
  EXPECT_EQ(read->unknown, R"(,"archive":{"upto":[7]})");
  EXPECT_EQ(encoded(*read), line);
}

TEST(RuntimeSnapshotLine, LimitsThatAreNotThereKeepTheirDefaults) {
  const std::string line =
      replaced(encoded(full_snapshot()), R"("page_items":10,)", R"("later_limit":0,)");
  const auto read = Decoder().runtime_snapshot(line);
  ASSERT_TRUE(read) << read.error().message();
  EXPECT_EQ(read->record.limits.page_items, Limits{}.page_items);
  EXPECT_EQ(read->record.limits.input_bytes, std::uint64_t{1} << 60U);
}

TEST(RuntimeSnapshotLine, OfANewerSchemaNamesBothVersions) {
  const std::string line =
      replaced(encoded(full_snapshot()), R"("schema_version":1)", R"("schema_version":7)");
  const auto read = Decoder().runtime_snapshot(line);
  EXPECT_TRUE(is_newer(read));
  EXPECT_EQ(read.error().get<VersionFields>()->found, 7U);
  EXPECT_NE(read.error().message().find('7'), std::string::npos);
  EXPECT_NE(read.error().message().find('1'), std::string::npos);
}

TEST(RuntimeSnapshotLine, MalformedIsCorrupt) {
  Decoder decoder;
  const std::string good = encoded(full_snapshot());
  const std::vector<std::string> bad = {
      replaced(good, R"("schema_version":1)", R"("schema_version":0)"),
      replaced(good, R"("schema_version":1,)", ""),
      replaced(good, R"("deadbeef")", R"("DEADBEEF")"),
      replaced(good, R"("deadbeef")", R"(3735928559)"),
      replaced(good, R"("status":"stopped")", R"("status":"paused")"),
      replaced(good, R"("page_items":10)", R"("page_items":0)"),
      replaced(good, R"("page_items":10)", R"("page_items":10,"page_items":10)"),
      replaced(good, R"("running":1,)", ""),
      replaced(good, R"("severity":"warning")", R"("severity":"fatal")"),
      replaced(good, R"("diagnostics":[{)", R"("diagnostics":[null,{)"),
      replaced(good, R"("diagnostics":[{)", R"("diagnostics":[,{)"),
  };
  for (const std::string& line : bad)
    EXPECT_TRUE(is_corrupt(decoder.runtime_snapshot(line))) << line;
}

// ---- the journal

TEST(SegmentHeaderLine, IsReadBack) {
  Decoder decoder;
  const SegmentHeader header{Lsn{8}, runtime(), Epoch{3}, Durability::interval, 0x00ff00aaU};
  const std::string object = encoded(header);
  EXPECT_EQ(object, R"({"lsn":8,"schema_version":1,"runtime_id":"main","epoch":3,)"
                    R"("durability":"interval","previous":"00ff00aa"})");
  const auto read = decoder.segment_header(checked(object));
  ASSERT_TRUE(read) << read.error().message();
  EXPECT_EQ(read->first_lsn, header.first_lsn);
  EXPECT_EQ(read->runtime_id, header.runtime_id);
  EXPECT_EQ(read->epoch, header.epoch);
  EXPECT_EQ(read->durability, header.durability);
  EXPECT_EQ(read->previous, header.previous);
}

TEST(SegmentHeaderLine, WithAnythingUnknownIsOfANewerSchema) {
  Decoder decoder;
  const std::string good = encoded(SegmentHeader{Lsn{8}, runtime(), Epoch{3}, Durability::sync, 1});
  EXPECT_TRUE(is_newer(decoder.segment_header(with_member(good, R"("x":1)"))));
  EXPECT_TRUE(is_newer(
      decoder.segment_header(replaced(good, R"("schema_version":1)", R"("schema_version":2)"))));
  EXPECT_TRUE(is_corrupt(decoder.segment_header(replaced(good, "00000001", "0000000g"))));
  EXPECT_TRUE(is_corrupt(decoder.segment_header(replaced(good, R"("sync")", R"("often")"))));
  EXPECT_TRUE(is_corrupt(decoder.segment_header("{}")));
}

TEST(JournalRecord, IsReadBack) {
  Decoder decoder;
  const Commit commit = full_commit();
  const auto read = decoder.record(checked(record_of(commit)));
  ASSERT_TRUE(read) << read.error().message();
  EXPECT_EQ(read->commit, commit);
  EXPECT_EQ(read->head.lsn, commit.lsn);
  EXPECT_EQ(read->head.epoch, Epoch{2});
  EXPECT_EQ(read->head.durable, Lsn{7});
  EXPECT_EQ(read->head.previous, 0x0000abcdU);
}

TEST(JournalRecord, WithAnythingUnknownIsOfANewerSchema) {
  Decoder decoder;
  const std::string good = record_of(full_commit());
  const std::vector<std::string> newer = {
      with_member(good, R"("x":1)"),
      replaced(good, R"("changes":[{)", R"("changes":[{"x":1,)"),
      replaced(good, R"("event":{)", R"("event":{"x":1,)"),
      replaced(good, R"("worker_ref":{)", R"("worker_ref":{"x":1,)"),
      replaced(good, R"("entry":{)", R"("entry":{"x":1,)"),
      replaced(good, R"("create":{)", R"("create":{"x":1,)"),
      replaced(good, R"("intent":{)", R"("intent":{"x":1,)"),
      replaced(good, R"("profile":{)", R"("profile":{"x":1,)"),
      replaced(good, R"("config_bundle":{)", R"("config_bundle":{"x":1,)"),
      replaced(good, R"("mount_refs":[{)", R"("mount_refs":[{"x":1,)"),
      replaced(good, R"("kind":"worker_created")", R"("kind":"worker_renamed")"),
  };
  for (const std::string& line : newer) EXPECT_TRUE(is_newer(decoder.record(line))) << line;
}

TEST(JournalRecord, MalformedIsCorrupt) {
  Decoder decoder;
  const std::string good = record_of(full_commit());
  const std::vector<std::string> bad = {
      "{}",
      R"({"lsn":8,"epoch":2,"durable":7,"previous":"0000abcd","changes":[]})",
      R"({"lsn":8,"epoch":2,"durable":7,"previous":"0000abcd","changes":[{}]})",
      R"({"lsn":8,"epoch":2,"durable":7,"previous":"0000abcd","changes":{}})",
      replaced(good, R"("lsn":8,)", ""),
      replaced(good, R"("0000abcd")", R"("abcd")"),
      replaced(good, R"("stopped_workers":12)", R"("stopped_workers":-12)"),
      good + "\n" + good,
      good + ",",
  };
  for (const std::string& line : bad) EXPECT_TRUE(is_corrupt(decoder.record(line))) << line;
}

// ---- any bytes

// Goal: bytes that are no line of ours give a typed error and nothing else, and what is accepted is
// JSON through and through. Method: random edits of good lines, each read as every kind of line;
// where a reader accepts that reads or keeps everything, core's own validator has to accept too.
TEST(AnyBytes, GiveAValueOrATypedError) {
  const std::uint64_t seed = 20261124;
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  const std::vector<std::string> lines = {
      encoded(input_event(), runtime()),
      encoded(full_entry()),
      encoded(full_request()),
      checked(encoded(full_record(), runtime())),
      encoded(full_snapshot()),
      encoded(SegmentHeader{Lsn{8}, runtime(), Epoch{3}, Durability::sync, 1}),
      record_of(full_commit()),
  };
  const std::string_view pieces = "{}[],:\"\\0123456789eE+-.truefalsnu \t\n\xC3\xA9\xED\x80";
  Decoder decoder;
  const auto typed = [](const auto& result) {
    return result || result.error().code() == ErrorCode::store_corrupt ||
           result.error().code() == ErrorCode::store_version;
  };
  for (int round = 0; round < 20000; ++round) {
    std::string line = lines[random() % lines.size()];
    for (std::uint64_t edits = 1 + random() % 3; edits-- > 0;) {
      const std::size_t place = random() % line.size();
      const std::size_t length = 1 + random() % 8;
      switch (random() % 4) {
        case 0:
          line[place] = pieces[random() % pieces.size()];
          break;
        case 1:
          line.insert(place, 1, pieces[random() % pieces.size()]);
          break;
        case 2:
          line.erase(place, length);
          break;
        default:
          line.insert(random() % line.size(), line.substr(place, length));
      }
      if (line.empty()) line = "x";
    }
    ASSERT_TRUE(typed(decoder.event(line))) << line;
    ASSERT_TRUE(typed(decoder.catalog_line(line, Requests::skip))) << line;
    ASSERT_TRUE(typed(decoder.segment_header(line))) << line;
    const auto entry = decoder.entry(line);
    const auto request = decoder.create_request(line);
    const auto snapshot = decoder.runtime_snapshot(line);
    const auto record = decoder.record(line);
    ASSERT_TRUE(typed(entry) && typed(request) && typed(snapshot) && typed(record)) << line;
    if (record) {
      ASSERT_TRUE(compact_json_object(line)) << line;
    }
    if (entry) {
      ASSERT_TRUE(compact_json_object(encoded(*entry))) << line;
    }
    if (snapshot) {
      ASSERT_TRUE(compact_json_object(encoded(*snapshot))) << line;
    }
  }
}

}  // namespace
}  // namespace worker_runtime::fs_store
