// open and create_worker: effects, and the checks in their order.
#include <string>
#include <utility>
#include <vector>

#include "store_conformance.h"

namespace worker_runtime::testing {
namespace {

CreateRequest full_request() {
  CreateRequest request;
  request.intent = RoleIntent{"reviewer", "reads what others wrote"};
  request.profile = {ProfileKind::builtin, "careful"};
  request.config_bundle = "bundle-7";
  request.requested_capabilities = {{"shell", "to run the tests"}, {"browser", std::nullopt}};
  request.workspace_refs = {{"code", "git:main"}};
  request.mount_refs = {{"data", "volume:3"}, {"more", "volume:4"}};
  request.worker_id = worker_id("reviewer/1");
  request.display_name = "The Reviewer \u2603";
  request.idempotency_key = "create-1";
  return request;
}

TEST_P(StoreConformance, FreshStoreStartsWithOneEvent) {
  reopen();  // which adds none
  const std::vector<Event> events = all_events();
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].id, EventId{1});
  EXPECT_EQ(events[0].kind, EventKind::runtime_started);
  EXPECT_EQ(events[0].message, "runtime started");
  EXPECT_EQ(events[0].at, clock().now());
  EXPECT_FALSE(events[0].worker_ref);
  EXPECT_FALSE(events[0].sequence);
  const auto summary = runtime().summary();
  ASSERT_TRUE(is_ok(summary));
  EXPECT_EQ(summary->runtime_id, runtime_id("conformance"));
  EXPECT_EQ(summary->status, RuntimeStatus::running);
  EXPECT_EQ(summary->event_count, 1U);
  EXPECT_EQ(summary->worker_count, 0U);
  EXPECT_EQ(summary->limits, Limits{});
}

TEST_P(StoreConformance, OptionsTakeEffectAndAreStored) {
  RuntimeOptions options = with_limit("page_items", 3);
  options.display_name = "a name for people";
  open_with(options);
  reopen();  // without options
  auto summary = runtime().summary();
  ASSERT_TRUE(is_ok(summary));
  EXPECT_EQ(summary->display_name, "a name for people");
  EXPECT_EQ(summary->limits.page_items, 3U);
  EXPECT_EQ(summary->limits.page_bytes, Limits{}.page_bytes);
  EXPECT_EQ(all_events().size(), 1U);
}

TEST_P(StoreConformance, CreateAnswersWhatDetailShowsLater) {
  clock().advance(1'234'567);
  auto created = runtime().create_worker(full_request());
  ASSERT_TRUE(is_ok(created));
  EXPECT_EQ(created->summary.worker_ref, ref("reviewer/1"));
  EXPECT_EQ(created->summary.display_name, "The Reviewer \u2603");
  EXPECT_EQ(created->summary.status, WorkerStatus::running);
  EXPECT_FALSE(created->summary.damaged);
  EXPECT_EQ(created->summary.transcript_len, 0U);
  EXPECT_EQ(created->summary.last_event_id, EventId{2});
  EXPECT_EQ(created->summary.created_at, clock().now());
  EXPECT_EQ(created->summary.updated_at, clock().now());
  EXPECT_EQ(created->summary.usage, Usage{});
  EXPECT_EQ(created->request, full_request());
  reopen();
  auto detail = runtime().worker_detail(ref("reviewer/1"));
  ASSERT_TRUE(is_ok(detail));
  EXPECT_EQ(*detail, *created);
  const Event event = last_event();
  EXPECT_EQ(event.id, EventId{2});
  EXPECT_EQ(event.kind, EventKind::worker_created);
  EXPECT_EQ(event.message, "worker reviewer/1 created");
  EXPECT_EQ(event.worker_ref, ref("reviewer/1"));
  EXPECT_EQ(event.at, created->summary.created_at);
  EXPECT_FALSE(event.sequence);
}

TEST_P(StoreConformance, EveryIntentAndProfileIsKept) {
  const std::vector<Intent> intents = {AssistantIntent{}, AssistantIntent{"to help"},
                                       TaskIntent{"do \"this\"\n\t\\"}, RoleIntent{"critic", {}},
                                       RoleIntent{"critic", "\U0001F600"}};
  const std::vector<Profile> profiles = {
      {ProfileKind::runtime_default, ""}, {ProfileKind::builtin, "b"}, {ProfileKind::named, "n"}};
  std::vector<WorkerDetail> created;
  for (const Intent& intent : intents) {
    for (const Profile& profile : profiles) {
      CreateRequest request;
      request.intent = intent;
      request.profile = profile;
      auto detail = runtime().create_worker(request);
      ASSERT_TRUE(is_ok(detail));
      EXPECT_EQ(detail->request, request);
      created.push_back(*detail);
    }
  }
  reopen();
  for (const WorkerDetail& detail : created) {
    auto shown = runtime().worker_detail(detail.summary.worker_ref);
    ASSERT_TRUE(is_ok(shown));
    EXPECT_EQ(*shown, detail);
  }
}

