// The engine without Node, for sanitizers:
//   g++ -std=c++20 -g -O1 -fsanitize=thread -I../shared -o stress test/stress.cc src/*.cc
//   TSAN_OPTIONS=suppressions=test/stress.tsan setarch -R ./stress
// and the same with -fsanitize=address,undefined, without the suppressions. (What is handed to the spawner goes
// through a socket, and ThreadSanitizer does not know that a socket puts things in order.)
// Prints nothing but the last line when all is well.

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "../src/engine.h"
#include "../src/identity.h"
#include "../src/process_limits.h"
#include "../src/proctable.h"
#include "../src/usage.h"

namespace {

using namespace hsu;

int woken = -1;

LaunchOptions options(std::string file, std::string argv, Output output) {
  LaunchOptions result;
  result.file = std::move(file);
  result.argv = std::move(argv);
  result.env = std::string("PATH=/bin\0", 10);
  result.out = result.err = output;
  return result;
}

// Of all kinds, and each by another way of being born.
ProcessLimits limits(int number) {
  ProcessLimits result;
  result.nice = 5;
  result.affinity = {1};
  result.scheduler = Scheduler{3, 0};
  result.io_priority = 3 << 13;
  result.resources = {{RLIMIT_CORE, {0, 0}}, {RLIMIT_NOFILE, {100, 200}}};
  if (number % 2) result.oom_score_adj = 100 + number;
  return result;
}

void sample(const std::vector<pid_t>& pids) {
  std::vector<TreePlace> places(3);
  places[0].pids = pids;
  places[1].group.directory = "/sys/fs/cgroup";
  places[1].group.controllers[kMemory] = "/sys/fs/cgroup/memory";
  places[2].group.directory = "/no/such";
  sample_trees(places, {true, true, true, true});
}

std::vector<Event> next(Engine& engine) {
  pollfd wait = {woken, POLLIN, 0};
  ::poll(&wait, 1, -1);
  uint64_t count;
  if (::read(woken, &count, sizeof count) < 0) return {};
  return engine.take();
}

// Spawns, floods, abandons and kills, then closes in the midst of it or after all has ended.
int round(int number) {
  auto opened = Engine::open({number % 2 == 0, 256 * 1024, [] { ::eventfd_write(woken, 1); }});
  if (!opened) return 1;
  Engine& engine = **opened;
  std::vector<Handle> floods;
  std::vector<pid_t> pids = {::getpid()};
  int expected = 0;
  for (int at = 0; at < 50; ++at) {
    bool flood = at % 10 == 0;
    auto given = flood ? options("/bin/cat", std::string("cat\0/dev/zero\0", 14), Output::capture)
                       : options(at % 7 ? "/bin/true" : "/no/such", std::string("x\0", 2), Output::capture);
    if (at % 3 == 0) given.limits = limits(at);
    Handle handle = engine.submit(std::move(given));
    if (flood) floods.push_back(handle);
    ++expected;
    if (at % 8 != 7) continue;
    for (const Engine::Collected& one : engine.collect()) {
      if (one.failure.step != Step::none) return 1;
      pids.push_back(one.pid);
      if (one.handle % 4 == 0) limit_process(one.pid, one.start_time, limits(at));
      engine.waiter().release(one.handle, one.handle % 5 != 1);
    }
  }
  if (number % 3 == 1) return 0;
  for (const Engine::Collected& one : engine.collect()) engine.waiter().release(one.handle, true);
  sample(pids);
  if (number % 3 == 0) return 0;
  int ended = 0;
  size_t bytes = 0;
  bool killed = false;
  while (ended < expected) {
    for (const Event& event : next(engine)) {
      if (event.type == EventType::exited || event.type == EventType::exec_failed) ++ended;
      if (event.type != EventType::output) continue;
      bytes += event.bytes.size();
      engine.acknowledge(event.bytes.size());
    }
    if (bytes < (1 << 20) || killed) continue;
    killed = true;
    for (Handle handle : floods) {
      engine.detach_output(handle);
      engine.waiter().signal(handle, SIGKILL);
    }
  }
  return 0;
}

}  // namespace

int main() {
  ::signal(SIGPIPE, SIG_IGN);
  woken = ::eventfd(0, EFD_CLOEXEC);
  for (int number = 0; number < 30; ++number) {
    if (round(number)) {
      ::printf("round %d failed\n", number);
      return 1;
    }
  }
  ::printf("30 rounds\n");
  return 0;
}
