#include "proctable_look.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmath>
#include <unordered_map>

#include "file.h"
#include "proctable_sockets.h"

namespace hsu {

namespace {

class Looking {
 public:
  Looking(int proc, const LookQuery& query) : proc_(proc), query_(query) {}

  Look look() {
    look_.sockets = listening_sockets(proc_, query_, reader_);
    for (size_t at = 0; at < look_.sockets.size(); ++at) listening_[look_.sockets[at].inode] = at;
    if (!query_.files.empty()) unix_ = unix_sockets(proc_, query_.files, reader_);
    look_.hidden = !reader_.read(proc_, "1/stat");
    if (query_.pids) {
      for (pid_t pid : *query_.pids) add(pid);
    } else {
      add_all();
    }
    return std::move(look_);
  }

 private:
  void add_all() {
    Fd copy(::openat(proc_, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    DIR* entries = copy ? ::fdopendir(copy.get()) : nullptr;
    if (!entries) return;
    copy.release();
    while (dirent* entry = ::readdir(entries)) {
      if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9') add(static_cast<pid_t>(::strtol(entry->d_name, nullptr, 10)));
    }
    ::closedir(entries);
  }

  // All of a row is of one process: what its folder shows is, however soon its pid is another's.
  void add(pid_t pid) {
    char name[16];
    ::snprintf(name, sizeof name, "%d", pid);
    Fd folder(::openat(proc_, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!folder) return;
    auto stat = reader_.read(folder.get(), "stat");
    if (!stat) return;
    LookRow row = {};
    row.pid = pid;
    if (!parse(*stat, row)) return;
    row.argv_length = query_.argv ? file(folder.get(), "cmdline") : NAN;
    row.exe_length = query_.exe ? link(folder.get(), "exe") : NAN;
    row.cwd_length = query_.cwd ? link(folder.get(), "cwd") : NAN;
    row.environment_length = query_.environment ? file(folder.get(), "environ") : NAN;
    row.user = query_.user ? user(folder.get()) : NAN;
    bool asks = !listening_.empty() || !query_.files.empty();
    row.descriptors = asks ? descriptors(folder.get()) : NAN;
    look_.rows.push_back(row);
  }

  // "pid (name) state ppid …": the name may hold anything, ')' included.
  bool parse(std::string_view stat, LookRow& row) {
    size_t begin = stat.find('('), end = stat.rfind(')');
    if (begin == std::string_view::npos || end == std::string_view::npos || end + 3 > stat.size()) return false;
    std::string_view name = stat.substr(begin + 1, end - begin - 1);
    row.name_length = static_cast<double>(name.size());
    look_.texts.append(name);
    row.state = stat[end + 2];
    stat.remove_prefix(end + 3);
    constexpr int kParent = 4, kFlags = 9, kStart = 22;
    for (int field = kParent; field <= kStart; ++field) {
      // Terminals and priorities may be negative; what follows the sign is the number all the same.
      auto number = static_cast<double>(take_number(stat));
      if (field == kParent) row.ppid = number;
      if (field == kFlags) row.flags = number;
      if (field == kStart) row.start_time = number;
    }
    return true;
  }

  double file(int folder, const char* name) {
    errno = 0;
    auto content = reader_.read(folder, name);
    if (!content) return -errno;
    look_.texts.append(*content);
    return static_cast<double>(content->size());
  }

  double link(int folder, const char* name) {
    char target[PATH_MAX];
    ssize_t length = ::readlinkat(folder, name, target, sizeof target);
    if (length < 0) return -errno;
    look_.texts.append(target, static_cast<size_t>(length));
    return static_cast<double>(length);
  }

  // The effective one: "Uid: real effective saved file".
  double user(int folder) {
    errno = 0;
    auto status = reader_.read(folder, "status");
    if (!status) return -errno;
    size_t at = status->find("\nUid:");
    if (at == std::string_view::npos) return -EIO;
    status->remove_prefix(at);
    take_number(*status);
    return static_cast<double>(take_number(*status));
  }

  double descriptors(int folder) {
    int fd = ::openat(folder, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR* entries = fd < 0 ? nullptr : ::fdopendir(fd);
    if (!entries) return -errno;
    char target[PATH_MAX];
    while (dirent* entry = ::readdir(entries)) {
      ssize_t length = ::readlinkat(fd, entry->d_name, target, sizeof target);
      if (length > 0) compare({target, static_cast<size_t>(length)});
    }
    ::closedir(entries);
    return 0;
  }

  void compare(std::string_view target) {
    size_t row = look_.rows.size();
    constexpr std::string_view kSocket = "socket:[";
    if (target.starts_with(kSocket)) {
      uint64_t inode = take_number(target);
      if (auto found = listening_.find(inode); found != listening_.end()) note(look_.listens, row, found->second);
      if (auto found = unix_.find(inode); found != unix_.end()) note(look_.holds, row, found->second);
      return;
    }
    for (size_t at = 0; at < query_.files.size(); ++at) {
      if (target == query_.files[at]) note(look_.holds, row, at);
    }
  }

  // Once, however many descriptors there are.
  static void note(std::vector<std::pair<size_t, size_t>>& pairs, size_t row, size_t what) {
    for (auto at = pairs.rbegin(); at != pairs.rend() && at->first == row; ++at) {
      if (at->second == what) return;
    }
    pairs.emplace_back(row, what);
  }

  int proc_;
  const LookQuery& query_;
  Reader reader_;
  Look look_;
  std::unordered_map<uint64_t, size_t> listening_;
  std::map<uint64_t, size_t> unix_;
};

}  // namespace

Result<Look> look_at_processes(const LookQuery& query) {
  Fd proc(::open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!proc) return SystemError{"open(/proc)", errno};
  return Looking(proc.get(), query).look();
}

}  // namespace hsu
