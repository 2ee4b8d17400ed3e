// Writing the page of `report`: see report_page.h.
#include "report_page.h"

#include <zlib.h>

#include <array>
#include <utility>

#include "posix_output_file.h"

namespace worker_runtime::cli {
namespace {

constexpr std::string_view data_place = "@REPORT_DATA@";
constexpr std::string_view title_place = "@REPORT_TITLE@";
constexpr std::size_t block_bytes = std::size_t{1} << 16U;

std::string escaped(std::string_view text) {
  std::string out;
  for (const char one : text) {
    switch (one) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      default:
        out += one;
    }
  }
  return out;
}

/// Base64 (RFC 4648) of pieces, which together are one.
class Base64 {
 public:
  void append(std::string& out, std::string_view bytes) {
    for (const char byte : bytes) {
      group_ = group_ << 8U | static_cast<unsigned char>(byte);
      if (++count_ < 3) continue;
      flush(out, 4);
    }
  }
  void end(std::string& out) {
    if (count_ == 0) return;
    const std::size_t characters = count_ + 1U;
    group_ <<= 8U * (3 - count_);
    flush(out, characters);
    out.append(4 - characters, '=');
  }

 private:
  void flush(std::string& out, std::size_t characters) {
    constexpr std::string_view alphabet =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (std::size_t at = 0; at < characters; ++at)
      out += alphabet[group_ >> (18U - 6U * at) & 0x3FU];
    group_ = 0;
    count_ = 0;
  }
  std::uint32_t group_ = 0;
  unsigned count_ = 0;
};

}  // namespace

class ReportPage::Implementation {
 public:
  explicit Implementation(OutputFile file) : file_(std::move(file)) {}
  Implementation(const Implementation&) = delete;
  Implementation& operator=(const Implementation&) = delete;
  ~Implementation() {
    if (is_deflating_) deflateEnd(&stream_);
  }

  Result<void> begin(std::string_view title) {
    // 16: a gzip header, which is what browsers unpack by themselves.
    const int begun = deflateInit2(&stream_, Z_DEFAULT_COMPRESSION, Z_DEFLATED, MAX_WBITS + 16, 8,
                                   Z_DEFAULT_STRATEGY);
    if (begun != Z_OK) return Error(ErrorCode::store_io, "cannot compress the data of the page");
    is_deflating_ = true;
    const std::string page = report_template();
    const std::size_t at_title = page.find(title_place);
    const std::size_t at_data = page.find(data_place);
    auto written = file_.write(page.substr(0, at_title));
    if (written) written = file_.write(escaped(title));
    const std::size_t behind_title = at_title + title_place.size();
    if (written) written = file_.write(page.substr(behind_title, at_data - behind_title));
    rest_ = page.substr(at_data + data_place.size());
    return written;
  }

  Result<void> write(std::string_view json) {
    pending_ += json;
    return pending_.size() < block_bytes ? Result<void>() : compress(Z_NO_FLUSH);
  }

  Result<std::uint64_t> finish() {
    auto done = compress(Z_FINISH);
    if (!done) return std::move(done).error();
    std::string text;
    base64_.end(text);
    text += rest_;
    done = file_.write(text);
    if (!done) return std::move(done).error();
    return file_.commit();
  }

 private:
  Result<void> compress(int flush) {
    // zlib reads through this pointer, and does not write.
    stream_.next_in = reinterpret_cast<Bytef*>(pending_.data());
    stream_.avail_in = static_cast<uInt>(pending_.size());
    std::string text;
    do {
      stream_.next_out = reinterpret_cast<Bytef*>(block_.data());
      stream_.avail_out = static_cast<uInt>(block_.size());
      if (deflate(&stream_, flush) == Z_STREAM_ERROR)
        return Error(ErrorCode::store_io, "cannot compress the data of the page");
      base64_.append(text, {block_.data(), block_.size() - stream_.avail_out});
    } while (stream_.avail_out == 0);
    pending_.clear();
    return file_.write(text);
  }

  OutputFile file_;
  z_stream stream_{};
  bool is_deflating_ = false;
  Base64 base64_;
  std::string pending_;
  std::array<char, block_bytes> block_{};
  std::string rest_;  // of the template, behind the data
};

ReportPage::ReportPage(std::unique_ptr<Implementation> implementation)
    : implementation_(std::move(implementation)) {}
ReportPage::ReportPage(ReportPage&&) noexcept = default;
ReportPage::~ReportPage() = default;

Result<ReportPage> ReportPage::create(const std::filesystem::path& path, std::string_view title) {
  auto file = OutputFile::create(path.string());
  if (!file) return std::move(file).error();
  auto implementation = std::make_unique<Implementation>(*std::move(file));
  auto begun = implementation->begin(title);
  if (!begun) return std::move(begun).error();
  return ReportPage(std::move(implementation));
}

Result<void> ReportPage::write(std::string_view json) { return implementation_->write(json); }
Result<std::uint64_t> ReportPage::finish() { return implementation_->finish(); }

}  // namespace worker_runtime::cli