TEST_P(StoreConformance, GeneratedIdsCountUpAndPassOverTakenOnes) {
  const auto generated = [&] {
    auto created = runtime().create_worker(task("x"));
    return created ? created->summary.worker_ref.worker_id.text() : created.error().detail();
  };
  EXPECT_EQ(generated(), "worker-00000001");
  create("worker-00000003");
  reopen();
  EXPECT_EQ(generated(), "worker-00000002");
  EXPECT_EQ(generated(), "worker-00000004");
  reopen();
  EXPECT_EQ(generated(), "worker-00000005");
}

TEST_P(StoreConformance, IdsAreNeverUsedAgain) {
  const WorkerRef supplied = create("mine");
  auto made = runtime().create_worker(task("x"));
  ASSERT_TRUE(is_ok(made));
  const WorkerRef generated = made->summary.worker_ref;
  EXPECT_TRUE(fails_with(runtime().create_worker(task("x", "mine")), ErrorCode::worker_exists));
  for (const WorkerRef& worker_ref : {supplied, generated}) {
    ASSERT_TRUE(is_ok(runtime().stop_worker({worker_ref, std::nullopt})));
    ASSERT_TRUE(is_ok(runtime().delete_worker({worker_ref})));
  }
  for (int round = 0; round < 2; ++round) {
    EXPECT_TRUE(fails_with(runtime().create_worker(task("x", "mine")), ErrorCode::worker_exists));
    EXPECT_TRUE(fails_with(runtime().create_worker(task("x", "worker-00000001")),
                           ErrorCode::worker_exists));
    reopen();
  }
  auto next = runtime().create_worker(task("x"));
  ASSERT_TRUE(is_ok(next));
  EXPECT_EQ(next->summary.worker_ref.worker_id.text(), "worker-00000002");
}

TEST_P(StoreConformance, IdsMayBeAnyTextThatTheRuleAllows) {
  const std::vector<std::string> ids = {"..",
                                        ".hidden",
                                        "a/b",
                                        "../../etc/passwd",
                                        "%2e",
                                        "a b",
                                        "\u00fc\u3042\U0001F600",
                                        std::string(80, 'x'),
                                        "CON",
                                        "a",
                                        "A",
                                        "\"quoted\\\""};
  for (const std::string& id : ids) {
    create(id);
    ASSERT_TRUE(is_ok(runtime().send_input(input(ref(id), "hello " + id))));
  }
  reopen();
  for (const std::string& id : ids) {
    auto page = runtime().read_transcript(ref(id));
    ASSERT_TRUE(is_ok(page)) << id;
    ASSERT_EQ(page->items.size(), 1U);
    EXPECT_EQ(page->items[0].content, "hello " + id);
  }
}

TEST_P(StoreConformance, CreateRaisesTheTwoNotesOfAWorkerWithoutMeans) {
  const auto before = runtime().diagnostics();
  ASSERT_TRUE(is_ok(before));
  const std::uint64_t total = before->total;
  create("bare");
  auto after = runtime().diagnostics(total);
  ASSERT_TRUE(is_ok(after));
  ASSERT_EQ(after->diagnostics.size(), 2U);
  EXPECT_EQ(after->diagnostics[0].code, "runtime.local_default_resources");
  EXPECT_EQ(after->diagnostics[1].code, "worker.tools_less");
  for (const Diagnostic& diagnostic : after->diagnostics) {
    EXPECT_EQ(diagnostic.severity, Severity::info);
    EXPECT_EQ(diagnostic.worker_ref, ref("bare"));
    EXPECT_EQ(diagnostic.id, after->total - (diagnostic.code == "worker.tools_less" ? 0 : 1));
  }
  ASSERT_TRUE(is_ok(runtime().create_worker(full_request())));
  EXPECT_EQ(runtime().diagnostics()->total, total + 2);
}

// ---- refusals

TEST_P(StoreConformance, CreateRefusesBlankAndInvalidTextAndChangesNothing) {
  const auto refused = [&](const char* what, auto change) {
    CreateRequest request = full_request();
    change(request);
    EXPECT_TRUE(fails_with(runtime().create_worker(std::move(request)), ErrorCode::invalid_request))
        << what;
  };
  for (const std::string& bad : {std::string(), std::string(" \t"), std::string("\u3000\u2028"),
                                 std::string("\xff"), std::string("\xed\xa0\x80")}) {
    refused("objective", [&](CreateRequest& it) { it.intent = TaskIntent{bad}; });
    refused("role", [&](CreateRequest& it) { it.intent = RoleIntent{bad, std::nullopt}; });
    refused("purpose of a role", [&](CreateRequest& it) { it.intent = RoleIntent{"r", bad}; });
    refused("purpose", [&](CreateRequest& it) { it.intent = AssistantIntent{bad}; });
    refused("profile", [&](CreateRequest& it) { it.profile = {ProfileKind::named, bad}; });
    refused("capability", [&](CreateRequest& it) { it.requested_capabilities[0].name = bad; });
    refused("reason", [&](CreateRequest& it) { it.requested_capabilities[0].reason = bad; });
    refused("workspace", [&](CreateRequest& it) { it.workspace_refs[0].name = bad; });
    refused("mount", [&](CreateRequest& it) { it.mount_refs[1].name = bad; });
    refused("display name", [&](CreateRequest& it) { it.display_name = bad; });
    refused("key", [&](CreateRequest& it) { it.idempotency_key = bad; });
  }
  refused("reference", [&](CreateRequest& it) { it.mount_refs[0].reference = "\xc0\x80"; });
  refused("bundle", [&](CreateRequest& it) { it.config_bundle = "\x80"; });
  refused("empty id", [&](CreateRequest& it) { it.worker_id = WorkerId(); });
  refused("name of the default", [&](CreateRequest& it) {
    it.profile = {ProfileKind::runtime_default, "named all the same"};
  });
  EXPECT_EQ(all_events().size(), 1U);
  EXPECT_TRUE(is_ok(runtime().create_worker(full_request())));
}

