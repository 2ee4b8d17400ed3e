// The list of damages: see damages.h.
#include "damages.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "checked_line.h"

namespace worker_runtime::testing {

namespace {

constexpr std::string_view runtime_directory = "runtimes/main/";

std::string text_of(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line;
  return text;
}

bool is_catalog(std::string_view path) { return path.find("/catalog.") != std::string_view::npos; }
bool is_segment(std::string_view path) { return path.find("/journal/") != std::string_view::npos; }

std::string at_line(const std::string& path, std::size_t index) {
  return path + ", line " + std::to_string(index + 1);
}

/// The lines of a file that hold something: a segment of a killed writer ends in filler.
std::vector<std::string> full_lines(const std::string& content) {
  std::vector<std::string> lines = lines_of(content);
  while (!lines.empty() && lines.back() == "\n") lines.pop_back();
  return lines;
}

/// Calls `change` with every line of every file, and takes what it adds.
template <typename Change>
std::vector<Damage> at_each_line(const OriginalStore& store, const Change& change) {
  std::vector<Damage> damages;
  for (const std::string& path : store.line_files()) {
    const std::vector<std::string> lines = full_lines(store.files.at(path));
    for (std::size_t index = 0; index < lines.size(); ++index) change(path, lines, index, damages);
  }
  return damages;
}

std::vector<Damage> removed_files(const OriginalStore& store) {
  std::vector<Damage> damages;
  const std::vector<std::string> line_files = store.line_files();
  for (const auto& [path, content] : store.files) {
    const bool counts = std::find(line_files.begin(), line_files.end(), path) != line_files.end();
    damages.push_back(
        {path + " removed", {{path, Stands::nothing}}, counts ? Verdict::named : Verdict::judged});
  }
  return damages;
}

std::vector<Damage> cut_files(const OriginalStore& store) {
  std::vector<Damage> damages;
  for (const std::string& path : store.line_files()) {
    const std::string& whole = store.files.at(path);
    const std::size_t end = text_of(full_lines(whole)).size();
    for (std::size_t length = 0; length < end; ++length) {
      damages.push_back({path + " cut at " + std::to_string(length),
                         {{path, Stands::file, whole.substr(0, length)}}});
      // The last byte is that of a line which is bad for it. (Where a line ends, it is the next
      // that is missing, and what names it depends on the file.)
      if (length > 0 && whole[length - 1] != '\n')
        damages.back().line =
            1 +
            std::count(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length), '\n');
    }
  }
  return damages;
}

std::vector<Damage> lost_lines(const OriginalStore& store) {
  return at_each_line(store, [](const std::string& path, std::vector<std::string> lines,
                                std::size_t index, std::vector<Damage>& damages) {
    lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(index));
    damages.push_back({at_line(path, index) + " lost", {{path, Stands::file, text_of(lines)}}});
  });
}

/// As an editor leaves them: what stands behind is moved.
std::vector<Damage> edited_lines(const OriginalStore& store) {
  return at_each_line(store, [](const std::string& path, const std::vector<std::string>& lines,
                                std::size_t index, std::vector<Damage>& damages) {
    const std::size_t middle = lines[index].size() / 2;
    for (const bool longer : {true, false}) {
      std::vector<std::string> edited = lines;
      if (longer) {
        edited[index].insert(middle, " by hand");
      } else {
        edited[index].erase(middle, 1);
      }
      damages.push_back({at_line(path, index) + (longer ? " made longer" : " made shorter"),
                         {{path, Stands::file, text_of(edited)}},
                         Verdict::named,
                         index + 1});
    }
  });
}

std::vector<Damage> doubled_lines(const OriginalStore& store) {
  return at_each_line(store, [](const std::string& path, std::vector<std::string> lines,
                                std::size_t index, std::vector<Damage>& damages) {
    // What lies behind the catalog's watermark is of a checkpoint that was not finished; a record
    // behind the last proof of the journal, of a group that was not.
    const bool at_end = index + 1 == lines.size() && (is_catalog(path) || is_segment(path));
    lines.insert(lines.begin() + static_cast<std::ptrdiff_t>(index), lines[index]);
    damages.push_back({at_line(path, index) + " doubled",
                       {{path, Stands::file, text_of(lines)}},
                       at_end && index > 0 ? Verdict::judged : Verdict::named});
  });
}

