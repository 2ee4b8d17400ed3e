// What no file system does in its own way: see file_system.h.
#include <algorithm>
#include <cerrno>
#include <initializer_list>
#include <string>
#include <utility>

#include "file_system.h"

namespace worker_runtime::fs_store {
namespace {

bool has_errno(const Error& error, std::initializer_list<int> numbers) {
  const auto* const fields = error.get<FileFields>();
  return fields != nullptr &&
         std::find(numbers.begin(), numbers.end(), fields->system_error) != numbers.end();
}

}  // namespace

Result<std::string> File::read(std::uint64_t offset, std::size_t count) const {
  std::string bytes(count, '\0');
  auto got = read_into(offset, bytes);
  if (!got) return std::move(got).error();
  bytes.resize(*got);
  return bytes;
}

bool is_full(const Error& error) {
  return error.code() == ErrorCode::store_io && has_errno(error, {ENOSPC, EDQUOT, EFBIG});
}
Error full_as_such(Error error) {
  if (!is_full(error)) return error;
  return {ErrorCode::store_full, "the disk is full: " + error.message(), error.fields()};
}
bool is_out_of_handles(const Error& error) {
  return error.code() == ErrorCode::store_io && has_errno(error, {EMFILE, ENFILE});
}
bool is_misplaced(const Error& error) {
  return error.code() == ErrorCode::store_io &&
         has_errno(error, {ENOTDIR, EISDIR, ELOOP, EINVAL, ENXIO});  // ENXIO: a socket
}
bool is_missing(const Error& error) {
  return error.code() == ErrorCode::store_io && has_errno(error, {ENOENT});
}

}  // namespace worker_runtime::fs_store
