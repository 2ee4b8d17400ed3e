// The names in `requests/`, and who serves them. docs/FORMAT.md has the protocol.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "file_system.h"

namespace worker_runtime::fs_store {

/// No request or answer is longer: the longest line of `pipe`.
inline constexpr std::size_t request_bytes_max = std::size_t{64} << 20U;

/// The host's lock in requests/: held while it serves. Its text is the host's session.
inline constexpr std::string_view host_lock = "lock";

/// "<session>.<anything>.request". The session is drawn by each host anew, so that no host ever
/// does what another one was asked for: neither what that one took and did not live to answer, nor
/// what a power cut brought back.
bool is_request(std::string_view name);
bool is_request_of(std::string_view name, std::string_view session);
bool is_answer(std::string_view name);
std::string request_name(std::string_view session, std::string_view token);
/// Of the request of that name.
std::string answer_name(std::string_view request);

/// The session of the host that serves `requests`, a file system of that directory; none if nobody
/// does.
std::optional<std::string> serving_session(FileSystem& requests);

}  // namespace worker_runtime::fs_store
