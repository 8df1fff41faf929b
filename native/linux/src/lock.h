#pragma once

#include <optional>
#include <string>

#include "hsu/fd.h"
#include "hsu/result.h"

namespace hsu {

// An exclusive lock on the file, created if need be. None: someone else holds it. Released by closing, and by the
// end of the process; children never inherit it.
Result<std::optional<Fd>> lock_file(const std::string& path);

}  // namespace hsu
