// What to do about an error: decide on its code, and read its typed fields.
#include <cstdio>
#include <cstdlib>

#include "worker_runtime/runtime.h"

namespace wr = worker_runtime;

namespace {

template <typename T>
T must(wr::Result<T> result) {
  if (!result) {
    std::fprintf(stderr, "%s\n", result.error().detail().c_str());
    std::exit(1);
  }
  return *std::move(result);
}

enum class Next { done, shorten, choose_another, give_up };

// [decide]
Next send(wr::Runtime& runtime, const wr::SendInput& input) {
  const auto accepted = runtime.send_input(input);
  if (accepted) return Next::done;
  const wr::Error& error = accepted.error();
  switch (error.code()) {
    case wr::ErrorCode::limit_exceeded: {
      const auto* const limit = error.get<wr::LimitFields>();
      std::printf("%s: %llu bytes, at most %llu\n", limit->what.c_str(),
                  static_cast<unsigned long long>(limit->requested),
                  static_cast<unsigned long long>(limit->max));
      return Next::shorten;
    }
    case wr::ErrorCode::worker_not_found:
    case wr::ErrorCode::worker_not_running:
      return Next::choose_another;
    default:
      // message() may be shown to anybody; detail() has absolute paths and belongs into a log.
      std::fprintf(stderr, "%s\n", error.detail().c_str());
      return Next::give_up;
  }
}
// [/decide]

}  // namespace

int main() {
  // [limits]
  wr::RuntimeOptions options;
  options.display_name = "Back office";
  options.limits = {{"input_bytes", 1000}, {"live_workers", 20}};
  wr::Runtime runtime = must(wr::Runtime::in_memory(must(wr::RuntimeId::parse("office")), options));
  // [/limits]

  wr::CreateRequest request;
  request.intent = wr::RoleIntent{"clerk", std::nullopt};
  const wr::WorkerRef clerk = must(runtime.create_worker(request)).summary.worker_ref;

  const bool sent = send(runtime, {clerk, wr::InputRole::user, "a letter"}) == Next::done;
  const bool too_long =
      send(runtime, {clerk, wr::InputRole::user, std::string(1001, 'x')}) == Next::shorten;
  must(runtime.stop_worker({clerk, std::nullopt}));
  const bool stopped =
      send(runtime, {clerk, wr::InputRole::user, "a letter"}) == Next::choose_another;
  const bool blank = send(runtime, {clerk, wr::InputRole::user, " "}) == Next::give_up;
  const bool nothing_changed = must(runtime.worker_detail(clerk)).summary.transcript_len == 1;
  return sent && too_long && stopped && blank && nothing_changed ? 0 : 1;
}
