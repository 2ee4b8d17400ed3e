// The names in requests/: see request_names.h.
#include "request_names.h"

#include <algorithm>

#include "snapshot.h"

namespace worker_runtime::fs_store {
namespace {

constexpr std::string_view request_suffix = ".request";
constexpr std::string_view answer_suffix = ".answer";
constexpr std::size_t session_size = 16;

bool is_session(std::string_view text) {
  return text.size() == session_size &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace

bool is_request(std::string_view name) { return name.ends_with(request_suffix); }

bool is_request_of(std::string_view name, std::string_view session) {
  // Something stands between the session and the suffix.
  return is_request(name) && name.starts_with(session) &&
         name.size() > session.size() + request_suffix.size() + 1 && name[session.size()] == '.';
}

bool is_answer(std::string_view name) { return name.ends_with(answer_suffix); }

std::string request_name(std::string_view session, std::string_view token) {
  return std::string(session) + "." + std::string(token) + std::string(request_suffix);
}

std::string answer_name(std::string_view request) {
  request.remove_suffix(std::min(request.size(), request_suffix.size()));
  return std::string(request) + std::string(answer_suffix);
}

std::optional<std::string> serving_session(FileSystem& requests) {
  const std::string lock(host_lock);
  // Asked first: of a lock that is not there nobody can tell whether it is held.
  auto there = requests.kind(lock);
  if (!there || there->value_or(EntryKind::other) != EntryKind::file) return std::nullopt;
  if (!requests.is_locked(lock)) return std::nullopt;
  auto text = read_small_file(requests, lock, session_size + 1);
  if (!text || !text->ends_with('\n')) return std::nullopt;
  text->pop_back();
  return is_session(*text) ? std::optional(*std::move(text)) : std::nullopt;
}

}  // namespace worker_runtime::fs_store
