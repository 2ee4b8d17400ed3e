// Lines of the logs as they stand in the files, for who passes them on, or looks into few of many.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include "worker_runtime/history.h"
#include "worker_runtime/result.h"

#pragma GCC visibility push(default)

namespace worker_runtime::fs_store {

/// Sees one line of a log, whole and checked, without its newline: a JSON object that begins with
/// `crc` and the line's number, an event's `id` or an entry's `sequence`. The text is valid until
/// the visitor returns. False: enough.
using LineVisitor = std::function<bool(std::uint64_t number, std::string_view line)>;

/// Reads such lines. Keeps its buffers from call to call: one thread at a time.
class LineDecoder {
 public:
  LineDecoder();
  LineDecoder(LineDecoder&&) noexcept;
  LineDecoder& operator=(LineDecoder&&) noexcept;
  LineDecoder(const LineDecoder&) = delete;
  LineDecoder& operator=(const LineDecoder&) = delete;
  ~LineDecoder();

  /// `store_corrupt` if it is no line of a transcript.
  Result<TranscriptEntry> entry(std::string_view line);
  /// `store_corrupt` if it is no line of an event log.
  Result<Event> event(std::string_view line);

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace worker_runtime::fs_store

#pragma GCC visibility pop
