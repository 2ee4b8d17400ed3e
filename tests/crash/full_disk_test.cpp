// A disk that fills while a writer runs, and roots that can't be written to.
//
// The disk is a small tmpfs of the test's own, or an image of another file system. Where the system
// does not let the test mount one, a limit on the size of files stands in for it, and the output
// says so.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <simdjson.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "loop_disk.h"
#include "support/cli_fixture.h"

namespace worker_runtime::testing {
namespace {

using cli::Arguments;
using cli::has;

/// A tmpfs, unmounted at the end. Not mounted if the system refuses.
class SmallDisk {
 public:
  SmallDisk(std::filesystem::path path, const std::string& options) : path_(std::move(path)) {
    std::filesystem::create_directory(path_);
    mounted_ = ::mount("tmpfs", path_.c_str(), "tmpfs", 0, options.c_str()) == 0;
    if (!mounted_) cause_ = std::strerror(errno);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  ~SmallDisk() {
    if (mounted_) ::umount2(path_.c_str(), MNT_DETACH);
  }

  [[nodiscard]] bool is_mounted() const { return mounted_; }
  [[nodiscard]] const std::string& cause() const { return cause_; }
  bool remount(unsigned long flags, const std::string& options) const {
    return ::mount("tmpfs", path_.c_str(), "tmpfs", MS_REMOUNT | flags, options.c_str()) == 0;
  }

 private:
  std::filesystem::path path_;
  bool mounted_ = false;
  std::string cause_;
};

class FullDiskTest : public cli::CliTest {
 protected:
  static constexpr std::size_t large_bytes = 100'000;

  static std::string ask(Subprocess& pipe, const std::string& op, const std::string& members) {
    pipe.write(R"({"id":1,"op":")" + op + "\"" + members + "}\n");
    return pipe.read_line();
  }
  static bool is_ok(std::string_view answer) { return answer.starts_with("{\"id\":1,\"ok\":"); }

  static void create(Subprocess& pipe, const std::string& worker) {
    ASSERT_TRUE(is_ok(ask(pipe, "create_worker",
                          R"(,"intent":{"kind":"assistant"},"worker_id":")" + worker + "\"")));
  }

  /// An input that says which it is. What is acknowledged is remembered.
  std::string send(Subprocess& pipe, const std::string& worker, std::size_t bytes) {
    std::string content = "input " + std::to_string(++inputs_) + " ";
    content.append(bytes, 'x');
    std::string answer =
        ask(pipe, "send_input",
            R"(,"worker_id":")" + worker + R"(","kind":"user","content":")" + content + "\"");
    if (is_ok(answer)) acknowledged_[worker].push_back(std::move(content));
    return answer;
  }

  /// Until an input is refused, which must be for want of space.
  void fill(Subprocess& pipe, const std::string& worker) {
    std::string answer;
    for (int at = 0; at < 1000; ++at) {
      answer = send(pipe, worker, large_bytes);
      if (!is_ok(answer)) break;
    }
    ASSERT_TRUE(has(answer, R"("error":{"code":"store_full")"));
    ASSERT_FALSE(acknowledged_[worker].empty());
  }

