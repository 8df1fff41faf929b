#include "ask.h"

#include <algorithm>

namespace hsu {

namespace {

struct Search {
  const std::vector<DWORD>& pids;
  int asked;
};

BOOL CALLBACK ask_window(HWND window, LPARAM parameter) {
  auto search = reinterpret_cast<Search*>(parameter);
  DWORD pid = 0;
  ::GetWindowThreadProcessId(window, &pid);
  bool is_theirs = std::find(search->pids.begin(), search->pids.end(), pid) != search->pids.end();
  // A window that belongs to another is closed by that.
  if (is_theirs && ::GetWindow(window, GW_OWNER) == nullptr && ::PostMessageW(window, WM_CLOSE, 0, 0)) ++search->asked;
  return TRUE;
}

}  // namespace

int close_windows(const std::vector<DWORD>& pids) {
  Search search = {pids, 0};
  ::EnumWindows(&ask_window, reinterpret_cast<LPARAM>(&search));
  return search.asked;
}

std::vector<DWORD> console_pids() {
  std::vector<DWORD> pids(64);
  for (;;) {
    // It writes nothing where there are more than have room, and says how many there are.
    DWORD count = ::GetConsoleProcessList(pids.data(), static_cast<DWORD>(pids.size()));
    bool all = count <= pids.size();
    pids.resize(count);
    if (all) return pids;
  }
}

DWORD repair_console(DWORD dead_pid) {
  if (!::AttachConsole(dead_pid)) return ::GetLastError();
  ::FreeConsole();
  return 0;
}

}  // namespace hsu
