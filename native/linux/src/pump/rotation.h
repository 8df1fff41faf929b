#pragma once

// Moves `path` to `path.1`, what was there to `path.2`, and so on, compressed ones (.gz, .zst) too; the oldest beyond
// `max_files` are removed. With 0 nothing is kept. Gaps in the numbers do not matter.

#include <cstdint>
#include <string>

#include "disk.h"

namespace hsu::pump {

int rotate(Disk& disk, const std::string& path, uint32_t max_files);  // 0 or a negative errno: `path` could not be moved

// Puts `made`, a compressed copy of the rotated file that is `device` and `inode` now, in its place, whatever its number
// has become. 0 or a negative errno, -ENOENT where that file is gone; `made` is left then.
int replace_rotated(Disk& disk, const std::string& path, uint64_t device, uint64_t inode, const std::string& made,
                    const std::string& suffix);

}  // namespace hsu::pump
