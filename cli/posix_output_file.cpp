// A file that a command makes for people: see posix_output_file.h.
#include "posix_output_file.h"

#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace worker_runtime::cli {
namespace {

/// A full disk is told as one: the exit code says so.
Error failure(const std::string& path, const char* what, int system_error) {
  const bool is_full = system_error == ENOSPC || system_error == EDQUOT || system_error == EFBIG;
  FileFields fields;
  fields.path = path;
  fields.system_error = system_error;
  return {is_full ? ErrorCode::store_full : ErrorCode::store_io,
          std::string(what) + " " + path + ": " + std::generic_category().message(system_error),
          std::move(fields)};
}

}  // namespace

void OutputFile::CloseFile::operator()(std::FILE* file) const {
  // Of a file that is given up; one that is committed was flushed and synced before.
  static_cast<void>(std::fclose(file));
}

OutputFile::OutputFile(std::string path, std::string unfinished, std::FILE* file)
    : path_(std::move(path)), unfinished_(std::move(unfinished)), file_(file) {}

OutputFile::~OutputFile() {
  if (!file_) return;
  file_.reset();
  static_cast<void>(std::remove(unfinished_.c_str()));
}

Error OutputFile::failed(const char* what, int system_error) const {
  return failure(path_, what, system_error);
}

Result<OutputFile> OutputFile::create(const std::string& path) {
  std::string unfinished = path + "." + std::to_string(::getpid()) + ".tmp";
  std::FILE* const file = std::fopen(unfinished.c_str(), "wb");
  if (file == nullptr) return failure(path, "cannot make", errno);
  return OutputFile(path, std::move(unfinished), file);
}

Result<void> OutputFile::write(std::string_view bytes) {
  bytes_ += bytes.size();
  if (std::fwrite(bytes.data(), 1, bytes.size(), file_.get()) != bytes.size())
    return failed("cannot write", errno);
  return {};
}

Result<std::uint64_t> OutputFile::commit() {
  if (std::fflush(file_.get()) != 0 || ::fsync(::fileno(file_.get())) != 0)
    return failed("cannot write", errno);
  if (std::rename(unfinished_.c_str(), path_.c_str()) != 0) return failed("cannot name", errno);
  file_.reset();
  return bytes_;
}

}  // namespace worker_runtime::cli
