#include "spawner.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <vector>

#include "hsu/socket.h"
#include "keepers.h"
#include "launch/plan.h"

namespace hsu {

namespace {

bool at_least(Fd& fd, int least) {
  if (fd.get() >= least) return true;
  int moved = ::fcntl(fd.get(), F_DUPFD_CLOEXEC, least);
  if (moved < 0) return false;
  fd.reset(moved);
  return true;
}

bool make_pipe(Fd& reader, Fd& writer) {
  int fds[2];
  if (::pipe(fds) != 0) return false;
  reader.reset(fds[0]);
  writer.reset(fds[1]);
  return ::fcntl(fds[0], F_SETFD, FD_CLOEXEC) == 0 && ::fcntl(fds[1], F_SETFD, FD_CLOEXEC) == 0 &&
         ::fcntl(fds[0], F_SETFL, O_NONBLOCK) == 0;
}

// As in native/linux/src/spawner.cc.
bool open_channel(const std::string& path, const LaunchOptions& options, Fd& writer) {
  writer.reset(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOCTTY));
  if (!writer) return false;
  struct stat facts;
  if (::fstat(writer.get(), &facts) != 0) return false;
  if (S_ISREG(facts.st_mode) && ::fcntl(writer.get(), F_SETFL, O_APPEND) != 0) return false;
  return options.uid < 0 || ::fchown(writer.get(), static_cast<uid_t>(options.uid), static_cast<gid_t>(-1)) == 0;
}

std::vector<std::string> texts_of(const std::string& blob) {
  std::vector<std::string> result;
  for (size_t at = 0, end; (end = blob.find('\0', at)) != std::string::npos; at = end + 1) {
    result.push_back(blob.substr(at, end - at));
  }
  return result;
}

long long limit_value(rlim_t value) { return value == RLIM_INFINITY ? -1 : static_cast<long long>(value); }

Plan plan_of(const LaunchOptions& options) {
  Plan plan;
  plan.file = options.file;
  plan.argv = texts_of(options.argv);
  plan.env = texts_of(options.env);
  plan.cwd = options.cwd;
  plan.umask = options.umask;
  plan.uid = options.uid;
  plan.gid = options.gid;
  plan.nofile = options.nofile;
  plan.set_groups = options.set_groups;
  plan.groups = options.groups;
  for (const ResourceLimit& one : options.limits.resources) {
    constexpr int kFiles = 7;
    if (one.resource == kFiles) plan.nofile = -1;
    plan.limits.push_back({one.resource, limit_value(one.value.rlim_cur), limit_value(one.value.rlim_max)});
  }
  plan.nice = options.limits.nice;
  plan.shell_fallback = options.shell_fallback;
  plan.tells_listen_pid = !options.listens.empty();
  return plan;
}

// What this system has no way for.
StepFailure unsupported(const LaunchOptions& options) {
  const ProcessLimits& limits = options.limits;
  if (!options.cgroup.empty() || !options.joins.empty()) return {Step::cgroup_open, ENOTSUP};
  if (!limits.affinity.empty()) return {Step::affinity, ENOTSUP};
  if (limits.scheduler) return {Step::scheduler, ENOTSUP};
  if (limits.io_priority) return {Step::io_priority, ENOTSUP};
  if (limits.oom_score_adj) return {Step::oom_score, ENOTSUP};
  if (options.no_new_privs) return {Step::no_new_privs, ENOTSUP};
  return {Step::none, 0};
}

class FileActions {
 public:
  FileActions() { ::posix_spawn_file_actions_init(&actions_); }
  FileActions(const FileActions&) = delete;
  FileActions& operator=(const FileActions&) = delete;
  ~FileActions() { ::posix_spawn_file_actions_destroy(&actions_); }
  int put(int from, int to) { return ::posix_spawn_file_actions_adddup2(&actions_, from, to); }
  int inherit(int fd) { return ::posix_spawn_file_actions_addinherit_np(&actions_, fd); }
  const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_;
};

class Attributes {
 public:
  Attributes() { ::posix_spawnattr_init(&attributes_); }
  Attributes(const Attributes&) = delete;
  Attributes& operator=(const Attributes&) = delete;
  ~Attributes() { ::posix_spawnattr_destroy(&attributes_); }
  int settle() {
    sigset_t all, none;
    sigfillset(&all);
    sigemptyset(&none);
    ::posix_spawnattr_setsigdefault(&attributes_, &all);
    ::posix_spawnattr_setsigmask(&attributes_, &none);
    constexpr short kFlags =
        POSIX_SPAWN_SETSID | POSIX_SPAWN_CLOEXEC_DEFAULT | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK;
    return ::posix_spawnattr_setflags(&attributes_, kFlags);
  }
  const posix_spawnattr_t* get() const { return &attributes_; }

