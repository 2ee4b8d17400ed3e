// Commands that act on a runtime while another process has it open.
#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

#include "support/cli_fixture.h"

namespace worker_runtime::cli {
namespace {

class RequestsOfCommands : public CliTest {
 protected:
  /// A process that has the runtime open, from here on.
  RequestsOfCommands() : host_(line({"pipe"})) { wait_for(host_); }
  ~RequestsOfCommands() override {
    const Finished finished = host_.finish();
    EXPECT_EQ(finished.exit_code, 0);
    EXPECT_EQ(finished.errors, "");
  }
  static void wait_for(Subprocess& pipe) {
    pipe.write("{\"id\":0,\"op\":\"version\"}\n");
    EXPECT_TRUE(has(pipe.read_line(), "\"ok\""));
  }

  Subprocess host_;
};

TEST_F(RequestsOfCommands, EveryOperationIsDoneByTheHost) {
  EXPECT_EQ(done({"create", "--id", "a", "--name", "Ada", "--task", "sort the mail"}),
            "created worker a (event 2)\n");
  EXPECT_EQ(done({"send", "a", "-"}, "over two\nlines\n"),
            "stored as entry 1 of worker a (event 3)\n");
  EXPECT_EQ(done({"append", "a", "done", "--tool", "--name", "sh", "--data", R"({"exit": 0})",
                  "--usage", "tokens=7", "--json"}),
            R"({"worker_ref":{"runtime_id":"main","worker_id":"a"},"status":"running",)"
            R"("sequence":2,"event_id":4})"
            "\n");
  EXPECT_EQ(done({"fork", "a", "--at", "1", "--as", "b"}),
            "created worker b with 1 entry of worker a (event 5)\n");
  EXPECT_EQ(done({"redact", "b", "1"}),
            "redacted entry 1 of worker b; copies may remain in: backups, exports, forks, "
            "quarantine\n");
  EXPECT_EQ(done({"trim", "--before", "2"}), "the event log is kept from event 2 on\n");
  EXPECT_EQ(done({"trim", "a", "--before", "2"}),
            "the transcript of worker a is kept from entry 2 on\n");
  EXPECT_EQ(done({"stop", "a", "--reason", "enough"}), "worker a is stopped (event 6)\n");
  EXPECT_EQ(done({"cancel", "b"}), "worker b is cancelled (event 7)\n");
  EXPECT_EQ(done({"delete", "b"}), "deleted worker b (event 8)\n");
  EXPECT_EQ(done({"shutdown"}), "the runtime is stopped (event 9)\n");
  EXPECT_EQ(done({"start"}), "the runtime is running (event 10)\n");
  EXPECT_TRUE(has(done({"create", "--assistant", "--json"}), R"("worker_id":"worker-00000001")"));
  EXPECT_TRUE(has(done({"transcript", "a", "--json"}), R"("data":{"exit":0})"));
}

TEST_F(RequestsOfCommands, TheHostSeesWhatOthersDid) {
  done({"create", "--id", "a", "--assistant"});
  done({"send", "a", "hello"});
  host_.write(R"({"id":1,"op":"read_transcript","worker_id":"a"})"
              "\n");
  EXPECT_TRUE(has(host_.read_line(), R"("content":"hello")"));
}

TEST_F(RequestsOfCommands, RefusalsAreThoseOfTheOperation) {
  done({"create", "--id", "a", "--assistant"});
  const Finished unknown = cli({"send", "nobody", "x", "--json"});
  EXPECT_EQ(unknown.exit_code, 1);
  EXPECT_EQ(unknown.output, "");
  EXPECT_EQ(unknown.errors,
            R"({"error":{"code":"worker_not_found","message":"there is no worker nobody"}})"
            "\n");
  EXPECT_EQ(cli({"delete", "a"}).exit_code, 1);
  EXPECT_EQ(cli({"fork", "a", "--at", "9"}).exit_code, 1);
  EXPECT_EQ(cli({"append", "a", "x", "--data", "{broken"}).exit_code, 1);
  EXPECT_EQ(cli({"send", "a", "\xFF"}).exit_code, 1);
  done({"send", "a", "x", "--key", "k"});
  EXPECT_EQ(done({"send", "a", "x", "--key", "k"}), "stored as entry 1 of worker a (event 3)\n");
  EXPECT_TRUE(has(cli({"send", "a", "y", "--key", "k"}).errors, "idempotency_conflict"));
}

TEST_F(RequestsOfCommands, WhatNeedsTheLockItselfIsToldWhoHasIt) {
  done({"create", "--id", "a", "--assistant"});
  for (const Arguments& command :
       std::vector<Arguments>{{"pipe"},
                              {"send", "a", "x", "--durability", "none"},
                              {"send", "a", "x", "--set", "page_items=9"}}) {
    const Finished refused = cli(command);
    EXPECT_EQ(refused.exit_code, 4) << command.front();
    EXPECT_TRUE(has(refused.errors, "store_locked"));
  }
}

TEST_F(RequestsOfCommands, AnImportIsDoneAsOneUnit) {
  done({"create", "--id", "a", "--assistant"});
  done({"send", "a", "hello"});
  done({"stop", "a"});
  const std::string exported = done({"export", "a"});
  const Finished imported = cli({"import", "-", "--as", "b", "--key", "k"}, exported);
  EXPECT_EQ(imported.errors, "");
  EXPECT_EQ(imported.output, "imported worker b with 1 entry, stopped (event 6)\n");
  EXPECT_EQ(cli({"import", "-", "--as", "b", "--key", "k"}, exported).output, imported.output);
  EXPECT_TRUE(has(done({"transcript", "b"}), "hello"));
  EXPECT_TRUE(has(cli({"import", "-"}, exported).errors, "worker_exists"));
  EXPECT_TRUE(has(cli({"import", "-", "--as", "c"}, exported.substr(1)).errors, "invalid_request"));
  host_.write(R"({"id":1,"op":"import_worker","export":"{}"})"
              "\n");
  EXPECT_TRUE(has(host_.read_line(), R"({"id":1,"error":{"code":"invalid_request")"));
}

using HostOfCommands = CliTest;

TEST_F(HostOfCommands, AHostCanKeepOthersOut) {
  make_store();
  Subprocess pipe(line({"pipe", "--no-requests"}));
  pipe.write("{\"id\":0,\"op\":\"version\"}\n");
  EXPECT_TRUE(has(pipe.read_line(), "\"ok\""));
  EXPECT_EQ(cli({"send", "a", "x"}).exit_code, 4);
  EXPECT_EQ(pipe.finish().exit_code, 0);
}

TEST_F(HostOfCommands, AHostWithoutAPlaceForRequestsServesItsPipe) {
  make_store();
  std::ofstream(root() / "runtimes/main/requests").put('x');
  const Finished finished = cli({"pipe"}, "{\"id\":0,\"op\":\"version\"}\n");
  EXPECT_EQ(finished.exit_code, 0);
  EXPECT_TRUE(has(finished.output, "\"ok\""));
  EXPECT_TRUE(has(finished.errors, "requests of other processes are not served"));
  done({"send", "a", "x"});
}

}  // namespace
}  // namespace worker_runtime::cli
