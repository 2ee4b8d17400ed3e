// Writing the page of `report`: the template, with data that is compressed on its way in.
//
// The page is written beside its place and renamed once it is whole: a run that is cut off leaves
// no half of one under the name.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "worker_runtime/result.h"

namespace worker_runtime::cli {

/// The page without its data: report/template.html, as it was when the tool was built.
std::string report_template();

class ReportPage {
 public:
  /// Begins the page that is to stand at `path`. `title` is text, not markup.
  static Result<ReportPage> create(const std::filesystem::path& path, std::string_view title);
  ReportPage(ReportPage&&) noexcept;
  ReportPage& operator=(ReportPage&&) = delete;
  ReportPage(const ReportPage&) = delete;
  ReportPage& operator=(const ReportPage&) = delete;
  /// Takes away what was not finished.
  ~ReportPage();

  /// A piece of the data, which all together is one JSON document.
  Result<void> write(std::string_view json);
  /// Puts the page in its place. Answers its size in bytes.
  Result<std::uint64_t> finish();

 private:
  class Implementation;
  explicit ReportPage(std::unique_ptr<Implementation> implementation);
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace worker_runtime::cli
