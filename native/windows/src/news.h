#pragma once

// Small numbers that other threads tell JavaScript, for as long as the environment lives.

#include <napi.h>

#include <memory>
#include <utility>

namespace hsu {

class News {
 public:
  // Does not keep the event loop alive.
  static std::shared_ptr<News> open(Napi::Env env, Napi::Function hear, const char* what) {
    std::shared_ptr<News> news(new News(Napi::ThreadSafeFunction::New(env, hear, what, 0, 1)));
    news->call_.Unref(env);
    return news;
  }

  // From any thread; nothing where nobody is there any more.
  void tell(int number) {
    call_.NonBlockingCall(reinterpret_cast<void*>(static_cast<intptr_t>(number)), [](Napi::Env env, Napi::Function hear, void* data) {
      try {
        hear.Call({Napi::Number::New(env, static_cast<double>(reinterpret_cast<intptr_t>(data)))});
      } catch (const Napi::Error& error) {
        napi_fatal_exception(env, error.Value());
      }
    });
  }

 private:
  explicit News(Napi::ThreadSafeFunction call) : call_(std::move(call)) {}

  Napi::ThreadSafeFunction call_;
};

}  // namespace hsu
