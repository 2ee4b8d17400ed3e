// The bounded log of diagnostics: see DiagnosticLog in store.h.
#include <algorithm>
#include <utility>

#include "worker_runtime/store.h"

namespace worker_runtime {

namespace {

constexpr LogLevel level_of(Severity severity) {
  if (severity == Severity::info) return LogLevel::info;
  return severity == Severity::warning ? LogLevel::warning : LogLevel::error;
}

/// "worker.damaged of worker a: ..."
std::string log_line(std::string_view code, const std::optional<WorkerRef>& worker_ref,
                     std::string_view message) {
  std::string line(code);
  if (worker_ref) line += " of worker " + worker_ref->worker_id.text();
  return line.append(": ").append(message);
}

/// Outside of the lock of the diagnostics, which the host's function may want to read.
void tell_log(const std::shared_ptr<const Log>& log, LogLevel level, std::string_view line) {
  if (log) (*log)(level, line);
}

}  // namespace

DiagnosticLog::DiagnosticLog(std::uint64_t kept_each) : kept_each_(kept_each) {}

void DiagnosticLog::add(Diagnostic diagnostic) {
  auto& kept = kept_.at(static_cast<std::size_t>(diagnostic.severity));
  diagnostic.id = ++total_;
  kept.push_back(std::move(diagnostic));
  // Trimmed when twice too long, so that each costs a constant share of the moving.
  if (kept.size() > kept_each_ && kept.size() - kept_each_ >= kept_each_)
    kept.erase(kept.begin(), kept.end() - static_cast<std::ptrdiff_t>(kept_each_));
}

void DiagnosticLog::add_and_tell(Diagnostic diagnostic, bool is_lasting) {
  const LogLevel level = level_of(diagnostic.severity);
  std::string line;
  std::shared_ptr<const Log> log;
  {
    const std::lock_guard lock(mutex_);
    if (is_lasting && !lasting_.emplace(diagnostic.code, diagnostic.worker_ref).second) return;
    log = log_;
    // Creates raise some: who has no log does not pay for its lines.
    if (log) line = log_line(diagnostic.code, diagnostic.worker_ref, diagnostic.message);
    add(std::move(diagnostic));
  }
  tell_log(log, level, line);
}

void DiagnosticLog::raise(Timestamp at, Severity severity, std::string code, std::string message,
                          std::optional<WorkerRef> worker_ref) {
  add_and_tell({0, at, severity, std::move(code), std::move(message), std::move(worker_ref)},
               false);
}

void DiagnosticLog::raise_once(Timestamp at, Severity severity, std::string code,
                               std::string message, std::optional<WorkerRef> worker_ref) {
  add_and_tell({0, at, severity, std::move(code), std::move(message), std::move(worker_ref)}, true);
}

void DiagnosticLog::clear(std::string_view code, const std::optional<WorkerRef>& worker_ref) {
  std::shared_ptr<const Log> log;
  {
    const std::lock_guard lock(mutex_);
    if (lasting_.empty() || lasting_.erase({std::string(code), worker_ref}) == 0) return;
    log = log_;
  }
  tell_log(log, LogLevel::info, log_line(code, worker_ref, "over"));
}

void DiagnosticLog::set_log(Log log) {
  auto shared = log ? std::make_shared<const Log>(std::move(log)) : nullptr;
  const std::lock_guard lock(mutex_);
  log_ = std::move(shared);
}

void DiagnosticLog::tell(LogLevel level, std::string_view line) const {
  std::shared_ptr<const Log> log;
  {
    const std::lock_guard lock(mutex_);
    log = log_;
  }
  tell_log(log, level, line);
}

std::vector<Diagnostic> DiagnosticLog::read(std::uint64_t after, std::size_t count) const {
  std::vector<Diagnostic> found = snapshot();
  std::erase_if(found, [&](const Diagnostic& diagnostic) { return diagnostic.id <= after; });
  if (found.size() > count)
    found.erase(found.begin() + static_cast<std::ptrdiff_t>(count), found.end());
  return found;
}

std::uint64_t DiagnosticLog::total() const {
  const std::lock_guard lock(mutex_);
  return total_;
}

void DiagnosticLog::set_kept_each(std::uint64_t kept_each) {
  const std::lock_guard lock(mutex_);
  kept_each_ = kept_each;
}

std::vector<Diagnostic> DiagnosticLog::snapshot() const {
  std::vector<Diagnostic> all;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& kept : kept_) {
      const std::size_t count = std::min<std::size_t>(kept.size(), kept_each_);
      all.insert(all.end(), kept.end() - static_cast<std::ptrdiff_t>(count), kept.end());
    }
  }
  std::sort(all.begin(), all.end(),
            [](const auto& left, const auto& right) { return left.id < right.id; });
  return all;
}

void DiagnosticLog::restore(std::vector<Diagnostic> diagnostics, std::uint64_t total) {
  const std::lock_guard lock(mutex_);
  for (Diagnostic& diagnostic : diagnostics) {
    kept_.at(static_cast<std::size_t>(diagnostic.severity)).push_back(std::move(diagnostic));
  }
  total_ = total;
}

}  // namespace worker_runtime
