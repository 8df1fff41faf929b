#include "proctable_sockets.h"

#include <netinet/in.h>

#include <algorithm>

namespace hsu {

namespace {

std::string_view take_word(std::string_view& line) {
  size_t begin = std::min(line.find_first_not_of(' '), line.size());
  size_t end = std::min(line.find(' ', begin), line.size());
  std::string_view word = line.substr(begin, end - begin);
  line.remove_prefix(end);
  return word;
}

uint64_t hexadecimal(std::string_view text) {
  uint64_t number = 0;
  for (char digit : text) {
    int value = digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10;
    number = number * 16 + static_cast<uint64_t>(value);
  }
  return number;
}

bool is_asked(const LookQuery& query, int protocol, int port) {
  if (query.all_ports) return true;
  return std::find(query.ports.begin(), query.ports.end(), std::pair(protocol, port)) != query.ports.end();
}

struct Table {
  const char* path;
  int protocol, family;
};

// "sl local remote st tx:rx tr:when retransmits uid timeout inode …". What UDP binds and does not connect is in state
// 7, as TCP calls it: closed.
void read_table(int proc, const Table& table, const LookQuery& query, Reader& reader, std::vector<ListeningSocket>& found) {
  constexpr uint64_t kListen = 10, kClose = 7;
  auto text = reader.read(proc, table.path);
  if (!text) return;
  take_line(*text);
  while (!text->empty()) {
    std::string_view line = take_line(*text);
    take_word(line);
    std::string_view local = take_word(line);
    take_word(line);
    if (hexadecimal(take_word(line)) != (table.protocol == IPPROTO_TCP ? kListen : kClose)) continue;
    size_t colon = local.find(':');
    if (colon == std::string_view::npos) continue;
    int port = static_cast<int>(hexadecimal(local.substr(colon + 1)));
    if (port == 0 || !is_asked(query, table.protocol, port)) continue;
    for (int word = 0; word < 5; ++word) take_word(line);
    found.push_back({table.protocol, table.family, port, take_number(line), std::string(local.substr(0, colon))});
  }
}

}  // namespace

std::vector<ListeningSocket> listening_sockets(int proc, const LookQuery& query, Reader& reader) {
  std::vector<ListeningSocket> found;
  const Table tables[] = {{"net/tcp", IPPROTO_TCP, 4},
                          {"net/tcp6", IPPROTO_TCP, 6},
                          {"net/udp", IPPROTO_UDP, 4},
                          {"net/udp6", IPPROTO_UDP, 6}};
  for (const Table& table : tables) {
    bool wanted = query.all_ports || std::any_of(query.ports.begin(), query.ports.end(),
                                                 [&](const auto& port) { return port.first == table.protocol; });
    if (wanted) read_table(proc, table, query, reader, found);
  }
  return found;
}

// "Num RefCount Protocol Flags Type St Inode Path": the path goes to the end of the line, and may be missing.
std::map<uint64_t, size_t> unix_sockets(int proc, const std::vector<std::string>& paths, Reader& reader) {
  std::map<uint64_t, size_t> found;
  auto text = reader.read(proc, "net/unix");
  if (!text) return found;
  take_line(*text);
  while (!text->empty()) {
    std::string_view line = take_line(*text);
    for (int word = 0; word < 6; ++word) take_word(line);
    uint64_t inode = take_number(line);
    if (line.empty()) continue;
    line.remove_prefix(1);
    for (size_t at = 0; at < paths.size(); ++at) {
      if (line == paths[at]) found[inode] = at;
    }
  }
  return found;
}

}  // namespace hsu
