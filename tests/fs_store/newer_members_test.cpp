// Members of a newer version, in every object of runtime.json and of the catalog: they outlive
// everything that an older version does to the store.
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "checked_line.h"
#include "codec.h"
#include "store_fixture.h"
#include "worker_runtime/fs_store/repair.h"

namespace worker_runtime::fs_store {
namespace {

using testing::input;
using testing::is_ok;

class NewerMembers : public testing::StoreFixture {
 protected:
  /// One that says where it was put.
  static std::string member(std::string_view place) {
    return R"(,"later":{"in":")" + std::string(place) + R"(","list":[1,{}]})";
  }
  [[nodiscard]] std::string line_of_runtime() const {
    const std::string line = read("runtime.json");
    return line.substr(0, line.size() - 1);
  }
  [[nodiscard]] std::string catalog_path() const {
    return layout::catalog(Decoder().runtime_snapshot(line_of_runtime())->catalog.lsn);
  }
  /// The last line of the catalog that is about the Worker.
  [[nodiscard]] std::string line_of(std::string_view id) const {
    const std::string catalog = read(catalog_path());
    const std::size_t at = catalog.rfind("\"worker_id\":\"" + std::string(id) + "\",\"status");
    const std::size_t start = catalog.rfind('\n', at) + 1;
    return catalog.substr(start, catalog.find('\n', at) - start);
  }

  /// The line of an event with a kind and a member that this version does not know.
  static std::string newer_event(const std::string& line) {
    std::string object = "{" + line.substr(18, line.size() - 20) + member("event") + "}";
    const std::string kind = "\"kind\":\"worker_created\"";
    object.replace(object.find(kind), kind.size(), "\"kind\":\"worker_dreamt\"");
    std::string newer;
    append_checked_line(newer, object);
    return newer;
  }

  /// As the newer version would have written the closed store.
  void write_as_newer() const {
    Decoder decoder;
    auto snapshot = decoder.runtime_snapshot(line_of_runtime());
    ASSERT_TRUE(is_ok(snapshot));
    ASSERT_FALSE(snapshot->diagnostics.empty());
    const std::string old_line = line_of("a");
    auto record = decoder.catalog_line(old_line, Requests::read);
    ASSERT_TRUE(is_ok(record));
    record->record->unknown = {member("worker"), member("its usage"), member("its transcript")};
    std::string& create = record->record->create;
    create.insert(create.size() - 1, member("create"));
    std::string object;
    encode(object, *record->record, record->runtime_id);
    std::string new_line;
    const std::uint32_t checksum = append_checked_line(new_line, object);
    std::string catalog = read(catalog_path());
    catalog.replace(catalog.find(old_line), old_line.size() + 1, new_line);
    write(catalog_path(), catalog);

    std::string events = read("events.jsonl");
    const std::size_t start = events.find('\n') + 1;
    const std::string known_event = events.substr(start, events.find('\n', start) + 1 - start);
    events.replace(start, known_event.size(), newer_event(known_event));
    write("events.jsonl", events);

    snapshot->events.bytes = events.size();
    snapshot->catalog.bytes = catalog.size();
    snapshot->catalog.live_checksum ^= checksum ^ *check_line(old_line);
    snapshot->unknown = {member("runtime"),
                         member("workers"),
                         member("usage"),
                         member("limits"),
                         member("catalog"),
                         member("events"),
                         {}};
    snapshot->unknown.diagnostics[snapshot->diagnostics.front().id] = {member("diagnostic"),
                                                                       member("whom it is about")};
    object.clear();
    encode(object, *snapshot);
    std::string line;
    append_checked_line(line, object);
    write("runtime.json", line);
  }

  void expect_all_there() const {
    const std::string runtime = line_of_runtime();
    for (const char* const place : {"runtime", "workers", "usage", "limits", "catalog", "events",
                                    "diagnostic", "whom it is about"}) {
      EXPECT_NE(runtime.find(member(place)), std::string::npos) << place;
    }
    const std::string worker = line_of("a");
    for (const char* const place : {"worker", "its usage", "its transcript", "create"})
      EXPECT_NE(worker.find(member(place)), std::string::npos) << place;
    EXPECT_EQ(read("workers/a/worker.json"), worker + "\n");
    const std::string events = read("events.jsonl");
    EXPECT_NE(events.find(member("event")), std::string::npos);
    EXPECT_NE(events.find("worker_dreamt"), std::string::npos);
    expect_clean();
  }
};

TEST_F(NewerMembers, OutliveChangesCheckpointsCompactionAndReopening) {
  open();
  for (const char* const id : {"a", "b"}) {
    create(id);
    send(id, 1);
  }
  close();
  ASSERT_NO_FATAL_FAILURE(write_as_newer());

  open();
  send("a", 1, 2);
  ASSERT_TRUE(is_ok(runtime().checkpoint()));
  {
    SCOPED_TRACE("a change of the worker, and a checkpoint");
    expect_all_there();
  }
  EXPECT_TRUE(is_ok(runtime().stop_worker({ref("a"), std::nullopt})));
  drop();
  RuntimeOptions changed;
  changed.limits.push_back({"page_items", 7});
  open(changed);
  const std::string before = catalog_path();
  EXPECT_TRUE(is_ok(runtime().stop_worker({ref("b"), std::nullopt})));
  EXPECT_TRUE(is_ok(runtime().delete_worker({ref("b")})));
  close();
  EXPECT_NE(catalog_path(), before);
  {
    SCOPED_TRACE("a crash, other limits, a catalog that was written anew");
    expect_all_there();
  }
}

/// Whatever is mended, and although every file is written anew.
TEST_F(NewerMembers, OutliveRepairs) {
  open();
  for (const char* const id : {"a", "b"}) {
    create(id);
    send(id, 2);
  }
  close();
  ASSERT_NO_FATAL_FAILURE(write_as_newer());
  const auto mend = [this](std::size_t things) {
    const auto repaired = repair({options_.root, options_.runtime_id, RepairMode::apply});
    ASSERT_TRUE(is_ok(repaired));
    EXPECT_GE(repaired->items.size(), things);
    expect_all_there();
  };
  {
    SCOPED_TRACE("an entry");
    flip("workers/b/transcript.jsonl", read("workers/b/transcript.jsonl").find("b 1"));
    mend(1);
  }
  {
    SCOPED_TRACE("an event, in the log that has newer lines");
    flip("events.jsonl", read("events.jsonl").rfind("input accepted"));
    mend(1);
  }
  {
    SCOPED_TRACE("a record of another worker: nothing loads");
    flip(catalog_path(), read(catalog_path()).find("\"worker_id\":\"b\"") + 13);
    flip("workers/b/worker.json", 30);
    mend(1);
  }
  open();
  EXPECT_EQ(all_events(runtime()).at(1).unknown_kind, "worker_dreamt");
  send("a", 1, 3);
}

}  // namespace
}  // namespace worker_runtime::fs_store
