#pragma once

// The engine as a JavaScript object. Glue only: arguments arrive checked, results leave as plain numbers.

#include <napi.h>

#include <memory>

#include "engine.h"
#include "hsu/glue/living_object.h"

namespace hsu {

class EngineObject : public glue::LivingObject<EngineObject, std::unique_ptr<Engine>> {
 public:
  static constexpr const char* kName = "engine";
  static void part(Engine&) {}

  static Napi::Function define(Napi::Env env);
  explicit EngineObject(const Napi::CallbackInfo& info);

 private:
  Napi::Value submit(const Napi::CallbackInfo& info);
  Napi::Value collect(const Napi::CallbackInfo& info);
  void release(const Napi::CallbackInfo& info);
  Napi::Value signal(const Napi::CallbackInfo& info);
  Napi::Value protect(const Napi::CallbackInfo& info);
  Napi::Value signal_group(const Napi::CallbackInfo& info);
  Napi::Value watch(const Napi::CallbackInfo& info);
  void unwatch(const Napi::CallbackInfo& info);
  void reap_inherited(const Napi::CallbackInfo& info);
  void rest(const Napi::CallbackInfo& info);
  void detach_output(const Napi::CallbackInfo& info);
  void acknowledge(const Napi::CallbackInfo& info);
  void close(const Napi::CallbackInfo&) { end(); }
};

}  // namespace hsu
