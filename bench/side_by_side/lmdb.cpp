// LMDB: one write transaction, synced (no MDB_NOSYNC, no MDB_NOMETASYNC), keys in append order.
#include <lmdb.h>

#include <atomic>
#include <memory>

#include "peers.h"

namespace worker_runtime::bench {
namespace {

void must_succeed(int outcome) {
  if (outcome != MDB_SUCCESS) fail(mdb_strerror(outcome));
}

MDB_val value_of(const std::string& text) {
  return {text.size(), const_cast<char*>(text.data())};  // not written to
}

class Environment {
 public:
  explicit Environment(const std::filesystem::path& path) {
    must_succeed(mdb_env_create(&handle_));
    must_succeed(mdb_env_set_mapsize(handle_, std::size_t{8} << 30U));
    must_succeed(mdb_env_set_maxreaders(handle_, 256));
    must_succeed(mdb_env_open(handle_, path.c_str(), MDB_NOSUBDIR, 0600));
    MDB_txn* transaction = nullptr;
    must_succeed(mdb_txn_begin(handle_, nullptr, 0, &transaction));
    must_succeed(mdb_dbi_open(transaction, nullptr, 0, &table_));
    must_succeed(mdb_txn_commit(transaction));
  }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;
  ~Environment() { mdb_env_close(handle_); }

  bool commit() {
    static const std::string event(event_bytes, 'x');
    static const std::string entry(entry_bytes, 'x');
    MDB_txn* transaction = nullptr;
    if (mdb_txn_begin(handle_, nullptr, 0, &transaction) != MDB_SUCCESS) return false;
    const std::uint64_t number = ++next_;  // a write transaction is alone
    put(transaction, key_of('e', number), event);
    put(transaction, key_of('t', number), entry);
    return mdb_txn_commit(transaction) == MDB_SUCCESS;
  }

 private:
  void put(MDB_txn* transaction, const std::string& key, const std::string& text) const {
    MDB_val where = value_of(key);
    MDB_val what = value_of(text);
    must_succeed(mdb_put(transaction, table_, &where, &what, 0));
  }

  MDB_env* handle_ = nullptr;
  MDB_dbi table_ = 0;
  std::atomic<std::uint64_t> next_ = 0;
};

}  // namespace

cli::Contender make_lmdb(const std::filesystem::path& directory) {
  const auto environment = std::make_shared<Environment>(directory / "lmdb");
  return {"LMDB", [environment] { return environment->commit(); }};
}

}  // namespace worker_runtime::bench
