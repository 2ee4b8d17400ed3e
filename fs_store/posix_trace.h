// Trace points, for perf and bpftrace: one instruction that does nothing until somebody attaches.
//
// docs/GUIDE.md names them and shows how to use them. Without the header of SystemTap, which only
// the build needs, there are none.
#pragma once

#include <cstdint>

#if __has_include(<sys/sdt.h>)
#include <sys/sdt.h>

namespace worker_runtime::fs_store {

/// A group of commits up to an LSN was written to the journal: so many bytes.
inline void trace_commit(std::uint64_t last_lsn, std::uint64_t bytes) {
  DTRACE_PROBE2(worker_runtime, commit, last_lsn, bytes);
}
/// The sync that makes all up to an LSN durable.
inline void trace_sync_begin(std::uint64_t last_lsn) {
  DTRACE_PROBE1(worker_runtime, sync_begin, last_lsn);
}
inline void trace_sync_end(std::uint64_t last_lsn, bool done) {
  DTRACE_PROBE2(worker_runtime, sync_end, last_lsn, std::uint64_t{done});
}
inline void trace_checkpoint_begin(std::uint64_t lsn) {
  DTRACE_PROBE1(worker_runtime, checkpoint_begin, lsn);
}
inline void trace_checkpoint_end(std::uint64_t lsn, bool done) {
  DTRACE_PROBE2(worker_runtime, checkpoint_end, lsn, std::uint64_t{done});
}

}  // namespace worker_runtime::fs_store

#else

namespace worker_runtime::fs_store {

inline void trace_commit(std::uint64_t /*last_lsn*/, std::uint64_t /*bytes*/) {}
inline void trace_sync_begin(std::uint64_t /*last_lsn*/) {}
inline void trace_sync_end(std::uint64_t /*last_lsn*/, bool /*done*/) {}
inline void trace_checkpoint_begin(std::uint64_t /*lsn*/) {}
inline void trace_checkpoint_end(std::uint64_t /*lsn*/, bool /*done*/) {}

}  // namespace worker_runtime::fs_store

#endif
