// The bounded log of diagnostics: see DiagnosticLog in store.h.
#include <algorithm>
#include <utility>

#include "worker_runtime/store.h"

namespace worker_runtime {

DiagnosticLog::DiagnosticLog(std::uint64_t kept_each) : kept_each_(kept_each) {}

void DiagnosticLog::add(Diagnostic diagnostic) {
  auto& kept = kept_.at(static_cast<std::size_t>(diagnostic.severity));
  diagnostic.id = ++total_;
  kept.push_back(std::move(diagnostic));
  // Trimmed when twice too long, so that each costs a constant share of the moving.
  if (kept.size() > kept_each_ && kept.size() - kept_each_ >= kept_each_)
    kept.erase(kept.begin(), kept.end() - static_cast<std::ptrdiff_t>(kept_each_));
}

void DiagnosticLog::raise(Timestamp at, Severity severity, std::string code, std::string message,
                          std::optional<WorkerRef> worker_ref) {
  const std::lock_guard lock(mutex_);
  add({0, at, severity, std::move(code), std::move(message), std::move(worker_ref)});
}

void DiagnosticLog::raise_once(Timestamp at, Severity severity, std::string code,
                               std::string message, std::optional<WorkerRef> worker_ref) {
  const std::lock_guard lock(mutex_);
  if (!lasting_.emplace(code, worker_ref).second) return;
  add({0, at, severity, std::move(code), std::move(message), std::move(worker_ref)});
}

void DiagnosticLog::clear(std::string_view code, const std::optional<WorkerRef>& worker_ref) {
  const std::lock_guard lock(mutex_);
  if (!lasting_.empty()) lasting_.erase({std::string(code), worker_ref});
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
