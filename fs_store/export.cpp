// Exports of Workers: see worker_runtime/fs_store/export.h and docs/FORMAT.md.
#include "worker_runtime/fs_store/export.h"

#include <array>
#include <optional>
#include <string>
#include <utility>

#include "checked_line.h"
#include "codec.h"
#include "codec_members.h"

namespace worker_runtime::fs_store {
namespace {

constexpr std::string_view header_kind = "worker_export";
constexpr std::string_view end_kind = "worker_export_end";

/// The first line.
struct ExportHeader {
  WorkerRef worker_ref;
  WorkerStatus status = WorkerStatus::running;
  Timestamp exported_at;
  Sequence first_sequence{1};
  Sequence last_sequence;
  CreateRequest create;
};

// ---- writing

Result<void> hand_on(const LineSink& sink, std::string_view object) {
  std::string line;
  append_checked_line(line, object);
  line.pop_back();
  return sink(line);
}

std::string header_object(const ExportHeader& header) {
  std::string object;
  JsonWriter writer(object);
  writer.begin_object();
  writer.plain_member("kind", header_kind);
  writer.member("schema_version", schema_version);
  writer.name("worker_ref");
  write_worker_ref(writer, header.worker_ref);
  writer.plain_member("status", to_string(header.status));
  writer.member("exported_at", header.exported_at);
  writer.member("first_sequence", header.first_sequence);
  writer.member("last_sequence", header.last_sequence);
  writer.name("create");
  write_create_request(writer, header.create);
  writer.end_object();
  return object;
}

std::string end_object(std::uint64_t entries) {
  std::string object;
  JsonWriter writer(object);
  writer.begin_object();
  writer.plain_member("kind", end_kind);
  writer.member("entries", entries);
  writer.end_object();
  return object;
}

/// The entries first..last, which are there: what is trimmed meanwhile is `cursor_expired`.
Result<void> hand_on_entries(const Reader& reader, const ExportHeader& header,
                             const LineSink& sink) {
  std::uint64_t next = header.first_sequence.value;
  if (next > header.last_sequence.value) return {};
  Result<void> taken;
  auto visited = reader.visit_transcript(header.worker_ref, next - 1,
                                         [&](std::uint64_t number, std::string_view line) {
                                           next = number + 1;
                                           taken = sink(line);
                                           return taken && number < header.last_sequence.value;
                                         });
  if (!taken) return taken;
  if (!visited) return visited;
  if (next == header.last_sequence.value + 1) return {};
  return Error(ErrorCode::worker_not_found, "worker " + header.worker_ref.worker_id.text() +
                                                " was deleted while it was exported");
}

// ---- reading

bool read_header(JsonReader& reader, ExportHeader& header) {
  enum : std::size_t { kind, version, worker_ref, status, exported_at, first, last, create };
  static constexpr std::array<std::string_view, 8> names{
      "kind",        "schema_version", "worker_ref",    "status",
      "exported_at", "first_sequence", "last_sequence", "create"};
  std::string_view kind_text;
  ObjectReader object(reader, names, Unknown::skip);
  object.open();
  while (object.next()) {
    JsonValue content = object.value();
    switch (object.member()) {
      case kind:
        if (object.read(kind_text) && kind_text != header_kind) return reader.fail("no export");
        break;
      case version:
        read_schema_version(object, reader);
        break;
      case worker_ref:
        read_worker_ref(reader, content, header.worker_ref, Unknown::skip);
        break;
      case status:
        read_enum(object, reader, parse_worker_status, header.status);
        break;
      case exported_at:
        object.read(header.exported_at);
        break;
      case first:
        object.read(header.first_sequence);
        break;
      case last:
        object.read(header.last_sequence);
        break;
      default:
        read_create_request(reader, &content, Unknown::keep, Unknown::newer, header.create);
    }
  }
  return object.complete(
      mask_of(kind, version, worker_ref, status, exported_at, first, last, create));
}

bool read_end(JsonReader& reader, std::uint64_t& entries) {
  static constexpr std::array<std::string_view, 2> names{"kind", "entries"};
  std::string_view kind_text;
  ObjectReader object(reader, names, Unknown::skip);
  object.open();
  while (object.next()) {
    if (object.member() == 1) {
      object.read(entries);
    } else if (object.read(kind_text) && kind_text != end_kind) {
      return reader.fail("neither an entry nor the end of an export");
    }
  }
  return object.complete(mask_of(0, 1));
}

/// Takes the lines of an export one by one.
class ExportDecoder {
 public:
  Result<void> take(std::string_view line) {
    if (is_complete_) return damaged("a line behind the end of the export");
    if (!check_line(line)) return damaged("the checksum does not match");
    return has_header_ ? take_entry(line) : take_header(line);
  }