  /// Room is looked for now and then: until an input goes through.
  void wait_for_room(Subprocess& pipe, const std::string& worker) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    std::string answer;
    do {
      answer = send(pipe, worker, 10);
      if (is_ok(answer)) return;
      ASSERT_TRUE(has(answer, R"("code":"store_full")"));
      // A pause of the pipe's own: nothing new happens meanwhile.
      const std::string events = ask(pipe, "read_events", R"(,"limit":1,"newest_first":true)");
      const std::size_t at = events.find("\"id\":", 8);
      const std::string next = std::to_string(std::stoull(events.substr(at + 5)) + 1);
      ask(pipe, "wait_events", ",\"timeout_ms\":50,\"from\":" + next);
    } while (std::chrono::steady_clock::now() < deadline);
    FAIL() << "no room: " << answer;
  }

  /// Every acknowledged input, in its order, and nothing else.
  void expect_what_was_acknowledged() const {
    simdjson::dom::parser parser;
    for (const auto& [worker, contents] : acknowledged_) {
      SCOPED_TRACE(worker);
      const std::vector<std::string> kept = lines(done({"transcript", worker, "--json"}));
      ASSERT_EQ(kept.size(), contents.size());
      for (std::size_t at = 0; at < kept.size(); ++at) {
        const simdjson::dom::element entry = parser.parse(kept[at]);
        EXPECT_EQ(entry["sequence"].get_uint64().value(), at + 1);
        EXPECT_EQ(entry["content"].get_string().value(), contents[at]);
      }
    }
    done({"verify"});
  }

  /// A disk that has a few MiB fills; `make_room` is called when it has refused.
  void refuse_and_go_on(const std::function<void()>& make_room) {
    Subprocess pipe(line({"pipe"}));
    for (const char* const worker : {"small", "stopped", "cancelled", "large"})
      create(pipe, worker);
    EXPECT_TRUE(is_ok(send(pipe, "small", 10)));
    ASSERT_NO_FATAL_FAILURE(fill(pipe, "large"));
    EXPECT_TRUE(has(ask(pipe, "summary", ""), R"("state":"full")"));
    EXPECT_TRUE(has(ask(pipe, "diagnostics", ""), R"("code":"store.full")"));

    // Reads go on; so does what makes room, for which a reserve is kept.
    EXPECT_TRUE(is_ok(ask(pipe, "read_transcript", R"(,"worker_id":"large","limit":1)")));
    EXPECT_TRUE(is_ok(ask(pipe, "stop_worker", R"(,"worker_id":"stopped")")));
    EXPECT_TRUE(is_ok(ask(pipe, "cancel_worker", R"(,"worker_id":"cancelled")")));
    EXPECT_TRUE(is_ok(ask(pipe, "delete_worker", R"(,"worker_id":"cancelled")")));
    done({"verify"});
    EXPECT_TRUE(
        has(ask(pipe, "send_input", R"(,"worker_id":"stopped","kind":"user","content":"x")"),
            R"("code":"worker_not_running")"));

    ASSERT_NO_FATAL_FAILURE(make_room());
    ASSERT_NO_FATAL_FAILURE(wait_for_room(pipe, "small"));
    EXPECT_TRUE(is_ok(send(pipe, "large", large_bytes)));
    EXPECT_TRUE(is_ok(ask(pipe, "checkpoint", "")));
    EXPECT_TRUE(has(ask(pipe, "summary", ""), R"("state":"ok")"));
    const Finished finished = pipe.finish();
    EXPECT_EQ(finished.exit_code, 0) << finished.errors;
    expect_what_was_acknowledged();
  }

  std::map<std::string, std::vector<std::string>> acknowledged_;
  int inputs_ = 0;
};

TEST_F(FullDiskTest, RefusesGrowthLetsRoomBeMadeAndGoesOnByItself) {
  const SmallDisk disk(root(), "size=8m");
  if (!disk.is_mounted()) {
    std::cout << "NOT TESTED WITH A FULL DISK: no tmpfs can be mounted (" << disk.cause()
              << "); see ALimitOnTheSizeOfFilesIsAFullDiskToo\n";
    return;
  }
  refuse_and_go_on([&] { ASSERT_TRUE(disk.remount(0, "size=64m")); });
}

