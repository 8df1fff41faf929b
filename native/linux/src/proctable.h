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
  unsigned long flags;  // PF_…
  char state;
  int exit_code;  // of one that has ended, as wait(2) has it; 0 where it may not be seen
};

std::optional<ProcessRow> read_process(pid_t pid);  // none when gone or hidden
// A process that was listed and gone when its row was read has state 'X' and nothing but its pid.
Result<std::vector<ProcessRow>> read_process_table();

struct Variable {
  std::optional<std::string> value;
  bool unknown = false;  // alive without memory at this moment: in the middle of an exec, or of its exit
};
Variable read_environment(pid_t pid, const std::string& name);
Result<std::string> read_boot_id();

std::vector<pid_t> threads_of(pid_t pid);

// A child of ours that has not execed yet.
bool shares_our_memory(pid_t pid);

// The children of the main thread. None where the kernel does not tell (CONFIG_PROC_CHILDREN).
std::optional<std::vector<pid_t>> main_thread_children();

}  // namespace hsu
