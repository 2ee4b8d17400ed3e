// What the program answers to a shell that completes a line, and what it takes a wrong word for.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "support/cli_fixture.h"

namespace worker_runtime::cli {
namespace {

class Completion : public CliTest {
 protected:
  /// Of a line in the store of this test: what kind of thing, then the candidates.
  [[nodiscard]] std::vector<std::string> answer(Arguments words) const {
    Arguments arguments{WORKER_RUNTIME_CLI_PATH, "__complete", "--root", root().string()};
    arguments.insert(arguments.end(), words.begin(), words.end());
    const Finished finished = testing::run(arguments);
    EXPECT_EQ(finished.exit_code, 0);
    EXPECT_EQ(finished.errors, "");
    std::vector<std::string> candidates;
    for (const std::string& line : lines(finished.output))
      candidates.push_back(line.substr(0, line.find('\t')));
    return candidates;
  }
  using Words = std::vector<std::string>;
};

TEST_F(Completion, CommandsByTheirBeginning) {
  EXPECT_EQ(answer({"trans"}), (Words{"words", "transcript"}));
  EXPECT_EQ(answer({"st"}), (Words{"words", "stop", "start", "status"}));
  EXPECT_EQ(answer({"nothing"}), Words{"words"});
  EXPECT_GT(answer({""}).size(), 25U);
}

TEST_F(Completion, OptionsOfTheCommandAndOfAll) {
  EXPECT_EQ(answer({"list", "--st"}), (Words{"words", "--status"}));
  EXPECT_EQ(answer({"list", "--j"}), (Words{"words", "--json"}));
  EXPECT_EQ(answer({"create", "--ta"}), (Words{"words", "--task"})) << "of a group";
  EXPECT_EQ(answer({"list", "--", "--st"}), Words{"words"}) << "no option any more";
}

TEST_F(Completion, Values) {
  EXPECT_EQ(answer({"list", "--status", ""}),
            (Words{"words", "running", "stopped", "cancelled", "damaged"}));
  EXPECT_EQ(answer({"send", "--durability", "i"}), (Words{"words", "interval"}));
  EXPECT_EQ(answer({"send", "--set", "page_i"}), (Words{"words", "page_items="}));
  EXPECT_EQ(answer({"completion", "z"}), (Words{"words", "zsh"}));
  EXPECT_EQ(answer({"backup", ""}), Words{"directories"});
  EXPECT_EQ(answer({"--root", ""}), Words{"directories"});
  EXPECT_EQ(answer({"report", "-o", ""}), Words{"files"});
  EXPECT_EQ(answer({"send", "a", ""}), Words{"words"}) << "any text";
}

TEST_F(Completion, WorkersOfTheStoreThatTheLineNames) {
  EXPECT_EQ(answer({"show", ""}), Words{"words"}) << "no store";
  for (const char* const id : {"mail", "mail/sent", "mailer", "other"})
    done({"create", "--id", id, "--assistant"});
  EXPECT_EQ(answer({"show", ""}), (Words{"words", "mail", "mail/sent", "mailer", "other"}));
  EXPECT_EQ(answer({"show", "mail"}), (Words{"words", "mail", "mail/sent", "mailer"}));
  EXPECT_EQ(answer({"send", "--key", "k", "maile"}), (Words{"words", "mailer"}));
  EXPECT_EQ(answer({"search", "x", "--worker", "o"}), (Words{"words", "other"}));
  EXPECT_EQ(answer({"--runtime", "m"}), (Words{"words", "main"}));
  EXPECT_EQ(answer({"--runtime", "none", "show", ""}), Words{"words"});
  EXPECT_EQ(answer({"--runtime=main", "show", "ot"}), (Words{"words", "other"}));
  EXPECT_EQ(answer({"--runtime", "=", "main", "show", "ot"}), (Words{"words", "other"})) << "bash";
}

TEST_F(Completion, NeverMoreThanAnybodyReads) {
  std::string requests;
  for (int at = 0; at < 300; ++at)
    requests += R"({"op":"create_worker","intent":{"kind":"assistant"}})"
                "\n";
  EXPECT_EQ(pipe(requests).size(), 300U);
  EXPECT_EQ(answer({"show", "w"}).size(), 201U);
}

TEST_F(Completion, ScriptsArePrintedForEachShell) {
  for (const char* const shell : {"bash", "zsh", "fish"})
    EXPECT_TRUE(has(done({"completion", shell}), "__complete")) << shell;
  EXPECT_EQ(cli({"completion", "csh"}).exit_code, 2);
}

TEST_F(Completion, AWorkerThatWasMeantIsNamed) {
  make_store();
  done({"create", "--id", "mail-reader", "--assistant"});
  for (const Arguments& command : {Arguments{"send", "mail-raeder", "x"},
                                   {"show", "mail-rader"},
                                   {"transcript", "mailreader"}}) {
    const Finished refused = cli(command);
    EXPECT_EQ(refused.exit_code, 1);
    EXPECT_TRUE(has(refused.errors, "did you mean mail-reader?")) << command.front();
  }
  EXPECT_FALSE(has(cli({"show", "nobody"}).errors, "did you mean"));
  EXPECT_FALSE(has(cli({"show", "mail-raeder", "--json"}).errors, "did you mean"));
}

}  // namespace
}  // namespace worker_runtime::cli
