// Events, entries and create requests in lines of files: what is written is read back, what is
// unknown is kept or passed over, and nothing malformed is taken for something else.
#include "codec.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "codec_values.h"

namespace worker_runtime::fs_store {
namespace {

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

TEST(EntryLine, MembersOfANewerVersionAreHandedOn) {
  TranscriptEntry entry = full_entry();
  entry.copied = true;
  std::string object = encoded(entry);
  object.insert(object.size() - 1, R"(,"mood":{"a":[1,2]},"later":"\u0001")");
  const auto decoded = Decoder().entry(checked(object));
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->unknown_members.text(), R"(,"mood":{"a":[1,2]},"later":"\u0001")");
  EXPECT_EQ(encoded(*decoded), object);
}

TEST(JournalRecord, AnImportIsReadAsItWasWritten) {
  Change change;
  change.event = input_event();
  change.event.kind = EventKind::worker_created;
  change.event.sequence.reset();
  change.create = full_request();
  change.create->origin = Origin{ref(), Sequence{1}};
  change.create->unknown_members = UnknownMembers::decoded(R"(,"mood":"good")");
  change.history = {full_entry()};
  change.history->front().copied = true;
  change.history->front().unknown_members = UnknownMembers::decoded(R"(,"mood":1)");
  Commit commit{Lsn{8}, {change}};
  const std::string line = checked(record_of(commit));
  const auto record = Decoder().record(line);
  ASSERT_TRUE(record);
  EXPECT_EQ(record->commit, commit);
  // Where it cannot be kept it is not half understood: a plain create, and what is nested.
  const std::string nested = replaced(record_of(commit), R"("intent":{)", R"("intent":{"x":1,)");
  const auto refused = Decoder().record(checked(nested));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), ErrorCode::store_version);
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

}  // namespace
}  // namespace worker_runtime::fs_store
