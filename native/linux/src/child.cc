#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "in_child.h"

namespace hsu {

using child::at;
using child::fail;
using child::leave;
using child::need;

namespace {

// The kernel's own layouts: libc's differ.
struct KernelAction {
  void* handler;
  unsigned long flags;
  void* restorer;
  uint64_t mask;
};
constexpr long kSignalSetSize = sizeof(uint64_t);
constexpr int kSignals = 64;

struct DirectoryEntry {
  uint64_t inode;
  int64_t offset;
  unsigned short length;
  unsigned char type;
  char name[];
};

// Without /proc, up to the limit on open files; a descriptor above a since lowered limit would be missed.
IN_CHILD long close_by_limit(unsigned first, unsigned last) {
  struct rlimit limit;
  long result = raw(SYS_prlimit64, 0, RLIMIT_NOFILE, 0, at(&limit));
  if (result < 0) return result;
  for (unsigned fd = first; fd <= last && fd < limit.rlim_max && fd < (1u << 20); ++fd) raw(SYS_close, fd);
  return 0;
}

IN_CHILD long close_descriptors(unsigned first, unsigned last) {
  long result = raw(SYS_close_range, first, last, 0);
  return result == -ENOSYS || result == -EPERM ? close_by_listing(first, last) : result;
}

// Leaves 0, 1, 2, the sockets that listen and the gate open. No source is among the targets that come before it: the spawner
// sees to that.
IN_CHILD void arrange_descriptors(Launch* launch) {
  need(launch, Step::stdio, raw(SYS_dup3, launch->null_fd, 0, 0));
  for (int fd = 1; fd <= 2; ++fd) {
    Output output = fd == 1 ? launch->options.out : launch->options.err;
    int source = output == Output::null ? launch->null_fd : fd == 1 ? launch->out_fd : launch->err_fd;
    if (output == Output::same_as_stdout) source = 1;
    if (output != Output::inherit) {
      need(launch, Step::stdio, raw(SYS_dup3, source, fd, 0));
      continue;
    }
    // libuv marks its own standard streams close-on-exec, and makes pipes non-blocking.
    need(launch, Step::stdio, raw(SYS_fcntl, fd, F_SETFD, 0));
    long flags = raw(SYS_fcntl, fd, F_GETFL);
    if (flags >= 0 && (flags & O_NONBLOCK)) raw(SYS_fcntl, fd, F_SETFL, flags & ~O_NONBLOCK);
  }
  unsigned first = 3;
  for (int source : launch->listen_fds) need(launch, Step::stdio, raw(SYS_dup3, source, first++, 0));
  auto gate = static_cast<unsigned>(launch->gate_fd);
  if (gate > first) need(launch, Step::stdio, close_descriptors(first, gate - 1));
  need(launch, Step::stdio, close_descriptors(gate + 1, ~0u));
}

// Who is given sockets trusts them only if they are meant for it: sd_listen_fds(3).
IN_CHILD void tell_listen_pid(Launch* launch) {
  if (launch->listen_fds.empty()) return;
  char* end = launch->listen_pid;
  while (*end) ++end;
  char digits[16];
  int count = 0;
  for (long pid = raw(SYS_getpid); pid > 0; pid /= 10) digits[count++] = static_cast<char>('0' + pid % 10);
  while (count > 0) *end++ = digits[--count];
  *end = '\0';
}

// One byte opens the gate; end-of-file (the master died, or gave up) means that the program must not run.
IN_CHILD void wait_at_gate(Launch* launch) {
  for (;;) {
    char go = 0;
    long length = raw(SYS_read, launch->gate_fd, at(&go), 1);
    if (length == 1) return;
    if (length == -EINTR) continue;
    leave();
  }
}

IN_CHILD void take_identity(Launch* launch) {
  const LaunchOptions& options = launch->options;
  if (options.set_groups) {
    need(launch, Step::groups,
         raw(SYS_setgroups, static_cast<long>(options.groups.size()), at(options.groups.data())));
  }
  if (options.gid >= 0) need(launch, Step::group, raw(SYS_setresgid, options.gid, options.gid, options.gid));
  if (options.uid >= 0) need(launch, Step::user, raw(SYS_setresuid, options.uid, options.uid, options.uid));
}

// After the change of user, which takes it back. Whoever died before it was set is found out by asking.
IN_CHILD void tie_to_master(Launch* launch) {
  if (!launch->options.die_with_master) return;
  need(launch, Step::parent_death, raw(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0));
  if (raw(SYS_getppid) != launch->master) leave();
}

IN_CHILD void reset_signals() {
  KernelAction standard = {nullptr, 0, nullptr, 0};
  for (int signal = 1; signal <= kSignals; ++signal) {
    if (signal == SIGKILL || signal == SIGSTOP) continue;
    raw(SYS_rt_sigaction, signal, at(&standard), 0, kSignalSetSize);
  }
}

// A text without a shebang line: not empty, neither ELF nor "#!", and free of control characters that no text has.
// The same rule as in packages/workers/src/host/program-file.ts, which explains the refusal.
IN_CHILD bool is_plain_script(const char* file) {
  long fd = raw(SYS_openat, AT_FDCWD, at(file), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  char head[256];
  long length = raw(SYS_read, fd, at(head), sizeof head);
  raw(SYS_close, fd);
  if (length <= 0) return false;
  if (length >= 4 && head[0] == 0x7f && head[1] == 'E' && head[2] == 'L' && head[3] == 'F') return false;
  if (length >= 2 && head[0] == '#' && head[1] == '!') return false;
  for (long at = 0; at < length; ++at) {
    auto byte = static_cast<unsigned char>(head[at]);
    if (byte < 7 || (byte > 13 && byte < 32 && byte != 27) || byte == 127) return false;
  }
  return true;
}

}  // namespace

IN_CHILD long close_by_listing(unsigned first, unsigned last) {
  long directory = raw(SYS_openat, AT_FDCWD, at("/proc/self/fd"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return close_by_limit(first, last);
  alignas(DirectoryEntry) char buffer[1024];
  for (;;) {
    long length = raw(SYS_getdents64, directory, at(buffer), sizeof buffer);
    if (length <= 0) break;
    for (long offset = 0; offset < length;) {
      auto* entry = reinterpret_cast<DirectoryEntry*>(buffer + offset);
      offset += entry->length;
      unsigned fd = 0;
      const char* digit = entry->name;
      for (; *digit >= '0' && *digit <= '9'; ++digit) fd = fd * 10 + static_cast<unsigned>(*digit - '0');
      if (digit == entry->name || *digit != '\0') continue;
      if (fd >= first && fd <= last && fd != static_cast<unsigned>(directory)) raw(SYS_close, fd);
    }
  }
  raw(SYS_close, directory);
  return 0;
}

IN_CHILD void run_child(void* argument) {
  auto* launch = static_cast<Launch*>(argument);
  arrange_descriptors(launch);
  tell_listen_pid(launch);
  child::join_groups(launch);
  // Before the gate, so that the record written meanwhile already names the process group.
  need(launch, Step::setsid, raw(SYS_setsid));
  wait_at_gate(launch);

  child::take_limits(launch);
  if (launch->options.umask >= 0) raw(SYS_umask, launch->options.umask);
  take_identity(launch);
  child::renounce_privileges(launch);
  tie_to_master(launch);
  // With the user's own rights: the program will need them there as well.
  if (!launch->options.cwd.empty()) need(launch, Step::chdir, raw(SYS_chdir, at(launch->options.cwd.c_str())));

  reset_signals();
  launch->reached_exec.store(true, std::memory_order_relaxed);
  uint64_t none = 0;
  raw(SYS_rt_sigprocmask, SIG_SETMASK, at(&none), 0, kSignalSetSize);
  const char* file = launch->options.file.c_str();
  long result = raw(SYS_execve, at(file), at(launch->argv.data()), at(launch->envp.data()));
  if (result == -ENOEXEC && launch->options.shell_fallback && is_plain_script(file)) {
    launch->used_shell.store(true, std::memory_order_relaxed);
    result = raw(SYS_execve, at("/bin/sh"), at(launch->shell_argv.data()), at(launch->envp.data()));
  }
  fail(launch, Step::exec, result);
}

}  // namespace hsu
