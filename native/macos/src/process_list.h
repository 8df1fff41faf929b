#pragma once

// The process table as sysctl tells it.

#include <sys/sysctl.h>

#include <optional>
#include <string>
#include <vector>

#include "hsu/result.h"
#include "proctable.h"

namespace hsu {

Result<std::vector<kinfo_proc>> list_processes();
std::optional<kinfo_proc> find_process(pid_t pid);  // none leaves errno
ProcessRow row_of(const kinfo_proc& process);

// KERN_PROCARGS2; empty with an errno.
std::string read_process_args(pid_t pid, int& error);

}  // namespace hsu
