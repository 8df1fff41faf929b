#include "lock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <utility>

namespace hsu {

namespace {

Result<std::optional<Fd>> take(Fd fd) {
  int result;
  do result = ::flock(fd.get(), LOCK_EX | LOCK_NB);
  while (result != 0 && errno == EINTR);
  if (result == 0) return std::optional<Fd>(std::move(fd));
  if (errno == EWOULDBLOCK) return std::optional<Fd>();
  return SystemError{"flock", errno};
}

}  // namespace

Result<std::optional<Fd>> lock_file(const std::string& path) {
  constexpr mode_t kOwnerOnly = 0600;
  Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kOwnerOnly));
  if (!fd) return SystemError{"open", errno};
  return take(std::move(fd));
}

Result<std::optional<Fd>> keep_lock(const std::string& path, int inherited) {
  struct stat ours, there;
  if (::fstat(inherited, &ours) != 0 || ::stat(path.c_str(), &there) != 0 || !S_ISREG(ours.st_mode) ||
      ours.st_dev != there.st_dev || ours.st_ino != there.st_ino) {
    return lock_file(path);
  }
  ::fcntl(inherited, F_SETFD, FD_CLOEXEC);
  return take(Fd(inherited));
}

}  // namespace hsu