std::vector<Damage> moved_lines(const OriginalStore& store) {
  return at_each_line(store, [](const std::string& path, const std::vector<std::string>& lines,
                                std::size_t index, std::vector<Damage>& damages) {
    for (std::size_t target = 0; target < lines.size(); ++target) {
      // One line down is the next one up.
      if (target == index || target == index + 1) continue;
      std::vector<std::string> moved = lines;
      moved.erase(moved.begin() + static_cast<std::ptrdiff_t>(index));
      moved.insert(moved.begin() + static_cast<std::ptrdiff_t>(target), lines[index]);
      if (moved == lines) continue;
      // The catalog is no log: of each Worker's lines the last wins, whatever stands between.
      const bool matters = !is_catalog(path) || index == 0 || target == 0;
      damages.push_back({at_line(path, index) + " moved to " + std::to_string(target + 1),
                         {{path, Stands::file, text_of(moved)}},
                         matters ? Verdict::named : Verdict::judged});
    }
  });
}

Damage replaced_line(const std::string& path, std::vector<std::string> lines, std::size_t index,
                     std::string line, const std::string& from) {
  lines[index] = std::move(line);
  return {at_line(path, index) + " from " + from, {{path, Stands::file, text_of(lines)}}};
}

std::vector<Damage> lines_of_other_files(const OriginalStore& store) {
  return at_each_line(
      store, [&store](const std::string& path, const std::vector<std::string>& lines,
                      std::size_t index, std::vector<Damage>& damages) {
        for (const std::string& other : store.line_files()) {
          const std::vector<std::string> foreign = full_lines(store.files.at(other));
          if (other == path || foreign.empty()) continue;
          const std::string& line = foreign[std::min(index, foreign.size() - 1)];
          // The catalog and worker.json have the same lines.
          if (line == lines[index]) continue;
          damages.push_back(replaced_line(path, lines, index, line, other));
          // The place of a line of the catalog that is not in force is as good as any.
          if (is_catalog(path) && index > 0) damages.back().verdict = Verdict::judged;
        }
      });
}

std::vector<Damage> lines_of_another_runtime(const OriginalStore& store) {
  return at_each_line(
      store, [&store](const std::string& path, const std::vector<std::string>& lines,
                      std::size_t index, std::vector<Damage>& damages) {
        const auto twin = store.of_another_runtime.find(path);
        if (twin == store.of_another_runtime.end()) return;
        const std::vector<std::string> foreign = full_lines(twin->second);
        // A record of the journal names its runtime in its segment's header alone; the checksum of
        // the record before tells it from one of another runtime, but for the first.
        if (index < foreign.size() && foreign[index] != lines[index])
          damages.push_back(replaced_line(path, lines, index, foreign[index], "another runtime"));
      });
}

/// A line that checks, but holds a value within values, a hundred thousand deep.
std::vector<Damage> nested_lines(const OriginalStore& store) {
  constexpr std::size_t depth = 100'000;
  std::vector<Damage> damages =
      at_each_line(store, [](const std::string& path, const std::vector<std::string>& lines,
                             std::size_t index, std::vector<Damage>& found) {
        const std::string& line = lines[index];
        if (line.size() <= fs_store::line_head_bytes + 2) return;
        for (const std::string_view value : {"[", R"({"a":)"}) {
          std::string object = "{" + line.substr(fs_store::line_head_bytes,
                                                 line.size() - fs_store::line_head_bytes - 2);
          object += R"(,"nested":)";
          for (std::size_t level = 0; level < depth; ++level) object += value;
          if (value != "[") object += "0";
          object.append(depth, value == "[" ? ']' : '}');
          object += "}";
          std::string nested;
          fs_store::append_checked_line(nested, object);
          found.push_back(replaced_line(path, lines, index, nested, "deep below"));
          // A member that nobody knows is passed over in a log.
          found.back().verdict = Verdict::judged;
          found.back().looks_newer = is_segment(path);
        }
      });
  return damages;
}

std::vector<Damage> foreign_content(const OriginalStore& store) {
  const std::vector<std::pair<std::string, std::string>> contents = {
      {"empty", ""},
      {"a newline", "\n"},
      {"many newlines", std::string(5000, '\n')},
      {"NULs", std::string(5000, '\0')},
      {"bytes FF", std::string(5000, '\xff')},
      {"prose", "Not a store\nat all\n"},
      {"an empty object", "{}\n"},
      {"an object without checksum", "{\"id\":1,\"sequence\":1,\"lsn\":1}\n"},
      {"a checksum alone", "{\"crc\":\"00000000\",\n"},
      {"a byte order mark", "\xef\xbb\xbf{}\n"},
      {"a line of a megabyte", std::string(std::size_t{1} << 20U, 'x')},
  };
  const std::vector<std::string> line_files = store.line_files();
  std::vector<Damage> damages;
  for (const auto& [path, whole] : store.files) {
    const bool counts = std::find(line_files.begin(), line_files.end(), path) != line_files.end();
    for (const auto& [name, content] : contents) {
      if (content == whole) continue;
      damages.push_back({path + " is " + name,
                         {{path, Stands::file, content}},
                         counts ? Verdict::named : Verdict::judged});
    }
  }
  return damages;
}

