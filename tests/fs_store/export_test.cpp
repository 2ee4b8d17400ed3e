// export_worker() and decode_export(): what goes out comes back, and what is damaged is told.
#include "worker_runtime/fs_store/export.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "checked_line.h"
#include "store_fixture.h"

namespace worker_runtime::fs_store {
namespace {

using worker_runtime::testing::fails_with;
using worker_runtime::testing::is_ok;

class Export : public worker_runtime::testing::StoreFixture {
 protected:
  /// The Worker "a" with entries, of which the first `trimmed` are.
  void make_store(std::uint64_t entries, std::uint64_t trimmed = 0) {
    open();
    create("a");
    send("a", entries);
    if (trimmed > 0) {
      ASSERT_TRUE(is_ok(runtime().trim_transcript({ref("a"), Sequence{trimmed + 1}})));
    }
  }

  std::vector<std::string> exported() {
    std::vector<std::string> lines;
    const auto reader = Reader::open(options_.root, options_.runtime_id);
    EXPECT_TRUE(is_ok(reader));
    const auto done = export_worker(*reader, ref("a"), [&](std::string_view line) -> Result<void> {
      lines.emplace_back(line);
      return {};
    });
    EXPECT_TRUE(is_ok(done));
    return lines;
  }
};

std::string text_of(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

/// The line with another object in it, and a checksum that fits.
std::string sealed(const std::string& line, std::string_view old, std::string_view with) {
  std::string object = "{" + line.substr(line_head_bytes);
  object.replace(object.find(old), old.size(), with);
  std::string made;
  append_checked_line(made, object);
  made.pop_back();
  return made;
}

TEST_F(Export, ComesBackAsItWas) {
  make_store(5, 2);
  const auto decoded = decode_export(text_of(exported()));
  ASSERT_TRUE(is_ok(decoded));
  EXPECT_EQ(decoded->worker_ref, ref("a"));
  EXPECT_EQ(decoded->status, WorkerStatus::running);
  EXPECT_EQ(decoded->worker.entries, all_entries(runtime(), "a"));
  EXPECT_EQ(decoded->worker.request.origin, (Origin{ref("a"), Sequence{5}}));
  ImportWorker import = decoded->worker;
  import.request.worker_id = ref("b").worker_id;
  ASSERT_TRUE(is_ok(runtime().import_worker(import)));
  const auto copied = all_entries(runtime(), "b");
  ASSERT_EQ(copied.size(), 3U);
  EXPECT_EQ(copied[0].sequence, Sequence{1});
  EXPECT_EQ(copied[0].at, decoded->worker.entries[0].at);
  close();
  expect_clean();
}

TEST_F(Export, OfAnEmptyTranscriptIsTwoLines) {
  make_store(0);
  const std::vector<std::string> lines = exported();
  EXPECT_EQ(lines.size(), 2U);
  const auto decoded = decode_export(text_of(lines));
  ASSERT_TRUE(is_ok(decoded));
  EXPECT_TRUE(decoded->worker.entries.empty());
}

TEST_F(Export, LinesThatAreMissingDoubledOrChangedAreTold) {
  make_store(3);
  const std::vector<std::string> lines = exported();
  ASSERT_EQ(lines.size(), 5U);
  for (std::size_t at = 0; at < lines.size(); ++at) {
    std::vector<std::string> bad = lines;
    bad.erase(bad.begin() + static_cast<std::ptrdiff_t>(at));
    EXPECT_TRUE(fails_with(decode_export(text_of(bad)), ErrorCode::store_corrupt)) << at;
    bad = lines;
    bad.insert(bad.begin() + static_cast<std::ptrdiff_t>(at), lines[at]);
    EXPECT_TRUE(fails_with(decode_export(text_of(bad)), ErrorCode::store_corrupt)) << at;
    bad = lines;
    bad[at][bad[at].size() / 2] ^= 1;
    const auto changed = decode_export(text_of(bad));
    ASSERT_TRUE(fails_with(changed, ErrorCode::store_corrupt)) << at;
    EXPECT_EQ(changed.error().get<FileFields>()->line, at + 1);
  }
  const std::string text = text_of(lines);
  // Without the newline of the last line it is whole.
  for (std::size_t size = 0; size + 1 < text.size(); ++size)
    EXPECT_FALSE(decode_export(std::string_view(text).substr(0, size))) << size;
  EXPECT_TRUE(decode_export(std::string_view(text).substr(0, text.size() - 1)));
}

TEST_F(Export, WhatANewerVersionWroteIsKeptOrRefused) {
  make_store(1);
  std::vector<std::string> lines = exported();
  lines[0] = sealed(lines[0], R"("create":{)", R"("later":1,"create":{"mood":"good",)");
  lines[1] = sealed(lines[1], R"("role":)", R"("mood":[1],"role":)");
  const auto decoded = decode_export(text_of(lines));
  ASSERT_TRUE(is_ok(decoded));
  ImportWorker import = decoded->worker;
  import.request.worker_id = ref("b").worker_id;
  ASSERT_TRUE(is_ok(runtime().import_worker(import)));
  close();
  open();
  EXPECT_EQ(all_entries(runtime(), "b").at(0).unknown_members.text(), R"(,"mood":[1])");
  EXPECT_EQ(runtime().worker_detail(ref("b"))->request->unknown_members.text(),
            R"(,"mood":"good")");
  lines[0] = sealed(lines[0], R"("schema_version":1)", R"("schema_version":2)");
  EXPECT_TRUE(fails_with(decode_export(text_of(lines)), ErrorCode::store_version));
}

TEST_F(Export, EndsWithTheErrorOfTheSink) {
  make_store(3);
  const auto reader = Reader::open(options_.root, options_.runtime_id);
  ASSERT_TRUE(is_ok(reader));
  for (int fails_at = 0; fails_at < 5; ++fails_at) {
    int lines = 0;
    const auto done = export_worker(*reader, ref("a"), [&](std::string_view) -> Result<void> {
      if (lines++ < fails_at) return {};
      return Error(ErrorCode::store_full, "no room");
    });
    EXPECT_TRUE(fails_with(done, ErrorCode::store_full));
    EXPECT_EQ(lines, fails_at + 1);
  }
  EXPECT_TRUE(fails_with(export_worker(*reader, ref("nobody"), {}), ErrorCode::worker_not_found));
}

}  // namespace
}  // namespace worker_runtime::fs_store
