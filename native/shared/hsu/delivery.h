#pragma once

// Carries the events of an engine to JavaScript: one call per batch, as one array of numbers (type, subject,
// fields of each event in turn) and one list of the buffers that go with `output` events, in order.

#include <napi.h>

#include <functional>
#include <utility>
#include <vector>

#include "hsu/events.h"

namespace hsu::glue {

class Delivery {
 public:
  Delivery(Napi::Env env, Napi::Function on_events, std::function<std::vector<Event>()> take)
      : take_(std::move(take)), call_(Call::New(env, on_events, "hsu engine", 0, 1, this)) {}

  // From any thread, until close().
  void wake() { call_.NonBlockingCall(); }

  // On the JavaScript thread, once the threads that wake have ended. Lets the event loop end.
  void close() {
    take_ = nullptr;
    call_.Abort();
  }

 private:
  static void deliver(Napi::Env env, Napi::Function on_events, Delivery* self, void*) {
    if (!env || !self->take_) return;
    try {
      self->deliver_batch(env, on_events);
    } catch (const Napi::Error& error) {
      // Left to itself Node only warns of what a callback like this one throws.
      napi_fatal_exception(env, error.Value());
    }
  }

  void deliver_batch(Napi::Env env, Napi::Function on_events) {
    Napi::HandleScope scope(env);
    std::vector<Event> events = take_();
    if (events.empty()) return;
    constexpr size_t kWidth = 2 + Event::kFields;
    auto numbers = Napi::Float64Array::New(env, events.size() * kWidth);
    auto buffers = Napi::Array::New(env);
    double* at = numbers.Data();
    uint32_t count = 0;
    for (const Event& event : events) {
      *at++ = static_cast<double>(event.type);
      *at++ = event.subject;
      for (double field : event.fields) *at++ = field;
      if (event.type == EventType::output || event.type >= EventType::channel_end) {
        buffers.Set(count++, Napi::Buffer<char>::Copy(env, event.bytes.data(), event.bytes.size()));
      }
    }
    on_events.Call({numbers, buffers});
  }

  using Call = Napi::TypedThreadSafeFunction<Delivery, void, &Delivery::deliver>;
  std::function<std::vector<Event>()> take_;
  Call call_;
};

}  // namespace hsu::glue
