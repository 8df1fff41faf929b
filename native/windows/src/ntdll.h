#pragma once

// Calls of ntdll.dll that no import library has everywhere: looked up when they are first needed, null where they are not.

#include <winternl.h>

#include "win.h"

namespace hsu {

struct Ntdll {
  NTSTATUS(NTAPI* suspend_process)(HANDLE) = nullptr;
  NTSTATUS(NTAPI* resume_process)(HANDLE) = nullptr;
  NTSTATUS(NTAPI* query_system)(ULONG, void*, ULONG, ULONG*) = nullptr;
  NTSTATUS(NTAPI* query_process)(HANDLE, ULONG, void*, ULONG, ULONG*) = nullptr;
  ULONG(NTAPI* status_to_error)(NTSTATUS) = nullptr;
  bool is_wine = false;

  DWORD error_of(NTSTATUS status) const;
};

const Ntdll& ntdll();

}  // namespace hsu
