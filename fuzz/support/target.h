// What every fuzz/*.cpp registers: a function that gets bytes, and aborts where a promise is
// broken.
//
// The same objects make two programs: with libFuzzer (support/libfuzzer.cpp), which looks for
// bytes, and with any compiler (support/replay.cpp), which reads them from files: the committed
// corpora are tests.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace worker_runtime::fuzz {

class Target {
 public:
  using Check = void (*)(std::string_view input);

  /// Registers itself. `name` is that of its file and of its corpus.
  Target(const char* name, Check check) noexcept;

  /// All that are linked.
  static const Target* first() noexcept;
  [[nodiscard]] const Target* next() const noexcept { return next_; }
  [[nodiscard]] std::string_view name() const noexcept { return name_; }
  void run(std::string_view input) const { check_(input); }

 private:
  const char* name_;
  Check check_;
  const Target* next_;
};

/// Ends the program with a message if a promise does not hold. `detail` is shown too.
void require(bool holds, std::string_view promise, std::string_view detail = {});

/// Takes values from the input, one after the other; zeros behind its end.
class Bytes {
 public:
  explicit Bytes(std::string_view bytes) : bytes_(bytes) {}

  [[nodiscard]] bool empty() const { return bytes_.empty(); }
  [[nodiscard]] std::string_view rest() const { return bytes_; }
  std::uint8_t byte() {
    if (bytes_.empty()) return 0;
    const auto value = static_cast<std::uint8_t>(bytes_.front());
    bytes_.remove_prefix(1);
    return value;
  }
  /// 0 to bound - 1.
  std::size_t below(std::size_t bound) {
    std::size_t value = byte();
    if (bound > 256) value = value << 8U | byte();
    return value % bound;
  }
  std::string_view take(std::size_t count) {
    const std::string_view taken = bytes_.substr(0, count);
    bytes_.remove_prefix(taken.size());
    return taken;
  }

 private:
  std::string_view bytes_;
};

}  // namespace worker_runtime::fuzz
