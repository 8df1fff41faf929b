#include <winsock2.h>
#include <ws2tcpip.h>

#include "sockets.h"

#include <iphlpapi.h>

namespace hsu {

namespace {

// MIB_TCP_STATE
constexpr DWORD kSynSent = 3, kEstablished = 5;

// Asks with more room until the table fits.
template <class Ask>
DWORD ask_table(std::vector<char>& buffer, Ask ask) {
  DWORD size = 16 * 1024, error = ERROR_INSUFFICIENT_BUFFER;
  for (int tries = 0; tries < 8 && error == ERROR_INSUFFICIENT_BUFFER; ++tries) {
    buffer.resize(size + 4096);
    size = static_cast<DWORD>(buffer.size());
    error = ask(buffer.data(), &size);
  }
  return error;
}

DWORD ask_tcp(std::vector<char>& buffer, ULONG family, TCP_TABLE_CLASS kind) {
  return ask_table(buffer, [&](void* table, DWORD* size) {
    return ::GetExtendedTcpTable(table, size, FALSE, family, kind, 0);
  });
}

DWORD ask_udp(std::vector<char>& buffer, ULONG family) {
  return ask_table(buffer, [&](void* table, DWORD* size) {
    return ::GetExtendedUdpTable(table, size, FALSE, family, UDP_TABLE_OWNER_PID, 0);
  });
}

template <class Table>
const Table& as(const std::vector<char>& buffer) {
  return *reinterpret_cast<const Table*>(buffer.data());
}

int port_of(DWORD port) { return ntohs(static_cast<u_short>(port)); }

std::string text4(DWORD address) {
  in_addr raw = {};
  raw.s_addr = address;
  char text[INET_ADDRSTRLEN] = "";
  ::inet_ntop(AF_INET, &raw, text, sizeof text);
  return text;
}

std::string text6(const UCHAR* address) {
  char text[INET6_ADDRSTRLEN] = "";
  ::inet_ntop(AF_INET6, address, text, sizeof text);
  return text;
}

SystemError failure(const char* call, DWORD error) { return {call, static_cast<int>(error)}; }

template <class Table, class Text>
void append(std::vector<Listener>& listeners, const Table& table, int protocol, Text text) {
  for (DWORD at = 0; at < table.dwNumEntries; ++at) {
    const auto& row = table.table[at];
    listeners.push_back({row.dwOwningPid, protocol, port_of(row.dwLocalPort), text(row)});
  }
}

}  // namespace

Result<std::vector<Listener>> read_listeners() {
  std::vector<Listener> listeners;
  std::vector<char> buffer;
  if (DWORD error = ask_tcp(buffer, AF_INET, TCP_TABLE_OWNER_PID_LISTENER)) return failure("GetExtendedTcpTable", error);
  append(listeners, as<MIB_TCPTABLE_OWNER_PID>(buffer), IPPROTO_TCP, [](auto& row) { return text4(row.dwLocalAddr); });
  if (!ask_tcp(buffer, AF_INET6, TCP_TABLE_OWNER_PID_LISTENER))
    append(listeners, as<MIB_TCP6TABLE_OWNER_PID>(buffer), IPPROTO_TCP, [](auto& row) { return text6(row.ucLocalAddr); });
  if (DWORD error = ask_udp(buffer, AF_INET)) return failure("GetExtendedUdpTable", error);
  append(listeners, as<MIB_UDPTABLE_OWNER_PID>(buffer), IPPROTO_UDP, [](auto& row) { return text4(row.dwLocalAddr); });
  if (!ask_udp(buffer, AF_INET6))
    append(listeners, as<MIB_UDP6TABLE_OWNER_PID>(buffer), IPPROTO_UDP, [](auto& row) { return text6(row.ucLocalAddr); });
  return listeners;
}

Result<std::vector<DWORD>> read_connections() {
  std::vector<DWORD> pids;
  std::vector<char> buffer;
  auto add = [&](const auto& table) {
    for (DWORD at = 0; at < table.dwNumEntries; ++at) {
      const auto& row = table.table[at];
      if (row.dwState >= kSynSent && row.dwState <= kEstablished) pids.push_back(row.dwOwningPid);
    }
  };
  if (DWORD error = ask_tcp(buffer, AF_INET, TCP_TABLE_OWNER_PID_CONNECTIONS)) return failure("GetExtendedTcpTable", error);
  add(as<MIB_TCPTABLE_OWNER_PID>(buffer));
  if (!ask_tcp(buffer, AF_INET6, TCP_TABLE_OWNER_PID_CONNECTIONS)) add(as<MIB_TCP6TABLE_OWNER_PID>(buffer));
  return pids;
}

}  // namespace hsu
