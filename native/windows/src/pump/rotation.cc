#include "rotation.h"

#include "../handle.h"
#include "../text.h"

namespace hsu::pump {

namespace {

// Files beyond the largest number that are looked for, left by an earlier, larger setting.
constexpr uint32_t kSurplus = 1000;
constexpr const char* kSuffixes[] = {"", ".gz", ".zst"};

std::wstring numbered(const std::string& path, uint32_t number, const char* suffix) {
  return file_path(path + "." + std::to_string(number) + suffix);
}

bool is_missing(DWORD error) { return error == ERROR_FILE_NOT_FOUND || error == ERROR_PATH_NOT_FOUND; }

DWORD move(const std::wstring& from, const std::wstring& to) {
  if (::MoveFileExW(from.c_str(), to.c_str(), MOVEFILE_REPLACE_EXISTING)) return 0;
  DWORD error = ::GetLastError();
  return is_missing(error) ? 0 : error;
}

DWORD remove(const std::wstring& path) {
  if (::DeleteFileW(path.c_str())) return 0;
  DWORD error = ::GetLastError();
  return is_missing(error) ? 0 : error;
}

bool remove_number(const std::string& path, uint32_t number) {
  bool removed = false;
  for (const char* suffix : kSuffixes) removed |= ::DeleteFileW(numbered(path, number, suffix).c_str()) != 0;
  return removed;
}

}  // namespace

DWORD rotate(const std::string& path, uint32_t max_files) {
  for (uint32_t number = max_files + 1; number <= kSurplus && remove_number(path, number); ++number) {
  }
  if (max_files == 0) return remove(file_path(path));
  remove_number(path, max_files);
  for (uint32_t number = max_files - 1; number >= 1; --number) {
    for (const char* suffix : kSuffixes) {
      if (DWORD error = move(numbered(path, number, suffix), numbered(path, number + 1, suffix))) return error;
    }
  }
  return move(file_path(path), numbered(path, 1, ""));
}

bool index_of(const std::wstring& path, uint64_t& index) {
  constexpr DWORD kShare = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;
  Handle file(::CreateFileW(path.c_str(), FILE_READ_ATTRIBUTES, kShare, nullptr, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, nullptr));
  BY_HANDLE_FILE_INFORMATION facts;
  if (!file || !::GetFileInformationByHandle(file.get(), &facts)) return false;
  index = (static_cast<uint64_t>(facts.nFileIndexHigh) << 32) | facts.nFileIndexLow;
  return true;
}

DWORD replace_rotated(const std::string& path, uint64_t index, const std::string& made, const std::string& suffix) {
  for (uint32_t number = 1; number <= kSurplus; ++number) {
    std::wstring name = numbered(path, number, "");
    uint64_t found = 0;
    if (!index_of(name, found) || static_cast<double>(found) != static_cast<double>(index)) continue;
    if (DWORD error = move(file_path(made), numbered(path, number, suffix.c_str()))) return error;
    return remove(name);
  }
  return ERROR_FILE_NOT_FOUND;
}

}  // namespace hsu::pump
