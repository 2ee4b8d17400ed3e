// Operations that one process asks of another through files: the host, its clients, and what
// becomes of a request when one of them is gone.
#include "worker_runtime/fs_store/requests.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "request_codec.h"
#include "request_names.h"
#include "request_server.h"
#include "snapshot.h"
#include "store_fixture.h"

namespace worker_runtime::fs_store {
namespace {

using testing::fails_with;
using testing::input;
using testing::is_ok;
using testing::output;
using testing::task;

constexpr std::chrono::milliseconds long_enough{30'000};
constexpr std::chrono::milliseconds short_time{50};
constexpr const char* some_session = "0123456789abcdef";

class RequestsTest : public testing::StoreFixture {
 protected:
  void start(std::chrono::milliseconds leftovers_kept = std::chrono::hours(1)) {
    auto started = RequestHost::start(runtime(), options_, {leftovers_kept});
    ASSERT_TRUE(is_ok(started));
    host_.emplace(*std::move(started));
  }
  void open_and_start() {
    open();
    start();
  }
  /// What a host does; a failure of the test if there is none.
  Result<Answer> ask(const HostRequest& request) const {
    auto answer = try_ask(request, long_enough);
    if (!answer) return std::move(answer).error();
    EXPECT_TRUE(*answer) << "nobody serves requests";
    if (!*answer) return Error(ErrorCode::closed, "nobody serves requests");
    return **std::move(answer);
  }
  [[nodiscard]] Result<std::optional<Answer>> try_ask(const HostRequest& request,
                                                      std::chrono::milliseconds timeout) const {
    return ask_host(options_.root, options_.runtime_id, request, timeout);
  }
  template <typename Value>
  Value asked(const HostRequest& request) const {
    auto answer = ask(request);
    EXPECT_TRUE(is_ok(answer));
    if (!answer || !std::holds_alternative<Value>(*answer)) {
      ADD_FAILURE() << "another answer";
      return {};
    }
    return std::get<Value>(*std::move(answer));
  }
  /// A file of requests/, whole at once, as a script would put it.
  void put(const std::string& name, std::string_view text) const {
    write("requests/put.partial", text);
    std::filesystem::rename(path("requests/put.partial"), path("requests/" + name));
  }
  [[nodiscard]] std::string session() const {
    std::string text = read("requests/lock");
    text.pop_back();
    return text;
  }
  /// The answer to a file that was put.
  [[nodiscard]] std::string answer_to(const std::string& text, const std::string& token = "x") {
    put(request_name(session(), token), text);
    const std::string name = "requests/" + session() + "." + token + ".answer";
    EXPECT_TRUE(eventually([&] { return exists(name); }));
    std::string answer = read(name);
    std::filesystem::remove(path(name));
    return answer;
  }
  [[nodiscard]] std::vector<std::string> lying_there() const { return names("requests"); }
  /// The directory as a host or a client sees it.
  std::unique_ptr<FileSystem> requests() {
    StoreOptions existing = options_;
    existing.create = false;
    RuntimeId found;
    directory_of_runtime_ = *open_runtime_directory(existing, found);
    return *directory_of_runtime_->directory("requests");
  }

  /// The lock of a host that takes nothing: a client finds it all the same.
  static std::unique_ptr<FileLock> pretend_to_serve(FileSystem& requests) {
    auto lock = requests.try_lock(std::string(host_lock));
    EXPECT_TRUE(is_ok(lock));
    EXPECT_TRUE(lock && *lock);
    if (!lock || !*lock) return nullptr;
    EXPECT_TRUE(is_ok((*lock)->set_text(std::string(some_session) + "\n")));
    return *std::move(lock);
  }

  std::optional<RequestHost> host_;
  std::unique_ptr<FileSystem> directory_of_runtime_;
};

const WorkerRef a{RuntimeId(), testing::worker_id("a")};

// ---- operations

TEST_F(RequestsTest, EveryOperationIsDoneAndAnsweredAsByTheRuntimeItself) {
  open_and_start();
  CreateRequest request = task("sort the mail \"\n\t\x01 \xF0\x9F\x98\x80", "a");
  request.display_name = "Ada";
  request.profile = {ProfileKind::builtin, "mail"};
  request.config_bundle = "bundle";
  request.requested_capabilities = {{"read", "why"}, {"write", std::nullopt}};
  request.workspace_refs = {{"home", "/somewhere"}};
  request.mount_refs = {{"disk", "sda"}};
  request.idempotency_key = "key";
  auto created = asked<WorkerDetail>(Mutation(request));
  auto known = runtime().worker_detail(ref("a"));
  ASSERT_TRUE(is_ok(known));
  EXPECT_EQ(created.summary, known->summary);
  // What an answer does not say.
  known->request->worker_id.reset();
  known->request->display_name.reset();
  known->request->idempotency_key.reset();
  EXPECT_EQ(created.request, known->request);

  EXPECT_EQ(asked<EntryAccepted>(Mutation(input(a, "one\ntwo"))),
            (EntryAccepted{ref("a"), WorkerStatus::running, Sequence{1}, EventId{3}}));
  AppendOutput made = output(a, "done");
  made.role = OutputRole::tool;
  made.name = "shell";
  made.data = "{\n \"exit\" : 0,\r\n\"deep\":{\"er\":[1,2.50]}}";
  made.usage = {{"tokens", 7}};
  EXPECT_EQ(asked<EntryAccepted>(Mutation(made)),
            (EntryAccepted{ref("a"), WorkerStatus::running, Sequence{2}, EventId{4}}));
  const auto entries = all_entries(runtime(), "a");
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(entries[0].content, "one\ntwo");
  EXPECT_EQ(entries[1].data, "{\"exit\":0,\"deep\":{\"er\":[1,2.50]}}");
  EXPECT_EQ(entries[1].usage, made.usage);

  ForkWorker fork;
  fork.worker_ref = a;
  fork.at = Sequence{1};
  fork.worker_id = testing::worker_id("b");
  const auto forked = asked<WorkerDetail>(fork);
  EXPECT_EQ(forked.summary.transcript_len, 1U);
  ASSERT_TRUE(forked.request && forked.request->origin);
  EXPECT_EQ(*forked.request->origin, (Origin{ref("a"), Sequence{1}}));

  EXPECT_EQ(asked<Redacted>(Mutation(Redact{a, Sequence{2}})), (Redacted{ref("a"), Sequence{2}}));
  EXPECT_EQ(asked<TranscriptTrimmed>(Mutation(TrimTranscript{a, Sequence{2}})),
            (TranscriptTrimmed{ref("a"), Sequence{2}}));
  EXPECT_EQ(asked<EventsTrimmed>(Mutation(TrimEvents{EventId{2}})), EventsTrimmed{EventId{2}});
  EXPECT_EQ(asked<WorkerEnded>(Mutation(StopWorker{a, "enough"})),
            (WorkerEnded{ref("a"), WorkerStatus::stopped, EventId{6}}));
  const WorkerRef b = ref("b");
  EXPECT_EQ(asked<WorkerEnded>(Mutation(CancelWorker{b, std::nullopt})),
            (WorkerEnded{b, WorkerStatus::cancelled, EventId{7}}));
  EXPECT_EQ(asked<WorkerDeleted>(Mutation(DeleteWorker{b})), (WorkerDeleted{b, EventId{8}}));
  EXPECT_EQ(asked<RuntimeChanged>(Mutation(StopRuntime{})), RuntimeChanged{EventId{9}});
  EXPECT_EQ(asked<RuntimeChanged>(Mutation(StartRuntime{})), RuntimeChanged{EventId{10}});
  EXPECT_EQ(lying_there(), std::vector<std::string>{"lock"}) << "nothing is left behind";
}

TEST_F(RequestsTest, ErrorsComeWithTheirFields) {
  open_and_start();
  create("a");
  EXPECT_TRUE(fails_with(ask(Mutation(input({RuntimeId(), testing::worker_id("none")}, "x"))),
                         ErrorCode::worker_not_found));
  EXPECT_TRUE(fails_with(ask(Mutation(input({testing::runtime_id("other"), a.worker_id}, "x"))),
                         ErrorCode::wrong_runtime));
  const auto too_long = ask(Mutation(input(a, std::string((std::size_t{1} << 20U) + 1, 'x'))));
  ASSERT_TRUE(fails_with(too_long, ErrorCode::limit_exceeded));
  ASSERT_NE(too_long.error().get<LimitFields>(), nullptr);
  EXPECT_EQ(*too_long.error().get<LimitFields>(),
            (LimitFields{"input_bytes", (std::uint64_t{1} << 20U) + 1, std::uint64_t{1} << 20U}));
  EXPECT_TRUE(fails_with(ask(Mutation(TrimEvents{EventId{99}})), ErrorCode::cursor_ahead));
  EXPECT_TRUE(is_ok(ask(Mutation(input(a, "x", "key")))));
  EXPECT_TRUE(fails_with(ask(Mutation(input(a, "y", "key"))), ErrorCode::idempotency_conflict));
  EXPECT_EQ(asked<EntryAccepted>(Mutation(input(a, "x", "key"))).sequence, Sequence{1});
  ASSERT_TRUE(is_ok(runtime().trim_transcript({ref("a"), Sequence{2}})));
  ForkWorker fork;
  fork.worker_ref = a;
  fork.at = Sequence{1};
  const auto expired = ask(fork);
  ASSERT_TRUE(fails_with(expired, ErrorCode::cursor_expired));
  ASSERT_NE(expired.error().get<CursorFields>(), nullptr);
}

TEST_F(RequestsTest, WhatNoLineCanSayIsRefusedBeforeAnybodyIsAsked) {
  open_and_start();
  create("a");
  EXPECT_TRUE(fails_with(ask(Mutation(input(a, "\xFF"))), ErrorCode::invalid_request));
  AppendOutput made = output(a, "x");
  made.data = R"({},"name":"smuggled")";
  EXPECT_TRUE(fails_with(ask(Mutation(made)), ErrorCode::invalid_request));
  EXPECT_TRUE(
      fails_with(ask(Mutation(ImportWorker{task("x", "b"), {}})), ErrorCode::invalid_request));
  EXPECT_TRUE(all_entries(runtime(), "a").empty());
}

TEST_F(RequestsTest, ErrorsOfEveryKindAreReadBackAsTheyWere) {
  const std::vector<Error> errors{
      Error(ErrorCode::closed, "plain"),
      Error(ErrorCode::limit_exceeded, "l", LimitFields{"what", 3, 2}),
      Error(ErrorCode::cursor_expired, "c", CursorFields{7}),
      Error(ErrorCode::store_corrupt, "f",
            FileFields{.path = "p\"q", .line = 1, .offset = 2, .next_readable = 3}),
      Error(ErrorCode::store_locked, "h", HolderFields{12, "host", "since"}),
      Error(ErrorCode::runtime_ambiguous, "a", AmbiguousFields{{"one", "two"}}),
      Error(ErrorCode::store_version, "v", VersionFields{2, 1}),
      Error(ErrorCode::worker_not_found, "indexed").set_index(4),
  };
  for (const Error& error : errors) {
    const auto read = read_answer_line(error_line("7", error), AnswerKind::entry);
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error(), error) << error.message();
  }
}

TEST_F(RequestsTest, AnAnswerThatCannotBeReadIsAnUnknownOutcome) {
  for (const std::string line :
       {"", "{}", "nonsense", R"({"id":1,"ok":{}})", R"({"id":1,"ok":{"event_id":"x"}})",
        R"({"id":1,"error":{"code":"no_such_code","message":"m"}})", R"({"id":1,"error":{}})",
        R"({"id":1,"ok":{"worker_ref":{"runtime_id":"main","worker_id":"a"},"status":"running",)"
        R"("sequence":1}})"}) {
    EXPECT_TRUE(fails_with(read_answer_line(line, AnswerKind::entry), ErrorCode::store_failed))
        << line;
  }
}

TEST_F(RequestsTest, ManyClientsAtOnceAreEachAnsweredOnce) {
  open_and_start();
  create("a");
  constexpr std::size_t clients = 8;
  constexpr std::size_t each = 20;
  std::vector<std::vector<std::uint64_t>> sequences(clients);
  {
    std::vector<std::jthread> threads;
    for (std::size_t client = 0; client < clients; ++client) {
      threads.emplace_back([&, client] {
        for (std::size_t count = 0; count < each; ++count)
          sequences[client].push_back(
              asked<EntryAccepted>(Mutation(input(a, std::to_string(client)))).sequence.value);
      });
    }
  }
  std::map<std::uint64_t, std::string> said;
  for (std::size_t client = 0; client < clients; ++client) {
    EXPECT_TRUE(std::is_sorted(sequences[client].begin(), sequences[client].end()));
    for (const std::uint64_t sequence : sequences[client]) said[sequence] = std::to_string(client);
  }
  const auto entries = all_entries(runtime(), "a");
  ASSERT_EQ(entries.size(), clients * each);
  ASSERT_EQ(said.size(), entries.size());
  for (const TranscriptEntry& entry : entries) EXPECT_EQ(said[entry.sequence.value], entry.content);
}

// ---- hosts that are not there

TEST_F(RequestsTest, WithoutAHostNothingIsAskedAndNothingIsLeft) {
  EXPECT_FALSE(*try_ask(Mutation(StopRuntime{}), short_time)) << "no runtime";
  open();
  EXPECT_FALSE(*try_ask(Mutation(StopRuntime{}), short_time)) << "never a host";
  EXPECT_FALSE(exists("requests"));
  start();
  host_.reset();
  EXPECT_FALSE(*try_ask(Mutation(StopRuntime{}), short_time)) << "no host any more";
  EXPECT_EQ(lying_there(), std::vector<std::string>{"lock"});
  EXPECT_EQ(all_events(runtime()).size(), 1U);
}

TEST_F(RequestsTest, ARequestThatNobodyTakesIsWithdrawn) {
  open_and_start();
  host_.reset();
  const auto directory = requests();
  auto lock = pretend_to_serve(*directory);
  const auto answer = try_ask(Mutation(StopRuntime{}), short_time);
  ASSERT_TRUE(is_ok(answer));
  EXPECT_FALSE(*answer);
  EXPECT_EQ(lying_there(), std::vector<std::string>{"lock"});
}

TEST_F(RequestsTest, AHostThatEndsBeforeItAnswersLeavesTheOutcomeUnknown) {
  open_and_start();
  host_.reset();
  const auto directory = requests();
  auto lock = pretend_to_serve(*directory);
  std::jthread host([&] {
    EXPECT_TRUE(eventually([&] {
      for (const std::string& name : names("requests"))
        if (is_request(name)) return std::filesystem::remove(path("requests/" + name));
      return false;
    }));
    lock.reset();
  });
  EXPECT_TRUE(fails_with(try_ask(Mutation(StopRuntime{}), long_enough), ErrorCode::store_failed));
}

TEST_F(RequestsTest, AHostThatEndsBeforeItTakesTheRequestHasDoneNothing) {
  open_and_start();
  host_.reset();
  const auto directory = requests();
  auto lock = pretend_to_serve(*directory);
  std::jthread host([&] {
    EXPECT_TRUE(eventually([&] { return names("requests").size() == 2; }));
    lock.reset();
  });
  const auto answer = try_ask(Mutation(StopRuntime{}), long_enough);
  ASSERT_TRUE(is_ok(answer));
  EXPECT_FALSE(*answer);
  EXPECT_EQ(lying_there(), std::vector<std::string>{"lock"});
}

TEST_F(RequestsTest, OneRuntimeHasOneHost) {
  open_and_start();
  EXPECT_TRUE(fails_with(RequestHost::start(runtime(), options_), ErrorCode::store_locked));
  EXPECT_TRUE(is_ok(ask(Mutation(StopRuntime{})))) << "the first one goes on";
}

TEST_F(RequestsTest, AHostDoesNothingThatAnotherOneWasAskedFor) {
  open_and_start();
  create("a");
  const std::string before = session();
  host_.reset();
  put(request_name(before, "old"), R"({"op":"stop_runtime"})");
  start();
  EXPECT_NE(session(), before);
  put(request_name("", "none"), R"({"op":"stop_runtime"})");
  put(session() + ".request", R"({"op":"stop_runtime"})");
  EXPECT_EQ(answer_to(R"({"id":1,"op":"checkpoint"})").substr(0, 12), R"({"id":1,"ok")");
  EXPECT_EQ(all_events(runtime()).size(), 2U);
}

// ---- what is put there by hand

TEST_F(RequestsTest, AnyLanguageCanPutARequest) {
  open_and_start();
  EXPECT_EQ(answer_to(R"({"id":["x"],"op":"create_worker","worker_id":"a",)"
                      R"("intent":{"kind":"assistant"}})"
                      "\n")
                .substr(0, 27),
            R"({"id":["x"],"ok":{"worker":)");
  EXPECT_EQ(answer_to(R"({"id":2,"op":"batch","ops":[{"op":"send_input","worker_id":"a",)"
                      R"("kind":"user","content":"hi"},{"op":"stop_worker","worker_id":"a"}]})"),
            R"({"id":2,"ok":{"results":[{"worker_ref":{"runtime_id":"main","worker_id":"a"},)"
            R"("status":"running","sequence":1,"event_id":3},{"worker_ref":{"runtime_id":"main",)"
            R"("worker_id":"a"},"status":"stopped","event_id":4}]}})"
            "\n");
  EXPECT_EQ(answer_to(R"({"id":3,"op":"checkpoint"})"), "{\"id\":3,\"ok\":{\"lsn\":3}}\n");
  const std::string refused = R"({"id":4,"error":{"code":"invalid_request",)";
  EXPECT_EQ(answer_to(R"({"id":4,"op":"read_events"})").substr(0, refused.size()), refused);
  EXPECT_EQ(
      answer_to(R"({"id":4,"op":"wait_events","from":1,"timeout_ms":1})").substr(0, refused.size()),
      refused);
}

TEST_F(RequestsTest, WhatIsNoRequestIsAnsweredAsOneOrLeftAlone) {
  open_and_start();
  const std::string invalid = R"({"id":null,"error":{"code":"invalid_request",)";
  const std::vector<std::string> texts{
      "", "\n", "nonsense", "{", std::string(100'000, '['), std::string("\0\xFF", 2)};
  for (const std::string& text : texts)
    EXPECT_EQ(answer_to(text).substr(0, invalid.size()), invalid);
  const auto place = [&](const std::string& token) {
    return path("requests/" + request_name(session(), token));
  };
  const auto answered = [&](const std::string& token) {
    const std::string name = "requests/" + session() + "." + token + ".answer";
    return eventually([&] { return exists(name); }) &&
           read(name).substr(0, invalid.size()) == invalid;
  };
  // A file of 65 MiB of nothing, a link to a file of the store, a pipe without a writer.
  write("requests/large", "");
  std::filesystem::resize_file(path("requests/large"), std::uintmax_t{65} << 20U);
  std::filesystem::rename(path("requests/large"), place("large"));
  EXPECT_TRUE(answered("large"));
  std::filesystem::create_symlink("../runtime.json", place("link"));
  EXPECT_TRUE(answered("link"));
  ASSERT_EQ(::mkfifo(place("pipe").c_str(), 0600), 0);
  EXPECT_TRUE(answered("pipe"));
  std::filesystem::create_directory(place("directory"));
  write("requests/notes.txt", "of an operator");
  EXPECT_TRUE(is_ok(ask(Mutation(StopRuntime{})))) << "it goes on";
  EXPECT_TRUE(std::filesystem::is_directory(place("directory")));
  EXPECT_TRUE(exists("requests/notes.txt"));
  EXPECT_TRUE(exists("runtime.json"));
}

TEST_F(RequestsTest, WhatNobodyFetchesGoesInTheEnd) {
  open();
  start(short_time);
  for (const std::string name :
       {"gone.x.request", "gone.x.answer", "put.0123456789abcdef.tmp", "notes.txt"})
    put(name, "left behind");
  EXPECT_TRUE(eventually([&] {
    // Each request makes it look.
    EXPECT_TRUE(is_ok(ask(Mutation(StopRuntime{}))));
    return names("requests").size() == 2;
  }));
  EXPECT_EQ(lying_there(), (std::vector<std::string>{"lock", "notes.txt"}));
}

TEST_F(RequestsTest, VerifyKnowsTheFilesAndTellsStrayOnes) {
  open_and_start();
  put(request_name("0123456789abcdef", "old"), "");
  write("requests/notes.txt", "");
  std::vector<std::string> stray;
  for (const Finding& finding : findings()) stray.push_back(finding.path);
  EXPECT_EQ(stray, std::vector<std::string>{"runtimes/main/requests/notes.txt"});
}

// ---- faults

TEST_F(RequestsTest, AnAnswerThatFindsNoRoomIsWrittenOnceThereIsSome) {
  open();
  std::filesystem::create_directory(path("requests"));
  auto directory = make_faulty_file_system(requests(), faults_);
  auto lock = pretend_to_serve(*directory);
  faults_.plan({.kind = CallKind::write,
                .times = Fault::for_ever,
                .system_error = ENOSPC,
                .path_part = ".answer"});
  std::jthread client([&] { EXPECT_TRUE(is_ok(ask(Mutation(StopRuntime{})))); });
  const RequestServer server(runtime(), *options_.runtime_id, std::move(directory), std::move(lock),
                             some_session, {});
  EXPECT_TRUE(eventually([&] { return all_events(runtime()).size() == 2; })) << "it is done";
  const std::vector<std::string> there = lying_there();
  EXPECT_FALSE(std::any_of(there.begin(), there.end(), is_answer));
  faults_.clear_plan();
  client.join();
}

TEST_F(RequestsTest, AFileInPlaceOfTheDirectoryIsNamed) {
  open();
  write("requests", "");
  const auto started = RequestHost::start(runtime(), options_);
  EXPECT_TRUE(fails_with(started, ErrorCode::store_io));
  EXPECT_NE(started.error().message().find("requests"), std::string::npos);
}

}  // namespace
}  // namespace worker_runtime::fs_store
