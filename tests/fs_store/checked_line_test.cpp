// The one line format of every file: checksums, numbers, and that no flipped bit goes unseen.
#include "checked_line.h"

#include <gtest/gtest.h>

#include <string>

namespace worker_runtime::fs_store {
namespace {

std::string line_of(std::string_view object) {
  std::string line;
  append_checked_line(line, object);
  EXPECT_EQ(line.back(), '\n');
  line.pop_back();
  return line;
}

TEST(CheckedLine, ChecksumIsThePlainCastagnoliOne) {
  // The check value of CRC-32C in every catalogue of checksums.
  EXPECT_EQ(crc32c("123456789"), 0xE3069283U);
  EXPECT_EQ(crc32c(""), 0U);
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8A9136AAU);  // RFC 3720, B.4
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62A8AB43U);
}

TEST(CheckedLine, ChecksumStandsBeforeTheMembersAndCoversThem) {
  std::string out = "before\n";
  const std::uint32_t checksum = append_checked_line(out, R"({"id":17,"kind":"x"})");
  EXPECT_EQ(out,
            "before\n{\"crc\":\"" + checksum_text(checksum) + "\",\"id\":17,\"kind\":\"x\"}\n");
  EXPECT_EQ(checksum, crc32c(R"("id":17,"kind":"x"})"));
}

TEST(CheckedLine, GoodLineAnswersItsChecksum) {
  const std::string line = line_of(R"({"id":17})");
  EXPECT_EQ(check_line(line), crc32c(R"("id":17})"));
}

TEST(CheckedLine, EveryFlippedBitIsFound) {
  const std::string line =
      line_of(R"({"id":17,"at":"2026-11-24T10:00:00.000001Z","message":"hello"})");
  for (std::size_t bit = 0; bit < line.size() * 8; ++bit) {
    std::string damaged = line;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_FALSE(check_line(damaged)) << "bit " << bit;
  }
}

TEST(CheckedLine, EveryShorterOrLongerLineIsFound) {
  const std::string line = line_of(R"({"id":17,"message":"hello"})");
  for (std::size_t length = 0; length < line.size(); ++length) {
    EXPECT_FALSE(check_line(std::string_view(line).substr(0, length))) << length;
  }
  EXPECT_FALSE(check_line(line + " "));
  EXPECT_FALSE(check_line(line + "}"));
  EXPECT_FALSE(check_line(line + '\0'));
  EXPECT_FALSE(check_line(" " + line));
}

TEST(CheckedLine, ChecksumOfAnotherFormIsNone) {
  EXPECT_FALSE(check_line(""));
  EXPECT_FALSE(check_line("{}"));
  EXPECT_FALSE(check_line(R"({"crc":"00000000"})"));
  EXPECT_FALSE(check_line(R"({"crc":"00000000",)"));
  std::string upper = line_of(R"({"id":3})");
  for (std::size_t i = 8; i < 16; ++i) {
    if (upper[i] >= 'a' && upper[i] <= 'f') upper[i] = static_cast<char>(upper[i] - 'a' + 'A');
  }
  ASSERT_NE(upper, line_of(R"({"id":3})")) << "choose an object whose checksum has a letter";
  EXPECT_FALSE(check_line(upper));
}

TEST(LineNumber, StandsRightBehindTheChecksum) {
  EXPECT_EQ(line_number(R"({"crc":"9ae0daaf","id":17,"at":"x"})", "id"), 17U);
  EXPECT_EQ(line_number(R"({"crc":"9ae0daaf","id":0})", "id"), 0U);
  EXPECT_EQ(line_number(R"({"crc":"9ae0daaf","sequence":18446744073709551615,)", "sequence"),
            18446744073709551615U);
}

TEST(LineNumber, NeedsNoWholeLineButTheCharacterBehindIt) {
  EXPECT_EQ(line_number(R"({"crc":"9ae0daaf","id":17,)", "id"), 17U);
  EXPECT_FALSE(line_number(R"({"crc":"9ae0daaf","id":17)", "id"));
  EXPECT_FALSE(line_number(R"({"crc":"9ae0daaf","id":)", "id"));
  EXPECT_FALSE(line_number(R"({"crc":"9ae0daaf",)", "id"));
  EXPECT_FALSE(line_number("", "id"));
}

TEST(LineNumber, OtherPlacesAndFormsAreNone) {
  EXPECT_FALSE(line_number(R"({"crc":"9ae0daaf","lsn":17,"id":18})", "id"));
  EXPECT_FALSE(line_number(R"({"crc":"9ae0daaf","id":"17"})", "id"));
  EXPECT_FALSE(line_number(R"({"crc":"9ae0daaf","id":-1})", "id"));
  EXPECT_FALSE(line_number(R"({"crc":"9ae0daaf","id":017})", "id"));
  EXPECT_FALSE(line_number(R"({"crc":"9ae0daaf","id":1.5})", "id"));
  EXPECT_FALSE(line_number(R"({"crc":"9ae0daaf","id":18446744073709551616})", "id"));
  EXPECT_FALSE(line_number(R"({"crc":"9ae0daaf","id":99999999999999999999})", "id"));
  EXPECT_FALSE(line_number(R"({"id":17,"crc":"9ae0daaf"})", "id"));
}

TEST(ChecksumText, IsEightLowerCaseHexDigits) {
  EXPECT_EQ(checksum_text(0), "00000000");
  EXPECT_EQ(checksum_text(0x9ae0daaf), "9ae0daaf");
  EXPECT_EQ(parse_checksum("9ae0daaf"), 0x9ae0daafU);
  EXPECT_EQ(parse_checksum("ffffffff"), 0xffffffffU);
  for (const char* bad :
       {"", "9ae0daa", "9ae0daaf0", "9AE0DAAF", "9ae0daag", " 9ae0daa", "-ae0daaf"}) {
    EXPECT_FALSE(parse_checksum(bad)) << bad;
  }
}

}  // namespace
}  // namespace worker_runtime::fs_store
