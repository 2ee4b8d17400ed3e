// One mutation from the command line: open, do it, close, print the answer.
#pragma once

#include <functional>
#include <string>

#include "options.h"
#include "worker_runtime/operations.h"

namespace worker_runtime::cli {

/// Makes the operation once the runtime's id is known. An error is a refusal.
using MakeOperation = std::function<Result<Mutation>(const RuntimeId& runtime_id)>;
Exit run_mutation(const Options& options, const MakeOperation& make);

/// The text of an argument; `-` is standard input to its end, unchanged. Reading stops soon after
/// `bytes_max`.
Result<std::string> text_of(const std::string& argument, std::uint64_t bytes_max);

Result<WorkerRef> worker_ref_of(const RuntimeId& runtime_id, const std::string& worker);

}  // namespace worker_runtime::cli
