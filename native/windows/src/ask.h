#pragma once

// Ways to ask programs to end that need no relay, and what a shared console needs.

#include <vector>

#include "win.h"

namespace hsu {

// WM_CLOSE to the top-level windows of these processes that are on our desktop. How many were asked.
int close_windows(const std::vector<DWORD>& pids);

// Everybody on our console, ourselves among them; empty: we have none.
std::vector<DWORD> console_pids();

// The repair of a shared console after one of its processes has ended: attaching to who is gone fails, and the failing has the system
// forget it. 0: somebody has that pid again, and was let go of at once; else the error, which is the ordinary outcome.
DWORD repair_console(DWORD dead_pid);

}  // namespace hsu
