// Parses requests of `pipe` and looks at what became of them.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <variant>

#include "worker_runtime/fs_store/json.h"

namespace worker_runtime::fs_store {

class JsonRequests : public ::testing::Test {
 protected:
  Request parse(std::string_view line) { return parser_.parse(line); }

  /// The body of a good request.
  template <typename Body>
  Body body(std::string_view line) {
    const Request request = parser_.parse(line);
    if (!request.body) {
      ADD_FAILURE() << line << ": " << request.body.error().message();
      return Body{};
    }
    const auto* body = std::get_if<Body>(&*request.body);
    if (body == nullptr) {
      ADD_FAILURE() << line << ": another operation";
      return Body{};
    }
    return *body;
  }

  template <typename Operation>
  Operation mutation(std::string_view line) {
    const auto any = body<Mutation>(line);
    const auto* operation = std::get_if<Operation>(&any);
    if (operation == nullptr) {
      ADD_FAILURE() << line << ": another mutation";
      return Operation{};
    }
    return *operation;
  }

  /// The message of a request that is refused as invalid; empty if it is not.
  std::string refusal(std::string_view line) {
    const Request request = parser_.parse(line);
    if (request.body || request.body.error().code() != ErrorCode::invalid_request) return {};
    return request.body.error().message();
  }

  std::string id(std::string_view line) { return parser_.parse(line).id; }

  static WorkerRef ref(std::string_view worker, std::string_view runtime = "main") {
    return {*RuntimeId::parse(runtime), *WorkerId::parse(worker)};
  }

  RequestParser parser_{*RuntimeId::parse("main")};
};

}  // namespace worker_runtime::fs_store
