// The rules of text against simpler second implementations, over every code point and over random
// documents.
#include <gtest/gtest.h>

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "support/random.h"
#include "worker_runtime/text.h"

namespace worker_runtime {
namespace {

using testing::Random;

/// UTF-8 as its definition says, without a thought for speed or validity.
std::string encode(char32_t point) {
  const auto byte = [](char32_t bits) {
    return static_cast<char>(static_cast<unsigned char>(bits));
  };
  if (point < 0x80) return {byte(point)};
  if (point < 0x800) return {byte(0xC0 | point >> 6), byte(0x80 | (point & 0x3F))};
  if (point < 0x10000) {
    return {byte(0xE0 | point >> 12), byte(0x80 | (point >> 6 & 0x3F)),
            byte(0x80 | (point & 0x3F))};
  }
  return {byte(0xF0 | point >> 18), byte(0x80 | (point >> 12 & 0x3F)),
          byte(0x80 | (point >> 6 & 0x3F)), byte(0x80 | (point & 0x3F))};
}

TEST(TextExhaustiveTest, EveryCodePointIsJudgedAsTheListsSay) {
  const std::set<char32_t> white_space = {0x09,   0x0A,   0x0B,   0x0C,   0x0D,   0x20,   0x85,
                                          0xA0,   0x1680, 0x2000, 0x2001, 0x2002, 0x2003, 0x2004,
                                          0x2005, 0x2006, 0x2007, 0x2008, 0x2009, 0x200A, 0x2028,
                                          0x2029, 0x202F, 0x205F, 0x3000};
  ASSERT_EQ(white_space.size(), 25U);
  for (char32_t point = 0; point <= 0x10FFFF; ++point) {
    const auto number = static_cast<std::uint32_t>(point);
    const std::string text = encode(point);
    const bool surrogate = point >= 0xD800 && point <= 0xDFFF;
    ASSERT_EQ(is_valid_utf8(text), !surrogate) << number;
    if (surrogate) continue;
    const bool white = white_space.contains(point);
    ASSERT_EQ(is_blank(text), white) << number;
    ASSERT_EQ(has_outer_white_space("a" + text), white) << number;
    ASSERT_EQ(has_outer_white_space(text + "a"), white) << number;
    ASSERT_FALSE(has_outer_white_space("a" + text + "a")) << number;
    ASSERT_EQ(has_control("a" + text), point <= 0x1F || (point >= 0x7F && point <= 0x9F)) << number;
  }
}

TEST(TextExhaustiveTest, EverySequenceOfUpToThreeBytesIsValidExactlyIfSomeTextEncodesToIt) {
  // All well-formed sequences of one to three bytes, from the encoder.
  std::set<std::string> well_formed;
  for (char32_t point = 0; point <= 0xFFFF; ++point) {
    if (point < 0xD800 || point > 0xDFFF) well_formed.insert(encode(point));
  }
  const auto is_text = [&](const std::string& bytes) {
    std::size_t at = 0;
    while (at < bytes.size()) {
      std::size_t length = 1;
      while (length <= 3 && !well_formed.contains(bytes.substr(at, length))) ++length;
      if (length > 3 || at + length > bytes.size()) return false;
      at += length;
    }
    return true;
  };
  for (unsigned first = 0x78; first <= 0xFF; ++first) {
    for (unsigned second = 0x78; second <= 0xFF; ++second) {
      std::string bytes = {static_cast<char>(first), static_cast<char>(second)};
      ASSERT_EQ(is_valid_utf8(bytes), is_text(bytes)) << first << " " << second;
      for (unsigned third = 0x78; third <= 0xFF; third += first >= 0xE0 && first < 0xF0 ? 1 : 9) {
        std::string three = bytes + static_cast<char>(third);
        ASSERT_EQ(is_valid_utf8(three), is_text(three)) << first << " " << second << " " << third;
      }
    }
  }
}

// ---- attached data

/// Builds a random document twice: compact, and with white space wherever it means nothing.
class Document {
 public:
  explicit Document(std::uint64_t seed) : random_(seed) {
    space();
    object(1);
    space();
  }
  std::string compact;
  std::string loose;
  Random& random() { return random_; }

 private:
  void both(std::string_view text) {
    compact += text;
    loose += text;
  }
  void space() {
    while (random_.one_in(3)) loose += " \t\n\r"[random_.below(4)];
  }
  void between() {
    space();
    both(",");
    space();
  }
  void object(std::size_t depth) {
    both("{");
    space();
    for (std::uint64_t member = random_.below(5); member > 0; --member) {
      both("\"name " + std::to_string(member) + "\\n\"");
      space();
      both(":");
      space();
      value(depth);
      if (member > 1) between();
    }
    space();
    both("}");
  }
  void array(std::size_t depth) {
    both("[");
    space();
    for (std::uint64_t element = random_.below(4); element > 0; --element) {
      value(depth);
      if (element > 1) between();
    }
    space();
    both("]");
  }
  void value(std::size_t depth) {
    static const std::vector<std::string> scalars = {"0",
                                                     "-0",
                                                     "12",
                                                     "-1.50",
                                                     "1e9",
                                                     "2E-07",
                                                     "true",
                                                     "false",
                                                     "null",
                                                     "\"\"",
                                                     "\" , : [ { \"",
                                                     "\"\\u00e9\\ud83d\\ude00\"",
                                                     "1.0e+1",
                                                     "\"\u2603\"",
                                                     "9007199254740993",
                                                     "\"\\\\\\\"\\/\""};
    if (depth < 8 && random_.one_in(4)) return object(depth + 1);
    if (depth < 8 && random_.one_in(4)) return array(depth + 1);
    both(random_.pick(scalars));
  }

  Random random_;
};

TEST(CompactJsonObjectRandomTest, ValidDocumentsLoseTheirWhiteSpaceAndNothingElse) {
  for (std::uint64_t seed = 1; seed <= 3000; ++seed) {
    Document document(seed);
    const auto compact = compact_json_object(document.loose);
    ASSERT_TRUE(compact) << "seed " << seed << ": " << compact.error().message();
    ASSERT_EQ(*compact, document.compact) << "seed " << seed;
    ASSERT_EQ(*compact_json_object(*compact), *compact) << "seed " << seed;
  }
}

TEST(CompactJsonObjectRandomTest, CutDocumentsAreRefusedAndChangedOnesStayStable) {
  const std::string_view bytes =
      "{}[]\",:\\0e.-+ \x01\x80\xff"
      "utn";
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    Document document(seed);
    for (std::size_t length = 0; length < document.compact.size(); ++length) {
      ASSERT_FALSE(compact_json_object(document.compact.substr(0, length)))
          << "seed " << seed << " cut to " << length;
    }
    for (int change = 0; change < 50; ++change) {
      std::string changed = document.loose;
      changed[document.random().below(changed.size())] =
          bytes[document.random().below(bytes.size())];
      const auto compact = compact_json_object(changed);
      if (!compact) {
        ASSERT_EQ(compact.error().code(), ErrorCode::invalid_request);
        continue;
      }
      ASSERT_TRUE(compact_json_object(*compact)) << "seed " << seed << ": " << changed;
      ASSERT_EQ(*compact_json_object(*compact), *compact) << "seed " << seed;
    }
  }
}

}  // namespace
}  // namespace worker_runtime
