// export and import: one Worker as a portable file, and back.
#include <algorithm>
#include <memory>
#include <optional>
#include <string>

#include "arguments.h"
#include "command.h"
#include "mutation.h"
#include "output.h"
#include "posix_input_file.h"
#include "posix_output_file.h"
#include "progress.h"
#include "worker_runtime/fs_store/export.h"

namespace worker_runtime::cli {
namespace {

// ---- export

struct ExportArguments {
  std::string worker;
  std::string file;
  bool markdown = false;
};

/// Text between fences that it does not close.
std::string fenced(const std::string& text) {
  std::size_t longest = 2;
  std::size_t run = 0;
  for (const char character : text) {
    run = character == '`' ? run + 1 : 0;
    longest = std::max(longest, run);
  }
  const std::string fence(longest + 1, '`');
  return fence + "\n" + text + "\n" + fence + "\n";
}

std::string markdown_of(const TranscriptEntry& entry) {
  std::string text =
      "## " + std::to_string(entry.sequence.value) + " " + std::string(to_string(entry.role));
  if (entry.name) text += " (" + printable(*entry.name) + ")";
  text += ", " + to_string(entry.at) + "\n\n";
  // What tools say is data, the rest is written to be read.
  if (entry.redacted > 0) return text + redaction_of(entry) + "\n";
  text += entry.role == Role::tool ? fenced(entry.content) : entry.content + "\n";
  if (entry.data) text += "\n" + fenced(*entry.data);
  return text;  // and the newline of every line makes the blank one behind it
}

/// The same history for people.
Result<void> write_markdown(const fs_store::Reader& reader, const WorkerRef& worker_ref,
                            const fs_store::LineSink& sink) {
  auto detail = reader.worker_detail(worker_ref);
  if (!detail) return std::move(detail).error();
  const WorkerSummary& summary = detail->summary;
  const std::string& id = worker_ref.worker_id.text();
  auto written = sink("# " + printable(summary.display_name.value_or(id)) + "\n\nWorker " +
                      printable(id) + " of runtime " + printable(worker_ref.runtime_id.text()) +
                      ", " + std::string(to_string(summary.status)) + ", created " +
                      to_string(summary.created_at) + "\n");
  if (!written) return written;
  fs_store::LineDecoder decoder;
  Result<void> taken;
  auto visited = reader.visit_transcript(
      worker_ref, std::nullopt, [&](std::uint64_t /*number*/, std::string_view line) {
        auto entry = decoder.entry(line);
        taken = entry ? sink(markdown_of(*entry)) : Result<void>(std::move(entry).error());
        return taken.has_value();
      });
  return taken ? visited : taken;
}

Result<void> write_export(const Options& options, const ExportArguments& arguments,
                          const fs_store::LineSink& to) {
  auto reader = open_for_reading(options);
  if (!reader) return std::move(reader).error();
  auto worker_ref = worker_ref_in(*reader, arguments.worker);
  if (!worker_ref) return std::move(worker_ref).error();
  std::uint64_t written = 0;
  Progress progress(
      "wrote",
      [&]() -> std::uint64_t {
        const auto detail = reader->worker_detail(*worker_ref);
        return detail ? detail->summary.transcript_len : 0;
      },
      ProgressUnit::entries);
  // A line before the entries, and of people's text one an entry.
  const auto sink = [&](std::string_view text) {
    progress.show(written++);
    return to(text);
  };
  return arguments.markdown ? write_markdown(*reader, *worker_ref, sink)
                            : fs_store::export_worker(*reader, *worker_ref, sink);
}

Exit export_to_file(const Options& options, const ExportArguments& arguments) {
  auto file = OutputFile::create(arguments.file);
  if (!file) return report(options, file.error());
  auto written = write_export(options, arguments, [&](std::string_view line) {
    auto done = file->write(line);
    return done ? file->write("\n") : done;
  });
  if (!written) return report(options, written.error());
  auto bytes = file->commit();
  if (!bytes) return report(options, bytes.error());
  Output output;
  if (!options.json) {
    output.line("exported worker " + printable(arguments.worker) + " to " +
                printable(arguments.file) + " (" + std::to_string(*bytes) + " bytes)");
  }
  return output.finish(Exit::done);
}

Exit run_export(const Options& options, const ExportArguments& arguments) {
  if (!arguments.file.empty()) return export_to_file(options, arguments);
  Output output;
  auto written = write_export(options, arguments, [&](std::string_view line) -> Result<void> {
    output.line(line);
    return {};
  });
  const Exit exit = output.finish(Exit::done);
  return written ? exit : report(options, written.error());
}

// ---- import

struct ImportArguments {
  std::string file;
  std::string as;
  std::optional<std::string> key;
};

/// More than any Runtime takes at once.
constexpr std::size_t export_bytes_max = std::size_t{1} << 30U;

/// For a host, and read for a runtime of our own: a file that is damaged opens, makes and asks
/// none.
struct Import {
  fs_store::HostRequest request;
  fs_store::ExportedWorker exported;
};

Result<Import> make_import(const ImportArguments& arguments) {
  auto text = arguments.file == "-" ? read_standard_input(export_bytes_max)
                                    : read_whole_file(arguments.file, export_bytes_max);
  if (!text) return std::move(text).error();
  if (text->size() > export_bytes_max) {
    return Error(ErrorCode::invalid_request,
                 arguments.file + " has more than " + std::to_string(export_bytes_max) + " bytes");
  }
  fs_store::ImportExport request{*std::move(text), {}, arguments.key};
  if (!arguments.as.empty()) {
    auto worker_id = WorkerId::parse(arguments.as);
    if (!worker_id) return std::move(worker_id).error();
    request.worker_id = std::move(*worker_id);
  }
  auto exported = fs_store::decode_export(request);
  if (!exported && exported.error().code() == ErrorCode::invalid_request)
    return Error(ErrorCode::invalid_request, arguments.file + ": " + exported.error().message());
  if (!exported) return std::move(exported).error();
  return Import{std::move(request), *std::move(exported)};
}

Exit run_import(const Options& options, const ImportArguments& arguments) {
  auto import = make_import(arguments);
  if (!import) return report(options, import.error());
  const auto said = [](const Answer& answer) {
    const WorkerSummary& made = std::get<WorkerDetail>(answer).summary;
    return "imported worker " + printable(made.worker_ref.worker_id.text()) + " with " +
           counted(made.transcript_len, "entry", "entries") + ", " +
           std::string(to_string(made.status)) + " (event " +
           std::to_string(made.last_event_id.value) + ")";
  };
  return run_operation(
      options, Create::yes, import->request,
      [&](Runtime& runtime, const RuntimeId&) -> Result<Answer> {
        auto imported = fs_store::import_exported(runtime, std::move(import->exported));
        if (!imported) return std::move(imported).error();
        return Answer(*std::move(imported));
      },
      said);
}

}  // namespace

void add_export(Command app, Options& options, Run& run) {
  auto exporting = std::make_shared<ExportArguments>();
  const Command exported =
      app.add_command("export", "write one worker as a portable file, or for reading");
  add_worker(exported, exporting->worker);
  exported.add_option("-o,--output", exporting->file, "the file to write [standard output]")
      .value_name("FILE")
      .check(check_not_empty);
  exported.add_flag("--markdown", exporting->markdown,
                    "Markdown to be read by people; import does not take it");
  exported.callback([&options, &run, exporting] {
    run = [&options, exporting] { return run_export(options, *exporting); };
  });

  auto importing = std::make_shared<ImportArguments>();
  const Command imported =
      app.add_command("import", "make a worker of an exported file (and the runtime, if none)");
  add_writer_options(imported, options);
  imported.add_option("FILE", importing->file, "what export wrote; - reads standard input")
      .value_name("")
      .required();
  imported.add_option("--as", importing->as, "the worker's id [the one it had]")
      .value_name("ID")
      .check(check_not_empty);
  add_key(imported, importing->key);
  imported.callback([&options, &run, importing] {
    run = [&options, importing] { return run_import(options, *importing); };
  });
}

}  // namespace worker_runtime::cli
