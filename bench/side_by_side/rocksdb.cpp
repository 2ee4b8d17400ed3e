// RocksDB: one write batch, sync, log files recycled.
#include <rocksdb/db.h>
#include <rocksdb/options.h>
#include <rocksdb/write_batch.h>

#include <atomic>
#include <memory>

#include "peers.h"

namespace worker_runtime::bench {

cli::Contender make_rocksdb(const std::filesystem::path& directory) {
  rocksdb::Options options;
  options.create_if_missing = true;
  options.compression = rocksdb::kNoCompression;
  // A log file that is written again needs no new blocks: what its users are told to set where
  // syncs count.
  options.recycle_log_file_num = 4;
  options.write_buffer_size = std::size_t{64} << 20U;
  rocksdb::DB* opened = nullptr;
  const rocksdb::Status status =
      rocksdb::DB::Open(options, (directory / "rocksdb").string(), &opened);
  if (!status.ok()) fail(status.ToString());
  const std::shared_ptr<rocksdb::DB> database(opened);
  const auto next = std::make_shared<std::atomic<std::uint64_t>>(0);
  return {"RocksDB", [database, next] {
            static const std::string event(event_bytes, 'x');
            static const std::string entry(entry_bytes, 'x');
            const std::uint64_t number = ++*next;
            rocksdb::WriteBatch batch;
            batch.Put(key_of('e', number), event);
            batch.Put(key_of('t', number), entry);
            rocksdb::WriteOptions writing;
            writing.sync = true;
            return database->Write(writing, &batch).ok();
          }};
}

}  // namespace worker_runtime::bench
