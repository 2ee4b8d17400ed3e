// verify as a process: see verified.h.
#include "verified.h"

#include <simdjson.h>

#include "support/subprocess.h"

namespace worker_runtime::testing {

std::string problems_found_by_verify(const std::string& root) {
  const Finished finished = run({WORKER_RUNTIME_CLI_PATH, "--root", root, "verify", "--json"});
  // A writer that was killed before it had made the runtime left none.
  const bool none = finished.errors.find("\"store_missing\"") != std::string::npos;
  if (finished.exit_code != 0 && none) return "";
  simdjson::dom::parser parser;
  simdjson::dom::array findings;
  if (parser.parse(finished.output)["findings"].get(findings) != simdjson::SUCCESS)
    return "verify failed: " + finished.errors + finished.output;
  for (const simdjson::dom::element finding : findings) {
    if (finding["severity"].get_string().value() != "info") return finished.output;
  }
  if (finished.exit_code == 0) return "";
  return "verify ends with " + std::to_string(finished.exit_code) + ": " + finished.output;
}

}  // namespace worker_runtime::testing
