#include "engine.h"

#include <errno.h>
#include <unistd.h>

#include "identity.h"
#include "limits.h"
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

Result<Engine::Process, StepFailure> Engine::spawn(LaunchOptions&& options) {
  bool captures = options.out == Output::capture || options.err == Output::capture;
  if (captures && !capture_) {
    auto capture = Capture::open(queue_, max_unacknowledged_);
    if (!capture) return StepFailure{Step::pipe, capture.error().error};
    capture_ = std::move(*capture);
  }
  auto launch = std::make_unique<Launch>(std::move(options));
  auto spawned = spawner_->spawn(*launch);
  if (!spawned) return spawned.error();
  // Nobody can reap the child before the waiter has it, so this row is its own.
  auto row = read_process(spawned->pid);
  Process process{++last_handle_, spawned->pid, row ? row->start_time : 0};
  Fd out = std::move(spawned->out), err = std::move(spawned->err);
  StepFailure failure = waiter_->take(process.handle, std::move(*spawned), std::move(launch));
  if (failure.step != Step::none) return failure;
  int error = 0;
  if (out) error = capture_->add(process.handle, 0, std::move(out));
  if (err && !error) error = capture_->add(process.handle, 1, std::move(err));
  if (!error) return process;
  waiter_->discard(process.handle);
  return StepFailure{Step::pipe, error};
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
  waiter_->give_oom_score_adj(before);
  int error = write_oom_score_adj(::getpid(), oom_score_adj);
  if (error) waiter_->give_oom_score_adj(std::nullopt);
  return error;
}

int Engine::watch(pid_t pid, uint64_t start_time, uint64_t& watch) {
  auto pidfd = open_process(pid, start_time);
  if (!pidfd) return pidfd.error().error;
  watch = ++last_watch_;
  return waiter_->watch(watch, std::move(*pidfd));
}

}  // namespace hsu
