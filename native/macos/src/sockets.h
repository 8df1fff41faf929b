#pragma once

// What a process has open.

#include <libproc.h>
#include <sys/proc_info.h>
#include <sys/types.h>

#include <optional>
#include <vector>

namespace hsu {

int list_descriptors(pid_t pid, std::vector<proc_fdinfo>& found);  // 0 or errno
std::optional<socket_info> socket_of(pid_t pid, int fd);

// TCP, being made or standing.
double count_connections(pid_t pid, const std::vector<proc_fdinfo>& open);

}  // namespace hsu
