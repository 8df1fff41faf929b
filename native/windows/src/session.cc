#include "session.h"

#include <algorithm>
#include <mutex>

namespace hsu {

namespace {

// Until what was asked to end has ended: the system does not wait for ever.
constexpr DWORD kPatience = INFINITE;

struct Watch {
  std::mutex mutex;
  std::function<void(SessionEnd)> hear;
  HANDLE done = nullptr;
};

Watch& watch() {
  static auto* one = new Watch;
  return *one;
}

void tell_and_wait(SessionEnd end) {
  Watch& one = watch();
  {
    std::lock_guard lock(one.mutex);
    if (!one.hear) return;
    one.hear(end);
  }
  ::WaitForSingleObject(one.done, kPatience);
}

BOOL WINAPI on_console(DWORD event) {
  switch (event) {
    case CTRL_CLOSE_EVENT:
      tell_and_wait(SessionEnd::close);
      return TRUE;
    case CTRL_LOGOFF_EVENT:
      tell_and_wait(SessionEnd::log_off);
      return TRUE;
    case CTRL_SHUTDOWN_EVENT:
      tell_and_wait(SessionEnd::shutdown);
      return TRUE;
    default:
      return FALSE;
  }
}

LRESULT CALLBACK on_message(HWND window, UINT message, WPARAM word, LPARAM details) {
  if (message == WM_ENDSESSION && word)
    tell_and_wait((details & ENDSESSION_LOGOFF) ? SessionEnd::log_off : SessionEnd::shutdown);
  return ::DefWindowProcW(window, message, word, details);
}

// A program that uses user32.dll, as Node does, is told of these ends by a window only, which is never shown.
DWORD WINAPI serve_window(void*) {
  HINSTANCE module = ::GetModuleHandleW(nullptr);
  WNDCLASSW kind = {};
  kind.lpfnWndProc = on_message;
  kind.hInstance = module;
  kind.lpszClassName = L"hsu-master-session";
  if (!::RegisterClassW(&kind)) return 0;
  HWND window = ::CreateWindowExW(0, kind.lpszClassName, L"", WS_OVERLAPPED, 0, 0, 0, 0, nullptr, nullptr, module, nullptr);
  if (!window) return 0;
  MSG message;
  while (::GetMessageW(&message, nullptr, 0, 0) > 0) ::DispatchMessageW(&message);
  return 0;
}

struct Counting {
  const DWORD* pids;
  size_t count;
  int found;
};

BOOL CALLBACK count_window(HWND window, LPARAM argument) {
  auto* counting = reinterpret_cast<Counting*>(argument);
  DWORD pid = 0;
  ::GetWindowThreadProcessId(window, &pid);
  const DWORD* end = counting->pids + counting->count;
  if (::IsWindowVisible(window) && std::find(counting->pids, end, pid) != end) counting->found += 1;
  return TRUE;
}

}  // namespace

DWORD watch_session(std::function<void(SessionEnd)> hear) {
  Watch& one = watch();
  {
    std::lock_guard lock(one.mutex);
    bool again = one.done != nullptr;
    one.hear = std::move(hear);
    if (again) return 0;
    one.done = ::CreateEventW(nullptr, TRUE, FALSE, nullptr);
    if (!one.done) return ::GetLastError();
  }
  if (!::SetConsoleCtrlHandler(on_console, TRUE)) return ::GetLastError();
  // Near the last to be ended: those that it has started wait for it.
  ::SetProcessShutdownParameters(0x300, 0);
  HANDLE thread = ::CreateThread(nullptr, 0, serve_window, nullptr, 0, nullptr);
  if (thread) ::CloseHandle(thread);
  return 0;
}

void session_done() {
  Watch& one = watch();
  std::lock_guard lock(one.mutex);
  one.hear = nullptr;
  if (one.done) ::SetEvent(one.done);
}

int visible_windows(const DWORD* pids, size_t count) {
  Counting counting = {pids, count, 0};
  ::EnumWindows(count_window, reinterpret_cast<LPARAM>(&counting));
  return counting.found;
}

}  // namespace hsu
