// hsu-launch: what every child begins as. It is born with its standard streams, the sockets that listen and its gate, and nothing
// else; reads at its gate what it is to become, waits there, settles, and becomes it. Limits are set here and never in the master.
//   hsu-launch FD      the descriptor of the gate
// End-of-file at the gate (the master died, or gave up) makes it leave without having run the program. What fails is written to the
// gate as a LaunchFailure; that the program runs shows by the gate being closed.

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../../linux/src/launch.h"
#include "plan.h"
#include "resources.h"

namespace {

using hsu::LaunchFailure;
using hsu::Plan;
using hsu::Step;

constexpr int kNotRun = 127;
constexpr uint32_t kLongest = 64u << 20;

int gate = -1;

[[noreturn]] void fail(Step step, int error, int resource = 0) {
  LaunchFailure failure = {static_cast<int>(step) + resource, error};
  while (::write(gate, &failure, sizeof failure) < 0 && errno == EINTR) {
  }
  ::_exit(kNotRun);
}

void need(Step step, int result) {
  if (result < 0) fail(step, errno);
}

// Or leaves: without all of it there is nothing to become.
void read_all(char* bytes, size_t length) {
  while (length > 0) {
    ssize_t got = ::read(gate, bytes, length);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) ::_exit(kNotRun);
    bytes += got;
    length -= static_cast<size_t>(got);
  }
}

Plan read_plan() {
  uint32_t length = 0;
  read_all(reinterpret_cast<char*>(&length), sizeof length);
  if (length > kLongest) fail(Step::gate, E2BIG);
  std::string text(length, '\0');
  read_all(text.data(), length);
  auto plan = Plan::read(text);
  if (!plan) fail(Step::gate, EINVAL);
  return *plan;
}

rlim_t limit_value(long long given) { return given < 0 ? RLIM_INFINITY : static_cast<rlim_t>(given); }

void take_limits(const Plan& plan) {
  if (plan.nofile >= 0) {
    rlimit limit = {};
    need(Step::rlimit, ::getrlimit(RLIMIT_NOFILE, &limit));
    limit.rlim_cur = static_cast<rlim_t>(plan.nofile);
    if (limit.rlim_cur > limit.rlim_max) limit.rlim_cur = limit.rlim_max;
    need(Step::rlimit, ::setrlimit(RLIMIT_NOFILE, &limit));
  }
  for (const hsu::PlannedLimit& given : plan.limits) {
    int resource = hsu::own_resource(given.resource);
    if (resource == hsu::kNoResource) fail(Step::resource, ENOTSUP, given.resource);
    rlimit limit = {limit_value(given.soft), limit_value(given.hard)};
    if (resource == RLIMIT_NOFILE && limit.rlim_cur == RLIM_INFINITY) limit.rlim_cur = hsu::most_files(limit.rlim_max);
    if (::setrlimit(resource, &limit) != 0) fail(Step::resource, errno, given.resource);
  }
  if (plan.nice) need(Step::nice, ::setpriority(PRIO_PROCESS, 0, *plan.nice));
}

#ifdef __APPLE__

// The first of the groups is the effective one here: another that is set later takes its place, and what was there is lost. More than
// the system takes can only be what its directory says of the user, which initgroups has it look up for good.
void take_groups(const Plan& plan) {
  std::vector<gid_t> groups = plan.groups;
  auto gid = static_cast<gid_t>(plan.gid);
  if (plan.gid >= 0) {
    std::erase(groups, gid);
    groups.insert(groups.begin(), gid);
  }
  if (groups.size() <= NGROUPS_MAX) return need(Step::groups, ::setgroups(static_cast<int>(groups.size()), groups.data()));
  const passwd* user = plan.uid < 0 ? nullptr : ::getpwuid(static_cast<uid_t>(plan.uid));
  if (!user) fail(Step::groups, EINVAL);
  need(Step::groups, ::initgroups(user->pw_name, static_cast<int>(groups.front())));
}

#else

void take_groups(const Plan& plan) { need(Step::groups, ::setgroups(plan.groups.size(), plan.groups.data())); }

#endif

void take_identity(const Plan& plan) {
  if (plan.set_groups) take_groups(plan);
  // As root all of real, effective and saved.
  if (plan.gid >= 0) need(Step::group, ::setgid(static_cast<gid_t>(plan.gid)));
  if (plan.uid >= 0) need(Step::user, ::setuid(static_cast<uid_t>(plan.uid)));
}

// A text without a shebang line; the same rule as in native/linux/src/child.cc.
bool is_plain_script(const char* file) {
  int fd = ::open(file, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  char head[256];
  ssize_t length = ::read(fd, head, sizeof head);
  ::close(fd);
  if (length <= 0 || (length >= 2 && head[0] == '#' && head[1] == '!')) return false;
  for (ssize_t at = 0; at < length; ++at) {
    auto byte = static_cast<unsigned char>(head[at]);
    if (byte < 7 || (byte > 13 && byte < 32 && byte != 27) || byte >= 127) return false;
  }
  return true;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  result.reserve(texts.size() + 1);
  for (std::string& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

[[noreturn]] void become(Plan& plan) {
  if (plan.tells_listen_pid) plan.env.push_back("LISTEN_PID=" + std::to_string(::getpid()));
  auto argv = pointers(plan.argv);
  auto env = pointers(plan.env);
  ::execve(plan.file.c_str(), argv.data(), env.data());
  int error = errno;
  if (error == ENOEXEC && plan.shell_fallback && is_plain_script(plan.file.c_str())) {
    // Told before, as nothing can be told after: by a failure that is none.
    LaunchFailure shell = {static_cast<int>(Step::none), 0};
    while (::write(gate, &shell, sizeof shell) < 0 && errno == EINTR) {
    }
    std::string shell_path = "/bin/sh";
    std::vector<char*> words = {shell_path.data(), plan.file.data()};
    words.insert(words.end(), argv.begin() + 1, argv.end());
    ::execve(shell_path.c_str(), words.data(), env.data());
    error = errno;
  }
  fail(Step::exec, error);
}

// libuv makes the master's own pipes non-blocking, and what is inherited is the same pipe.
void make_blocking(int fd) {
  int flags = ::fcntl(fd, F_GETFL);
  if (flags >= 0 && (flags & O_NONBLOCK)) ::fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
}

void reset_signals() {
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  for (int signal = 1; signal < NSIG; ++signal) ::signal(signal, SIG_DFL);
}

}  // namespace

int main(int count, char** words) {
  if (count != 2) return kNotRun;
  gate = ::atoi(words[1]);
  if (gate < 3 || ::fcntl(gate, F_SETFD, FD_CLOEXEC) != 0) return kNotRun;
  ::signal(SIGPIPE, SIG_IGN);
  Plan plan = read_plan();
  char go = 0;
  read_all(&go, 1);
  if (go != hsu::kGo) ::_exit(kNotRun);
  take_limits(plan);
  if (plan.umask >= 0) ::umask(static_cast<mode_t>(plan.umask));
  take_identity(plan);
  // With the user's own rights: the program will need them there as well.
  if (!plan.cwd.empty()) need(Step::chdir, ::chdir(plan.cwd.c_str()));
  reset_signals();
  for (int fd : {STDOUT_FILENO, STDERR_FILENO}) make_blocking(fd);
  become(plan);
}
