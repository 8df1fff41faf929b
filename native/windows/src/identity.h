#pragma once

// Acting on a process by pid and start time, so that a reused pid is never touched.

#include <cstdint>

#include "handle.h"
#include "hsu/result.h"

namespace hsu {

// A handle to exactly that process, which keeps its pid from being reused; ERROR_NOT_FOUND when it has ended or the pid is
// another's by now.
Result<Handle> open_process(DWORD pid, uint64_t start_time, DWORD access);

// The same of a process that nobody knows yet. `start_time` is set.
Result<Handle> open_living(DWORD pid, DWORD access, uint64_t& start_time);

bool has_ended(HANDLE process);
uint64_t start_time_of_process(HANDLE process);  // 0: not to be read

DWORD terminate_process(DWORD pid, uint64_t start_time, UINT code);  // 0 or an error
// Stops or resumes all its threads. What stops twice has to be resumed twice.
DWORD suspend_process(DWORD pid, uint64_t start_time, bool suspended);
// Whether it may be ended by us.
DWORD may_terminate(DWORD pid, uint64_t start_time);

}  // namespace hsu
