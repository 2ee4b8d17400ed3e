// Requests of `pipe`: every operation, and every way to get one wrong.
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "json_requests_fixture.h"
#include "worker_runtime/fs_store/json.h"

namespace worker_runtime::fs_store {
namespace {

// ---- what each operation reads

TEST_F(JsonRequests, CreateWorkerReadsAllItsMembers) {
  const auto request = mutation<CreateRequest>(
      R"({"id":1,"op":"create_worker","worker_id":"w","display_name":"W","intent":{"kind":"role",)"
      R"("role":"reviewer","purpose":"bugs"},"profile":{"kind":"builtin","value":"fast"},)"
      R"("config_bundle":{"id":"b"},"requested_capabilities":[{"name":"n","reason":"r"},)"
      R"({"name":"m"}],"workspace_refs":[{"name":"a","reference":"b"}],)"
      R"("mount_refs":[{"name":"c","reference":"d"}],"idempotency_key":"k"})");
  CreateRequest expected;
  expected.worker_id = *WorkerId::parse("w");
  expected.display_name = "W";
  expected.intent = RoleIntent{"reviewer", "bugs"};
  expected.profile = {ProfileKind::builtin, "fast"};
  expected.config_bundle = "b";
  expected.requested_capabilities = {{"n", "r"}, {"m", std::nullopt}};
  expected.workspace_refs = {{"a", "b"}};
  expected.mount_refs = {{"c", "d"}};
  expected.idempotency_key = "k";
  EXPECT_EQ(request, expected);
}

TEST_F(JsonRequests, CreateWorkerNeedsOnlyAnIntent) {
  CreateRequest expected;
  expected.intent = TaskIntent{"count"};
  EXPECT_EQ(mutation<CreateRequest>(
                R"({"op":"create_worker","intent":{"kind":"task","objective":"count"}})"),
            expected);
  expected.intent = AssistantIntent{};
  EXPECT_EQ(mutation<CreateRequest>(R"({"op":"create_worker","intent":{"kind":"assistant"},)"
                                    R"("profile":{"kind":"runtime_default"}})"),
            expected);
}

TEST_F(JsonRequests, SendInputNamesItsWorkerByIdOrByRef) {
  auto request = mutation<SendInput>(
      R"({"op":"send_input","worker_id":"w","kind":"user","content":"hi \ud83d\ude00\n"})");
  EXPECT_EQ(request.worker_ref, ref("w"));
  EXPECT_EQ(request.role, InputRole::user);
  EXPECT_EQ(request.content, "hi \xF0\x9F\x98\x80\n");
  EXPECT_EQ(request.idempotency_key, std::nullopt);
  request = mutation<SendInput>(
      R"({"op":"send_input","worker_ref":{"runtime_id":"other","worker_id":"w"},)"
      R"("kind":"system","content":"","idempotency_key":"k"})");
  EXPECT_EQ(request.worker_ref, ref("w", "other"));
  EXPECT_EQ(request.role, InputRole::system);
  EXPECT_EQ(request.idempotency_key, "k");
}

TEST_F(JsonRequests, AppendOutputReadsAllItsMembers) {
  const auto request = mutation<AppendOutput>(
      R"({"op":"append_output","worker_id":"w","role":"tool","content":"x","name":"grep",)"
      R"("data": { "a" : [ 1, 2 ] },"usage":{"out":18446744073709551615,"in":0},)"
      R"("idempotency_key":"k"})");
  EXPECT_EQ(request.worker_ref, ref("w"));
  EXPECT_EQ(request.role, OutputRole::tool);
  EXPECT_EQ(request.name, "grep");
  EXPECT_EQ(request.data, R"({"a":[1,2]})");
  EXPECT_EQ(request.usage, (Counters{{"in", 0}, {"out", 18446744073709551615U}}));
  EXPECT_EQ(request.idempotency_key, "k");
  EXPECT_EQ(mutation<AppendOutput>(
                R"({"op":"append_output","worker_id":"w","role":"assistant","content":"x"})")
                .role,
            OutputRole::assistant);
}

TEST_F(JsonRequests, OtherMutationsReadTheirMembers) {
  EXPECT_EQ(mutation<StopWorker>(R"({"op":"stop_worker","worker_id":"w","reason":"done"})").reason,
            "done");
  EXPECT_EQ(mutation<StopWorker>(R"({"op":"stop_worker","worker_id":"w"})").reason, std::nullopt);
  EXPECT_EQ(
      mutation<CancelWorker>(R"({"op":"cancel_worker","worker_id":"w","reason":"late"})").reason,
      "late");
  EXPECT_EQ(mutation<DeleteWorker>(R"({"op":"delete_worker","worker_id":"w"})").worker_ref,
            ref("w"));
  mutation<StopRuntime>(R"({"op":"stop_runtime"})");
  mutation<StartRuntime>(R"({"op":"start_runtime"})");
}

TEST_F(JsonRequests, ReadsReadTheirMembers) {
  const auto list =
      body<ListRequest>(R"({"op":"list_workers","status":"damaged","after":"w-1","limit":5})");
  EXPECT_EQ(list.query.status, StatusFilter::damaged);
  EXPECT_EQ(list.query.after, *WorkerId::parse("w-1"));
  EXPECT_EQ(list.query.limit, 5U);
  EXPECT_EQ(body<ListRequest>(R"({"op":"list_workers"})").query.status, StatusFilter::any);
  EXPECT_EQ(body<WorkerDetailRequest>(R"({"op":"worker_detail","worker_id":"w"})").worker_ref,
            ref("w"));
  body<SummaryRequest>(R"({"op":"summary"})");
  body<VersionRequest>(R"({"op":"version"})");
  body<MetricsRequest>(R"({"op":"metrics"})");
  body<CheckpointRequest>(R"({"op":"checkpoint"})");
  const auto diagnostics = body<DiagnosticsRequest>(R"({"op":"diagnostics","after":7,"limit":0})");
  EXPECT_EQ(diagnostics.after, 7U);
  EXPECT_EQ(diagnostics.limit, 0U);
  EXPECT_EQ(body<DiagnosticsRequest>(R"({"op":"diagnostics"})").after, 0U);
}

TEST_F(JsonRequests, HistoryReadsReadTheirMembers) {
  auto events = body<EventQuery>(R"({"op":"read_events","from":9,"limit":3,"newest_first":true})");
  EXPECT_EQ(events.from, EventId{9});
  EXPECT_EQ(events.limit, 3U);
  EXPECT_EQ(events.direction, Direction::newest_first);
  events = body<EventQuery>(R"({"op":"read_events","newest_first":false})");
  EXPECT_EQ(events.from, std::nullopt);
  EXPECT_EQ(events.direction, Direction::oldest_first);
  EXPECT_EQ(body<EventQuery>(R"({"op":"read_events","from":0})").from, EventId{0});
  const auto transcript = body<ReadTranscriptRequest>(
      R"({"op":"read_transcript","worker_id":"w","start":0,"limit":2,"newest_first":true})");
  EXPECT_EQ(transcript.worker_ref, ref("w"));
  EXPECT_EQ(transcript.query.start, 0U);
  EXPECT_EQ(transcript.query.limit, 2U);
  EXPECT_EQ(transcript.query.direction, Direction::newest_first);
  const auto wait =
      body<WaitEventsRequest>(R"({"op":"wait_events","from":4,"timeout_ms":1500,"limit":1})");
  EXPECT_EQ(wait.from, EventId{4});
  EXPECT_EQ(wait.timeout_ms, 1500U);
  EXPECT_EQ(wait.limit, 1U);
}

TEST_F(JsonRequests, MembersStandInAnyOrderAndWithAnyWhiteSpace) {
  const auto request = mutation<SendInput>(
      "\t{ \"content\" : \"x\" ,\r \"kind\":\"user\", \"worker_id\":\"w\", \"op\":\"send_input\" } "
      " ");
  EXPECT_EQ(request.content, "x");
  EXPECT_EQ(mutation<StopWorker>(R"({"\u006fp":"stop\u005fworker","worker_id":"w"})").worker_ref,
            ref("w"));
}

// ---- what is refused

TEST_F(JsonRequests, MissingMembersAreInvalid) {
  for (const char* line : {
           R"({})",
           R"({"id":1})",
           R"({"worker_id":"w"})",
           R"({"op":"create_worker"})",
           R"({"op":"send_input"})",
           R"({"op":"send_input","kind":"user","content":"x"})",
           R"({"op":"send_input","worker_id":"w","content":"x"})",
           R"({"op":"send_input","worker_id":"w","kind":"user"})",
           R"({"op":"append_output","worker_id":"w","content":"x"})",
           R"({"op":"append_output","worker_id":"w","role":"tool"})",
           R"({"op":"stop_worker"})",
           R"({"op":"delete_worker"})",
           R"({"op":"worker_detail"})",
           R"({"op":"read_transcript"})",
           R"({"op":"wait_events"})",
           R"({"op":"wait_events","from":1})",
           R"({"op":"wait_events","timeout_ms":1})",
           R"({"op":"batch"})",
       }) {
    EXPECT_NE(refusal(line), "") << line;
  }
}

TEST_F(JsonRequests, MembersOfOtherOperationsAndUnknownOnesAreInvalid) {
  for (
      const char* line : {
          R"({"op":"summary","limit":1})",
          R"({"op":"summary","x":1})",
          R"({"op":"summary","crc":"00000000"})",
          R"({"crc":"00000000","op":"summary"})",
          R"({"op":"summary","OP":"summary"})",
          R"({"op":"stop_worker","worker_id":"w","content":"x"})",
          R"({"op":"delete_worker","worker_id":"w","reason":"x"})",
          R"({"op":"send_input","worker_id":"w","kind":"user","content":"x","data":{}})",
          R"({"op":"send_input","worker_id":"w","kind":"user","content":"x","role":"user"})",
          R"({"op":"create_worker","intent":{"kind":"assistant"},"kind":"user"})",
          R"({"op":"create_worker","intent":{"kind":"assistant"},)"
          R"("worker_ref":{"runtime_id":"main","worker_id":"w"}})",
          R"({"op":"read_events","start":1})",
          R"({"op":"wait_events","from":1,"timeout_ms":1,"newest_first":true})",
          R"({"op":"summary","ops":[]})",
          R"({"op":"create_worker","intent":{"kind":"assistant","x":1}})",
          R"({"op":"create_worker","intent":{"kind":"assistant"},"config_bundle":{"id":"x","y":1}})",
          R"({"op":"create_worker","intent":{"kind":"assistant"},)"
          R"("requested_capabilities":[{"name":"n","x":1}]})",
          R"({"op":"create_worker","intent":{"kind":"assistant"},)"
          R"("mount_refs":[{"name":"n","reference":"r","x":1}]})",
          R"({"op":"create_worker","intent":{"kind":"assistant"},)"
          R"("profile":{"kind":"runtime_default","x":1}})",
          R"({"op":"stop_worker","worker_ref":{"runtime_id":"main","worker_id":"w","x":1}})",
      }) {
    EXPECT_NE(refusal(line), "") << line;
  }
}

TEST_F(JsonRequests, DoubledMembersAreInvalid) {
  for (
      const char* line : {
          R"({"op":"summary","op":"summary"})",
          R"({"id":1,"op":"summary","id":1})",
          R"({"op":"summary","\u006fp":"summary"})",
          R"({"op":"stop_worker","worker_id":"w","worker_id":"w"})",
          R"({"op":"stop_worker","worker_ref":{"runtime_id":"m","runtime_id":"m","worker_id":"w"}})",
          R"({"op":"create_worker","intent":{"kind":"assistant","kind":"assistant"}})",
          R"({"op":"append_output","worker_id":"w","role":"tool","content":"x","usage":{"a":1,"a":1}})",
          R"({"op":"append_output","worker_id":"w","role":"tool","content":"x","data":{"a":1,"a":1}})",
          R"({"id":{"a":1,"a":2},"op":"summary"})",
      }) {
    EXPECT_NE(refusal(line), "") << line;
  }
}

TEST_F(JsonRequests, WrongTypesAreInvalid) {
  for (
      const char* line : {
          R"({"op":7})",
          R"({"op":null})",
          R"({"op":["summary"]})",
          R"({"op":"stop_worker","worker_id":7})",
          R"({"op":"stop_worker","worker_id":null})",
          R"({"op":"stop_worker","worker_ref":"w"})",
          R"({"op":"stop_worker","worker_ref":{"worker_id":"w"}})",
          R"({"op":"stop_worker","worker_id":"w","reason":null})",
          R"({"op":"stop_worker","worker_id":"w","reason":{}})",
          R"({"op":"send_input","worker_id":"w","kind":"user","content":["x"]})",
          R"({"op":"append_output","worker_id":"w","role":"tool","content":"x","data":[]})",
          R"({"op":"append_output","worker_id":"w","role":"tool","content":"x","data":"{}"})",
          R"({"op":"append_output","worker_id":"w","role":"tool","content":"x","usage":[]})",
          R"({"op":"append_output","worker_id":"w","role":"tool","content":"x","usage":{"a":-1}})",
          R"({"op":"append_output","worker_id":"w","role":"tool","content":"x","usage":{"a":1.0}})",
          R"({"op":"append_output","worker_id":"w","role":"tool","content":"x","usage":{"a":"1"}})",
          R"({"op":"list_workers","limit":"5"})",
          R"({"op":"list_workers","limit":-1})",
          R"({"op":"list_workers","limit":18446744073709551616})",
          R"({"op":"list_workers","limit":1e2})",
          R"({"op":"list_workers","limit":05})",
          R"({"op":"list_workers","after":5})",
          R"({"op":"list_workers","after":null})",
          R"({"op":"diagnostics","after":"5"})",
          R"({"op":"read_events","newest_first":1})",
          R"({"op":"read_events","newest_first":"true"})",
          R"({"op":"read_events","newest_first":truex})",
          R"({"op":"batch","ops":{}})",
          R"({"op":"batch","ops":null})",
          R"({"op":"create_worker","intent":"assistant"})",
      }) {
    EXPECT_NE(refusal(line), "") << line;
  }
}

TEST_F(JsonRequests, NamesThatAreNoneOfTheirListAreInvalid) {
  for (const char* line : {
           R"({"op":"fly"})",
           R"({"op":""})",
           R"({"op":"Summary"})",
           R"({"op":"summary "})",
           R"({"op":"send_input","worker_id":"w","kind":"assistant","content":"x"})",
           R"({"op":"send_input","worker_id":"w","kind":"","content":"x"})",
           R"({"op":"append_output","worker_id":"w","role":"user","content":"x"})",
           R"({"op":"list_workers","status":"any"})",
           R"({"op":"list_workers","status":""})",
           R"({"op":"create_worker","intent":{"kind":"dream"}})",
       }) {
    EXPECT_NE(refusal(line), "") << line;
  }
}

TEST_F(JsonRequests, AWorkerIsNamedInOneWay) {
  EXPECT_NE(refusal(R"({"op":"stop_worker","worker_id":"w",)"
                    R"("worker_ref":{"runtime_id":"main","worker_id":"w"}})"),
            "");
}

TEST_F(JsonRequests, IdsKeepTheRuleForIds) {
  for (const std::string bad : {"", " w", "w ", "a\\u0000b", "a\\u0085b"}) {
    EXPECT_NE(refusal(R"({"op":"stop_worker","worker_id":")" + bad + R"("})"), "") << bad;
    EXPECT_NE(refusal(R"({"op":"list_workers","after":")" + bad + R"("})"), "") << bad;
    EXPECT_NE(refusal(R"({"op":"create_worker","intent":{"kind":"assistant"},"worker_id":")" + bad +
                      R"("})"),
              "")
        << bad;
  }
  const std::string longest(80, 'w');
  EXPECT_EQ(refusal(R"({"op":"stop_worker","worker_id":")" + longest + R"("})"), "");
  EXPECT_NE(refusal(R"({"op":"stop_worker","worker_id":")" + longest + R"(w"})"), "");
}

