#pragma once

// A lock on a file that the system drops with its holder.

#include <string>

#include "handle.h"
#include "hsu/result.h"

namespace hsu {

// Makes the file if need be. An empty handle: somebody else holds it. Others can still read and write the file.
Result<Handle> lock_file(const std::string& path);

}  // namespace hsu
