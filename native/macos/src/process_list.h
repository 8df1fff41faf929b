#pragma once

// The process table as sysctl tells it.

#include <sys/sysctl.h>

#include <optional>
#include <string>
#include <vector>

#include "hsu/result.h"
#include "proctable.h"

namespace hsu {

// All, or those of one kind of <sys/sysctl.h>: KERN_PROC_PGRP and a group.
Result<std::vector<kinfo_proc>> list_processes(int kind = KERN_PROC_ALL, int value = 0);
std::optional<kinfo_proc> find_process(pid_t pid);  // none leaves errno
bool group_lives(pid_t pgid);  // whether any of it is more than a zombie
ProcessRow row_of(const kinfo_proc& process);

// KERN_PROCARGS2; empty with an errno.
std::string read_process_args(pid_t pid, int& error);

}  // namespace hsu
