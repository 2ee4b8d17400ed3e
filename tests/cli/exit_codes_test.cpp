// Every exit code, and what standard error says with it.
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "support/cli_fixture.h"

namespace worker_runtime::cli {
namespace {

using ExitCodesTest = CliTest;

TEST_F(ExitCodesTest, ARefusalIsOne) {
  make_store();
  const Finished human = cli({"send", "nobody", "hello"});
  EXPECT_EQ(human.exit_code, 1);
  EXPECT_EQ(human.output, "");
  EXPECT_TRUE(has(human.errors, "worker_not_found"));
  EXPECT_TRUE(has(human.errors, "nobody"));
  const Finished json = cli({"send", "nobody", "hello", "--json"});
  EXPECT_EQ(json.exit_code, 1);
  EXPECT_TRUE(json.errors.starts_with(R"({"error":{"code":"worker_not_found","message":)"));
  EXPECT_EQ(cli({"show", "nobody"}).exit_code, 1);
  EXPECT_EQ(cli({"transcript", "nobody"}).exit_code, 1);
  EXPECT_EQ(cli({"delete", "a"}).exit_code, 1);
  EXPECT_EQ(cli({"create", "--id", "a", "--task", "again"}).exit_code, 1);
  EXPECT_EQ(cli({"append", "a", "x", "--data", "{broken"}).exit_code, 1);
  EXPECT_EQ(cli({"send", "a", " \n"}).exit_code, 1);
}

TEST_F(ExitCodesTest, PageLimitsAreChecked) {
  make_store();
  EXPECT_EQ(cli({"send", "a", "x"}).exit_code, 0);
  for (const Arguments& read : {Arguments{"list"}, {"events"}, {"transcript", "a"}}) {
    Arguments zero = read;
    zero.insert(zero.end(), {"--json", "--limit", "0"});
    EXPECT_EQ(cli(zero).exit_code, 1);
    EXPECT_TRUE(has(cli(zero).errors, "invalid_request"));
    Arguments above = read;
    above.insert(above.end(), {"--json", "--limit", "257"});
    EXPECT_EQ(cli(above).exit_code, 1);
    EXPECT_TRUE(has(cli(above).errors, R"("code":"limit_exceeded")"));
  }
  EXPECT_TRUE(has(cli({"events", "--from", "99"}).errors, "cursor_ahead"));
  EXPECT_TRUE(has(cli({"events", "--from", "0"}).errors, "invalid_request"));
}

TEST_F(ExitCodesTest, AnUnknownCommandIsNamed) {
  const Finished unknown = cli({"snd", "a", "hello"});
  EXPECT_EQ(unknown.exit_code, 2);
  EXPECT_TRUE(has(unknown.errors, "there is no command snd; did you mean send?"));
  EXPECT_TRUE(has(cli({"trnscript"}).errors, "did you mean transcript?"));
  for (const char* const word : {"zzzzz", "x", "sendsendsendsendsendsend"})
    EXPECT_FALSE(has(cli({word}).errors, "did you mean")) << word;
  EXPECT_TRUE(has(cli({"--json", "snd"}).errors, "there is no command snd"));
  EXPECT_FALSE(has(cli({}).errors, "there is no command"));
}

TEST_F(ExitCodesTest, AWrongLineIsTwo) {
  make_store();
  for (const Arguments& wrong : {Arguments{},
                                 {"nonsense"},
                                 {"send", "a"},
                                 {"send"},
                                 {"create"},
                                 {"create", "--task", "x", "--assistant"},
                                 {"create", "--task", "x", "--purpose", "y"},
                                 {"create", "--task", "x", "--mount", "no-equals"},
                                 {"append", "a", "x", "--usage", "tokens"},
                                 {"append", "a", "x", "--usage", "tokens=-1"},
                                 {"send", "a", "x", "--set", "input_bytes"},
                                 {"send", "a", "x", "--durability", "maybe"},
                                 {"send", "a", "x", "--wait", "-1"},
                                 {"list", "--status", "asleep"},
                                 {"events", "--limit", "ten"},
                                 {"events", "--limit", "99999999999999999999"},
                                 {"status", "--no-such-option"}}) {
    const Finished finished = cli(wrong);
    EXPECT_EQ(finished.exit_code, 2) << (wrong.empty() ? "" : wrong.back());
    EXPECT_EQ(finished.output, "");
    EXPECT_TRUE(has(finished.errors, "--help"));
  }
  const Finished json = cli({"--json", "nonsense"});
  EXPECT_EQ(json.exit_code, 2);
  EXPECT_TRUE(json.errors.starts_with(R"({"error":{"code":"invalid_request")"));
}

TEST_F(ExitCodesTest, AMissingStoreIsThree) {
  for (const Arguments& command :
       {Arguments{"status"}, {"list"}, {"send", "a", "x"}, {"shutdown"}, {"verify"}}) {
    const Finished finished = cli(command);
    EXPECT_EQ(finished.exit_code, 3) << command.front();
    EXPECT_TRUE(has(finished.errors, "store_missing"));
  }
  EXPECT_FALSE(std::filesystem::exists(root()));
}

TEST_F(ExitCodesTest, WhoHasLostRuntimeJsonIsSentToRepairAndNotToInit) {
  ASSERT_EQ(cli({"create", "--id", "a", "--assistant"}).exit_code, 0);
  std::filesystem::remove(std::filesystem::path(root()) / "runtimes/main/runtime.json");
  for (const Arguments& command : {Arguments{"list"}, {"--runtime", "main", "list"}}) {
    const Finished finished = cli(command);
    EXPECT_EQ(finished.exit_code, 3);
    EXPECT_TRUE(has(finished.errors, "runtimes/main/runtime.json is missing"));
    EXPECT_TRUE(has(finished.errors, "repair --plan"));
  }
  EXPECT_TRUE(has(cli({"init"}).errors, "repair"));
  EXPECT_TRUE(has(cli({"--runtime", "other", "list"}).errors, "init"));
  EXPECT_EQ(cli({"repair", "--apply"}).exit_code, 0);
  EXPECT_TRUE(has(cli({"list"}).output, "a "));
}

TEST_F(ExitCodesTest, AUsageErrorNamesTheHelpOfItsCommand) {
  EXPECT_TRUE(has(cli({"create", "--assistant", "a"}).errors, "`worker-runtime create --help`"));
  EXPECT_TRUE(has(cli({"creat"}).errors, "`worker-runtime --help`"));
}

TEST_F(ExitCodesTest, ARootThatIsAFileIsThree) {
  std::ofstream(root()) << "no directory";
  for (const Arguments& command : {Arguments{"init"}, {"status"}, {"create", "--task", "x"}}) {
    const Finished finished = cli(command);
    EXPECT_EQ(finished.exit_code, 3) << command.front() << finished.errors;
    EXPECT_TRUE(has(finished.errors, "store_"));
  }
}

TEST_F(ExitCodesTest, ARootThatCannotBeMadeIsThreeAndNobodyIsSentToInit) {
  for (const Arguments& command : {Arguments{"init"}, {"create", "--task", "x"}}) {
    Arguments arguments{"--root", "/proc/nothing/below"};
    arguments.insert(arguments.end(), command.begin(), command.end());
    arguments.insert(arguments.begin(), WORKER_RUNTIME_CLI_PATH);
    const Finished finished = testing::run(arguments);
    EXPECT_EQ(finished.exit_code, 3);
    EXPECT_TRUE(has(finished.errors, "store_io: cannot make"));
    EXPECT_FALSE(has(finished.errors, "init"));
  }
}

TEST_F(ExitCodesTest, DamageIsThree) {
  make_store();
  EXPECT_EQ(cli({"send", "a", "first words"}).exit_code, 0);
  EXPECT_EQ(cli({"send", "a", "second words"}).exit_code, 0);
  const auto file = root() / "runtimes/main/workers/a/transcript.jsonl";
  std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
  stream.seekp(60);
  stream.put('#');
  stream.close();
  const Finished found = cli({"verify"});
  EXPECT_EQ(found.exit_code, 3);
  EXPECT_TRUE(has(found.output, "transcript.jsonl"));
  EXPECT_TRUE(has(found.output, "damage found"));
  EXPECT_TRUE(has(cli({"verify", "--json"}).output, R"("severity":"error")"));
  // What is readable is shown all the same.
  const Finished read = cli({"transcript", "a"});
  EXPECT_EQ(read.exit_code, 3);
  EXPECT_TRUE(has(read.output, "second words"));
  EXPECT_TRUE(has(read.errors, "store_corrupt"));
}

TEST_F(ExitCodesTest, AHeldLockIsFour) {
  make_store();
  Subprocess writer(line({"pipe", "--no-requests"}));
  writer.write("{\"id\":1,\"op\":\"version\"}\n");
  EXPECT_TRUE(has(writer.read_line(), "\"ok\""));
  const Finished human = cli({"send", "a", "hello"});
  EXPECT_EQ(human.exit_code, 4);
  EXPECT_TRUE(has(human.errors, "store_locked"));
  EXPECT_TRUE(has(cli({"send", "a", "hello", "--json"}).errors, "\"pid\":"));
  EXPECT_EQ(cli({"pipe"}, "{\"op\":\"version\"}\n").output, "");
  // Reading needs no lock.
  EXPECT_EQ(cli({"status"}).exit_code, 0);
  EXPECT_EQ(cli({"events"}).exit_code, 0);
  EXPECT_EQ(cli({"verify"}).exit_code, 0);

  Subprocess waiting(line({"send", "a", "patience", "--wait", "60"}));
  EXPECT_EQ(writer.finish().exit_code, 0);
  EXPECT_EQ(waiting.finish().exit_code, 0);
}

TEST_F(ExitCodesTest, AFullDiskIsFive) {
  std::filesystem::create_directory(root());
  if (::mount("tmpfs", root().c_str(), "tmpfs", 0, "size=3m") != 0) {
    GTEST_SKIP() << "A FULL DISK IS NOT TESTED: no tmpfs can be mounted: " << std::strerror(errno);
  }
  make_store();
  const std::string large(1'000'000, 'x');
  Finished last;
  for (int at = 0; at < 10 && last.exit_code <= 0; ++at) last = cli({"send", "a", "-"}, large);
  EXPECT_EQ(last.exit_code, 5) << last.errors;
  EXPECT_TRUE(has(last.errors, "store_full"));
  EXPECT_EQ(cli({"stop", "a"}).exit_code, 0);
  ::umount(root().c_str());
}

TEST_F(ExitCodesTest, AFailedWriteOfTheOutputIsTold) {
  make_store();
  const Finished full = Subprocess(line({"events"}), {}, "/dev/full").finish();
  EXPECT_EQ(full.exit_code, 1);
  EXPECT_TRUE(has(full.errors, "cannot write the output"));
  const Finished pipe =
      Subprocess(line({"pipe"}), {}, "/dev/full").finish("{\"op\":\"version\"}\n");
  EXPECT_EQ(pipe.exit_code, 1);
  EXPECT_TRUE(has(pipe.errors, "cannot write the output"));
}

TEST_F(ExitCodesTest, AReaderThatLeavesEndsTheOutputQuietly) {
  make_store();
  std::string requests;
  const std::string words(1000, 'w');
  for (int at = 0; at < 1000; ++at)
    requests += R"({"op":"send_input","worker_id":"a","kind":"user","content":")" + words + "\"}\n";
  EXPECT_EQ(pipe(requests).size(), 1000U);
  Subprocess reading(line({"transcript", "a"}));
  EXPECT_NE(reading.read_line(), "");
  reading.close_output();
  const Finished finished = reading.finish();
  EXPECT_EQ(finished.exit_code, 0);
  EXPECT_EQ(finished.errors, "");
}

TEST_F(ExitCodesTest, SeveralRuntimesMustBeNamed) {
  EXPECT_EQ(cli({"init", "--runtime", "one"}).exit_code, 0);
  EXPECT_EQ(cli({"--runtime", "two", "init"}).exit_code, 0);
  const Finished ambiguous = cli({"status", "--json"});
  EXPECT_EQ(ambiguous.exit_code, 1);
  EXPECT_TRUE(has(ambiguous.errors, R"("code":"runtime_ambiguous")"));
  EXPECT_TRUE(has(ambiguous.errors, R"(["one","two"])"));
  EXPECT_TRUE(has(cli({"status"}).errors, "--runtime"));
  EXPECT_EQ(cli({"status", "--runtime", "two"}).exit_code, 0);
  EXPECT_EQ(cli({"status", "--runtime", "three"}).exit_code, 3);
}

}  // namespace
}  // namespace worker_runtime::cli