TEST_P(StoreConformance, CreateLimitsHoldAtTheMaximumAndOneAbove) {
  const auto try_with = [&](auto change) {
    CreateRequest request = task("x");
    change(request);
    return runtime().create_worker(std::move(request));
  };
  const Limits limits;
  const auto named = [](std::uint64_t bytes) {
    return [=](CreateRequest& it) { it.display_name = std::string(bytes, 'n'); };
  };
  const auto keyed = [](std::uint64_t bytes) {
    return [=](CreateRequest& it) { it.idempotency_key = std::string(bytes, 'k'); };
  };
  // All text counts, the objective "x" of one byte too.
  const auto long_one = [](std::uint64_t bytes) {
    return [=](CreateRequest& it) {
      it.requested_capabilities = {{"cap", "why"}};
      it.workspace_refs = {{"w", "ref"}};
      it.mount_refs = {{"m", "ref"}};
      it.config_bundle = "b";
      it.profile = {ProfileKind::named, "p"};
      it.intent = TaskIntent{std::string(bytes - 16, 't')};
    };
  };
  EXPECT_TRUE(is_ok(try_with(named(limits.display_name_bytes))));
  EXPECT_TRUE(is_ok(try_with(keyed(limits.idempotency_key_bytes))));
  EXPECT_TRUE(is_ok(try_with(long_one(limits.create_request_bytes))));
  EXPECT_TRUE(fails_with_limit(try_with(named(limits.display_name_bytes + 1)), "display_name_bytes",
                               1025, 1024));
  EXPECT_TRUE(fails_with_limit(try_with(keyed(limits.idempotency_key_bytes + 1)),
                               "idempotency_key_bytes", 257, 256));
  EXPECT_TRUE(fails_with_limit(try_with(long_one(limits.create_request_bytes + 1)),
                               "create_request_bytes", 65537, 65536));
  reopen();
  EXPECT_EQ(all_workers().size(), 3U);
}

TEST_P(StoreConformance, WorkerLimitCountsWorkersThatAreNotDeleted) {
  open_with(with_limit("live_workers", 2));
  create("a");
  create("b");
  EXPECT_TRUE(fails_with_limit(runtime().create_worker(task("x")), "live_workers", 3, 2));
  ASSERT_TRUE(is_ok(runtime().stop_worker({ref("a"), std::nullopt})));
  EXPECT_TRUE(fails_with_limit(runtime().create_worker(task("x")), "live_workers", 3, 2));
  reopen();
  EXPECT_TRUE(fails_with_limit(runtime().create_worker(task("x")), "live_workers", 3, 2));
  ASSERT_TRUE(is_ok(runtime().delete_worker({ref("a")})));
  // The refused ones have used no number.
  auto created = runtime().create_worker(task("x"));
  ASSERT_TRUE(is_ok(created));
  EXPECT_EQ(created->summary.worker_ref.worker_id.text(), "worker-00000001");
}

TEST_P(StoreConformance, CreateChecksComeInOrder) {
  open_with(with_limit("live_workers", 1));
  CreateRequest first = full_request();
  ASSERT_TRUE(is_ok(runtime().create_worker(first)));
  ASSERT_TRUE(is_ok(runtime().stop_runtime()));
  reopen();
  // Everything is wrong at once; each time the first fault is mended.
  CreateRequest request = full_request();
  request.intent = TaskIntent{" "};
  const auto answer = [&] { return runtime().create_worker(request); };
  EXPECT_TRUE(fails_with(answer(), ErrorCode::invalid_request));
  request.intent = TaskIntent{"another body"};
  EXPECT_TRUE(fails_with(answer(), ErrorCode::idempotency_conflict));
  request.idempotency_key = "create-2";
  EXPECT_TRUE(fails_with(answer(), ErrorCode::runtime_stopped));
  ASSERT_TRUE(is_ok(runtime().start_runtime()));
  EXPECT_TRUE(fails_with(answer(), ErrorCode::worker_exists));
  request.worker_id.reset();
  EXPECT_TRUE(fails_with_limit(answer(), "live_workers", 2, 1));
}

}  // namespace
}  // namespace worker_runtime::testing