/// Others fill the disk, and make room again.
class FullDiskOfAKindTest : public FullDiskTest,
                            public ::testing::WithParamInterface<FileSystemKind> {
 protected:
  /// All but so much, whatever the system says is free.
  void fill_but(std::uint64_t bytes) const {
    const std::filesystem::path ballast = root() / "ballast";
    for (const std::size_t size : {std::size_t{64} << 10U, std::size_t{512}}) {
      std::ofstream file(ballast, std::ios::binary | std::ios::app);
      const std::string block(size, 'b');
      while (file.write(block.data(), static_cast<std::streamsize>(size)).flush()) {
      }
    }
    ASSERT_GT(std::filesystem::file_size(ballast), bytes);
    std::filesystem::resize_file(ballast, std::filesystem::file_size(ballast) - bytes);
    // What is cut off is free when that is durable.
    const int directory = ::open(root().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ASSERT_EQ(::syncfs(directory), 0);
    ::close(directory);
  }
};

TEST_P(FullDiskOfAKindTest, RefusesGrowthLetsRoomBeMadeAndGoesOnByItself) {
  LoopDisk disk;
  const std::string problem = disk.make(GetParam(), directory_.path() / "image", root());
  if (!problem.empty()) GTEST_SKIP() << "NOT TESTED ON " << GetParam().name << ": " << problem;
  ASSERT_NO_FATAL_FAILURE(fill_but(std::uint64_t{8} << 20U));
  refuse_and_go_on([this] { std::filesystem::remove(root() / "ballast"); });
}

TEST_P(FullDiskOfAKindTest, WithNotOneByteFreeAWorkerIsStoppedAndDeleted) {
  LoopDisk disk;
  const std::string problem = disk.make(GetParam(), directory_.path() / "image", root());
  if (!problem.empty()) GTEST_SKIP() << "NOT TESTED ON " << GetParam().name << ": " << problem;
  for (const char* const worker : {"a", "b"}) done({"create", "--id", worker, "--task", "x"});
  done({"send", "a", "before it filled"});
  acknowledged_["a"].emplace_back("before it filled");
  ASSERT_NO_FATAL_FAILURE(fill_but(0));
  done({"stop", "b"});
  ASSERT_NO_FATAL_FAILURE(fill_but(0));
  done({"delete", "b"});
  ASSERT_NO_FATAL_FAILURE(fill_but(0));
  const Finished refused = cli({"send", "a", "x", "--json"});
  EXPECT_EQ(refused.exit_code, 5) << refused.output << refused.errors;
  EXPECT_EQ(lines(done({"list", "--json"})).size(), 1U);
  expect_what_was_acknowledged();
}

INSTANTIATE_TEST_SUITE_P(FileSystems, FullDiskOfAKindTest, ::testing::ValuesIn(file_system_kinds),
                         [](const auto& tested) { return std::string(tested.param.name); });

TEST_F(FullDiskTest, DeletingALargeWorkerMakesRoom) {
  const SmallDisk disk(root(), "size=12m");
  if (!disk.is_mounted()) {
    std::cout << "NOT TESTED: no tmpfs can be mounted (" << disk.cause() << ")\n";
    return;
  }
  Subprocess pipe(line({"pipe"}));
  for (const char* const worker : {"small", "large"}) create(pipe, worker);
  EXPECT_TRUE(is_ok(send(pipe, "small", 10)));
  ASSERT_NO_FATAL_FAILURE(fill(pipe, "large"));
  EXPECT_TRUE(is_ok(ask(pipe, "stop_worker", R"(,"worker_id":"large")")));
  EXPECT_TRUE(is_ok(ask(pipe, "delete_worker", R"(,"worker_id":"large")")));
  acknowledged_.erase("large");
  ASSERT_NO_FATAL_FAILURE(wait_for_room(pipe, "small"));
  const Finished finished = pipe.finish();
  EXPECT_EQ(finished.exit_code, 0) << finished.errors;
  expect_what_was_acknowledged();
}

TEST_F(FullDiskTest, CommandsEndWithFiveAndCloseGoesThrough) {
  const SmallDisk disk(root(), "size=8m");
  if (!disk.is_mounted()) {
    std::cout << "NOT TESTED: no tmpfs can be mounted (" << disk.cause() << ")\n";
    return;
  }
  Subprocess pipe(line({"pipe"}));
  for (const char* const worker : {"a", "b"}) create(pipe, worker);
  ASSERT_NO_FATAL_FAILURE(fill(pipe, "a"));
  const Finished finished = pipe.finish();
  EXPECT_EQ(finished.exit_code, 0) << finished.errors;
  expect_what_was_acknowledged();

  // What closing gave back, and what the next open sweeps, goes to a file of somebody else.
  static_cast<void>(cli({"start"}));
  std::ofstream ballast(root() / "ballast", std::ios::binary);
  ballast << std::string(std::size_t{16} << 20U, 'b');
  ballast.close();
  const Finished refused = cli({"send", "b", "-", "--json"}, std::string(large_bytes, 'x'));
  EXPECT_EQ(refused.exit_code, 5) << refused.output << refused.errors;
  EXPECT_TRUE(has(refused.errors, R"("code":"store_full")"));
  done({"status"});
  expect_what_was_acknowledged();

  std::filesystem::remove(root() / "ballast");
  done({"stop", "a"});
  done({"delete", "a"});
  done({"send", "b", "there is room again"});
  acknowledged_.erase("a");
  acknowledged_["b"].emplace_back("there is room again");
  expect_what_was_acknowledged();
}

/// A closed store on a disk of which others took every byte, and take every byte that comes free.
class NoByteFreeTest : public FullDiskTest {
 protected:
  void SetUp() override {
    disk_ = std::make_unique<SmallDisk>(root(), "size=8m");
    if (!disk_->is_mounted()) return;
    Subprocess pipe(line({"pipe"}));
    for (const char* const worker : {"a", "b", "c"}) create(pipe, worker);
    for (int at = 0; at < 10; ++at) EXPECT_TRUE(has(send(pipe, "a", large_bytes), "\"ok\":"));
    EXPECT_TRUE(is_ok(send(pipe, "b", 10)));
    EXPECT_EQ(pipe.finish().exit_code, 0);
    take_every_byte();
  }

  [[nodiscard]] bool is_tested() const {
    if (!disk_->is_mounted())
      std::cout << "NOT TESTED: no tmpfs can be mounted (" << disk_->cause() << ")\n";
    return disk_->is_mounted();
  }
  void take_every_byte() const {
    std::ofstream ballast(root() / "ballast", std::ios::binary | std::ios::app);
    const std::string block(4096, 'b');
    while (ballast.write(block.data(), static_cast<std::streamsize>(block.size())).flush()) {
    }
    ASSERT_EQ(std::filesystem::space(root()).free, 0U);
  }
  /// A command that goes through, and nobody has more space afterwards.
  void done_without_space(const Arguments& arguments) const {
    done(arguments);
    take_every_byte();
  }

  std::unique_ptr<SmallDisk> disk_;
};

TEST_F(NoByteFreeTest, AWorkerIsStoppedAndDeletedAndGrowthIsRefused) {
  if (!is_tested()) return;
  done_without_space({"stop", "b", "--reason", std::string(1024, '\x01')});
  done_without_space({"delete", "b"});
  acknowledged_.erase("b");
  EXPECT_EQ(lines(done({"list", "--json"})).size(), 2U);
  expect_what_was_acknowledged();
  // The reserve is used up. Still nobody is told anything but the truth.
  const Finished refused = cli({"send", "a", "x", "--json"});
  EXPECT_EQ(refused.exit_code, 5) << refused.output << refused.errors;
  EXPECT_TRUE(has(refused.errors, R"("code":"store_full")"));
  expect_what_was_acknowledged();

  std::filesystem::remove(root() / "ballast");
  done({"send", "a", "there is room again"});
  acknowledged_["a"].emplace_back("there is room again");
  expect_what_was_acknowledged();
  // The reserve is back.
  take_every_byte();
  done_without_space({"cancel", "c"});
  done_without_space({"shutdown"});
}

TEST_F(NoByteFreeTest, DeletingMakesRoomForAllOthers) {
  if (!is_tested()) return;
  done_without_space({"cancel", "a"});
  done({"delete", "a"});
  acknowledged_.erase("a");
  done({"send", "b", "there is room"});
  acknowledged_["b"].emplace_back("there is room");
  expect_what_was_acknowledged();
  EXPECT_TRUE(has(done({"status", "--json"}), R"("checkpoint_lsn":18)"));
}

TEST_F(NoByteFreeTest, RefusedCommandsDoNotUseTheReserveUp) {
  if (!is_tested()) return;
  for (int at = 0; at < 5; ++at) {
    const Finished refused = cli({"send", "b", "x"});
    EXPECT_EQ(refused.exit_code, 5) << refused.output << refused.errors;
  }
  done({"stop", "b"});
  done({"delete", "b"});
  acknowledged_.erase("b");
  expect_what_was_acknowledged();
}

TEST_F(NoByteFreeTest, ATornTailOfACrashKeepsNoOneOut) {
  if (!is_tested()) return;
  // Half a line behind the last one of a log, as a writer leaves it that dies.
  const auto runtime = root() / "runtimes" / "main";
  std::ofstream(runtime / "events.jsonl", std::ios::binary | std::ios::app) << R"({"crc":"00)";
  take_every_byte();
  done_without_space({"stop", "b"});
  EXPECT_FALSE(std::filesystem::is_empty(runtime / "quarantine"));
  expect_what_was_acknowledged();
}

