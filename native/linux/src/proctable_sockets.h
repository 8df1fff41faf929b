#pragma once

// What the system's tables of sockets say.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "file.h"
#include "proctable_look.h"

namespace hsu {

// Those of the network namespace of the master that the query asks for.
std::vector<ListeningSocket> listening_sockets(int proc, const LookQuery& query, Reader& reader);

// The inodes of unix sockets that are bound to these paths, with the numbers of the paths.
std::map<uint64_t, size_t> unix_sockets(int proc, const std::vector<std::string>& paths, Reader& reader);

}  // namespace hsu
