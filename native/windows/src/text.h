#pragma once

// Text between JavaScript, UTF-8, and Windows, UTF-16.

#include <string>

#include "win.h"

namespace hsu {

std::wstring wide(const std::string& utf8);
std::string narrow(const wchar_t* text, size_t length);
inline std::string narrow(const std::wstring& text) { return narrow(text.data(), text.size()); }

// For calls about files: absolute, and in the form that may be longer than 260 characters.
std::wstring file_path(const std::string& path);

}  // namespace hsu
