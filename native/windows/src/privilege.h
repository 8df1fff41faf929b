#pragma once

// What the master itself may do.

#include <string>

#include "win.h"

namespace hsu {

// Switches on a privilege that our token has. 0; ERROR_NOT_ALL_ASSIGNED where it has not.
DWORD enable_privilege(const std::wstring& name);

// Whether we run with the full rights of an administrator.
bool is_elevated();

}  // namespace hsu
