#include "capture.h"

#include <errno.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>

#include "thread.h"

namespace hsu {

Result<std::unique_ptr<Capture>> Capture::open(EventQueue& queue, size_t max_unacknowledged) {
  std::unique_ptr<Capture> capture(new Capture(queue, max_unacknowledged));
  SystemError refused = capture->poller_.open();
  if (refused.error) return refused;
  int error = start_thread(capture->thread_, "hsu-capture", &Capture::run, capture.get());
  if (error) return SystemError{"pthread_create", error};
  capture->running_ = true;
  return capture;
}

Capture::~Capture() {
  if (!running_) return;
  stopping_ = true;
  poller_.wake();
  ::pthread_join(thread_, nullptr);
}

int Capture::add(uint64_t handle, int stream, Fd pipe) {
  std::lock_guard lock(mutex_);
  uint64_t id = handle * kStreams + static_cast<uint64_t>(stream);
  int fd = pipe.get();
  pipes_[id].fd = std::move(pipe);
  int error = poller_.add(fd, id);
  if (error) pipes_.erase(id);
  return error;
}

void Capture::detach(uint64_t handle) {
  std::lock_guard lock(mutex_);
  for (uint64_t stream = 0; stream < kStreams; ++stream) {
    auto found = pipes_.find(handle * kStreams + stream);
    if (found == pipes_.end() || found->second.detaching) continue;
    int available = 0;
    if (::ioctl(found->second.fd.get(), FIONREAD, &available) != 0) available = 0;
    found->second.detaching = true;
    found->second.remaining = static_cast<size_t>(available);
    detaching_.push_back(found->first);
  }
  poller_.wake();
}

void Capture::acknowledge(size_t bytes) {
  size_t before = unacknowledged_.load();
  size_t after;
  do after = before - std::min(before, bytes);
  while (!unacknowledged_.compare_exchange_weak(before, after));
  if (before < max_unacknowledged_ || after >= max_unacknowledged_) return;
  poller_.wake();
}

void* Capture::run(void* self) {
  static_cast<Capture*>(self)->serve();
  return nullptr;
}

void Capture::wait_for_acknowledgement() {
  poller_.await_wake(nullptr);
  poller_.hear();
}

void Capture::serve() {
  constexpr int kBatch = 32;
  Poller::Ready ready[kBatch];
  std::vector<Event> events;
  while (!stopping_) {
    if (unacknowledged_.load() >= max_unacknowledged_) {
      wait_for_acknowledgement();
      continue;
    }
    finish_detaching(events);
    queue_.push(std::move(events));
    events.clear();
    // The list of who is ready rotates, and each pipe gets one read a turn: a flood does not starve its neighbours.
    int count = poller_.wait(ready, kBatch, -1);
    for (int at = 0; at < count; ++at) {
      if (ready[at].token == Poller::kWoken) {
        poller_.hear();
      } else if (unacknowledged_.load() < max_unacknowledged_) {
        read_pipe(ready[at].token, events);
      }
    }
    queue_.push(std::move(events));
    events.clear();
  }
}

Capture::Pipe* Capture::find(uint64_t id) {
  std::lock_guard lock(mutex_);
  auto found = pipes_.find(id);
  return found == pipes_.end() ? nullptr : &found->second;
}

void Capture::read_pipe(uint64_t id, std::vector<Event>& events) {
  Pipe* pipe = find(id);  // stays valid: nobody else erases
  if (!pipe) return;
  ssize_t length = ::read(pipe->fd.get(), chunk_.get(), kChunk);
  if (length < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (length <= 0) return end(id, events);
  unacknowledged_ += static_cast<size_t>(length);
  uint64_t handle = id / kStreams;
  Event& event = events.emplace_back(EventType::output, static_cast<double>(handle),
                                     std::initializer_list<double>{static_cast<double>(id % kStreams)});
  event.bytes.assign(chunk_.get(), static_cast<size_t>(length));
  std::lock_guard lock(mutex_);
  pipe->remaining -= std::min(pipe->remaining, static_cast<size_t>(length));
}

void Capture::finish_detaching(std::vector<Event>& events) {
  std::vector<uint64_t> finished;
  {
    std::lock_guard lock(mutex_);
    std::erase_if(detaching_, [&](uint64_t id) {
      auto found = pipes_.find(id);
      bool done = found == pipes_.end() || found->second.remaining == 0;
      if (done) finished.push_back(id);
      return done;
    });
  }
  for (uint64_t id : finished) end(id, events);
}

void Capture::end(uint64_t id, std::vector<Event>& events) {
  std::lock_guard lock(mutex_);
  auto found = pipes_.find(id);
  if (found == pipes_.end()) return;
  poller_.remove(found->second.fd.get());
  pipes_.erase(found);
  uint64_t handle = id / kStreams;
  events.emplace_back(EventType::output_end, static_cast<double>(handle),
                      std::initializer_list<double>{static_cast<double>(id % kStreams)});
}

}  // namespace hsu
