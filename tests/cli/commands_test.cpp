// Every command, for people and with --json.
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "support/cli_fixture.h"

namespace worker_runtime::cli {
namespace {

using CommandsTest = CliTest;

TEST_F(CommandsTest, InitMakesARuntimeAndSaysWhere) {
  EXPECT_TRUE(has(done({"init"}), "runtime main is in " + root().string() + "/runtimes/main"));
  EXPECT_TRUE(std::filesystem::exists(root() / "runtimes/main/runtime.json"));
  EXPECT_EQ(done({"--json", "init"}),
            "{\"runtime_id\":\"main\",\"path\":\"" + root().string() + "/runtimes/main\"}\n");
}

TEST_F(CommandsTest, InitKeepsTheDisplayName) {
  EXPECT_EQ(cli({"init", "--display-name", "Office"}).exit_code, 0);
  EXPECT_TRUE(has(done({"status", "--json"}), "\"display_name\":\"Office\""));
  EXPECT_TRUE(has(done({"status"}), "Office"));
}

TEST_F(CommandsTest, OfSeveralInitsAtOnceOneMakesTheRuntimeAndTheOthersFindIt) {
  std::vector<std::unique_ptr<Subprocess>> inits;
  for (int count = 0; count < 4; ++count)
    inits.push_back(std::make_unique<Subprocess>(line({"init", "--wait", "60"})));
  for (const auto& init : inits) {
    const Finished finished = init->finish();
    EXPECT_EQ(finished.exit_code, 0) << finished.errors;
    EXPECT_TRUE(has(finished.output, "runtime main is in"));
  }
  EXPECT_TRUE(has(done({"status"}), "events       1"));
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(root() / "runtimes"))
    names.push_back(entry.path().filename().string());
  EXPECT_EQ(names, std::vector<std::string>{"main"});
}

TEST_F(CommandsTest, CreateMakesTheRuntimeToo) {
  EXPECT_TRUE(has(done({"create", "--id", "a", "--assistant"}), "created worker a (event 2)"));
}

TEST_F(CommandsTest, CreateTakesEveryMember) {
  const std::string detail = done(
      {"create",      "--json",      "--id",         "r",           "--name",       "R",
       "--role",      "judge",       "--purpose",    "fair",        "--profile",    "builtin:small",
       "--bundle",    "b1",          "--capability", "web=to look", "--capability", "[x,y]",
       "--workspace", "src=git:a=b", "--mount",      "m=/m",        "--key",        "k"});
  for (const char* const part :
       {R"("worker_ref":{"runtime_id":"main","worker_id":"r"})", R"("display_name":"R")",
        R"("intent":{"kind":"role","role":"judge","purpose":"fair"})",
        R"("profile":{"kind":"builtin","value":"small"})", R"("config_bundle":{"id":"b1"})",
        R"([{"name":"web","reason":"to look"},{"name":"[x,y]"}])",
        R"("workspace_refs":[{"name":"src","reference":"git:a=b"}])",
        R"("mount_refs":[{"name":"m","reference":"/m"}])"}) {
    EXPECT_TRUE(has(detail, part));
  }
  const std::string shown = done({"show", "r"});
  EXPECT_TRUE(has(shown, "role judge: fair"));
  EXPECT_TRUE(has(shown, "web: to look"));
}

TEST_F(CommandsTest, ARepeatedKeyAnswersTheFirstWorker) {
  const Arguments create{"create", "--task", "t", "--key", "once", "--json"};
  const std::string first = done(create);
  EXPECT_EQ(done(create), first);
  EXPECT_EQ(lines(done({"list", "--json"})).size(), 1U);
}

TEST_F(CommandsTest, SendAndAppendStoreEntries) {
  make_store();
  EXPECT_TRUE(has(done({"send", "a", "hello"}), "stored as entry 1 of worker a (event 3)"));
  EXPECT_EQ(done({"--json", "send", "a", "--system", "rules"}),
            R"({"worker_ref":{"runtime_id":"main","worker_id":"a"},"status":"running",)"
            R"("sequence":2,"event_id":4})"
            "\n");
  EXPECT_EQ(cli({"append", "a", "found", "--tool", "--name", "grep", "--data", R"({ "n": [1] })",
                 "--usage", "tokens=7", "--usage", "a=b=2"})
                .exit_code,
            0);
  const std::vector<std::string> entries = lines(done({"transcript", "a", "--json"}));
  ASSERT_EQ(entries.size(), 3U);
  EXPECT_TRUE(has(entries[1], R"("role":"system","content":"rules")"));
  EXPECT_TRUE(has(entries[2], R"("name":"grep","data":{"n":[1]})"));
  EXPECT_TRUE(has(entries[2], R"("usage":{"a=b":2,"tokens":7})"));
  EXPECT_TRUE(has(done({"transcript", "a"}), "tool  grep\n    found\n    data {\"n\":[1]}\n"));
}

TEST_F(CommandsTest, ADashReadsStandardInputUnchanged) {
  make_store();
  EXPECT_EQ(cli({"send", "a", "-"}, "  two\nlines\n\n").exit_code, 0);
  EXPECT_TRUE(has(done({"transcript", "a", "--json"}), R"("content":"  two\nlines\n\n")"));
}

TEST_F(CommandsTest, TextsThatLookLikeOptionsFollowTwoDashes) {
  make_store();
  EXPECT_EQ(cli({"send", "a", "--", "--json"}).exit_code, 0);
  EXPECT_EQ(cli({"send", "a", "[x,y]"}).exit_code, 0);
  EXPECT_EQ(cli({"send", "a", "status"}).exit_code, 0);
  const std::string entries = done({"transcript", "a", "--json"});
  for (const char* const content : {"--json", "[x,y]", "status"})
    EXPECT_TRUE(has(entries, std::string("\"content\":\"") + content + "\""));
}

TEST_F(CommandsTest, StopCancelAndDeleteEndWorkers) {
  make_store();
  EXPECT_EQ(cli({"create", "--id", "b", "--assistant"}).exit_code, 0);
  EXPECT_TRUE(has(done({"stop", "a", "--reason", "late"}), "worker a is stopped (event 4)"));
  EXPECT_EQ(done({"cancel", "b", "--json"}),
            R"({"worker_ref":{"runtime_id":"main","worker_id":"b"},"status":"cancelled",)"
            R"("event_id":5})"
            "\n");
  EXPECT_TRUE(has(done({"events"}), "late"));
  EXPECT_TRUE(has(done({"delete", "a"}), "deleted worker a (event 6)"));
  EXPECT_EQ(done({"delete", "b", "--json"}),
            R"({"worker_ref":{"runtime_id":"main","worker_id":"b"},"event_id":7})"
            "\n");
  EXPECT_EQ(done({"list", "--json"}), "");
  EXPECT_EQ(done({"list"}), "no workers\n");
}

TEST_F(CommandsTest, ShutdownAndStartTellTheState) {
  make_store();
  EXPECT_EQ(done({"shutdown"}), "the runtime is stopped (event 4)\n");
  EXPECT_TRUE(has(done({"status"}), "stopped"));
  EXPECT_EQ(done({"start", "--json"}), "{\"event_id\":5}\n");
  EXPECT_EQ(done({"start"}), "the runtime is running (event 5)\n");
}

TEST_F(CommandsTest, ListIsATableOrOneWorkerALine) {
  make_store();
  EXPECT_EQ(cli({"create", "--id", "b", "--assistant"}).exit_code, 0);
  EXPECT_EQ(cli({"stop", "b"}).exit_code, 0);
  const std::vector<std::string> table = lines(done({"list"}));
  ASSERT_EQ(table.size(), 3U);
  EXPECT_TRUE(table[0].starts_with("WORKER  STATUS"));
  EXPECT_TRUE(table[1].starts_with("a       running"));
  EXPECT_TRUE(table[1].ends_with("Ada"));
  EXPECT_EQ(lines(done({"list", "--json", "--status", "stopped"})).size(), 1U);
  EXPECT_TRUE(has(done({"list", "--json", "--after", "a"}), R"("worker_id":"b")"));
  EXPECT_EQ(lines(done({"list", "--json", "--limit", "1"})).size(), 1U);
}

TEST_F(CommandsTest, ShowStatusAndDiagnosticsAnswerAsPipeDoes) {
  make_store();
  EXPECT_TRUE(done({"show", "a", "--json"}).starts_with(R"({"worker":{"worker_ref":)"));
  EXPECT_TRUE(done({"status", "--json"}).starts_with(R"({"summary":{"runtime_id":"main")"));
  EXPECT_EQ(lines(done({"diagnostics", "--json"})).size(), 2U);
  EXPECT_TRUE(has(done({"diagnostics"}), "worker.tools_less"));
}

TEST_F(CommandsTest, EventsGoBothWays) {
  make_store();
  const std::vector<std::string> up = lines(done({"events", "--json"}));
  ASSERT_EQ(up.size(), 2U);
  EXPECT_TRUE(up[0].starts_with("{\"id\":1,"));
  const std::vector<std::string> down = lines(done({"events", "--json", "--newest-first"}));
  ASSERT_EQ(down.size(), 2U);
  EXPECT_EQ(down[0], up[1]);
  EXPECT_EQ(lines(done({"events", "--from", "2"})).size(), 2U);  // and a header
}

TEST_F(CommandsTest, LogsAreShownWholeBeyondOnePage) {
  make_store();
  std::string requests;
  for (int at = 1; at <= 600; ++at) {
    requests += R"({"op":"send_input","worker_id":"a","kind":"user","content":"n)" +
                std::to_string(at) + "\"}\n";
  }
  EXPECT_EQ(pipe(requests).size(), 600U);
  EXPECT_EQ(lines(done({"events", "--json"})).size(), 602U);
  EXPECT_EQ(lines(done({"events"})).size(), 603U);
  const std::vector<std::string> entries =
      lines(done({"transcript", "a", "--json", "--newest-first"}));
  ASSERT_EQ(entries.size(), 600U);
  EXPECT_TRUE(has(entries.front(), "\"n600\""));
  EXPECT_TRUE(has(entries.back(), "\"n1\""));
  EXPECT_EQ(lines(done({"transcript", "a", "--json", "--start", "590"})).size(), 10U);
  EXPECT_EQ(lines(done({"transcript", "a", "--json", "--limit", "7"})).size(), 7U);
}

