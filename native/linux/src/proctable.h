#pragma once

// What /proc says about processes.

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "hsu/result.h"

namespace hsu {

struct ProcessRow {
  pid_t pid, ppid, pgid, sid;
  uint64_t start_time;  // clock ticks since boot
  char state;
};

std::optional<ProcessRow> read_process(pid_t pid);  // none when gone or hidden
Result<std::vector<ProcessRow>> read_process_table();
std::optional<std::string> read_environment(pid_t pid, const std::string& name);
Result<std::string> read_boot_id();

// The children of the main thread. None where the kernel does not tell (CONFIG_PROC_CHILDREN).
std::optional<std::vector<pid_t>> main_thread_children();

}  // namespace hsu
