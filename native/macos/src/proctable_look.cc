#include "proctable_look.h"

#include <errno.h>
#include <libproc.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>

#include "process_args.h"
#include "process_list.h"
#include "sockets.h"

namespace hsu {

namespace {

// The words of an address as Linux shows them, which packages/native reads.
std::string words_of(const void* address, size_t count) {
  std::string text;
  for (size_t at = 0; at < count; ++at) {
    uint32_t word;
    memcpy(&word, static_cast<const char*>(address) + 4 * at, sizeof word);
    char digits[9];
    ::snprintf(digits, sizeof digits, "%08X", word);
    text += digits;
  }
  return text;
}

// A socket that waits for connections, or one of UDP that is bound and not connected.
std::optional<ListeningSocket> listener_of(const socket_info& socket) {
  bool tcp = socket.soi_kind == SOCKINFO_TCP;
  if (!tcp && !(socket.soi_kind == SOCKINFO_IN && socket.soi_protocol == IPPROTO_UDP)) return std::nullopt;
  if (tcp && socket.soi_proto.pri_tcp.tcpsi_state != TSI_S_LISTEN) return std::nullopt;
  const in_sockinfo& in = tcp ? socket.soi_proto.pri_tcp.tcpsi_ini : socket.soi_proto.pri_in;
  int port = ntohs(static_cast<uint16_t>(in.insi_lport));
  if (port == 0 || (!tcp && in.insi_fport != 0)) return std::nullopt;
  ListeningSocket found = {};
  found.protocol = tcp ? IPPROTO_TCP : IPPROTO_UDP;
  found.port = port;
  found.inode = socket.soi_so;
  bool four = in.insi_vflag & INI_IPV4 && !(in.insi_vflag & INI_IPV6);
  found.family = four ? 4 : 6;
  found.address = four ? words_of(&in.insi_laddr.ina_46.i46a_addr4, 1) : words_of(&in.insi_laddr.ina_6, 4);
  return found;
}

class Looking {
 public:
  explicit Looking(const LookQuery& query) : query_(query) {}

  void add(const kinfo_proc& process) {
    ProcessRow known = row_of(process);
    LookRow row = {};
    row.pid = known.pid;
    row.ppid = known.ppid;
    row.start_time = static_cast<double>(known.start_time);
    row.state = known.state;
    row.user = query_.user ? static_cast<double>(process.kp_eproc.e_ucred.cr_uid) : NAN;
    row.name_length = put(process.kp_proc.p_comm);
    add_texts(known.pid, process.kp_eproc.e_ucred.cr_uid, known.state == 'Z', row);
    row.descriptors = NAN;
    if (query_.all_ports || !query_.ports.empty() || !query_.files.empty()) look_at_open(known, row);
    look_.rows.push_back(row);
  }

  Look take() { return std::move(look_); }

 private:
  double put(std::string_view text) {
    look_.texts += text;
    return static_cast<double>(text.size());
  }

  void add_texts(pid_t pid, uid_t owner, bool ended, LookRow& row) {
    int error = 0;
    std::string bytes;
    std::optional<ProcessArgs> args;
    if ((query_.argv || query_.environment) && !ended) {
      bytes = read_process_args(pid, error);
      args = parse_process_args(bytes);
      if (!args && !error) error = EIO;
    }
    // EINVAL is what the system answers of others' processes, and of who is ending.
    bool own = ::geteuid() == 0 || ::geteuid() == owner;
    double refused = error ? -double(error != EINVAL ? error : own ? ESRCH : EACCES) : 0;
    row.argv_length = !query_.argv ? NAN : args ? put(args->arguments) : refused;
    row.exe_length = query_.exe ? put_exe(pid) : NAN;
    row.cwd_length = query_.cwd ? put_cwd(pid) : NAN;
    row.environment_length = !query_.environment ? NAN : args ? put(args->environment) : refused;
  }

  double put_exe(pid_t pid) {
    char path[PROC_PIDPATHINFO_MAXSIZE];
    errno = 0;
    int length = ::proc_pidpath(pid, path, sizeof path);
    return length > 0 ? put({path, static_cast<size_t>(length)}) : -double(errno ? errno : ENOENT);
  }

  double put_cwd(pid_t pid) {
    proc_vnodepathinfo info = {};
    errno = 0;
    int size = ::proc_pidinfo(pid, PROC_PIDVNODEPATHINFO, 0, &info, sizeof info);
    if (size < static_cast<int>(sizeof info)) return -double(errno ? errno : ENOENT);
    return put(info.pvi_cdir.vip_path);
  }

  void look_at_open(const ProcessRow& known, LookRow& row) {
    std::vector<proc_fdinfo> open;
    int error = list_descriptors(known.pid, open);
    row.descriptors = -double(error);
    for (const proc_fdinfo& one : open) {
      if (one.proc_fdtype == PROX_FDTYPE_SOCKET) look_at_socket(known.pid, one.proc_fd);
      else if (one.proc_fdtype == PROX_FDTYPE_VNODE) look_at_file(known.pid, one.proc_fd);
    }
  }

  bool is_asked(const ListeningSocket& socket) const {
    std::pair<int, int> port = {socket.protocol, socket.port};
    return query_.all_ports || std::find(query_.ports.begin(), query_.ports.end(), port) != query_.ports.end();
  }

  void look_at_socket(pid_t pid, int fd) {
    auto info = socket_of(pid, fd);
    if (!info) return;
    if (info->soi_kind == SOCKINFO_UN) return note_file(info->soi_proto.pri_un.unsi_addr.ua_sun.sun_path);
    auto socket = listener_of(*info);
    if (!socket || !is_asked(*socket)) return;
    auto same = [&](const ListeningSocket& one) {
      return one.inode == socket->inode && one.port == socket->port && one.protocol == socket->protocol;
    };
    auto found = std::find_if(look_.sockets.begin(), look_.sockets.end(), same);
    auto index = static_cast<size_t>(found - look_.sockets.begin());
    if (found == look_.sockets.end()) look_.sockets.push_back(*socket);
    look_.listens.emplace_back(look_.rows.size(), index);
  }

  void look_at_file(pid_t pid, int fd) {
    if (query_.files.empty()) return;
    vnode_fdinfowithpath info = {};
    int size = ::proc_pidfdinfo(pid, fd, PROC_PIDFDVNODEPATHINFO, &info, sizeof info);
    if (size == static_cast<int>(sizeof info)) note_file(info.pvip.vip_path);
  }

  void note_file(const char* path) {
    auto found = std::find(query_.files.begin(), query_.files.end(), path);
    if (found == query_.files.end()) return;
    std::pair<size_t, size_t> held = {look_.rows.size(), static_cast<size_t>(found - query_.files.begin())};
    if (look_.holds.empty() || look_.holds.back() != held) look_.holds.push_back(held);
  }

  const LookQuery& query_;
  Look look_;
};

}  // namespace

Result<Look> look_at_processes(const LookQuery& query) {
  Looking looking(query);
  if (query.pids) {
    for (pid_t pid : *query.pids) {
      if (auto process = find_process(pid)) looking.add(*process);
    }
    return looking.take();
  }
  auto processes = list_processes();
  if (!processes) return processes.error();
  for (const kinfo_proc& process : *processes) looking.add(process);
  return looking.take();
}

}  // namespace hsu