TEST_F(FullDiskTest, ALimitOnTheSizeOfFilesIsAFullDiskToo) {
  make_store();
  Arguments limited{"/usr/bin/env", "prlimit", "--fsize=2500000"};
  const Arguments tool = line({"pipe"});
  limited.insert(limited.end(), tool.begin(), tool.end());
  Subprocess pipe(limited);
  ASSERT_NO_FATAL_FAILURE(fill(pipe, "a"));
  EXPECT_TRUE(is_ok(ask(pipe, "stop_worker", R"(,"worker_id":"a")")));
  const Finished finished = pipe.finish();
  EXPECT_EQ(finished.exit_code, 0) << finished.errors;
  expect_what_was_acknowledged();
  done({"create", "--id", "b", "--task", "without the limit"});
  done({"send", "b", "goes on"});
  acknowledged_["b"].emplace_back("goes on");
  expect_what_was_acknowledged();
}

// ---- roots that can't be written to

TEST_F(FullDiskTest, ARootThatIsAFileIsAnErrorOfTheStore) {
  std::ofstream(root()) << "not a directory";
  for (const Arguments& command : {Arguments{"create", "--task", "x", "--json"},
                                   {"pipe", "--json"},
                                   {"status", "--json"},
                                   {"verify", "--json"}}) {
    const Finished refused = cli(command);
    EXPECT_EQ(refused.exit_code, 3) << command.front();
    EXPECT_TRUE(has(refused.errors, R"({"error":{"code":"store_)"));
  }
}

TEST_F(FullDiskTest, ARootThatOnlyOthersMayWriteIsAnErrorOfTheStore) {
  if (::geteuid() != 0) {
    // Without root's rights one's own mode is enough.
    std::filesystem::create_directory(root());
    ::chmod(root().c_str(), 0500);
    EXPECT_EQ(cli({"create", "--task", "x"}).exit_code, 3);
    return;
  }
  std::filesystem::create_directory(root());
  ::chmod(root().c_str(), 0755);
  ::chmod(directory_.path().c_str(), 0755);
  Arguments as_nobody{"/usr/bin/env", "setpriv", "--reuid=65534", "--regid=65534",
                      "--clear-groups"};
  const Arguments tool = line({"create", "--task", "x", "--json"});
  // Of a build directory that others may not enter, a copy is run.
  const std::filesystem::path copy = directory_.path() / "worker-runtime";
  std::filesystem::copy_file(tool.front(), copy);
  as_nobody.push_back(copy.string());
  as_nobody.insert(as_nobody.end(), tool.begin() + 1, tool.end());
  const Finished refused = run(as_nobody);
  EXPECT_EQ(refused.exit_code, 3) << refused.errors;
  EXPECT_TRUE(has(refused.errors, R"("code":"store_io")"));
  EXPECT_TRUE(has(refused.errors, "ermission denied"));
}

TEST_F(FullDiskTest, AStoreOnAReadOnlyMountIsReadAndRefusesToBeWritten) {
  const SmallDisk disk(root(), "size=16m");
  if (!disk.is_mounted()) {
    std::cout << "NOT TESTED: no tmpfs can be mounted (" << disk.cause() << ")\n";
    return;
  }
  make_store();
  done({"send", "a", "while it could be written"});
  ASSERT_TRUE(disk.remount(MS_RDONLY, ""));
  const Finished refused = cli({"send", "a", "too late", "--json"});
  EXPECT_EQ(refused.exit_code, 3);
  EXPECT_TRUE(has(refused.errors, R"("code":"store_io")"));
  EXPECT_TRUE(has(done({"transcript", "a"}), "while it could be written"));
  done({"status"});
  done({"verify"});
}

}  // namespace
}  // namespace worker_runtime::testing
