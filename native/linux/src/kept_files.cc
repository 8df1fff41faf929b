#include "kept_files.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include <cmath>
#include <utility>

namespace hsu {

namespace {

// What was not there is asked for again at one look in so many: a controller may have been given to the group.
constexpr unsigned kAskAgain = 16;

const char kFolder[] = ".";

}  // namespace

Files::Files(Files&& other) noexcept
    : folder_(std::move(other.folder_)), shelf_(other.shelf_), files_(std::exchange(other.files_, {})) {}

Files& Files::operator=(Files&& other) noexcept {
  if (this == &other) return *this;
  drop();
  folder_ = std::move(other.folder_);
  shelf_ = other.shelf_;
  files_ = std::exchange(other.files_, {});
  return *this;
}

Fd Files::open(const char* name, int flags) {
  size_t length = folder_.size();
  folder_ += '/';
  folder_ += name;
  Fd fd(::open(folder_.c_str(), O_RDONLY | O_CLOEXEC | flags));
  folder_.resize(length);
  return fd;
}

Files::File& Files::file(const char* name) {
  for (File& one : files_) {
    if (one.name == name || ::strcmp(one.name, name) == 0) return one;
  }
  return files_.emplace_back(File{name, Fd(), 0});
}

void Files::drop() {
  for (File& one : files_) {
    if (one.fd) shelf_->give(1);
  }
  files_.clear();
}

std::optional<std::string_view> Files::text(const char* name, bool is_list, Reader& reader) {
  auto read = [&](int fd) { return is_list ? reader.list_of(fd) : reader.record_of(fd); };
  if (!shelf_) {
    Fd fd = open(name, 0);
    return fd ? read(fd.get()) : std::nullopt;
  }
  if (File& known = file(name); known.fd) {
    if (auto text = read(known.fd.get())) return text;
    // It was removed, and everything else in the folder with it; another may have its name by now.
    drop();
  } else if (known.misses > 0 && known.misses++ % kAskAgain != 0) {
    return std::nullopt;
  }
  Fd fd = open(name, 0);
  auto text = fd ? read(fd.get()) : std::nullopt;
  File& one = file(name);
  if (!text) {
    if (one.misses == 0) one.misses = 1;
    return std::nullopt;
  }
  one.misses = 0;
  if (shelf_->take()) one.fd = std::move(fd);
  return text;
}

std::optional<std::string_view> Files::fresh_list(const char* name, Reader& reader) {
  Fd fd = open(name, 0);
  return fd ? reader.list_of(fd.get()) : std::nullopt;
}

double Files::number(const char* name, Reader& reader) {
  auto content = record(name, reader);
  if (!content || content->empty() || content->front() < '0' || content->front() > '9') return NAN;
  return static_cast<double>(take_number(*content));
}

bool Files::has_folders() {
  Fd opened;
  int fd = -1;
  if (shelf_) {
    File& kept = file(kFolder);
    if (!kept.fd && shelf_->take()) {
      kept.fd = open(kFolder, O_DIRECTORY);
      if (!kept.fd) shelf_->give(1);
    }
    fd = kept.fd.get();
  }
  if (fd < 0) {
    opened = open(kFolder, O_DIRECTORY);
    fd = opened.get();
  }
  // A directory has a link of its own, one in its parent, and one in each directory below.
  struct stat status;
  return fd >= 0 && ::fstat(fd, &status) == 0 && status.st_nlink != 2;
}

}  // namespace hsu
