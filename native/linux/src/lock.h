#pragma once

#include <optional>
#include <string>

#include "hsu/fd.h"
#include "hsu/result.h"

namespace hsu {

// An exclusive lock on the file, created if need be. None: someone else holds it. Released by closing, and by the
// end of the process; children never inherit it.
Result<std::optional<Fd>> lock_file(const std::string& path);

// The same by a descriptor that the program before an exec has left, where it is of that file: the lock was never open. Else the
// descriptor is left alone.
Result<std::optional<Fd>> keep_lock(const std::string& path, int inherited);

}  // namespace hsu
