#include "users.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>  // where macOS has getgrouplist

#include <cstdint>

namespace hsu {

namespace {

constexpr size_t kLargestEntry = 16 * 1024 * 1024;
// Nobody has such a name, and systemd's name service ends the process that asks it for a very long one.
constexpr size_t kLongestName = 1024;

std::optional<uint32_t> as_id(const std::string& text) {
  if (text.empty() || text.size() > 10) return std::nullopt;
  uint64_t id = 0;
  for (char digit : text) {
    if (digit < '0' || digit > '9') return std::nullopt;
    id = id * 10 + static_cast<uint64_t>(digit - '0');
  }
  if (id >= UINT32_MAX) return std::nullopt;  // -1 means "leave it" to the system
  return static_cast<uint32_t>(id);
}

// Name services say "unknown" in several ways.
bool means_unknown(int error) { return error == ENOENT || error == ESRCH || error == EBADF || error == EPERM; }

// `call(buffer, size, &found)` until the buffer is large enough.
template <class Entry, class Call>
Result<Entry*> look_up(const char* name, std::vector<char>& buffer, Call call) {
  for (buffer.resize(1024);; buffer.resize(buffer.size() * 2)) {
    Entry* found = nullptr;
    int error = call(buffer.data(), buffer.size(), &found);
    if (error == EINTR) continue;
    if (error == ERANGE && buffer.size() < kLargestEntry) continue;
    if (error && !means_unknown(error)) return SystemError{name, error};
    return found;
  }
}

std::vector<gid_t> groups_of(const passwd& entry) {
  std::vector<gid_t> groups(32);
  for (;;) {
    int count = static_cast<int>(groups.size());
#ifdef __APPLE__
    static_assert(sizeof(gid_t) == sizeof(int));
    auto* into = reinterpret_cast<int*>(groups.data());
    int found = ::getgrouplist(entry.pw_name, static_cast<int>(entry.pw_gid), into, &count);
#else
    int found = ::getgrouplist(entry.pw_name, entry.pw_gid, groups.data(), &count);
#endif
    if (found >= 0) {
      groups.resize(static_cast<size_t>(count));
      return groups;
    }
    groups.resize(std::max(static_cast<size_t>(count), groups.size() * 2));
  }
}

}  // namespace

Result<std::optional<User>> find_user(const std::string& name_or_id) {
  if (name_or_id.size() > kLongestName) return std::optional<User>();
  passwd entry;
  std::vector<char> buffer;
  auto found = look_up<passwd>("getpwnam_r", buffer, [&](char* space, size_t size, passwd** result) {
    return ::getpwnam_r(name_or_id.c_str(), &entry, space, size, result);
  });
  if (!found) return found.error();
  if (auto id = as_id(name_or_id); id && !*found) {
    found = look_up<passwd>("getpwuid_r", buffer, [&](char* space, size_t size, passwd** result) {
      return ::getpwuid_r(*id, &entry, space, size, result);
    });
    if (!found) return found.error();
  }
  if (!*found) return std::optional<User>();
  return std::optional<User>(User{entry.pw_uid, entry.pw_gid, groups_of(entry), entry.pw_dir, entry.pw_name});
}

Result<std::optional<gid_t>> find_group(const std::string& name_or_id) {
  if (name_or_id.size() > kLongestName) return std::optional<gid_t>();
  group entry;
  std::vector<char> buffer;
  auto found = look_up<group>("getgrnam_r", buffer, [&](char* space, size_t size, group** result) {
    return ::getgrnam_r(name_or_id.c_str(), &entry, space, size, result);
  });
  if (!found) return found.error();
  if (*found) return std::optional<gid_t>(entry.gr_gid);
  // A group needs no entry to be used by number.
  return as_id(name_or_id);
}

}  // namespace hsu
