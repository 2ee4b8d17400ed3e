// Gathering what verify sees: see findings.h.
#include "findings.h"

#include "checked_line.h"

namespace worker_runtime::fs_store {
namespace {

/// More say nothing new, and would bury what is wrong: a crash may leave one for each Worker.
constexpr std::uint64_t notes_listed_max = 10;

}  // namespace

bool is_checked(const ScannedLine& line) {
  return line.has_newline && !line.too_long && check_line(line.text).has_value();
}

std::string owner_text(const WorkerRef& owner) {
  return "worker " + owner.worker_id.text() + " of runtime " + owner.runtime_id.text();
}

void Findings::saw(std::uint64_t bytes) {
  report_.bytes += bytes;
  if (!options_.progress || report_.bytes < next_progress_) return;
  next_progress_ = report_.bytes + (std::uint64_t{1} << 20U);
  options_.progress(report_.bytes);
}

void Findings::find(Severity severity, std::string code, std::string message,
                    const std::string& path, std::optional<std::uint64_t> line,
                    std::optional<std::uint64_t> offset) {
  add({severity, std::move(code), std::move(message), file_system_.prefix() + path, line, offset});
}

void Findings::find(const Error& error) {
  const auto* const fields = error.get<FileFields>();
  if (fields == nullptr) return find(Severity::error, "store_corrupt", error.message(), "");
  add({Severity::error, "store_corrupt", error.message(), fields->path, fields->line,
       fields->offset});
}

void Findings::find_at(Severity severity, std::string code, std::string message,
                       const std::string& path, const ScannedLine& line) {
  find(severity, std::move(code), std::move(message), path, line.number, line.offset);
}

void Findings::find_bad_line(const std::string& path, const ScannedLine& line) {
  find_at(Severity::error, "checksum_mismatch",
          line.has_newline ? "the line does not match its checksum"
                           : "the file ends in the middle of a line",
          path, line);
}

void Findings::add(Finding finding) {
  if (finding.severity == Severity::info) return add_note(std::move(finding));
  if (wrong_ >= options_.findings_max) {
    report_.truncated = true;
    return;
  }
  ++wrong_;
  report_.findings.push_back(std::move(finding));
}

void Findings::add_note(Finding finding) {
  Notes& notes = notes_[finding.code];
  if (notes.listed == notes_listed_max) {
    ++report_.findings[notes.last].alike;
    return;
  }
  ++notes.listed;
  notes.last = report_.findings.size();
  report_.findings.push_back(std::move(finding));
}

}  // namespace worker_runtime::fs_store
