// A host that is killed while others ask it: what was acknowledged is there, once; what was refused
// is not; what nobody knows is there once or not at all.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <iostream>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "support/cli_fixture.h"
#include "support/random.h"

namespace worker_runtime::testing {
namespace {

using cli::has;

/// What a client knows of one input.
struct Sent {
  std::string content;
  int exit_code = 0;
};

class RequestsKillTest : public cli::CliTest {
 protected:
  static constexpr std::size_t clients = 3;

  /// Sends until it is told to end.
  [[nodiscard]] std::vector<Sent> send_until(const std::atomic<bool>& end,
                                             const std::string& name) const {
    std::vector<Sent> all;
    do {
      std::string content = name + " " + std::to_string(all.size());
      const int exit_code = cli({"send", "a", content}).exit_code;
      all.push_back({std::move(content), exit_code});
    } while (!end);
    return all;
  }

  /// A host that serves them for a while, and is killed.
  std::vector<Sent> round(const std::string& name, std::chrono::microseconds lifetime) const {
    Subprocess host(line({"pipe"}));
    host.write("{\"id\":0,\"op\":\"version\"}\n");
    EXPECT_TRUE(has(host.read_line(), "\"ok\""));
    std::atomic<bool> end = false;
    std::vector<std::vector<Sent>> sent(clients);
    {
      std::vector<std::jthread> threads;
      for (std::size_t client = 0; client < clients; ++client) {
        threads.emplace_back(
            [&, client] { sent[client] = send_until(end, name + " " + std::to_string(client)); });
      }
      std::this_thread::sleep_for(lifetime);  // tidy-allow(sleep): the moment of death is random
      host.send_signal(SIGKILL);
      end = true;
    }
    std::vector<Sent> all;
    for (const auto& of_client : sent) all.insert(all.end(), of_client.begin(), of_client.end());
    return all;
  }

  [[nodiscard]] std::map<std::string, int> recorded() const {
    std::map<std::string, int> times;
    for (const std::string& entry : lines(done({"transcript", "a", "--json"}))) {
      const std::string before = "\"content\":\"";
      const std::size_t start = entry.find(before) + before.size();
      ++times[entry.substr(start, entry.find('"', start) - start)];
    }
    return times;
  }
};

TEST_F(RequestsKillTest, NothingAcknowledgedIsLostAndNothingIsDoneTwice) {
  const std::uint64_t seed = number_from_environment("WORKER_RUNTIME_SEED", 1);
  const std::uint64_t rounds =
      std::max<std::uint64_t>(6, number_from_environment("WORKER_RUNTIME_CRASH_ROUNDS", 0) / 20);
  std::cout << "WORKER_RUNTIME_SEED=" << seed << "\n";
  Random random(seed);
  make_store();
  std::map<int, std::uint64_t> outcomes;
  std::uint64_t unknown_and_done = 0;
  std::vector<Sent> all;
  for (std::uint64_t at = 0; at < rounds; ++at) {
    const std::chrono::microseconds lifetime(random.below(60'000));
    for (Sent& sent : round(std::to_string(at), lifetime)) all.push_back(std::move(sent));
  }
  std::map<std::string, int> times = recorded();
  for (const Sent& sent : all) {
    ++outcomes[sent.exit_code];
    const int found = times[sent.content];
    if (sent.exit_code == 0) {
      EXPECT_EQ(found, 1) << "acknowledged: " << sent.content;
    } else if (sent.exit_code == 4) {
      EXPECT_EQ(found, 0) << "refused: " << sent.content;
    } else {
      EXPECT_EQ(sent.exit_code, 3) << sent.content;
      EXPECT_LE(found, 1) << "unknown: " << sent.content;
      unknown_and_done += static_cast<std::uint64_t>(found);
    }
  }
  done({"verify"});
  std::cout << rounds << " rounds: " << outcomes[0] << " acknowledged, " << outcomes[4]
            << " refused, " << outcomes[3] << " unknown, of which " << unknown_and_done
            << " were done\n";
  EXPECT_GT(outcomes[0], 0U);
}

}  // namespace
}  // namespace worker_runtime::testing
