// The check of attached data: one JSON object, kept as given less insignificant white space.
//
// Core has no JSON library. This reads RFC 8259 with an explicit stack instead of recursion, so
// that hostile nesting costs a comparison, and keeps only the names of the open objects, to find
// doubled ones.
#include <set>
#include <string>
#include <vector>

#include "worker_runtime/text.h"

namespace worker_runtime {
namespace {

class Compactor {
 public:
  explicit Compactor(std::string_view text) : text_(text) {}

  Result<std::string> run() {
    if (!is_valid_utf8(text_)) return Error(ErrorCode::invalid_request, "data is not valid UTF-8");
    out_.reserve(text_.size());
    skip_space();
    if (peek() != '{') return wrong("must be a JSON object");
    if (!value()) return wrong(fault_);
    while (!open_.empty()) {
      if (!step()) return wrong(fault_);
    }
    skip_space();
    if (at_ != text_.size()) return wrong("has something behind the object");
    return std::move(out_);
  }

 private:
  struct Open {
    bool object = false;
    bool first = true;
    std::set<std::string> names;
  };

  [[nodiscard]] Error wrong(std::string_view fault) const {
    return {ErrorCode::invalid_request,
            "data " + std::string(fault) + " (byte " + std::to_string(at_) + ")"};
  }

  [[nodiscard]] char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  bool fail(std::string_view fault) {
    fault_ = fault;
    return false;
  }

  void skip_space() {
    while (at_ < text_.size() &&
           std::string_view(" \t\n\r").find(text_[at_]) != std::string_view::npos)
      ++at_;
  }

  void take() { out_ += text_[at_++]; }

  /// One member, element, or closing bracket of the innermost open value.
  bool step() {
    Open& inner = open_.back();
    skip_space();
    if (peek() == (inner.object ? '}' : ']') && at_ < text_.size()) {
      take();
      open_.pop_back();
      return true;
    }
    if (!inner.first) {
      if (peek() != ',') return fail("is not valid JSON");
      take();
      skip_space();
    }
    inner.first = false;
    if (inner.object && !name(inner)) return false;
    return value();
  }

  bool name(Open& inner) {
    std::string text;
    if (!string(&text)) return false;
    if (!inner.names.insert(std::move(text)).second) return fail("has a doubled member");
    skip_space();
    if (peek() != ':') return fail("is not valid JSON");
    take();
    skip_space();
    return true;
  }

  /// A scalar as a whole; of an object or array the opening bracket.
  bool value() {
    const char first = peek();
    if (first == '{' || first == '[') {
      if (open_.size() == data_depth_max) return fail("is nested too deep");
      open_.push_back({first == '{', true, {}});
      take();
      return true;
    }
    if (first == '"') return string(nullptr);
    for (const std::string_view word : {"true", "false", "null"}) {
      if (text_.substr(at_).starts_with(word)) {
        out_ += word;
        at_ += word.size();
        return true;
      }
    }
    return number();
  }

  bool digits() {
    const std::size_t start = at_;
    while (peek() >= '0' && peek() <= '9') take();
    return at_ > start || fail("is not valid JSON");
  }

  bool number() {
    if (peek() == '-') take();
    if (peek() == '0') {
      take();
    } else if (!digits()) {
      return false;
    }
    if (peek() == '.') {
      take();
      if (!digits()) return false;
    }
    if (peek() == 'e' || peek() == 'E') {
      take();
      if (peek() == '+' || peek() == '-') take();
      return digits();
    }
    return true;
  }

  /// `decoded`, if asked for, is the text without escapes: two spellings of a name are one name.
  bool string(std::string* decoded) {
    if (peek() != '"') return fail("is not valid JSON");
    take();
    while (at_ < text_.size()) {
      const auto byte = static_cast<unsigned char>(text_[at_]);
      if (byte < 0x20) return fail("has a control character in a string");
      if (byte == '\\') {
        if (!escape(decoded)) return false;
        continue;
      }
      if (byte != '"' && decoded != nullptr) *decoded += text_[at_];
      take();
      if (byte == '"') return true;
    }
    return fail("ends in a string");
  }

  bool escape(std::string* decoded) {
    take();
    constexpr std::string_view letters = "\"\\/bfnrt";
    constexpr std::string_view meanings = "\"\\/\b\f\n\r\t";
    const std::size_t letter =
        at_ < text_.size() ? letters.find(text_[at_]) : std::string_view::npos;
    if (letter != std::string_view::npos) {
      if (decoded != nullptr) *decoded += meanings[letter];
      take();
      return true;
    }
    if (peek() != 'u') return fail("has an unknown escape");
    unsigned point = 0;
    if (!four_hex(point)) return false;
    if (point >= 0xDC00 && point <= 0xDFFF) return fail("has a lone surrogate");
    if (point >= 0xD800 && point <= 0xDBFF) {
      unsigned low = 0;
      if (peek() != '\\') return fail("has a lone surrogate");
      take();
      if (peek() != 'u' || !four_hex(low) || low < 0xDC00 || low > 0xDFFF)
        return fail("has a lone surrogate");
      point = 0x10000 + ((point - 0xD800) << 10U) + (low - 0xDC00);
    }
    if (decoded != nullptr) append_utf8(*decoded, point);
    return true;
  }

  bool four_hex(unsigned& point) {
    take();
    for (int count = 0; count < 4; ++count) {
      const char digit = peek();
      unsigned value = 0;
      if (digit >= '0' && digit <= '9') {
        value = static_cast<unsigned>(digit - '0');
      } else if (digit >= 'a' && digit <= 'f') {
        value = static_cast<unsigned>(digit - 'a') + 10;
      } else if (digit >= 'A' && digit <= 'F') {
        value = static_cast<unsigned>(digit - 'A') + 10;
      } else {
        return fail("has an unknown escape");
      }
      point = point * 16 + value;
      take();
    }
    return true;
  }

  static void append_utf8(std::string& out, unsigned point) {
    const auto tail = [&](unsigned shift) {
      out += static_cast<char>(0x80U | (point >> shift & 0x3FU));
    };
    if (point < 0x80) {
      out += static_cast<char>(point);
    } else if (point < 0x800) {
      out += static_cast<char>(0xC0U | point >> 6U);
      tail(0);
    } else if (point < 0x10000) {
      out += static_cast<char>(0xE0U | point >> 12U);
      tail(6);
      tail(0);
    } else {
      out += static_cast<char>(0xF0U | point >> 18U);
      tail(12);
      tail(6);
      tail(0);
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::string out_;
  std::vector<Open> open_;
  std::string_view fault_;
};

}  // namespace

Result<std::string> compact_json_object(std::string_view text) { return Compactor(text).run(); }

}  // namespace worker_runtime
