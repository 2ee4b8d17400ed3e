// Stores of format version 1 that were written once and stay as they are, in tests/format/golden:
// every later build opens them, shows what was to be seen then, and goes on. Besides: what this
// version makes of a newer one.
//
// WORKER_RUNTIME_MAKE_GOLDEN=1 makes the stores and what is expected of them anew, as this build
// writes them: for the first build of another format version, into a directory of their own.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "checked_line.h"
#include "store_fixture.h"
#include "worker_runtime/fs_store/json.h"
#include "worker_runtime/fs_store/reader.h"

namespace worker_runtime::fs_store {
namespace {

namespace fs = std::filesystem;
using testing::fails_with;
using testing::input;
using testing::is_ok;
using testing::output;
using testing::task;

template <typename Answer>
void add(std::string& view, const Result<Answer>& answer) {
  EXPECT_TRUE(is_ok(answer));
  if (answer) append_json(view, *answer);
  view += '\n';
}

/// Every read, one line each, in pages of a few items.
template <typename Source>
std::string view_of(const Source& source) {
  std::string view;
  auto summary = source.summary();
  if (summary) summary->store.reset();  // free bytes
  add(view, summary);
  const auto workers = source.list_workers();
  add(view, workers);
  if (!workers) return view;
  for (const auto direction : {Direction::oldest_first, Direction::newest_first}) {
    for (EventQuery query{{}, 10, direction};;) {
      const auto page = source.read_events(query);
      add(view, page);
      if (!page || !page->has_more) break;
      query.from = page->next;
    }
    for (const WorkerSummary& worker : workers->workers) {
      for (TranscriptQuery query{{}, 3, direction};;) {
        const auto page = source.read_transcript(worker.worker_ref, query);
        add(view, page);
        if (!page || !page->next) break;
        query.start = *page->next;
      }
    }
  }
  for (const WorkerSummary& worker : workers->workers)
    add(view, source.worker_detail(worker.worker_ref));
  auto diagnostics = source.diagnostics();
  if (diagnostics) {
    for (Diagnostic& diagnostic : diagnostics->diagnostics) {
      // By the store's own clock, which is that of today.
      if (diagnostic.code == "store.recovered") diagnostic.at = Timestamp{};
    }
  }
  add(view, diagnostics);
  return view;
}

class Golden : public testing::StoreFixture {
 protected:
  Golden() { options_.log_part_bytes = 1200; }

