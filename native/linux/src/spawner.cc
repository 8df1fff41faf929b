#include "spawner.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>

#include "child.h"
#include "raw_syscall.h"
#include "thread.h"

namespace hsu {

namespace {

constexpr unsigned kCloseRangeUnshare = 1u << 1;
constexpr int kMaxDescriptors = 4;
constexpr size_t kAddressSize = sizeof(void*);  // of a launch, which goes by its address

struct Reply {
  pid_t pid, helper;
  StepFailure failure;
  uint64_t start_time = 0;
};

struct DescriptorMessage {
  explicit DescriptorMessage(Reply& reply) : part{&reply, sizeof reply} {
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = space;
    header.msg_controllen = sizeof space;
  }
  iovec part;
  msghdr header = {};
  alignas(cmsghdr) char space[CMSG_SPACE(kMaxDescriptors * sizeof(int))] = {};
};

bool send_reply(int socket, Reply reply, const int* fds, size_t count) {
  DescriptorMessage message(reply);
  message.header.msg_controllen = count ? CMSG_SPACE(count * sizeof(int)) : 0;
  if (count) {
    cmsghdr* control = CMSG_FIRSTHDR(&message.header);
    control->cmsg_level = SOL_SOCKET;
    control->cmsg_type = SCM_RIGHTS;
    control->cmsg_len = CMSG_LEN(count * sizeof(int));
    ::memcpy(CMSG_DATA(control), fds, count * sizeof(int));
  }
  ssize_t sent;
  do sent = ::sendmsg(socket, &message.header, MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  return sent >= 0;
}

// The descriptors that arrived; fewer than were sent when our table is full.
size_t receive_reply(int socket, Reply& reply, Fd* fds) {
  DescriptorMessage message(reply);
  ssize_t length;
  do length = ::recvmsg(socket, &message.header, MSG_CMSG_CLOEXEC);
  while (length < 0 && errno == EINTR);
  if (length != static_cast<ssize_t>(sizeof reply)) reply = {-1, -1, {Step::clone, length < 0 ? errno : EPIPE}};
  size_t count = 0;
  for (cmsghdr* control = CMSG_FIRSTHDR(&message.header); control; control = CMSG_NXTHDR(&message.header, control)) {
    if (control->cmsg_level != SOL_SOCKET || control->cmsg_type != SCM_RIGHTS) continue;
    size_t here = (control->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t at = 0; at < here && count < kMaxDescriptors; ++at) {
      int fd;
      ::memcpy(&fd, CMSG_DATA(control) + at * sizeof(int), sizeof fd);
      fds[count++].reset(fd);
    }
  }
  return count;
}

bool at_least(Fd& fd, int least) {
  if (fd.get() >= least) return true;
  int moved = ::fcntl(fd.get(), F_DUPFD_CLOEXEC, least);
  if (moved < 0) return false;
  fd.reset(moved);
  return true;
}

// The child puts its standard streams on 0 to 2 one after the other; a source there would be overwritten.
bool above_standard(Fd& fd) { return at_least(fd, 3); }

bool make_pipe(Fd& reader, Fd& writer) {
  int fds[2];
  if (::pipe2(fds, O_CLOEXEC) != 0) return false;
  reader.reset(fds[0]);
  writer.reset(fds[1]);
  return ::fcntl(fds[0], F_SETFL, O_NONBLOCK) == 0 && above_standard(writer);
}

// A FIFO, or a file that the child appends to itself. The child holds a FIFO for reading, too: it lives on when the master is gone,
// and nobody gets SIGPIPE. Who becomes another user owns it, and can open /dev/stdout.
bool open_channel(const std::string& path, const LaunchOptions& options, Fd& writer) {
  writer.reset(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOCTTY));
  if (!writer) return false;
  struct stat facts;
  if (::fstat(writer.get(), &facts) != 0) return false;
  if (S_ISREG(facts.st_mode) && ::fcntl(writer.get(), F_SETFL, O_APPEND) != 0) return false;
  if (options.uid >= 0 && ::fchown(writer.get(), static_cast<uid_t>(options.uid), static_cast<gid_t>(-1)) != 0) return false;
  return above_standard(writer);
}

// The child puts them on 3 and on, one after the other.
StepFailure open_listeners(const std::vector<ListenAddress>& wheres, std::vector<Fd>& listeners, std::vector<int>& fds) {
  int least = 3 + static_cast<int>(wheres.size());
  for (const ListenAddress& where : wheres) {
    auto fd = listen_on(where);
    if (!fd) return {::strcmp(fd.error().call, "listen") == 0 ? Step::listen_listen : Step::listen_bind, fd.error().error};
    if (!at_least(*fd, least)) return {Step::stdio, errno};
    fds.push_back(fd->get());
    listeners.push_back(std::move(*fd));
  }
  return {Step::none, 0};
}

uint64_t since_boot() {
  timespec now = {};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
}

// Its gate is closed: it leaves.
void reap_both(pid_t pid, pid_t helper) {
  reap(pid);
  if (helper > 0) reap(helper);
}

}  // namespace

Result<std::unique_ptr<Spawner>> Spawner::open() {
  std::unique_ptr<Spawner> spawner(new Spawner);
  int pair[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) return SystemError{"socketpair", errno};
  spawner->control_.reset(pair[0]);
  spawner->thread_control_ = pair[1];
  int error = start_thread(spawner->thread_, "hsu-spawner", &Spawner::run, spawner.get());
  if (error) {
    ::close(pair[1]);
    spawner->control_.reset();
    return SystemError{"pthread_create", error};
  }
  Reply ready;
  Fd none[kMaxDescriptors];
  receive_reply(spawner->control_.get(), ready, none);
  bool separate = ready.pid == 1;
  if (separate) ::close(pair[1]);
  if (ready.failure.error) return SystemError{"open(/dev/null)", ready.failure.error};
  return spawner;
}

Spawner::~Spawner() {
  if (!control_) return;
  ::shutdown(control_.get(), SHUT_RDWR);
  ::pthread_join(thread_, nullptr);
}

void* Spawner::run(void* self) {
  static_cast<Spawner*>(self)->serve();
  return nullptr;
}

// close_range unshares where a filter refuses unshare itself (the default one of container engines does). Where
// neither works the table stays shared: dearer, and everything in it is close-on-exec and closed by the child.
bool Spawner::separate_descriptors() {
  int control = thread_control_;
  long result = raw(SYS_close_range, control + 1, ~0u, kCloseRangeUnshare);
  bool separate = result == 0;
  if (!separate && ::unshare(CLONE_FILES) == 0) {
    separate = true;
    close_by_listing(static_cast<unsigned>(control) + 1, ~0u);
  }
  if (!separate) return false;
  auto last = static_cast<unsigned>(control) - 1;
  if (control > 3 && raw(SYS_close_range, 3, last, 0) != 0) close_by_listing(3, last);
  return true;
}

void Spawner::serve() {
  bool separate = separate_descriptors();
  do null_fd_ = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  while (null_fd_ >= 0 && null_fd_ <= 2);
  tick_ns_ = 1'000'000'000 / static_cast<uint64_t>(::sysconf(_SC_CLK_TCK));
  int socket = thread_control_;
  send_reply(socket, {separate, -1, {Step::stdio, null_fd_ < 0 ? errno : 0}}, nullptr, 0);

  for (;;) {
    Launch* launch = nullptr;
    ssize_t length = ::recv(socket, &launch, kAddressSize, 0);
    if (length < 0 && errno == EINTR) continue;
    if (length != static_cast<ssize_t>(kAddressSize)) break;
    Spawned spawned;
    StepFailure failure = refusing_ ? StepFailure{Step::gate, ECANCELED} : make(*launch, spawned);
    int fds[kMaxDescriptors];
    size_t count = 0;
    for (const Fd* fd : {&spawned.pidfd, &spawned.gate, &spawned.out, &spawned.err}) {
      if (*fd) fds[count++] = fd->get();
    }
    bool made = failure.step == Step::none;
    Reply reply{spawned.pid, spawned.helper, failure, spawned.start_time};
    if (send_reply(socket, reply, fds, made ? count : 0) || !made) continue;
    failure = {Step::pidfd, errno};
    spawned.gate.reset();
    reap_both(spawned.pid, spawned.helper);
    send_reply(socket, {-1, -1, failure}, nullptr, 0);
  }
  ::close(null_fd_);
  ::close(socket);
}

StepFailure Spawner::make(Launch& launch, Spawned& spawned) {
  if (!launch.stack) return {Step::clone, ENOMEM};
  Fd out, err, gate, cgroup;
  if (!launch.options.cgroup.empty()) {
    if (launch.options.make_cgroup && ::mkdir(launch.options.cgroup.c_str(), 0777) != 0) return {Step::cgroup_make, errno};
    cgroup.reset(::open(launch.options.cgroup.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!cgroup) return {Step::cgroup_open, errno};
  }
  if (launch.options.out == Output::capture && !make_pipe(spawned.out, out)) return {Step::pipe, errno};
  if (launch.options.err == Output::capture && !make_pipe(spawned.err, err)) return {Step::pipe, errno};
  const LaunchOptions& options = launch.options;
  if (options.out == Output::channel && !open_channel(options.out_channel, options, out)) return {Step::channel, errno};
  if (options.err == Output::channel && !open_channel(options.err_channel, options, err)) return {Step::channel, errno};
  std::vector<Fd> listeners;
  StepFailure not_listening = open_listeners(options.listens, listeners, launch.listen_fds);
  if (not_listening.step != Step::none) return not_listening;
  int pair[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) return {Step::socketpair, errno};
  spawned.gate.reset(pair[0]);
  gate.reset(pair[1]);
  if (!at_least(gate, 3 + static_cast<int>(listeners.size()))) return {Step::socketpair, errno};
  launch.null_fd = null_fd_;
  launch.out_fd = out.get();
  launch.err_fd = err.get();
  launch.gate_fd = gate.get();

  // A handler of ours must not run in the child; the thread's own mask leaves libc's internal signals open.
  uint64_t all = ~0ull, before = 0;
  raw(SYS_rt_sigprocmask, SIG_SETMASK, reinterpret_cast<long>(&all), reinterpret_cast<long>(&before), sizeof all);
  Birth birth{launch, ways_, cgroup.get()};
  uint64_t before_birth = since_boot() / tick_ns_;
  give_birth(birth);
  uint64_t after_birth = since_boot() / tick_ns_;
  raw(SYS_rt_sigprocmask, SIG_SETMASK, reinterpret_cast<long>(&before), 0, sizeof before);
  if (birth.failure.step != Step::none) return birth.failure;
  spawned.pid = birth.pid;
  spawned.helper = birth.helper;
  spawned.pidfd.reset(birth.pidfd);
  spawned.start_time = before_birth == after_birth ? after_birth : 0;
  return {Step::none, 0};
}

int Spawner::submit(Launch& launch) {
  Launch* address = &launch;
  ssize_t sent;
  do sent = ::send(control_.get(), &address, kAddressSize, MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  return sent < 0 ? errno : 0;
}

Result<Spawned, StepFailure> Spawner::collect(const Launch& launch) {
  Reply reply;
  Fd fds[kMaxDescriptors];
  size_t arrived = receive_reply(control_.get(), reply, fds);
  if (reply.failure.step != Step::none) return reply.failure;

  size_t expected = 2;
  if (launch.options.out == Output::capture) ++expected;
  if (launch.options.err == Output::capture) ++expected;
  if (arrived != expected) {
    // Our own table is full. What did not arrive is closed already: without the gate the child leaves.
    for (Fd& fd : fds) fd.reset();
    reap_both(reply.pid, reply.helper);
    return StepFailure{Step::pidfd, EMFILE};
  }
  Spawned spawned;
  spawned.pid = reply.pid;
  spawned.helper = reply.helper;
  spawned.start_time = reply.start_time;
  size_t next = 0;
  spawned.pidfd = std::move(fds[next++]);
  spawned.gate = std::move(fds[next++]);
  if (launch.options.out == Output::capture) spawned.out = std::move(fds[next++]);
  if (launch.options.err == Output::capture) spawned.err = std::move(fds[next++]);
  return spawned;
}

}  // namespace hsu