std::vector<Damage> exchanged_files(const OriginalStore& store) {
  std::vector<Damage> damages;
  const std::vector<std::string> paths = store.line_files();
  for (std::size_t one = 0; one < paths.size(); ++one) {
    for (std::size_t other = one + 1; other < paths.size(); ++other) {
      const std::string& first = store.files.at(paths[one]);
      const std::string& second = store.files.at(paths[other]);
      if (first == second) continue;
      damages.push_back(
          {paths[one] + " and " + paths[other] + " exchanged",
           {{paths[one], Stands::file, second}, {paths[other], Stands::file, first}}});
    }
  }
  return damages;
}

std::vector<Damage> copied_files(const OriginalStore& store) {
  std::vector<Damage> damages;
  for (const std::string& path : store.line_files()) {
    for (const std::string& other : store.line_files()) {
      if (store.files.at(path) == store.files.at(other)) continue;
      damages.push_back(
          {path + " is a copy of " + other, {{path, Stands::file, store.files.at(other)}}});
    }
  }
  return damages;
}

std::vector<Damage> files_of_another_runtime(const OriginalStore& store) {
  std::vector<Damage> damages;
  for (const std::string& path : store.line_files()) {
    const auto twin = store.of_another_runtime.find(path);
    if (twin == store.of_another_runtime.end() || twin->second == store.files.at(path)) continue;
    damages.push_back({path + " of another runtime", {{path, Stands::file, twin->second}}});
  }
  return damages;
}

/// Names of a second file of the same sort: such as the store itself gives, and others.
std::vector<std::string> second_names(const std::string& path) {
  const std::size_t slash = path.rfind('/') + 1;
  const std::string directory = path.substr(0, slash);
  const std::string name = path.substr(slash);
  const std::string stem = name.substr(0, name.find('.'));
  std::vector<std::string> names = {name + ".bak", name + ".0123456789abcdef.tmp",
                                    "copy of " + name};
  const bool is_numbered =
      is_segment(path) || stem == "catalog" || stem == "events" || stem == "transcript";
  if (is_numbered) {
    const std::string prefix = is_segment(path) ? "" : stem + ".";
    for (const char* const number :
         {"0000000000000000", "0000000000000001", "0000000000000002", "0000000000000003",
          "0000000000000005", "0000000000000008", "00000000000000ff", "ffffffffffffffff", "1",
          "00000000000000FF"}) {
      names.push_back(prefix + number + ".jsonl");
    }
  }
  for (std::string& each : names) each = directory + each;
  return names;
}

std::vector<Damage> files_twice(const OriginalStore& store) {
  std::vector<Damage> damages;
  for (const std::string& path : store.line_files()) {
    for (const std::string& name : second_names(path)) {
      if (store.files.contains(name)) continue;
      damages.push_back({name + " is a copy of " + path,
                         {{name, Stands::file, store.files.at(path)}},
                         Verdict::judged});
    }
  }
  for (const std::string worker : {"d", "%zz", "a.bak", "%61", ".a"}) {
    Damage copy{"workers/" + worker + " is a copy of workers/a", {}, Verdict::judged};
    const std::string from = std::string(runtime_directory) + "workers/a/";
    for (const auto& [path, content] : store.files) {
      if (path.starts_with(from))
        copy.changes.push_back(
            {std::string(runtime_directory) + "workers/" + worker + "/" + path.substr(from.size()),
             Stands::file, content});
    }
    damages.push_back(std::move(copy));
  }
  return damages;
}

/// Whatever is not a file, in the place of each.
std::vector<Damage> files_of_another_kind(const OriginalStore& store) {
  std::vector<Damage> damages;
  const std::vector<std::string> line_files = store.line_files();
  for (const auto& [path, content] : store.files) {
    const bool is_lock = path.ends_with("/lock");
    if (is_lock) continue;  // nobody gets past that: OddPlacesTest
    const std::string name = path.substr(path.rfind('/') + 1);
    const std::string aside = path + ".aside";
    damages.push_back({path + " is a directory", {{path, Stands::directory}}});
    damages.push_back(
        {path + " is a directory with a file in it", {{path + "/within", Stands::file, "x"}}});
    damages.push_back({path + " is a link to nowhere", {{path, Stands::link, "nowhere"}}});
    damages.push_back({path + " is a link to itself", {{path, Stands::link, name}}});
    damages.push_back({path + " is a link to what it was",
                       {{path, Stands::link, name + ".aside"}, {aside, Stands::file, content}}});
    damages.push_back({path + " is a FIFO", {{path, Stands::fifo}}});
    damages.push_back({path + " is a socket", {{path, Stands::socket}}});
  }
  return damages;
}

