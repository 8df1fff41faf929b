#pragma once

// The end of the session: the console is closed, the user logs off, the machine goes down. The system ends this process when the call
// that tells so returns, and some seconds later in any case.

#include <functional>

#include "win.h"

namespace hsu {

enum class SessionEnd : int { close = 0, log_off = 1, shutdown = 2 };

// `hear` is called on a thread of the system, which then waits for `session_done`. Once in a process. 0 or an error.
DWORD watch_session(std::function<void(SessionEnd)> hear);
void session_done();

// How many windows processes with these pids show: 0 for who is to have none.
int visible_windows(const DWORD* pids, size_t count);

}  // namespace hsu
