// Several operations as one durable unit, and many operations in flight from one thread.
#include <atomic>
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

/// A Worker with its first instructions, or neither.
wr::WorkerRef create_with_instructions(wr::Runtime& runtime, const wr::RuntimeId& runtime_id) {
  // [batch]
  wr::CreateRequest create;
  create.worker_id = must(wr::WorkerId::parse("translator"));  // so that the next one can name it
  create.intent = wr::AssistantIntent{"translates letters"};
  const wr::WorkerRef translator{runtime_id, *create.worker_id};

  const auto answers = runtime.batch(
      {create, wr::SendInput{translator, wr::InputRole::system, "Translate into Portuguese."},
       wr::SendInput{translator, wr::InputRole::user, "Good morning!"}});
  if (!answers) {
    std::fprintf(stderr, "operation %llu: %s; nothing was done\n",
                 static_cast<unsigned long long>(answers.error().index().value_or(0)),
                 answers.error().message().c_str());
    std::exit(1);
  }
  const auto& last = std::get<wr::EntryAccepted>(answers->at(2));  // the answers, in the same order
  // [/batch]
  if (last.sequence != wr::Sequence{2}) std::exit(1);
  return last.worker_ref;
}

}  // namespace

int main() {
  const wr::RuntimeId runtime_id = must(wr::RuntimeId::parse("example"));
  std::atomic<int> accepted = 0;  // outlives the Runtime: completions may run while it closes
  wr::Runtime runtime = must(wr::Runtime::in_memory(runtime_id));
  const wr::WorkerRef translator = create_with_instructions(runtime, runtime_id);

  // [submit]
  for (int number = 1; number <= 1000; ++number) {
    runtime.submit(
        wr::AppendOutput{translator, wr::OutputRole::assistant,
                         "sentence " + std::to_string(number)},
        [&accepted](const wr::Result<wr::Answer>& answer) {  // durable by now, or an error
          if (answer) ++accepted;
        });
  }
  // A blocking call comes behind what this thread submitted before it.
  must(runtime.append_output({translator, wr::OutputRole::assistant, "the end"}));
  // [/submit]

  const wr::TranscriptPage newest =
      must(runtime.read_transcript(translator, {std::nullopt, 1, wr::Direction::newest_first}));
  const bool in_order = newest.total == 1003 && newest.items.at(0).content == "the end";
  const bool closed = runtime.close().has_value();
  std::printf("%d submissions accepted\n", accepted.load());
  return in_order && closed && accepted == 1000 ? 0 : 1;
}
