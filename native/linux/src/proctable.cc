#include "proctable.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "file.h"

namespace hsu {

namespace {

// "pid (name) state ppid pgrp session tty tpgid flags …": the name may hold anything, ')' included.
std::optional<ProcessRow> parse_stat(const char* text) {
  const char* end = ::strrchr(text, ')');
  if (!end || end[1] != ' ' || !end[2]) return std::nullopt;
  ProcessRow row = {};
  row.pid = static_cast<pid_t>(::strtol(text, nullptr, 10));
  row.state = end[2];
  char* at = const_cast<char*>(end + 3);
  row.ppid = static_cast<pid_t>(::strtol(at, &at, 10));
  row.pgid = static_cast<pid_t>(::strtol(at, &at, 10));
  row.sid = static_cast<pid_t>(::strtol(at, &at, 10));
  for (int field = 0; field < 2; ++field) ::strtol(at, &at, 10);
  row.flags = ::strtoul(at, &at, 10);
  constexpr int kFieldsBeforeStartTime = 12;
  for (int field = 0; field < kFieldsBeforeStartTime; ++field) ::strtoll(at, &at, 10);
  row.start_time = ::strtoull(at, &at, 10);
  if (row.state != 'Z') return row;
  constexpr int kFieldsBeforeExitCode = 29;
  for (int field = 0; field < kFieldsBeforeExitCode; ++field) ::strtoull(at, &at, 10);
  row.exit_code = static_cast<int>(::strtol(at, nullptr, 10));
  return row;
}

// `open` and `read` may fail with ESRCH or ENOENT at any time: the process has gone. Of anything else errno tells.
std::optional<ProcessRow> read_stat_at(int proc, const char* path) {
  errno = 0;
  Fd fd(::openat(proc, path, O_RDONLY | O_CLOEXEC));
  if (!fd) return std::nullopt;
  char text[1024];
  ssize_t length = read_some(fd.get(), text, sizeof text - 1);
  if (length <= 0) return std::nullopt;
  text[length] = '\0';
  return parse_stat(text);
}

}  // namespace

std::optional<ProcessRow> read_process(pid_t pid) {
  char path[32];
  ::snprintf(path, sizeof path, "/proc/%d/stat", pid);
  return with_reserve([&] { return read_stat_at(AT_FDCWD, path); });
}

namespace {

Result<std::vector<ProcessRow>> read_table() {
  DIR* proc = ::opendir("/proc");
  if (!proc) return SystemError{"open(/proc)", errno};
  std::vector<ProcessRow> rows;
  char path[32];
  while (dirent* entry = ::readdir(proc)) {
    if (entry->d_name[0] < '1' || entry->d_name[0] > '9') continue;
    ::snprintf(path, sizeof path, "%.20s/stat", entry->d_name);
    if (auto row = read_stat_at(::dirfd(proc), path)) {
      rows.push_back(*row);
    } else if (is_shortage(errno)) {
      // Whoever is not listed counts as gone.
      int error = errno;
      ::closedir(proc);
      errno = error;
      return SystemError{"open(/proc/<pid>/stat)", error};
    } else if (errno == ENOENT || errno == ESRCH) {
      rows.push_back({static_cast<pid_t>(::strtol(entry->d_name, nullptr, 10)), 0, 0, 0, 0, 0, 'X', 0});
    }
  }
  ::closedir(proc);
  return rows;
}

}  // namespace

Result<std::vector<ProcessRow>> read_process_table() { return with_reserve(read_table); }

namespace {

// Alive, but the arguments are as empty as the environment: an exec sets both together, last, and who exits gives its
// memory back before it becomes a zombie. Kernel threads never have either.
bool is_without_memory(pid_t pid) {
  constexpr unsigned long kKernelThread = 0x00200000;
  char path[32];
  ::snprintf(path, sizeof path, "/proc/%d/cmdline", pid);
  auto arguments = read_whole(path, 1);
  if (arguments && !arguments->empty()) return false;
  auto row = read_process(pid);
  return row && row->state != 'Z' && row->state != 'X' && !(row->flags & kKernelThread);
}

}  // namespace

Variable read_environment(pid_t pid, const std::string& name) {
  constexpr size_t kLongest = 16 * 1024 * 1024;
  char path[32];
  ::snprintf(path, sizeof path, "/proc/%d/environ", pid);
  auto content = with_reserve([&] { return read_whole(path, kLongest); });
  if (!content && is_shortage(errno)) return {std::nullopt, true};
  if (content ? content->empty() : errno == ESRCH) {
    if (is_without_memory(pid)) return {std::nullopt, true};
    content = read_whole(path, kLongest);
  }
  if (!content) return {};
  std::string prefix = name + "=";
  for (size_t at = 0; at < content->size();) {
    size_t end = content->find('\0', at);
    if (end == std::string::npos) end = content->size();
    if (content->compare(at, prefix.size(), prefix) == 0) return {content->substr(at + prefix.size(), end - at - prefix.size())};
    at = end + 1;
  }
  return {};
}

std::vector<pid_t> threads_of(pid_t pid) {
  char path[32];
  ::snprintf(path, sizeof path, "/proc/%d/task", pid);
  std::vector<pid_t> threads;
  DIR* tasks = ::opendir(path);
  if (!tasks) return threads;
  while (dirent* entry = ::readdir(tasks)) {
    if (entry->d_name[0] != '.') threads.push_back(static_cast<pid_t>(::strtol(entry->d_name, nullptr, 10)));
  }
  ::closedir(tasks);
  return threads;
}

// Where the stack began is chosen at random with each exec: who has ours has all of our memory, or a copy of it.
bool shares_our_memory(pid_t pid) {
  auto stack_start = [](const char* path) -> uint64_t {
    auto text = read_whole(path, 4096);
    size_t at = text ? text->rfind(')') : std::string::npos;
    constexpr int kFieldsBetween = 26;
    for (int field = 0; field < kFieldsBetween && at != std::string::npos; ++field) at = text->find(' ', at + 1);
    return at == std::string::npos ? 0 : ::strtoull(text->c_str() + at, nullptr, 10);
  };
  char path[32];
  ::snprintf(path, sizeof path, "/proc/%d/stat", pid);
  uint64_t start = stack_start(path);
  return start != 0 && start == stack_start("/proc/self/stat");
}

Result<std::string> read_boot_id() {
  auto content = read_whole("/proc/sys/kernel/random/boot_id", 128);
  if (!content) return SystemError{"read(/proc/sys/kernel/random/boot_id)", errno};
  while (!content->empty() && content->back() == '\n') content->pop_back();
  return *content;
}

std::optional<std::vector<pid_t>> main_thread_children() {
  char path[64];
  ::snprintf(path, sizeof path, "/proc/self/task/%d/children", ::getpid());
  auto content = read_whole(path, SIZE_MAX);
  if (!content) return std::nullopt;
  std::vector<pid_t> children;
  for (char* at = content->data(); *at;) {
    char* end;
    long pid = ::strtol(at, &end, 10);
    if (end == at) break;
    children.push_back(static_cast<pid_t>(pid));
    at = end + (*end != '\0');
  }
  return children;
}

}  // namespace hsu
