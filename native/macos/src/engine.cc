#include "engine.h"

#include <errno.h>

#include <utility>

#include "proctable.h"
#include "spawner.h"

namespace hsu {

Result<std::unique_ptr<Engine>> Engine::open(Options options) {
  std::unique_ptr<Engine> engine(new Engine(std::move(options)));
  auto waiter = Waiter::open(engine->queue_);
  if (!waiter) return waiter.error();
  engine->waiter_ = std::move(*waiter);
  return engine;
}

Handle Engine::submit(LaunchOptions&& options) {
  Collected collected{++last_handle_, {Step::none, 0}, -1, 0};
  collected.failure = begin(collected.handle, options, collected);
  collected_.push_back(collected);
  return collected.handle;
}

std::vector<Engine::Collected> Engine::collect() { return std::exchange(collected_, {}); }

StepFailure Engine::begin(Handle handle, const LaunchOptions& options, Collected& collected) {
  bool captures = options.out == Output::capture || options.err == Output::capture;
  if (captures && !capture_) {
    auto capture = Capture::open(queue_, max_unacknowledged_);
    if (!capture) return {Step::pipe, capture.error().error};
    capture_ = std::move(*capture);
  }
  auto spawned = spawn(options);
  if (!spawned) return spawned.error();
  // Nobody can reap the child before the waiter has it, so the row of its pid is its own.
  auto row = read_process(spawned->pid);
  collected.pid = spawned->pid;
  collected.start_time = row ? row->start_time : 0;
  Fd out = std::move(spawned->out), err = std::move(spawned->err);
  StepFailure failure = waiter_->take(handle, spawned->pid, std::move(spawned->gate));
  if (failure.step != Step::none) return failure;
  int error = 0;
  if (out) error = capture_->add(handle, 0, std::move(out));
  if (err && !error) error = capture_->add(handle, 1, std::move(err));
  if (!error) return {Step::none, 0};
  waiter_->discard(handle);
  return {Step::pipe, error};
}

void Engine::detach_output(Handle handle) {
  if (capture_) capture_->detach(handle);
}

void Engine::acknowledge(size_t bytes) {
  if (capture_) capture_->acknowledge(bytes);
}

int Engine::protect(int) { return ENOTSUP; }

int Engine::watch(pid_t pid, uint64_t start_time, uint64_t& watch) {
  watch = ++last_watch_;
  return waiter_->watch(watch, pid, start_time);
}

}  // namespace hsu