  static fs::path golden(std::string_view name) {
    return fs::path(WORKER_RUNTIME_GOLDEN_STORES) / name;
  }
  static std::string text_of(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    EXPECT_TRUE(file) << path;
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void take(std::string_view name) const {
    fs::copy(golden(name), options_.root, fs::copy_options::recursive);
  }

  /// With small segments, and a clock that stands still.
  Result<Runtime> open_small() const {
    RuntimeId found;
    auto directory = open_runtime_directory(options_, found);
    if (!directory) return std::move(directory).error();
    auto lock = take_store_lock(**directory, found, std::chrono::milliseconds(0));
    if (!lock) return std::move(lock).error();
    RuntimeOptions runtime_options;
    runtime_options.clock = clock_.clock();
    return Runtime::open(
        std::make_unique<FsStore>(options_, found, std::move(*directory), std::move(*lock),
                                  std::nullopt, SegmentSizes{4096, 8192, 1024}),
        std::move(runtime_options));
  }

  /// By path: what may not change where an open is refused.
  [[nodiscard]] std::map<std::string, std::string> files() const {
    std::map<std::string, std::string> found;
    for (const auto& entry : fs::recursive_directory_iterator(options_.root)) {
      if (entry.is_regular_file() && entry.path().filename() != "lock")
        found[entry.path().string()] = text_of(entry.path());
    }
    return found;
  }

  /// The line `number`, from 0, of a file with `from` replaced, and a checksum that fits.
  void rewrite(const std::string& name, std::size_t number, std::string_view from,
               std::string_view to) const {
    const std::string text = read(name);
    std::size_t start = 0;
    for (; number > 0; --number) start = text.find('\n', start) + 1;
    const std::size_t end = text.find('\n', start);
    std::string object = "{" + text.substr(start, end - start).substr(line_head_bytes);
    const std::size_t at = object.find(from);
    ASSERT_NE(at, std::string::npos) << name;
    object.replace(at, from.size(), to);
    std::string line;
    append_checked_line(line, object);
    write(name, text.substr(0, start) + line + text.substr(end + 1));
  }

  testing::ManualClock clock_;
};

// ---- how they were made

CreateRequest rich_request() {
  CreateRequest request = task("Sort it", "mail");
  request.profile = {ProfileKind::builtin, "careful"};
  request.config_bundle = "style-3";
  request.requested_capabilities = {{"mail.read", std::nullopt}, {"mail.draft", "drafts only"}};
  request.workspace_refs = {{"source", "git:main"}};
  request.mount_refs = {{"tmp", ""}};
  request.display_name = "Mail \"\u2603\"";
  request.idempotency_key = "day-1/mail";
  return request;
}

WorkerRef ref_of(std::string_view id) {
  return {testing::runtime_id("main"), testing::worker_id(id)};
}

AppendOutput rich_output(std::uint64_t number) {
  AppendOutput request = output(ref_of("mail"), "On its way.\n\t\\ \u2028 \U0001F600",
                                "day-1/out/" + std::to_string(number));
  request.role = number % 2 == 0 ? OutputRole::assistant : OutputRole::tool;
  request.name = "draft";
  request.data = R"({"lines":[1,2.5,null,{"deep":{"er":"x"}}]})";
  request.usage = {{"tokens_in", 120}, {"tokens_out", number}};
  return request;
}

/// Parts of both logs, every kind of event and of intent, tombstones of both kinds, odd ids.
void make_history(Runtime& runtime) {
  EXPECT_TRUE(is_ok(runtime.create_worker(rich_request())));
  CreateRequest role;
  role.intent = RoleIntent{"reviewer", "Second pair of eyes"};
  role.worker_id = testing::worker_id("..");
  EXPECT_TRUE(is_ok(runtime.create_worker(role)));
  EXPECT_TRUE(is_ok(runtime.create_worker({AssistantIntent{"Talk"}})));
  CreateRequest generated{AssistantIntent{}};
  generated.idempotency_key = "day-1/generated";
  EXPECT_TRUE(is_ok(runtime.create_worker(generated)));
  for (std::uint64_t number = 0; number < 8; ++number) {
    EXPECT_TRUE(is_ok(runtime.send_input(
        input(ref_of("mail"), "Where is my order?", "day-1/in/" + std::to_string(number)))));
    EXPECT_TRUE(is_ok(runtime.append_output(rich_output(number))));
    EXPECT_TRUE(is_ok(runtime.checkpoint()));
  }
  SendInput system = input(ref_of(".."), "be brief");
  system.role = InputRole::system;
  EXPECT_TRUE(is_ok(runtime.send_input(system)));
  EXPECT_TRUE(is_ok(runtime.create_worker(task("go", "gone"))));
  EXPECT_TRUE(is_ok(runtime.send_input(input(ref_of("gone"), "soon"))));
  EXPECT_TRUE(is_ok(runtime.cancel_worker({ref_of("gone"), "no use"})));
  EXPECT_TRUE(is_ok(runtime.delete_worker({ref_of("gone")})));
  EXPECT_TRUE(is_ok(runtime.stop_worker({ref_of("worker-00000002"), {}})));
  EXPECT_TRUE(is_ok(runtime.delete_worker({ref_of("worker-00000002")})));
  EXPECT_TRUE(is_ok(runtime.batch({task("both", "pair"), input(ref_of("pair"), "or none")})));
  EXPECT_TRUE(is_ok(runtime.stop_runtime()));
  EXPECT_TRUE(is_ok(runtime.start_runtime()));
  EXPECT_TRUE(is_ok(runtime.create_worker(task("last", "last"))));
}

/// What only the journal has when the writer is killed.
void make_journal(Runtime& runtime) {
  EXPECT_TRUE(is_ok(runtime.create_worker(task("first", "mail"))));
  EXPECT_TRUE(is_ok(runtime.send_input(input(ref_of("mail"), "before the checkpoint"))));
  EXPECT_TRUE(is_ok(runtime.checkpoint()));
  EXPECT_TRUE(is_ok(runtime.append_output(rich_output(1))));
  EXPECT_TRUE(is_ok(runtime.create_worker(task("late", "a/b"))));
  EXPECT_TRUE(is_ok(runtime.send_input(input(ref_of("a/b"), "behind it", "key"))));
  EXPECT_TRUE(is_ok(runtime.create_worker(task("go", "gone"))));
  EXPECT_TRUE(is_ok(runtime.stop_worker({ref_of("gone"), "done"})));
  EXPECT_TRUE(is_ok(runtime.delete_worker({ref_of("gone")})));
  EXPECT_TRUE(is_ok(runtime.batch({input(ref_of("mail"), "one"), task("four")})));
  EXPECT_TRUE(is_ok(runtime.stop_runtime()));
}

class GoldenStore : public Golden, public ::testing::WithParamInterface<std::string> {
 protected:
  static fs::path expected_path() { return golden(GetParam() + ".expected.jsonl"); }