TEST_F(CommandsTest, ALimitIsReachedOverPagesOfBytes) {
  make_store();
  const std::string large(900'000, 'x');
  for (int at = 0; at < 6; ++at) EXPECT_EQ(cli({"send", "a", "-"}, large).exit_code, 0);
  EXPECT_EQ(lines(done({"transcript", "a", "--json", "--limit", "6"})).size(), 6U);
}

TEST_F(CommandsTest, VerifyFindsNothingInAGoodStore) {
  make_store();
  EXPECT_TRUE(has(done({"verify"}), "nothing is wrong"));
  EXPECT_TRUE(done({"verify", "--json"}).starts_with("{\"findings\":[],\"files\":"));
}

TEST_F(CommandsTest, ControlCharactersOfContentNeverReachPeopleRaw) {
  make_store();
  EXPECT_EQ(cli({"send", "a", "red \x1b[31m bell \a c1 \xc2\x9b tab\tend"}).exit_code, 0);
  EXPECT_EQ(cli({"stop", "a", "--reason", "x\x1b[2J\ny"}).exit_code, 0);
  const std::string shown = done({"transcript", "a"}) + done({"events"});
  EXPECT_TRUE(has(shown, R"(red \x1b[31m bell \x07 c1 \x9b tab\tend)"));
  EXPECT_TRUE(has(shown, R"(x\x1b[2J\ny)"));
  EXPECT_FALSE(contains(shown, "\x1b"));
}

TEST_F(CommandsTest, HelpAndVersionAreEverywhere) {
  for (const char* const command :
       {"init", "create", "send", "append", "stop", "cancel", "delete", "shutdown", "start", "list",
        "show", "status", "diagnostics", "events", "transcript", "pipe", "verify"}) {
    EXPECT_TRUE(has(done({command, "--help"}), command));
  }
  EXPECT_TRUE(has(done({"--help"}), "transcript"));
  EXPECT_TRUE(done({"--version"}).starts_with("worker-runtime "));
}

TEST_F(CommandsTest, TheRootIsAnOptionOrAVariable) {
  const std::string path = (directory_.path() / "other").string();
  const Finished made =
      testing::run({WORKER_RUNTIME_CLI_PATH, "init"}, {}, {"WORKER_RUNTIME_ROOT=" + path});
  EXPECT_EQ(made.exit_code, 0) << made.errors;
  EXPECT_TRUE(std::filesystem::exists(path + "/runtimes/main"));
  EXPECT_EQ(testing::run({WORKER_RUNTIME_CLI_PATH, "status", "--root", path}).exit_code, 0);
}

TEST_F(CommandsTest, DiskShowsTheLargestFirst) {
  make_store();
  EXPECT_EQ(cli({"create", "--id", "b", "--task", "the same"}).exit_code, 0);
  EXPECT_EQ(cli({"send", "b", std::string(5000, 'x')}).exit_code, 0);
  const std::string shown = done({"disk"});
  EXPECT_LT(shown.find("transcripts"), shown.find("quarantine"));
  EXPECT_LT(shown.find("\nb "), shown.find("\na "));
  EXPECT_TRUE(has(done({"disk", "--limit", "1"}), "and 1 more"));
  const std::string json = done({"--json", "disk"});
  EXPECT_TRUE(has(json, R"("quarantine":{"files":0,"bytes":0})"));
  EXPECT_TRUE(has(json, R"("workers":[{"worker_id":"b","bytes":5)"));
}

TEST_F(CommandsTest, QuarantineIsShownAndPurged) {
  done({"init"});
  EXPECT_EQ(done({"quarantine"}), "nothing is in quarantine\n");
  EXPECT_EQ(done({"quarantine", "--json"}), "{\"files\":[],\"bytes\":0,\"purged\":false}\n");
  std::filesystem::create_directory(root() / "runtimes/main/quarantine");
  std::ofstream(root() / "runtimes/main/quarantine/a.0.b") << "12345";
  const std::string shown = done({"quarantine"});
  EXPECT_TRUE(has(shown, "runtimes/main/quarantine/a.0.b  5\n"));
  EXPECT_TRUE(has(shown, "1 file, 5 bytes; --purge deletes them, for good"));
  EXPECT_TRUE(has(done({"quarantine", "--purge"}), "1 file, 5 bytes: deleted"));
  EXPECT_EQ(done({"quarantine"}), "nothing is in quarantine\n");
}

TEST_F(CommandsTest, EventsCanBeFiltered) {
  make_store();
  EXPECT_EQ(cli({"create", "--id", "b", "--task", "the same"}).exit_code, 0);
  for (const char* const id : {"a", "b", "a", "b"}) EXPECT_EQ(cli({"send", id, "x"}).exit_code, 0);
  const auto ids = [&](Arguments arguments) {
    arguments.insert(arguments.begin(), {"--json", "events"});
    std::string found;
    for (const std::string& line : lines(done(arguments)))
      found += line.substr(6, line.find(',') - 6) + " ";
    return found;
  };
  EXPECT_EQ(ids({"--worker", "b"}), "3 5 7 ");
  EXPECT_EQ(ids({"--kind", "worker_created"}), "2 3 ");
  EXPECT_EQ(ids({"--worker", "a", "--kind", "worker_input_accepted"}), "4 6 ");
  EXPECT_EQ(ids({"--worker", "a", "--limit", "2"}), "2 4 ");
  EXPECT_EQ(ids({"--worker", "a", "--limit", "2", "--newest-first"}), "6 4 ");
  EXPECT_EQ(ids({"--worker", "a", "--from", "5"}), "6 ");
  EXPECT_EQ(ids({"--worker", "a", "--follow", "--limit", "3"}), "2 4 6 ");
  EXPECT_EQ(ids({"--since", "1h"}), "1 2 3 4 5 6 7 ");
  EXPECT_EQ(ids({"--since", "9000-01-01"}), "");
  EXPECT_EQ(ids({"--worker", "nobody"}), "");
  EXPECT_EQ(cli({"events", "--kind", "worker_input"}).exit_code, 2);
  EXPECT_EQ(cli({"events", "--since", "now"}).exit_code, 2);
}

}  // namespace
}  // namespace worker_runtime::cli
