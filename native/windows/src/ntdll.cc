#include "ntdll.h"

namespace hsu {

namespace {

template <class Function>
void find(HMODULE module, const char* name, Function& function) {
  // By way of a pointer without arguments: the compilers warn of any other such cast.
  function = reinterpret_cast<Function>(reinterpret_cast<void (*)()>(::GetProcAddress(module, name)));
}

Ntdll load() {
  Ntdll found;
  HMODULE module = ::GetModuleHandleW(L"ntdll.dll");
  if (!module) return found;
  find(module, "NtSuspendProcess", found.suspend_process);
  find(module, "NtResumeProcess", found.resume_process);
  find(module, "NtQuerySystemInformation", found.query_system);
  find(module, "NtQueryInformationProcess", found.query_process);
  find(module, "RtlNtStatusToDosError", found.status_to_error);
  found.is_wine = ::GetProcAddress(module, "wine_get_version") != nullptr;
  return found;
}

}  // namespace

DWORD Ntdll::error_of(NTSTATUS status) const {
  return status_to_error ? status_to_error(status) : static_cast<DWORD>(ERROR_GEN_FAILURE);
}

const Ntdll& ntdll() {
  static const Ntdll found = load();
  return found;
}

}  // namespace hsu
