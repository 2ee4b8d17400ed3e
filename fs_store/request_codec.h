// Requests of `pipe` written, and their answers read: the other side of RequestParser and
// append_json(), for who asks a process that holds the runtime.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "worker_runtime/fs_store/requests.h"
#include "worker_runtime/operations.h"
#include "worker_runtime/result.h"

namespace worker_runtime::fs_store {

/// The line of a request, without a newline. `invalid_request` for what no line can say: an
/// ImportWorker, text that is no UTF-8, data that is no JSON object.
Result<std::string> encode_request(const HostRequest& request);

/// Which of the answers a request has; in the order of Answer.
enum class AnswerKind : std::uint8_t {
  worker,
  entry,
  ended,
  deleted,
  runtime,
  events_trimmed,
  transcript_trimmed,
  redacted,
};
AnswerKind answer_kind(const HostRequest& request);

/// The answer or the error that a line holds. `store_failed` if it is no such line: then nobody
/// knows what was done.
Result<Answer> read_answer_line(std::string_view line, AnswerKind kind);

/// The same of an answer that is one text, `{"text":...}`.
Result<std::string> read_text_line(std::string_view line);

}  // namespace worker_runtime::fs_store