  /// Ends as its name says: closed, or killed within a write.
  void make() const {
    const bool is_killed = GetParam() == "killed";
    const pid_t child = ::fork();
    if (child == 0) {
      auto runtime = open_small();
      if (!runtime) ::_exit(1);
      if (is_killed) {
        make_journal(*runtime);
        static_cast<void>(::raise(SIGKILL));
      }
      make_history(*runtime);
      ::_exit(runtime->close() ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(is_killed ? WIFSIGNALED(status) : status == 0);
    write("lock", "pid=4711 host=golden since=2026-11-24T10:00:00.000000Z\n");
    if (is_killed) {
      // Half of a record that was being written.
      std::string text = read(last_segment());
      const std::string torn = R"({"crc":"0123abcd","lsn":10,"epoch":1,"durable":9,"pre)";
      text.replace(text.find("\n\n") + 1, torn.size(), torn);
      write(last_segment(), text);
    }
    fs::remove_all(golden(GetParam()));
    fs::create_directories(golden(GetParam()).parent_path());
    fs::copy(options_.root, golden(GetParam()), fs::copy_options::recursive);
  }
};

TEST_P(GoldenStore, IsReadAsItWasWrittenAndGoesOn) {
  const bool anew = std::getenv("WORKER_RUNTIME_MAKE_GOLDEN") != nullptr;
  if (anew) {
    ASSERT_NO_FATAL_FAILURE(make());
    fs::remove_all(options_.root);
  }
  take(GetParam());
  options_.create = false;
  expect_clean();
  const auto reader = Reader::open(options_.root);
  ASSERT_TRUE(is_ok(reader));
  const std::vector<Event> events = all_events(*reader);
  auto runtime = open_small();
  ASSERT_TRUE(is_ok(runtime));
  EXPECT_EQ(all_events(*runtime), events);
  const std::string view = view_of(*runtime);
  if (anew) std::ofstream(expected_path(), std::ios::binary) << view;
  EXPECT_EQ(view, text_of(expected_path()));

  EXPECT_TRUE(is_ok(runtime->start_runtime()));
  EXPECT_TRUE(is_ok(runtime->create_worker(task("new", "new"))));
  EXPECT_TRUE(fails_with(runtime->create_worker(task("again", "gone")), ErrorCode::worker_exists));
  EXPECT_TRUE(is_ok(runtime->send_input(input(ref("new"), "goes on"))));
  const auto repeated = runtime->append_output(rich_output(1));
  ASSERT_TRUE(is_ok(repeated));
  EXPECT_LE(repeated->sequence.value, GetParam() == "killed" ? 2U : 4U);
  EXPECT_TRUE(is_ok(runtime->delete_worker({ref("mail")})));
  const auto end = runtime->summary();
  ASSERT_TRUE(is_ok(end) && is_ok(runtime->close()));
  runtime = open_small();
  ASSERT_TRUE(is_ok(runtime));
  EXPECT_EQ(runtime->summary()->event_count, end->event_count);
  EXPECT_TRUE(is_ok(runtime->close()));
  expect_clean();
}
INSTANTIATE_TEST_SUITE_P(Version1, GoldenStore, ::testing::Values("closed", "killed"),
                         [](const auto& row) { return row.param; });

// ---- a newer version

TEST_F(Golden, ANewerSchemaInAnyFileIsRefusedWithBothVersionsAndNothingIsTouched) {
  take("closed");
  options_.create = false;
  std::string catalog;
  for (const std::string& name : names("")) {
    if (name.starts_with("catalog.")) catalog = name;
  }
  for (const std::string& name : {std::string("runtime.json"), catalog, last_segment()}) {
    SCOPED_TRACE(name);
    const std::string before = read(name);
    ASSERT_NO_FATAL_FAILURE(rewrite(name, 0, "\"schema_version\":1", "\"schema_version\":2"));
    const auto found = files();
    const auto opened = open_small();
    ASSERT_TRUE(fails_with(opened, ErrorCode::store_version));
    EXPECT_EQ(*opened.error().get<VersionFields>(), (VersionFields{2, 1}));
    EXPECT_NE(opened.error().message().find("version 2"), std::string::npos);
    EXPECT_NE(opened.error().message().find("up to 1"), std::string::npos);
    EXPECT_TRUE(fails_with(Reader::open(options_.root), ErrorCode::store_version));
    EXPECT_EQ(files(), found);
    write(name, before);
  }
  EXPECT_TRUE(is_ok(open_small()));
}

TEST_F(Golden, UnknownKindsAndMembersOfLogLinesAreShownAndKept) {
  take("closed");
  options_.create = false;
  const std::string part = layout::log_part("events", 1);
  const std::string transcript = layout::log_part(layout::transcript(ref("mail").worker_id), 1);
  ASSERT_NO_FATAL_FAILURE(
      rewrite(part, 1, R"("kind":"worker_created")", R"("kind":"worker_praised","by":["x",{}])"));
  ASSERT_NO_FATAL_FAILURE(rewrite(transcript, 0, R"("role":)", R"("mood":{"glad":true},"role":)"));
  const std::string events_before = read(part);
  const std::string entries_before = read(transcript);
  for (int opens = 0; opens < 2; ++opens) {
    auto runtime = open_small();
    ASSERT_TRUE(is_ok(runtime));
    std::string shown;
    add(shown, runtime->read_events({EventId{2}, 1}));
    EXPECT_NE(shown.find(R"("kind":"worker_praised")"), std::string::npos) << shown;
    const auto entries = runtime->read_transcript(ref("mail"), {0, 1});
    ASSERT_TRUE(is_ok(entries));
    EXPECT_EQ(entries->items.front().content, "Where is my order?");
    EXPECT_TRUE(is_ok(runtime->send_input(input(ref("last"), "more"))));
    EXPECT_TRUE(is_ok(runtime->checkpoint()));
    EXPECT_TRUE(is_ok(runtime->close()));
    EXPECT_EQ(read(part), events_before);
    EXPECT_EQ(read(transcript), entries_before);
    expect_clean();
  }
}

}  // namespace
}  // namespace worker_runtime::fs_store
