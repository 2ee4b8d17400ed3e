// A script and its checks: see scripted_store.h.
#include "scripted_store.h"

#include <gtest/gtest.h>

#include <csignal>
#include <string_view>

#include "driver.h"
#include "verified.h"

namespace worker_runtime::testing {
namespace {

std::vector<std::string> script_lines_of(std::string_view text) {
  std::vector<std::string> lines;
  // What has no newline at its end was cut off: it counts as never written.
  for (std::size_t end = text.find('\n'); end != text.npos; end = text.find('\n')) {
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  return lines;
}

std::string numbered(const std::vector<std::string>& requests) {
  std::string text;
  for (std::size_t at = 0; at < requests.size(); ++at)
    text += "{\"id\":" + std::to_string(at + 1) + ",\"op\":" + requests[at] + "}\n";
  return text;
}

/// What a store of the start holds.
const std::string& requests_before() {
  static const std::string text = numbered({
      R"("create_worker","worker_id":"p0","intent":{"kind":"assistant"},"idempotency_key":"p0")",
      R"("create_worker","worker_id":"p1","intent":{"kind":"task","objective":"last"})",
      R"("create_worker","worker_id":"p2","intent":{"kind":"task","objective":"go away"})",
      R"("create_worker","worker_id":"p3","intent":{"kind":"role","role":"judge"})",
      R"("send_input","worker_id":"p0","kind":"user","content":"before 1")",
      R"("send_input","worker_id":"p1","kind":"user","content":"before 2")",
      R"("append_output","worker_id":"p0","role":"assistant","content":"before 3")",
      R"("checkpoint")",
      R"("send_input","worker_id":"p0","kind":"user","content":"b 4","idempotency_key":"b 4")",
      R"("append_output","worker_id":"p1","role":"tool","content":"b 5","usage":{"tokens":2})",
      R"("send_input","worker_id":"p2","kind":"system","content":"before 6")",
      R"("stop_worker","worker_id":"p3","reason":"judged")",
  });
  return text;
}

/// Reads in between make that not all of it is one group.
std::string make_script() {
  const std::string large(70'000, 'L');
  return numbered({
      R"("create_worker","worker_id":"a","intent":{"kind":"assistant"},"idempotency_key":"a")",
      R"("create_worker","worker_id":"b","intent":{"kind":"assistant"})",
      R"("summary")",
      R"("send_input","worker_id":"a","kind":"user","content":"a 1","idempotency_key":"a 1")",
      R"("send_input","worker_id":"p0","kind":"user","content":"p 1","idempotency_key":"p 1")",
      R"("read_transcript","worker_id":"a")",
      R"("append_output","worker_id":"a","role":"tool","content":"a 2","usage":{"tokens":3},)"
      R"("idempotency_key":"a 2")",
      R"("read_events","limit":3,"newest_first":true)",
      R"("batch","ops":[{"op":"send_input","worker_id":"b","kind":"user","content":"b 1",)"
      R"("idempotency_key":"b 1"},{"op":"create_worker","worker_id":"c",)"
      R"("intent":{"kind":"assistant"}},{"op":"send_input","worker_id":"c","kind":"system",)"
      R"("content":"c 1","idempotency_key":"c 1"}])",
      R"("checkpoint")",
      R"("send_input","worker_id":"p1","kind":"user","content":"p 2","idempotency_key":"p 2")",
      R"("stop_worker","worker_id":"b","reason":"enough")",
      R"("delete_worker","worker_id":"b")",
      R"("cancel_worker","worker_id":"p1")",
      R"("redact","worker_id":"a","sequence":2)",
      R"("list_workers")",
      R"("send_input","worker_id":"a","kind":"user","content":")" + large +
          R"(","idempotency_key":"a 3")",
      R"("worker_detail","worker_id":"a")",
      R"("send_input","worker_id":"a","kind":"user","content":"unlike the others: no key")",
      R"("read_transcript","worker_id":"a","start":1,"limit":1)",
      R"("checkpoint")",
      R"("create_worker","worker_id":"d","intent":{"kind":"assistant"},"idempotency_key":"d")",
      R"("send_input","worker_id":"d","kind":"user","content":"d 1","idempotency_key":"d 1")",
      R"("stop_worker","worker_id":"p2")",
      R"("delete_worker","worker_id":"p2")",
      R"("read_events","limit":2)",
      R"("send_input","worker_id":"a","kind":"user","content":"a 4","idempotency_key":"a 4")",
  });
}

/// The codes that go with an exit code of the tool.
bool is_exit_of(int exit_code, std::string_view code) {
  if (code == "store_full") return exit_code == 5;
  if (code == "store_io" || code == "store_failed") return exit_code == 3;
  return false;
}

}  // namespace

const std::string& ScriptedStore::script() {
  static const std::string text = make_script();
  return text;
}

ScriptedStore::ScriptedStore(Start start, Server server) : start_(start), server_(server) {
  if (start == Start::nothing) return;
  std::filesystem::create_directory(root());
  Subprocess pipe(program());
  pipe.write(requests_before());
  while (answers_before_.size() < script_lines_of(requests_before()).size()) {
    answers_before_.push_back(pipe.read_line());
    EXPECT_NE(answers_before_.back(), "");
    if (answers_before_.back().empty()) return;
  }
  if (start == Start::crashed_store) pipe.send_signal(SIGKILL);
  EXPECT_EQ(pipe.finish().exit_code, start == Start::crashed_store ? -SIGKILL : 0);
  std::filesystem::rename(root(), this->start());
}

std::vector<std::string> ScriptedStore::program() const {
  if (server_ == Server::small_files) return driver({"pipe", root()});
  // Without the host of requests: its thread would make calls at moments of its own.
  return {WORKER_RUNTIME_CLI_PATH, "--root", root(), "pipe", "--json", "--no-requests"};
}

void ScriptedStore::begin() {
  std::filesystem::remove_all(root());
  if (start_ != Start::nothing)
    std::filesystem::copy(start(), root(), std::filesystem::copy_options::recursive);
  ledger_ = std::make_unique<Ledger>();
  for (std::string& request : script_lines_of(requests_before())) {
    if (start_ != Start::nothing) ledger_->sent(std::move(request));
  }
  for (const std::string& answer : answers_before_) EXPECT_EQ(ledger_->answered(answer), "");
}

std::string ScriptedStore::wrong_end(const Finished& finished) const {
  const int exit_code = finished.exit_code;
  if (exit_code == 0 || exit_code == -SIGKILL) return "";
  const auto says = [&](std::string_view text) { return finished.errors.find(text) != text.npos; };
  const std::string told = "it ended with " + std::to_string(exit_code) + ": " + finished.errors;
  // The loader failed, before the program began.
  if (exit_code == 127 && finished.output.empty() && says("shared librar")) return "";
  if (server_ == Server::small_files) return exit_code == 1 ? "" : told;
  // Where no write works, the message is lost with the answers.
  if (exit_code == 1 && finished.errors.empty()) return "";
  if (exit_code == 1 && (says("cannot read standard input") || says("cannot write"))) return "";
  const std::size_t at = finished.errors.find(R"({"error":{"code":")");
  if (at == std::string::npos) return told;
  const std::string_view code = std::string_view(finished.errors).substr(at + 18);
  return is_exit_of(exit_code, code.substr(0, code.find('"'))) ? "" : told;
}

std::string ScriptedStore::take(const Finished& finished) {
  for (std::string& request : script_lines_of(script())) ledger_->sent(std::move(request));
  for (const std::string& answer : script_lines_of(finished.output)) {
    std::string problem = ledger_->answered_or_failed(answer);
    if (!problem.empty()) return problem;
  }
  return wrong_end(finished);
}

std::string ScriptedStore::serve_again(Subprocess& pipe) {
  std::string problem = ledger_->settle(pipe);
  if (!problem.empty()) return problem;
  pipe.write(script());
  for (std::string& request : script_lines_of(script())) {
    ledger_->sent(std::move(request));
    problem = ledger_->answered(pipe.read_line());
    if (!problem.empty()) return "served again: " + problem;
  }
  return ledger_->settle(pipe);
}

std::string ScriptedStore::check() {
  std::string problem = problems_found_by_verify(root());
  if (!problem.empty()) return "before it was opened again: " + problem;
  Subprocess pipe(program());
  problem = serve_again(pipe);
  const Finished finished = pipe.finish();
  if (!problem.empty()) return problem + finished.errors;
  if (finished.exit_code != 0)
    return "the next one ended with " + std::to_string(finished.exit_code) + finished.errors;
  return problems_found_by_verify(root());
}

}  // namespace worker_runtime::testing
