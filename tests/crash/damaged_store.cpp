// A store to damage: see damaged_store.h.
#include "damaged_store.h"

#include <algorithm>
#include <fstream>
#include <iterator>

#include "support/domain.h"
#include "worker_runtime/fs_store/fs_store.h"
#include "worker_runtime/fs_store/reader.h"

namespace worker_runtime::testing {

namespace fs = std::filesystem;

DamagedStoreTest::DamagedStoreTest() {
  fs_store::StoreOptions options;
  options.root = root();
  options.create = true;
  auto runtime = fs_store::open_runtime(options);
  if (!runtime) {
    ADD_FAILURE() << runtime.error().detail();
    return;
  }
  for (const char* const name : {"a", "b", "c"})
    EXPECT_TRUE(is_ok(runtime->create_worker(task("t", name))));
  for (const char* const name : {"a", "b"}) {
    const WorkerRef worker_ref{runtime_id("main"), worker_id(name)};
    EXPECT_TRUE(is_ok(runtime->send_input(input(worker_ref, "one", "k"))));
    EXPECT_TRUE(is_ok(runtime->append_output(output(worker_ref, "\u00e9"))));
  }
  EXPECT_TRUE(is_ok(runtime->stop_worker({{runtime_id("main"), worker_id("c")}, "enough"})));
  EXPECT_TRUE(is_ok(runtime->close()));
}

std::vector<std::string> DamagedStoreTest::files() const {
  std::vector<std::string> found;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(root())) {
    const std::string extension = entry.path().extension();
    if (extension == ".jsonl" || extension == ".json")
      found.push_back(fs::relative(entry.path(), root()));
  }
  std::sort(found.begin(), found.end());
  return found;
}

std::string DamagedStoreTest::file(std::string_view part) const {
  for (const std::string& path : files()) {
    if (path.find(part) != std::string::npos) return path;
  }
  ADD_FAILURE() << "no file like " << part;
  return "";
}

std::string DamagedStoreTest::content(const std::string& path) const {
  std::ifstream stream(root() / path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

void DamagedStoreTest::set_content(const std::string& path, std::string_view bytes) const {
  std::ofstream(root() / path, std::ios::binary | std::ios::trunc) << bytes;
}

std::vector<std::string> DamagedStoreTest::lines(std::string_view content) {
  std::vector<std::string> result;
  while (!content.empty()) {
    const std::size_t end = std::min(content.find('\n'), content.size() - 1) + 1;
    result.emplace_back(content.substr(0, end));
    content.remove_prefix(end);
  }
  return result;
}

fs_store::VerifyReport DamagedStoreTest::verify() const {
  auto report = fs_store::verify({root()});
  if (report) return *std::move(report);
  // Damage is a finding; what is left are a runtime.json that is gone, and a line in the journal
  // that might be a newer version's.
  const ErrorCode code = report.error().code();
  EXPECT_TRUE(code == ErrorCode::store_missing || code == ErrorCode::store_version)
      << report.error().detail();
  fs_store::VerifyReport refused;
  const std::string path =
      code == ErrorCode::store_missing ? "runtimes/main/runtime.json" : file("journal/");
  refused.findings.push_back(
      {Severity::error, std::string(to_string(code)), report.error().message(), path, {}, {}});
  return refused;
}

::testing::AssertionResult DamagedStoreTest::names(const fs_store::VerifyReport& report,
                                                   const std::string& path,
                                                   std::optional<std::uint64_t> line) {
  auto answer = ::testing::AssertionFailure()
                << path << (line ? ", line " + std::to_string(*line) : "") << " is not named";
  for (const fs_store::Finding& finding : report.findings) {
    if (finding.severity != Severity::info && finding.path == path &&
        (!line || finding.line == line))
      return ::testing::AssertionSuccess();
    answer << "\n  " << to_string(finding.severity) << " " << finding.path << ":"
           << finding.line.value_or(0) << " " << finding.code << ": " << finding.message;
  }
  return answer;
}

void DamagedStoreTest::open_a_copy() const {
  const fs::path copy = directory_.path() / "copy";
  fs::remove_all(copy);
  fs::copy(root(), copy, fs::copy_options::recursive);
  if (auto reader = fs_store::Reader::open(copy)) {
    static_cast<void>(reader->read_events().has_value());
    for (const char* const name : {"a", "b", "c"})
      static_cast<void>(reader->read_transcript({runtime_id("main"), worker_id(name)}).has_value());
  }
  fs_store::StoreOptions options;
  options.root = copy;
  options.durability = Durability::none;
  auto runtime = fs_store::open_runtime(options);
  if (!runtime) {
    EXPECT_NE(runtime.error().message(), "");
    return;
  }
  for (const char* const name : {"a", "b", "c"}) {
    const WorkerRef worker_ref{runtime_id("main"), worker_id(name)};
    static_cast<void>(runtime->send_input(input(worker_ref, "more")).has_value());
    static_cast<void>(runtime->read_transcript(worker_ref).has_value());
  }
  static_cast<void>(runtime->read_events().has_value());
  static_cast<void>(runtime->close().has_value());
}

}  // namespace worker_runtime::testing
