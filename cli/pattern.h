// What `search` looks for: a text, or a regular expression.
//
// A text is first looked for in the line as it stands in the file, which decides about most lines
// without decoding them. So it is written as the line would have it: escaped as JSON; and as it is,
// for the data of entries, which is JSON itself.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "worker_runtime/history.h"
#include "worker_runtime/result.h"

namespace re2 {  // NOLINT(readability-identifier-naming): the library calls it so
class RE2;
}

namespace worker_runtime::cli {

enum class PatternKind : std::uint8_t { text, expression };
enum class Letters : std::uint8_t { as_written, any_case };

/// A place in a text.
struct Match {
  std::size_t offset = 0;
  std::size_t length = 0;
};

/// Any number of threads may use one.
class Pattern {
 public:
  /// `invalid_request` if the expression is none (the syntax is RE2's).
  static Result<Pattern> compile(const std::string& pattern, PatternKind kind, Letters letters);
  Pattern(Pattern&&) noexcept;
  Pattern& operator=(Pattern&&) = delete;
  Pattern(const Pattern&) = delete;
  Pattern& operator=(const Pattern&) = delete;
  ~Pattern();

  /// False: nothing of the line can match.
  [[nodiscard]] bool may_be_in_line(std::string_view line) const;
  /// The first place where it matches.
  [[nodiscard]] std::optional<Match> find(std::string_view text) const;

 private:
  Pattern();
  std::string text_;                      // what is looked for, if it is a text
  std::string escaped_;                   // the same inside a JSON string
  std::unique_ptr<re2::RE2> expression_;  // null: a text
};

}  // namespace worker_runtime::cli
