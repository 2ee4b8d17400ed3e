// The catalog, runtime.json and the journal as lines: what is written is read back, what is unknown
// is kept or refused as the kind of line says, and no bytes at all do harm.
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "codec.h"
#include "codec_values.h"
#include "worker_runtime/text.h"

namespace worker_runtime::fs_store {
namespace {

// ---- the catalog

TEST(CatalogLineOfAWorker, IsReadBackWithAndWithoutItsRequest) {
  Decoder decoder;
  const CatalogRecord record = full_record();
  const std::string line = checked(encoded(record, runtime()));
  EXPECT_EQ(line_number(line, "lsn"), 77U);
  for (const Requests requests : {Requests::read, Requests::skip}) {
    const auto read = decoder.catalog_line(line, requests);
    ASSERT_TRUE(read) << read.error().message();
    ASSERT_TRUE(read->record);
    EXPECT_FALSE(read->tombstone);
    EXPECT_EQ(read->runtime_id, runtime());
    EXPECT_EQ(read->record->record, record.record);
    EXPECT_EQ(read->record->create_digest, record.create_digest);
    EXPECT_EQ(read->record->transcript, record.transcript);
    EXPECT_EQ(read->record->create, requests == Requests::read ? record.create : "");
    EXPECT_EQ(read->record->unknown, UnknownOfWorker{});
  }
}

TEST(CatalogLineOfAWorker, KeepsUnknownMembersThroughAnotherWrite) {
  Decoder decoder;
  CatalogRecord record = full_record();
  const std::string unknown = R"("mood":{"now":"good","past":[1,2.5,"\u00e9"]},"pins":[],"é\"":-0)";
  const std::string line = with_member(encoded(record, runtime()), unknown);
  const auto read = decoder.catalog_line(line, Requests::read);
  ASSERT_TRUE(read) << read.error().message();
  EXPECT_EQ(read->record->unknown.worker, "," + unknown);
  EXPECT_EQ(encoded(*read->record, runtime()), line);
}

TEST(CatalogLineOfAWorker, KeepsUnknownMembersThatStandBetweenOthers) {
  const std::string line = replaced(encoded(full_record(), runtime()), R"("status")",
                                    R"("mood" : { "now" : "good" } ,"status")");
  const auto read = Decoder().catalog_line(line, Requests::read);
  ASSERT_TRUE(read) << read.error().message();
  EXPECT_EQ(read->record->unknown.worker, R"(,"mood":{"now":"good"})");
}

/// An unknown member as the last one of the object that begins at the first `object` in the text.
std::string with_nested_member(std::string text, std::string_view object) {
  std::size_t at = text.find(object);
  EXPECT_NE(at, std::string::npos) << object;
  at = text.find('{', at);
  for (int depth = 0; at < text.size(); ++at) {
    if (text[at] == '{') ++depth;
    if (text[at] == '}' && --depth == 0) break;
  }
  return text.insert(at, R"(,"later":{"crc":[null,{"deep":"\u00e9"}]},"crc":1)");
}

TEST(CatalogLineOfAWorker, KeepsUnknownMembersOfEveryObjectInIt) {
  std::string line = encoded(full_record(), runtime());
  for (const char* const object :
       {R"("usage":{)", R"("transcript":{)", R"("create":{)", R"("intent":{)", R"("profile":{)"}) {
    line = with_nested_member(line, object);
  }
  const auto read = Decoder().catalog_line(line, Requests::read);
  ASSERT_TRUE(read) << read.error().message();
  EXPECT_EQ(encoded(*read->record, runtime()), line);
  EXPECT_TRUE(Decoder().create_request(read->record->create));
}

TEST(CatalogLineOfATombstone, IsReadBack) {
  Decoder decoder;
  Tombstone tombstone{worker(), CreateKey{"k", BodyDigest{{1, 2}}}, Lsn{5}};
  for (int keyed = 0; keyed < 2; ++keyed) {
    const auto read = decoder.catalog_line(checked(encoded(tombstone, runtime())), Requests::skip);
    ASSERT_TRUE(read) << read.error().message();
    ASSERT_TRUE(read->tombstone);
    EXPECT_FALSE(read->record);
    EXPECT_EQ(*read->tombstone, tombstone);
    EXPECT_EQ(read->runtime_id, runtime());
    tombstone.create_key.reset();
  }
  EXPECT_EQ(encoded(tombstone, runtime()),
            R"({"lsn":5,"runtime_id":"main","worker_id":"w-1","deleted":true})");
}

TEST(CatalogLine, MalformedIsCorrupt) {
  Decoder decoder;
  const std::string good = encoded(full_record(), runtime());
  const std::vector<std::string> bad = {
      R"({"lsn":5,"runtime_id":"main","worker_id":"w-1"})",
      R"({"lsn":5,"runtime_id":"main","worker_id":"w-1","deleted":false})",
      R"({"lsn":5,"runtime_id":"main","deleted":true})",
      R"({"lsn":5,"runtime_id":"main","worker_id":"w-1","deleted":1})",
      R"({"lsn":5,"runtime_id":"main","worker_id":"w-1","deleted":true,"create_key":"k"})",
      replaced(good, R"("create_digest":"0123456789abcdeffedcba9876543210",)", ""),
      replaced(good, R"("create_key":"create-1",)", ""),
      replaced(good, "0123456789abcdef", "0123456789ABCDEF"),
      replaced(good, "0123456789abcdef", "0123"),
      replaced(good, R"("create":{)", R"("create":[{)"),
      replaced(good, R"("status":"cancelled")", R"("status":"damaged")"),
      replaced(good, R"("first":10)", R"("first":"10")"),
      replaced(good, R"("first":10,)", ""),
      replaced(good, R"("inputs":20,)", ""),
      replaced(good, R"("usage":{)", R"("usage":[)"),
      with_member(good, R"("x":1,"x":2)"),
      with_member(good, R"("x":"a":[1])"),
      with_member(good, R"("x":[1,,2])"),
      with_member(good, R"("x":[1})"),
      with_member(good, R"("x":nul)"),
      with_member(good, R"("x":"\ud800")"),
      with_member(good, R"("crc":"00000000")"),
      with_member(good, R"("lsn":5)"),
  };
  for (const std::string& line : bad) {
    EXPECT_TRUE(is_corrupt(decoder.catalog_line(line, Requests::read))) << line;
  }
  std::string many = good;
  for (int i = 0; i < 300; ++i) many = with_member(many, "\"x" + std::to_string(i) + "\":1");
  EXPECT_TRUE(is_corrupt(decoder.catalog_line(many, Requests::read)));
}

TEST(CatalogHeader, NamesItsLsnFirst) {
  std::string out;
  encode_catalog_header(out, Lsn{9}, runtime());
  EXPECT_EQ(out, R"({"lsn":9,"schema_version":1,"runtime_id":"main"})");
}

// ---- runtime.json

void expect_equal(const RuntimeSnapshot& a, const RuntimeSnapshot& b) {
  EXPECT_EQ(a.record, b.record);
  EXPECT_EQ(a.epoch, b.epoch);
  EXPECT_EQ(a.created_at, b.created_at);
  EXPECT_EQ(a.catalog, b.catalog);
  EXPECT_EQ(a.events, b.events);
  EXPECT_EQ(a.diagnostics, b.diagnostics);
  EXPECT_EQ(a.diagnostics_total, b.diagnostics_total);
  EXPECT_EQ(a.unknown, b.unknown);
}

TEST(RuntimeSnapshotLine, IsReadBack) {
  Decoder decoder;
  RuntimeSnapshot snapshot = full_snapshot();
  const std::string line = checked(encoded(snapshot));
  EXPECT_EQ(line_number(line, "lsn"), 18446744073709551615U);
  auto read = decoder.runtime_snapshot(line);
  ASSERT_TRUE(read) << read.error().message();
  expect_equal(*read, snapshot);
  snapshot.record.display_name.reset();
  snapshot.record.usage.counters.clear();
  snapshot.diagnostics.clear();
  read = decoder.runtime_snapshot(encoded(snapshot));
  ASSERT_TRUE(read) << read.error().message();
  expect_equal(*read, snapshot);
}

TEST(RuntimeSnapshotLine, KeepsUnknownMembers) {
  const std::string line = with_member(encoded(full_snapshot()), R"("archive":{"upto":[7]})");
  const auto read = Decoder().runtime_snapshot(line);
  ASSERT_TRUE(read) << read.error().message();
  EXPECT_EQ(read->unknown.runtime, R"(,"archive":{"upto":[7]})");
  EXPECT_EQ(encoded(*read), line);
}

TEST(RuntimeSnapshotLine, KeepsUnknownMembersOfEveryObjectInIt) {
  std::string line = encoded(full_snapshot());
  for (const char* const object :
       {R"("workers":{)", R"("usage":{)", R"("limits":{)", R"("catalog":{)", R"("events":{)",
        R"("diagnostics":[{)", R"("worker_ref":{)"}) {
    line = with_nested_member(line, object);
  }
  const auto read = Decoder().runtime_snapshot(line);
  ASSERT_TRUE(read) << read.error().message();
  EXPECT_EQ(encoded(*read), line);
  expect_equal(*Decoder().runtime_snapshot(encoded(*read)), *read);
}

TEST(RuntimeSnapshotLine, LimitsThatAreNotThereKeepTheirDefaults) {
  const std::string line =
      replaced(encoded(full_snapshot()), R"("page_items":10,)", R"("later_limit":0,)");
  const auto read = Decoder().runtime_snapshot(line);
  ASSERT_TRUE(read) << read.error().message();
  EXPECT_EQ(read->record.limits.page_items, Limits{}.page_items);
  EXPECT_EQ(read->record.limits.input_bytes, std::uint64_t{1} << 60U);
}

TEST(RuntimeSnapshotLine, OfANewerSchemaNamesBothVersions) {
  const std::string line =
      replaced(encoded(full_snapshot()), R"("schema_version":1)", R"("schema_version":7)");
  const auto read = Decoder().runtime_snapshot(line);
  EXPECT_TRUE(is_newer(read));
  EXPECT_EQ(read.error().get<VersionFields>()->found, 7U);
  EXPECT_NE(read.error().message().find('7'), std::string::npos);
  EXPECT_NE(read.error().message().find('1'), std::string::npos);
}

TEST(RuntimeSnapshotLine, MalformedIsCorrupt) {
  Decoder decoder;
  const std::string good = encoded(full_snapshot());
  const std::vector<std::string> bad = {
      replaced(good, R"("schema_version":1)", R"("schema_version":0)"),
      replaced(good, R"("schema_version":1,)", ""),
      replaced(good, R"("deadbeef")", R"("DEADBEEF")"),
      replaced(good, R"("deadbeef")", R"(3735928559)"),
      replaced(good, R"("status":"stopped")", R"("status":"paused")"),
      replaced(good, R"("page_items":10)", R"("page_items":0)"),
      replaced(good, R"("page_items":10)", R"("page_items":10,"page_items":10)"),
      replaced(good, R"("running":1,)", ""),
      replaced(good, R"("severity":"warning")", R"("severity":"fatal")"),
      replaced(good, R"("diagnostics":[{)", R"("diagnostics":[null,{)"),
      replaced(good, R"("diagnostics":[{)", R"("diagnostics":[,{)"),
  };
  for (const std::string& line : bad)
    EXPECT_TRUE(is_corrupt(decoder.runtime_snapshot(line))) << line;
}

// ---- the journal

TEST(SegmentHeaderLine, IsReadBack) {
  Decoder decoder;
  const SegmentHeader header{Lsn{8}, runtime(), Epoch{3}, Durability::interval, 0x00ff00aaU};
  const std::string object = encoded(header);
  EXPECT_EQ(object, R"({"lsn":8,"schema_version":1,"runtime_id":"main","epoch":3,)"
                    R"("durability":"interval","previous":"00ff00aa"})");
  const auto read = decoder.segment_header(checked(object));
  ASSERT_TRUE(read) << read.error().message();
  EXPECT_EQ(read->first_lsn, header.first_lsn);
  EXPECT_EQ(read->runtime_id, header.runtime_id);
  EXPECT_EQ(read->epoch, header.epoch);
  EXPECT_EQ(read->durability, header.durability);
  EXPECT_EQ(read->previous, header.previous);
}

TEST(SegmentHeaderLine, WithAnythingUnknownIsOfANewerSchema) {
  Decoder decoder;
  const std::string good = encoded(SegmentHeader{Lsn{8}, runtime(), Epoch{3}, Durability::sync, 1});
  EXPECT_TRUE(is_newer(decoder.segment_header(with_member(good, R"("x":1)"))));
  EXPECT_TRUE(is_newer(
      decoder.segment_header(replaced(good, R"("schema_version":1)", R"("schema_version":2)"))));
  EXPECT_TRUE(is_corrupt(decoder.segment_header(replaced(good, "00000001", "0000000g"))));
  EXPECT_TRUE(is_corrupt(decoder.segment_header(replaced(good, R"("sync")", R"("often")"))));
  EXPECT_TRUE(is_corrupt(decoder.segment_header("{}")));
}

TEST(JournalRecord, IsReadBack) {
  Decoder decoder;
  const Commit commit = full_commit();
  const auto read = decoder.record(checked(record_of(commit)));
  ASSERT_TRUE(read) << read.error().message();
  EXPECT_EQ(read->commit, commit);
  EXPECT_EQ(read->head.lsn, commit.lsn);
  EXPECT_EQ(read->head.epoch, Epoch{2});
  EXPECT_EQ(read->head.durable, Lsn{7});
  EXPECT_EQ(read->head.previous, 0x0000abcdU);
}

TEST(JournalRecord, WithAnythingUnknownIsOfANewerSchema) {
  Decoder decoder;
  const std::string good = record_of(full_commit());
  const std::vector<std::string> newer = {
      with_member(good, R"("x":1)"),
      replaced(good, R"("changes":[{)", R"("changes":[{"x":1,)"),
      replaced(good, R"("event":{)", R"("event":{"x":1,)"),
      replaced(good, R"("worker_ref":{)", R"("worker_ref":{"x":1,)"),
      replaced(good, R"("entry":{)", R"("entry":{"x":1,)"),
      replaced(good, R"("create":{)", R"("create":{"x":1,)"),
      replaced(good, R"("intent":{)", R"("intent":{"x":1,)"),
      replaced(good, R"("profile":{)", R"("profile":{"x":1,)"),
      replaced(good, R"("config_bundle":{)", R"("config_bundle":{"x":1,)"),
      replaced(good, R"("mount_refs":[{)", R"("mount_refs":[{"x":1,)"),
      replaced(good, R"("kind":"worker_created")", R"("kind":"worker_renamed")"),
  };
  for (const std::string& line : newer) EXPECT_TRUE(is_newer(decoder.record(line))) << line;
}

TEST(JournalRecord, MalformedIsCorrupt) {
  Decoder decoder;
  const std::string good = record_of(full_commit());
  const std::vector<std::string> bad = {
      "{}",
      R"({"lsn":8,"epoch":2,"durable":7,"previous":"0000abcd","changes":[]})",
      R"({"lsn":8,"epoch":2,"durable":7,"previous":"0000abcd","changes":[{}]})",
      R"({"lsn":8,"epoch":2,"durable":7,"previous":"0000abcd","changes":{}})",
      replaced(good, R"("lsn":8,)", ""),
      replaced(good, R"("0000abcd")", R"("abcd")"),
      replaced(good, R"("stopped_workers":12)", R"("stopped_workers":-12)"),
      good + "\n" + good,
      good + ",",
  };
  for (const std::string& line : bad) EXPECT_TRUE(is_corrupt(decoder.record(line))) << line;
}

// ---- any bytes

// Goal: bytes that are no line of ours give a typed error and nothing else, and what is accepted is
// JSON through and through. Method: random edits of good lines, each read as every kind of line;
// where a reader accepts that reads or keeps everything, core's own validator has to accept too.
TEST(AnyBytes, GiveAValueOrATypedError) {
  const std::uint64_t seed = 20261124;
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  const std::vector<std::string> lines = {
      encoded(input_event(), runtime()),
      encoded(full_entry()),
      encoded(full_request()),
      checked(encoded(full_record(), runtime())),
      encoded(full_snapshot()),
      encoded(SegmentHeader{Lsn{8}, runtime(), Epoch{3}, Durability::sync, 1}),
      record_of(full_commit()),
  };
  const std::string_view pieces = "{}[],:\"\\0123456789eE+-.truefalsnu \t\n\xC3\xA9\xED\x80";
  Decoder decoder;
  const auto typed = [](const auto& result) {
    return result || result.error().code() == ErrorCode::store_corrupt ||
           result.error().code() == ErrorCode::store_version;
  };
  for (int round = 0; round < 20000; ++round) {
    std::string line = lines[random() % lines.size()];
    for (std::uint64_t edits = 1 + random() % 3; edits-- > 0;) {
      const std::size_t place = random() % line.size();
      const std::size_t length = 1 + random() % 8;
      switch (random() % 4) {
        case 0:
          line[place] = pieces[random() % pieces.size()];
          break;
        case 1:
          line.insert(place, 1, pieces[random() % pieces.size()]);
          break;
        case 2:
          line.erase(place, length);
          break;
        default:
          line.insert(random() % line.size(), line.substr(place, length));
      }
      if (line.empty()) line = "x";
    }
    ASSERT_TRUE(typed(decoder.event(line))) << line;
    ASSERT_TRUE(typed(decoder.catalog_line(line, Requests::skip))) << line;
    ASSERT_TRUE(typed(decoder.segment_header(line))) << line;
    const auto entry = decoder.entry(line);
    const auto request = decoder.create_request(line);
    const auto snapshot = decoder.runtime_snapshot(line);
    const auto record = decoder.record(line);
    ASSERT_TRUE(typed(entry) && typed(request) && typed(snapshot) && typed(record)) << line;
    if (record) {
      ASSERT_TRUE(compact_json_object(line)) << line;
    }
    if (entry) {
      ASSERT_TRUE(compact_json_object(encoded(*entry))) << line;
    }
    if (snapshot) {
      ASSERT_TRUE(compact_json_object(encoded(*snapshot))) << line;
    }
  }
}

}  // namespace
}  // namespace worker_runtime::fs_store
