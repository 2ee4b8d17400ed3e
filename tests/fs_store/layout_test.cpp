// Paths: one spelling for an id, none that leaves its directory, and parsers that take nothing
// else.
#include "layout.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "support/domain.h"
#include "support/random.h"

namespace worker_runtime::fs_store {
namespace {

using testing::runtime_id;
using testing::worker_id;

std::string all_bytes() {
  std::string bytes;
  for (int byte = 0; byte < 256; ++byte) bytes += static_cast<char>(byte);
  return bytes;
}

TEST(LayoutId, PlainCharactersStayAsTheyAre) {
  const std::string plain = "AZaz09._-";
  EXPECT_EQ(layout::encode_id(plain), plain);
  EXPECT_EQ(layout::decode_id(plain), plain);
}

TEST(LayoutId, EveryOtherByteIsPercentEncodedWithUpperCaseHex) {
  EXPECT_EQ(layout::encode_id("a b/c%d~"), "a%20b%2Fc%25d%7E");
  EXPECT_EQ(layout::encode_id("\xC3\xA9\xE2\x9C\x93"), "%C3%A9%E2%9C%93");
  const std::string name = layout::encode_id("x" + all_bytes());
  for (const char byte : name) {
    const bool allowed = (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') ||
                         (byte >= '0' && byte <= '9') || byte == '.' || byte == '_' ||
                         byte == '-' || byte == '%';
    EXPECT_TRUE(allowed) << static_cast<int>(byte);
  }
  EXPECT_EQ(std::count(name.begin(), name.end(), '%'), 256 - (26 + 26 + 10 + 3));
}

TEST(LayoutId, LeadingDotIsEncodedAndNoOtherDot) {
  EXPECT_EQ(layout::encode_id("."), "%2E");
  EXPECT_EQ(layout::encode_id(".."), "%2E.");
  EXPECT_EQ(layout::encode_id(".hidden"), "%2Ehidden");
  EXPECT_EQ(layout::encode_id("a.b.."), "a.b..");
  EXPECT_EQ(layout::encode_id("../../etc"), "%2E.%2F..%2Fetc");
  EXPECT_EQ(layout::decode_id("%2E."), "..");
}

TEST(LayoutId, OfADirectoryTheWorkerIsTold) {
  const WorkerId id = worker_id("a b/c");
  EXPECT_EQ(layout::parse_worker_directory("a%20b%2Fc"), id);
  // A spelling that is none; an id that is none, spelled as it would be.
  EXPECT_EQ(layout::parse_worker_directory("a b"), std::nullopt);
  EXPECT_EQ(layout::parse_worker_directory("%20a"), std::nullopt);
  EXPECT_EQ(layout::parse_worker_directory(""), std::nullopt);
}

TEST(LayoutId, OnlyTheOneSpellingIsRead) {
  const std::vector<std::string> refused{
      "",  // no id at all
      ".",
      "..",
      ".hidden",  // a leading dot as it is
      "a b",
      "a/b",
      "../x",  // bytes that must be encoded
      "a~",
      "\xC3\xA9",
      "a\n",  //
      "%2e.",
      "a%2fb",
      "%c3%A9",  // lower-case hex
      "%41",
      "a%2Eb",
      "%2D",
      "%5F",  // bytes that must not be encoded
      "%",
      "a%",
      "a%2",
      "%2",  // cut
      "%G0",
      "%0G",
      "%+1",
      "% 1",
      "%%2",     // no hex
      "%2E%2E",  // only the first dot is encoded
      std::string("a\0b", 3),
  };
  for (const std::string& name : refused) EXPECT_FALSE(layout::decode_id(name)) << name;
}

TEST(LayoutId, EncodedLastByteIsRead) {
  EXPECT_EQ(layout::decode_id("a%20b%2F"), "a b/");
  EXPECT_EQ(layout::decode_id("%2F"), "/");
}

TEST(LayoutId, LongestIdFitsANameUnlessItIsAllEncoded) {
  const std::string plain(id_bytes_max, 'x');
  EXPECT_EQ(layout::encode_id(plain).size(), id_bytes_max);
  std::string encoded_worst;
  while (encoded_worst.size() + 4 <= id_bytes_max) encoded_worst += "\xF0\x9F\x98\x80";
  ASSERT_EQ(encoded_worst.size(), id_bytes_max);
  const std::string name = layout::encode_id(worker_id(encoded_worst).text());
  EXPECT_EQ(name.size(), 3 * id_bytes_max);
  EXPECT_LE(name.size(), layout::name_bytes_max);
  EXPECT_EQ(layout::decode_id(name), encoded_worst);
}

TEST(LayoutId, EveryByteStringComesBackAndHasANameOfItsOwn) {
  const std::uint64_t seed = testing::number_from_environment("WORKER_RUNTIME_SEED", 41);
  SCOPED_TRACE("WORKER_RUNTIME_SEED=" + std::to_string(seed));
  testing::Random random(seed);
  std::set<std::string> ids;
  std::set<std::string> names;
  const std::string often = "..//%%2EaA0-_ ";
  for (int round = 0; round < 20'000; ++round) {
    std::string id;
    const std::uint64_t length = 1 + random.below(random.one_in(10) ? id_bytes_max : 5);
    while (id.size() < length) {
      id += random.one_in(3) ? static_cast<char>(random.below(256))
                             : often[random.below(often.size())];
    }
    const std::string name = layout::encode_id(id);
    ASSERT_EQ(layout::decode_id(name), id) << name;
    ASSERT_EQ(name.find('/'), std::string::npos);
    ASSERT_NE(name.front(), '.');
    ids.insert(id);
    names.insert(name);
  }
  EXPECT_EQ(ids.size(), names.size());
}

TEST(LayoutId, WhateverIsReadIsWhatIsWritten) {
  const std::uint64_t seed = testing::number_from_environment("WORKER_RUNTIME_SEED", 42);
  SCOPED_TRACE("WORKER_RUNTIME_SEED=" + std::to_string(seed));
  testing::Random random(seed);
  const std::string alphabet = "%%%%0123456789ABCDEFabcdef./-_Gg~ ";
  std::uint64_t read = 0;
  for (int round = 0; round < 100'000; ++round) {
    std::string name;
    const std::uint64_t length = random.below(8);
    while (name.size() < length) name += alphabet[random.below(alphabet.size())];
    const auto id = layout::decode_id(name);
    if (!id) continue;
    ++read;
    ASSERT_EQ(layout::encode_id(*id), name);
  }
  EXPECT_GT(read, 1000U) << "the alphabet makes too few names that are read";
}

TEST(LayoutPaths, StandWhereTheFormatSaysThem) {
  EXPECT_EQ(layout::runtime_directory(runtime_id("main")), "runtimes/main");
  EXPECT_EQ(layout::runtime_directory(runtime_id("..")), "runtimes/%2E.");
  EXPECT_EQ(layout::worker_directory(worker_id("a/b")), "workers/a%2Fb");
  EXPECT_EQ(layout::worker_json(worker_id("w-1")), "workers/w-1/worker.json");
  EXPECT_EQ(layout::log_file(layout::transcript(worker_id("w-1"))), "workers/w-1/transcript.jsonl");
  EXPECT_EQ(layout::log_part(layout::transcript(worker_id("w-1")), 255),
            "workers/w-1/transcript.00000000000000ff.jsonl");
  EXPECT_EQ(layout::log_file(layout::events), "events.jsonl");
  EXPECT_EQ(layout::log_part(layout::events, 1), "events.0000000000000001.jsonl");
  EXPECT_EQ(layout::catalog(Lsn{0xABCDEF}), "catalog.0000000000abcdef.jsonl");
  EXPECT_EQ(layout::segment(Lsn{UINT64_MAX}), "journal/ffffffffffffffff.jsonl");
}

TEST(LayoutPaths, NumbersComeBackFromNames) {
  for (const std::uint64_t number :
       {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{0xDEADBEEF}, UINT64_MAX}) {
    EXPECT_EQ(layout::parse_catalog(layout::catalog(Lsn{number})), Lsn{number});
    EXPECT_EQ(
        layout::parse_segment(layout::segment(Lsn{number}).substr(layout::journal.size() + 1)),
        Lsn{number});
    EXPECT_EQ(layout::parse_log_part(layout::log_part("events", number), "events"), number);
  }
}

TEST(LayoutPaths, NearMissesAreNoNumberedFiles) {
  const std::vector<std::string> middles{
      "000000000000001",    // 15 digits
      "00000000000000001",  // 17 digits
      "000000000000000A",   // upper case
      "000000000000000g",   // no hex
      "+00000000000001",    // a sign and 14
      "+000000000000001",   // a sign
      "-000000000000001",  " 000000000000001", "0x00000000000001", "000000000000001 ", "",
  };
  for (const std::string& middle : middles) {
    EXPECT_FALSE(layout::parse_catalog("catalog." + middle + ".jsonl")) << middle;
    EXPECT_FALSE(layout::parse_segment(middle + ".jsonl")) << middle;
    EXPECT_FALSE(layout::parse_log_part("events." + middle + ".jsonl", "events")) << middle;
  }
  const std::string digits = "0000000000000001";
  for (const std::string& name :
       {"catalog" + digits + ".jsonl", "catalog." + digits, "catalog." + digits + ".json",
        "catalog." + digits + ".jsonl.tmp", "Catalog." + digits + ".jsonl",
        "xcatalog." + digits + ".jsonl", "catalog.." + digits + ".jsonl", digits + ".jsonl",
        std::string("catalog.jsonl"), std::string()}) {
    EXPECT_FALSE(layout::parse_catalog(name)) << name;
  }
  for (const std::string& name :
       {digits + ".JSONL", digits + "Xjsonl", digits + "jsonl", "." + digits + ".jsonl",
        "journal/" + digits + ".jsonl", std::string("durable"), std::string(".jsonl")}) {
    EXPECT_FALSE(layout::parse_segment(name)) << name;
  }
}

TEST(LayoutPaths, PartOfAnotherLogIsNoneOfThisOne) {
  EXPECT_FALSE(layout::parse_log_part("transcript.0000000000000001.jsonl", "events"));
  EXPECT_FALSE(layout::parse_log_part("events.jsonl", "events"));
  EXPECT_FALSE(layout::parse_log_part("events2.0000000000000001.jsonl", "events"));
  EXPECT_FALSE(layout::parse_log_part("event.0000000000000001.jsonl", "events"));
  EXPECT_FALSE(layout::parse_log_part("eventsx0000000000000001.jsonl", "events"));
}

TEST(LayoutTemporary, NamesAreDrawnBesideTheFileAndKnownAsUnfinished) {
  std::set<std::string> names;
  for (int round = 0; round < 1000; ++round)
    names.insert(layout::temporary("workers/w/worker.json"));
  EXPECT_EQ(names.size(), 1000U);
  for (const std::string& name : names) {
    EXPECT_TRUE(name.starts_with("workers/w/worker.json."));
    EXPECT_EQ(name.rfind('/'), std::string("workers/w").size());
    EXPECT_TRUE(layout::is_temporary(name));
  }
}

TEST(LayoutTemporary, FinishedFilesAreNotTakenForUnfinishedOnes) {
  for (const std::string& name :
       {std::string(layout::runtime_json), layout::catalog(Lsn{1}), layout::log_file("events"),
        layout::log_part("events", 1), std::string(layout::lock),
        layout::quarantined("events.jsonl", 7), std::string("notes.tmp"),
        std::string(".0123456789abcdef.tmp"), std::string("a.0123456789ABCDEF.tmp"),
        std::string("a0123456789abcdef.tmp"), std::string("a.0123456789abcdef")}) {
    EXPECT_FALSE(layout::is_temporary(name)) << name;
  }
}

TEST(LayoutTemporary, UnfinishedRuntimeIsNoRuntimesName) {
  const std::string path = layout::unfinished_runtime(runtime_id("main"));
  ASSERT_TRUE(path.starts_with("runtimes/.main."));
  EXPECT_TRUE(layout::is_temporary(path));
  EXPECT_FALSE(layout::decode_id(path.substr(layout::runtimes.size() + 1)));
}

TEST(LayoutQuarantine, NameTellsFileAndOffsetAndIsDrawn) {
  const std::string first = layout::quarantined("workers.w.transcript.jsonl", 0x1234);
  EXPECT_TRUE(first.starts_with("quarantine/workers.w.transcript.jsonl.0000000000001234."));
  EXPECT_EQ(first.size(),
            std::string("quarantine/workers.w.transcript.jsonl").size() + std::size_t{2} * 17);
  EXPECT_NE(first, layout::quarantined("workers.w.transcript.jsonl", 0x1234));
}

}  // namespace
}  // namespace worker_runtime::fs_store
