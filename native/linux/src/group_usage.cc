#include "group_usage.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>

namespace hsu {

namespace {

Fd open_directory(int parent, const char* path) {
  return Fd(::openat(parent, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

// The files of one directory.
class Files {
 public:
  Files(int directory, Reader& reader) : directory_(directory), reader_(reader) {}

  std::optional<std::string_view> text(const char* name) { return reader_.read_record(directory_, name); }

  // A file of one number. "max" is none.
  double number(const char* name) {
    auto content = text(name);
    if (!content || content->empty() || content->front() < '0' || content->front() > '9') return NAN;
    return static_cast<double>(take_number(*content));
  }

 private:
  int directory_;
  Reader& reader_;
};

// The number of a line "key number", in any order of lines.
double value_of(std::string_view text, std::string_view key) {
  while (!text.empty()) {
    std::string_view line = take_line(text);
    if (line.size() <= key.size() || !line.starts_with(key) || line[key.size()] != ' ') continue;
    return static_cast<double>(take_number(line));
  }
  return NAN;
}

// "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0", a line for each device: what no line tells is nothing.
void read_io_stat(std::string_view text, GroupUsage& usage) {
  double sums[4] = {};
  constexpr std::string_view kKeys[] = {" rbytes=", " wbytes=", " rios=", " wios="};
  while (!text.empty()) {
    std::string_view line = take_line(text);
    for (size_t key = 0; key < std::size(kKeys); ++key) {
      size_t at = line.find(kKeys[key]);
      if (at == std::string_view::npos) continue;
      std::string_view rest = line.substr(at);
      sums[key] += static_cast<double>(take_number(rest));
    }
  }
  usage.read_bytes = sums[0];
  usage.written_bytes = sums[1];
  usage.read_ops = sums[2];
  usage.write_ops = sums[3];
}

// "some avg10=1.23 avg60=… avg300=… total=…", then the same of "full", which older kernels do not have for cpu.
void read_pressure(Files& files, const char* name, double& some, double& full) {
  auto text = files.text(name);
  if (!text) return;
  auto average = [&](std::string_view kind) {
    size_t at = text->find(kind);
    if (at == std::string_view::npos) return 0.0;
    std::string_view rest = text->substr(at + kind.size());
    auto whole = static_cast<double>(take_number(rest));
    return whole + static_cast<double>(take_number(rest)) / 100;
  };
  some = average("some avg10=");
  full = average("full avg10=");
}

void read_v2(Files files, bool pressure, GroupUsage& usage) {
  usage.memory = files.number("memory.current");
  if (!std::isnan(usage.memory)) {
    usage.memory_peak = files.number("memory.peak");
    usage.swap = files.number("memory.swap.current");
    if (auto events = files.text("memory.events")) {
      usage.memory_hits = value_of(*events, "high") + value_of(*events, "max");
      usage.oom_kills = value_of(*events, "oom_kill");
    }
  }
  if (auto cpu = files.text("cpu.stat")) {
    usage.cpu_ms = value_of(*cpu, "usage_usec") / 1e3;
    usage.cpu_throttled = value_of(*cpu, "nr_throttled");
  }
  if (auto io = files.text("io.stat")) read_io_stat(*io, usage);
  usage.processes = files.number("pids.current");
  if (!std::isnan(usage.processes)) {
    if (auto events = files.text("pids.events")) usage.process_hits = value_of(*events, "max");
  }
  if (!pressure) return;
  read_pressure(files, "cpu.pressure", usage.cpu_some, usage.cpu_full);
  read_pressure(files, "memory.pressure", usage.memory_some, usage.memory_full);
  read_pressure(files, "io.pressure", usage.io_some, usage.io_full);
}

// "8:0 Read 1", "8:0 Write 2", … for each device. No line of any: nothing yet, or a kernel that counts for groups with a
// throttle only (newer than 6.9).
void read_blkio(Files& files, const char* name, const char* older, double& reads, double& writes) {
  auto text = files.text(name);
  if (!text) text = files.text(older);
  if (!text) return;
  while (!text->empty()) {
    std::string_view line = take_line(*text);
    auto add = [&](std::string_view kind, double& sum) {
      size_t at = line.find(kind);
      if (at == std::string_view::npos) return;
      std::string_view rest = line.substr(at);
      sum = (std::isnan(sum) ? 0 : sum) + static_cast<double>(take_number(rest));
    };
    add(" Read ", reads);
    add(" Write ", writes);
  }
}

// Whether v2 has left anything for it to tell.
bool has_news(Controller controller, const GroupUsage& usage) {
  switch (controller) {
    case kMemory:
      return std::isnan(usage.memory);
    case kCpuacct:
      return std::isnan(usage.cpu_ms);
    case kCpu:
      return std::isnan(usage.cpu_throttled);
    case kPids:
      return std::isnan(usage.processes);
    case kBlkio:
      return std::isnan(usage.read_bytes);
    case kControllers:
      break;
  }
  return false;
}

void read_v1(Controller controller, Files files, GroupUsage& usage) {
  switch (controller) {
    case kMemory: {
      usage.memory = files.number("memory.usage_in_bytes");
      usage.memory_peak = files.number("memory.max_usage_in_bytes");
      // The two are not read in one instant.
      double both = files.number("memory.memsw.usage_in_bytes");
      if (!std::isnan(both)) usage.swap = std::max(0.0, both - usage.memory);
      usage.memory_hits = files.number("memory.failcnt");
      if (auto control = files.text("memory.oom_control")) usage.oom_kills = value_of(*control, "oom_kill");
      return;
    }
    case kCpuacct:
      usage.cpu_ms = files.number("cpuacct.usage") / 1e6;
      return;
    case kCpu:
      if (auto cpu = files.text("cpu.stat")) usage.cpu_throttled = value_of(*cpu, "nr_throttled");
      return;
    case kPids:
      usage.processes = files.number("pids.current");
      if (auto events = files.text("pids.events")) usage.process_hits = value_of(*events, "max");
      return;
    case kBlkio:
      read_blkio(files, "blkio.throttle.io_service_bytes_recursive", "blkio.throttle.io_service_bytes",
                 usage.read_bytes, usage.written_bytes);
      read_blkio(files, "blkio.throttle.io_serviced_recursive", "blkio.throttle.io_serviced", usage.read_ops,
                 usage.write_ops);
      return;
    case kControllers:
      return;
  }
}

void add_members(int directory, Reader& reader, std::vector<pid_t>& members) {
  auto text = reader.read(directory, "cgroup.procs");
  while (text && !text->empty()) {
    std::string_view line = take_line(*text);
    // 0 is a process of another pid namespace.
    if (auto pid = static_cast<pid_t>(take_number(line))) members.push_back(pid);
  }
  // A directory has a link of its own, one in its parent, and one in each directory below.
  struct stat status;
  if (::fstat(directory, &status) != 0 || status.st_nlink == 2) return;
  int copy = ::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR* entries = copy < 0 ? nullptr : ::fdopendir(copy);
  if (!entries) return;
  while (dirent* entry = ::readdir(entries)) {
    if (entry->d_type != DT_DIR || entry->d_name[0] == '.') continue;
    Fd below = open_directory(directory, entry->d_name);
    if (below) add_members(below.get(), reader, members);
  }
  ::closedir(entries);
}

}  // namespace

std::optional<GroupUsage> read_group_usage(const GroupPlace& place, bool pressure, Reader& reader,
                                           std::vector<pid_t>& members) {
  GroupUsage usage;
  bool found = false;
  if (!place.directory.empty()) {
    if (Fd directory = open_directory(AT_FDCWD, place.directory.c_str())) {
      found = true;
      read_v2(Files(directory.get(), reader), pressure, usage);
      add_members(directory.get(), reader, members);
    }
  }
  bool listed = !place.directory.empty();
  for (int at = 0; at < kControllers; ++at) {
    auto controller = static_cast<Controller>(at);
    const std::string& path = place.controllers[controller];
    if (path.empty() || (listed && !has_news(controller, usage))) continue;
    Fd directory = open_directory(AT_FDCWD, path.c_str());
    if (!directory) continue;
    found = true;
    read_v1(controller, Files(directory.get(), reader), usage);
    if (!std::exchange(listed, true)) add_members(directory.get(), reader, members);
  }
  if (!found) return std::nullopt;
  return usage;
}

}  // namespace hsu
