#include "disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <string>

#include "scratch.h"

namespace hsu::pump {

namespace {

template <class Call>
auto settled(Call call) {
  decltype(call()) result;
  do result = call();
  while (result < 0 && errno == EINTR);
  return result < 0 ? -errno : result;
}

int make_folder(std::string& path) {
  struct stat found;
  if (::stat(path.c_str(), &found) == 0 && S_ISDIR(found.st_mode)) return 0;
  if (::mkdir(path.c_str(), 0750) == 0) return 0;
  if (errno != ENOENT) return errno == EEXIST ? 0 : -errno;
  size_t above = path.rfind('/');
  if (above == std::string::npos || above == 0) return -ENOENT;
  std::string parent = path.substr(0, above);
  int error = make_folder(parent);
  if (error) return error;
  return ::mkdir(path.c_str(), 0750) == 0 || errno == EEXIST ? 0 : -errno;
}

}  // namespace

ssize_t Disk::splice(int pipe, int file, uint64_t at, size_t most) {
#ifdef HSU_PLAIN_PIPES
  static_cast<void>(pipe), static_cast<void>(file), static_cast<void>(at), static_cast<void>(most);
  return -ENOSYS;
#else
  return settled([&] {
    loff_t offset = static_cast<loff_t>(at);
    return ::splice(pipe, nullptr, file, &offset, most, SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
  });
#endif
}

ssize_t Disk::write(int file, const char* bytes, size_t length) {
  return settled([&] { return ::write(file, bytes, length); });
}

ssize_t Disk::write_at(int file, const char* bytes, size_t length, uint64_t at) {
  return settled([&] { return ::pwrite(file, bytes, length, static_cast<off_t>(at)); });
}

ssize_t Disk::read_at(int file, char* bytes, size_t length, uint64_t at) {
  return settled([&] { return ::pread(file, bytes, length, static_cast<off_t>(at)); });
}

int Disk::open(const char* path, int flags, mode_t mode) {
  return settled([&] { return ::open(path, flags, mode); });
}

int Disk::rename(const char* from, const char* to) {
  return settled([&] { return ::rename(from, to); });
}

int Disk::remove(const char* path) {
  return settled([&] { return ::unlink(path); });
}

int Disk::facts(int file, struct stat& facts) {
  return settled([&] { return ::fstat(file, &facts); });
}

int Disk::facts(const char* path, struct stat& facts) {
  return settled([&] { return ::stat(path, &facts); });
}

int make_folder_of(const char* path) {
  std::string folder = path;
  size_t above = folder.rfind('/');
  if (above == std::string::npos || above == 0) return 0;
  folder.resize(above);
  return make_folder(folder);
}

}  // namespace hsu::pump
