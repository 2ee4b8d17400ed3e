// A fixed script of requests that a program serves while the test disturbs it, and what must hold
// afterwards.
//
// Whatever happened to the program: it ended by itself or was killed, what it answered is true,
// the next one opens the store and finds all that was acknowledged, and nothing by half (ledger.h);
// the script served once more does the work of each key once; and verify finds no damage.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "ledger.h"
#include "support/subprocess.h"
#include "support/temporary_directory.h"

namespace worker_runtime::testing {

enum class Start : std::uint8_t {
  nothing,        ///< The program makes the store.
  closed_store,   ///< It opens one with four Workers.
  crashed_store,  ///< The same, but the writer was killed: it has a journal to replay.
};

enum class Server : std::uint8_t {
  tool,         ///< `worker-runtime pipe`.
  small_files,  ///< The driver: parts, segments and checkpoints come often, on a thread beside.
};

class ScriptedStore {
 public:
  ScriptedStore(Start start, Server server);

  /// Begins anew, with a copy of the start.
  void begin();

  [[nodiscard]] std::string root() const { return directory_.path() / "store"; }
  /// The command line that serves script() over root().
  [[nodiscard]] std::vector<std::string> program() const;
  /// Lines of requests.
  [[nodiscard]] static const std::string& script();

  /// Takes what the disturbed program answered to script(). What is wrong with that, or nothing.
  std::string take(const Finished& finished);
  /// Looks at the store without disturbing anybody, serves the script again, looks once more. What
  /// is wrong, or nothing.
  std::string check();

 private:
  [[nodiscard]] std::string start() const { return directory_.path() / "start"; }
  [[nodiscard]] std::string wrong_end(const Finished& finished) const;
  std::string serve_again(Subprocess& pipe);

  const Start start_;
  const Server server_;
  TemporaryDirectory directory_{TemporaryDirectory::quick_place()};
  std::vector<std::string> answers_before_;
  std::unique_ptr<Ledger> ledger_;
};

}  // namespace worker_runtime::testing
