#pragma once

// What JavaScript sees of something with threads of its own that tell events. It lives until close(), also when nobody refers to it any
// more: it has news still to come.

#include <napi.h>

#include <memory>
#include <string>

#include "hsu/arguments.h"
#include "hsu/delivery.h"

namespace hsu::glue {

// `Object` has kName, as errors call it, and `static void part(Held&)`, done before it goes.
template <class Object, class Pointer>
class LivingObject : public Napi::ObjectWrap<Object> {
 public:
  explicit LivingObject(const Napi::CallbackInfo& info) : Napi::ObjectWrap<Object>(info), env_(info.Env()) {}
  ~LivingObject() override { shut(); }

 protected:
  // `make` gets the checked options and what wakes JavaScript, and answers a Result of the pointer.
  template <class Make>
  void begin(const Napi::Value& given, Make make) {
    auto options = object(given, "options");
    Napi::Value on_events = options.Get("onEvents");
    if (!on_events.IsFunction()) throw Napi::TypeError::New(env_, "onEvents must be a function");
    delivery_ = std::make_unique<Delivery>(env_, on_events.As<Napi::Function>(), [this] { return held_->take(); });
    try {
      auto made = make(options, [this] { delivery_->wake(); });
      if (!made) throw system_error(env_, made.error().call, made.error().error);
      held_ = std::move(*made);
    } catch (...) {
      delivery_->close();
      throw;
    }
    // After the delivery's own hook, hence run before it: the threads end first.
    napi_add_env_cleanup_hook(env_, &LivingObject::on_teardown, this);
    this->Ref();
  }

  auto& living() {
    if (!held_) throw Napi::Error::New(env_, std::string("the ") + Object::kName + " is closed");
    return *held_;
  }

  void end() {
    if (!held_) return;
    napi_remove_env_cleanup_hook(env_, &LivingObject::on_teardown, this);
    shut();
    this->Unref();
  }

 private:
  static void on_teardown(void* self) { static_cast<LivingObject*>(self)->shut(); }

  void shut() {
    if (!held_) return;
    Object::part(*held_);
    held_.reset();
    delivery_->close();
  }

  Napi::Env env_;
  std::unique_ptr<Delivery> delivery_;
  Pointer held_;
};

}  // namespace hsu::glue
