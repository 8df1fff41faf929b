#include "privilege.h"

#include "handle.h"

namespace hsu {

DWORD enable_privilege(const std::wstring& name) {
  HANDLE opened = nullptr;
  if (!::OpenProcessToken(::GetCurrentProcess(), TOKEN_ADJUST_PRIVILEGES | TOKEN_QUERY, &opened)) return ::GetLastError();
  Handle token(opened);
  TOKEN_PRIVILEGES wanted = {};
  wanted.PrivilegeCount = 1;
  wanted.Privileges[0].Attributes = SE_PRIVILEGE_ENABLED;
  if (!::LookupPrivilegeValueW(nullptr, name.c_str(), &wanted.Privileges[0].Luid)) return ::GetLastError();
  if (!::AdjustTokenPrivileges(token.get(), FALSE, &wanted, 0, nullptr, nullptr)) return ::GetLastError();
  // It succeeds also where nothing was switched on.
  return ::GetLastError();
}

bool is_elevated() {
  HANDLE opened = nullptr;
  if (!::OpenProcessToken(::GetCurrentProcess(), TOKEN_QUERY, &opened)) return false;
  Handle token(opened);
  TOKEN_ELEVATION elevation = {};
  DWORD length = 0;
  return ::GetTokenInformation(token.get(), TokenElevation, &elevation, sizeof elevation, &length) &&
         elevation.TokenIsElevated != 0;
}

}  // namespace hsu
