#pragma once

// Small numbers that other threads tell JavaScript, for as long as the environment lives.

#include <napi.h>

#include <functional>
#include <memory>
#include <mutex>
#include <utility>

namespace hsu {

class News {
 public:
  // Does not keep the event loop alive. `over`: nobody hears any more.
  static std::shared_ptr<News> open(Napi::Env env, Napi::Function hear, const char* what, std::function<void()> over = [] {}) {
    std::shared_ptr<News> news(new News(Napi::ThreadSafeFunction::New(env, hear, what, 0, 1), std::move(over)));
    news->call_.Unref(env);
    // Whoever tells may outlive the environment, and what calls it does not.
    auto held = std::make_unique<std::shared_ptr<News>>(news);
    napi_add_env_cleanup_hook(env, &News::on_teardown, held.release());
    return news;
  }

  // From any thread; nothing where nobody is there any more.
  void tell(int number) {
    std::lock_guard lock(mutex_);
    if (!is_over_) call_.NonBlockingCall(reinterpret_cast<void*>(static_cast<intptr_t>(number)), [](Napi::Env env, Napi::Function hear, void* data) {
      try {
        hear.Call({Napi::Number::New(env, static_cast<double>(reinterpret_cast<intptr_t>(data)))});
      } catch (const Napi::Error& error) {
        napi_fatal_exception(env, error.Value());
      }
    });
  }

 private:
  News(Napi::ThreadSafeFunction call, std::function<void()> over) : call_(std::move(call)), over_(std::move(over)) {}

  static void on_teardown(void* given) {
    std::unique_ptr<std::shared_ptr<News>> held(static_cast<std::shared_ptr<News>*>(given));
    {
      std::lock_guard lock((*held)->mutex_);
      (*held)->is_over_ = true;
      (*held)->call_.Abort();
    }
    (*held)->over_();
  }

  std::mutex mutex_;
  bool is_over_ = false;
  Napi::ThreadSafeFunction call_;
  const std::function<void()> over_;
};

}  // namespace hsu