  Result<ExportedWorker> finish() {
    if (!is_complete_)
      return Error(ErrorCode::store_corrupt, "the export is cut off: it has no last line");
    exported_.worker_ref = header_.worker_ref;
    exported_.status = header_.status;
    exported_.exported_at = header_.exported_at;
    CreateRequest& request = exported_.worker.request;
    request = std::move(header_.create);
    request.worker_id = header_.worker_ref.worker_id;
    request.idempotency_key.reset();
    request.origin = Origin{header_.worker_ref, header_.last_sequence};
    return std::move(exported_);
  }

 private:
  static Error damaged(std::string message) {
    return {ErrorCode::store_corrupt, std::move(message)};
  }

  Result<void> take_header(std::string_view line) {
    if (!reader_.start_line(line) || !read_header(reader_, header_) || !reader_.finish())
      return decode_error(reader_);
    const std::uint64_t first = header_.first_sequence.value;
    if (first == 0 || first > header_.last_sequence.value + 1)
      return damaged("the numbers of the entries don't fit together");
    has_header_ = true;
    next_ = first;
    return {};
  }

  Result<void> take_entry(std::string_view line) {
    if (next_ > header_.last_sequence.value) return take_end(line);
    auto entry = decoder_.entry(line);
    if (!entry) return std::move(entry).error();
    if (entry->sequence.value != next_ || entry->worker_ref != header_.worker_ref) {
      return damaged("it is not entry " + std::to_string(next_) + " of worker " +
                     header_.worker_ref.worker_id.text());
    }
    ++next_;
    exported_.worker.entries.push_back(*std::move(entry));
    return {};
  }

  Result<void> take_end(std::string_view line) {
    std::uint64_t entries = 0;
    if (!reader_.start_line(line) || !read_end(reader_, entries) || !reader_.finish())
      return decode_error(reader_);
    if (entries != exported_.worker.entries.size())
      return damaged("the export counts " + std::to_string(entries) + " entries");
    is_complete_ = true;
    return {};
  }

  JsonReader reader_;
  Decoder decoder_;
  ExportHeader header_;
  ExportedWorker exported_;
  std::uint64_t next_ = 1;
  bool has_header_ = false;
  bool is_complete_ = false;
};

Error at_line(const Error& error, std::uint64_t number) {
  FileFields fields;
  fields.line = number;
  return {error.code(), "line " + std::to_string(number) + " of the export: " + error.message(),
          std::move(fields)};
}

}  // namespace

Result<void> export_worker(const Reader& reader, const WorkerRef& worker_ref,
                           const LineSink& sink) {
  auto detail = reader.worker_detail(worker_ref);
  if (!detail) return std::move(detail).error();
  if (!detail->request) {
    return Error(ErrorCode::worker_damaged,
                 "worker " + worker_ref.worker_id.text() +
                     " is damaged: " + detail->summary.damaged.value_or("its request is lost"));
  }
  ExportHeader header;
  header.worker_ref = worker_ref;
  header.status = detail->summary.status;
  header.exported_at = system_clock()();
  header.first_sequence = detail->summary.first_sequence;
  header.last_sequence = Sequence{detail->summary.transcript_len};
  header.create = *std::move(detail->request);
  auto handed = hand_on(sink, header_object(header));
  if (handed) handed = hand_on_entries(reader, header, sink);
  if (!handed) return handed;
  return hand_on(sink, end_object(header.last_sequence.value + 1 - header.first_sequence.value));
}

Result<ExportedWorker> decode_export(std::string_view text) {
  ExportDecoder decoder;
  for (std::uint64_t number = 1; !text.empty(); ++number) {
    const std::size_t end = text.find('\n');
    auto taken = decoder.take(text.substr(0, end));
    if (!taken) return at_line(taken.error(), number);
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return decoder.finish();
}

Result<ExportedWorker> decode_export(const ImportExport& request) {
  auto exported = decode_export(request.exported);
  if (!exported && exported.error().code() == ErrorCode::store_corrupt)
    return Error(ErrorCode::invalid_request, exported.error().message());
  if (!exported) return exported;
  CreateRequest& create = exported->worker.request;
  if (request.worker_id) create.worker_id = request.worker_id;
  create.idempotency_key = request.idempotency_key;
  return exported;
}

Result<WorkerDetail> import_exported(Runtime& runtime, ExportedWorker exported) {
  auto summary = runtime.summary();
  if (!summary) return std::move(summary).error();
  const WorkerRef worker_ref{summary->runtime_id, *exported.worker.request.worker_id};
  std::vector<Mutation> unit;
  unit.emplace_back(std::move(exported.worker));
  if (exported.status == WorkerStatus::stopped) unit.emplace_back(StopWorker{worker_ref, {}});
  if (exported.status == WorkerStatus::cancelled) unit.emplace_back(CancelWorker{worker_ref, {}});
  auto answers = runtime.batch(std::move(unit));
  if (!answers) return std::move(answers).error();
  return runtime.worker_detail(std::get<WorkerDetail>(answers->front()).summary.worker_ref);
}

}  // namespace worker_runtime::fs_store
