#pragma once

// Rotated files: `file.1` is the newest. Each call answers 0 or an error.

#include <cstdint>
#include <string>

#include "../win.h"

namespace hsu::pump {

// Moves each to the next number, and the file itself to the first; the last is removed.
DWORD rotate(const std::string& path, uint32_t max_files);

// `made` takes the place of the rotated file with that index, whatever its number is by now. The index is as JavaScript has it: rounded.
DWORD replace_rotated(const std::string& path, uint64_t index, const std::string& made, const std::string& suffix);

// What names a file within its volume.
bool index_of(const std::wstring& path, uint64_t& index);

}  // namespace hsu::pump
