// `bench`: what it measures is measured elsewhere; here, that it says so in its form, cleans up,
// and refuses what cannot be meant.
#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "latencies.h"
#include "support/cli_fixture.h"

namespace worker_runtime::cli {
namespace {

using BenchTest = CliTest;

/// The values of a member, in order.
std::vector<double> values(std::string_view text, const std::string& member) {
  std::vector<double> found;
  const std::string head = '"' + member + "\":";
  for (std::size_t at = text.find(head); at != std::string_view::npos; at = text.find(head, at + 1))
    found.push_back(std::stod(std::string(text.substr(at + head.size(), 24))));
  return found;
}

TEST_F(BenchTest, MeasuresTheLimitAndTheStoreSideBySide) {
  std::filesystem::create_directories(root());
  const std::string text =
      done({"--json", "bench", "--callers", "2", "--in-flight", "16", "--seconds", "0.1"});
  EXPECT_TRUE(text.starts_with(R"({"results":[{"name":"limit","callers":2,"in_flight":2,)"))
      << text;
  EXPECT_TRUE(has(text, R"({"name":"send_input","callers":2,"in_flight":2,)"));
  EXPECT_TRUE(has(text, R"({"name":"submit","callers":1,"in_flight":16,)"));
  const std::vector<double> speeds = values(text, "ops_per_second");
  const std::vector<double> ratios = values(text, "ratio_to_limit");
  ASSERT_EQ(speeds.size(), 4U);
  ASSERT_EQ(ratios.size(), 4U);
  EXPECT_TRUE(std::all_of(speeds.begin(), speeds.end(), [](double speed) { return speed > 0; }));
  EXPECT_EQ(ratios[0], 1);
  EXPECT_NEAR(ratios[1], speeds[1] / speeds[0], 0.01);
  EXPECT_EQ(ratios[2], 1);
  EXPECT_NEAR(ratios[3], speeds[3] / speeds[2], 0.01);
  const std::vector<double> median = values(text, "p50_us");
  const std::vector<double> tail = values(text, "p999_us");
  for (std::size_t row = 0; row < 4; ++row) EXPECT_LE(median.at(row), tail.at(row));
  EXPECT_TRUE(std::filesystem::is_empty(root()));
}

TEST_F(BenchTest, ForPeopleIsATableThatSaysWhatTheLimitIs) {
  const std::string text = done({"bench", "--callers", "1", "--seconds", "0.05"});
  EXPECT_TRUE(has(text, "OF THE LIMIT"));
  EXPECT_TRUE(has(text, "send_input  1"));
  EXPECT_TRUE(has(text, "one write and one fdatasync"));
  EXPECT_TRUE(std::filesystem::is_empty(directory_.path()));
}

TEST_F(BenchTest, RefusesNumbersThatCannotBeMeant) {
  EXPECT_EQ(cli({"bench", "--callers", "0"}).exit_code, 2);
  EXPECT_EQ(cli({"bench", "--callers", "1025"}).exit_code, 2);
  EXPECT_EQ(cli({"bench", "--in-flight", "x"}).exit_code, 2);
  EXPECT_EQ(cli({"bench", "--seconds", "-1"}).exit_code, 2);
}

TEST(LatenciesTest, APercentileIsAtMostASixtyFourthTooLow) {
  Latencies latencies;
  EXPECT_EQ(latencies.microseconds(0.5), 0);
  for (std::uint64_t value = 1; value <= 1'000'000; ++value) latencies.add(value);
  for (const double share : {0.001, 0.5, 0.99, 0.999, 1.0}) {
    const double exact = share * 1000;
    EXPECT_LE(latencies.microseconds(share), exact + 0.001) << share;
    EXPECT_GE(latencies.microseconds(share), exact * 63 / 64) << share;
  }
  latencies.add(~std::uint64_t{0});
  EXPECT_GE(latencies.microseconds(1), 1.8e16);
}

}  // namespace
}  // namespace worker_runtime::cli
