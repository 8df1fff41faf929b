#include "lock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>

namespace hsu {

Result<std::optional<Fd>> lock_file(const std::string& path) {
  constexpr mode_t kOwnerOnly = 0600;
  Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kOwnerOnly));
  if (!fd) return SystemError{"open", errno};
  int result;
  do result = ::flock(fd.get(), LOCK_EX | LOCK_NB);
  while (result != 0 && errno == EINTR);
  if (result == 0) return std::optional<Fd>(std::move(fd));
  if (errno == EWOULDBLOCK) return std::optional<Fd>();
  return SystemError{"flock", errno};
}

}  // namespace hsu
