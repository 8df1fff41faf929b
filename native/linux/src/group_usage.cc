#include "group_usage.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/sysinfo.h>

#include <algorithm>

namespace hsu {

namespace {

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
void read_pressure(Files& files, const char* name, Reader& reader, double& some, double& full) {
  auto text = files.record(name, reader);
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

// Where there is no swap nothing can be in it.
bool has_swap() {
  struct sysinfo info;
  return ::sysinfo(&info) != 0 || info.totalswap > 0;
}

// "8:0 Read 1", "8:0 Write 2", … for each device. No line of any: nothing yet, or a kernel that counts for groups with a
// throttle only (newer than 6.9).
void read_blkio(Files& files, Reader& reader, const char* name, const char* older, double& reads, double& writes) {
  auto text = files.record(name, reader);
  if (!text) text = files.record(older, reader);
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
      return std::isnan(usage.process_hits);
    case kBlkio:
      return std::isnan(usage.read_bytes);
    case kControllers:
      break;
  }
  return false;
}

// Whether the directory is there.
bool add_members(Files& files, bool is_v1, Reader& reader, std::vector<pid_t>& members) {
  // An open file of v1 shows the members as they were when it was read first, until it was not read for a second.
  auto text = is_v1 ? files.fresh_list("cgroup.procs", reader) : files.list("cgroup.procs", reader);
  if (!text) return false;
  while (!text->empty()) {
    std::string_view line = take_line(*text);
    // 0 is a process of another pid namespace.
    if (auto pid = static_cast<pid_t>(take_number(line))) members.push_back(pid);
  }
  if (!files.has_folders()) return true;
  DIR* entries = ::opendir(files.path().c_str());
  if (!entries) return true;
  while (dirent* entry = ::readdir(entries)) {
    if (entry->d_type != DT_DIR || entry->d_name[0] == '.') continue;
    Files below(files.path() + '/' + entry->d_name, nullptr);
    add_members(below, is_v1, reader, members);
  }
  ::closedir(entries);
  return true;
}

}  // namespace

GroupReader::GroupReader(const GroupPlace& place, Shelf* shelf) {
  if (!place.directory.empty()) unified_.emplace(place.directory, shelf);
  for (int at = 0; at < kControllers; ++at) {
    if (!place.controllers[at].empty()) controllers_[at].emplace(place.controllers[at], shelf);
  }
}

void GroupReader::read_v2(GroupDetail detail, Reader& reader, GroupUsage& usage) {
  Files& files = *unified_;
  usage.memory = files.number("memory.current", reader);
  if (!std::isnan(usage.memory)) {
    if (detail.peak) usage.memory_peak = files.number("memory.peak", reader);
    usage.swap = has_swap() ? files.number("memory.swap.current", reader) : 0;
    if (auto events = files.record("memory.events", reader)) {
      // "high" is no limit: who passes it is slowed down and may go on.
      usage.memory_hits = value_of(*events, "max");
      usage.oom_kills = value_of(*events, "oom_kill");
    }
  }
  if (auto cpu = files.record("cpu.stat", reader)) {
    usage.cpu_ms = value_of(*cpu, "usage_usec") / 1e3;
    usage.cpu_throttled = value_of(*cpu, "nr_throttled");
  }
  if (auto io = files.record("io.stat", reader)) read_io_stat(*io, usage);
  if (auto events = files.record("pids.events", reader)) usage.process_hits = value_of(*events, "max");
  if (detail.peak) usage.processes = files.number("pids.current", reader);
  if (!detail.pressure) return;
  read_pressure(files, "cpu.pressure", reader, usage.cpu_some, usage.cpu_full);
  read_pressure(files, "memory.pressure", reader, usage.memory_some, usage.memory_full);
  read_pressure(files, "io.pressure", reader, usage.io_some, usage.io_full);
}

void GroupReader::read_memory_v1(Files& files, GroupDetail detail, Reader& reader, GroupUsage& usage) {
  usage.memory = files.number("memory.usage_in_bytes", reader);
  if (detail.peak) usage.memory_peak = files.number("memory.max_usage_in_bytes", reader);
  if (!has_swap()) {
    usage.swap = 0;
  } else {
    // The two are not read in one instant.
    double both = files.number("memory.memsw.usage_in_bytes", reader);
    if (!std::isnan(both)) usage.swap = std::max(0.0, both - usage.memory);
  }
  usage.memory_hits = files.number("memory.failcnt", reader);
  // Where the limit with swap is the same one, that one is reached first. Newer kernels count neither then, so that the
  // kills are looked at each time, whatever was refused.
  double with_swap = files.number("memory.memsw.failcnt", reader);
  if (!std::isnan(with_swap)) usage.memory_hits += with_swap;
  if (auto control = files.record("memory.oom_control", reader)) usage.oom_kills = value_of(*control, "oom_kill");
}

void GroupReader::read_v1(Controller controller, GroupDetail detail, Reader& reader, GroupUsage& usage) {
  Files& files = *controllers_[controller];
  switch (controller) {
    case kMemory:
      read_memory_v1(files, detail, reader, usage);
      return;
    case kCpuacct:
      usage.cpu_ms = files.number("cpuacct.usage", reader) / 1e6;
      return;
    case kCpu:
      if (auto cpu = files.record("cpu.stat", reader)) usage.cpu_throttled = value_of(*cpu, "nr_throttled");
      return;
    case kPids:
      if (detail.peak) usage.processes = files.number("pids.current", reader);
      if (auto events = files.record("pids.events", reader)) usage.process_hits = value_of(*events, "max");
      return;
    case kBlkio:
      read_blkio(files, reader, "blkio.throttle.io_service_bytes_recursive", "blkio.throttle.io_service_bytes",
                 usage.read_bytes, usage.written_bytes);
      read_blkio(files, reader, "blkio.throttle.io_serviced_recursive", "blkio.throttle.io_serviced", usage.read_ops,
                 usage.write_ops);
      return;
    case kControllers:
      return;
  }
}

std::optional<GroupUsage> GroupReader::read(GroupDetail detail, Reader& reader, std::vector<pid_t>& members) {
  GroupUsage usage;
  bool is_there = false, is_listed = false;
  if (unified_) {
    is_there = is_listed = add_members(*unified_, false, reader, members);
    if (is_there) read_v2(detail, reader, usage);
  }
  for (int at = 0; at < kControllers; ++at) {
    auto controller = static_cast<Controller>(at);
    if (!controllers_[at] || (is_there && !has_news(controller, usage))) continue;
    if (!is_listed) is_listed = add_members(*controllers_[at], true, reader, members);
    read_v1(controller, detail, reader, usage);
    is_there = is_there || is_listed;
  }
  if (!is_there) return std::nullopt;
  return usage;
}

}  // namespace hsu
