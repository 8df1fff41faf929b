#include "identity.h"

#include "ntdll.h"
#include "file_time.h"

namespace hsu {

namespace {

// Whether it has ended takes this right; what may not be waited for may not be watched either.
constexpr DWORD kAlways = PROCESS_QUERY_LIMITED_INFORMATION | SYNCHRONIZE;

}  // namespace

bool has_ended(HANDLE process) { return ::WaitForSingleObject(process, 0) == WAIT_OBJECT_0; }

uint64_t start_time_of_process(HANDLE process) {
  FILETIME created, exited, kernel, user;
  if (!::GetProcessTimes(process, &created, &exited, &kernel, &user)) return 0;
  return start_time_of(ticks_of(created));
}

Result<Handle> open_living(DWORD pid, DWORD access, uint64_t& start_time) {
  Handle process(::OpenProcess(access | kAlways, FALSE, pid));
  if (!process) return SystemError{"OpenProcess", static_cast<int>(::GetLastError())};
  start_time = start_time_of_process(process.get());
  if (has_ended(process.get())) return SystemError{"OpenProcess", ERROR_NOT_FOUND};
  return process;
}

Result<Handle> open_process(DWORD pid, uint64_t start_time, DWORD access) {
  uint64_t found = 0;
  auto process = open_living(pid, access, found);
  // A pid that nobody has.
  if (!process && process.error().error == ERROR_INVALID_PARAMETER) return SystemError{"OpenProcess", ERROR_NOT_FOUND};
  if (process && found != start_time) return SystemError{"OpenProcess", ERROR_NOT_FOUND};
  return process;
}

DWORD terminate_process(DWORD pid, uint64_t start_time, UINT code) {
  auto process = open_process(pid, start_time, PROCESS_TERMINATE);
  if (!process) return static_cast<DWORD>(process.error().error);
  if (::TerminateProcess(process->get(), code)) return 0;
  DWORD error = ::GetLastError();
  // Who is ending already cannot be ended again.
  return error == ERROR_ACCESS_DENIED && has_ended(process->get()) ? ERROR_NOT_FOUND : error;
}

DWORD suspend_process(DWORD pid, uint64_t start_time, bool suspended) {
  auto process = open_process(pid, start_time, PROCESS_SUSPEND_RESUME);
  if (!process) return static_cast<DWORD>(process.error().error);
  const auto& nt = ntdll();
  auto call = suspended ? nt.suspend_process : nt.resume_process;
  if (!call) return ERROR_PROC_NOT_FOUND;
  NTSTATUS status = call(process->get());
  return status < 0 ? nt.error_of(status) : 0;
}

DWORD may_terminate(DWORD pid, uint64_t start_time) {
  auto process = open_process(pid, start_time, PROCESS_TERMINATE);
  return process ? 0 : static_cast<DWORD>(process.error().error);
}

}  // namespace hsu
