#include "exec.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <utility>

namespace hsu {

namespace {

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> result;
  result.reserve(texts.size() + 1);
  for (const std::string& text : texts) result.push_back(const_cast<char*>(text.c_str()));
  result.push_back(nullptr);
  return result;
}

// Changes flags of descriptors, and back unless the program is another by then.
class Flags {
 public:
  ~Flags() {
    for (auto [fd, flags] : descriptor_) ::fcntl(fd, F_SETFD, flags);
    for (auto [fd, flags] : status_) ::fcntl(fd, F_SETFL, flags);
  }

  int keep(int fd) {
    int flags = ::fcntl(fd, F_GETFD);
    if (flags < 0 || ::fcntl(fd, F_SETFD, flags & ~FD_CLOEXEC) != 0) return errno;
    descriptor_.emplace_back(fd, flags);
    return 0;
  }

  // As it was before the event loop took it: the next one must not take that for how it was given.
  void block(int fd) {
    int flags = ::fcntl(fd, F_GETFL);
    if (flags < 0 || !(flags & O_NONBLOCK) || ::fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) != 0) return;
    status_.emplace_back(fd, flags);
  }

 private:
  std::vector<std::pair<int, int>> descriptor_, status_;
};

}  // namespace

int replace_program(const std::string& file, const std::vector<std::string>& argv, const std::vector<std::string>& env,
                    const std::vector<int>& kept) {
  Flags flags;
  for (int fd : kept) {
    if (int error = flags.keep(fd)) return error;
  }
  for (int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (int error = flags.keep(fd); error && error != EBADF) return error;
    flags.block(fd);
  }
  ::execve(file.c_str(), pointers(argv).data(), pointers(env).data());
  return errno;
}

}  // namespace hsu
