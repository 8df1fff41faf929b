#include "rotation.h"

#include <errno.h>

namespace hsu::pump {

namespace {

// Files beyond the largest number that are looked for, left by an earlier, larger setting.
constexpr uint32_t kSurplus = 1000;
constexpr const char* kSuffixes[] = {"", ".gz", ".zst"};

std::string numbered(const std::string& path, uint32_t number, const char* suffix) {
  return path + "." + std::to_string(number) + suffix;
}

bool remove_number(Disk& disk, const std::string& path, uint32_t number) {
  bool removed = false;
  for (const char* suffix : kSuffixes) removed |= disk.remove(numbered(path, number, suffix).c_str()) == 0;
  return removed;
}

}  // namespace

int rotate(Disk& disk, const std::string& path, uint32_t max_files) {
  for (uint32_t number = max_files + 1; number <= kSurplus && remove_number(disk, path, number); ++number) {
  }
  if (max_files == 0) {
    int error = disk.remove(path.c_str());
    return error == -ENOENT ? 0 : error;
  }
  remove_number(disk, path, max_files);
  for (uint32_t number = max_files - 1; number >= 1; --number) {
    for (const char* suffix : kSuffixes) {
      int error = disk.rename(numbered(path, number, suffix).c_str(), numbered(path, number + 1, suffix).c_str());
      if (error && error != -ENOENT) return error;
    }
  }
  int error = disk.rename(path.c_str(), numbered(path, 1, "").c_str());
  return error == -ENOENT ? 0 : error;
}

int replace_rotated(Disk& disk, const std::string& path, uint64_t device, uint64_t inode, const std::string& made,
                    const std::string& suffix) {
  for (uint32_t number = 1; number <= kSurplus; ++number) {
    std::string name = numbered(path, number, "");
    struct stat facts;
    if (disk.facts(name.c_str(), facts) != 0 || static_cast<uint64_t>(facts.st_dev) != device || facts.st_ino != inode) continue;
    int error = disk.rename(made.c_str(), numbered(path, number, suffix.c_str()).c_str());
    return error ? error : disk.remove(name.c_str());
  }
  return -ENOENT;
}

}  // namespace hsu::pump
