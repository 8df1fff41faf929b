#include "process_usage.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

namespace hsu {

namespace {

constexpr size_t kPathSize = 48;

const double kTickMs = 1e3 / static_cast<double>(::sysconf(_SC_CLK_TCK));
const auto kPage = static_cast<double>(::sysconf(_SC_PAGESIZE));

const char* path_of(char* path, pid_t pid, const char* name) {
  ::snprintf(path, kPathSize, "%d/%s", pid, name);
  return path;
}

// Fields from the state on, in the order of proc(5), the state being field 3.
std::optional<ProcessUsage> parse(pid_t pid, std::string_view stat) {
  size_t name_end = stat.rfind(')');
  if (name_end == std::string_view::npos || name_end + 3 > stat.size()) return std::nullopt;
  char state = stat[name_end + 2];
  stat.remove_prefix(name_end + 3);
  constexpr int kFirst = 4, kLast = 24;
  double field[kLast + 1];
  for (int at = kFirst; at <= kLast; ++at) field[at] = static_cast<double>(take_number(stat));
  enum { utime = 14, stime, cutime, cstime, threads = 20, start_time = 22, size, rss };
  // A leader that has ended while other threads of it live looks like a zombie too.
  if ((state == 'Z' || state == 'X') && field[threads] <= 1) return std::nullopt;
  ProcessUsage usage;
  usage.pid = pid;
  usage.start_time = field[start_time];
  usage.cpu_ms = (field[utime] + field[stime]) * kTickMs;
  usage.children_cpu_ms = (field[cutime] + field[cstime]) * kTickMs;
  usage.rss = field[rss] * kPage;
  usage.size = field[size];
  usage.threads = field[threads];
  return usage;
}

}  // namespace

std::optional<ProcessUsage> read_process_usage(Files& files, pid_t pid, bool with_io, Reader& reader) {
  auto stat = files.record("stat", reader);
  if (!stat) return std::nullopt;
  auto usage = parse(pid, *stat);
  if (!usage) return std::nullopt;
  if (!with_io) return usage;
  auto io = files.record("io", reader);
  if (!io) return usage;
  // rchar, wchar, syscr, syscw, read_bytes, write_bytes
  for (int line = 0; line < 2; ++line) take_number(*io);
  usage->read_ops = static_cast<double>(take_number(*io));
  usage->write_ops = static_cast<double>(take_number(*io));
  usage->read_bytes = static_cast<double>(take_number(*io));
  usage->written_bytes = static_cast<double>(take_number(*io));
  return usage;
}

// The size of the folder is their number since Linux 6.2, and 0 before.
double count_descriptors(int proc, pid_t pid) {
  char path[kPathSize];
  struct stat folder;
  path_of(path, pid, "fd");
  if (::fstatat(proc, path, &folder, 0) != 0) return NAN;
  if (folder.st_size > 0) return static_cast<double>(folder.st_size);
  int fd = ::openat(proc, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR* entries = fd < 0 ? nullptr : ::fdopendir(fd);
  if (!entries) return NAN;
  double count = 0;
  while (dirent* entry = ::readdir(entries)) count += entry->d_name[0] != '.';
  ::closedir(entries);
  return count;
}

double read_pss(int proc, pid_t pid, Reader& reader) {
  char path[kPathSize];
  auto rollup = reader.read(proc, path_of(path, pid, "smaps_rollup"));
  if (!rollup) return NAN;
  size_t at = rollup->find("\nPss:");
  if (at == std::string_view::npos) return NAN;
  rollup->remove_prefix(at);
  return static_cast<double>(take_number(*rollup)) * 1024;
}

}  // namespace hsu
