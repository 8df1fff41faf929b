#pragma once

// As much of JSON as log lines need.

#include <cstddef>
#include <string>

namespace hsu::pump {

// The inside of a string. What is no UTF-8 becomes U+FFFD.
void append_json_text(const char* bytes, size_t length, std::string& out);

// One whole valid object, and nothing beside it but white space.
bool is_json_object(const char* bytes, size_t length);

}  // namespace hsu::pump
