#include "lock.h"

#include "errors.h"
#include "text.h"

namespace hsu {

Result<Handle> lock_file(const std::string& path) {
  constexpr DWORD kShare = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;
  Handle file(::CreateFileW(file_path(path).c_str(), GENERIC_READ | GENERIC_WRITE, kShare, nullptr, OPEN_ALWAYS, 0, nullptr));
  if (!file) return SystemError{"CreateFile", last_errno()};
  // A byte that no file has: what is locked here cannot be read by others.
  OVERLAPPED at = {};
  at.OffsetHigh = 0x4000'0000;
  if (::LockFileEx(file.get(), LOCKFILE_EXCLUSIVE_LOCK | LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, &at)) return file;
  DWORD error = ::GetLastError();
  if (error == ERROR_LOCK_VIOLATION || error == ERROR_IO_PENDING) return Handle();
  return SystemError{"LockFileEx", errno_of(error)};
}

}  // namespace hsu
