// Which JSON library reads and writes a line of a log fastest: the reason behind the choice that
// docs/ARCHITECTURE.md explains. Each reads every member of a real transcript line, with UTF-8
// checked, or writes the same members again.
#include <benchmark/benchmark.h>
#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>
#include <simdjson.h>

#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace {

/// A transcript entry of 300 bytes of content, as it stands in a file.
std::string sample_line() {
  std::string content;
  while (content.size() < 300)
    content += "The invoice of \\\"October\\\" lists 12 items; caf\u00e9.\\n";
  return R"({"crc":"9ae0daaf","sequence":1201,"runtime_id":"main","worker_id":"invoice-check",)"
         R"("at":"2026-11-24T10:00:00.000001Z","role":"assistant","content":")" +
         content + R"(","event_id":40213,"name":"ledger","data":{"rows":[1,2,3],"ok":true}})";
}

void read_simdjson_ondemand(benchmark::State& state) {
  const simdjson::padded_string line(sample_line());
  simdjson::ondemand::parser parser;
  std::uint64_t sum = 0;
  while (state.KeepRunning()) {
    simdjson::ondemand::document document;
    if (parser.iterate(line).get(document) != simdjson::SUCCESS) return state.SkipWithError("json");
    simdjson::ondemand::object members;
    if (document.get_object().get(members) != simdjson::SUCCESS) return state.SkipWithError("json");
    for (auto member : members) {
      std::string_view name;
      if (member.unescaped_key().get(name) != simdjson::SUCCESS) return state.SkipWithError("name");
      auto value = member.value();
      std::string_view text;
      std::uint64_t number = 0;
      std::string_view raw;
      switch (value.type().value_unsafe()) {
        case simdjson::ondemand::json_type::string:
          if (value.get_string().get(text) != simdjson::SUCCESS) return state.SkipWithError("text");
          sum += text.size();
          break;
        case simdjson::ondemand::json_type::number:
          if (value.get_uint64().get(number) != simdjson::SUCCESS)
            return state.SkipWithError("number");
          sum += number;
          break;
        default:
          if (value.raw_json_token().get(raw) != simdjson::SUCCESS)
            return state.SkipWithError("raw");
          sum += raw.size();
      }
    }
  }
  benchmark::DoNotOptimize(sum);
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(line.size()));
}
BENCHMARK(read_simdjson_ondemand);

void read_simdjson_dom(benchmark::State& state) {
  const simdjson::padded_string line(sample_line());
  simdjson::dom::parser parser;
  std::uint64_t sum = 0;
  while (state.KeepRunning()) {
    simdjson::dom::object members;
    if (parser.parse(line).get(members) != simdjson::SUCCESS) return state.SkipWithError("json");
    for (const auto member : members) {
      std::string_view text;
      std::uint64_t number = 0;
      if (member.value.get(text) == simdjson::SUCCESS) sum += text.size();
      if (member.value.get(number) == simdjson::SUCCESS) sum += number;
    }
  }
  benchmark::DoNotOptimize(sum);
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(line.size()));
}
BENCHMARK(read_simdjson_dom);

void read_rapidjson(benchmark::State& state) {
  const std::string line = sample_line();
  std::uint64_t sum = 0;
  while (state.KeepRunning()) {
    rapidjson::Document document;
    document.Parse<rapidjson::kParseValidateEncodingFlag | rapidjson::kParseIterativeFlag>(
        line.data(), line.size());
    if (document.HasParseError()) return state.SkipWithError("json");
    std::for_each(document.MemberBegin(), document.MemberEnd(), [&](const auto& member) {
      if (member.value.IsString()) sum += member.value.GetStringLength();
      if (member.value.IsUint64()) sum += member.value.GetUint64();
    });
  }
  benchmark::DoNotOptimize(sum);
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(line.size()));
}
BENCHMARK(read_rapidjson);

void read_nlohmann(benchmark::State& state) {
  const std::string line = sample_line();
  std::uint64_t sum = 0;
  while (state.KeepRunning()) {
    const auto document = nlohmann::json::parse(line, nullptr, false);
    if (document.is_discarded()) return state.SkipWithError("json");
    for (const auto& member : document.items()) {
      if (member.value().is_string()) sum += member.value().get_ref<const std::string&>().size();
      if (member.value().is_number_unsigned()) sum += member.value().get<std::uint64_t>();
    }
  }
  benchmark::DoNotOptimize(sum);
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(line.size()));
}
BENCHMARK(read_nlohmann);

void write_rapidjson(benchmark::State& state) {
  const auto document = nlohmann::json::parse(sample_line());
  const auto content = document["content"].get<std::string>();
  rapidjson::StringBuffer buffer;
  while (state.KeepRunning()) {
    buffer.Clear();
    rapidjson::Writer<rapidjson::StringBuffer, rapidjson::UTF8<>, rapidjson::UTF8<>> writer(buffer);
    writer.StartObject();
    writer.Key("sequence");
    writer.Uint64(1201);
    writer.Key("worker_id");
    writer.String("invoice-check");
    writer.Key("content");
    writer.String(content.data(), static_cast<rapidjson::SizeType>(content.size()));
    writer.Key("event_id");
    writer.Uint64(40213);
    writer.EndObject();
    benchmark::DoNotOptimize(buffer.GetString());
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(buffer.GetSize()));
}
BENCHMARK(write_rapidjson);

void write_nlohmann(benchmark::State& state) {
  const auto document = nlohmann::json::parse(sample_line());
  const auto content = document["content"].get<std::string>();
  std::size_t size = 0;
  while (state.KeepRunning()) {
    const nlohmann::ordered_json line = {{"sequence", 1201},
                                         {"worker_id", "invoice-check"},
                                         {"content", content},
                                         {"event_id", 40213}};
    const std::string text = line.dump();
    size = text.size();
    benchmark::DoNotOptimize(text.data());
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(size));
}
BENCHMARK(write_nlohmann);

}  // namespace
