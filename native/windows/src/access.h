#pragma once

// Who may do what, in the system's own words.

#include <string>

#include "win.h"

namespace hsu {

std::wstring user_of_process(HANDLE process);  // its SID as text; empty: not to be read
std::wstring own_user();
// For its owner, the system and administrators of this machine; for nobody who comes over the network.
std::wstring owners_only();

// From such a text; to be freed with LocalFree. nullptr leaves GetLastError.
PSECURITY_DESCRIPTOR descriptor_of(const std::wstring& text);

}  // namespace hsu
