// One mutation from the command line: open, do it, close, print the answer.
#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include "options.h"
#include "worker_runtime/fs_store/requests.h"
#include "worker_runtime/operations.h"

namespace worker_runtime::cli {

/// Asks the process that holds the runtime; without one opens the runtime, does the operation on it
/// and closes it. Prints the answer: as JSON, or the sentence that it comes to.
Exit run_operation(
    const Options& options, Create create, const fs_store::HostRequest& request,
    const std::function<Result<Answer>(Runtime&, const RuntimeId& runtime_id)>& operation,
    const std::function<std::string(const Answer&)>& sentence);

/// Does any operation, and waits for it.
Result<Answer> perform(Runtime& runtime, Mutation operation);

/// Asks the process that holds the runtime, if one does and serves requests. None: the runtime is
/// to be opened, and nothing was done. So also where the command line has options of an open.
Result<std::optional<Answer>> ask_running_host(const Options& options,
                                               const fs_store::HostRequest& request);

/// The operation is made before the store is opened: nobody waits for the lock while a text is
/// typed. Its worker_ref names no runtime yet. An error is reported as it is.
Exit run_mutation(const Options& options, Create create, Result<Mutation> operation);

/// Standard input to its end, unchanged, or to soon after `bytes_max`.
Result<std::string> read_standard_input(std::size_t bytes_max);

/// The text of an argument; `-` is standard input, no further than any limit allows.
Result<std::string> text_of(const std::string& argument);

/// Workers are named by their id alone on the command line: now the runtime is known.
void set_runtime(Mutation& operation, const RuntimeId& runtime_id);

/// A Worker of a runtime that is not known yet.
Result<WorkerRef> worker_ref_of(const std::string& worker);
/// A Worker of the runtime that the reader found.
Result<WorkerRef> worker_ref_in(const fs_store::Reader& reader, const std::string& worker);

}  // namespace worker_runtime::cli
