// What `search` looks for: see pattern.h.
#include "pattern.h"

#include <re2/re2.h>

#include <cstring>

#include "worker_runtime/fs_store/json.h"

namespace worker_runtime::cli {
namespace {

/// memmem() of the C library, which is many times as fast as std::string_view::find().
std::optional<std::size_t> find_text(std::string_view text, std::string_view wanted) {
  const void* const found = ::memmem(text.data(), text.size(), wanted.data(), wanted.size());
  if (found == nullptr) return std::nullopt;
  return static_cast<std::size_t>(static_cast<const char*>(found) - text.data());
}

}  // namespace

Pattern::Pattern() = default;
Pattern::Pattern(Pattern&&) noexcept = default;
Pattern::~Pattern() = default;

Result<Pattern> Pattern::compile(const std::string& pattern, PatternKind kind, Letters letters) {
  Pattern compiled;
  if (kind == PatternKind::text && letters == Letters::as_written) {
    compiled.text_ = pattern;
    fs_store::append_json_string(compiled.escaped_, pattern);
    compiled.escaped_ = compiled.escaped_.substr(1, compiled.escaped_.size() - 2);
    return compiled;
  }
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_literal(kind == PatternKind::text);
  options.set_case_sensitive(letters == Letters::as_written);
  compiled.expression_ = std::make_unique<re2::RE2>(pattern, options);
  if (compiled.expression_->ok()) return compiled;
  return Error(ErrorCode::invalid_request,
               "the regular expression is none: " + compiled.expression_->error());
}

bool Pattern::may_be_in_line(std::string_view line) const {
  if (expression_) return true;
  if (find_text(line, escaped_)) return true;
  return escaped_ != text_ && find_text(line, text_);
}

std::optional<Match> Pattern::find(std::string_view text) const {
  if (!expression_) {
    const auto offset = find_text(text, text_);
    if (!offset) return std::nullopt;
    return Match{*offset, text_.size()};
  }
  re2::StringPiece found;
  const re2::StringPiece all(text.data(), text.size());
  if (!expression_->Match(all, 0, all.size(), re2::RE2::UNANCHORED, &found, 1)) return std::nullopt;
  return Match{static_cast<std::size_t>(found.data() - text.data()), found.size()};
}

}  // namespace worker_runtime::cli
