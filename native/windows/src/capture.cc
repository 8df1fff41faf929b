#include "capture.h"

#include <algorithm>

#include "port_key.h"

namespace hsu {

Capture::~Capture() {
  for (auto& [number, pipe] : pipes_) {
    if (!pipe->reading) continue;
    ::CancelIoEx(pipe->pipe.get(), &pipe->read);
    DWORD bytes = 0;
    // The system writes into the chunk until the read has come back.
    ::GetOverlappedResult(pipe->pipe.get(), &pipe->read, &bytes, TRUE);
  }
}

void Capture::wake() { ::PostQueuedCompletionStatus(port_, 0, port_key(Arrival::wake, 0), nullptr); }

DWORD Capture::add(uint64_t handle, int stream, Handle end) {
  auto pipe = std::make_unique<Pipe>();
  pipe->number = ++last_number_;
  pipe->handle = handle;
  pipe->stream = stream;
  pipe->pipe = std::move(end);
  if (!::CreateIoCompletionPort(pipe->pipe.get(), port_, port_key(Arrival::pipe, pipe->number), 0))
    return ::GetLastError();
  {
    std::lock_guard lock(mutex_);
    added_.push_back(std::move(pipe));
  }
  wake();
  return 0;
}

void Capture::detach(uint64_t handle) {
  {
    std::lock_guard lock(mutex_);
    detached_.push_back(handle);
  }
  wake();
}

void Capture::acknowledge(size_t bytes) {
  size_t before = unacknowledged_.load();
  while (!unacknowledged_.compare_exchange_weak(before, before - std::min(before, bytes))) {
  }
  if (before >= max_unacknowledged_ && !is_full()) wake();
}

void Capture::serve(std::vector<Event>& events) {
  std::vector<std::unique_ptr<Pipe>> added;
  std::vector<uint64_t> detached;
  {
    std::lock_guard lock(mutex_);
    added.swap(added_);
    detached.swap(detached_);
  }
  std::vector<uint64_t> ready;
  for (auto& pipe : added) {
    ready.push_back(pipe->number);
    pipes_[pipe->number] = std::move(pipe);
  }
  for (auto& [number, pipe] : pipes_) {
    if (pipe->waiting && !is_full()) ready.push_back(number);
  }
  for (uint64_t number : ready) {
    auto found = pipes_.find(number);
    if (found != pipes_.end()) begin(*found->second, events);
  }
  for (uint64_t handle : detached) {
    std::vector<uint64_t> numbers;
    for (auto& [number, pipe] : pipes_) {
      if (pipe->handle == handle) numbers.push_back(number);
    }
    for (uint64_t number : numbers) begin_detaching(*pipes_.at(number), events);
  }
}

void Capture::begin(Pipe& pipe, std::vector<Event>& events) {
  pipe.waiting = !pipe.detaching && is_full();
  if (pipe.waiting) return;
  if (pipe.detaching && pipe.remaining == 0) return end(pipe, events);
  DWORD most = pipe.detaching ? static_cast<DWORD>(std::min<size_t>(pipe.remaining, kChunk)) : kChunk;
  pipe.read = {};
  // Also what is read at once comes by way of the port.
  pipe.reading = ::ReadFile(pipe.pipe.get(), pipe.chunk.get(), most, nullptr, &pipe.read) ||
                 ::GetLastError() == ERROR_IO_PENDING;
  if (!pipe.reading) end(pipe, events);
}

void Capture::begin_detaching(Pipe& pipe, std::vector<Event>& events) {
  if (pipe.detaching) return;
  pipe.detaching = true;
  pipe.waiting = false;
  if (pipe.reading) {
    ::CancelIoEx(pipe.pipe.get(), &pipe.read);
    return;
  }
  DWORD there = 0;
  if (::PeekNamedPipe(pipe.pipe.get(), nullptr, 0, nullptr, &there, nullptr)) pipe.remaining = there;
  begin(pipe, events);
}

void Capture::done(uint64_t number, DWORD error, DWORD bytes, std::vector<Event>& events) {
  auto found = pipes_.find(number);
  if (found == pipes_.end()) return;
  Pipe& pipe = *found->second;
  pipe.reading = false;
  if (bytes > 0) {
    Event event(EventType::output, static_cast<double>(pipe.handle), {static_cast<double>(pipe.stream)});
    event.bytes.assign(pipe.chunk.get(), bytes);
    events.push_back(std::move(event));
    unacknowledged_ += bytes;
    pipe.remaining -= std::min<size_t>(pipe.remaining, bytes);
  }
  if (error == ERROR_OPERATION_ABORTED && pipe.detaching) {
    DWORD there = 0;
    if (::PeekNamedPipe(pipe.pipe.get(), nullptr, 0, nullptr, &there, nullptr)) pipe.remaining = there;
  } else if (error != 0 && error != ERROR_MORE_DATA) {
    return end(pipe, events);
  }
  begin(pipe, events);
}

void Capture::end(Pipe& pipe, std::vector<Event>& events) {
  events.emplace_back(EventType::output_end, static_cast<double>(pipe.handle),
                      std::initializer_list<double>{static_cast<double>(pipe.stream)});
  pipes_.erase(pipe.number);
}

}  // namespace hsu
