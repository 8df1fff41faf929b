#pragma once

// Users and groups as the system's name services know them.

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "hsu/result.h"

namespace hsu {

struct User {
  uid_t uid;
  gid_t gid;
  std::vector<gid_t> groups;  // supplementary and primary
  std::string home, name;
};

// A name first, then, if it is all digits, an id. None: unknown.
Result<std::optional<User>> find_user(const std::string& name_or_id);
Result<std::optional<gid_t>> find_group(const std::string& name_or_id);

}  // namespace hsu