 private:
  posix_spawnattr_t attributes_;
};

bool send_all(int socket, const char* bytes, size_t length) {
  while (length > 0) {
    ssize_t sent = ::send(socket, bytes, length, kNoSignal);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return false;
    bytes += sent;
    length -= static_cast<size_t>(sent);
  }
  return true;
}

// All of it has room at once, so that nobody waits for the child to read it.
bool tell_plan(int socket, const Plan& plan) {
  std::string text = plan.written();
  auto length = static_cast<uint32_t>(text.size());
  int room = static_cast<int>(text.size() + 4096);
  ::setsockopt(socket, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
  return send_all(socket, reinterpret_cast<const char*>(&length), sizeof length) &&
         send_all(socket, text.data(), text.size());
}

struct Ends {
  Fd null, out, err, gate;
  std::vector<Fd> listeners;
};

StepFailure open_ends(const LaunchOptions& options, Spawned& spawned, Ends& ends) {
  int least = 4 + static_cast<int>(options.listens.size());
  ends.null.reset(::open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!ends.null || !at_least(ends.null, least)) return {Step::stdio, errno};
  if (options.out == Output::capture && !make_pipe(spawned.out, ends.out)) return {Step::pipe, errno};
  if (options.err == Output::capture && !make_pipe(spawned.err, ends.err)) return {Step::pipe, errno};
  if (options.out == Output::channel && !open_channel(options.out_channel, options, ends.out)) return {Step::channel, errno};
  if (options.err == Output::channel && !open_channel(options.err_channel, options, ends.err)) return {Step::channel, errno};
  for (const ListenAddress& where : options.listens) {
    auto fd = listen_on(where);
    if (!fd) return {::strcmp(fd.error().call, "listen") == 0 ? Step::listen_listen : Step::listen_bind, fd.error().error};
    if (!at_least(*fd, least)) return {Step::stdio, errno};
    ends.listeners.push_back(std::move(*fd));
  }
  int pair[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0) return {Step::socketpair, errno};
  spawned.gate.reset(pair[0]);
  ends.gate.reset(pair[1]);
  if (!settle_socket(pair[0]) || !settle_socket(pair[1])) return {Step::socketpair, errno};
  // No source is among the targets that come before it.
  for (Fd* fd : {&ends.out, &ends.err, &ends.gate}) {
    if (*fd && !at_least(*fd, least)) return {Step::stdio, errno};
  }
  return {Step::none, 0};
}

int put_ends(const LaunchOptions& options, const Ends& ends, FileActions& actions, int& gate) {
  int error = actions.put(ends.null.get(), 0);
  for (int fd = 1; fd <= 2 && !error; ++fd) {
    Output output = fd == 1 ? options.out : options.err;
    const Fd& own = fd == 1 ? ends.out : ends.err;
    if (output == Output::inherit) error = actions.inherit(fd);
    else if (output == Output::same_as_stdout) error = actions.put(1, 2);
    else error = actions.put(own ? own.get() : ends.null.get(), fd);
  }
  gate = 3;
  for (const Fd& listener : ends.listeners) {
    if (!error) error = actions.put(listener.get(), gate++);
  }
  return error ? error : actions.put(ends.gate.get(), gate);
}

}  // namespace

const std::string& launcher_path() {
  static const std::string path = [] {
    Dl_info found = {};
    if (::dladdr(reinterpret_cast<const void*>(&launcher_path), &found) == 0 || !found.dli_fname) return std::string();
    std::string file = found.dli_fname;
    size_t slash = file.rfind('/');
    return slash == std::string::npos ? std::string() : file.substr(0, slash + 1) + "hsu-launch";
  }();
  return path;
}

Result<Spawned, StepFailure> spawn(const LaunchOptions& options) {
  StepFailure failure = unsupported(options);
  Spawned spawned;
  Ends ends;
  if (failure.step == Step::none) failure = open_ends(options, spawned, ends);
  if (failure.step != Step::none) return failure;
  FileActions actions;
  Attributes attributes;
  int gate = 3;
  int error = put_ends(options, ends, actions, gate);
  if (!error) error = attributes.settle();
  if (error) return StepFailure{Step::stdio, error};
  std::string launcher = launcher_path(), descriptor = std::to_string(gate);
  char* words[] = {launcher.data(), descriptor.data(), nullptr};
  char* nothing[] = {nullptr};
  error = ::posix_spawn(&spawned.pid, launcher.c_str(), actions.get(), attributes.get(), words, nothing);
  if (error) return StepFailure{Step::clone, error};
  // The child holds its channels now.
  release_keeper(options.out_channel);
  release_keeper(options.err_channel);
  // Whether it reads shows at its gate.
  tell_plan(spawned.gate.get(), plan_of(options));
  return spawned;
}

}  // namespace hsu
