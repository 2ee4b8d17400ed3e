// Lines of the logs for readers: see worker_runtime/fs_store/lines.h.
#include "worker_runtime/fs_store/lines.h"

#include <string>

#include "codec.h"

namespace worker_runtime::fs_store {

class LineDecoder::Implementation {
 public:
  Decoder decoder;
};

LineDecoder::LineDecoder() : implementation_(std::make_unique<Implementation>()) {}
LineDecoder::LineDecoder(LineDecoder&&) noexcept = default;
LineDecoder& LineDecoder::operator=(LineDecoder&&) noexcept = default;
LineDecoder::~LineDecoder() = default;

Result<TranscriptEntry> LineDecoder::entry(std::string_view line) {
  return implementation_->decoder.entry(line);
}
Result<Event> LineDecoder::event(std::string_view line) {
  return implementation_->decoder.event(line);
}

}  // namespace worker_runtime::fs_store
