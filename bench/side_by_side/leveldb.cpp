// LevelDB: one write batch, sync.
#include <leveldb/db.h>
#include <leveldb/write_batch.h>

#include <atomic>
#include <memory>

#include "peers.h"

namespace worker_runtime::bench {

cli::Contender make_leveldb(const std::filesystem::path& directory) {
  leveldb::Options options;
  options.create_if_missing = true;
  options.write_buffer_size = std::size_t{64} << 20U;  // few compactions
  options.compression = leveldb::kNoCompression;
  leveldb::DB* opened = nullptr;
  const leveldb::Status status =
      leveldb::DB::Open(options, (directory / "leveldb").string(), &opened);
  if (!status.ok()) fail(status.ToString());
  const std::shared_ptr<leveldb::DB> database(opened);
  const auto next = std::make_shared<std::atomic<std::uint64_t>>(0);
  return {"LevelDB", [database, next] {
            static const std::string event(event_bytes, 'x');
            static const std::string entry(entry_bytes, 'x');
            const std::uint64_t number = ++*next;
            leveldb::WriteBatch batch;
            batch.Put(key_of('e', number), event);
            batch.Put(key_of('t', number), entry);
            leveldb::WriteOptions writing;
            writing.sync = true;
            return database->Write(writing, &batch).ok();
          }};
}

}  // namespace worker_runtime::bench
