#include "plan.h"

#include <stdlib.h>

namespace hsu {

namespace {

void put(std::string& text, char letter, std::string_view value) {
  text += letter;
  text += value;
  text += '\0';
}

void put(std::string& text, char letter, long long value) { put(text, letter, std::to_string(value)); }

long long number(std::string_view& text) {
  char* end = nullptr;
  long long value = ::strtoll(text.data(), &end, 10);  // a NUL follows in any case
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return value;
}

}  // namespace

std::string Plan::written() const {
  std::string text;
  put(text, 'F', file);
  for (const std::string& word : argv) put(text, 'A', word);
  for (const std::string& entry : env) put(text, 'E', entry);
  if (!cwd.empty()) put(text, 'D', cwd);
  if (umask >= 0) put(text, 'M', umask);
  if (uid >= 0) put(text, 'U', uid);
  if (gid >= 0) put(text, 'G', gid);
  if (nofile >= 0) put(text, 'O', nofile);
  if (set_groups) put(text, 'S', "");
  for (gid_t group : groups) put(text, 'g', group);
  for (const PlannedLimit& limit : limits) {
    put(text, 'L', std::to_string(limit.resource) + ' ' + std::to_string(limit.soft) + ' ' + std::to_string(limit.hard));
  }
  if (nice) put(text, 'N', *nice);
  if (shell_fallback) put(text, 'H', "");
  if (tells_listen_pid) put(text, 'P', "");
  return text;
}

std::optional<Plan> Plan::read(std::string_view text) {
  Plan plan;
  while (!text.empty()) {
    size_t end = text.find('\0');
    if (end == std::string_view::npos) return std::nullopt;
    std::string_view value = text.substr(1, end - 1);
    char letter = text[0];
    text.remove_prefix(end + 1);
    switch (letter) {
      case 'F': plan.file = value; break;
      case 'A': plan.argv.emplace_back(value); break;
      case 'E': plan.env.emplace_back(value); break;
      case 'D': plan.cwd = value; break;
      case 'M': plan.umask = static_cast<int>(number(value)); break;
      case 'U': plan.uid = number(value); break;
      case 'G': plan.gid = number(value); break;
      case 'O': plan.nofile = number(value); break;
      case 'S': plan.set_groups = true; break;
      case 'g': plan.groups.push_back(static_cast<gid_t>(number(value))); break;
      case 'L': {
        PlannedLimit limit = {};
        limit.resource = static_cast<int>(number(value));
        limit.soft = number(value);
        limit.hard = number(value);
        plan.limits.push_back(limit);
        break;
      }
      case 'N': plan.nice = static_cast<int>(number(value)); break;
      case 'H': plan.shell_fallback = true; break;
      case 'P': plan.tells_listen_pid = true; break;
      default: return std::nullopt;
    }
  }
  if (plan.file.empty() || plan.argv.empty()) return std::nullopt;
  return plan;
}

}  // namespace hsu