TEST_F(JsonRequests, WhatIsNoJsonObjectIsInvalid) {
  const std::string good = R"({"op":"summary"})";
  ASSERT_EQ(refusal(good), "");
  const std::vector<std::string> bad = {
      "",
      "null",
      "7",
      "\"summary\"",
      "[]",
      "[" + good + "]",
      "{",
      "}",
      good + "}",
      good + good,
      good + " 1",
      good + ",",
      good + std::string(1, '\0'),
      "\xEF\xBB\xBF" + good,
      R"({"op":"summary",})",
      R"({,"op":"summary"})",
      R"({"op" "summary"})",
      R"({"op":"summary)",
      R"({'op':'summary'})",
      R"({"op":"summary"])",
      R"({"op":"list_workers" "limit":1})",
      R"({"op":"list_workers","limit":1 2})",
      R"({"op":"list_workers","limit":1x})",
      R"({"op":"summary"} // done)",
      R"({"op":"append_output","worker_id":"w","role":"tool","content":"x","data":{"a":[1,,2]}})",
      R"({"op":"append_output","worker_id":"w","role":"tool","content":"x","data":{"a":[1}}})",
      R"({"op":"append_output","worker_id":"w","role":"tool","content":"x","data":{"a":1]})",
      R"({"op":"append_output","worker_id":"w","role":"tool","content":"x","data":{"a":nul}})",
      R"({"op":"append_output","worker_id":"w","role":"tool","content":"x","data":{"a":.5}})",
      R"({"id":"a":[1],"op":"summary"})",
      R"({"id":"a":{"b":1},"op":"summary"})",
      R"({"id":1:2,"op":"summary"})",
      R"({"id":[1,,2],"op":"summary"})",
      R"({"id":tru,"op":"summary"})",
      R"({"id":01,"op":"summary"})",
      R"({"id":1.,"op":"summary"})",
      R"({"id":+1,"op":"summary"})",
  };
  for (const std::string& line : bad) EXPECT_NE(refusal(line), "") << line;
}

