#include "engine.h"

#include <errno.h>
#include <unistd.h>

#include "identity.h"
#include "process_limits.h"
#include "proctable.h"

namespace hsu {

Result<std::unique_ptr<Engine>> Engine::open(Options options) {
  bool subreaper = options.subreaper;
  std::unique_ptr<Engine> engine(new Engine(std::move(options)));
  auto waiter = Waiter::open(engine->queue_, subreaper);
  if (!waiter) return waiter.error();
  engine->waiter_ = std::move(*waiter);
  auto spawner = Spawner::open();
  if (!spawner) return spawner.error();
  engine->spawner_ = std::move(*spawner);
  return engine;
}

// What is on its way is turned away with the others that wait at their gates. Without the memory for that there is no way to go on.
Engine::~Engine() {  // NOLINT(bugprone-exception-escape)
  if (submitted_.empty()) return;
  spawner_->refuse();
  collect();
}

Handle Engine::submit(LaunchOptions&& options) {
  if (submitted_.size() >= Spawner::kMostSubmitted) collect_first();
  if (!options.limits.oom_score_adj) options.limits.oom_score_adj = unprotected_;
  Submitted submitted{++last_handle_, std::make_unique<Launch>(std::move(options))};
  Handle handle = submitted.handle;
  StepFailure failure = begin(submitted);
  if (failure.step == Step::none) submitted_.push_back(std::move(submitted));
  else collected_.push_back({handle, failure, -1, 0});
  return handle;
}

StepFailure Engine::begin(Submitted& submitted) {
  const LaunchOptions& options = submitted.launch->options;
  bool captures = options.out == Output::capture || options.err == Output::capture;
  if (captures && !capture_) {
    auto capture = Capture::open(queue_, max_unacknowledged_);
    if (!capture) return {Step::pipe, capture.error().error};
    capture_ = std::move(*capture);
  }
  int error = spawner_->submit(*submitted.launch);
  return error ? StepFailure{Step::clone, error} : StepFailure{Step::none, 0};
}

std::vector<Engine::Collected> Engine::collect() {
  while (!submitted_.empty()) collect_first();
  return std::exchange(collected_, {});
}

void Engine::collect_first() {
  Submitted first = std::move(submitted_.front());
  submitted_.pop_front();
  Collected collected{first.handle, {Step::none, 0}, -1, 0};
  auto spawned = spawner_->collect(*first.launch);
  if (spawned) {
    collected.pid = spawned->pid;
    collected.start_time = start_time_of(*spawned);
    collected.failure = take(std::move(first), std::move(*spawned));
  } else {
    collected.failure = spawned.error();
  }
  collected_.push_back(collected);
}

StepFailure Engine::take(Submitted&& submitted, Spawned&& spawned) {
  Fd out = std::move(spawned.out), err = std::move(spawned.err);
  StepFailure failure = waiter_->take(submitted.handle, std::move(spawned), std::move(submitted.launch));
  if (failure.step != Step::none) return failure;
  int error = 0;
  if (out) error = capture_->add(submitted.handle, 0, std::move(out));
  if (err && !error) error = capture_->add(submitted.handle, 1, std::move(err));
  if (!error) return {Step::none, 0};
  waiter_->discard(submitted.handle);
  return {Step::pipe, error};
}

// Nobody can reap the child before the waiter has it, so the row of its pid is its own. Reading it costs a tenth of a
// launch, so the clock is believed where it has once said the same (a sandbox may count otherwise).
uint64_t Engine::start_time_of(const Spawned& spawned) {
  if (clock_ == Clock::tells && spawned.start_time) return spawned.start_time;
  auto row = read_process(spawned.pid);
  uint64_t start_time = row ? row->start_time : 0;
  if (clock_ == Clock::misleads || !spawned.start_time || !row) return start_time;
  clock_ = start_time == spawned.start_time ? Clock::tells : Clock::misleads;
  return start_time;
}

void Engine::detach_output(Handle handle) {
  if (capture_) capture_->detach(handle);
}

void Engine::acknowledge(size_t bytes) {
  if (capture_) capture_->acknowledge(bytes);
}

int Engine::protect(int oom_score_adj) {
  auto before = own_oom_score_adj();
  if (!before) return errno;
  int error = write_oom_score_adj(::getpid(), oom_score_adj);
  if (!error && !unprotected_) unprotected_ = before;
  return error;
}

int Engine::watch(pid_t pid, uint64_t start_time, uint64_t& watch) {
  auto pidfd = open_process(pid, start_time);
  if (!pidfd) return pidfd.error().error;
  watch = ++last_watch_;
  return waiter_->watch(watch, pid, start_time, std::move(*pidfd));
}

}  // namespace hsu
