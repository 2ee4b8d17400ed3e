// Replays inputs: replay TARGET FILE-OR-DIRECTORY... It ends as the first broken promise does.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <vector>

#include "support/target.h"

namespace worker_runtime::fuzz {
namespace {

std::vector<std::filesystem::path> files_at(const std::filesystem::path& path) {
  if (!std::filesystem::is_directory(path)) return {path};
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(path)) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

int replay(const Target& target, const std::vector<std::filesystem::path>& paths) {
  std::size_t count = 0;
  for (const std::filesystem::path& path : paths) {
    for (const std::filesystem::path& file : files_at(path)) {
      std::ifstream in(file, std::ios::binary);
      const std::string input{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
      if (!in) {
        std::cerr << "cannot read " << file << '\n';
        return 2;
      }
      std::cerr << file.filename().string() << std::endl;
      target.run(input);
      ++count;
    }
  }
  std::cerr << count << " inputs" << std::endl;
  // A corpus that is not found would prove nothing.
  return count == 0 ? 2 : 0;
}

}  // namespace
}  // namespace worker_runtime::fuzz

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv, argv + argc);
  for (auto target = worker_runtime::fuzz::Target::first(); target != nullptr;
       target = target->next()) {
    if (argc > 2 && target->name() == arguments[1])
      return worker_runtime::fuzz::replay(*target, {arguments.begin() + 2, arguments.end()});
  }
  std::cerr << "usage: replay TARGET FILE-OR-DIRECTORY...\n";
  return 2;
}
