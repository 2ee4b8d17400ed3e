// The two small Unicode rules of the domain, and the check of attached JSON data.
//
// Core carries these lists and no other Unicode table: `blank` is the 25 code points of
// White_Space, `control` is U+0000-001F and U+007F-009F.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "worker_runtime/result.h"

#pragma GCC visibility push(default)

namespace worker_runtime {

/// True if `text` is well-formed UTF-8 (no overlong form, no surrogate, nothing above U+10FFFF).
bool is_valid_utf8(std::string_view text);

/// True if `text` is empty or nothing but Unicode white space. `text` must be valid UTF-8.
bool is_blank(std::string_view text);

/// True if `text` (valid UTF-8) holds a control character.
bool has_control(std::string_view text);

/// True if `text` (valid UTF-8) begins or ends with white space.
bool has_outer_white_space(std::string_view text);

/// The deepest nesting of attached data: the outermost object counts as 1.
inline constexpr std::size_t data_depth_max = 64;

/// Checks that `text` is one JSON object (RFC 8259, valid UTF-8, no lone surrogate, no doubled
/// member, at most data_depth_max deep) and returns it without insignificant white space, otherwise
/// byte for byte as given. `invalid_request` with the byte offset in the message otherwise. Needs
/// no recursion and no memory beyond the result and the names of the open objects.
Result<std::string> compact_json_object(std::string_view text);

}  // namespace worker_runtime

#pragma GCC visibility pop
