// Atomic replace, and reading of small files: see snapshot.h.
#include "snapshot.h"

#include <utility>

#include "checked_line.h"
#include "layout.h"

namespace worker_runtime::fs_store {

std::string parent_path(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash);
}

Error corrupt(const FileSystem& file_system, const std::string& path, std::string message,
              std::optional<std::uint64_t> line, std::optional<std::uint64_t> offset,
              std::optional<std::uint64_t> next_readable) {
  FileFields fields;
  fields.path = file_system.prefix() + path;
  fields.line = line;
  fields.offset = offset;
  fields.next_readable = next_readable;
  fields.root = file_system.root();
  std::string text = fields.path;
  if (line) text += ", line " + std::to_string(*line);
  if (offset) text += ", byte " + std::to_string(*offset);
  return {ErrorCode::store_corrupt, text + ": " + std::move(message), std::move(fields)};
}

Error at_place(Error error, const FileSystem& file_system, const std::string& path,
               std::optional<std::uint64_t> line, std::optional<std::uint64_t> offset) {
  // The decoder knows no place: its errors have the fields of a file, but no path.
  const auto* const fields = error.get<FileFields>();
  const bool placed = fields != nullptr && !fields->path.empty();
  if (error.code() != ErrorCode::store_corrupt || placed) return error;
  return corrupt(file_system, path, error.message(), line, offset);
}

Result<AtomicFile> AtomicFile::create(FileSystem& file_system, std::string path) {
  std::string temporary = layout::temporary(path);
  auto file = file_system.open(temporary, OpenMode::create_new);
  if (!file) return std::move(file).error();
  return AtomicFile(file_system, std::move(path), std::move(temporary), std::move(*file));
}

AtomicFile::AtomicFile(FileSystem& file_system, std::string path, std::string temporary,
                       std::unique_ptr<File> file)
    : file_system_(&file_system),
      path_(std::move(path)),
      temporary_(std::move(temporary)),
      file_(std::move(file)) {}

AtomicFile::AtomicFile(AtomicFile&& other) noexcept
    : file_system_(other.file_system_),
      path_(std::move(other.path_)),
      temporary_(std::exchange(other.temporary_, {})),
      file_(std::move(other.file_)) {}

AtomicFile::~AtomicFile() {
  // Best effort: what stays is swept at the next open.
  if (!temporary_.empty()) static_cast<void>(file_system_->remove_file(temporary_).has_value());
}

Result<std::unique_ptr<File>> AtomicFile::commit(Durable durable) {
  if (durable == Durable::yes) {
    auto synced = file_->sync();
    if (!synced) return std::move(synced).error();
  }
  auto renamed = file_system_->rename(temporary_, path_);
  if (!renamed) return std::move(renamed).error();
  temporary_.clear();
  if (durable == Durable::yes) {
    auto synced = file_system_->sync_directory(parent_path(path_));
    if (!synced) return std::move(synced).error();
  }
  return std::move(file_);
}

Result<void> copy_bytes(const File& from, std::uint64_t begin, std::uint64_t end, File& to) {
  constexpr std::uint64_t block = std::uint64_t{1} << 20U;
  for (std::uint64_t at = begin; at < end;) {
    auto bytes = from.read(at, std::min(block, end - at));
    if (!bytes) return std::move(bytes).error();
    if (bytes->empty()) break;
    auto written = to.write(at - begin, *bytes);
    if (!written) return written;
    at += bytes->size();
  }
  return {};
}

Result<void> replace_file(FileSystem& file_system, const std::string& path, std::string_view bytes,
                          Durable durable) {
  auto attempt = AtomicFile::create(file_system, path);
  if (!attempt) return std::move(attempt).error();
  auto written = attempt->file().write(0, bytes);
  if (!written) return written;
  auto committed = attempt->commit(durable);
  if (!committed) return std::move(committed).error();
  return {};
}

Result<std::string> read_small_file(FileSystem& file_system, const std::string& path,
                                    std::uint64_t bytes_max) {
  auto file = file_system.open(path, OpenMode::read);
  if (!file) return std::move(file).error();
  auto size = (*file)->size();
  if (!size) return std::move(size).error();
  if (*size > bytes_max) return corrupt(file_system, path, "the file is longer than it can be");
  return (*file)->read(0, *size);
}

Result<void> write_snapshot(FileSystem& file_system, const std::string& path,
                            std::string_view object) {
  std::string line;
  append_checked_line(line, object);
  return replace_file(file_system, path, line, Durable::yes);
}

Result<std::string> read_snapshot(FileSystem& file_system, const std::string& path,
                                  std::uint64_t bytes_max) {
  auto bytes = read_small_file(file_system, path, bytes_max);
  if (!bytes) return bytes;
  if (bytes->empty() || bytes->back() != '\n' || bytes->find('\n') != bytes->size() - 1) {
    return corrupt(file_system, path, "the file is not one whole line", 1, 0);
  }
  bytes->pop_back();
  if (!check_line(*bytes))
    return corrupt(file_system, path, "the line does not match its checksum", 1, 0);
  return bytes;
}

}  // namespace worker_runtime::fs_store
