#pragma once

// Errors of Windows as the numbers that JavaScript has names for: those of <errno.h>, as os.constants.errno has them.

#include <windows.h>

namespace hsu {

int errno_of(DWORD error);

inline int last_errno() { return errno_of(GetLastError()); }

}  // namespace hsu