TEST_F(JsonRequests, LoneSurrogatesAndInvalidUtf8AreInvalidWhereverTheyStand) {
  const std::vector<std::string> bad = {
      R"(\ud800)",    R"(\udc00)",        R"(\ud800\ud800)", R"(\ud800x)", R"(\udc00\ud800)",
      R"(\ud800\n)",  R"(\u12)",          R"(\x)",           "\xFF",       "\xC0\x80",
      "\xED\xA0\x80", "\xF5\x80\x80\x80", "\xE2\x82",        "\n",         std::string(1, '\0')};
  for (const std::string& text : bad) {
    for (
        const std::string& line : std::vector<std::string>{
            R"({"id":"@","op":"summary"})", R"({"id":{"a":"@"},"op":"summary"})",
            R"({"id":["@"],"op":"summary"})", R"({"op":"@"})", R"({"op":"summary","@":1})",
            R"({"op":"send_input","worker_id":"w","kind":"user","content":"@"})",
            R"({"op":"send_input","worker_id":"@","kind":"user","content":"x"})",
            R"({"op":"append_output","worker_id":"w","role":"tool","content":"x","data":{"a":"@"}})",
            R"({"op":"append_output","worker_id":"w","role":"tool","content":"x","data":{"@":1}})",
            R"({"op":"append_output","worker_id":"w","role":"tool","content":"x","usage":{"@":1}})",
            R"({"op":"create_worker","intent":{"kind":"task","objective":"@"}})",
            R"({"op":"batch","ops":[{"op":"stop_worker","worker_id":"w","reason":"@"}]})"}) {
      std::string whole = line;
      whole.replace(whole.find('@'), 1, text);
      EXPECT_NE(refusal(whole), "") << whole;
    }
  }
}

TEST_F(JsonRequests, MessagesNameTheByteWhereItIsKnown) {
  EXPECT_NE(refusal(R"({"op":"list_workers","limit":-1})").find("(at byte 21)"), std::string::npos);
  EXPECT_NE(refusal(R"({"op":"summary","x":1})").find("(at byte 16)"), std::string::npos);
  EXPECT_NE(refusal(R"({"op":"summary","x":1})").find("\"x\""), std::string::npos);
}

}  // namespace
}  // namespace worker_runtime::fs_store