/// Whatever is not a directory, in the place of each.
std::vector<Damage> directories_of_another_kind(const OriginalStore& /*store*/) {
  std::vector<Damage> damages;
  for (const char* const name : {"journal", "workers", "workers/a"}) {
    const std::string path = std::string(runtime_directory) + name;
    damages.push_back({path + " removed", {{path, Stands::nothing}}});
    damages.push_back({path + " is empty", {{path, Stands::directory}}});
    damages.push_back({path + " is a file", {{path, Stands::file, "x"}}});
    damages.push_back({path + " is a link", {{path, Stands::link, "../.."}}});
    damages.push_back({path + " is a FIFO", {{path, Stands::fifo}}});
    damages.push_back({path + " is a socket", {{path, Stands::socket}}});
  }
  const std::string quarantine = std::string(runtime_directory) + "quarantine";
  damages.push_back({"quarantine is a file", {{quarantine, Stands::file, "x"}}});
  damages.push_back({"quarantine is a link", {{quarantine, Stands::link, ".."}}});
  damages.push_back({"quarantine is a FIFO", {{quarantine, Stands::fifo}}});
  return damages;
}

std::vector<Damage> foreign_entries(const OriginalStore& /*store*/) {
  const std::vector<Change> entries = {
      {"README.txt", Stands::file, "not of the store\n"},
      {".hidden", Stands::file, "x"},
      {"-", Stands::file, ""},
      {"foreign.json", Stands::file, "{}"},
      {"foreign.jsonl", Stands::file, "{}\n"},
      {"0.jsonl", Stands::file, "{}\n"},
      {"catalog.jsonl", Stands::file, "{}\n"},
      {"\xff\xfe", Stands::file, "no UTF-8\n"},
      {"new\nline", Stands::file, "x"},
      {std::string(255, 'n'), Stands::file, "x"},
      {"directory.d", Stands::directory},
      {"deep.d/within/it", Stands::file, "x"},
      {"link", Stands::link, "/"},
      {"link.to.nowhere", Stands::link, "nowhere"},
      {"fifo", Stands::fifo},
      {"socket", Stands::socket},
  };
  std::vector<Damage> damages;
  for (const std::string level : {"", "runtimes/", "runtimes/main/", "runtimes/main/journal/",
                                  "runtimes/main/workers/", "runtimes/main/workers/a/"}) {
    for (const Change& entry : entries) {
      damages.push_back({level + entry.path + " is foreign",
                         {{level + entry.path, entry.stands, entry.content}},
                         Verdict::harmless});
    }
  }
  return damages;
}

}  // namespace

const std::vector<DamageKind>& damage_kinds() {
  static const std::vector<DamageKind> kinds = {
      {"RemovedFiles", removed_files},
      {"CutFiles", cut_files},
      {"LostLines", lost_lines},
      {"EditedLines", edited_lines},
      {"DoubledLines", doubled_lines},
      {"MovedLines", moved_lines},
      {"LinesOfOtherFiles", lines_of_other_files},
      {"LinesOfAnotherRuntime", lines_of_another_runtime},
      {"NestedLines", nested_lines},
      {"ForeignContent", foreign_content},
      {"ExchangedFiles", exchanged_files},
      {"CopiedFiles", copied_files},
      {"FilesOfAnotherRuntime", files_of_another_runtime},
      {"FilesTwice", files_twice},
      {"FilesOfAnotherKind", files_of_another_kind},
      {"DirectoriesOfAnotherKind", directories_of_another_kind},
      {"ForeignEntries", foreign_entries},
  };
  return kinds;
}

std::vector<Damage> flipped_bits(const OriginalStore& store, const std::string& path) {
  const std::string& whole = store.files.at(path);
  const std::size_t end = text_of(full_lines(whole)).size();
  std::vector<Damage> damages;
  std::uint64_t line = 1;
  for (std::size_t at = 0; at < end; ++at) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      std::string flipped = whole;
      flipped[at] = static_cast<char>(static_cast<unsigned char>(flipped[at]) ^ (1U << bit));
      damages.push_back({path + ", bit " + std::to_string(bit) + " of byte " + std::to_string(at),
                         {{path, Stands::file, std::move(flipped)}},
                         Verdict::named,
                         line});
    }
    if (whole[at] == '\n') ++line;
  }
  return damages;
}

}  // namespace worker_runtime::testing
