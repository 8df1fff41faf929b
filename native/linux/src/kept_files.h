#pragma once

// The files of one folder, each of which may stay open from one look to the next: opening a file of /proc or of a
// cgroup costs several times what reading it does, and a file that stays open belongs to the same process or cgroup
// for ever.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "file.h"

namespace hsu {

// How many files may stay open.
class Shelf {
 public:
  explicit Shelf(size_t room) : room_(room) {}
  bool take() { return room_ > 0 && room_-- > 0; }
  void give(size_t count) { room_ += count; }

 private:
  size_t room_;
};

class Files {
 public:
  // Without a shelf nothing stays open. The shelf outlives it.
  Files(std::string folder, Shelf* shelf) : folder_(std::move(folder)), shelf_(shelf) {}
  Files(Files&& other) noexcept;
  Files& operator=(Files&& other) noexcept;
  ~Files() { drop(); }

  // With one read, for what the kernel shows as a whole. What is returned is valid until the reader's next read.
  std::optional<std::string_view> record(const char* name, Reader& reader) { return text(name, false, reader); }
  // However long it is.
  std::optional<std::string_view> list(const char* name, Reader& reader) { return text(name, true, reader); }
  // The same of a file that is not to stay open.
  std::optional<std::string_view> fresh_list(const char* name, Reader& reader);
  // A file of one number; NaN where it is none, "max" for example.
  double number(const char* name, Reader& reader);
  // Whether there are folders in it. They are opened by `path`.
  bool has_folders();
  const std::string& path() const { return folder_; }

 private:
  // Without a descriptor it was not there, or there was no room; `misses` counts the looks since it was not there.
  struct File {
    const char* name;
    Fd fd;
    unsigned misses;
  };

  std::optional<std::string_view> text(const char* name, bool is_list, Reader& reader);
  Fd open(const char* name, int flags);
  File& file(const char* name);
  void drop();

  std::string folder_;
  Shelf* shelf_;
  std::vector<File> files_;
};

}  // namespace hsu
